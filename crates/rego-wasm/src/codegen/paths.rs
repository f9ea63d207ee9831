//! What a function reads of input and data by constant keys is looked up once, however often the plan asks: both
//! documents stay the same for as long as a function runs, except where `with` replaces them.

use std::collections::HashMap;

use rego_ir::{Local, Operand};
use rego_value::abi;
use wasm_encoder::Instruction;

use super::Result;
use super::facts::PathId;
use super::function::FuncGen;
use super::helpers::Helper;

/// With more variables than these a function looks paths up each time: engines accept no more than twice as many.
const MOST_LOCALS: usize = 25_000;

/// The paths that a function reads.
#[derive(Default)]
pub(super) struct Paths {
    /// By the document or path they go on from, and the key.
    ids: HashMap<(Base, u32), PathId>,
    /// The variables that hold what was found; undefined until then.
    found: Vec<u32>,
    /// How many `with` statements that replace a document are open.
    pub(super) replaced: usize,
}

/// What a path goes on from.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Base {
    Document(Local),
    Path(PathId),
}

impl FuncGen<'_, '_> {
    /// A lookup of a constant key in a local.
    pub(super) fn dot_member(&mut self, source: Local, key: u32, target: Local) -> Result<()> {
        let Some(path) = self.path_of(source, key) else {
            self.push_member(source, key)?;
            self.pop_defined(target);
            return Ok(());
        };
        let found = self.paths.found.get(path).copied().unwrap_or_default();
        self.body.get(found).constant(abi::UNDEFINED).op(Instruction::I32Eq).if_();
        self.push_member(source, key)?;
        self.body.set(found).end().get(found);
        self.pop_defined(target);
        self.facts.assign_path(target, path);
        Ok(())
    }

    /// Pushes the member of a constant key. In a loop the entry that had it last is looked at in place.
    fn push_member(&mut self, source: Local, key: u32) -> Result<()> {
        let cell = self.shared.constants.cell()?;
        let member = self.shared.helper(Helper::Member);
        let source = Operand::Local(source);
        if self.loops == 0 {
            self.push(source)?;
            self.body.constant(key).constant(cell).call(member);
            return Ok(());
        }
        let entry = self.used_temporary();
        self.push_is_kind(source, abi::KIND_OBJECT)?;
        self.body.if_value();
        self.body.constant(0).load(cell).tee(entry);
        self.push(source)?;
        self.body.load(abi::LEN).constant(abi::OBJECT_ENTRY).op(Instruction::I32Mul).op(Instruction::I32LtU);
        self.body.if_value();
        self.push(source)?;
        self.body.load(abi::ITEMS).get(entry).op(Instruction::I32Add).tee(entry);
        self.body.load(abi::ENTRY_KEY).constant(key).op(Instruction::I32Eq);
        self.body.else_().constant(0).end();
        self.body.else_().constant(0).end();
        self.body.if_value().get(entry).load(abi::ENTRY_VALUE).else_();
        self.push(source)?;
        self.body.constant(key).constant(cell).call(member).end();
        self.release(entry);
        Ok(())
    }

    /// The path of a key in a local, where that is one.
    fn path_of(&mut self, source: Local, key: u32) -> Option<PathId> {
        if self.paths.replaced > 0 {
            return None;
        }
        let base = match self.facts.path(source) {
            Some(path) => Base::Path(path),
            None if self.is_document(source) => Base::Document(source),
            None => return None,
        };
        if let Some(path) = self.paths.ids.get(&(base, key)) {
            return Some(*path);
        }
        if self.body.locals() >= MOST_LOCALS {
            return None;
        }
        let path = self.paths.found.len();
        let found = self.temporary();
        self.paths.found.push(found);
        self.paths.ids.insert((base, key), path);
        Some(path)
    }
}
