//! Arrays, objects, sets, and what walks through them.

use super::operands::{array, element_failure, elements, int, object, set};
use crate::array as arrays;
use crate::error::{Failure, Outcome};
use crate::memory::{load_u32, store_u32};
use crate::order;
use crate::table;
use crate::value::Value;
use alloc::vec::Vec;
use rego_value::abi::{ENTRY_VALUE, KIND_ARRAY, KIND_OBJECT, KIND_SET};

pub(super) fn array_concat(a: Value, b: Value) -> Outcome {
    let (a, b) = (array(a, 1)?, array(b, 2)?);
    let joined = arrays::new(a.len().saturating_add(b.len()));
    arrays::iter(a).chain(arrays::iter(b)).for_each(|item| arrays::push(joined, item));
    Ok(joined)
}

pub(super) fn array_flatten(a: Value) -> Outcome {
    let flat = arrays::new(array(a, 1)?.len());
    for item in arrays::iter(a) {
        if item.is_array() {
            arrays::iter(item).for_each(|inner| arrays::push(flat, inner));
        } else {
            arrays::push(flat, item);
        }
    }
    Ok(flat)
}

pub(super) fn array_reverse(a: Value) -> Outcome {
    let reversed = arrays::new(array(a, 1)?.len());
    arrays::iter(a).rev().for_each(|item| arrays::push(reversed, item));
    Ok(reversed)
}

pub(super) fn array_slice(a: Value, start: Value, stop: Value) -> Outcome {
    array(a, 1)?;
    let (start, stop) = (int(start, 2)?, int(stop, 3)?);
    let stop = stop.clamp(0, i64::from(a.len())) as u32;
    let start = start.clamp(0, i64::from(stop)) as u32;
    let slice = arrays::new(stop - start);
    (start..stop).for_each(|position| arrays::push(slice, arrays::item(a, position)));
    Ok(slice)
}

pub(super) fn and(a: Value, b: Value) -> Outcome {
    let (a, b) = (set(a, 1)?, set(b, 2)?);
    Ok(intersect(a, b))
}

fn intersect(a: Value, b: Value) -> Value {
    let (small, large) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let both = table::new_set(0);
    for (hash, element) in table::elements(small) {
        if table::find(large, hash, element) != 0 {
            table::add_hashed(both, hash, element);
        }
    }
    both
}

pub(super) fn or(a: Value, b: Value) -> Outcome {
    let (a, b) = (set(a, 1)?, set(b, 2)?);
    let either = table::copy(a, b.len());
    add_all(either, b);
    Ok(either)
}

fn add_all(target: Value, source: Value) {
    table::elements(source).for_each(|(hash, element)| table::add_hashed(target, hash, element));
}

pub(super) fn set_diff(a: Value, b: Value) -> Outcome {
    set(a, 1)?;
    set(b, 2)?;
    super::arithmetic::minus(a, b)
}

pub(super) fn intersection(sets: Value) -> Outcome {
    let list = elements(set(sets, 1)?).unwrap_or_default();
    let mut result = Value::UNDEFINED;
    for one in list {
        set(one, 1)?;
        result = if result.is_defined() { intersect(result, one) } else { one };
    }
    Ok(if result.is_defined() { result } else { table::new_set(0) })
}

pub(super) fn union(sets: Value) -> Outcome {
    let list = elements(set(sets, 1)?).unwrap_or_default();
    let result = table::new_set(0);
    for one in list {
        add_all(result, set(one, 1)?);
    }
    Ok(result)
}

pub(super) fn object_get(a: Value, path: Value, default: Value) -> Outcome {
    let mut found = object(a, 1)?;
    if !path.is_array() {
        found = crate::rt::get_often(a, path);
        return Ok(if found.is_defined() { found } else { default });
    }
    for key in arrays::iter(path) {
        found = crate::rt::get(found, key);
        if !found.is_defined() {
            return Ok(default);
        }
    }
    Ok(found)
}

pub(super) fn object_keys(a: Value) -> Outcome {
    let keys = table::new_set(object(a, 1)?.len());
    table::members(a).for_each(|(hash, key, _)| table::add_hashed(keys, hash, key));
    Ok(keys)
}

/// The keys that an object, a set or an array names.
fn key_list(keys: Value) -> Result<Vec<Value>, Failure> {
    if keys.is_object() {
        return Ok(table::members(keys).map(|(_, key, _)| key).collect());
    }
    elements(keys).ok_or_else(|| Failure::operand(2, "one of {object, set, array}", keys))
}

pub(super) fn object_remove(a: Value, keys: Value) -> Outcome {
    object(a, 1)?;
    let gone = table::new_set(0);
    key_list(keys)?.into_iter().for_each(|key| table::add(gone, key));
    let kept = table::new_object(a.len());
    for (hash, key, value) in table::members(a) {
        if table::find(gone, hash, key) == 0 {
            table::insert_hashed(kept, hash, key, value);
        }
    }
    Ok(kept)
}

pub(super) fn object_filter(a: Value, keys: Value) -> Outcome {
    object(a, 1)?;
    let kept = table::new_object(0);
    for key in key_list(keys)? {
        let hash = order::hash(key);
        let entry = table::find(a, hash, key);
        if entry != 0 {
            let own = Value(load_u32(entry + rego_value::abi::ENTRY_KEY));
            table::insert_hashed(kept, hash, own, Value(load_u32(entry + ENTRY_VALUE)));
        }
    }
    Ok(kept)
}

pub(super) fn object_union(a: Value, b: Value) -> Outcome {
    Ok(overlay(object(a, 1)?, object(b, 2)?))
}

/// The members of both; where both have one, objects are merged and otherwise the second one's stays.
fn overlay(a: Value, b: Value) -> Value {
    if a.len() == 0 {
        return b;
    }
    let result = table::copy(a, b.len());
    let mut pending = Vec::new();
    pending.push((result, b));
    while let Some((target, source)) = pending.pop() {
        for (hash, key, value) in table::members(source) {
            let entry = table::find(target, hash, key);
            if entry == 0 {
                table::insert_hashed(target, hash, key, value);
                continue;
            }
            let there = Value(load_u32(entry + ENTRY_VALUE));
            if there.is_object() && value.is_object() {
                let copy = table::copy(there, value.len());
                store_u32(entry + ENTRY_VALUE, copy.0);
                pending.push((copy, value));
            } else {
                store_u32(entry + ENTRY_VALUE, value.0);
            }
        }
    }
    result
}

pub(super) fn object_union_n(list: Value) -> Outcome {
    array(list, 1)?;
    if let Some(other) = arrays::iter(list).find(|item| !item.is_object()) {
        return Err(element_failure(1, list, other, "object"));
    }
    let mut result = table::new_object(0);
    for item in arrays::iter(list) {
        result = overlay(result, item);
    }
    Ok(result)
}

/// Every value inside a value with its path, the value itself first: an array of pairs.
pub(super) fn walk(a: Value) -> Outcome {
    let found = arrays::new(16);
    let mut pending = Vec::new();
    pending.push((arrays::new(0), a));
    while let Some((path, value)) = pending.pop() {
        arrays::push(found, arrays::from_slice(&[path.0, value.0]));
        let kind = value.heap_kind();
        if !matches!(kind, KIND_ARRAY | KIND_OBJECT | KIND_SET) {
            continue;
        }
        // Last first, so that they are taken in order.
        for position in (0..crate::rt::iter_len(value)).rev() {
            let key = crate::rt::iter_key(value, position);
            pending.push((arrays::extended(path, key), crate::rt::iter_value(value, position)));
        }
    }
    Ok(found)
}

/// The vertices of a graph, an object from vertex to its neighbours, that can be reached from some.
pub(super) fn reachable(graph: Value, initial: Value) -> Outcome {
    object(graph, 1)?;
    let mut queue = elements(initial).ok_or_else(|| Failure::operand(2, "{array, set}", initial))?;
    let reached = table::new_set(0);
    while let Some(vertex) = queue.pop() {
        let hash = order::hash(vertex);
        let entry = table::find(graph, hash, vertex);
        if entry == 0 || table::find(reached, hash, vertex) != 0 {
            continue;
        }
        table::add_hashed(reached, hash, vertex);
        queue.extend(elements(Value(load_u32(entry + ENTRY_VALUE))).unwrap_or_default());
    }
    Ok(reached)
}
