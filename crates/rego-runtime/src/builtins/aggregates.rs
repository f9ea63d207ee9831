//! Aggregates over collections.

use super::arithmetic;
use crate::error::{Failure, Outcome};
use crate::order::compare;
use crate::value::Value;
use crate::{array, table};
use alloc::vec::Vec;
use core::cmp::Ordering;
use rego_value::abi::{KIND_ARRAY, KIND_OBJECT, KIND_SET, KIND_STRING, TRUE};

pub(super) fn count(a: Value) -> Outcome {
    match a.heap_kind() {
        KIND_ARRAY | KIND_OBJECT | KIND_SET | KIND_STRING => Ok(crate::rt::len(a)),
        _ => Err(Failure::operand(1, &["array", "object", "set", "string"], a)),
    }
}

/// The elements of an array, or of a set in Rego's order.
fn elements(a: Value) -> Result<Vec<Value>, Failure> {
    match a.heap_kind() {
        KIND_ARRAY => Ok(array::iter(a).collect()),
        KIND_SET => {
            table::sort(a);
            Ok(table::elements(a).map(|(_, element)| element).collect())
        }
        _ => Err(Failure::operand(1, &["set", "array"], a)),
    }
}

fn fold(a: Value, start: i64, combine: fn(Value, Value) -> Outcome) -> Outcome {
    let mut total = Value::int(start);
    for element in elements(a)? {
        if element.as_num().is_none() {
            return Err(element_failure(a, element));
        }
        total = combine(total, element)?;
    }
    Ok(total)
}

/// `operand 1 must be array of numbers but got array containing string`.
fn element_failure(collection: Value, element: Value) -> Failure {
    let kind = collection.kind().name();
    let got = element.kind().name();
    Failure::operand_text(1, &["must be ", kind, " of numbers but got ", kind, " containing ", got])
}

pub(super) fn sum(a: Value) -> Outcome {
    fold(a, 0, arithmetic::plus)
}

pub(super) fn product(a: Value) -> Outcome {
    fold(a, 1, arithmetic::mul)
}

fn extreme(a: Value, wanted: Ordering) -> Outcome {
    let elements = elements(a)?;
    let mut best = Value::UNDEFINED;
    for element in elements {
        if !best.is_defined() || compare(element, best) == wanted {
            best = element;
        }
    }
    if best.is_defined() { Ok(best) } else { Err(Failure::Undefined) }
}

pub(super) fn max(a: Value) -> Outcome {
    extreme(a, Ordering::Greater)
}

pub(super) fn min(a: Value) -> Outcome {
    extreme(a, Ordering::Less)
}

pub(super) fn sort(a: Value) -> Outcome {
    let mut elements = elements(a)?;
    if a.is_array() {
        elements.sort_unstable_by(|x, y| compare(*x, *y));
    }
    let sorted = array::new(elements.len() as u32);
    elements.into_iter().for_each(|element| array::push(sorted, element));
    Ok(sorted)
}

pub(super) fn all(a: Value) -> Outcome {
    match a.heap_kind() {
        KIND_ARRAY | KIND_SET => Ok(Value::bool(elements(a)?.iter().all(|element| element.0 == TRUE))),
        _ => Err(Failure::operand(1, &["array", "set"], a)),
    }
}

pub(super) fn any(a: Value) -> Outcome {
    match a.heap_kind() {
        KIND_ARRAY | KIND_SET => Ok(Value::bool(elements(a)?.iter().any(|element| element.0 == TRUE))),
        _ => Err(Failure::operand(1, &["array", "set"], a)),
    }
}
