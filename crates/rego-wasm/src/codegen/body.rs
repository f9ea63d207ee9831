//! One WebAssembly function in the making.

use wasm_encoder::{BlockType, Instruction, MemArg, MemArgTarget, ValType};

use super::HANDLE;
use crate::link::Generated;

/// A function body that knows how many control instructions are open.
pub(crate) struct Body {
    params: u32,
    locals: Vec<ValType>,
    code: Vec<Instruction<'static>>,
    depth: u32,
}

/// The memory argument of an access at a fixed offset.
fn at(offset: u32, align: u32) -> MemArg {
    MemArg { offset: u64::from(offset), align, target: MemArgTarget::Memory(0), ordering: None }
}

impl Body {
    pub(crate) const fn new(params: u32) -> Self {
        Self { params, locals: Vec::new(), code: Vec::new(), depth: 0 }
    }

    /// A new variable, which is zero at first.
    pub(crate) fn new_local(&mut self, ty: ValType) -> u32 {
        // INVARIANT: `Generated` is refused long before 2^32 variables.
        let index = self.params.saturating_add(u32::try_from(self.locals.len()).unwrap_or(u32::MAX));
        self.locals.push(ty);
        index
    }

    /// How many variables there are beside the parameters.
    pub(crate) const fn locals(&self) -> usize {
        self.locals.len()
    }

    /// How many control instructions are open.
    pub(crate) const fn depth(&self) -> u32 {
        self.depth
    }

    /// Appends an instruction; control instructions have methods of their own.
    pub(crate) fn op(&mut self, instruction: Instruction<'static>) -> &mut Self {
        self.code.push(instruction);
        self
    }

    pub(crate) fn constant(&mut self, value: u32) -> &mut Self {
        self.op(Instruction::I32Const(value.cast_signed()))
    }

    pub(crate) fn get(&mut self, local: u32) -> &mut Self {
        self.op(Instruction::LocalGet(local))
    }

    pub(crate) fn set(&mut self, local: u32) -> &mut Self {
        self.op(Instruction::LocalSet(local))
    }

    pub(crate) fn tee(&mut self, local: u32) -> &mut Self {
        self.op(Instruction::LocalTee(local))
    }

    pub(crate) fn call(&mut self, symbol: u32) -> &mut Self {
        self.op(Instruction::Call(symbol))
    }

    pub(crate) fn load(&mut self, offset: u32) -> &mut Self {
        self.op(Instruction::I32Load(at(offset, 2)))
    }

    pub(crate) fn load_byte(&mut self, offset: u32) -> &mut Self {
        self.op(Instruction::I32Load8U(at(offset, 0)))
    }

    pub(crate) fn load_short(&mut self, offset: u32) -> &mut Self {
        self.op(Instruction::I32Load16U(at(offset, 1)))
    }

    pub(crate) fn store_short(&mut self, offset: u32) -> &mut Self {
        self.op(Instruction::I32Store16(at(offset, 1)))
    }

    pub(crate) fn load_long(&mut self, offset: u32) -> &mut Self {
        self.op(Instruction::I64Load(at(offset, 3)))
    }

    pub(crate) fn load_vector(&mut self) -> &mut Self {
        self.load_vector_at(0)
    }

    pub(crate) fn load_vector_at(&mut self, offset: u32) -> &mut Self {
        self.op(Instruction::V128Load(at(offset, 2)))
    }

    pub(crate) fn store_vector_at(&mut self, offset: u32) -> &mut Self {
        self.op(Instruction::V128Store(at(offset, 2)))
    }

    pub(crate) fn store(&mut self, offset: u32) -> &mut Self {
        self.op(Instruction::I32Store(at(offset, 2)))
    }

    pub(crate) fn store_long(&mut self, offset: u32) -> &mut Self {
        self.op(Instruction::I64Store(at(offset, 3)))
    }

    pub(crate) fn store_long_at(&mut self, offset: u32) -> &mut Self {
        self.op(Instruction::I64Store(at(offset, 0)))
    }

    pub(crate) fn block(&mut self) -> &mut Self {
        self.depth += 1;
        self.op(Instruction::Block(BlockType::Empty))
    }

    /// A block that leaves an `i32`.
    pub(crate) fn block_value(&mut self) -> &mut Self {
        self.depth += 1;
        self.op(Instruction::Block(BlockType::Result(ValType::I32)))
    }

    pub(crate) fn loop_(&mut self) -> &mut Self {
        self.depth += 1;
        self.op(Instruction::Loop(BlockType::Empty))
    }

    pub(crate) fn if_(&mut self) -> &mut Self {
        self.depth += 1;
        self.op(Instruction::If(BlockType::Empty))
    }

    /// An `if` whose branches leave an `i32`.
    pub(crate) fn if_value(&mut self) -> &mut Self {
        self.depth += 1;
        self.op(Instruction::If(BlockType::Result(ValType::I32)))
    }

    pub(crate) fn else_(&mut self) -> &mut Self {
        self.op(Instruction::Else)
    }

    pub(crate) fn end(&mut self) -> &mut Self {
        self.depth = self.depth.saturating_sub(1);
        self.op(Instruction::End)
    }

    /// Branches to the control instruction that was the `target`-th to be opened.
    pub(crate) fn br(&mut self, target: u32) -> &mut Self {
        let relative = self.depth.saturating_sub(target);
        self.op(Instruction::Br(relative))
    }

    /// As [`Body::br`], when the value on the stack is not zero.
    pub(crate) fn br_if(&mut self, target: u32) -> &mut Self {
        let relative = self.depth.saturating_sub(target);
        self.op(Instruction::BrIf(relative))
    }

    /// The function, which takes handles and gives one, and which no host calls.
    pub(crate) fn into_function(self, name: impl Into<String>) -> Generated {
        let params = (0..self.params).map(|_| HANDLE).collect();
        let Self { locals, code, .. } = self;
        Generated { name: name.into(), params, results: vec![HANDLE], locals, code, export: None }
    }

    pub(crate) fn finish(self) -> (Vec<ValType>, Vec<Instruction<'static>>) {
        (self.locals, self.code)
    }
}
