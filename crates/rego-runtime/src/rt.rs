//! The pieces of which generated code is made.

use crate::memory::{load_u32, store_u32};
use crate::value::{Value, store_header};
use crate::{array, order, table};
use rego_value::abi::{
    CAPACITY, ENTRY_VALUE, FLAG_SORTED, INDEX, INDEX_MASK, ITEMS, KIND_ARRAY, KIND_OBJECT, KIND_SET,
    KIND_STRING, OBJECT_ENTRY, TABLE_SIZE,
};

/// The value of a key: a member, an element by its index, the element itself of a set; undefined otherwise.
#[inline]
pub(crate) fn get(collection: Value, key: Value) -> Value {
    if !key.is_defined() {
        return Value::UNDEFINED;
    }
    match collection.heap_kind() {
        KIND_OBJECT => table::get(collection, key),
        KIND_ARRAY => array::get(collection, key),
        KIND_SET => table::get_element(collection, key),
        _ => Value::UNDEFINED,
    }
}

/// The same for generated code, which mostly asks for members of objects by strings. What is found at once needs no
/// further call, so that nothing has to be kept over one.
#[inline(always)]
pub(crate) fn get_often(collection: Value, key: Value) -> Value {
    if key.heap_kind() == KIND_STRING && collection.heap_kind() == KIND_OBJECT {
        match table::find_at_once(collection, key) {
            Some(0) => return Value::UNDEFINED,
            Some(entry) => return Value(load_u32(entry + ENTRY_VALUE)),
            None => {}
        }
    }
    get_any(collection, key)
}

#[inline(never)]
fn get_any(collection: Value, key: Value) -> Value {
    get(collection, key)
}

/// The number of elements, or of characters of a string; undefined for anything else.
pub(crate) fn len(value: Value) -> Value {
    match value.heap_kind() {
        KIND_ARRAY | KIND_OBJECT | KIND_SET => Value::int(i64::from(value.len())),
        KIND_STRING => characters(value),
        _ => Value::UNDEFINED,
    }
}

/// A function of its own, for which the lengths of collections do not have to make room.
#[inline(never)]
fn characters(text: Value) -> Value {
    Value::int(text.inline_text().chars().count() as i64)
}

/// The number of elements to iterate over, which are in Rego's order from now on; 0 for what is no collection.
pub(crate) fn iter_len(value: Value) -> u32 {
    match value.heap_kind() {
        KIND_ARRAY => value.len(),
        KIND_OBJECT | KIND_SET => {
            table::sort(value);
            value.len()
        }
        _ => 0,
    }
}

/// The key at a position below `iter_len`: an index, a key, an element.
pub(crate) fn iter_key(value: Value, position: u32) -> Value {
    match value.heap_kind() {
        KIND_ARRAY => Value::int(i64::from(position)),
        kind @ (KIND_OBJECT | KIND_SET) => table::key_at(value, kind, position),
        _ => Value::UNDEFINED,
    }
}

/// The value at a position below `iter_len`.
pub(crate) fn iter_value(value: Value, position: u32) -> Value {
    match value.heap_kind() {
        KIND_ARRAY => array::item(value, position),
        KIND_OBJECT => table::value_at(value, position),
        KIND_SET => table::key_at(value, KIND_SET, position),
        _ => Value::UNDEFINED,
    }
}

/// Sets a member that is not there, or has this very value; otherwise a conflict.
pub(crate) fn insert_once(object: Value, key: Value, value: Value) -> bool {
    let hash = order::hash(key);
    let entry = table::find(object, hash, key);
    if entry == 0 {
        table::append_member(object, hash, key, value);
        return false;
    }
    !order::equal(Value(load_u32(entry + ENTRY_VALUE)), value)
}

/// The members of both objects; where both have one, objects are merged and otherwise the first one's stays. What is
/// undefined counts as empty; what is no object wins over what is one if it comes first.
pub(crate) fn merge(a: Value, b: Value) -> Value {
    if !a.is_defined() {
        return b;
    }
    if !b.is_defined() || !a.is_object() || !b.is_object() {
        return a;
    }
    let result = table::copy(a, b.len());
    // Objects whose members are still to be added: to the first, which is a copy of its own, from the second.
    let mut pending = alloc::vec::Vec::new();
    pending.push((result, b));
    while let Some((target, source)) = pending.pop() {
        for (hash, key, value) in table::members(source) {
            let entry = table::find(target, hash, key);
            if entry == 0 {
                table::append_member(target, hash, key, value);
                continue;
            }
            let there = Value(load_u32(entry + ENTRY_VALUE));
            if there.is_object() && value.is_object() {
                let copy = table::copy(there, value.len());
                store_u32(entry + ENTRY_VALUE, copy.0);
                pending.push((copy, value));
            }
        }
    }
    result
}

/// The base with the value at the path, copied as far as the path goes; what is no object on the way is replaced.
pub(crate) fn upsert(base: Value, path: Value, value: Value) -> Value {
    let count = if path.is_array() { path.len() } else { 0 };
    if count == 0 {
        return value;
    }
    let open = |node: Value| if node.is_object() { table::copy(node, 1) } else { table::new_object(1) };
    let result = open(base);
    let mut node = result;
    for (position, key) in array::iter(path).enumerate() {
        if position as u32 == count - 1 {
            table::insert(node, key, value);
            break;
        }
        let next = open(table::get(node, key));
        table::insert(node, key, next);
        node = next;
    }
    result
}

/// A copy of a constant object with at most [`rego_value::abi::LINEAR_MAX`] members, whose values are still to be
/// written.
pub(crate) fn object_from(template: Value) -> Value {
    let size = TABLE_SIZE + template.len() * OBJECT_ENTRY;
    let object = crate::memory::alloc(size);
    crate::memory::copy_words(object + TABLE_SIZE, load_u32(template.0 + ITEMS), template.len() * 3);
    store_header(object, KIND_OBJECT, FLAG_SORTED, template.len());
    store_u32(object + CAPACITY, template.len());
    store_u32(object + ITEMS, object + TABLE_SIZE);
    store_u32(object + INDEX, 0);
    store_u32(object + INDEX_MASK, 0);
    Value(object)
}
