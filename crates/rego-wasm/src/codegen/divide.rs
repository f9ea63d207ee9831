//! Integers divided by constants, such as moments by the seconds of a day: in place, without asking the runtime what kind
//! of number each operand is.

use rego_ir::{Local, Location, Operand};
use rego_value::abi;
use wasm_encoder::Instruction;

use super::Result;
use super::function::FuncGen;
use super::integers;

/// Dividends from here on are left to the runtime, as it does it: OPA divides floats, which hold every integer below.
const EXACT: i64 = 1 << 52;

/// What is wanted of a division.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// The quotient, rounded down.
    Quotient,
    Remainder,
}

impl FuncGen<'_, '_> {
    /// Generates `floor(a / b)` from the two calls that it is planned as, when nothing else needs the quotient: the
    /// integer is found without it, where both are integers.
    pub(super) fn floor_of_quotient(
        &mut self,
        (a, b): (Operand, Operand),
        (quotient, at): (Local, Location),
        (result, location): (Local, Location),
    ) -> Result<()> {
        let found = self.truth();
        let variable = self.local(result);
        match self.divisor(b)? {
            Some(divisor) => self.push_part(Part::Quotient, a, divisor, |this| {
                this.body.constant(abi::UNDEFINED);
                Ok(())
            })?,
            None => {
                self.push(a)?;
                self.push(b)?;
                self.call_runtime("rt_floor_div");
            }
        }
        self.body.tee(found).if_().get(found).set(variable).else_();
        self.push(a)?;
        self.push(b)?;
        self.call_runtime("bi_div");
        self.builtin_result(quotient, at)?;
        let quotient = self.local(quotient);
        self.body.get(quotient);
        self.call_runtime("bi_floor");
        self.builtin_result(result, location)?;
        self.body.end();
        self.facts.assign(result);
        Ok(())
    }

    /// Pushes the remainder of a division by a constant, or undefined; false for any other divisor.
    pub(super) fn push_remainder(&mut self, a: Operand, b: Operand) -> Result<bool> {
        let Some(divisor) = self.divisor(b)? else { return Ok(false) };
        self.push_part(Part::Remainder, a, divisor, |this| {
            this.push(a)?;
            this.push(b)?;
            this.call_runtime("bi_rem");
            Ok(())
        })?;
        Ok(true)
    }

    /// A constant that is a small integer above zero.
    fn divisor(&mut self, operand: Operand) -> Result<Option<i64>> {
        let handle = self.constant(operand)?.filter(|handle| handle & 1 == 1);
        Ok(handle.map(abi::small_int_value).filter(|divisor| *divisor > 0))
    }

    /// Pushes a part of the division of an integer from zero on by a constant; `otherwise` pushes what anything else gives,
    /// also a quotient that is no small integer.
    fn push_part(
        &mut self,
        part: Part,
        dividend: Operand,
        divisor: i64,
        otherwise: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        let wide = self.wide();
        let value = match (self.constant(dividend)?, dividend) {
            (None, Operand::Local(local)) => self.local(local),
            _ => {
                let value = self.temporary();
                self.push(dividend)?;
                self.body.set(value);
                value
            }
        };
        self.body.block_value();
        let done = self.body.depth();
        self.body.block();
        let other = self.body.depth();
        integers::read(&mut self.body, value, wide, other);
        // A negative one is large without its sign.
        self.body.get(wide).op(Instruction::I64Const(EXACT)).op(Instruction::I64GeU).br_if(other);
        self.body.get(wide).op(Instruction::I64Const(divisor));
        self.body.op(match part {
            Part::Quotient => Instruction::I64DivU,
            Part::Remainder => Instruction::I64RemU,
        });
        // A remainder is below its divisor, which is a small integer.
        if part == Part::Quotient {
            self.body.tee(wide).op(Instruction::I64Const(*abi::SMALL_INT.end())).op(Instruction::I64GtU);
            self.body.br_if(other).get(wide);
        }
        // A handle is twice its integer plus one.
        self.body.op(Instruction::I32WrapI64).constant(1).op(Instruction::I32Shl).constant(1);
        self.body.op(Instruction::I32Or).br(done).end();
        otherwise(self)?;
        self.body.end();
        Ok(())
    }
}
