//! Numbers beyond 64 bits. What is computed with them is a large part of a module, and few ever do: so it is behind four
//! functions that a module for our engine imports from it ([`crate::exports`]), and any other module holds.

use crate::error::Failure;
use crate::exports::{rt_wide, rt_wide_compare};
use crate::value::{Num, Value};
use core::cmp::Ordering;
use rego_value::number::{self, Incomputable, Operation};

/// What two numbers come to, or one: then the second is [`Value::UNDEFINED`].
pub(crate) fn compute(operation: Operation, a: Value, b: Value) -> Result<Value, Failure> {
    match (rt_wide(operation as u32, a, b), operation) {
        (result, _) if result.is_defined() && result != Value::NULL => Ok(result),
        (Value::NULL, Operation::Quotient) => Err(Failure::builtin(&["divide by zero"])),
        (Value::NULL, _) => Err(Failure::builtin(&["modulo by zero"])),
        (_, Operation::Remainder) => Err(Failure::builtin(&["modulo on floating-point number"])),
        _ => Err(Failure::Undefined),
    }
}

/// [`Operation::Integer`].
#[cold]
pub(crate) fn integer(a: Value) -> Option<i64> {
    rt_wide(Operation::Integer as u32, a, Value::UNDEFINED).as_int()
}

/// Compares numbers by value.
pub(crate) fn compare(a: Value, b: Value) -> Ordering {
    match (a.as_int(), b.as_int()) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => rt_wide_compare(a, b).cmp(&0),
    }
}

/// What stands behind [`rt_wide`]: [`Value::NULL`] where the divisor is zero, undefined where an operand should have been
/// an integer.
pub(crate) fn result(operation: u32, a: Value, b: Value) -> Value {
    let Some(operation) = Operation::by_number(operation) else { return Value::UNDEFINED };
    match number::compute(operation, number(a), number(b)) {
        Ok(computed) => Value::computed(&computed),
        Err(Incomputable::NotInteger) => Value::UNDEFINED,
        Err(Incomputable::DivisionByZero) => Value::NULL,
    }
}

/// What a number is made of; anything else counts as zero.
pub(crate) fn number(value: Value) -> Num {
    value.as_num().unwrap_or(Num::Int(0))
}
