//! Operands, and OPA's words for what is wrong with them.

use crate::error::Failure;
use crate::value::{Num, Value};
use crate::{array, table};
use alloc::vec::Vec;
use rego_value::number::BigInt;

pub(super) fn string(value: Value, position: u8) -> Result<&'static str, Failure> {
    value.as_str().ok_or_else(|| Failure::operand(position, "string", value))
}

pub(super) fn array(value: Value, position: u8) -> Result<Value, Failure> {
    if value.is_array() { Ok(value) } else { Err(Failure::operand(position, "array", value)) }
}

pub(super) fn object(value: Value, position: u8) -> Result<Value, Failure> {
    if value.is_object() { Ok(value) } else { Err(Failure::operand(position, "object", value)) }
}

pub(super) fn set(value: Value, position: u8) -> Result<Value, Failure> {
    if value.is_set() { Ok(value) } else { Err(Failure::operand(position, "set", value)) }
}

pub(crate) fn number(value: Value, position: u8) -> Result<Num, Failure> {
    value.as_num().ok_or_else(|| Failure::operand(position, "number", value))
}

/// An integer of 64 bits.
pub(super) fn int(value: Value, position: u8) -> Result<i64, Failure> {
    number(value, position)?;
    value.as_int_operand().ok_or_else(|| not_an_integer(position))
}

/// An integer of any size.
pub(super) fn big_int(value: Value, position: u8) -> Result<BigInt, Failure> {
    let Some(number) = value.as_num() else { return Err(Failure::operand(position, "integer", value)) };
    number.to_big().ok_or_else(|| not_an_integer(position))
}

fn not_an_integer(position: u8) -> Failure {
    Failure::operand_text(position, &["must be integer number but got floating-point number"])
}

/// `operand 1 must be array of numbers but got array containing string`.
#[cold]
pub(super) fn element_failure(position: u8, collection: Value, element: Value, expected: &str) -> Failure {
    let kind = collection.kind().name();
    let got = element.kind().name();
    Failure::operand_text(
        position,
        &["must be ", kind, " of ", expected, "s but got ", kind, " containing ", got],
    )
}

/// The elements of an array, or of a set in Rego's order; `None` for anything else.
pub(super) fn elements(value: Value) -> Option<Vec<Value>> {
    if value.is_array() {
        return Some(array::iter(value).collect());
    }
    if value.is_set() {
        table::sort(value);
        return Some(table::elements(value).map(|(_, element)| element).collect());
    }
    None
}
