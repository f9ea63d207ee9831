//! `opa_value_parse`: JSON with sets, `{1, "a"}` and `set()`, and keys of any kind.
//!
//! Scalars are read by the reader of JSON, one at a time; only brackets are handled here.

use crate::json::parse as parse_json;
use crate::value::Value;
use crate::{array, table};
use alloc::vec::Vec;
use rego_value::abi::KIND_SET;
use rego_value::json::MAX_DEPTH;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Array,
    /// `{`, before it is known what it begins.
    Brace,
    Object,
    Set,
}

struct Frame {
    open: Open,
    /// Where its values begin: elements, or keys and values by turns.
    start: usize,
}

/// Reads a text; `None` where it is none.
pub(crate) fn parse(text: &[u8]) -> Option<Value> {
    let mut at = 0;
    let mut values: Vec<u32> = Vec::new();
    let mut frames: Vec<Frame> = Vec::new();
    loop {
        // INVARIANT: a value begins here, or a bracket that has just been opened is closed.
        at = skip_space(text, at);
        let byte = *text.get(at)?;
        if let (b'[' | b'{', true) = (byte, (frames.len() as u32) < MAX_DEPTH) {
            let open = if byte == b'[' { Open::Array } else { Open::Brace };
            frames.push(Frame { open, start: values.len() });
            at += 1;
            let next = skip_space(text, at);
            if !matches!(text.get(next), Some(b']' | b'}')) {
                continue;
            }
            at = next;
        } else {
            let end = scalar_end(text, at)?;
            let value = match text.get(at..end)? {
                b"set()" => table::new_set(0),
                scalar => parse_json(scalar).ok()?,
            };
            values.push(value.0);
            at = end;
        }
        // A value has ended, or a collection is empty: close what ends here.
        loop {
            at = skip_space(text, at);
            let Some(frame) = frames.last_mut() else {
                return (at == text.len()).then(|| values.pop().map(Value)).flatten();
            };
            let byte = *text.get(at)?;
            at += 1;
            let count = values.len() - frame.start;
            match (byte, frame.open) {
                (b',', Open::Array | Open::Set) => break,
                (b',', Open::Object) if count.is_multiple_of(2) => break,
                (b',', Open::Brace) if count == 1 => {
                    frame.open = Open::Set;
                    break;
                }
                (b':', Open::Object) if !count.is_multiple_of(2) => break,
                (b':', Open::Brace) if count == 1 => {
                    frame.open = Open::Object;
                    break;
                }
                (b']', Open::Array) => close(&mut values, &mut frames),
                (b'}', Open::Set | Open::Brace) => close(&mut values, &mut frames),
                (b'}', Open::Object) if count.is_multiple_of(2) => close(&mut values, &mut frames),
                _ => return None,
            }
        }
    }
}

fn close(values: &mut Vec<u32>, frames: &mut Vec<Frame>) {
    let Some(Frame { open, start }) = frames.pop() else { return };
    let parts = values.get(start..).unwrap_or_default();
    let value = match open {
        Open::Array => array::from_slice(parts),
        Open::Set | Open::Brace if !(open == Open::Brace && parts.is_empty()) => {
            let set = table::new_set(parts.len() as u32);
            debug_assert_eq!(set.heap_kind(), KIND_SET);
            parts.iter().for_each(|part| table::add(set, Value(*part)));
            set
        }
        _ => {
            let (members, _) = parts.as_chunks::<2>();
            let object = table::new_object(members.len() as u32);
            members.iter().for_each(|[key, value]| table::insert(object, Value(*key), Value(*value)));
            object
        }
    };
    values.truncate(start);
    values.push(value.0);
}

fn skip_space(text: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\n' | b'\r') = text.get(at) {
        at += 1;
    }
    at
}

/// The end of the scalar, or of `set()`, that begins here.
fn scalar_end(text: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    if text.get(at) == Some(&b'"') {
        at += 1;
        loop {
            match text.get(at)? {
                b'"' => return Some(at + 1),
                b'\\' => at += 2,
                _ => at += 1,
            }
        }
    }
    while let Some(byte) = text.get(at) {
        match byte {
            b',' | b':' | b']' | b'}' | b'[' | b'{' | b' ' | b'\t' | b'\n' | b'\r' => break,
            _ => at += 1,
        }
    }
    (at > start).then_some(at)
}
