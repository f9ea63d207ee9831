//! The input on its way into a module's memory: only the parts that the policy can read.
//!
//! Job: read a JSON text, or walk a value, and lay out at the top of the module's heap what the module's custom section
//! says is read ([`projection`]); everything else is skipped, yet a text must be JSON from its first byte to its last.
//! This runs in the host's own code, before the module is entered, so that no instruction of it pays for the module's
//! bounds and epoch checks.
//!
//! Invariant: a text is refused exactly when [`rego_value::json`] refuses it, and no policy can tell a projected input
//! from the whole one. Shown by `tests/projected_input.rs` (mutated texts against the whole reader, and every kind of
//! read against the whole input) and by the conformance suite, all of whose inputs come this way.

mod heap;
mod projection;
mod text;
mod token;
mod value;

use rego_value::Value;

pub(crate) use projection::{Node, decode};

use heap::Heap;

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
    words: Vec<u32>,
    open: Vec<text::Open>,
}

/// A value in the module's memory: its handle and the first address behind it.
pub(crate) struct Placed {
    pub(crate) handle: u32,
    pub(crate) end: u32,
}

/// Reads a text that is known to be UTF-8 into `memory`, from the address `top` on.
pub(crate) fn read_text(
    text: &str,
    root: &Node,
    memory: &mut [u8],
    top: u32,
    scratch: &mut Scratch,
) -> Result<Placed, Fault> {
    scratch.words.clear();
    scratch.open.clear();
    let mut reader = text::Reader::new(text, Heap::new(memory, top), scratch);
    let handle = reader.document(root)?;
    Ok(Placed { handle, end: reader.into_heap().top() })
}

/// Lays a value out in `memory`, from the address `top` on.
pub(crate) fn write_value(value: &Value, root: &Node, memory: &mut [u8], top: u32) -> Result<Placed, Fault> {
    let mut heap = Heap::new(memory, top);
    let handle = value::write(value, root, &mut heap)?;
    Ok(Placed { handle, end: heap.top() })
}
