//! Blocks that are negated, repeated or run with a replacement, and the ways out of them.

use rego_ir::{Block, Local, Operand, StringIndex};
use rego_value::{Value, abi};
use wasm_encoder::Instruction;

use super::Result;
use super::function::{FuncGen, Kind, Label, Replaced};

impl<'p> FuncGen<'_, 'p> {
    /// Leaves `index + 1` blocks.
    pub(super) fn leave(&mut self, index: usize) {
        // INVARIANT: the verifier has checked that there are so many.
        let target = self.labels.len().saturating_sub(index.saturating_add(1));
        // The block that is left last puts back what it replaced itself, behind its end.
        let replaced: Vec<Replaced> =
            self.labels.iter().skip(target + 1).rev().filter_map(|l| l.with).collect();
        for with in replaced {
            self.put_back(with);
        }
        let depth = self.labels.get(target).map_or(0, |l| l.depth);
        self.body.br(depth);
    }

    /// A negated block: its end leaves the enclosing block, and being undefined leads on.
    pub(super) fn not(&mut self, block: &'p Block) -> Result<()> {
        let before = self.facts.mark();
        self.body.block();
        self.labels.push(Label { depth: self.body.depth(), with: None });
        self.stmts(block)?;
        self.labels.pop();
        self.undefined();
        self.body.end();
        self.facts.go_back(before);
        self.facts.forget_writes(block);
        Ok(())
    }

    /// Runs a block for each element of a collection. An array's key is counted; members and elements stand in order
    /// once `rt_iter_len` has been called, so that they are read from memory directly.
    pub(super) fn scan(&mut self, source: Local, key: Local, value: Local, block: &'p Block) -> Result<()> {
        let wants_key = self.is_read(key);
        let scan = self.scan_begin(source)?;
        let seek = self.seek_begin((source, value), block, &scan)?;
        // What one round writes, the next may find, and so may what follows.
        self.facts.forget_writes(block);
        self.facts.assign(key);
        self.facts.assign(value);
        if self.is_from_data(source) {
            self.facts.mark_data(value);
        }
        let before = self.facts.mark();
        self.body.block();
        let exit = self.body.depth();
        self.body.loop_();
        self.labels.push(Label { depth: self.body.depth(), with: None });
        if let Some(seek) = &seek {
            self.seek_step(seek, &scan);
        }
        self.body.get(scan.cursor).get(scan.end).op(Instruction::I32GeU).br_if(exit);
        self.scan_step(&scan, key, value, wants_key);
        self.loops += 1;
        self.stmts(block)?;
        self.loops -= 1;
        let next = self.body.depth();
        self.body.br(next);
        self.labels.pop();
        self.body.end().end();
        self.facts.go_back(before);
        [scan.kind, scan.first, scan.cursor, scan.end, scan.stride].into_iter().for_each(|v| self.release(v));
        if let Some(seek) = seek {
            self.seek_end(&seek);
        }
        Ok(())
    }

    fn scan_begin(&mut self, source: Local) -> Result<Scan> {
        let (collection, source) = (Operand::Local(source), self.local(source));
        let scan = Scan {
            kind: self.used_temporary(),
            first: self.used_temporary(),
            cursor: self.used_temporary(),
            end: self.used_temporary(),
            stride: self.used_temporary(),
        };
        // An array is in order as it is; nothing else of that kind needs a call.
        self.push_is_kind(collection, abi::KIND_ARRAY)?;
        self.body.if_value().get(source).load(abi::LEN).else_().get(source);
        self.call_runtime("rt_iter_len");
        self.body.end().tee(scan.end);
        // Scalars have no elements, so beyond this point the source is a collection.
        self.body.if_();
        self.body.get(source).load_byte(abi::KIND).set(scan.kind);
        self.body.constant(4).constant(abi::OBJECT_ENTRY).constant(abi::SET_ENTRY);
        self.is_kind(scan.kind, abi::KIND_OBJECT);
        self.body.op(Instruction::Select);
        self.is_kind(scan.kind, abi::KIND_ARRAY);
        self.body.op(Instruction::Select).set(scan.stride);
        // The value is the last word of an item and of an entry alike.
        self.body.get(source).load(abi::ITEMS).tee(scan.first).get(scan.stride).op(Instruction::I32Add);
        self.body.constant(4).op(Instruction::I32Sub).tee(scan.cursor);
        self.body
            .get(scan.end)
            .get(scan.stride)
            .op(Instruction::I32Mul)
            .op(Instruction::I32Add)
            .set(scan.end);
        self.body.else_().constant(0).set(scan.cursor).end();
        Ok(scan)
    }

    fn is_kind(&mut self, kind: u32, wanted: u8) {
        self.body.get(kind).constant(u32::from(wanted)).op(Instruction::I32Eq);
    }

    /// Reads the element under the cursor and moves the cursor on.
    fn scan_step(&mut self, scan: &Scan, key: Local, value: Local, wants_key: bool) {
        let (key, value) = (self.local(key), self.local(value));
        self.body.get(scan.cursor).load(0).set(value);
        if wants_key {
            self.is_kind(scan.kind, abi::KIND_ARRAY);
            // An item has four bytes, and the handle of a number is twice the number and one more.
            self.body.if_value().get(scan.cursor).get(scan.first).op(Instruction::I32Sub);
            self.body.constant(1).op(Instruction::I32ShrU).constant(1).op(Instruction::I32Or).else_();
            // The key is the word before the value; an element is both.
            self.is_kind(scan.kind, abi::KIND_OBJECT);
            self.body.if_value().get(scan.cursor).constant(4).op(Instruction::I32Sub).load(0);
            self.body.else_().get(value).end().end().set(key);
        }
        self.body.get(scan.cursor).get(scan.stride).op(Instruction::I32Add).set(scan.cursor);
    }

    /// Runs a block with a local, or a path in it, replaced.
    pub(super) fn with(
        &mut self,
        local: Local,
        path: &[StringIndex],
        value: Operand,
        block: &'p Block,
    ) -> Result<()> {
        let before = self.facts.mark();
        let variable = self.local(local);
        let with = Replaced { local: variable, saved: self.temporary(), epoch: self.long_temporary() };
        let failed = self.temporary();
        let (epoch, last) = (self.shared.cells.epoch(), self.shared.cells.last_epoch());
        self.body.get(variable).set(with.saved);
        self.body.constant(0).load_long(epoch).set(with.epoch);
        self.replace(variable, path, value)?;
        self.facts.assign(local);
        let is_document = self.is_document(local);
        if is_document {
            self.facts.forget_paths();
            self.paths.replaced += 1;
        }
        // Results that were kept so far may depend on what is replaced, so a new epoch begins.
        self.body
            .constant(0)
            .constant(0)
            .load_long(last)
            .op(Instruction::I64Const(1))
            .op(Instruction::I64Add);
        self.body.store_long(last);
        self.body.constant(0).constant(0).load_long(last).store_long(epoch);
        self.body.constant(1).set(failed);
        self.body.block();
        self.labels.push(Label { depth: self.body.depth(), with: Some(with) });
        self.stmts(block)?;
        self.body.constant(0).set(failed);
        self.labels.pop();
        self.body.end();
        self.paths.replaced -= usize::from(is_document);
        self.put_back(with);
        self.body.get(failed);
        self.undefined_if();
        self.facts.go_back(before);
        self.facts.forget_writes(block);
        Ok(())
    }

    fn replace(&mut self, variable: u32, path: &[StringIndex], value: Operand) -> Result<()> {
        if path.is_empty() {
            self.push(value)?;
        } else {
            let keys = Value::array(path.iter().map(|key| Value::from(self.shared.string_text(*key))));
            let keys = self.shared.constants.value(&keys)?;
            self.body.get(variable).constant(keys);
            self.push(value)?;
            self.call_runtime("rt_upsert");
        }
        self.body.set(variable);
        Ok(())
    }

    fn put_back(&mut self, with: Replaced) {
        let epoch = self.shared.cells.epoch();
        self.body.get(with.saved).set(with.local);
        self.body.constant(0).get(with.epoch).store_long(epoch);
    }

    pub(super) fn result_set_add(&mut self, value: Local) -> Result<()> {
        // INVARIANT: the verifier allows this statement in plans only.
        if let Kind::Plan { results } = self.kind {
            self.body.get(results);
            self.push(Operand::Local(value))?;
            // Answers are not compared with each other: an entrypoint has one, and those who ask for the bindings of a
            // query take them as a set.
            self.call_runtime("rt_array_push");
        }
        Ok(())
    }
}

/// The variables of an iteration.
pub(super) struct Scan {
    /// The kind of the collection.
    kind: u32,
    /// The address of its first item or entry.
    pub(super) first: u32,
    /// The address of the next value.
    pub(super) cursor: u32,
    /// Where the cursor is behind the last value; 0 without elements.
    pub(super) end: u32,
    /// The distance from one value to the next.
    stride: u32,
}
