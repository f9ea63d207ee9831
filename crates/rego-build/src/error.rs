//! What can be wrong with sources, by phase.

use std::fmt;

use rego_ir::VerifyError;
use rego_syntax::{Diagnostic, SourceError, SourceMap, render_all};
use rego_wasm::CompileError;

/// Why there is no module.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A source that is no text.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A source beyond [`MAX_SOURCE_BYTES`](crate::MAX_SOURCE_BYTES).
    #[error(
        "{name}: {bytes} bytes are too many for a policy; the limit is {} bytes",
        crate::MAX_SOURCE_BYTES
    )]
    TooLarge {
        /// The source.
        name: String,
        /// Its size.
        bytes: usize,
    },
    /// What is wrong with the policy, with its places.
    #[error(transparent)]
    Diagnostics(Diagnostics),
    /// A plan that is not well formed: when it came from our own compiler, a fault of that.
    #[error("malformed plan: {}", list(.0))]
    Malformed(Vec<VerifyError>),
    /// A plan that cannot be compiled.
    #[error(transparent)]
    Compile(#[from] CompileError),
}

/// Diagnostics, with the sources that they point into. Displays as a person reads it: place, line, caret, help.
#[derive(Clone, Debug)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
    sources: SourceMap,
}

impl Diagnostics {
    /// Diagnostics and their sources.
    #[must_use]
    pub fn new(list: Vec<Diagnostic>, sources: SourceMap) -> Self {
        Self { list, sources }
    }

    /// The diagnostics, at least one.
    #[must_use]
    pub fn list(&self) -> &[Diagnostic] {
        &self.list
    }

    /// The files that they point into.
    #[must_use]
    pub fn sources(&self) -> &SourceMap {
        &self.sources
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(render_all(&self.list, &self.sources).trim_end())
    }
}

impl std::error::Error for Diagnostics {}

fn list(errors: &[VerifyError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
