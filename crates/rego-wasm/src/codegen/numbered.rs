//! Rules such as `findings[1] := …`, `findings[2] := …`: objects that grow by constant numbers in order. That each is a new
//! member, and the last one, is known at compile time, so that it is written behind the others with no look for it.

use rego_ir::{Block, Local, Operand, StmtKind};
use rego_value::abi;
use wasm_encoder::Instruction;

use super::Result;
use super::function::FuncGen;
use crate::hash::Map;

/// The objects of a function that are made once, before anything is added to them, and that nothing reads but what adds to
/// them and what returns them.
#[derive(Default)]
pub(super) struct Numbered {
    objects: Map<Local, Grown>,
}

/// How such an object grows.
#[derive(Default)]
struct Grown {
    makers: usize,
    /// Whether it has been made, with room for all.
    has_room: bool,
    /// How many statements add to it, each once at most.
    additions: u32,
    /// The handle of the last number that it may have.
    last: Option<u32>,
}

impl Numbered {
    /// Finds them in the blocks of a function.
    pub(super) fn of(blocks: &[Block]) -> Self {
        let made_first = blocks.iter().filter_map(|block| match block.stmts.first()?.kind {
            StmtKind::MakeObject { target } => Some((target, Grown::default())),
            _ => None,
        });
        let mut this = Self { objects: made_first.collect() };
        if !this.objects.is_empty() {
            blocks.iter().for_each(|block| this.look(block, false));
            this.objects.retain(|_, grown| grown.makers == 1);
        }
        this
    }

    /// Leaves out the objects that anything else is done with than to make them, to add to them outside of loops and to
    /// return them.
    fn look(&mut self, block: &Block, in_loop: bool) {
        for stmt in &block.stmts {
            match &stmt.kind {
                StmtKind::ReturnLocal { .. } => {}
                StmtKind::MakeObject { target } => {
                    self.objects.entry(*target).and_modify(|grown| grown.makers += 1);
                }
                StmtKind::ObjectInsertOnce { object, .. } if !in_loop => {
                    stmt.kind.for_each_operand(|operand| {
                        if let Operand::Local(local) = operand {
                            self.exclude(local);
                        }
                    });
                    self.objects.entry(*object).and_modify(|grown| grown.additions += 1);
                }
                kind => {
                    kind.for_each_read(|local| self.exclude(local));
                    kind.for_each_write(|local| self.exclude(local));
                }
            }
            let in_loop = in_loop || matches!(stmt.kind, StmtKind::Scan { .. });
            stmt.kind.blocks().iter().for_each(|inner| self.look(inner, in_loop));
        }
    }

    fn exclude(&mut self, local: Local) {
        self.objects.remove(&local);
    }
}

impl FuncGen<'_, '_> {
    /// An object is made with so much room: it has to be for all of its members, and not so much that it has an index.
    pub(super) fn number(&mut self, object: Local, room: u32) {
        let grown = self.numbered.objects.entry(object);
        grown.and_modify(|grown| grown.has_room = (grown.additions..=abi::LINEAR_MAX).contains(&room));
    }

    /// Generates an `ObjectInsertOnce` whose key is known to be new and the last; false for all others.
    pub(super) fn append_numbered(&mut self, object: Local, key: Operand, value: Operand) -> Result<bool> {
        let Some(Grown { has_room: true, last, .. }) = self.numbered.objects.get(&object) else {
            return Ok(false);
        };
        let last = *last;
        let number = self.constant(key)?.filter(|handle| handle & 1 == 1);
        let follows = |number: &u32| last.is_none_or(|last| last.cast_signed() < number.cast_signed());
        let Some(number) = number.filter(follows) else {
            self.numbered.objects.remove(&object);
            return Ok(false);
        };
        self.numbered.objects.entry(object).and_modify(|grown| grown.last = Some(number));
        let (object, entry) = (self.local(object), self.used_temporary());
        // The runtime lays the entries of a new object out behind its header.
        self.body.get(object).load(abi::LEN).constant(abi::OBJECT_ENTRY).op(Instruction::I32Mul);
        self.body.get(object).op(Instruction::I32Add).set(entry);
        let hash = abi::hash_int(abi::small_int_value(number));
        self.body.get(entry).constant(hash).store(abi::TABLE_SIZE + abi::ENTRY_HASH);
        self.body.get(entry).constant(number).store(abi::TABLE_SIZE + abi::ENTRY_KEY);
        self.body.get(entry);
        self.push(value)?;
        self.body.store(abi::TABLE_SIZE + abi::ENTRY_VALUE);
        self.body.get(object).get(object).load(abi::LEN).constant(1).op(Instruction::I32Add).store(abi::LEN);
        self.release(entry);
        Ok(true)
    }
}
