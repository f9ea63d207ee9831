//! A value, laid out as far as it is read.

use rego_value::abi::{FALSE, FLAG_SORTED, Known, NULL, TRUE, UNDEFINED, Writer, column, hash_string};
use rego_value::number::plain_i64;
use rego_value::{Number, Object, Value};

use super::Fault;
use super::heap::{Entry, Heap};
use super::projection::Node;

/// Values nested deeper are laid out by a writer that takes no stack.
const MAX_DEPTH: usize = 64;

/// Lays out what the node reads of a value.
pub(crate) fn write(value: &Value, node: &Node, heap: &mut Heap<'_>) -> Result<u32, Fault> {
    if node.whole {
        return whole(value, None, heap, 0);
    }
    match value {
        Value::Array(items) => {
            let mut handles = Vec::new();
            if let Some(each) = &node.each {
                handles.reserve(items.len());
                for item in items.iter() {
                    handles.push(write(item, each, heap)?);
                }
            }
            heap.array(&handles)
        }
        Value::Object(members) => object(members, node, heap),
        _ => whole(value, None, heap, 0),
    }
}

fn object(members: &Object, node: &Node, heap: &mut Heap<'_>) -> Result<u32, Fault> {
    let Some(each) = &node.each else {
        let mut entries = Vec::with_capacity(node.members.len());
        for member in &node.members {
            let value = match members.get(&member.value) {
                Some(value) => write(value, &member.node, heap)?,
                None => UNDEFINED,
            };
            entries.push([member.hash, member.handle, value]);
        }
        return heap.slots(&entries);
    };
    let mut entries: Vec<Entry> = Vec::with_capacity(members.len());
    for (key, value) in members.iter() {
        // Other keys exist in values only, never in texts.
        let Some(key) = key.as_str() else { return foreign(&Value::Object(members.clone()), None, heap) };
        let found = node.find(key.into()).and_then(|position| node.members.get(position));
        let (handle, hash, node) = match found {
            Some(member) => (member.handle, member.hash, &member.node),
            None => {
                let (handle, hash) = heap.string(key.into())?;
                (handle, hash, &**each)
            }
        };
        entries.push([hash, handle, write(value, node, heap)?]);
    }
    heap.object(&mut entries, FLAG_SORTED)
}

/// Lays out all of a value; strings that lie in the module already are not laid out again.
pub(crate) fn whole(
    value: &Value,
    known: Option<&Known>,
    heap: &mut Heap<'_>,
    depth: usize,
) -> Result<u32, Fault> {
    match value {
        Value::Null => Ok(NULL),
        Value::Bool(false) => Ok(FALSE),
        Value::Bool(true) => Ok(TRUE),
        Value::Number(value) => number(value, heap),
        Value::String(text) => Ok(string(text, known, heap)?.0),
        Value::Array(items) if depth < MAX_DEPTH => {
            let mut handles = Vec::with_capacity(items.len());
            for item in items.iter() {
                handles.push(whole(item, known, heap, depth + 1)?);
            }
            match known.and_then(|known| column(items, &known.columns)) {
                Some(column) => heap.array_with_column(&mut handles, &column),
                None => heap.array(&handles),
            }
        }
        Value::Object(members) if depth < MAX_DEPTH && members.keys().all(|key| key.as_str().is_some()) => {
            let mut entries: Vec<Entry> = Vec::with_capacity(members.len());
            for (key, value) in members.iter() {
                let (handle, hash) = string(key.as_str().unwrap_or_default(), known, heap)?;
                entries.push([hash, handle, whole(value, known, heap, depth + 1)?]);
            }
            heap.object(&mut entries, FLAG_SORTED)
        }
        _ => foreign(value, known, heap),
    }
}

/// A string's handle and hash.
fn string(text: &str, known: Option<&Known>, heap: &mut Heap<'_>) -> Result<(u32, u32), Fault> {
    match known.and_then(|known| known.strings.get(text)) {
        Some(handle) => Ok((*handle, hash_string(text.as_bytes()))),
        None => heap.string(text.into()),
    }
}

pub(crate) fn number(number: &Number, heap: &mut Heap<'_>) -> Result<u32, Fault> {
    match number.as_plain_int() {
        Some(int) => heap.int(int),
        None => heap.decimal(number.text().as_bytes(), number.hash32()),
    }
}

/// The same by its text, of which no copy is made.
pub(crate) fn number_text(text: &str, heap: &mut Heap<'_>) -> Result<u32, Fault> {
    if let Some(int) = plain_i64(text.as_bytes()) {
        return heap.int(int);
    }
    let decimal = Number::check_text(text).map_err(|_| Fault::Invalid)?;
    heap.decimal(text.as_bytes(), decimal.hash32())
}

/// Sets, keys that are no strings, and deep nesting.
fn foreign(value: &Value, known: Option<&Known>, heap: &mut Heap<'_>) -> Result<u32, Fault> {
    let mut writer = match known {
        Some(known) => Writer::heap_beside(heap.top(), known),
        None => Writer::heap(heap.top()),
    };
    let handle = writer.value(value).map_err(|_| Fault::Full)?;
    heap.copy(&writer.into_bytes())?;
    Ok(handle)
}
