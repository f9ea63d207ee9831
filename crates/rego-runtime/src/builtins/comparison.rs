//! Comparison and membership.

use crate::error::Outcome;
use crate::order::{compare, equal as same, equal_letters};
use crate::value::Value;
use crate::{array, table};
use core::cmp::Ordering;
use rego_value::abi::{KIND_ARRAY, KIND_OBJECT, KIND_SET, KIND_STRING};

fn truth(truth: bool) -> Outcome {
    Ok(Value::bool(truth))
}

pub(super) fn equal(a: Value, b: Value) -> Outcome {
    truth(same(a, b))
}

pub(super) fn neq(a: Value, b: Value) -> Outcome {
    truth(!same(a, b))
}

pub(super) fn gt(a: Value, b: Value) -> Outcome {
    truth(compare(a, b) == Ordering::Greater)
}

pub(super) fn gte(a: Value, b: Value) -> Outcome {
    truth(compare(a, b) != Ordering::Less)
}

pub(super) fn lt(a: Value, b: Value) -> Outcome {
    truth(compare(a, b) == Ordering::Less)
}

pub(super) fn lte(a: Value, b: Value) -> Outcome {
    truth(compare(a, b) != Ordering::Greater)
}

/// `item in collection`.
pub(super) fn member_2(item: Value, collection: Value) -> Outcome {
    if item.heap_kind() == KIND_STRING && collection.heap_kind() == KIND_ARRAY {
        return truth(has_string(collection, item));
    }
    member_of_any(item, collection)
}

/// Whether an array has a string: most elements are told apart by what stands where strings have their hash.
#[inline(always)]
fn has_string(array: Value, string: Value) -> bool {
    let hash = string.text_hash();
    array::iter(array).any(|element| {
        element == string
            || element.is_heap()
                && element.text_hash() == hash
                && element.heap_kind() == KIND_STRING
                && equal_letters(element, string)
    })
}

#[inline(never)]
fn member_of_any(item: Value, collection: Value) -> Outcome {
    truth(match collection.heap_kind() {
        KIND_SET => table::contains(collection, item),
        KIND_ARRAY => array::iter(collection).any(|element| same(element, item)),
        KIND_OBJECT => table::members(collection).any(|(_, _, value)| same(value, item)),
        _ => false,
    })
}

/// `key, value in collection`; an element of a set is its own key.
pub(super) fn member_3(key: Value, value: Value, collection: Value) -> Outcome {
    let there = match collection.heap_kind() {
        KIND_OBJECT | KIND_ARRAY | KIND_SET => crate::rt::get(collection, key),
        _ => Value::UNDEFINED,
    };
    truth(there.is_defined() && same(there, value))
}
