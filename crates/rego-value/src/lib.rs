//! The Rego value: exact numbers, the total order, sets, canonical JSON, and the layout values have inside a module.
//!
//! **Job.** One definition of what a value *is*, for the host (compiler, engine, builtins) and for the code that runs
//! inside a module. [`Value`] is the owned tree; [`abi`] is the same thing as bytes in a module's memory.
//!
//! **Invariant.** Equality, order and hash agree with each other and with OPA 1.22.2: numbers are equal by value
//! (`1`, `1.0` and `1e0` are one element of a set), `null < bool < number < string < array < object < set`, objects
//! and sets are always in that order. A [`Number`] never loses a digit; its text is the text that OPA prints.
//!
//! **What must be true, and how it is shown.** No function recurses over a value, so that a text nested to
//! [`json::MAX_DEPTH`] can be parsed, compared, written, laid out and dropped on a small stack (`tests/depth.rs`).
//! Numbers, their texts and their arithmetic are compared with the real OPA by `rego-runtime`'s `tests/opa.rs`, whose
//! builtins are made of them; the forms of JSON and of its errors are in `tests/json.rs`.
//!
//! Pure: no I/O, no clock, no global state, `no_std`.
#![no_std]

extern crate alloc;

pub mod abi;
pub mod json;
pub mod number;
mod order;
pub mod text;
mod value;

pub use number::{Number, NumberError};
pub use value::{Array, Kind, Object, Set, Value};
