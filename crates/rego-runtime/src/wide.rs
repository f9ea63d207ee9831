//! Numbers beyond 64 bits. What is computed with them is a large part of a module, and few ever do: so it is behind four
//! functions that a module for our engine imports from it ([`crate::exports`]), and any other module holds.

use crate::builtins::number as operand;
use crate::error::{Failure, Outcome, settle};
use crate::exports::{rt_wide, rt_wide_compare};
use crate::value::{Num, Value};
use core::cmp::Ordering;
use rego_value::number::{self, Operation};

/// What two operands come to, or one: then the second is [`Value::UNDEFINED`]. Where one is no number or it cannot be
/// computed, that is recorded as the error of [`Operation::builtin`].
pub(crate) fn compute(operation: Operation, a: Value, b: Value) -> Outcome {
    Ok(rt_wide(operation as u32, a, b))
}

/// [`Operation::Integer`].
#[cold]
pub(crate) fn integer(a: Value) -> Option<i64> {
    rt_wide(Operation::Integer as u32, a, Value::UNDEFINED).as_int()
}

/// Compares numbers by value, of which one is no integer of 64 bits.
pub(crate) fn compare(a: Value, b: Value) -> Ordering {
    rt_wide_compare(a, b).cmp(&0)
}

/// What stands behind [`rt_wide`].
pub(crate) fn result(operation: u32, a: Value, b: Value) -> Value {
    match Operation::by_number(operation) {
        Some(operation) => settle(operation.builtin(), outcome(operation, a, b)),
        None => Value::UNDEFINED,
    }
}

fn outcome(operation: Operation, a: Value, b: Value) -> Outcome {
    let x = operand(a, 1)?;
    let y = if operation.is_binary() { operand(b, 2)? } else { Num::Int(0) };
    match number::compute(operation, x, y) {
        Ok(computed) => Ok(Value::computed(&computed)),
        Err(_) if operation == Operation::Integer => Err(Failure::Undefined),
        Err(error) => Err(Failure::builtin(&[error.message(operation)])),
    }
}

/// What a number is made of; anything else counts as zero.
pub(crate) fn number(value: Value) -> Num {
    value.as_num().unwrap_or(Num::Int(0))
}
