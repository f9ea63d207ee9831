//! Equality, order and arithmetic, with small integers and immediates handled in place.

use rego_ir::Operand;
use rego_value::abi;
use wasm_encoder::Instruction;

use super::Result;
use super::format::words;
use super::function::FuncGen;
use super::helpers::Helper;

/// Whether a handle holds its whole value: a small integer, null or a boolean.
const fn is_whole(handle: u32) -> bool {
    handle & (abi::ALIGN - 1) != 0
}

/// Whether only one handle means the value: null and booleans. A number may also be written as a decimal.
const fn is_unique(handle: u32) -> bool {
    is_whole(handle) && handle & 1 == 0
}

/// Texts of at most two words are compared in place.
const MOST_IN_PLACE: usize = 16;

/// A comparison of two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    const fn instruction(self) -> Instruction<'static> {
        match self {
            Self::Less => Instruction::I32LtS,
            Self::LessOrEqual => Instruction::I32LeS,
            Self::Greater => Instruction::I32GtS,
            Self::GreaterOrEqual => Instruction::I32GeS,
        }
    }
}

/// Arithmetic that small integers are spared a call for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Plus,
    Minus,
    Times,
}

impl FuncGen<'_, '_> {
    /// Leaves the block unless two values are equal.
    pub(super) fn require_equal(&mut self, a: Operand, b: Operand) -> Result<()> {
        self.push_equal(a, b)?;
        self.body.op(Instruction::I32Eqz);
        self.undefined_if();
        Ok(())
    }

    /// Leaves the block when two values are equal.
    pub(super) fn require_unequal(&mut self, a: Operand, b: Operand) -> Result<()> {
        self.push_equal(a, b)?;
        self.undefined_if();
        Ok(())
    }

    /// Pushes 1 when two values are equal, else 0.
    pub(super) fn push_equal(&mut self, a: Operand, b: Operand) -> Result<()> {
        let constants = (self.constant(a)?, self.constant(b)?);
        match constants {
            (Some(x), Some(y)) if x == y || (is_whole(x) && is_whole(y)) => {
                self.body.constant(u32::from(x == y));
            }
            (Some(handle), _) if is_unique(handle) => {
                self.push(b)?;
                self.body.constant(handle).op(Instruction::I32Eq);
            }
            (_, Some(handle)) if is_unique(handle) => {
                self.push(a)?;
                self.body.constant(handle).op(Instruction::I32Eq);
            }
            (Some(handle), None) if self.is_plain(handle) => self.push_equal_unless(handle, b)?,
            (None, Some(handle)) if self.is_plain(handle) => self.push_equal_unless(handle, a)?,
            _ => self.push_equal_any(a, b)?,
        }
        Ok(())
    }

    /// Whether what is equal to a constant, but another handle, lies on the heap. It is so for all but the numbers on
    /// the heap: a small integer may equal a decimal.
    fn is_plain(&self, handle: u32) -> bool {
        !self.shared.constants.is_boxed_number(handle)
    }

    /// Equality with such a constant: `other` is the operand that is not one.
    fn push_equal_unless(&mut self, constant: u32, other: Operand) -> Result<()> {
        self.push(other)?;
        self.body.constant(constant).op(Instruction::I32Eq).if_value().constant(1).else_();
        let short = match self.shared.constants.text(constant).map(str::to_owned) {
            Some(text) => {
                // What is no string differs in any case, whatever it has in the place of a hash. A whole value is no
                // address: in its place something that can be read is, and what is asked then tells them apart.
                let hash = abi::hash_string(text.as_bytes());
                let address = self.used_temporary();
                self.push(other)?;
                self.body.constant(0);
                self.push_may_be_address(other)?;
                self.body.op(Instruction::Select).tee(address);
                self.body.load(abi::TEXT_HASH).constant(hash).op(Instruction::I32Eq);
                self.release(address);
                (text.len() <= MOST_IN_PLACE).then_some((address, text))
            }
            None => {
                self.push_may_be_address(other)?;
                None
            }
        };
        self.body.if_value();
        match short {
            Some((address, text)) => self.push_is_text(address, &text),
            None => {
                let same = self.shared.helper(Helper::Same);
                self.body.constant(constant);
                self.push(other)?;
                self.body.call(same);
            }
        }
        self.body.else_().constant(0).end().end();
        Ok(())
    }

    /// Pushes 1 when this short text lies at an address, else 0.
    fn push_is_text(&mut self, address: u32, text: &str) {
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        let body = &mut self.body;
        body.get(address).load_byte(abi::KIND).constant(u32::from(abi::KIND_STRING)).op(Instruction::I32Eq);
        body.get(address).load(abi::LEN).constant(length).op(Instruction::I32Eq).op(Instruction::I32And);
        body.if_value().constant(1);
        for (offset, word) in words(text) {
            body.get(address).load_long(abi::TEXT_BYTES + offset).op(Instruction::I64Const(word));
            body.op(Instruction::I64Eq).op(Instruction::I32And);
        }
        body.else_().constant(0).end();
    }

    /// Pushes 1 when a value lies on the heap or is undefined, else 0. The address 0 can be read from as well.
    pub(super) fn push_may_be_address(&mut self, source: Operand) -> Result<()> {
        self.push(source)?;
        self.body.constant(abi::ALIGN - 1).op(Instruction::I32And).op(Instruction::I32Eqz);
        Ok(())
    }

    /// Strings that differ mostly differ in their hashes, and need no call then.
    fn push_equal_any(&mut self, a: Operand, b: Operand) -> Result<()> {
        self.push(a)?;
        self.push(b)?;
        self.body
            .op(Instruction::I32Or)
            .constant(abi::ALIGN - 1)
            .op(Instruction::I32And)
            .op(Instruction::I32Eqz);
        self.body.if_value();
        self.push(a)?;
        self.body.load(abi::TEXT_HASH);
        self.push(b)?;
        self.body.load(abi::TEXT_HASH).op(Instruction::I32Ne);
        self.push(a)?;
        self.body.load_byte(abi::KIND).constant(u32::from(abi::KIND_STRING)).op(Instruction::I32Eq);
        self.body.op(Instruction::I32And).else_().constant(0).end();
        self.body.if_value().constant(0).else_();
        self.push(a)?;
        self.push(b)?;
        self.body.op(Instruction::I32Eq).if_value().constant(1).else_();
        self.push_helper(Helper::Same, a, b)?;
        self.body.end().end();
        Ok(())
    }

    /// Turns the truth on the stack into the handle of a boolean.
    pub(super) fn boolean(&mut self) {
        let truth = self.truth();
        self.body.set(truth).constant(abi::TRUE).constant(abi::FALSE).get(truth).op(Instruction::Select);
    }

    /// Pushes the handle of the boolean that a comparison gives.
    pub(super) fn push_order(&mut self, order: Order, a: Operand, b: Operand) -> Result<()> {
        self.push_both_small(a, b)?;
        self.body.if_value();
        self.push(a)?;
        self.push(b)?;
        self.body.op(order.instruction()).else_();
        self.push_helper(Helper::Compare, a, b)?;
        self.body.constant(0).op(order.instruction()).end();
        self.boolean();
        Ok(())
    }

    /// Pushes 1 when both values are small integers, else 0. Their handles then compare as they do.
    fn push_both_small(&mut self, a: Operand, b: Operand) -> Result<()> {
        self.push(a)?;
        self.push(b)?;
        self.body.op(Instruction::I32And).constant(1).op(Instruction::I32And);
        Ok(())
    }

    /// Pushes the result of an arithmetic operation, or undefined.
    pub(super) fn push_arithmetic(&mut self, operation: Arithmetic, a: Operand, b: Operand) -> Result<()> {
        let wide = self.wide();
        self.push_both_small(a, b)?;
        self.body.if_value();
        // A handle is twice its integer plus one; 64 bits hold every result.
        self.push_wide(a)?;
        match operation {
            Arithmetic::Plus => {
                self.push_wide(b)?;
                self.body.op(Instruction::I64Add).op(Instruction::I64Const(1)).op(Instruction::I64Sub);
            }
            Arithmetic::Minus => {
                self.push_wide(b)?;
                self.body.op(Instruction::I64Sub).op(Instruction::I64Const(1)).op(Instruction::I64Add);
            }
            Arithmetic::Times => {
                self.body.op(Instruction::I64Const(1)).op(Instruction::I64ShrS);
                self.push_wide(b)?;
                self.body.op(Instruction::I64Const(1)).op(Instruction::I64Sub).op(Instruction::I64Mul);
                self.body.op(Instruction::I64Const(1)).op(Instruction::I64Add);
            }
        }
        self.body.op(Instruction::LocalTee(wide)).op(Instruction::LocalGet(wide));
        self.body
            .op(Instruction::I32WrapI64)
            .op(Instruction::I64ExtendI32S)
            .op(Instruction::I64Eq)
            .if_value();
        self.body.op(Instruction::LocalGet(wide)).op(Instruction::I32WrapI64).else_();
        self.push_large(operation, a, b)?;
        self.body.end().else_();
        self.push_large(operation, a, b)?;
        self.body.end();
        Ok(())
    }

    /// Pushes the same where an operand or the result is no small integer.
    fn push_large(&mut self, operation: Arithmetic, a: Operand, b: Operand) -> Result<()> {
        match operation {
            Arithmetic::Plus => self.push_helper(Helper::Plus, a, b),
            Arithmetic::Minus => self.push_helper(Helper::Minus, a, b),
            Arithmetic::Times => {
                self.push(a)?;
                self.push(b)?;
                self.call_runtime("bi_mul");
                Ok(())
            }
        }
    }

    fn push_wide(&mut self, operand: Operand) -> Result<()> {
        self.push(operand)?;
        self.body.op(Instruction::I64ExtendI32S);
        Ok(())
    }

    fn push_helper(&mut self, helper: Helper, a: Operand, b: Operand) -> Result<()> {
        self.push(a)?;
        self.push(b)?;
        let helper = self.shared.helper(helper);
        self.body.call(helper);
        Ok(())
    }
}
