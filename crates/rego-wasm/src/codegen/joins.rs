//! Members of the data that strings of the data name, as in `data.roles[role]` with `role` of `data.user_roles[user]`.
//!
//! Object, string and member lie where they lie until somebody changes a document, so the last ones found are kept in a
//! table for all evaluations: a lookup is two comparisons then. Whoever changes documents empties the table; the host
//! finds it by an exported global ([`crate::JOINS_GLOBAL`]). Only objects, arrays and sets are kept: a number may be a
//! cell, which is set without that.

use rego_ir::{Local, Operand, Policy, StmtKind};
use rego_value::abi;
use wasm_encoder::Instruction;

use super::body::Body;
use super::function::FuncGen;
use super::helpers::Helper;
use super::{Generator, HANDLE, Result};
use crate::Target;
use crate::link::Generated;

/// The table's size in bytes: a power of two.
pub(crate) const SIZE: u32 = 128 * ENTRY;

/// An entry: key, object, member, and a word that is not used.
const ENTRY: u32 = 16;
const KEY: u32 = 0;
const OBJECT: u32 = 4;
const MEMBER: u32 = 8;

/// Whether lookups can be kept: the engine empties the table, and nowhere does other data take the place of its own.
pub(super) fn allowed(policy: &Policy, target: Target) -> bool {
    let functions = policy.funcs.iter().flat_map(|func| &func.blocks);
    let mut pending: Vec<_> = functions.chain(policy.plans.iter().flat_map(|plan| &plan.blocks)).collect();
    while let Some(block) = pending.pop() {
        for stmt in &block.stmts {
            if matches!(stmt.kind, StmtKind::With { local: Local::DATA, .. }) {
                return false;
            }
            pending.extend(stmt.kind.blocks());
        }
    }
    target == Target::Engine
}

impl FuncGen<'_, '_> {
    /// Pushes the member of a collection of the data by a key of the data; false where they are not both known to be that.
    pub(super) fn push_join(&mut self, collection: Local, key: Operand) -> Result<bool> {
        let (Some(table), Operand::Local(key)) = (self.shared.joins, key) else { return Ok(false) };
        if !(self.is_from_data(collection) && self.is_from_data(key)) {
            return Ok(false);
        }
        self.shared.uses_joins = true;
        let helper = self.shared.helper(Helper::Join);
        let entry = self.used_temporary();
        let (object, key) = (self.local(collection), self.local(key));
        push_offset(&mut self.body, object, key);
        self.body.tee(entry).load(table + KEY).get(key).op(Instruction::I32Eq);
        self.body.get(entry).load(table + OBJECT).get(object).op(Instruction::I32Eq).op(Instruction::I32And);
        self.body.if_value().get(entry).load(table + MEMBER);
        self.body.else_().get(object).get(key).call(helper).end();
        self.release(entry);
        Ok(true)
    }
}

/// Pushes where in the table a pair belongs.
fn push_offset(body: &mut Body, object: u32, key: u32) {
    // Neighbouring strings are some eight bytes apart at least.
    body.get(object).get(key).op(Instruction::I32Add).constant(1).op(Instruction::I32Shl);
    body.constant(SIZE - ENTRY).op(Instruction::I32And);
}

/// `join(object, key) -> value`: the member by any lookup, kept if it may be.
pub(super) fn helper(generator: &mut Generator<'_>) -> Generated {
    let table = generator.joins.unwrap_or(0);
    let get = generator.runtime("rt_get");
    let mut body = Body::new(2);
    let (object, key) = (0, 1);
    let (member, entry) = (body.new_local(HANDLE), body.new_local(HANDLE));
    body.get(object).get(key).call(get).set(member);
    body.block();
    let end = body.depth();
    // Small integers are no addresses; undefined, the address 0, has no kind.
    for value in [object, key, member] {
        body.get(value).constant(abi::ALIGN - 1).op(Instruction::I32And).br_if(end);
    }
    for (value, kind) in [(object, abi::KIND_OBJECT), (key, abi::KIND_STRING)] {
        body.get(value).load_byte(abi::KIND).constant(u32::from(kind)).op(Instruction::I32Ne).br_if(end);
    }
    body.get(member).load_byte(abi::KIND).constant(u32::from(abi::KIND_ARRAY)).op(Instruction::I32Sub);
    body.constant(u32::from(abi::KIND_SET - abi::KIND_ARRAY)).op(Instruction::I32GtU).br_if(end);
    push_offset(&mut body, object, key);
    body.set(entry);
    for (value, offset) in [(key, KEY), (object, OBJECT), (member, MEMBER)] {
        body.get(entry).get(value).store(table + offset);
    }
    body.end().get(member);
    body.into_function("join")
}
