//! Small functions that many statements share: too long to be emitted in place, too hot for the runtime's general ones.

use rego_value::abi;
use wasm_encoder::{Instruction, ValType};

use super::body::Body;
use super::integers;
use super::{Generator, HANDLE};
use crate::link::Generated;

/// A helper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Helper {
    /// `member(collection, string, cell) -> value`: the member of an object by a constant string, or undefined. The cell
    /// holds the first two words of the last object that had it, and the position at which it did, since objects that
    /// one place of a policy sees mostly have the same members in the same order.
    Member,
    /// The same where the member is not where it was the last time.
    Search,
    /// `seek(cursor, end, distance, mixture) -> cursor`: the next item of an array whose word in the array's column is the
    /// one that is sought, or any address from the end on. See [`super::seek`].
    Seek,
    /// `put(address, value, verb, room) -> address`: `rt_text_put` of a short string or a small integer.
    Put,
    /// `get(collection, key) -> value`. See [`super::lookup`].
    Get,
    /// `get_or(object, key, default) -> value`.
    GetOr,
    /// `same(a, b) -> 0 or 1`: whether two values are equal, which mostly are short strings.
    Same,
    /// `has(item, collection, column) -> 0 or 1`: whether a collection has an item. The number is that of the column of the
    /// elements themselves. See [`super::membership`].
    Has,
    /// The same for what the helper before does not know at once; the collection may have no such column.
    Among,
    /// `join(object, key) -> value`. See [`super::joins`].
    Join,
    /// `compare(a, b) -> order`: see [`integers`].
    Compare,
    /// `plus(a, b) -> sum`.
    Plus,
    /// `minus(a, b) -> difference`.
    Minus,
}

impl Helper {
    pub(super) fn generate(self, generator: &mut Generator<'_>) -> Generated {
        match self {
            Self::Member => member(generator),
            Self::Search => search(generator),
            Self::Seek => seek(),
            Self::Put => super::format::put(generator),
            Self::Get => super::lookup::get(generator),
            Self::GetOr => super::lookup::get_or(generator),
            Self::Same => same(generator),
            Self::Has => super::membership::has(generator),
            Self::Among => super::membership::among(generator),
            Self::Join => super::joins::helper(generator),
            Self::Compare => integers::compare(generator),
            Self::Plus => integers::plus(generator),
            Self::Minus => integers::minus(generator),
        }
    }
}

/// Offsets in the cell of a place that looks up a member: an object's first two words, and the distance of the member's
/// entry from the first one.
pub(super) const HEADER: u32 = 0;
pub(super) const ENTRY: u32 = 8;

/// Looks where the member was the last time. Calls nothing but what ends it, so that it keeps nothing over a call.
fn member(generator: &mut Generator<'_>) -> Generated {
    let search = generator.helper(Helper::Search);
    let mut body = Body::new(3);
    let (object, name, cell) = (0, 1, 2);
    let entry = body.new_local(HANDLE);
    body.get(object).constant(abi::ALIGN - 1).op(Instruction::I32And).get(object).op(Instruction::I32Eqz);
    body.op(Instruction::I32Or).if_().constant(abi::UNDEFINED).op(Instruction::Return).end();
    body.get(object).load_byte(abi::KIND).constant(u32::from(abi::KIND_OBJECT)).op(Instruction::I32Eq).if_();
    body.get(cell).load(ENTRY).tee(entry).get(object).load(abi::LEN);
    body.constant(abi::OBJECT_ENTRY).op(Instruction::I32Mul).op(Instruction::I32LtU).if_();
    body.get(object).load(abi::ITEMS).get(entry).op(Instruction::I32Add).tee(entry);
    body.load(abi::ENTRY_KEY).get(name).op(Instruction::I32Eq);
    body.if_();
    body.get(cell).get(object).load_long(abi::KIND).store_long(HEADER);
    body.get(entry).load(abi::ENTRY_VALUE).op(Instruction::Return).end().end().end();
    body.get(object).get(name).get(cell).call(search);
    lookup("member", body)
}

/// The members of a small object are looked at one after the other: hashes first, then handles, then texts.
/// Anything but a small object is left to the runtime.
fn search(generator: &mut Generator<'_>) -> Generated {
    let get = generator.runtime("rt_get");
    let mut body = Body::new(3);
    let (object, name, cell) = (0, 1, 2);
    let (hash, entry, end) = (body.new_local(HANDLE), body.new_local(HANDLE), body.new_local(HANDLE));
    let first = body.new_local(HANDLE);
    body.get(object).load_byte(abi::KIND).constant(u32::from(abi::KIND_OBJECT)).op(Instruction::I32Ne);
    body.if_().get(object).get(name).call(get).op(Instruction::Return).end();
    body.get(object).load(abi::INDEX);
    body.if_().get(object).get(name).call(get).op(Instruction::Return).end();
    body.get(name).load(abi::TEXT_HASH).set(hash);
    body.get(object).load(abi::ITEMS).tee(entry).set(first);
    body.get(entry);
    body.get(object)
        .load(abi::LEN)
        .constant(abi::OBJECT_ENTRY)
        .op(Instruction::I32Mul)
        .op(Instruction::I32Add)
        .set(end);
    body.block();
    let missing = body.depth();
    body.loop_();
    let next = body.depth();
    body.get(entry).get(end).op(Instruction::I32GeU).br_if(missing);
    body.get(entry).load(abi::ENTRY_HASH).get(hash).op(Instruction::I32Eq).if_();
    same_text(generator, &mut body, entry, name);
    body.if_();
    body.get(cell).get(object).load_long(abi::KIND).store_long(HEADER);
    body.get(cell).get(entry).get(first).op(Instruction::I32Sub).store(ENTRY);
    body.get(entry).load(abi::ENTRY_VALUE).op(Instruction::Return).end();
    body.end();
    body.get(entry).constant(abi::OBJECT_ENTRY).op(Instruction::I32Add).set(entry).br(next);
    body.end().end();
    body.constant(abi::UNDEFINED);
    lookup("search", body)
}

/// A function of an object, a name and a cell.
fn lookup(name: &str, body: Body) -> Generated {
    body.into_function(name)
}

/// Four words at once; what is read behind a column's end is padding ([`abi::COLUMN_PADDING`]).
fn seek() -> Generated {
    let mut body = Body::new(4);
    let (cursor, end, distance, mixture) = (0, 1, 2, 3);
    let wanted = body.new_local(ValType::V128);
    let equal = body.new_local(HANDLE);
    body.get(mixture).op(Instruction::I32x4Splat).op(Instruction::LocalSet(wanted));
    body.block();
    let found = body.depth();
    body.loop_();
    let next = body.depth();
    body.get(cursor).get(distance).op(Instruction::I32Add).load_vector().op(Instruction::LocalGet(wanted));
    body.op(Instruction::I32x4Eq).op(Instruction::I32x4Bitmask).tee(equal).br_if(found);
    body.get(cursor).constant(16).op(Instruction::I32Add).tee(cursor);
    body.get(end).op(Instruction::I32LtU).br_if(next);
    body.end().get(cursor).op(Instruction::Return).end();
    body.get(cursor).get(equal).op(Instruction::I32Ctz).constant(2).op(Instruction::I32Shl);
    body.op(Instruction::I32Add);
    body.into_function("seek")
}

/// Short strings are compared in words; zeros fill a text's last word, and an empty one has a word of them. It calls
/// nothing but what ends it, as [`member`].
fn same(generator: &mut Generator<'_>) -> Generated {
    const WORD: u32 = 8;
    let equal = generator.runtime("rt_equal");
    let mut body = Body::new(2);
    let (a, b) = (0, 1);
    let length = body.new_local(HANDLE);
    body.block();
    let other = body.depth();
    body.get(a).get(b).op(Instruction::I32Or).constant(abi::ALIGN - 1).op(Instruction::I32And).br_if(other);
    for value in [a, b] {
        body.get(value).load_byte(abi::KIND).constant(u32::from(abi::KIND_STRING)).op(Instruction::I32Ne);
        body.br_if(other);
    }
    body.get(a).load(abi::LEN).tee(length).constant(2 * WORD).op(Instruction::I32GtU).br_if(other);
    body.get(length).get(b).load(abi::LEN).op(Instruction::I32Ne);
    body.get(a).load_long(abi::TEXT_BYTES).get(b).load_long(abi::TEXT_BYTES).op(Instruction::I64Ne);
    body.op(Instruction::I32Or).if_().constant(0).op(Instruction::Return).end();
    body.get(length).constant(WORD).op(Instruction::I32LeU).if_().constant(1).op(Instruction::Return).end();
    body.get(a).load_long(abi::TEXT_BYTES + WORD).get(b).load_long(abi::TEXT_BYTES + WORD);
    body.op(Instruction::I64Eq).op(Instruction::Return).end();
    body.get(a).get(b).call(equal);
    body.into_function("same")
}

/// Pushes whether the key of an entry is a string.
fn same_text(generator: &mut Generator<'_>, body: &mut Body, entry: u32, name: u32) {
    let equal = generator.helper(Helper::Same);
    body.get(entry).load(abi::ENTRY_KEY).get(name).op(Instruction::I32Eq).if_value().constant(1).else_();
    body.get(entry).load(abi::ENTRY_KEY).get(name).call(equal).end();
}
