//! Arrays and small objects whose parts follow at once are made whole, with no call for each part.

use rego_ir::{Local, Operand, Stmt, StmtKind};
use rego_value::{Value, abi};
use wasm_encoder::Instruction;

use super::Result;
use super::function::FuncGen;
use crate::Target;

/// The bytes of a word, and of those that are copied at once.
const WORD: usize = 4;
const WIDE: usize = 16;

/// Longer arrays are filled one by one.
const MOST_ITEMS: usize = 32;

/// The values that the statements right behind the one that makes an array append to it, as many as it is made with.
pub(super) fn items(target: Local, rest: &[Stmt]) -> Vec<Operand> {
    let append = |stmt: &Stmt| match stmt.kind {
        StmtKind::ArrayAppend { value, array } if array == target && value != Operand::Local(target) => {
            Some(value)
        }
        _ => None,
    };
    rest.iter().map_while(append).take(MOST_ITEMS).collect()
}

impl FuncGen<'_, '_> {
    /// Generates a `Make…` together with the statements right behind it that fill what it makes; how many those are.
    pub(super) fn whole(&mut self, stmt: &Stmt, rest: &[Stmt]) -> Result<usize> {
        if self.is_folded(stmt) || self.makes_part(stmt) || self.is_absorbed(stmt) {
            return Ok(0);
        }
        match stmt.kind {
            StmtKind::MakeArray { target, .. } => self.whole_array(target, rest),
            StmtKind::MakeObject { target } => self.whole_object(target, rest),
            _ => Ok(0),
        }
    }

    fn whole_array(&mut self, target: Local, rest: &[Stmt]) -> Result<usize> {
        let items = items(target, rest);
        if !items.is_empty() {
            self.array_of(target, &items)?;
        }
        Ok(items.len())
    }

    /// Generates an array of these items.
    pub(super) fn array_of(&mut self, target: Local, items: &[Operand]) -> Result<()> {
        let count = u32::try_from(items.len()).unwrap_or(u32::MAX);
        self.body.constant(count);
        self.call_runtime("rt_array_new");
        self.pop(target);
        let array = self.local(target);
        self.body.get(array).constant(count).store(abi::LEN);
        for (position, item) in (0..).zip(items) {
            // The runtime lays the items of a new array out behind its header.
            self.body.get(array);
            self.push(*item)?;
            self.body.store(abi::ARRAY_SIZE + position * 4);
        }
        Ok(())
    }

    fn whole_object(&mut self, target: Local, rest: &[Stmt]) -> Result<usize> {
        let mut members: Vec<(&str, Operand)> = Vec::new();
        for stmt in rest {
            let StmtKind::ObjectInsert { key: Operand::String(key), value, object } = stmt.kind else {
                break;
            };
            let key = self.shared.string_text(key);
            let is_new = members.iter().all(|(known, _)| *known != key);
            if object != target || value == Operand::Local(target) || !is_new {
                break;
            }
            members.push((key, value));
        }
        let most = usize::try_from(abi::LINEAR_MAX).unwrap_or_default();
        if members.is_empty() || members.len() > most {
            return Ok(0);
        }
        let absorbed = members.len();
        // Rego's order, in which the constant has them.
        members.sort_unstable_by_key(|(key, _)| *key);
        if self.shared.target == Target::Engine {
            let keys: Vec<&str> = members.iter().map(|(key, _)| *key).collect();
            self.copy_image(&keys, target)?;
        } else {
            let template = Value::object(members.iter().map(|(key, _)| (Value::from(*key), Value::Null)));
            let template = self.shared.constants.value(&template)?;
            self.body.constant(template);
            self.call_runtime("rt_object_from");
            self.pop(target);
        }
        let object = self.local(target);
        for (position, (_, value)) in (0..).zip(&members) {
            self.body.get(object);
            self.push(*value)?;
            self.body.store(abi::TABLE_SIZE + position * abi::OBJECT_ENTRY + abi::ENTRY_VALUE);
        }
        Ok(absorbed)
    }

    /// Assigns an object of these keys, in order, whose values are still to be written: a constant image of it is copied in
    /// wide words.
    fn copy_image(&mut self, keys: &[&str], target: Local) -> Result<()> {
        let count = u32::try_from(keys.len()).unwrap_or(u32::MAX);
        let kind = u32::from(abi::KIND_OBJECT) | u32::from(abi::FLAG_SORTED) << 8;
        let mut image = vec![kind, count, count, 0, 0, 0];
        for key in keys {
            image.extend([abi::hash_string(key.as_bytes()), self.shared.constants.string(key)?, 0]);
        }
        image.resize(image.len().next_multiple_of(WIDE / WORD), 0);
        let size = u32::try_from(image.len() * WORD).unwrap_or(u32::MAX);
        let image = self.shared.constants.record(&image)?;
        self.body.constant(size);
        self.call_runtime("opa_malloc");
        self.pop(target);
        let object = self.local(target);
        for offset in (0..size).step_by(WIDE) {
            self.body.get(object).constant(image).load_vector_at(offset).store_vector_at(offset);
        }
        self.body.get(object).get(object).constant(abi::TABLE_SIZE).op(Instruction::I32Add).store(abi::ITEMS);
        Ok(())
    }
}
