//! Arrays.

use crate::memory::{alloc, copy_words, load_u32, store_u32};
use crate::value::{Value, store_header};
use rego_value::abi::{ARRAY_SIZE, CAPACITY, ITEMS, KIND_ARRAY, LEN};

/// An empty array with room for so many elements.
pub(crate) fn new(capacity: u32) -> Value {
    let Some(size) = capacity.checked_mul(4) else { crate::abort("array too large") };
    let address = alloc(ARRAY_SIZE.saturating_add(size));
    store_header(address, KIND_ARRAY, 0, 0);
    store_u32(address + CAPACITY, capacity);
    store_u32(address + ITEMS, address + ARRAY_SIZE);
    Value(address)
}

/// An array of these elements.
pub(crate) fn from_slice(items: &[u32]) -> Value {
    let array = new(items.len() as u32);
    store_u32(array.0 + LEN, items.len() as u32);
    let mut at = array.0 + ARRAY_SIZE;
    for item in items {
        store_u32(at, *item);
        at += 4;
    }
    array
}

/// The elements of an array and one more.
pub(crate) fn extended(array: Value, item: Value) -> Value {
    let len = array.len();
    let longer = new(len.saturating_add(1));
    copy_words(longer.0 + ARRAY_SIZE, load_u32(array.0 + ITEMS), len);
    store_u32(longer.0 + ARRAY_SIZE + len * 4, item.0);
    store_u32(longer.0 + LEN, len + 1);
    longer
}

/// Appends in place.
#[inline]
pub(crate) fn push(array: Value, item: Value) {
    let len = array.len();
    if len == load_u32(array.0 + CAPACITY) {
        grow(array, len);
    }
    store_u32(load_u32(array.0 + ITEMS) + len * 4, item.0);
    store_u32(array.0 + LEN, len + 1);
}

#[cold]
fn grow(array: Value, len: u32) {
    let capacity = len.saturating_mul(2).max(4);
    let Some(size) = capacity.checked_mul(4) else { crate::abort("array too large") };
    let items = alloc(size);
    copy_words(items, load_u32(array.0 + ITEMS), len);
    store_u32(array.0 + CAPACITY, capacity);
    store_u32(array.0 + ITEMS, items);
}

/// The element at a position below the length.
#[inline(always)]
pub(crate) fn item(array: Value, position: u32) -> Value {
    Value(load_u32(load_u32(array.0 + ITEMS) + position * 4))
}

/// The elements.
pub(crate) fn iter(array: Value) -> impl DoubleEndedIterator<Item = Value> + ExactSizeIterator {
    let (items, len) = (load_u32(array.0 + ITEMS), array.len());
    (0..len).map(move |position| Value(load_u32(items + position * 4)))
}

/// The element at an index, if the index is one.
#[inline]
pub(crate) fn get(array: Value, key: Value) -> Value {
    match key.as_int_operand().map(u32::try_from) {
        Some(Ok(position)) if position < array.len() => item(array, position),
        _ => Value::UNDEFINED,
    }
}
