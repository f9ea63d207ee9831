//! Equality, order and hash. None of them recurses: what is left to do of nested values waits in a list.

use crate::memory::{load_u32, load_u64};
use crate::value::Value;
use crate::{array, table, wide};
use alloc::vec::Vec;
use core::cmp::Ordering;
use rego_value::Kind;
use rego_value::abi::{
    self, HASH_FALSE, HASH_NULL, HASH_TRUE, Hash64, INT_VALUE, KIND_ARRAY, KIND_DECIMAL, KIND_FLOAT,
    KIND_INT, KIND_OBJECT, KIND_SET, KIND_STRING, NULL, TEXT_BYTES, TRUE,
};

/// Whether two values are equal.
#[inline]
pub(crate) fn equal(a: Value, b: Value) -> bool {
    if a == b {
        return true;
    }
    // Nearly always both are strings, with different hashes.
    if a.heap_kind() == KIND_STRING && b.heap_kind() == KIND_STRING {
        return equal_texts(a, b);
    }
    equal_unlike(a, b)
}

#[inline(never)]
fn equal_unlike(a: Value, b: Value) -> bool {
    match equal_scalars(a, b) {
        Some(answer) => answer,
        None => equal_collections(a, b),
    }
}

/// The answer for handles that differ; `None` for two collections of one kind.
#[inline]
fn equal_scalars(a: Value, b: Value) -> Option<bool> {
    match (a.heap_kind(), b.heap_kind()) {
        (KIND_STRING, KIND_STRING) => Some(equal_texts(a, b)),
        (KIND_DECIMAL | KIND_FLOAT, _) | (_, KIND_DECIMAL | KIND_FLOAT) => {
            Some(a.is_number() && b.is_number() && wide::compare(a, b) == Ordering::Equal)
        }
        (KIND_INT, KIND_INT) => Some(load_u64(a.0 + INT_VALUE) == load_u64(b.0 + INT_VALUE)),
        (x @ (KIND_ARRAY | KIND_OBJECT | KIND_SET), y) if x == y => {
            if a.len() == b.len() {
                None
            } else {
                Some(false)
            }
        }
        _ => Some(false),
    }
}

#[inline]
fn equal_texts(a: Value, b: Value) -> bool {
    a.text_hash() == b.text_hash() && equal_letters(a, b)
}

/// Whether two strings of one hash have the same letters.
#[inline(always)]
pub(crate) fn equal_letters(a: Value, b: Value) -> bool {
    if a.len() > SHORT { equal_long(a, b) } else { equal_short(a, b) }
}

/// Nearly all strings that are compared are no longer, and need no loop: every round of one looks at the clock.
const SHORT: u32 = 16;

/// The same for short ones; two that are long are not found equal.
#[inline(always)]
pub(crate) fn equal_short(a: Value, b: Value) -> bool {
    let len = a.len();
    len <= SHORT && len == b.len() && equal_words(a, b, 0) && (len <= 8 || equal_words(a, b, 8))
}

#[inline(never)]
fn equal_long(a: Value, b: Value) -> bool {
    a.len() == b.len() && (0..a.len()).step_by(8).all(|at| equal_words(a, b, at))
}

/// Whether eight letters are equal. Zeros fill a text's last word, and an empty one has a word of them.
#[inline(always)]
fn equal_words(a: Value, b: Value, at: u32) -> bool {
    load_u64(a.0 + TEXT_BYTES + at) == load_u64(b.0 + TEXT_BYTES + at)
}

#[cold]
fn equal_collections(a: Value, b: Value) -> bool {
    let mut pending: Vec<(Value, Value)> = Vec::new();
    pending.push((a, b));
    // INVARIANT: pairs here are collections of one kind and one length.
    while let Some((a, b)) = pending.pop() {
        let mut same = |x: Value, y: Value| {
            if x == y {
                return true;
            }
            equal_scalars(x, y).unwrap_or_else(|| {
                pending.push((x, y));
                true
            })
        };
        let equal = match a.heap_kind() {
            KIND_ARRAY => array::iter(a).zip(array::iter(b)).all(|(x, y)| same(x, y)),
            KIND_OBJECT => table::members(a).all(|(hash, key, value)| {
                let entry = table::find(b, hash, key);
                entry != 0 && same(value, Value(load_u32(entry + abi::ENTRY_VALUE)))
            }),
            _ => table::elements(a).all(|(hash, key)| table::find(b, hash, key) != 0),
        };
        if !equal {
            return false;
        }
    }
    true
}

/// Compares two values in Rego's order.
#[inline]
pub(crate) fn compare(a: Value, b: Value) -> Ordering {
    if a == b {
        return Ordering::Equal;
    }
    match compare_scalars(a, b) {
        Some(order) => order,
        None => compare_collections(a, b),
    }
}

/// The order of handles that differ; `None` for two collections of one kind.
#[inline]
fn compare_scalars(a: Value, b: Value) -> Option<Ordering> {
    let kind = a.heap_kind();
    if kind == b.heap_kind() {
        match kind {
            KIND_STRING => return Some(a.inline_text().as_bytes().cmp(b.inline_text().as_bytes())),
            KIND_ARRAY | KIND_OBJECT | KIND_SET => return None,
            _ => {}
        }
    }
    if let (Some(x), Some(y)) = (a.as_int(), b.as_int()) {
        return Some(x.cmp(&y));
    }
    let (x, y) = (a.kind(), b.kind());
    if x != y {
        return Some(x.cmp(&y));
    }
    match x {
        Kind::Number => Some(wide::compare(a, b)),
        // `false` is the smaller handle.
        _ => Some(a.0.cmp(&b.0)),
    }
}

#[cold]
fn compare_collections(a: Value, b: Value) -> Ordering {
    // Collections of one kind, and the place up to which they are equal.
    let mut pending: Vec<(Value, Value, u32)> = Vec::new();
    sort_tables(a, b);
    pending.push((a, b, 0));
    while let Some((a, b, place)) = pending.pop() {
        let kind = a.heap_kind();
        // A member is two places: its key, then its value.
        let scale = if kind == KIND_OBJECT { 2 } else { 1 };
        let (end_a, end_b) = (a.len() * scale, b.len() * scale);
        if place >= end_a || place >= end_b {
            let order = end_a.cmp(&end_b);
            if order != Ordering::Equal {
                return order;
            }
            continue;
        }
        pending.push((a, b, place + 1));
        let (x, y) = (part(a, kind, place), part(b, kind, place));
        if x == y {
            continue;
        }
        match compare_scalars(x, y) {
            Some(Ordering::Equal) => {}
            Some(order) => return order,
            None => {
                sort_tables(x, y);
                pending.push((x, y, 0));
            }
        }
    }
    Ordering::Equal
}

fn sort_tables(a: Value, b: Value) {
    if !a.is_array() {
        table::sort(a);
        table::sort(b);
    }
}

fn part(collection: Value, kind: u8, place: u32) -> Value {
    match kind {
        KIND_ARRAY => array::item(collection, place),
        KIND_OBJECT if place & 1 == 1 => table::value_at(collection, place / 2),
        KIND_OBJECT => table::key_at(collection, kind, place / 2),
        _ => table::key_at(collection, kind, place),
    }
}

/// The hash of a value; see [`rego_value::abi`].
#[inline]
pub(crate) fn hash(value: Value) -> u32 {
    if value.heap_kind() == KIND_STRING { value.text_hash() } else { hash_other(value) }
}

fn hash_other(value: Value) -> u32 {
    hash_scalar(value).unwrap_or_else(|| hash_collection(value))
}

fn hash_scalar(value: Value) -> Option<u32> {
    match value.heap_kind() {
        KIND_STRING | KIND_DECIMAL => Some(value.text_hash()),
        KIND_FLOAT => Some(crate::exports::rt_wide_hash(value)),
        KIND_ARRAY | KIND_OBJECT => None,
        KIND_SET => Some(abi::hash_set(table::elements(value).map(|(hash, _)| hash))),
        _ => Some(match value.as_int() {
            Some(int) => abi::hash_int(int),
            None if value.0 == NULL => HASH_NULL,
            None if value.0 == TRUE => HASH_TRUE,
            None => HASH_FALSE,
        }),
    }
}

#[cold]
fn hash_collection(value: Value) -> u32 {
    struct Frame {
        collection: Value,
        place: u32,
        array: Hash64,
        sum: u64,
    }
    let frame = |collection| Frame { collection, place: 0, array: Hash64::new(2), sum: 0 };
    let mut frames = Vec::new();
    frames.push(frame(value));
    // The hash of the element that has just been left.
    let mut done: Option<u32> = None;
    while let Some(top) = frames.last_mut() {
        let is_array = top.collection.is_array();
        if let Some(hash) = done.take() {
            if is_array {
                top.array.word(u64::from(hash));
            } else {
                let entry = load_u32(top.collection.0 + abi::ITEMS) + top.place * abi::OBJECT_ENTRY;
                top.sum =
                    abi::add_member(top.sum, abi::combine_entry(load_u32(entry + abi::ENTRY_HASH), hash));
            }
            top.place += 1;
        }
        if top.place >= top.collection.len() {
            done = Some(if is_array { top.array.finish() } else { abi::finish_members(top.sum) });
            frames.pop();
            continue;
        }
        let next = if is_array {
            array::item(top.collection, top.place)
        } else {
            table::value_at(top.collection, top.place)
        };
        match hash_scalar(next) {
            Some(hash) => done = Some(hash),
            None => frames.push(frame(next)),
        }
    }
    done.unwrap_or(HASH_NULL)
}
