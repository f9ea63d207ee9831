//! Numbers. What fits 64 bits is computed at once; then integers of any size; then floats, as OPA has them.

use super::operands::number as operand;
use crate::error::{Failure, Outcome};
use crate::table;
use crate::value::{Num, Value};
use rego_value::abi::small_int_value;
use rego_value::number::{BigInt, Float};

/// Both integers, where both are handles themselves: nearly always, and worth the shortest way.
#[inline(always)]
fn small_pair(a: Value, b: Value) -> Option<(i64, i64)> {
    if a.0 & b.0 & 1 == 1 { Some((small_int_value(a.0), small_int_value(b.0))) } else { None }
}

/// What [`combine`] does. One function for all, since nearly all that they need is the same.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Plus,
    Minus,
    Times,
}

#[inline(never)]
fn combine(a: Value, b: Value, operation: Operation) -> Outcome {
    let (x, y) = (operand(a, 1)?, operand(b, 2)?);
    if let (Num::Int(x), Num::Int(y)) = (x, y) {
        let small = match operation {
            Operation::Plus => x.checked_add(y),
            Operation::Minus => x.checked_sub(y),
            Operation::Times => x.checked_mul(y),
        };
        if let Some(int) = small {
            return Ok(Value::int(int));
        }
    }
    if x.is_integer() && y.is_integer() { exact(x, y, operation) } else { Ok(inexact(x, y, operation)) }
}

fn inexact(x: Num, y: Num, operation: Operation) -> Value {
    let (x, y) = (x.to_float(), y.to_float());
    Value::from_float(match operation {
        Operation::Plus => x.sum(y),
        Operation::Minus => x.difference(y),
        Operation::Times => x.product(y),
    })
}

#[cold]
fn exact(x: Num, y: Num, operation: Operation) -> Outcome {
    let (Some(x), Some(y)) = (x.to_big(), y.to_big()) else { return Err(Failure::Undefined) };
    Ok(Value::big(&match operation {
        Operation::Plus => x.plus(&y),
        Operation::Minus => x.minus(&y),
        Operation::Times => x.times(&y),
    }))
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
    match (a.as_num(), b.as_num()) {
        (Some(_), Some(_)) => combine(a, b, Operation::Minus),
        (Some(_), None) => Err(Failure::operand(2, &["number"], b)),
        _ if !a.is_set() => Err(Failure::operand(1, &["number", "set"], a)),
        (_, Some(_)) => Err(Failure::operand(2, &["set"], b)),
        _ => Err(Failure::operand(2, &["number"], b)),
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
    let (x, y) = (operand(a, 1)?, operand(b, 2)?);
    // A zero dividend is left to the floats, whose zero has a sign.
    if let (Num::Int(x), Num::Int(y)) = (x, y)
        && x != 0
        && x.checked_rem(y) == Some(0)
    {
        return Ok(Value::int(x / y));
    }
    let divisor = y.to_float();
    if divisor.is_zero() {
        return Err(Failure::builtin(&["divide by zero"]));
    }
    Ok(Value::from_float(x.to_float().quotient(divisor)))
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
    if let (Some(x), Some(y @ 1..)) = (a.as_int(), b.as_int()) {
        return Ok(Value::int(x % y));
    }
    let (x, y) = (operand(a, 1)?, operand(b, 2)?);
    if let (Num::Int(x), Num::Int(y)) = (x, y)
        && let Some(result) = x.checked_rem(y)
    {
        return Ok(Value::int(result));
    }
    let (Some(x), Some(y)) = (x.to_big(), y.to_big()) else {
        return Err(Failure::builtin(&["modulo on floating-point number"]));
    };
    if y.is_zero() {
        return Err(Failure::builtin(&["modulo by zero"]));
    }
    Ok(Value::big(&x.remainder(&y)))
}

/// As in OPA, what does not fit 64 bits is rounded to a float.
pub(super) fn abs(a: Value) -> Outcome {
    let number = operand(a, 1)?;
    Ok(match a.as_int_operand().and_then(i64::checked_abs) {
        Some(int) => Value::int(int),
        None => Value::from_float(number.to_float().abs()),
    })
}

/// To the nearest integer, halves away from zero.
pub(super) fn round(a: Value) -> Outcome {
    integer(a, |float| (float.half_further(), 0))
}

/// To the integer above. As in OPA, a value between -1 and 0 gives 1: what truncates to zero counts as positive.
pub(super) fn ceil(a: Value) -> Outcome {
    integer(a, |float| {
        let up = !float.is_integer() && (!float.is_negative() || float.truncated_i64() == Some(0));
        (float, i64::from(up))
    })
}

/// To the integer below. As in OPA, a value between -1 and 0 gives 0.
pub(super) fn floor(a: Value) -> Outcome {
    integer(a, |float| {
        let down = !float.is_integer() && float.is_negative() && float.truncated_i64() != Some(0);
        (float, -i64::from(down))
    })
}

/// The integer part of what a float becomes, and a step from it.
#[inline(never)]
fn integer(a: Value, through: fn(Float) -> (Float, i64)) -> Outcome {
    let number = operand(a, 1)?;
    if let Num::Int(_) = number {
        return Ok(a);
    }
    if let Some(int) = a.as_int_operand() {
        return Ok(Value::int(int));
    }
    let (float, step) = through(number.to_float());
    Ok(match float.truncated_i64().and_then(|int| int.checked_add(step)) {
        Some(int) => Value::int(int),
        None => Value::big(&float.truncated().plus(&BigInt::from(step))),
    })
}
