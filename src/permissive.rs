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
        Reply::Now(Ok(Evaluated {
            decision: Box::new(decision),
            engine: self.name(),
            module_digest: None,
            data_revision: None,
        }))
    }
}

/// Whether the environment asks for a permissive Guardian.
pub(crate) fn is_asked_for() -> bool {
    std::env::var_os(SWITCH).is_some_and(|value| value == "1")
}

/// Says loudly that nothing is checked, or refuses.
pub(crate) fn admit(why: &str) -> Result<(), BuildError> {
    admit_if(ALLOWED, why)
}

fn admit_if(allowed: bool, why: &str) -> Result<(), BuildError> {
    if !allowed {
        return Err(BuildError::PermissiveInRelease);
    }
    tracing::error!(target: "hexarch::guardian", "GUARDRAILS ARE OFF ({why}): every call runs unchecked");
    if !tracing::dispatcher::has_been_set() {
        // Nobody listens to the log, and this has to be seen.
        eprintln!("hexarch: GUARDRAILS ARE OFF ({why}): every call runs unchecked");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_build_refuses() {
        assert!(matches!(admit_if(false, "a test"), Err(BuildError::PermissiveInRelease)));
        assert!(admit_if(true, "a test").is_ok());
        assert_eq!(ALLOWED, cfg!(any(debug_assertions, feature = "permissive-in-release")));
    }
}
