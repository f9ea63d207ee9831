//! What can go wrong, by what the caller can do about it.

use std::time::Duration;

/// The engine itself could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The compiler does not work on this machine.
    #[error("cannot set up WebAssembly: {message}")]
    Setup {
        /// The compiler's words.
        message: String,
    },
    /// The thread that watches deadlines could not be started.
    #[error("cannot start the deadline clock")]
    Clock {
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
}

impl EngineError {
    pub(crate) fn setup(error: wasmtime::Error) -> Self {
        Self::Setup { message: format!("{error:#}") }
    }

    pub(crate) fn clock(source: std::io::Error) -> Self {
        Self::Clock { source }
    }
}

/// Bytes that are no module this engine can run.
#[derive(Debug, thiserror::Error)]
pub enum ModuleError {
    /// Not WebAssembly, or WebAssembly that does not validate.
    #[error("not a valid WebAssembly module: {message}")]
    Invalid {
        /// The validator's words.
        message: String,
    },
    /// The module does not say which ABI it speaks, or speaks another one.
    #[error("module speaks the policy ABI {major}.{minor}, this engine 1.2 and 1.3")]
    AbiVersion {
        /// `opa_wasm_abi_version`, -1 when absent.
        major: i32,
        /// `opa_wasm_abi_minor_version`, -1 when absent.
        minor: i32,
    },
    /// One of our own modules, made by another version of the compiler.
    #[error("module has values laid out by version {version}, this engine knows version {known}")]
    LayoutVersion {
        /// The module's version.
        version: u32,
        /// The engine's version.
        known: u32,
    },
    /// One of our own modules says in no readable way what it reads of its input.
    #[error("the module's section `rego-input` is malformed")]
    Projection,
    /// Something the ABI promises is not there.
    #[error("module lacks the export `{name}`")]
    MissingExport {
        /// The export.
        name: &'static str,
    },
    /// The module wants something of the host that the ABI does not have.
    #[error("module imports `{module}.{name}`, which no host provides")]
    UnknownImport {
        /// The import's module.
        module: String,
        /// The import's name.
        name: String,
    },
    /// The module calls built-in functions that this host does not have
    /// ([`Module::require_functions`](crate::Module::require_functions)).
    #[error("module needs built-in functions that are not available: {}", names.join(", "))]
    MissingBuiltins {
        /// Their names, sorted.
        names: Vec<String>,
    },
    /// Machine code that is not run here.
    #[error(transparent)]
    Native(#[from] crate::native::NativeError),
    /// The module could not be asked for its entrypoints and built-in functions.
    #[error("module does not start: {source}")]
    Start {
        /// What happened.
        #[from]
        source: EvalError,
    },
}

/// An evaluation, or a change of data, that came to nothing. The next one works: an instance that
/// could be damaged is replaced before it is used again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvalError {
    /// It took longer than allowed.
    #[error("evaluation took longer than {deadline:?}")]
    Deadline {
        /// The time that was allowed.
        deadline: Duration,
    },
    /// It needed more memory than allowed.
    #[error("evaluation needs more than {limit} bytes of memory")]
    MemoryLimit {
        /// The limit in bytes.
        limit: usize,
    },
    /// Calls nested too deeply.
    #[error("evaluation nests too deeply (stack limit {limit} bytes)")]
    StackLimit {
        /// The limit in bytes.
        limit: usize,
    },
    /// The input or the data is larger than an instance can ever hold.
    #[error("{size} bytes do not fit into the memory limit of {limit} bytes")]
    TooLarge {
        /// The size of the text in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The input is not JSON.
    #[error("input is not valid JSON")]
    InvalidInput,
    /// The input is a Rust value that no policy can be given.
    #[error(transparent)]
    UnfitInput(#[from] crate::typed::UnfitInput),
    /// The input was bound to another module than the one that is evaluated.
    #[error("the input is bound to another module")]
    OtherModule,
    /// The data is not a JSON object.
    #[error("data is not a valid JSON object")]
    InvalidData,
    /// The path to a data document goes through a value that is not an object.
    #[error("data path `{path}` goes through a value that is not an object")]
    DataPath {
        /// The path, separated by `/`.
        path: String,
    },
    /// There is no number at that path of the data, for which a cell was asked.
    #[error("data path `{path}` holds no number")]
    NoCell {
        /// The path, separated by `/`.
        path: String,
    },
    /// The number that the cell stood for is no longer in the data.
    #[error("the cell's document is gone")]
    StaleCell,
    /// The data of a pool's instances are changed on the pool.
    #[error("the data of a pool's instances are changed on the pool")]
    SharedData,
    /// The module has no such entrypoint.
    #[error("unknown entrypoint `{name}`")]
    UnknownEntrypoint {
        /// The name asked for.
        name: String,
    },
    /// The policy stopped: a conflict, or a built-in function that halts. Also a built-in function's
    /// failure in strict mode.
    #[error("{0}")]
    Policy(PolicyError),
    /// The module answered with something that is no result set.
    #[error("module returned a malformed result")]
    MalformedResult,
    /// The module broke in a way that no policy can cause.
    #[error("module trapped: {message}")]
    Trap {
        /// The cause.
        message: String,
    },
}

/// The error of a policy, in OPA's terms.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyError {
    /// OPA's code, such as `eval_conflict_error`; empty when the module did not say.
    pub code: String,
    /// The message without code and location.
    pub message: String,
    /// File, row and column of the expression, where known.
    pub location: Option<(String, u32, u32)>,
    /// The text that the module gave to `opa_abort`, which is what other hosts see of the error.
    pub abort_text: Option<String>,
}

impl std::fmt::Display for PolicyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some((file, row, column)) = &self.location {
            if file.is_empty() {
                write!(f, "{row}:{column}: ")?;
            } else {
                write!(f, "{file}:{row}:{column}: ")?;
            }
        }
        if !self.code.is_empty() {
            write!(f, "{}: ", self.code)?;
        }
        f.write_str(&self.message)
    }
}

impl PolicyError {
    /// Reads the text that a module aborts with: `file:row:col: code: message`, of which the first
    /// two parts may be missing.
    pub fn parse(text: &str) -> Self {
        let (location, rest) = match text.split_once(": ") {
            Some((head, rest)) => match parse_location(head) {
                Some(location) => (Some(location), rest),
                None => (None, text),
            },
            None => (None, text),
        };
        match rest.split_once(": ") {
            Some((code, message)) if is_code(code) => {
                Self { code: code.to_owned(), message: message.to_owned(), location, abort_text: None }
            }
            _ => Self { message: rest.to_owned(), location, ..Self::default() },
        }
    }
}

fn is_code(text: &str) -> bool {
    text.ends_with("_error") && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

fn parse_location(text: &str) -> Option<(String, u32, u32)> {
    let (rest, column) = text.rsplit_once(':')?;
    let (file, row) = rest.rsplit_once(':').unwrap_or(("", rest));
    Some((file.to_owned(), row.parse().ok()?, column.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::PolicyError;

    #[test]
    fn abort_texts_are_taken_apart_and_put_together() {
        for (text, code, location) in [
            (
                "a.rego:3:1: eval_conflict_error: rule data.a.p produced conflicting values",
                "eval_conflict_error",
                true,
            ),
            ("3:1: eval_conflict_error: x: y", "eval_conflict_error", true),
            ("eval_type_error: plus: operand 1 must be number", "eval_type_error", false),
            ("opa_malloc: out of memory", "", false),
            ("nothing", "", false),
        ] {
            let error = PolicyError::parse(text);
            assert_eq!(error.code, code);
            assert_eq!(error.location.is_some(), location);
            assert_eq!(error.to_string(), text);
        }
    }
}
