//! What the policy reads of its input, for hosts that read JSON themselves: the custom section [`SECTION`].
//!
//! The section is a tree ([`rego_ir::reads`]) in depth-first order. A node is
//!
//! | bytes | |
//! |---|---|
//! | 1 | flags: [`WHOLE`], [`EACH`] |
//! | `u32` | the number of members, 0 with [`WHOLE`] |
//! | … | per member, in the order of the keys: `u32` handle of the key's constant, `u32` length, the key in UTF-8, a node |
//! | … | with [`EACH`]: the node of all other members, and of an array's elements |
//!
//! Numbers are little endian. With [`WHOLE`] everything at and below the place is read.

use rego_ir::reads::Reads;
use rego_value::abi::projection::{EACH, WHOLE};

use crate::constants::Constants;
use crate::error::CompileError;

/// The name of the custom section.
pub const SECTION: &str = "rego-input";

/// The section's content. The keys become constants of the module.
pub(crate) fn encode(reads: &Reads, constants: &mut Constants) -> Result<Vec<u8>, CompileError> {
    let mut bytes = Vec::new();
    node(reads, constants, &mut bytes)?;
    Ok(bytes)
}

fn node(reads: &Reads, constants: &mut Constants, bytes: &mut Vec<u8>) -> Result<(), CompileError> {
    let mut flags = 0;
    if reads.whole {
        flags |= WHOLE;
    }
    if reads.each.is_some() {
        flags |= EACH;
    }
    bytes.push(flags);
    word(reads.members.len(), bytes);
    for (key, part) in &reads.members {
        bytes.extend(constants.string(key)?.to_le_bytes());
        word(key.len(), bytes);
        bytes.extend_from_slice(key.as_bytes());
        node(part, constants, bytes)?;
    }
    reads.each.iter().try_for_each(|part| node(part, constants, bytes))
}

/// A count. One beyond 32 bits cannot be: constants have addresses of 32 bits.
fn word(count: usize, bytes: &mut Vec<u8>) {
    bytes.extend(u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
}
