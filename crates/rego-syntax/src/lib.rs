//! Rego source text to a syntax tree: files, spans, diagnostics, lexer, parser.

mod annotation;
pub mod ast;
pub mod diagnostic;
mod lexer;
mod module;
pub mod options;
mod parse;
mod parser;
pub mod span;
mod token;

pub use diagnostic::{Code, Diagnostic, Severity, render_all};
pub use options::{Features, ParserOptions};
pub use parse::{Parsed, parse_module, parse_query, parse_term};
pub use span::{FileId, Position, SourceError, SourceFile, SourceMap, Span};
