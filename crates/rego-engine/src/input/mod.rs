//! The input on its way into a module's memory: only the parts that the policy can read.
//!
//! Job: read a JSON text, or walk a value, and lay out at the top of the module's heap what the module's custom section
//! says is read ([`projection`]); everything else is skipped, yet a text must be JSON from its first byte to its last.
//! This runs in the host's own code, before the module is entered, so that no instruction of it pays for the module's
//! bounds and epoch checks.
//!
//! One pass, and no pass twice:
//!
//! - [`token`] finds the end of a string 16 bytes at a time ([`simd`], the only unsafe code) and reads integers eight
//!   digits at a time. What is rare (escapes, long numbers, the last bytes of the text) is out of line.
//! - [`text`] follows the projection. A key is compared by its first eight bytes and its length, after a filter of 64
//!   bits that most unread keys fail; nothing is hashed but what is laid out, while it is copied in words. An object of
//!   which some members are read has a slot for each, so that a value is written to its place as soon as it is read.
//! - [`walk`] is for what is read whole or not at all: one loop, with a bit for each collection around it and the place
//!   in the text in a register. Skipping and keeping are the same code with different sinks, so they refuse the same.
//!
//! Measured (`examples/reader.rs`, nanoseconds, P1 to P3 of the benchmarks, on a busy machine where typed serde takes
//! some 920, 490 and 8,700 for reading and deciding): from 774, 290 and 17,370 with a hash for each key and words of
//! eight bytes to 304, 115 and 5,490; P3 takes 3,970 where only what it looks at is said to be read.
//!
//! Refuted: *two stages with AVX2* (an index of all tokens first, in blocks of 64 bytes, as simdjson does; then the same
//! code over the index) took 4,030 where one pass took 4,190 for the 6 KB of P3, and 6,470 where it took 5,560 with the
//! whole pod kept; the index alone takes 1,770. Hence no second reader. *Iterators with `zip`, and arrays with `map`*,
//! are calls where crates are compiled apart, a third of all the time once; here stand loops.
//!
//! Invariant: a text is refused exactly when [`rego_value::json`] refuses it, and no policy can tell a projected input
//! from the whole one. Shown by `tests.rs` (a million mutated texts against the whole reader and against serde_json), by
//! `tests/projected_input.rs` (every kind of read against the whole input) and by the conformance suite, all of whose
//! inputs come this way.

mod escape;
mod heap;
mod projection;
mod scan;
mod simd;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
mod tests;
mod text;
mod token;
mod value;
mod walk;

use rego_value::Value;
use rego_value::abi::Known;

pub(crate) use heap::{EmptySlots, Heap};
pub(crate) use projection::{Member, Node, decode};

/// Why nothing was laid out.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The text is not JSON.
    Invalid,
    /// The memory is too small.
    Full,
}

/// Room for what is not finished yet, kept between evaluations so that reading allocates nothing.
#[derive(Default)]
pub(crate) struct Scratch {
    pub(crate) words: Vec<u32>,
    open: Vec<usize>,
    nesting: Vec<u64>,
    /// The text of the last string that had escapes.
    decoded: Vec<u8>,
}

impl Scratch {
    /// What was left unfinished is forgotten.
    pub(crate) fn clear(&mut self) {
        self.words.clear();
        self.open.clear();
    }
}

/// A value in the module's memory: its handle and the first address behind it.
pub(crate) struct Placed {
    pub(crate) handle: u32,
    pub(crate) end: u32,
}

/// Reads a text that is known to be UTF-8 into `memory`, from the address `top` on.
pub(crate) fn read_text(
    text: &[u8],
    root: &Node,
    memory: &mut [u8],
    top: u32,
    scratch: &mut Scratch,
) -> Result<Placed, Fault> {
    scratch.clear();
    let mut reader = text::Reader::new(text, Heap::new(memory, top), scratch);
    let handle = reader.document(root)?;
    Ok(Placed { handle, end: reader.into_heap().top() })
}

/// Lays out a value as a part of an input.
pub(crate) fn write_part(value: &Value, node: &Node, heap: &mut Heap<'_>) -> Result<u32, Fault> {
    value::write(value, node, heap)
}

/// Lays out a number by its JSON text.
pub(crate) fn write_number_text(text: &str, heap: &mut Heap<'_>) -> Result<u32, Fault> {
    value::number_text(text, heap)
}

/// Reads a text as a part of an input.
pub(crate) fn read_part(
    text: &str,
    node: &Node,
    heap: &mut Heap<'_>,
    scratch: &mut Scratch,
) -> Result<u32, Fault> {
    let mut reader = text::Reader::new(text.as_bytes(), heap.lend(), scratch);
    let handle = reader.document(node)?;
    let top = reader.into_heap().top();
    heap.go_on(top);
    Ok(handle)
}

/// Lays a value out in `memory`, from the address `top` on.
pub(crate) fn write_value(value: &Value, root: &Node, memory: &mut [u8], top: u32) -> Result<Placed, Fault> {
    let mut heap = Heap::new(memory, top);
    let handle = value::write(value, root, &mut heap)?;
    Ok(Placed { handle, end: heap.top() })
}

/// Lays out all of a value, but for strings that lie in the module already.
pub(crate) fn write_beside(
    value: &Value,
    known: &Known,
    memory: &mut [u8],
    top: u32,
) -> Result<Placed, Fault> {
    let mut heap = Heap::new(memory, top);
    let handle = value::whole(value, Some(known), &mut heap, 0)?;
    Ok(Placed { handle, end: heap.top() })
}
