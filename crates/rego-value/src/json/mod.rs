//! JSON, read and written as OPA does (Go's `encoding/json` with numbers kept as text).

mod parse;
mod write;

pub use parse::{Error, Event, Parent, ParseError, Sink, is_valid, parse, parse_into};
pub use write::{Escape, to_string, write, write_string};

/// The deepest nesting that is read, as in Go.
pub const MAX_DEPTH: u32 = 10_000;
