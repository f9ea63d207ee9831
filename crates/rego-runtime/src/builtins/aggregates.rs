//! Aggregates over collections.

use super::operands::{self, element_failure};
use crate::array;
use crate::error::{Failure, Outcome};
use crate::order::compare;
use crate::value::{Num, Value};
use alloc::vec::Vec;
use core::cmp::Ordering;
use rego_value::abi::{KIND_ARRAY, KIND_SET, TRUE};
use rego_value::number::{BigInt, Computed, Float};

pub(super) fn count(a: Value) -> Outcome {
    let len = crate::rt::len(a);
    if len.is_defined() {
        Ok(len)
    } else {
        Err(Failure::operand(1, "one of {array, object, set, string}", a))
    }
}

fn elements(a: Value) -> Result<Vec<Value>, Failure> {
    operands::elements(a).ok_or_else(|| Failure::operand(1, "one of {set, array}", a))
}

/// Integers are added up exactly, as far as 64 bits go without a detour.
pub(super) fn sum(a: Value) -> Outcome {
    let elements = elements(a)?;
    let small = elements.iter().try_fold(0i64, |total, element| total.checked_add(element.as_int()?));
    match small {
        Some(total) => Ok(Value::int(total)),
        None => wide_sum(&numbers(a, &elements)?),
    }
}

pub(super) fn product(a: Value) -> Outcome {
    let elements = elements(a)?;
    let small = elements.iter().try_fold(1i64, |total, element| total.checked_mul(element.as_int()?));
    match small {
        Some(total) => Ok(Value::int(total)),
        None => wide_product(&numbers(a, &elements)?),
    }
}

/// Exact where all are integers, a float's otherwise.
#[cold]
fn wide_sum(numbers: &[Num]) -> Outcome {
    if let Some(total) = exact(numbers, 0, BigInt::plus) {
        return Ok(Value::big(&total));
    }
    let total = numbers.iter().fold(Float::ZERO, |total, number| total.sum(number.to_float()));
    Ok(Value::computed(&Computed::float(total)))
}

/// Exact where all are integers, otherwise that of floats, rounded to 53 bits as OPA does here.
#[cold]
fn wide_product(numbers: &[Num]) -> Outcome {
    if let Some(total) = exact(numbers, 1, BigInt::times) {
        return Ok(Value::big(&total));
    }
    let one = Float::from_i64(1);
    let product = numbers.iter().fold(one, |total, number| total.product_double(number.to_float()));
    Ok(Value::computed(&Computed::rounded(product, 53)))
}

/// Folds integers; `None` where one is none.
fn exact(numbers: &[Num], start: i64, combine: impl Fn(&BigInt, &BigInt) -> BigInt) -> Option<BigInt> {
    numbers.iter().try_fold(BigInt::from(start), |total, number| Some(combine(&total, &number.to_big()?)))
}

fn numbers(a: Value, elements: &[Value]) -> Result<Vec<Num>, Failure> {
    let number = |element: &Value| element.as_num().ok_or_else(|| element_failure(1, a, *element, "number"));
    elements.iter().map(number).collect()
}

/// The last of the elements that none exceeds in the unwanted direction.
fn extreme(a: Value, worse: Ordering) -> Outcome {
    let mut best = Value::UNDEFINED;
    for element in elements(a)? {
        if !best.is_defined() || compare(element, best) != worse {
            best = element;
        }
    }
    if best.is_defined() { Ok(best) } else { Err(Failure::Undefined) }
}

pub(super) fn max(a: Value) -> Outcome {
    extreme(a, Ordering::Less)
}

pub(super) fn min(a: Value) -> Outcome {
    extreme(a, Ordering::Greater)
}

pub(super) fn sort(a: Value) -> Outcome {
    let mut elements = elements(a)?;
    if a.is_array() {
        crate::sort::sort(&mut elements, |x, y| compare(*x, *y));
    }
    let sorted = array::new(elements.len() as u32);
    elements.into_iter().for_each(|element| array::push(sorted, element));
    Ok(sorted)
}

pub(super) fn all(a: Value) -> Outcome {
    match a.heap_kind() {
        KIND_ARRAY | KIND_SET => Ok(Value::bool(elements(a)?.iter().all(|element| element.0 == TRUE))),
        _ => Err(Failure::operand(1, "one of {array, set}", a)),
    }
}

pub(super) fn any(a: Value) -> Outcome {
    match a.heap_kind() {
        KIND_ARRAY | KIND_SET => Ok(Value::bool(elements(a)?.iter().any(|element| element.0 == TRUE))),
        _ => Err(Failure::operand(1, "one of {array, set}", a)),
    }
}
