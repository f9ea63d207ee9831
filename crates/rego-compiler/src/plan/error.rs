//! Why a checked program cannot be planned.

use rego_syntax::{Code, Diagnostic, Span};

/// Why a checked program cannot be planned, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct PlanError {
    /// What is wrong.
    pub kind: PlanErrorKind,
    /// The expression or rule that was being planned; it may point nowhere.
    pub span: Span,
}

/// What is wrong with a program that cannot be planned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanErrorKind {
    /// The entrypoint names neither a rule nor a package.
    #[error("entrypoint `{0}` does not refer to a rule or a package")]
    UnknownEntrypoint(String),
    /// A call names no function.
    #[error("undefined function `{0}`")]
    UndefinedFunction(String),
    /// A call passes a number of arguments that the function does not take.
    #[error("function `{name}` takes {expected} arguments, {found} are given")]
    Arity {
        /// The function.
        name: String,
        /// The number it takes.
        expected: usize,
        /// The number given, the captured result among them.
        found: usize,
    },
    /// A rule refers to a part of the document that its own ground prefix makes.
    #[error(
        "a reference to `{0}` from a rule that contributes to it is not supported: rules that share this prefix are planned as one function"
    )]
    SharedPrefix(String),
    /// A variable has no value where it is read. The checker's order of expressions rules this out.
    #[error("variable `{0}` is unsafe")]
    UnsafeVar(String),
    /// The checker rewrites these terms; here is no plan for them.
    #[error("a {0} term is not supported here")]
    Term(&'static str),
    /// A `with` modifier whose target is no path of strings below `input` or `data`.
    #[error("the target of `with` must be a path of strings below input or data, or a function")]
    WithTarget,
    /// Rules whose references cannot make one document.
    #[error("rules below `{0}` do not make one document")]
    MixedRules(String),
    /// More locals or constants than the plan's 32 bits can number.
    #[error("the policy is too large")]
    TooLarge,
}

impl From<PlanError> for Diagnostic {
    fn from(error: PlanError) -> Self {
        let code = match error.kind {
            PlanErrorKind::SharedPrefix(_)
            | PlanErrorKind::Term(_)
            | PlanErrorKind::MixedRules(_)
            | PlanErrorKind::TooLarge => Code::Unsupported,
            PlanErrorKind::UnsafeVar(_) => Code::UnsafeVar,
            PlanErrorKind::UnknownEntrypoint(_)
            | PlanErrorKind::UndefinedFunction(_)
            | PlanErrorKind::Arity { .. }
            | PlanErrorKind::WithTarget => Code::Compile,
        };
        Self::error(code, error.span, error.kind.to_string())
    }
}
