//! A value as Rego text: what OPA prints for a value, and what `opa_value_parse` reads (JSON with sets).

use crate::Value;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

impl fmt::Display for Value {
    /// As OPA's `String()` of a value: `{"a": [1, {2, 3}], "b": set()}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::new();
        write(self, ", ", ": ", &mut out);
        f.write_str(&out)
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The value as OPA's `String()` of it, with these texts between elements and after keys.
pub fn write(value: &Value, comma: &str, colon: &str, out: &mut String) {
    enum Step<'a> {
        Value(&'a Value),
        Comma,
        Colon,
        Close(char),
    }
    fn list<'a>(items: impl DoubleEndedIterator<Item = &'a Value>, steps: &mut Vec<Step<'a>>) {
        for item in items.rev() {
            steps.push(Step::Value(item));
            steps.push(Step::Comma);
        }
        // None before the first.
        if matches!(steps.last(), Some(Step::Comma)) {
            steps.pop();
        }
    }
    let mut steps = Vec::new();
    steps.push(Step::Value(value));
    while let Some(step) = steps.pop() {
        match step {
            Step::Comma => out.push_str(comma),
            Step::Colon => out.push_str(colon),
            Step::Close(bracket) => out.push(bracket),
            Step::Value(Value::Null) => out.push_str("null"),
            Step::Value(Value::Bool(truth)) => out.push_str(if *truth { "true" } else { "false" }),
            Step::Value(Value::Number(number)) => out.push_str(&number.text()),
            Step::Value(Value::String(text)) => quote(text, out),
            Step::Value(Value::Array(items)) => {
                out.push('[');
                steps.push(Step::Close(']'));
                list(items.iter(), &mut steps);
            }
            Step::Value(Value::Set(items)) if items.is_empty() => out.push_str("set()"),
            Step::Value(Value::Set(items)) => {
                out.push('{');
                steps.push(Step::Close('}'));
                list(items.iter(), &mut steps);
            }
            Step::Value(Value::Object(members)) => {
                out.push('{');
                steps.push(Step::Close('}'));
                let last = members.len().saturating_sub(1);
                for (position, (key, value)) in members.iter().rev().enumerate() {
                    steps.extend([Step::Value(value), Step::Colon, Step::Value(key)]);
                    if position < last {
                        steps.push(Step::Comma);
                    }
                }
            }
        }
    }
}

/// A string in quotes, as Go's `strconv.Quote` writes it.
pub fn quote(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            ' '..='~' => out.push(character),
            _ if is_printable(character) => out.push(character),
            '\0'..='\u{7f}' => push_hex(out, "\\x", character as u32, 2),
            '\u{80}'..='\u{ffff}' => push_hex(out, "\\u", character as u32, 4),
            _ => push_hex(out, "\\U", character as u32, 8),
        }
    }
    out.push('"');
}

fn push_hex(out: &mut String, prefix: &str, code: u32, digits: u32) {
    out.push_str(prefix);
    for place in (0..digits).rev() {
        out.push(char::from_digit(code >> (place * 4) & 15, 16).unwrap_or('0'));
    }
}

/// Letters, marks, numbers, punctuation, symbols: what the standard library does not escape inside a text.
fn is_printable(character: char) -> bool {
    let mut bytes = [b'a', 0, 0, 0, 0];
    let Some((_, rest)) = bytes.split_first_mut() else { return false };
    let length = 1 + character.encode_utf8(rest).len();
    let text = bytes.get(..length).and_then(|bytes| core::str::from_utf8(bytes).ok()).unwrap_or_default();
    text.escape_debug().nth(1) == Some(character)
}
