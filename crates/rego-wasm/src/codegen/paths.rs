//! What a function reads of input and data by constant keys, or by what it has read so, is looked up once, however often
//! the plan asks: both documents stay the same for as long as a function runs, except where `with` replaces them.

use std::collections::HashMap;

use rego_ir::reads::Reads;
use rego_ir::{Local, Operand};
use rego_value::abi;
use wasm_encoder::Instruction;

use super::Result;
use super::facts::PathId;
use super::function::FuncGen;
use super::helpers::{ENTRY, HEADER, Helper};

/// With more variables than these a function looks paths up each time: engines accept no more than twice as many.
const MOST_LOCALS: usize = 25_000;

/// With more lookups than these a function leaves the others to the helper: looking in place is some 60 bytes.
const MOST_LOOKS: usize = 500;

/// The same for lookups outside of loops, which are done once.
const FEW_LOOKS: usize = 32;

/// The paths that a function reads.
#[derive(Default)]
pub(super) struct Paths<'p> {
    /// By the document or path they go on from, and the key.
    ids: HashMap<(Base, Key), PathId>,
    known: Vec<Path<'p>>,
    /// How many `with` statements that replace a document are open.
    pub(super) replaced: usize,
}

/// A path that a function reads.
#[derive(Clone, Copy)]
struct Path<'p> {
    /// The variable that holds what was found; undefined until then.
    found: u32,
    /// What is read of the input there, if the path is one of the input.
    reads: Option<&'p Reads>,
    /// The position of its last key among those that are read beside it, if only such keys are.
    slot: Option<u32>,
}

/// What a path goes on from.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Base {
    Document(Local),
    Path(PathId),
}

/// What a path goes on with.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Constant(u32),
    /// What another path found, as in `data.tiers[input.user.tier]`.
    Found(PathId),
}

impl<'p> FuncGen<'_, 'p> {
    /// A lookup in a path by what another path found, done once like one of a constant key; false for any other. `look` is
    /// what pushes the member, or undefined.
    pub(super) fn dot_found(
        &mut self,
        (source, key): (Local, Operand),
        target: Local,
        look: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<bool> {
        let Operand::Local(key) = key else { return Ok(false) };
        let (Some(base), Some(key)) = (self.base(source), self.facts.path(key)) else { return Ok(false) };
        if self.paths.replaced > 0 {
            return Ok(false);
        }
        let Some((id, path)) = self.path_below(base, Key::Found(key)) else { return Ok(false) };
        self.once((id, path.found), (source, target), look)?;
        Ok(true)
    }

    /// Assigns what a path leads to from its last source. It is looked up by what `look` pushes, unless that has been done.
    fn once(
        &mut self,
        (id, found): (PathId, u32),
        (source, target): (Local, Local),
        look: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        if !self.facts.is_found(id) {
            self.body.get(found).op(Instruction::I32Eqz).if_();
            look(self)?;
            self.body.tee(found).op(Instruction::I32Eqz);
            self.undefined_if();
            self.body.end();
            self.facts.mark_found(id);
        }
        let is_from_data = self.is_from_data(source);
        self.body.get(found);
        self.pop(target);
        self.facts.assign_path(target, id);
        if is_from_data {
            self.facts.mark_data(target);
        }
        Ok(())
    }

    /// A lookup of a constant key in a local.
    pub(super) fn dot_member(&mut self, source: Local, key: u32, target: Local) -> Result<()> {
        let Some((id, path)) = self.path_of(source, key) else {
            self.push_member(source, key, None)?;
            let is_from_data = self.is_from_data(source);
            self.pop_defined(target);
            if is_from_data {
                self.facts.mark_data(target);
            }
            return Ok(());
        };
        self.once((id, path.found), (source, target), |this| this.push_member(source, key, path.slot))
    }

    /// Whether a local holds the data document or a part of it.
    pub(super) fn is_from_data(&self, local: Local) -> bool {
        self.is_data(local) || self.facts.is_from_data(local)
    }

    /// Pushes the member of a constant key. The entry that had it last is looked at in place; what is no object, or has the
    /// member elsewhere, is left to a helper.
    fn push_member(&mut self, source: Local, key: u32, slot: Option<u32>) -> Result<()> {
        let cell = self.shared.constants.cell()?;
        let member = self.shared.helper(Helper::Member);
        self.looks += 1;
        if let (Some(slot), true) = (slot, self.looks <= MOST_LOOKS) {
            let source = self.local(source);
            self.push_slot(source, slot, (key, cell, member));
            return Ok(());
        }
        let source = Operand::Local(source);
        if self.looks > if self.loops == 0 { FEW_LOOKS } else { MOST_LOOKS } {
            self.push(source)?;
            self.body.constant(key).constant(cell).call(member);
            return Ok(());
        }
        let entry = self.used_temporary();
        self.body.block_value();
        let done = self.body.depth();
        self.body.block();
        let elsewhere = self.body.depth();
        self.push(source)?;
        self.body.constant(abi::ALIGN - 1).op(Instruction::I32And).br_if(elsewhere);
        // The first words of both say that it is an object, and has as many members as the one before.
        self.push(source)?;
        self.body.load_long(abi::KIND).constant(0).load_long(cell + HEADER).op(Instruction::I64Ne);
        self.body.br_if(elsewhere);
        self.push(source)?;
        self.body.load(abi::ITEMS).constant(0).load(cell + ENTRY).op(Instruction::I32Add).tee(entry);
        self.body.load(abi::ENTRY_KEY).constant(key).op(Instruction::I32Ne).br_if(elsewhere);
        self.body.get(entry).load(abi::ENTRY_VALUE).br(done).end();
        self.push(source)?;
        self.body.constant(key).constant(cell).call(member).end();
        self.release(entry);
        Ok(())
    }

    /// Pushes the member of an object of the input in a variable, which stands at its own place if the engine has laid the
    /// object out.
    fn push_slot(&mut self, source: u32, slot: u32, (key, cell, member): (u32, u32, u32)) {
        const SLOTS: u32 = (abi::KIND_OBJECT as u32) | ((abi::FLAG_SORTED | abi::FLAG_SLOTS) as u32) << 8;
        let place = slot.saturating_mul(abi::OBJECT_ENTRY).saturating_add(abi::TABLE_SIZE + abi::ENTRY_VALUE);
        self.body.block_value();
        let done = self.body.depth();
        self.body.block();
        let elsewhere = self.body.depth();
        self.body.get(source).constant(abi::ALIGN - 1).op(Instruction::I32And).br_if(elsewhere);
        // What is undefined can be read from as well: at the address 0 no object begins.
        self.body.get(source).load_short(abi::KIND).constant(SLOTS).op(Instruction::I32Ne).br_if(elsewhere);
        self.body.get(source).load(place).br(done).end();
        self.body.get(source).constant(key).constant(cell).call(member).end();
    }

    /// The path of a key in a local, where that is one.
    fn path_of(&mut self, source: Local, key: u32) -> Option<(PathId, Path<'p>)> {
        if self.paths.replaced > 0 {
            return None;
        }
        self.path_below(self.base(source)?, Key::Constant(key))
    }

    /// What a path goes on from in a local.
    fn base(&self, source: Local) -> Option<Base> {
        match self.facts.path(source) {
            Some(path) => Some(Base::Path(path)),
            None if self.is_document(source) => Some(Base::Document(source)),
            None => None,
        }
    }

    /// A variable that holds what stands by constant keys below a local, where that is a document or a path: what is not
    /// known yet is looked up. Undefined is what any part of it leads to.
    pub(super) fn found_below(&mut self, source: Local, keys: &[u32]) -> Result<u32> {
        let member = self.shared.helper(Helper::Member);
        let mut from = self.local(source);
        let mut path = None;
        for (position, key) in keys.iter().enumerate() {
            let next = match path {
                None if position == 0 => self.path_of(source, *key),
                None => None,
                Some(id) => self.path_below(Base::Path(id), Key::Constant(*key)),
            };
            let cell = self.shared.constants.cell()?;
            let (found, slot) = match next {
                Some((_, path)) => (path.found, path.slot),
                None => (self.temporary(), None),
            };
            path = next.map(|(id, _)| id);
            self.body.get(found).op(Instruction::I32Eqz).if_();
            match slot {
                Some(slot) => self.push_slot(from, slot, (*key, cell, member)),
                None => {
                    self.body.get(from).constant(*key).constant(cell).call(member);
                }
            }
            self.body.set(found).end();
            from = found;
        }
        Ok(from)
    }

    /// The path of a key below a document or path.
    fn path_below(&mut self, base: Base, key: Key) -> Option<(PathId, Path<'p>)> {
        let reads = match base {
            Base::Path(path) => self.paths.known.get(path)?.reads,
            Base::Document(local) if self.is_data(local) => None,
            Base::Document(_) => Some(self.shared.reads),
        };
        if let Some(id) = self.paths.ids.get(&(base, key)) {
            return Some((*id, *self.paths.known.get(*id)?));
        }
        if self.body.locals() >= MOST_LOCALS {
            return None;
        }
        let (mut below, mut slot) = (None, None);
        if let Key::Constant(key) = key {
            let text = self.shared.constants.text(key)?;
            let only_members = reads.filter(|reads| !reads.whole && reads.each.is_none());
            let position = only_members.and_then(|reads| reads.members.keys().position(|key| key == text));
            slot = position.and_then(|position| u32::try_from(position).ok());
            below = reads.and_then(|reads| reads.members.get(text));
        }
        let path = Path { reads: below, slot, found: self.temporary() };
        let id = self.paths.known.len();
        self.paths.known.push(path);
        self.paths.ids.insert((base, key), id);
        Some((id, path))
    }
}
