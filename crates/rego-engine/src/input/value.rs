//! A value, laid out as far as it is read.

use rego_value::abi::{FALSE, FLAG_SORTED, NULL, TRUE, UNDEFINED, Writer};
use rego_value::{Number, Object, Value};

use super::Fault;
use super::heap::{Entry, Heap};
use super::projection::Node;

/// Values nested deeper are laid out by a writer that takes no stack.
const MAX_DEPTH: usize = 64;

/// Lays out what the node reads of a value.
pub(super) fn write(value: &Value, node: &Node, heap: &mut Heap<'_>) -> Result<u32, Fault> {
    if node.whole {
        return whole(value, heap, 0);
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
        _ => whole(value, heap, 0),
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
        let Some(key) = key.as_str() else { return foreign(&Value::Object(members.clone()), heap) };
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

fn whole(value: &Value, heap: &mut Heap<'_>, depth: usize) -> Result<u32, Fault> {
    match value {
        Value::Null => Ok(NULL),
        Value::Bool(false) => Ok(FALSE),
        Value::Bool(true) => Ok(TRUE),
        Value::Number(value) => number(value, heap),
        Value::String(text) => Ok(heap.string((&**text).into())?.0),
        Value::Array(items) if depth < MAX_DEPTH => {
            let mut handles = Vec::with_capacity(items.len());
            for item in items.iter() {
                handles.push(whole(item, heap, depth + 1)?);
            }
            heap.array(&handles)
        }
        Value::Object(members) if depth < MAX_DEPTH && members.keys().all(|key| key.as_str().is_some()) => {
            let mut entries: Vec<Entry> = Vec::with_capacity(members.len());
            for (key, value) in members.iter() {
                let (handle, hash) = heap.string(key.as_str().unwrap_or_default().into())?;
                entries.push([hash, handle, whole(value, heap, depth + 1)?]);
            }
            heap.object(&mut entries, FLAG_SORTED)
        }
        _ => foreign(value, heap),
    }
}

pub(super) fn number(number: &Number, heap: &mut Heap<'_>) -> Result<u32, Fault> {
    match number.as_plain_int() {
        Some(int) => heap.int(int),
        None => heap.decimal(number.text().as_bytes(), number.hash32()),
    }
}

/// Sets, keys that are no strings, and deep nesting.
fn foreign(value: &Value, heap: &mut Heap<'_>) -> Result<u32, Fault> {
    let mut writer = Writer::heap(heap.top());
    let handle = writer.value(value).map_err(|_| Fault::Full)?;
    heap.copy(&writer.into_bytes())?;
    Ok(handle)
}
