//! Writing JSON.

use crate::Value;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Which characters of a string are written as escapes beside those that must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escape {
    /// Quotes, backslashes, control characters, U+2028 and U+2029: OPA's output.
    Plain,
    /// `<`, `>` and `&` as well: `json.marshal`.
    Html,
}

/// The value as compact JSON: sets as sorted arrays, keys that are no strings as their JSON text, members in the order
/// of their keys' texts. Keys whose texts are equal appear once, the last one in Rego's order.
#[must_use]
pub fn to_string(value: &Value, escape: Escape) -> String {
    let mut out = String::new();
    write(value, escape, &mut out);
    out
}

/// The same, appended to a string.
pub fn write(value: &Value, escape: Escape, out: &mut String) {
    let mut steps = Vec::new();
    steps.push(Step::Value(value));
    while let Some(step) = steps.pop() {
        match step {
            Step::Text(text) => out.push_str(text),
            Step::Key(key, first) => {
                if !first {
                    out.push(',');
                }
                write_string(&key, escape, out);
                out.push(':');
            }
            Step::Value(Value::Null) => out.push_str("null"),
            Step::Value(Value::Bool(truth)) => out.push_str(if *truth { "true" } else { "false" }),
            Step::Value(Value::Number(number)) => out.push_str(&number.text()),
            Step::Value(Value::String(text)) => write_string(text, escape, out),
            Step::Value(Value::Array(items)) => {
                out.push('[');
                steps.push(Step::Text("]"));
                list(items.iter(), &mut steps);
            }
            Step::Value(Value::Set(items)) => {
                out.push('[');
                steps.push(Step::Text("]"));
                list(items.iter(), &mut steps);
            }
            Step::Value(Value::Object(members)) => {
                out.push('{');
                steps.push(Step::Text("}"));
                let members = keyed(members.iter(), escape);
                let last = members.len().saturating_sub(1);
                for (position, (key, value)) in members.into_iter().rev().enumerate() {
                    steps.push(Step::Value(value));
                    steps.push(Step::Key(key, position == last));
                }
            }
        }
    }
}

/// What is left to write.
enum Step<'a> {
    Value(&'a Value),
    Text(&'static str),
    /// A key, and whether it is the first.
    Key(String, bool),
}

fn list<'a>(items: impl DoubleEndedIterator<Item = &'a Value>, steps: &mut Vec<Step<'a>>) {
    for (position, item) in items.rev().enumerate() {
        if position > 0 {
            steps.push(Step::Text(","));
        }
        steps.push(Step::Value(item));
    }
}

/// The members by the texts of their keys.
fn keyed<'a>(
    members: impl Iterator<Item = (&'a Value, &'a Value)>,
    escape: Escape,
) -> Vec<(String, &'a Value)> {
    let mut keyed: Vec<(String, &Value)> = Vec::new();
    let mut sorted = true;
    for (key, value) in members {
        let text = match key {
            Value::String(text) => text.to_string(),
            // Recursion, but only as deep as keys are nested in keys.
            other => {
                sorted = false;
                to_string(other, escape)
            }
        };
        keyed.push((text, value));
    }
    if !sorted {
        keyed.sort_by(|a, b| a.0.cmp(&b.0));
        keyed.dedup_by(|later, earlier| {
            let same = later.0 == earlier.0;
            if same {
                earlier.1 = later.1;
            }
            same
        });
    }
    keyed
}

/// A string as JSON, quotes included.
pub fn write_string(text: &str, escape: Escape, out: &mut String) {
    out.push('"');
    let mut plain = 0;
    for (at, character) in text.char_indices() {
        let short = match character {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            '\u{8}' => "\\b",
            '\u{c}' => "\\f",
            '\u{2028}' => "\\u2028",
            '\u{2029}' => "\\u2029",
            '<' if escape == Escape::Html => "\\u003c",
            '>' if escape == Escape::Html => "\\u003e",
            '&' if escape == Escape::Html => "\\u0026",
            '\0'..' ' => "",
            _ => continue,
        };
        out.push_str(text.get(plain..at).unwrap_or_default());
        plain = at + character.len_utf8();
        if short.is_empty() {
            out.push_str("\\u00");
            for digit in [character as u32 >> 4, character as u32 & 15] {
                out.push(char::from_digit(digit, 16).unwrap_or('0'));
            }
        } else {
            out.push_str(short);
        }
    }
    out.push_str(text.get(plain..).unwrap_or_default());
    out.push('"');
}
