//! Numbers. Integers of 64 bits are computed at once; what goes beyond them, and every operand that is none, is left to
//! [`crate::wide`].

use crate::error::{Failure, Outcome};
use crate::value::Value;
use crate::{table, wide};
use rego_value::abi::small_int_value;
use rego_value::number::Operation;

/// Both integers, where both are handles themselves: nearly always, and worth the shortest way.
#[inline(always)]
fn small_pair(a: Value, b: Value) -> Option<(i64, i64)> {
    if a.0 & b.0 & 1 == 1 { Some((small_int_value(a.0), small_int_value(b.0))) } else { None }
}

#[inline(never)]
fn combine(a: Value, b: Value, operation: Operation) -> Outcome {
    if let (Some(x), Some(y)) = (a.as_int(), b.as_int()) {
        let small = match operation {
            Operation::Plus => x.checked_add(y),
            Operation::Minus => x.checked_sub(y),
            _ => product(x, y),
        };
        if let Some(int) = small {
            return Ok(Value::int(int));
        }
    }
    wide::compute(operation, a, b)
}

/// The product, where the operands' lengths say that it fits; `checked_mul` is a product of 128 bits.
fn product(x: i64, y: i64) -> Option<i64> {
    let bits = |int: i64| 64 - int.unsigned_abs().leading_zeros();
    if bits(x) + bits(y) < 64 { Some(x.wrapping_mul(y)) } else { None }
}

pub(super) fn plus(a: Value, b: Value) -> Outcome {
    // 31 bits each: neither sum, difference nor product overflows 64.
    match small_pair(a, b) {
        Some((x, y)) => Ok(Value::int(x + y)),
        None => combine(a, b, Operation::Plus),
    }
}

pub(super) fn minus(a: Value, b: Value) -> Outcome {
    if let Some((x, y)) = small_pair(a, b) {
        return Ok(Value::int(x - y));
    }
    if a.is_set() && b.is_set() {
        return Ok(difference(a, b));
    }
    match (a.is_number(), b.is_number()) {
        (true, true) => combine(a, b, Operation::Minus),
        (true, false) => Err(Failure::operand(2, "number", b)),
        _ if !a.is_set() => Err(Failure::operand(1, "one of {number, set}", a)),
        (_, true) => Err(Failure::operand(2, "set", b)),
        _ => Err(Failure::operand(2, "number", b)),
    }
}

fn difference(a: Value, b: Value) -> Value {
    let result = table::new_set(0);
    for (hash, element) in table::elements(a) {
        if table::find(b, hash, element) == 0 {
            table::add_hashed(result, hash, element);
        }
    }
    result
}

pub(super) fn mul(a: Value, b: Value) -> Outcome {
    match small_pair(a, b) {
        Some((x, y)) => Ok(Value::int(x * y)),
        None => combine(a, b, Operation::Times),
    }
}

/// Exact where the divisor divides, a float otherwise.
pub(super) fn div(a: Value, b: Value) -> Outcome {
    // A zero dividend is left to the floats, whose zero has a sign.
    if let (Some(x), Some(y)) = (a.as_int(), b.as_int())
        && x != 0
        && x.checked_rem(y) == Some(0)
    {
        return Ok(Value::int(x / y));
    }
    wide::compute(Operation::Quotient, a, b)
}

/// Below this a quotient of integers that is none is further from the next integer than a float's last bit, so that the
/// integer below it is the one below the float: 2^52.
const EXACT: i64 = 1 << 52;

/// `floor(a / b)` of integers that are not negative, without the quotient between; undefined where it takes more.
pub(crate) fn floor_div(a: Value, b: Value) -> Value {
    match (a.as_int(), b.as_int()) {
        (Some(x @ 0..EXACT), Some(y @ 1..EXACT)) => Value::int(x / y),
        _ => Value::UNDEFINED,
    }
}

/// The remainder, with the dividend's sign.
pub(super) fn rem(a: Value, b: Value) -> Outcome {
    if let (Some(x), Some(y)) = (a.as_int(), b.as_int())
        && let Some(result) = x.checked_rem(y)
    {
        return Ok(Value::int(result));
    }
    wide::compute(Operation::Remainder, a, b)
}

/// As in OPA, what does not fit 64 bits is rounded to a float.
pub(super) fn abs(a: Value) -> Outcome {
    match a.as_int().and_then(i64::checked_abs) {
        Some(int) => Ok(Value::int(int)),
        None => wide::compute(Operation::Abs, a, Value::UNDEFINED),
    }
}

/// To the nearest integer.
pub(super) fn round(a: Value) -> Outcome {
    integer(a, Operation::Round)
}

/// To the integer above.
pub(super) fn ceil(a: Value) -> Outcome {
    integer(a, Operation::Ceil)
}

/// To the integer below.
pub(super) fn floor(a: Value) -> Outcome {
    integer(a, Operation::Floor)
}

/// The number itself, if it is an integer of 64 bits.
fn integer(a: Value, operation: Operation) -> Outcome {
    if a.as_int().is_some() { Ok(a) } else { wide::compute(operation, a, Value::UNDEFINED) }
}
