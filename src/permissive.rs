//! The Guardian that checks nothing.

use guard_core::{Action, Decision, EvalError, Evaluated, Evaluator, Question, Reply};

use crate::error::BuildError;

/// Set to `1` it makes every Guardian permissive, where that is allowed.
const SWITCH: &str = "HEXARCH_PERMISSIVE";

/// Whether this build may have permissive Guardians at all.
const ALLOWED: bool = cfg!(debug_assertions) || cfg!(feature = "permissive-in-release");

/// Says yes to everything.
pub(crate) struct AllowAll;

impl Evaluator for AllowAll {
    fn name(&self) -> &'static str {
        "permissive"
    }

    fn evaluate<'a>(&'a self, _question: Question<'a>) -> Reply<'a, Result<Evaluated, EvalError>> {
        let decision = Decision::new(Action::Allow, "this Guardian is permissive: nothing is checked");
        Reply::Now(Ok(Evaluated { decision, engine: self.name(), module_digest: None, data_revision: None }))
    }
}

/// Whether the environment asks for a permissive Guardian.
pub(crate) fn is_asked_for() -> bool {
    std::env::var_os(SWITCH).is_some_and(|value| value == "1")
}

/// Says loudly that nothing is checked, or refuses.
pub(crate) fn admit(why: &str) -> Result<(), BuildError> {
    if !ALLOWED {
        return Err(BuildError::PermissiveInRelease);
    }
    tracing::error!(target: "hexarch::guardian", "GUARDRAILS ARE OFF ({why}): every call runs unchecked");
    Ok(())
}
