//! Rego source text to a syntax tree and back: files, spans, diagnostics, lexer, parser, formatter.
//!
//! **Job.** [`parse_module`], [`parse_query`] and [`parse_term`] turn the text of a [`SourceFile`] into the tree of
//! [`mod@ast`], which has the shape of OPA's `ast` package, and a list of [`Diagnostic`]s. All versions of the language
//! are read ([`ParserOptions`]). [`format_module`] lays a module out as `opa fmt` does.
//!
//! **Invariant.** Parsing never panics, never recurses deeper than [`ParserOptions::max_depth`], builds no tree taller
//! than that, and reads a text at most a fixed number of times, however ambiguous it is. A tree without diagnostics is
//! the tree that OPA 1.22.2 makes of the text; the first diagnostic is the error that OPA reports, with its code, its
//! message and its position. A formatted text means what its source means and has all its comments, or there is none.
//! Nothing here reads files, the clock or the environment.
//!
//! **How it is shown.** `tests/conformance.rs`: every module of OPA's own suites parses, every module that OPA rejects
//! is rejected at the same place. `tests/limits.rs`: nesting, long chains, ambiguity. `tests/mutation.rs`: thousands of
//! broken modules. `tests/diagnostics.rs`: what the user sees. `tests/tree.rs`: where the tree is not what is written.
//! `tests/opa_tree.rs`: the tree against that of a real OPA. `tests/format.rs`: the layout against OPA's.
//!
//! # Where the tree is not what is written
//! The parser does what OPA's does, since the stages behind it rely on it:
//! - Infix operators are calls: `a + b` is `plus(a, b)`, `x in xs` is `internal.member_2(x, xs)`, `-x` is `minus(0, x)`.
//! - Each `_` is a variable of its own, `$0`, `$1`, …
//! - `input` and `data` alone are references of one term.
//! - `p = 1`, `p[x] = y`, `f(x)` and other queries that define something are rules with a generated body `true`.
//! - A rule without a value has the value `true`; a rule without a body has the body `true`.
//! - `p[x]` without `if` and without a value is the set `p` with the key `x`; with `if` it is an object.
//! - `p { a } { b }` is two rules; `else` is a chain of rules that share the arguments of the first.
//! - `{a | b}` is a comprehension, never a set of one union; `{ x }` behind `if` is a body, never a set.
//! - Sets and the keys of objects stand in order and without duplicates; of equal keys the last value stays.
//! - Under `future.keywords.not` a negation is an [`ast::ExprKind::Not`], else a flag of the expression.
//!
//! # Differences from OPA
//! - OPA allows a nesting of 100,000 and reads ambiguous text without a bound.
//! - After an error OPA stops; here parsing goes on at the next line that looks like the start of a statement.
//! - Of equal keys of an object OPA's parser keeps all and a later stage all but the last.
//! - An empty module has no position in OPA; a reader is shown the start of the file ([`Reported`]).
//! - The formatter refuses what OPA's would change: a layout that drops elements or joins comments. Rewriting V0 or V1 as
//!   V2, which no `opa fmt` option asks for, is not supported.
//! - The messages about YAML in annotations are those of another YAML parser, and in a block whose fault is not in its
//!   first line the line that is named can differ.

mod annotation;
pub mod ast;
pub mod diagnostic;
pub mod format;
mod lexer;
mod module;
pub mod options;
mod parse;
mod parser;
pub mod span;
mod token;

pub use diagnostic::{Code, Diagnostic, Reported, Severity, render_all};
pub use format::{FormatError, FormatOptions, format_module};
pub use options::{Features, ParserOptions};
pub use parse::{Parsed, parse_module, parse_query, parse_term};
pub use span::{FileId, Position, SourceError, SourceFile, SourceMap, Span};
