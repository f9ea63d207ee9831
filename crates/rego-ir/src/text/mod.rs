//! A form of the plan to read and to write tests in: one statement a line, blocks closed by `end`.
//!
//! ```text
//! string "result"
//! file "policy.rego"
//!
//! plan "eval"
//! block
//!   %2 = call "g0.data.p.q"(%0, %1) @0:1:1-1:9
//!   %3 = object
//!   insert %3[s0] = %2          ; s0 is "result"
//!   result %3
//! end
//! ```
//!
//! `%n` is a local, `sN` a string constant. A position is `@file:row:col-endrow:endcol`. A semicolon begins a
//! comment; the printer uses one to spell out the string constants of a line.

mod parse;
mod print;

pub use parse::{ParseError, parse_text};
pub use print::print_text;
