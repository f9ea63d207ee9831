//! Why a built-in function has no value.

use std::fmt;

use rego_value::Kind;

/// OPA's error codes as far as built-in functions use them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// An argument is of the wrong type or not one of the values allowed.
    Type,
    /// The arguments have the right types and still no value can be made of them.
    Builtin,
    /// The deadline passed within the function.
    Cancel,
}

impl ErrorCode {
    /// The code as OPA writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            ErrorCode::Type => "eval_type_error",
            ErrorCode::Builtin => "eval_builtin_error",
            ErrorCode::Cancel => "eval_cancel_error",
        }
    }
}

/// The failure of a call. Unless `halt` is set the call's expression is undefined and evaluation goes
/// on; in strict mode, the first one is the error of the evaluation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuiltinError {
    /// The class of failure.
    pub code: ErrorCode,
    /// The text after the function's name.
    pub message: String,
    /// Evaluation stops here, strict or not.
    pub halt: bool,
}

impl BuiltinError {
    /// A failure that is not the fault of an operand's type.
    pub fn new(message: impl Into<String>) -> Self {
        Self { code: ErrorCode::Builtin, message: message.into(), halt: false }
    }

    /// An operand, counted from 1, that is not what it must be: `what` completes `operand 1 `.
    pub fn operand(position: usize, what: impl fmt::Display) -> Self {
        Self { code: ErrorCode::Type, message: format!("operand {position} {what}"), halt: false }
    }

    /// An operand of another type than `expected`.
    pub fn wrong_type(position: usize, expected: impl fmt::Display, got: Kind) -> Self {
        Self::operand(position, format_args!("must be {expected} but got {}", got.name()))
    }
}

impl fmt::Display for BuiltinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.message)
    }
}

impl std::error::Error for BuiltinError {}

impl From<String> for BuiltinError {
    fn from(message: String) -> Self {
        Self::new(message)
    }
}

impl From<&str> for BuiltinError {
    fn from(message: &str) -> Self {
        Self::new(message)
    }
}
