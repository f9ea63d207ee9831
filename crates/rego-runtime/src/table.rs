//! Objects and sets: entries in a row, and an index of their hashes where there are many.

use crate::memory::{alloc, load_u8, load_u32, store_u8, store_u32};
use crate::order::{compare, equal, equal_short, hash};
use crate::value::{Value, store_header};
use core::cmp::Ordering;
use rego_value::abi::{
    CAPACITY, ENTRY_HASH, ENTRY_KEY, ENTRY_VALUE, FLAG_SORTED, FLAGS, INDEX, INDEX_MASK, ITEMS, KIND_OBJECT,
    KIND_SET, KIND_STRING, LEN, OBJECT_ENTRY, SET_ENTRY, TABLE_SIZE, index_slots,
};

#[inline(always)]
fn entry_size(kind: u8) -> u32 {
    if kind == KIND_OBJECT { OBJECT_ENTRY } else { SET_ENTRY }
}

/// An empty object with room for so many members.
pub(crate) fn new_object(capacity: u32) -> Value {
    new(KIND_OBJECT, capacity)
}

/// An empty set with room for so many elements.
pub(crate) fn new_set(capacity: u32) -> Value {
    new(KIND_SET, capacity)
}

fn new(kind: u8, capacity: u32) -> Value {
    let table = Value(alloc(TABLE_SIZE + body_size(kind, capacity)));
    store_header(table.0, kind, FLAG_SORTED, 0);
    store_body(table, kind, capacity, table.0 + TABLE_SIZE);
    table
}

/// The bytes of entries and index.
fn body_size(kind: u8, capacity: u32) -> u32 {
    // 12 bytes an entry and at most 16 of index.
    if capacity > u32::MAX / 32 {
        crate::abort("object or set too large");
    }
    capacity * entry_size(kind) + index_slots(capacity) * 4
}

fn store_body(table: Value, kind: u8, capacity: u32, body: u32) {
    let slots = index_slots(capacity);
    let index = body + capacity * entry_size(kind);
    store_u32(table.0 + CAPACITY, capacity);
    store_u32(table.0 + ITEMS, body);
    store_u32(table.0 + INDEX, if slots > 0 { index } else { 0 });
    store_u32(table.0 + INDEX_MASK, slots.saturating_sub(1));
    for slot in 0..slots {
        store_u32(index + slot * 4, 0);
    }
}

/// The address of the entry of a string in an object, 0 where there is none; `None` where it takes a call or more than
/// two looks into the index to know.
#[inline(always)]
pub(crate) fn find_at_once(object: Value, key: Value) -> Option<u32> {
    let (entries, index) = (load_u32(object.0 + ITEMS), load_u32(object.0 + INDEX));
    let hash = key.text_hash();
    if index == 0 {
        let end = entries + object.len() * OBJECT_ENTRY;
        let mut at = entries;
        while at < end {
            if load_u32(at + ENTRY_HASH) == hash {
                return is_short(Value(load_u32(at + ENTRY_KEY)), key).then_some(at);
            }
            at += OBJECT_ENTRY;
        }
        return Some(0);
    }
    let mask = load_u32(object.0 + INDEX_MASK);
    // No loop: each round of one looks at the clock.
    let at = |slot: u32| match load_u32(index + (slot & mask) * 4) {
        0 => 0,
        position => entries + (position - 1) * OBJECT_ENTRY,
    };
    let known = |at: u32| is_short(Value(load_u32(at + ENTRY_KEY)), key).then_some(at);
    let first = at(hash);
    if first == 0 {
        return Some(0);
    }
    if load_u32(first + ENTRY_HASH) == hash {
        return known(first);
    }
    let second = at(hash.wrapping_add(1));
    if second == 0 {
        return Some(0);
    }
    if load_u32(second + ENTRY_HASH) == hash { known(second) } else { None }
}

/// Whether a key is that string, which has the same hash, as far as that is known without a call.
#[inline(always)]
fn is_short(key: Value, string: Value) -> bool {
    key == string || key.heap_kind() == KIND_STRING && equal_short(key, string)
}

/// The address of the entry of a key, 0 where there is none.
pub(crate) fn find(table: Value, key_hash: u32, key: Value) -> u32 {
    let size = entry_size(load_u8(table.0));
    let entries = load_u32(table.0 + ITEMS);
    let index = load_u32(table.0 + INDEX);
    if index == 0 {
        let end = entries + table.len() * size;
        let mut at = entries;
        while at < end {
            if load_u32(at + ENTRY_HASH) == key_hash && equal(Value(load_u32(at + ENTRY_KEY)), key) {
                return at;
            }
            at += size;
        }
        return 0;
    }
    let mask = load_u32(table.0 + INDEX_MASK);
    let mut slot = key_hash & mask;
    loop {
        let position = load_u32(index + slot * 4);
        if position == 0 {
            return 0;
        }
        let at = entries + (position - 1) * size;
        if load_u32(at + ENTRY_HASH) == key_hash && equal(Value(load_u32(at + ENTRY_KEY)), key) {
            return at;
        }
        slot = (slot + 1) & mask;
    }
}

/// The value of an object's member.
#[inline]
pub(crate) fn get(object: Value, key: Value) -> Value {
    let entry = find(object, hash(key), key);
    if entry == 0 { Value::UNDEFINED } else { Value(load_u32(entry + ENTRY_VALUE)) }
}

/// The element of a set that is equal to a value.
#[inline]
pub(crate) fn get_element(set: Value, key: Value) -> Value {
    let entry = find(set, hash(key), key);
    if entry == 0 { Value::UNDEFINED } else { Value(load_u32(entry + ENTRY_KEY)) }
}

/// Whether a set has an element.
pub(crate) fn contains(set: Value, key: Value) -> bool {
    find(set, hash(key), key) != 0
}

/// Sets a member, whether it is there or not.
pub(crate) fn insert(object: Value, key: Value, value: Value) {
    insert_hashed(object, hash(key), key, value);
}

/// The same with a hash that is known.
pub(crate) fn insert_hashed(object: Value, key_hash: u32, key: Value, value: Value) {
    let entry = find(object, key_hash, key);
    if entry != 0 {
        store_u32(entry + ENTRY_VALUE, value.0);
        return;
    }
    append_member(object, key_hash, key, value);
}

/// Adds a member whose key is new.
#[inline(always)]
pub(crate) fn append_member(object: Value, key_hash: u32, key: Value, value: Value) {
    let entry = append(object, KIND_OBJECT, key_hash, key);
    store_u32(entry + ENTRY_VALUE, value.0);
}

/// Adds an element, if it is not there.
pub(crate) fn add(set: Value, key: Value) {
    add_hashed(set, hash(key), key);
}

/// The same with a hash that is known.
pub(crate) fn add_hashed(set: Value, key_hash: u32, key: Value) {
    if find(set, key_hash, key) == 0 {
        append(set, KIND_SET, key_hash, key);
    }
}

/// Adds an entry whose key is new; its address.
pub(crate) fn append(table: Value, kind: u8, key_hash: u32, key: Value) -> u32 {
    let len = table.len();
    if len == load_u32(table.0 + CAPACITY) {
        grow(table, kind, len);
    }
    let entry = load_u32(table.0 + ITEMS) + len * entry_size(kind);
    store_u32(entry + ENTRY_HASH, key_hash);
    store_u32(entry + ENTRY_KEY, key.0);
    store_u32(table.0 + LEN, len + 1);
    index_entry(table, key_hash, len);
    // One entry is sorted, and so is what is added in order; only the first is worth looking at.
    if len > 0 {
        store_u8(table.0 + FLAGS, 0);
    }
    entry
}

#[inline]
fn index_entry(table: Value, key_hash: u32, position: u32) {
    let index = load_u32(table.0 + INDEX);
    if index == 0 {
        return;
    }
    let mask = load_u32(table.0 + INDEX_MASK);
    let mut slot = key_hash & mask;
    while load_u32(index + slot * 4) != 0 {
        slot = (slot + 1) & mask;
    }
    store_u32(index + slot * 4, position + 1);
}

#[cold]
fn grow(table: Value, kind: u8, len: u32) {
    let capacity = len.saturating_mul(2).max(4);
    let entries = load_u32(table.0 + ITEMS);
    store_body(table, kind, capacity, alloc(body_size(kind, capacity)));
    copy_words(load_u32(table.0 + ITEMS), entries, len * entry_size(kind) / 4);
    rebuild_index(table, kind, len);
}

#[inline(never)]
fn rebuild_index(table: Value, kind: u8, len: u32) {
    let index = load_u32(table.0 + INDEX);
    if index == 0 {
        return;
    }
    for slot in 0..=load_u32(table.0 + INDEX_MASK) {
        store_u32(index + slot * 4, 0);
    }
    let entries = load_u32(table.0 + ITEMS);
    for position in 0..len {
        index_entry(table, load_u32(entries + position * entry_size(kind) + ENTRY_HASH), position);
    }
}

/// An object of the entries `hash, key, value` that stand in a row; of equal keys the last one stays.
pub(crate) fn object_from_words(words: &[u32]) -> Value {
    let (entries, _) = words.as_chunks::<3>();
    let object = new_object(entries.len() as u32);
    for [key_hash, key, value] in entries {
        insert_hashed(object, *key_hash, Value(*key), Value(*value));
    }
    object
}

/// A copy that can be changed, with room for so many more entries.
pub(crate) fn copy(table: Value, room: u32) -> Value {
    let (kind, len) = (load_u8(table.0), table.len());
    let copy = new(kind, len.saturating_add(room));
    copy_words(load_u32(copy.0 + ITEMS), load_u32(table.0 + ITEMS), len * entry_size(kind) / 4);
    store_u32(copy.0 + LEN, len);
    store_u8(copy.0 + FLAGS, table.flags() & FLAG_SORTED);
    rebuild_index(copy, kind, len);
    copy
}

/// Takes a member away; whether it was there.
pub(crate) fn remove(object: Value, key: Value) -> bool {
    let entry = find(object, hash(key), key);
    if entry == 0 {
        return false;
    }
    let len = object.len() - 1;
    let end = load_u32(object.0 + ITEMS) + len * OBJECT_ENTRY;
    let mut at = entry;
    while at < end {
        copy_words(at, at + OBJECT_ENTRY, OBJECT_ENTRY / 4);
        at += OBJECT_ENTRY;
    }
    store_u32(object.0 + LEN, len);
    rebuild_index(object, KIND_OBJECT, len);
    true
}

/// Puts the entries in Rego's order.
#[inline]
pub(crate) fn sort(table: Value) {
    if table.flags() & FLAG_SORTED == 0 {
        sort_entries(table);
    }
}

/// Copies words; a function of its own, since in place each copy would be a hundred bytes of every module.
#[inline(never)]
fn copy_words(target: u32, source: u32, count: u32) {
    crate::memory::copy_words(target, source, count);
}

/// More entries than these are sorted in runs of as many, which are merged.
const RUN: u32 = 12;

fn sort_entries(table: Value) {
    let (size, len) = (entry_size(load_u8(table.0)), table.len());
    let entries = load_u32(table.0 + ITEMS);
    let end = entries + len * size;
    if are_numbered(entries, end, size) {
        store_u8(table.0 + FLAGS, FLAG_SORTED);
        return;
    }
    let mut at = entries;
    while at < end {
        let run = RUN.min((end - at) / size);
        insertion_sort(at, size, run);
        at += run * size;
    }
    if len > RUN {
        merge_sort(entries, end, size);
    }
    rebuild_index(table, load_u8(table.0), len);
    store_u8(table.0 + FLAGS, FLAG_SORTED);
}

/// Whether the keys are small integers, each greater than the one before: what rules and comprehensions number is in order
/// already.
fn are_numbered(entries: u32, end: u32, size: u32) -> bool {
    let mut before = Value(load_u32(entries + ENTRY_KEY));
    let mut at = entries + size;
    while at < end {
        let key = Value(load_u32(at + ENTRY_KEY));
        if before.0 & key.0 & 1 == 0 || (before.0 as i32) >= key.0 as i32 {
            return false;
        }
        (before, at) = (key, at + size);
    }
    true
}

/// Sorts entries that stand in order in runs of [`RUN`]. It is made of words and not of values, for it is part of nearly
/// every module and short so.
fn merge_sort(entries: u32, end: u32, size: u32) {
    let length = end - entries;
    let (mut from, mut to) = (entries, alloc(length));
    let mut width = RUN.saturating_mul(size);
    while width < length {
        let mut start = 0;
        while start < length {
            let middle = start.saturating_add(width).min(length);
            let last = middle.saturating_add(width).min(length);
            merge((from + start, from + middle, from + last), to + start, size);
            start = last;
        }
        (from, to) = (to, from);
        width = width.saturating_mul(2);
    }
    if from != entries {
        copy_words(entries, from, length / 4);
    }
}

/// Merges the entries from `left` to `middle` with those from there to `end`.
fn merge((mut left, middle, end): (u32, u32, u32), mut to: u32, size: u32) {
    let mut right = middle;
    while left < middle || right < end {
        let from_right = left == middle
            || (right < end
                && compare(Value(load_u32(left + ENTRY_KEY)), Value(load_u32(right + ENTRY_KEY)))
                    == Ordering::Greater);
        let from = if from_right { &mut right } else { &mut left };
        copy_words(to, *from, size / 4);
        *from += size;
        to += size;
    }
}

fn insertion_sort(entries: u32, size: u32, len: u32) {
    for position in 1..len {
        let mut at = entries + position * size;
        while at > entries {
            let before = at - size;
            if compare(Value(load_u32(before + ENTRY_KEY)), Value(load_u32(at + ENTRY_KEY)))
                != Ordering::Greater
            {
                break;
            }
            for word in (0..size).step_by(4) {
                let swapped = load_u32(before + word);
                store_u32(before + word, load_u32(at + word));
                store_u32(at + word, swapped);
            }
            at = before;
        }
    }
}

/// The key at a position.
#[inline(always)]
pub(crate) fn key_at(table: Value, kind: u8, position: u32) -> Value {
    Value(load_u32(load_u32(table.0 + ITEMS) + position * entry_size(kind) + ENTRY_KEY))
}

/// The value at a position of an object.
#[inline(always)]
pub(crate) fn value_at(object: Value, position: u32) -> Value {
    Value(load_u32(load_u32(object.0 + ITEMS) + position * OBJECT_ENTRY + ENTRY_VALUE))
}

/// The members as they stand: hash, key, value.
pub(crate) fn members(
    object: Value,
) -> impl DoubleEndedIterator<Item = (u32, Value, Value)> + ExactSizeIterator {
    let (entries, len) = (load_u32(object.0 + ITEMS), object.len());
    (0..len).map(move |position| {
        let at = entries + position * OBJECT_ENTRY;
        (load_u32(at + ENTRY_HASH), Value(load_u32(at + ENTRY_KEY)), Value(load_u32(at + ENTRY_VALUE)))
    })
}

/// The elements of a set as they stand: hash, element.
pub(crate) fn elements(set: Value) -> impl DoubleEndedIterator<Item = (u32, Value)> + ExactSizeIterator {
    let (entries, len) = (load_u32(set.0 + ITEMS), set.len());
    (0..len).map(move |position| {
        let at = entries + position * SET_ENTRY;
        (load_u32(at + ENTRY_HASH), Value(load_u32(at + ENTRY_KEY)))
    })
}
