//! Why a plan cannot be compiled.

use rego_value::abi::LayoutError;

/// Why a plan cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompileError {
    /// A built-in function that nothing carries out.
    #[error("{at}built-in function `{name}` is not supported")]
    UnsupportedBuiltin {
        /// The function.
        name: String,
        /// `file:row:col: `, or nothing where the position is unknown.
        at: String,
    },
    /// A host function with more arguments than OPA's ABI can pass.
    #[error(
        "{at}built-in function `{name}` is called with {arguments} arguments; a host function takes at most 4"
    )]
    TooManyArguments {
        /// The function.
        name: String,
        /// The number of arguments.
        arguments: usize,
        /// `file:row:col: `, or nothing where the position is unknown.
        at: String,
    },
    /// A function so large that engines refuse it.
    #[error("`{function}` needs {locals} variables; engines accept at most {max}")]
    TooManyLocals {
        /// The function.
        function: String,
        /// What it needs.
        locals: usize,
        /// What engines accept.
        max: usize,
    },
    /// The constants do not fit a module's memory.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// The runtime that is linked in is not what this version expects: a defect of the build, not of the plan.
    #[error("runtime module: {0}")]
    Runtime(String),
}

impl From<wasmparser::BinaryReaderError> for CompileError {
    fn from(error: wasmparser::BinaryReaderError) -> Self {
        Self::Runtime(error.to_string())
    }
}
