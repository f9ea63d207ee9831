//! What ends an evaluation.

use rego_syntax::Span;

/// An error of an evaluation, with what was being evaluated.
#[derive(Clone, Debug)]
pub struct Failure {
    /// OPA's code, `eval_conflict_error` and its like.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// Where.
    pub span: Span,
    /// The expressions that were being evaluated, innermost first.
    pub stack: Vec<Place>,
}

/// An expression that was being evaluated.
#[derive(Clone, Debug)]
pub struct Place {
    /// The number of the query that it belongs to, in the order in which queries were begun.
    pub query: u64,
    /// Where it stands.
    pub span: Span,
    /// Its source with the values of variables in it; empty where that is the source itself.
    pub text: String,
}

impl Failure {
    pub(crate) fn conflict(message: impl Into<String>, span: Span) -> Self {
        Self { code: "eval_conflict_error", message: message.into(), span, stack: Vec::new() }
    }

    pub(crate) fn object_key(span: Span) -> Self {
        Self::conflict("object keys must be unique", span)
    }

    pub(crate) fn internal(message: impl Into<String>, span: Span) -> Self {
        Self { code: "eval_internal_error", message: message.into(), span, stack: Vec::new() }
    }

    /// An evaluation that takes longer than anybody would want to read of.
    pub(crate) fn limit() -> Self {
        Self::internal("evaluation takes too many steps to be explained", Span::NONE)
    }
}
