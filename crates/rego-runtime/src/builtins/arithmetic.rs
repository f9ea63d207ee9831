//! Numbers. What fits 64 bits is computed here; the rest, and whatever is no integer, by `rego_value`.

use crate::error::{Failure, Outcome};
use crate::table;
use crate::value::{Num, Value};
use rego_value::Number;
use rego_value::number::ArithmeticError;

fn operand(value: Value, position: u8) -> Result<Num, Failure> {
    value.as_num().ok_or_else(|| Failure::operand(position, &["number"], value))
}

fn number(value: Value) -> Result<Number, Failure> {
    value.to_number().ok_or_else(|| Failure::operand(1, &["number"], value))
}

#[inline]
fn combine(
    a: Value,
    b: Value,
    small: fn(i64, i64) -> Option<i64>,
    wide: fn(&Number, &Number) -> Number,
) -> Outcome {
    if let (Num::Int(x), Num::Int(y)) = (operand(a, 1)?, operand(b, 2)?)
        && let Some(result) = small(x, y)
    {
        return Ok(Value::int(result));
    }
    combine_wide(a, b, wide)
}

#[cold]
fn combine_wide(a: Value, b: Value, wide: fn(&Number, &Number) -> Number) -> Outcome {
    Ok(Value::number(&wide(&number(a)?, &number(b)?)))
}

pub(super) fn plus(a: Value, b: Value) -> Outcome {
    combine(a, b, i64::checked_add, Number::plus)
}

pub(super) fn minus(a: Value, b: Value) -> Outcome {
    if a.is_set() && b.is_set() {
        return Ok(difference(a, b));
    }
    match (a.as_num(), b.as_num()) {
        (Some(_), Some(_)) => combine(a, b, i64::checked_sub, Number::minus),
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
    combine(a, b, i64::checked_mul, Number::times)
}

pub(super) fn div(a: Value, b: Value) -> Outcome {
    if let (Num::Int(x), Num::Int(y)) = (operand(a, 1)?, operand(b, 2)?)
        && x != 0
        && x.checked_rem(y) == Some(0)
    {
        return Ok(Value::int(x / y));
    }
    fallible(number(a)?.divided_by(&number(b)?))
}

pub(super) fn rem(a: Value, b: Value) -> Outcome {
    if let (Num::Int(x), Num::Int(y)) = (operand(a, 1)?, operand(b, 2)?)
        && let Some(result) = x.checked_rem(y)
    {
        return Ok(Value::int(result));
    }
    fallible(number(a)?.remainder(&number(b)?))
}

fn fallible(result: Result<Number, ArithmeticError>) -> Outcome {
    match result {
        Ok(number) => Ok(Value::number(&number)),
        Err(error) => Err(Failure::builtin(&[error.message()])),
    }
}

#[inline]
fn unary(a: Value, small: fn(i64) -> Option<i64>, wide: fn(&Number) -> Number) -> Outcome {
    if let Num::Int(int) = operand(a, 1)?
        && let Some(result) = small(int)
    {
        return Ok(Value::int(result));
    }
    Ok(Value::number(&wide(&number(a)?)))
}

pub(super) fn abs(a: Value) -> Outcome {
    unary(a, i64::checked_abs, Number::abs)
}

pub(super) fn round(a: Value) -> Outcome {
    unary(a, Some, Number::round)
}

pub(super) fn ceil(a: Value) -> Outcome {
    unary(a, Some, Number::ceil)
}

pub(super) fn floor(a: Value) -> Outcome {
    unary(a, Some, Number::floor)
}
