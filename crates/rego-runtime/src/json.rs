//! JSON in and out.

use crate::memory::bytes;
use crate::table;
use crate::value::{Num, Value};
use crate::{array, order};
use alloc::string::String;
use alloc::vec::Vec;
use rego_value::abi::{
    FALSE, KIND_ARRAY, KIND_DECIMAL, KIND_FLOAT, KIND_INT, KIND_OBJECT, KIND_SET, KIND_STRING, NULL, TRUE,
};
use rego_value::json::{self, Error, Escape, Event, Parent, ParseError, Sink};

/// Builds values in the module's memory from the events of a reader.
pub(crate) struct Builder {
    /// What belongs to collections that are not closed: an array's elements, an object's `hash, key, value`.
    words: Vec<u32>,
    /// Those collections, and where their words begin.
    open: Vec<(Parent, u32)>,
}

impl Builder {
    pub(crate) fn new() -> Builder {
        Builder { words: Vec::with_capacity(96), open: Vec::with_capacity(16) }
    }

    /// The value, when the text has ended.
    pub(crate) fn finish(mut self) -> Value {
        Value(self.words.pop().unwrap_or(0))
    }

    fn object(&mut self, start: usize) -> Value {
        let words = self.words.get(start..).unwrap_or_default();
        let object = table::object_from_words(words);
        self.words.truncate(start);
        object
    }

    fn array(&mut self, start: usize) -> Value {
        let array = array::from_slice(self.words.get(start..).unwrap_or_default());
        self.words.truncate(start);
        array
    }
}

impl Sink for Builder {
    #[inline]
    fn scalar(&mut self, event: Event<'_>) -> Result<(), Error> {
        let value = match event {
            Event::Null => Value(NULL),
            Event::Bool(truth) => Value::bool(truth),
            Event::Int(int) => Value::int(int),
            Event::Number(text) => Value::number_text(text),
            Event::String(bytes, hash) => Value::string_hashed(bytes, hash),
        };
        self.words.push(value.0);
        Ok(())
    }

    #[inline]
    fn key(&mut self, text: &[u8], hash: u32) -> Result<(), Error> {
        self.words.push(hash);
        self.words.push(Value::string_hashed(text, hash).0);
        Ok(())
    }

    fn begin(&mut self, kind: Parent) -> Result<(), Error> {
        self.open.push((kind, self.words.len() as u32));
        Ok(())
    }

    fn end(&mut self) -> Result<Parent, Error> {
        let (kind, start) = self.open.pop().unwrap_or((Parent::Array, 0));
        let value =
            if kind == Parent::Object { self.object(start as usize) } else { self.array(start as usize) };
        self.words.push(value.0);
        Ok(self.open.last().map_or(Parent::Top, |(kind, _)| *kind))
    }
}

/// Reads a text.
pub(crate) fn parse(text: &[u8]) -> Result<Value, ParseError> {
    let mut builder = Builder::new();
    json::parse_into(text, &mut builder)?;
    Ok(builder.finish())
}

/// Reads the text that the host has written; 0 where it is not JSON.
pub(crate) fn parse_at(address: u32, len: u32) -> Value {
    // Hosts count a C string's end in, as OPA's own parser allows: the opa-wasm crate does for data.
    let text = bytes(address, len);
    parse(text.strip_suffix(b"\0").unwrap_or(text)).unwrap_or(Value::UNDEFINED)
}

/// How values are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// JSON: sets as arrays, keys as strings, in the order of the keys' texts.
    Json(Escape),
    /// Compact Rego: sets as sets, any key. What `opa_value_parse` reads.
    Rego,
    /// Rego as OPA prints a value: spaced, and strings quoted as Go does.
    Display,
}

impl Format {
    fn comma(self) -> &'static str {
        if self == Format::Display { ", " } else { "," }
    }

    fn colon(self) -> &'static str {
        if self == Format::Display { ": " } else { ":" }
    }
}

enum Step {
    Value(Value),
    Text(&'static str),
}

/// Writes a value.
pub(crate) fn write(value: Value, format: Format, out: &mut String) {
    let mut steps = Vec::new();
    steps.push(Step::Value(value));
    while let Some(step) = steps.pop() {
        match step {
            Step::Text(text) => out.push_str(text),
            Step::Value(value) => write_one(value, format, out, &mut steps),
        }
    }
}

fn write_one(value: Value, format: Format, out: &mut String, steps: &mut Vec<Step>) {
    match value.heap_kind() {
        KIND_STRING => match format {
            Format::Display => rego_value::text::quote(value.inline_text(), out),
            Format::Rego => json::write_string(value.inline_text(), Escape::Plain, out),
            Format::Json(escape) => json::write_string(value.inline_text(), escape, out),
        },
        KIND_DECIMAL => out.push_str(value.inline_text()),
        KIND_FLOAT => {
            out.push_str(crate::exports::rt_wide_text(value).inline_text());
        }
        KIND_ARRAY => {
            out.push('[');
            steps.push(Step::Text("]"));
            write_list(array::iter(value).rev(), format, steps);
        }
        KIND_SET => {
            table::sort(value);
            let (open, close) = match format {
                Format::Json(_) => ("[", "]"),
                _ if value.len() == 0 => ("set(", ")"),
                _ => ("{", "}"),
            };
            out.push_str(open);
            steps.push(Step::Text(close));
            write_list(table::elements(value).rev().map(|(_, element)| element), format, steps);
        }
        KIND_OBJECT => {
            out.push('{');
            steps.push(Step::Text("}"));
            write_members(value, format, steps);
        }
        KIND_INT => write_int(value, out),
        _ => match value.0 {
            NULL => out.push_str("null"),
            TRUE => out.push_str("true"),
            FALSE => out.push_str("false"),
            _ => write_int(value, out),
        },
    }
}

fn write_int(value: Value, out: &mut String) {
    if let Some(Num::Int(int)) = value.as_num() {
        crate::text::push_int(out, int);
    }
}

fn write_list(reversed: impl Iterator<Item = Value>, format: Format, steps: &mut Vec<Step>) {
    let mut first = true;
    for item in reversed {
        if !first {
            steps.push(Step::Text(format.comma()));
        }
        first = false;
        steps.push(Step::Value(item));
    }
}

fn write_members(object: Value, format: Format, steps: &mut Vec<Step>) {
    table::sort(object);
    let plain = !matches!(format, Format::Json(_))
        || table::members(object).all(|(_, key, _)| key.as_str().is_some());
    let object = if plain { object } else { with_text_keys(object, format) };
    let mut first = true;
    for (_, key, value) in table::members(object).rev() {
        if !first {
            steps.push(Step::Text(format.comma()));
        }
        first = false;
        steps.push(Step::Value(value));
        steps.push(Step::Text(format.colon()));
        steps.push(Step::Value(key));
    }
}

/// A copy whose keys are strings: the JSON texts of those that are none.
pub(crate) fn with_text_keys(object: Value, format: Format) -> Value {
    let copy = table::new_object(object.len());
    for (_, key, value) in table::members(object) {
        let key = if key.as_str().is_some() {
            key
        } else {
            let mut text = String::new();
            write(key, format, &mut text);
            Value::string(&text)
        };
        table::insert_hashed(copy, order::hash(key), key, value);
    }
    table::sort(copy);
    copy
}

/// A value's text, NUL-terminated, as the ABI hands it out: the address of its first byte.
pub(crate) fn dump(value: Value, format: Format) -> u32 {
    let mut text = String::with_capacity(64);
    write(value, format, &mut text);
    let string = Value::string(&text);
    string.0 + rego_value::abi::TEXT_BYTES
}
