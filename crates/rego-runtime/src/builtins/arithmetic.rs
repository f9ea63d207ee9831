//! Numbers. What fits 64 bits is computed at once; then integers of any size; then floats, as OPA has them.

use super::operands::number as operand;
use crate::error::{Failure, Outcome};
use crate::table;
use crate::value::{Num, Value};
use num_bigint::BigInt;
use rego_value::Number;
use rego_value::abi::small_int_value;
use rego_value::number::{ArithmeticError, Decimal, Float};

/// Both integers, where both are handles themselves: nearly always, and worth the shortest way.
#[inline(always)]
fn small_pair(a: Value, b: Value) -> Option<(i64, i64)> {
    if a.0 & b.0 & 1 == 1 { Some((small_int_value(a.0), small_int_value(b.0))) } else { None }
}

/// Generic, and not by pointers: a module without multiplication then need not hold it.
fn combine(
    a: Value,
    b: Value,
    small: impl FnOnce(i64, i64) -> Option<i64>,
    exact: impl FnOnce(&Number, &Number) -> Number,
    float: impl FnOnce(Float, Float) -> Float,
) -> Outcome {
    let (x, y) = (operand(a, 1)?, operand(b, 2)?);
    if let (Num::Int(x), Num::Int(y)) = (x, y)
        && let Some(result) = small(x, y)
    {
        return Ok(Value::int(result));
    }
    if !is_integer(x) || !is_integer(y) {
        return Ok(Value::from_float(float(to_float(x), to_float(y))));
    }
    match (a.to_number(), b.to_number()) {
        (Some(x), Some(y)) => Ok(Value::number(&exact(&x, &y))),
        _ => Err(Failure::Undefined),
    }
}

fn is_integer(number: Num) -> bool {
    match number {
        Num::Int(_) => true,
        Num::Float(_) => false,
        Num::Text(text) => Decimal::parse(text).is_some_and(|decimal| decimal.is_integer()),
    }
}

fn to_float(number: Num) -> Float {
    match number {
        Num::Int(int) => Float::from_i64(int),
        Num::Float(float) => float,
        Num::Text(text) => Decimal::parse(text).map_or(Float::ZERO, |decimal| Float::from_decimal(&decimal)),
    }
}

pub(super) fn plus(a: Value, b: Value) -> Outcome {
    // 31 bits each: neither sum, difference nor product overflows 64.
    if let Some((x, y)) = small_pair(a, b) {
        return Ok(Value::int(x + y));
    }
    combine(a, b, i64::checked_add, Number::plus, Float::sum)
}

pub(super) fn minus(a: Value, b: Value) -> Outcome {
    if let Some((x, y)) = small_pair(a, b) {
        return Ok(Value::int(x - y));
    }
    if a.is_set() && b.is_set() {
        return Ok(difference(a, b));
    }
    match (a.as_num(), b.as_num()) {
        (Some(_), Some(_)) => combine(a, b, i64::checked_sub, Number::minus, Float::difference),
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
    if let Some((x, y)) = small_pair(a, b) {
        return Ok(Value::int(x * y));
    }
    combine(a, b, i64::checked_mul, Number::times, Float::product)
}

pub(super) fn div(a: Value, b: Value) -> Outcome {
    let (x, y) = (operand(a, 1)?, operand(b, 2)?);
    if let (Num::Int(x), Num::Int(y)) = (x, y)
        && x != 0
        && x.checked_rem(y) == Some(0)
    {
        return Ok(Value::int(x / y));
    }
    let divisor = to_float(y);
    if divisor.is_zero() {
        return Err(failure(ArithmeticError::DivideByZero));
    }
    Ok(Value::from_float(to_float(x).quotient(divisor)))
}

pub(super) fn rem(a: Value, b: Value) -> Outcome {
    if let Some((x, y @ 1..)) = small_pair(a, b) {
        return Ok(Value::int(x % y));
    }
    let (x, y) = (operand(a, 1)?, operand(b, 2)?);
    if let (Num::Int(x), Num::Int(y)) = (x, y)
        && let Some(result) = x.checked_rem(y)
    {
        return Ok(Value::int(result));
    }
    match (a.to_number(), b.to_number()) {
        (Some(x), Some(y)) => x.remainder(&y).map(|number| Value::number(&number)).map_err(failure),
        _ => Err(Failure::Undefined),
    }
}

fn failure(error: ArithmeticError) -> Failure {
    Failure::builtin(&[error.message()])
}

pub(super) fn abs(a: Value) -> Outcome {
    match operand(a, 1)? {
        Num::Int(int) if int != i64::MIN => Ok(Value::int(int.abs())),
        Num::Float(float) => Ok(Value::from_float(float.abs())),
        _ => unary(a, Number::abs),
    }
}

pub(super) fn round(a: Value) -> Outcome {
    match operand(a, 1)? {
        Num::Int(_) => Ok(a),
        Num::Float(float) => integer(float.half_further(), 0),
        Num::Text(_) => unary(a, Number::round),
    }
}

pub(super) fn ceil(a: Value) -> Outcome {
    match operand(a, 1)? {
        Num::Int(_) => Ok(a),
        // As in OPA, what truncates to zero counts as positive.
        Num::Float(float) => {
            integer(float, i64::from(!float.is_negative() || float.truncated_i64() == Some(0)))
        }
        Num::Text(_) => unary(a, Number::ceil),
    }
}

pub(super) fn floor(a: Value) -> Outcome {
    match operand(a, 1)? {
        Num::Int(_) => Ok(a),
        Num::Float(float) => {
            integer(float, -i64::from(float.is_negative() && float.truncated_i64() != Some(0)))
        }
        Num::Text(_) => unary(a, Number::floor),
    }
}

/// The integer part and a step from it.
fn integer(float: Float, step: i64) -> Outcome {
    match float.truncated_i64().and_then(|int| int.checked_add(step)) {
        Some(int) => Ok(Value::int(int)),
        None => Ok(Value::number(&Number::from(&(float.truncated() + BigInt::from(step))))),
    }
}

fn unary(a: Value, wide: impl FnOnce(&Number) -> Number) -> Outcome {
    a.to_number().map(|number| Value::number(&wide(&number))).ok_or(Failure::Undefined)
}
