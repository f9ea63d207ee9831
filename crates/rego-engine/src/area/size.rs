//! How much memory a value takes at most.

use rego_value::abi::{
    ARRAY_SIZE, COLUMN_PADDING, INT_SIZE, OBJECT_ENTRY, SET_ENTRY, TABLE_SIZE, TEXT_BYTES, align_up,
    index_slots, small_int,
};
use rego_value::{Number, Value};

/// The bytes that a value takes where none of its strings lies in the module already, and each array has a column, if
/// there are any; none beyond 32 bits.
pub(crate) fn bound(value: &Value, columns: bool) -> Option<u32> {
    let mut total: u64 = 0;
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        total += match value {
            Value::Null | Value::Bool(_) => 0,
            Value::Number(number) => number_size(number),
            Value::String(text) => text_size(text.len()),
            Value::Array(items) => {
                open.extend(items.iter());
                let column = if columns { 1 + items.len() + COLUMN_PADDING } else { 0 };
                u64::from(ARRAY_SIZE) + padded(items.len() + column, 4)
            }
            Value::Object(members) => {
                open.extend(members.iter().flat_map(|(key, value)| [key, value]));
                table(members.len(), OBJECT_ENTRY)?
            }
            Value::Set(items) => {
                open.extend(items.iter());
                table(items.len(), SET_ENTRY)?
            }
        };
    }
    u32::try_from(total).ok()
}

/// The bytes of a string.
pub(crate) const fn text_size(length: usize) -> u64 {
    TEXT_BYTES as u64 + (length as u64 / 8 + 1) * 8
}

fn number_size(number: &Number) -> u64 {
    match number.as_plain_int() {
        Some(int) if small_int(int).is_some() => 0,
        Some(_) => u64::from(INT_SIZE),
        None => text_size(number.text().len()),
    }
}

fn table(count: usize, entry: u32) -> Option<u64> {
    let slots = index_slots(u32::try_from(count).ok().filter(|count| *count < 1 << 26)?);
    Some(u64::from(TABLE_SIZE) + padded(count, u64::from(entry)) + u64::from(align_up(slots * 4)))
}

const fn padded(count: usize, each: u64) -> u64 {
    (count as u64 * each).next_multiple_of(8)
}
