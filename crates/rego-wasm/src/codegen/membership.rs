//! `item in collection`.
//!
//! Few constant strings are compared with the item by their hashes, in place. An array of the data is searched by the
//! hashes that stand behind its items, four at once: the module asks its engine for a column by the elements themselves
//! ([`rego_value::abi::Column`]). Any other array is searched for a string one element after the other, and what is
//! neither is left to the runtime.

use rego_ir::Operand;
use rego_value::Set;
use rego_value::abi::{self, Hash64};
use wasm_encoder::{Instruction, ValType};

use super::Result;
use super::body::Body;
use super::function::FuncGen;
use super::helpers::Helper;
use super::{Generator, HANDLE};
use crate::Target;
use crate::link::Generated;

/// More strings than these are looked up by their hash.
const FEW: usize = 8;

/// No column has this number.
const NO_COLUMN: u32 = u32::MAX;

/// The elements of a set of few strings with different hashes; none of any other.
pub(super) fn few_strings(set: &Set) -> Vec<String> {
    let strings = set.iter().take(FEW + 1).map(|element| element.as_str().map(ToOwned::to_owned));
    let strings: Vec<String> = strings.collect::<Option<_>>().unwrap_or_default();
    let mut hashes: Vec<u32> = strings.iter().map(|text| abi::hash_string(text.as_bytes())).collect();
    hashes.sort_unstable();
    hashes.dedup();
    if strings.len() > FEW || hashes.len() < strings.len() { Vec::new() } else { strings }
}

impl FuncGen<'_, '_> {
    /// Pushes 1 when an item is in a collection, else 0.
    pub(super) fn push_membership(&mut self, item: Operand, collection: Operand) -> Result<()> {
        let set = match self.constant(collection)? {
            Some(handle) => self.shared.constant_sets.get(&handle).cloned(),
            None => None,
        };
        match set {
            Some(strings) if !strings.is_empty() => return self.push_is_any(item, &strings),
            Some(_) => {
                self.push(collection)?;
                self.push(item)?;
                self.call_runtime("rt_get");
                self.body.constant(abi::UNDEFINED).op(Instruction::I32Ne);
                return Ok(());
            }
            None => {}
        }
        let column = match collection {
            Operand::Local(local) if self.shared.target == Target::Engine && self.is_from_data(local) => {
                self.column_of(Vec::new())
            }
            _ => None,
        };
        let helper = self.shared.helper(if column.is_some() { Helper::Has } else { Helper::Among });
        self.push(item)?;
        self.push(collection)?;
        self.body.constant(column.unwrap_or(NO_COLUMN)).call(helper);
        Ok(())
    }

    /// Pushes whether an item is one of some strings. What has none of their hashes where strings have it is none of them.
    fn push_is_any(&mut self, item: Operand, strings: &[String]) -> Result<()> {
        let hash = self.used_temporary();
        self.push_may_be_address(item)?;
        self.body.if_value();
        self.push(item)?;
        self.body.load(abi::TEXT_HASH).set(hash);
        for text in strings {
            self.body.get(hash).constant(abi::hash_string(text.as_bytes())).op(Instruction::I32Eq).if_value();
            let constant = self.shared.constants.string(text)?;
            let same = self.shared.helper(Helper::Same);
            self.body.constant(constant);
            self.push(item)?;
            self.body.call(same).else_();
        }
        self.body.constant(0);
        for _ in strings {
            self.body.end();
        }
        self.body.else_().constant(0).end();
        self.release(hash);
        Ok(())
    }
}

/// How many elements are looked for at once.
const AT_ONCE: u32 = 4;

/// [`Helper::Has`]: a string or a small integer in an array that has the column and few elements. It calls nothing but what
/// ends it, so that it keeps nothing over a call.
pub(super) fn has(generator: &mut Generator<'_>) -> Generated {
    let among = generator.helper(Helper::Among);
    let mut search = Search::new(generator);
    let bits = search.body.new_local(HANDLE);
    let wanted = search.body.new_local(ValType::V128);
    search.body.block();
    let other = search.body.depth();
    search.is_array(other);
    search.has_column(other);
    let Search { body, cursor, end, .. } = &mut search;
    body.get(*end).get(*cursor).op(Instruction::I32Sub).constant(2 * AT_ONCE * WORD).op(Instruction::I32GtU);
    body.br_if(other);
    search.hash_of_item(other);
    let Search { body, cursor, end, hash, .. } = &mut search;
    body.get(*hash).op(Instruction::I32x4Splat).op(Instruction::LocalSet(wanted));
    // The number of the column stands between the items and their words, and padding behind these.
    body.get(*end).constant(WORD).op(Instruction::I32Add).load_vector().op(Instruction::LocalGet(wanted));
    body.op(Instruction::I32x4Eq).op(Instruction::I32x4Bitmask).set(bits);
    body.get(*end)
        .get(*cursor)
        .op(Instruction::I32Sub)
        .constant(AT_ONCE * WORD)
        .op(Instruction::I32GtU)
        .if_();
    body.get(*end).constant(WORD + AT_ONCE * WORD).op(Instruction::I32Add).load_vector();
    body.op(Instruction::LocalGet(wanted)).op(Instruction::I32x4Eq).op(Instruction::I32x4Bitmask);
    body.constant(AT_ONCE).op(Instruction::I32Shl).get(bits).op(Instruction::I32Or).set(bits).end();
    body.get(bits).op(Instruction::I32Eqz).if_().constant(0).op(Instruction::Return).end();
    body.get(bits).op(Instruction::I32Ctz).constant(WORD).op(Instruction::I32Mul).get(*cursor);
    body.op(Instruction::I32Add).set(*cursor);
    search.no_more();
    search.is_item();
    // Hashes may be equal by chance; then the others have to be looked at as well.
    search.equals_item();
    search.body.end();
    search.finish("has", |body| {
        body.get(ITEM).get(COLLECTION).get(COLUMN).call(among);
    })
}

/// [`Helper::Among`].
pub(super) fn among(generator: &mut Generator<'_>) -> Generated {
    let runtime = generator.runtime("bi_internal_member_2");
    let mut search = Search::new(generator);
    search.body.block();
    let general = search.body.depth();
    search.is_array(general);
    search.hash_of_item(general);
    if generator.target == Target::Engine {
        search.through_column(generator);
    }
    search.one_by_one(general);
    search.body.end();
    search.finish("among", |body| {
        body.get(ITEM).get(COLLECTION).call(runtime).constant(abi::TRUE).op(Instruction::I32Eq);
    })
}

const ITEM: u32 = 0;
const COLLECTION: u32 = 1;
const COLUMN: u32 = 2;

/// The bytes of an item, and of its word in a column.
const WORD: u32 = 4;

/// The search of an array.
struct Search {
    body: Body,
    cursor: u32,
    end: u32,
    hash: u32,
    element: u32,
    wide: u32,
    same: u32,
}

impl Search {
    fn new(generator: &mut Generator<'_>) -> Self {
        let mut body = Body::new(3);
        let [cursor, end, hash, element] = [(); 4].map(|()| body.new_local(HANDLE));
        let wide = body.new_local(ValType::I64);
        Self { body, cursor, end, hash, element, wide, same: generator.helper(Helper::Same) }
    }

    /// Finds the first item and the end; leaves the block for what is no array.
    fn is_array(&mut self, other: u32) {
        let Self { body, cursor, end, .. } = self;
        body.get(COLLECTION).constant(abi::ALIGN - 1).op(Instruction::I32And).br_if(other);
        // The address 0 of what is undefined can be read from as well, and no array begins there.
        body.get(COLLECTION).load_byte(abi::KIND).constant(u32::from(abi::KIND_ARRAY)).op(Instruction::I32Ne);
        body.br_if(other);
        body.get(COLLECTION).load(abi::ITEMS).tee(*cursor).get(COLLECTION).load(abi::LEN);
        body.constant(WORD).op(Instruction::I32Mul).op(Instruction::I32Add).set(*end);
    }

    /// Leaves the block for an array without the column.
    fn has_column(&mut self, other: u32) {
        let Self { body, end, .. } = self;
        let kind = u32::from(abi::KIND_ARRAY) | u32::from(abi::FLAG_COLUMN) << 8;
        body.get(COLLECTION).load_short(abi::KIND).constant(kind).op(Instruction::I32Ne).br_if(other);
        body.get(*end).load(0).get(COLUMN).op(Instruction::I32Ne).br_if(other);
    }

    /// The hash of a string or of a small integer; leaves the block for any other item.
    fn hash_of_item(&mut self, other: u32) {
        let Self { body, hash, wide, .. } = self;
        body.get(ITEM).constant(1).op(Instruction::I32And).if_();
        // `abi::hash_int`
        let seed = Hash64::SEED_INT.rotate_left(Hash64::ROTATION).cast_signed();
        body.get(ITEM).op(Instruction::I64ExtendI32S).op(Instruction::I64Const(1)).op(Instruction::I64ShrS);
        body.op(Instruction::I64Const(seed)).op(Instruction::I64Xor);
        body.op(Instruction::I64Const(Hash64::MULTIPLIER.cast_signed())).op(Instruction::I64Mul);
        body.tee(*wide).get(*wide).op(Instruction::I64Const(32)).op(Instruction::I64ShrU);
        body.op(Instruction::I64Xor).op(Instruction::I32WrapI64).set(*hash).else_();
        body.get(ITEM).constant(abi::ALIGN - 1).op(Instruction::I32And).br_if(other);
        body.get(ITEM).load_byte(abi::KIND).constant(u32::from(abi::KIND_STRING)).op(Instruction::I32Ne);
        body.br_if(other).get(ITEM).load(abi::TEXT_HASH).set(*hash).end();
    }

    /// Searches an array that has the column, and gives what is found.
    fn through_column(&mut self, generator: &mut Generator<'_>) {
        let seek = generator.helper(Helper::Seek);
        let distance = self.body.new_local(HANDLE);
        self.body.block();
        let without = self.body.depth();
        self.has_column(without);
        let Self { body, cursor, end, hash, .. } = self;
        // The number of the column stands between the items and their words.
        body.get(*end).get(*cursor).op(Instruction::I32Sub).constant(WORD).op(Instruction::I32Add);
        body.set(distance).loop_();
        let next = body.depth();
        body.get(*cursor).get(*end).get(distance).get(*hash).call(seek).set(*cursor);
        self.no_more();
        self.is_item();
        // Hashes may be equal by chance, and a number may be a decimal here and an integer there.
        self.equals_item();
        self.go_on(next);
        self.body.end();
    }

    /// Searches an array for a string, and gives what is found; leaves the block for any other item.
    fn one_by_one(&mut self, other: u32) {
        self.body.get(ITEM).constant(1).op(Instruction::I32And).br_if(other).loop_();
        let next = self.body.depth();
        self.no_more();
        self.is_item();
        let Self { body, hash, element, .. } = self;
        body.get(*element).constant(abi::ALIGN - 1).op(Instruction::I32And).op(Instruction::I32Eqz).if_();
        body.get(*element).load(abi::TEXT_HASH).get(*hash).op(Instruction::I32Eq).if_();
        self.equals_item();
        self.body.end().end();
        self.go_on(next);
    }

    /// Gives 0 behind the last item.
    fn no_more(&mut self) {
        let Self { body, cursor, end, .. } = self;
        body.get(*cursor).get(*end).op(Instruction::I32GeU).if_().constant(0).op(Instruction::Return).end();
    }

    /// Takes the element at the cursor, and gives 1 if it is the very item.
    fn is_item(&mut self) {
        let Self { body, cursor, element, .. } = self;
        body.get(*cursor).load(0).tee(*element).get(ITEM).op(Instruction::I32Eq);
        body.if_().constant(1).op(Instruction::Return).end();
    }

    /// Gives 1 if the element is equal to the item.
    fn equals_item(&mut self) {
        let Self { body, element, same, .. } = self;
        body.get(*element).get(ITEM).call(*same).if_().constant(1).op(Instruction::Return).end();
    }

    /// Goes on with the next item, and ends the loop.
    fn go_on(&mut self, next: u32) {
        let Self { body, cursor, .. } = self;
        body.get(*cursor).constant(WORD).op(Instruction::I32Add).set(*cursor).br(next).end();
        body.op(Instruction::Unreachable);
    }

    /// The function, which ends with what `last` pushes.
    fn finish(mut self, name: &str, last: impl FnOnce(&mut Body)) -> Generated {
        last(&mut self.body);
        self.body.into_function(name)
    }
}
