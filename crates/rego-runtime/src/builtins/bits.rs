//! Bits of integers of any size, in two's complement, and ranges.

use super::operands::big_int;
use crate::array;
use crate::error::{Failure, Outcome};
use crate::value::Value;
use rego_value::number::BigInt;

/// More bits than any shift may add: the result would not fit the memory.
const MAX_SHIFT: u64 = 1 << 28;

fn combine(a: Value, b: Value, small: impl FnOnce(i64, i64) -> i64, limbs: fn(u32, u32) -> u32) -> Outcome {
    if let (Some(x), Some(y)) = (a.as_int(), b.as_int()) {
        return Ok(Value::int(small(x, y)));
    }
    Ok(Value::big(&big_int(a, 1)?.bitwise(&big_int(b, 2)?, limbs)))
}

pub(super) fn and(a: Value, b: Value) -> Outcome {
    combine(a, b, |x, y| x & y, |x, y| x & y)
}

pub(super) fn or(a: Value, b: Value) -> Outcome {
    combine(a, b, |x, y| x | y, |x, y| x | y)
}

pub(super) fn xor(a: Value, b: Value) -> Outcome {
    combine(a, b, |x, y| x ^ y, |x, y| x ^ y)
}

pub(super) fn negate(a: Value) -> Outcome {
    match a.as_int() {
        Some(int) => Ok(Value::int(!int)),
        None => Ok(Value::big(&BigInt::from(-1).minus(&big_int(a, 1)?))),
    }
}

/// How far to shift.
fn distance(b: Value) -> Result<u64, Failure> {
    let shift = big_int(b, 2)?;
    if shift.is_negative() {
        return Err(Failure::operand_text(
            2,
            &["must be an unsigned integer number but got a negative integer"],
        ));
    }
    // As in Go, only the low 64 bits count.
    Ok(shift.low_bits())
}

pub(super) fn lsh(a: Value, b: Value) -> Outcome {
    let value = big_int(a, 1)?;
    let shift = distance(b)?;
    if shift > MAX_SHIFT && !value.is_zero() {
        crate::abort("bits.lsh: result too large");
    }
    Ok(Value::big(&value.shift_left(shift.min(MAX_SHIFT))))
}

pub(super) fn rsh(a: Value, b: Value) -> Outcome {
    let value = big_int(a, 1)?;
    let shift = distance(b)?;
    Ok(Value::big(&value.shift_right(shift)))
}

/// The integers from one to another, both included, up or down.
pub(super) fn numbers_range(a: Value, b: Value) -> Outcome {
    let range = array::new(0);
    if let (Some(from), Some(to)) = (a.as_int(), b.as_int()) {
        let step = if from <= to { 1 } else { -1 };
        let mut at = from;
        array::push(range, Value::int(at));
        while at != to {
            at += step;
            array::push(range, Value::int(at));
        }
        return Ok(range);
    }
    let (mut at, to) = (big_int(a, 1)?, big_int(b, 2)?);
    let step = BigInt::from(if at <= to { 1 } else { -1 });
    loop {
        array::push(range, Value::big(&at));
        if at == to {
            return Ok(range);
        }
        at = at.plus(&step);
    }
}
