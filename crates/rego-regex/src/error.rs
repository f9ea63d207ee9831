//! Why an expression is none.

use alloc::string::String;
use core::fmt;

/// What is wrong with an expression, in Go's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    pub(crate) problem: &'static str,
    pub(crate) expression: String,
}

impl SyntaxError {
    pub(crate) fn new(problem: &'static str, expression: &str) -> Self {
        Self { problem, expression: expression.into() }
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without formatting machinery: this also runs inside a module.
        for part in ["error parsing regexp: ", self.problem, ": `", &self.expression, "`"] {
            f.write_str(part)?;
        }
        Ok(())
    }
}

impl SyntaxError {
    /// The same text as `Display` gives.
    #[must_use]
    pub fn text(&self) -> String {
        let parts = ["error parsing regexp: ", self.problem, ": `", &self.expression, "`"];
        parts.into_iter().collect()
    }
}

impl core::error::Error for SyntaxError {}
