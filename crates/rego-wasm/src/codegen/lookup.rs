//! Members of objects by strings, where the runtime's functions for any collection and any key take too long.
//!
//! What is found, or known not to be there, with one or two looks into the index, or among few members, needs no call, so
//! that nothing is kept over one. Everything else ends with a call of the runtime's function.

use rego_value::abi;
use wasm_encoder::Instruction;

use super::body::Body;
use super::{Generator, HANDLE};
use crate::link::Generated;

/// Strings up to two words of eight letters are compared here.
const WORD: u32 = 8;

/// `get(collection, key) -> value`: what stands at a key, or undefined.
pub(super) fn get(generator: &mut Generator<'_>) -> Generated {
    let general = generator.runtime("rt_get");
    let mut lookup = Lookup::new(2);
    lookup.find(|body, value| {
        body.get(value);
    });
    lookup.body.get(OBJECT).get(KEY).call(general);
    lookup.body.into_function("get")
}

/// `get_or(object, key, default) -> value`: `object.get`.
pub(super) fn get_or(generator: &mut Generator<'_>) -> Generated {
    let general = generator.runtime("bi_object_get");
    let default = 2;
    let mut lookup = Lookup::new(3);
    lookup.find(|body, value| {
        // A member that an object of the input has a place for need not be there.
        body.get(value).get(default).get(value).op(Instruction::Select);
    });
    lookup.body.get(OBJECT).get(KEY).get(default).call(general);
    lookup.body.into_function("get_or")
}

const OBJECT: u32 = 0;
const KEY: u32 = 1;

struct Lookup {
    body: Body,
    hash: u32,
    entry: u32,
    /// A position, the end of the entries, a key or a value: what is looked at right now.
    found: u32,
    index: u32,
}

impl Lookup {
    fn new(params: u32) -> Self {
        let mut body = Body::new(params);
        let [hash, entry, found, index] = [(); 4].map(|()| body.new_local(HANDLE));
        Self { body, hash, entry, found, index }
    }

    /// Looks for the key, and gives by `give` what its member holds, or for undefined; what cannot be known here leaves the
    /// block.
    fn find(&mut self, give: impl Fn(&mut Body, u32)) {
        let Self { body, hash, entry, found, index, .. } = self;
        body.block();
        let other = body.depth();
        body.get(OBJECT).get(KEY).op(Instruction::I32Or).constant(abi::ALIGN - 1).op(Instruction::I32And);
        body.br_if(other);
        // Nothing begins at the address 0 of what is undefined.
        for (value, kind) in [(KEY, abi::KIND_STRING), (OBJECT, abi::KIND_OBJECT)] {
            body.get(value)
                .load_byte(abi::KIND)
                .constant(u32::from(kind))
                .op(Instruction::I32Ne)
                .br_if(other);
        }
        body.get(KEY).load(abi::TEXT_HASH).set(*hash).block();
        let absent = body.depth();
        body.block();
        let there = body.depth();
        body.get(OBJECT).load(abi::INDEX).tee(*index).if_();
        for step in 0..2 {
            body.get(*hash).constant(step).op(Instruction::I32Add).get(OBJECT).load(abi::INDEX_MASK);
            body.op(Instruction::I32And).constant(4).op(Instruction::I32Mul).get(*index);
            body.op(Instruction::I32Add).load(0).tee(*found).op(Instruction::I32Eqz).br_if(absent);
            body.get(*found).constant(abi::OBJECT_ENTRY).op(Instruction::I32Mul).get(OBJECT).load(abi::ITEMS);
            body.op(Instruction::I32Add).constant(abi::OBJECT_ENTRY).op(Instruction::I32Sub).tee(*entry);
            body.load(abi::ENTRY_HASH).get(*hash).op(Instruction::I32Eq).br_if(there);
        }
        body.br(other).end();
        body.get(OBJECT).load(abi::ITEMS).tee(*entry).get(OBJECT).load(abi::LEN);
        body.constant(abi::OBJECT_ENTRY).op(Instruction::I32Mul).op(Instruction::I32Add).set(*found).loop_();
        let next = body.depth();
        body.get(*entry).get(*found).op(Instruction::I32GeU).br_if(absent);
        body.get(*entry).load(abi::ENTRY_HASH).get(*hash).op(Instruction::I32Eq).br_if(there);
        body.get(*entry).constant(abi::OBJECT_ENTRY).op(Instruction::I32Add).set(*entry).br(next).end();
        body.op(Instruction::Unreachable).end();
        self.same_key(other);
        let Self { body, entry, found, .. } = self;
        body.get(*entry).load(abi::ENTRY_VALUE).set(*found);
        give(body, *found);
        body.op(Instruction::Return).end();
        body.constant(abi::UNDEFINED).set(*found);
        give(body, *found);
        body.op(Instruction::Return).end();
    }

    /// Leaves the block unless the entry's key, which has the same hash, is known to be the same string.
    fn same_key(&mut self, other: u32) {
        let Self { body, entry, found, index: length, .. } = self;
        body.get(*entry).load(abi::ENTRY_KEY).tee(*found).get(KEY).op(Instruction::I32Ne).if_();
        body.get(*found).constant(abi::ALIGN - 1).op(Instruction::I32And).br_if(other);
        body.get(*found).load_byte(abi::KIND).constant(u32::from(abi::KIND_STRING)).op(Instruction::I32Ne);
        body.br_if(other);
        body.get(KEY).load(abi::LEN).tee(*length).get(*found).load(abi::LEN).op(Instruction::I32Ne);
        body.br_if(other);
        body.get(*length).constant(2 * WORD).op(Instruction::I32GtU).br_if(other);
        // Zeros fill a text's last word, and an empty one has a word of them.
        body.get(KEY)
            .load_long(abi::TEXT_BYTES)
            .get(*found)
            .load_long(abi::TEXT_BYTES)
            .op(Instruction::I64Ne);
        body.br_if(other).get(*length).constant(WORD).op(Instruction::I32GtU).if_();
        body.get(KEY).load_long(abi::TEXT_BYTES + WORD).get(*found).load_long(abi::TEXT_BYTES + WORD);
        body.op(Instruction::I64Ne).br_if(other).end().end();
    }
}
