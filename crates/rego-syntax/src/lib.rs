//! Rego source text to a syntax tree: files, spans, diagnostics, lexer, parser.

pub mod ast;
pub mod diagnostic;
pub mod span;

pub use diagnostic::{Code, Diagnostic, Severity, render_all};
pub use span::{FileId, Position, SourceError, SourceFile, SourceMap, Span};
