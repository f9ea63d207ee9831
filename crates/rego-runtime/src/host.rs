//! The parts of OPA's ABI that need no policy: contexts, documents, texts.

use crate::json::{self, Format};
use crate::memory::{alloc, bytes, store_u32};
use crate::value::Value;
use crate::{array, table};
use rego_value::json::Escape;

/// Offsets in an evaluation context, four words of which each is 0 at first.
pub mod context {
    /// The input document.
    pub const INPUT: u32 = 0;
    /// The data document.
    pub const DATA: u32 = 4;
    /// The number of the entrypoint.
    pub const ENTRYPOINT: u32 = 8;
    /// The result, an array.
    pub const RESULT: u32 = 12;
    /// Size of a context.
    pub const SIZE: u32 = 16;
}

/// A new context; an evaluation begins, so that the error of the last one is forgotten.
pub(crate) fn context_new() -> u32 {
    crate::error::clear();
    let context = alloc(context::SIZE);
    for word in (0..context::SIZE).step_by(4) {
        store_u32(context + word, 0);
    }
    context
}

/// What a document's change can answer, as the ABI numbers it.
const OK: u32 = 0;
const INVALID_TYPE: u32 = 2;
const INVALID_PATH: u32 = 3;

/// Sets the value at a path of a document in place, making the objects on the way that are missing.
pub(crate) fn add_path(base: Value, path: Value, value: Value) -> u32 {
    if !base.is_object() || !path.is_array() {
        return INVALID_TYPE;
    }
    let Some(last) = path.len().checked_sub(1) else { return INVALID_PATH };
    let mut node = base;
    for key in array::iter(path).take(last as usize) {
        let next = table::get(node, key);
        node = if next.is_object() {
            next
        } else if next.is_defined() {
            return INVALID_PATH;
        } else {
            let made = table::new_object(1);
            table::insert(node, key, made);
            made
        };
    }
    table::insert(node, array::item(path, last), value);
    OK
}

/// Takes the value at a path out of a document in place; a path that leads nowhere is fine.
pub(crate) fn remove_path(base: Value, path: Value) -> u32 {
    if !base.is_object() || !path.is_array() {
        return INVALID_TYPE;
    }
    let Some(last) = path.len().checked_sub(1) else { return INVALID_PATH };
    let mut node = base;
    for key in array::iter(path).take(last as usize) {
        node = table::get(node, key);
        if !node.is_object() {
            return OK;
        }
    }
    table::remove(node, array::item(path, last));
    OK
}

/// The value's JSON text as the ABI hands it out: NUL-terminated.
pub(crate) fn json_dump(value: Value) -> u32 {
    json::dump(value, Format::Json(Escape::Plain))
}

/// The value's Rego text as the ABI hands it out: NUL-terminated.
pub(crate) fn value_dump(value: Value) -> u32 {
    json::dump(value, Format::Rego)
}

/// Reads JSON with sets; 0 on an error.
pub(crate) fn value_parse(address: u32, len: u32) -> Value {
    crate::value_text::parse(bytes(address, len)).unwrap_or(Value::UNDEFINED)
}
