//! Statements that make, move, look up, change and test values.

use rego_ir::{Local, Location, Operand, Stmt, StmtKind};
use rego_value::{Number, abi};
use wasm_encoder::Instruction;

use super::Result;
use super::function::{Conflict, FuncGen, Kind};
use super::helpers::Helper;

/// Offset of the mark (`u16`) of the function that is building a collection. The layout has zeros there, which nothing
/// reads.
const OWNER: u32 = 2;

/// The capacity that the runtime gives an array at its first item.
const FIRST_ROOM: u32 = 4;

impl FuncGen<'_, '_> {
    /// Generates a statement that holds no block and calls nothing of the policy's.
    pub(super) fn value_stmt(&mut self, stmt: &Stmt) -> Result<()> {
        match &stmt.kind {
            StmtKind::AssignVar { source, target } => self.assign(*source, *target)?,
            StmtKind::AssignVarOnce { source, target } => self.assign_once(stmt, *source, *target)?,
            StmtKind::ResetLocal { target } => {
                if !self.facts.is_undefined(*target) {
                    let variable = self.local(*target);
                    self.body.constant(abi::UNDEFINED).set(variable);
                }
                self.facts.reset(*target);
            }
            StmtKind::AssignInt { value, target } | StmtKind::MakeNumberInt { value, target } => {
                let handle = self.shared.constants.number(&Number::from(*value))?;
                self.assign_constant(*target, handle);
            }
            StmtKind::MakeNumberRef { index, target } => {
                let text = self.shared.string_text(*index);
                // INVARIANT: the verifier has checked the text; a magnitude beyond OPA's limit is laid out as written.
                let number = Number::parse(text).unwrap_or_else(|_| Number::from(0));
                let handle = self.shared.constants.number(&number)?;
                self.assign_constant(*target, handle);
            }
            StmtKind::MakeNull { target } => self.assign_constant(*target, abi::NULL),
            StmtKind::MakeArray { .. } | StmtKind::MakeObject { .. } | StmtKind::MakeSet { .. } => {
                self.make(stmt)?
            }
            StmtKind::Dot { source, key, target } => {
                self.dot(*source, *key, *target)?;
                if self.finds_part(stmt) {
                    self.require_own(*target, stmt.location)?;
                }
            }
            StmtKind::Len { source, target } => {
                self.push(*source)?;
                self.call_runtime("rt_len");
                self.pop(*target);
            }
            StmtKind::Equal { a, b } => self.require_equal(*a, *b)?,
            StmtKind::NotEqual { a, b } => self.require_unequal(*a, *b)?,
            StmtKind::IsArray { source } => self.require_kind(*source, abi::KIND_ARRAY)?,
            StmtKind::IsObject { source } => self.require_kind(*source, abi::KIND_OBJECT)?,
            StmtKind::IsSet { source } => self.require_kind(*source, abi::KIND_SET)?,
            StmtKind::IsDefined { source } => self.require_defined(*source),
            StmtKind::IsUndefined { source } => {
                if !self.facts.is_undefined(*source) {
                    let variable = self.local(*source);
                    self.body.get(variable);
                    self.undefined_if();
                }
            }
            _ => self.change(stmt)?,
        }
        Ok(())
    }

    fn assign(&mut self, source: Operand, target: Local) -> Result<()> {
        if let Some(handle) = self.constant(source)? {
            self.assign_constant(target, handle);
        } else {
            let (path, is_from_data) = match source {
                Operand::Local(local) => (self.facts.path(local), self.facts.is_from_data(local)),
                _ => (None, false),
            };
            self.push(source)?;
            self.pop(target);
            if let Some(path) = path {
                self.facts.assign_path(target, path);
            }
            if is_from_data {
                self.facts.mark_data(target);
            }
        }
        Ok(())
    }

    fn assign_once(&mut self, stmt: &Stmt, source: Operand, target: Local) -> Result<()> {
        if self.facts.is_undefined(target) {
            return self.assign(source, target);
        }
        let variable = self.local(target);
        self.body.get(variable).if_();
        self.push_equal(Operand::Local(target), source)?;
        self.body.op(Instruction::I32Eqz).if_();
        let conflict = Conflict::Value(self.conflict_message());
        self.conflict(stmt.location, &conflict)?;
        self.body.end().else_();
        self.push(source)?;
        self.body.set(variable).end();
        self.facts.assign(target);
        Ok(())
    }

    /// OPA's message for a rule or function that has two values.
    fn conflict_message(&self) -> String {
        let Kind::Func { func, .. } = self.kind else { return "conflicting values".to_owned() };
        // The name is `g0.data.a.b`: the generation of the plan, and the reference.
        let reference = func.name.split_once('.').map_or(func.name.as_str(), |(_, reference)| reference);
        if func.params.len() > 2 {
            format!("function {reference} produced conflicting values for the same inputs")
        } else {
            format!("rule {reference} produced conflicting values")
        }
    }

    fn make(&mut self, stmt: &Stmt) -> Result<()> {
        let constant = self.folded_value(stmt)?;
        let (constructor, capacity, target) = match &stmt.kind {
            // Comprehensions tell no capacity. The runtime gives the first item room for three more.
            StmtKind::MakeArray { capacity: 0, target } if self.expected_size(stmt) > 0 => {
                ("rt_array_new", FIRST_ROOM, *target)
            }
            StmtKind::MakeArray { capacity, target } => ("rt_array_new", capacity.unsigned_abs(), *target),
            StmtKind::MakeObject { target } => ("rt_object_new", self.expected_size(stmt), *target),
            StmtKind::MakeSet { target } => ("rt_set_new", self.expected_size(stmt), *target),
            _ => return Ok(()),
        };
        if let Some(handle) = constant {
            self.assign_constant(target, handle);
        } else {
            self.number(target, capacity);
            self.body.constant(capacity);
            self.call_runtime(constructor);
            self.pop(target);
            if self.makes_part(stmt) {
                self.mark_own(target);
            }
        }
        Ok(())
    }

    /// Marks a part of the result as made by this function.
    fn mark_own(&mut self, collection: Local) {
        if let Some(owner) = self.owner() {
            let collection = self.local(collection);
            self.body.get(collection).constant(owner).store_short(OWNER);
        }
    }

    /// A rule such as `p[x].y := z` adds to the collections that it finds in its result. One that it has not made itself
    /// is the value of another definition, such as `p.a := data.b`: changing it would change that, and OPA calls it a
    /// conflict.
    fn require_own(&mut self, found: Local, location: Location) -> Result<()> {
        let Some(owner) = self.owner() else { return Ok(()) };
        let operand = Operand::Local(found);
        self.push_is_pointer(operand)?;
        self.body.if_value();
        self.push(operand)?;
        self.body.load_short(OWNER).constant(owner).op(Instruction::I32Ne).else_().constant(1).end().if_();
        self.conflict(location, &Conflict::Key)?;
        self.body.end();
        Ok(())
    }

    fn dot(&mut self, source: Operand, key: Operand, target: Local) -> Result<()> {
        let Operand::Local(collection) = source else {
            // A string or a boolean has no members.
            self.undefined();
            self.facts.assign(target);
            return Ok(());
        };
        match self.constant(key)? {
            Some(name) if self.shared.constants.is_string(name) => {
                return self.dot_member(collection, name, target);
            }
            Some(number) if number & 1 == 1 && self.is_data(collection) => {
                self.push_numbered_document(source, key, &abi::small_int_value(number).to_string())?;
            }
            Some(index) if index & 1 == 1 && index.cast_signed() > 0 => self.push_item(source, index)?,
            _ => {
                let look = |this: &mut Self| this.push_dynamic(collection, key);
                if self.dot_found((collection, key), target, look)? {
                    return Ok(());
                }
                self.push_dynamic(collection, key)?;
            }
        }
        let is_from_data = self.is_from_data(collection);
        self.pop_defined(target);
        if is_from_data {
            self.facts.mark_data(target);
        }
        Ok(())
    }

    /// Pushes the member of a key that is no constant.
    fn push_dynamic(&mut self, collection: Local, key: Operand) -> Result<()> {
        if !self.push_join(collection, key)? {
            let get = self.shared.helper(Helper::Get);
            self.push(Operand::Local(collection))?;
            self.push(key)?;
            self.body.call(get);
        }
        Ok(())
    }

    /// Pushes the document of a number. OPA's store has the documents by path, whose parts are strings.
    fn push_numbered_document(&mut self, source: Operand, key: Operand, text: &str) -> Result<()> {
        let name = self.shared.constants.string(text)?;
        self.push(source)?;
        self.push(key)?;
        self.call_runtime("rt_get");
        let found = self.truth();
        self.body.tee(found).if_value().get(found).else_();
        self.push(source)?;
        self.body.constant(name);
        self.call_runtime("rt_get");
        self.body.end();
        Ok(())
    }

    /// Pushes the item of a constant index, read from memory directly when the source is an array.
    fn push_item(&mut self, source: Operand, index: u32) -> Result<()> {
        let position = index >> 1;
        self.push_is_kind(source, abi::KIND_ARRAY)?;
        self.body.if_value().constant(position);
        self.push(source)?;
        self.body.load(abi::LEN).op(Instruction::I32LtU).if_value();
        self.push(source)?;
        // INVARIANT: a small integer has 31 bits, so that four times it fits an offset.
        self.body.load(abi::ITEMS).load(position.saturating_mul(4)).else_().constant(abi::UNDEFINED).end();
        self.body.else_();
        self.push(source)?;
        self.body.constant(index);
        self.call_runtime("rt_get");
        self.body.end();
        Ok(())
    }

    /// Pushes 1 when a value is a heap object of a kind, else 0. What is undefined has none: nothing lies at the address 0.
    pub(super) fn push_is_kind(&mut self, source: Operand, kind: u8) -> Result<()> {
        self.push_may_be_address(source)?;
        self.body.if_value();
        self.push(source)?;
        self.body.load_byte(abi::KIND).constant(u32::from(kind)).op(Instruction::I32Eq);
        self.body.else_().constant(0).end();
        Ok(())
    }

    /// Pushes 1 when a value lies on the heap, else 0; undefined does not.
    pub(super) fn push_is_pointer(&mut self, source: Operand) -> Result<()> {
        self.push(source)?;
        self.body.constant(abi::ALIGN - 1).op(Instruction::I32And).op(Instruction::I32Eqz);
        self.push(source)?;
        self.body.constant(0).op(Instruction::I32Ne).op(Instruction::I32And);
        Ok(())
    }

    fn require_kind(&mut self, source: Operand, kind: u8) -> Result<()> {
        self.push_is_kind(source, kind)?;
        self.body.op(Instruction::I32Eqz);
        self.undefined_if();
        Ok(())
    }

    fn require_defined(&mut self, source: Local) {
        if self.facts.constant(source).is_some() {
            return;
        }
        if self.facts.is_undefined(source) {
            return self.undefined();
        }
        let variable = self.local(source);
        self.body.get(variable).op(Instruction::I32Eqz);
        self.undefined_if();
    }

    fn change(&mut self, stmt: &Stmt) -> Result<()> {
        match &stmt.kind {
            StmtKind::ArrayAppend { value, array } => self.append(*array, *value)?,
            StmtKind::SetAdd { value, set } => {
                self.push(Operand::Local(*set))?;
                self.push(*value)?;
                self.call_runtime("rt_set_add");
            }
            StmtKind::ObjectInsert { key, value, object } => {
                self.push_entry(*object, *key, *value)?;
                self.call_runtime("rt_object_insert");
            }
            StmtKind::ObjectInsertOnce { key, value, object } => {
                if self.append_numbered(*object, *key, *value)? {
                    return Ok(());
                }
                self.push_entry(*object, *key, *value)?;
                self.call_runtime("rt_object_insert_once");
                self.body.if_();
                self.conflict(stmt.location, &Conflict::Key)?;
                self.body.end();
            }
            StmtKind::ObjectMerge { a, b, target } => {
                self.push(Operand::Local(*a))?;
                self.push(Operand::Local(*b))?;
                self.call_runtime("rt_object_merge");
                self.pop(*target);
            }
            // The others are generated by those who call this one.
            _ => {}
        }
        Ok(())
    }

    /// Appends to an array in place, as long as there is room.
    fn append(&mut self, array: Local, item: Operand) -> Result<()> {
        let (variable, len) = (self.local(array), self.used_temporary());
        self.body.get(variable).load(abi::LEN).tee(len).get(variable).load(abi::CAPACITY);
        self.body.op(Instruction::I32LtU).if_();
        self.body.get(variable).load(abi::ITEMS).get(len).constant(4).op(Instruction::I32Mul);
        self.body.op(Instruction::I32Add);
        self.push(item)?;
        self.body.store(0).get(variable).get(len).constant(1).op(Instruction::I32Add).store(abi::LEN);
        self.body.else_().get(variable);
        self.push(item)?;
        self.call_runtime("rt_array_push");
        self.body.end();
        self.release(len);
        Ok(())
    }

    /// Pushes how many elements a value has; undefined for what has none.
    pub(super) fn push_count(&mut self, source: Operand) -> Result<()> {
        self.push_may_be_address(source)?;
        self.body.if_value();
        self.push(source)?;
        self.body.load_byte(abi::KIND).constant(u32::from(abi::KIND_ARRAY)).op(Instruction::I32Sub);
        // The kinds of collections stand in a row; what is undefined has the kind 0.
        self.body.constant(u32::from(abi::KIND_SET - abi::KIND_ARRAY)).op(Instruction::I32LeU);
        self.body.else_().constant(0).end().if_value();
        self.push(source)?;
        self.body.load(abi::LEN).constant(1).op(Instruction::I32Shl).constant(1).op(Instruction::I32Or);
        self.body.else_();
        self.push(source)?;
        self.call_runtime("bi_count");
        self.body.end();
        Ok(())
    }

    fn push_entry(&mut self, object: Local, key: Operand, value: Operand) -> Result<()> {
        self.push(Operand::Local(object))?;
        self.push(key)?;
        self.push(value)
    }
}
