//! JSON with its members in the order in which they are added, laid out as Go's encoder does with an indent of two.

use rego_value::Value;
use rego_value::json::{Escape, write, write_string};

/// Compact JSON that is being written.
#[derive(Clone, Debug, Default)]
pub struct Object(String);

impl Object {
    /// No members yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a member whose value is JSON already.
    #[must_use]
    pub fn raw(mut self, name: &str, json: &str) -> Self {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        write_string(name, Escape::Html, &mut self.0);
        self.0.push(':');
        self.0.push_str(json);
        self
    }

    /// Adds a text.
    #[must_use]
    pub fn text(self, name: &str, text: &str) -> Self {
        self.raw(name, &string(text))
    }

    /// Adds a number.
    #[must_use]
    pub fn number(self, name: &str, number: impl std::fmt::Display) -> Self {
        self.raw(name, &number.to_string())
    }

    /// Adds a member `true`, or nothing.
    #[must_use]
    pub fn flag(self, name: &str, holds: bool) -> Self {
        if holds { self.raw(name, "true") } else { self }
    }

    /// The text.
    #[must_use]
    pub fn finish(mut self) -> String {
        if self.0.is_empty() {
            self.0.push('{');
        }
        self.0.push('}');
        self.0
    }
}

/// An array of what is JSON already.
#[must_use]
pub fn array(items: impl IntoIterator<Item = String>) -> String {
    format!("[{}]", items.into_iter().collect::<Vec<_>>().join(","))
}

/// A text as JSON.
#[must_use]
pub fn string(text: &str) -> String {
    let mut out = String::new();
    write_string(text, Escape::Html, &mut out);
    out
}

/// A value as compact JSON.
#[must_use]
pub fn value(value: &Value) -> String {
    let mut out = String::new();
    write(value, Escape::Html, &mut out);
    out
}

/// Compact JSON with line breaks and an indent of two.
#[must_use]
pub fn indented(compact: &str) -> String {
    let mut out = String::with_capacity(compact.len() * 2);
    let mut depth = 0_usize;
    let mut chars = compact.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                out.push('"');
                copy_string(&mut chars, &mut out);
            }
            '{' | '[' => {
                out.push(c);
                if let Some(close) = chars.next_if(|c| *c == '}' || *c == ']') {
                    out.push(close);
                } else {
                    depth += 1;
                    line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(',');
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c => out.push(c),
        }
    }
    out
}

fn copy_string(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, out: &mut String) {
    while let Some(c) = chars.next() {
        out.push(c);
        match c {
            '\\' => out.extend(chars.next()),
            '"' => return,
            _ => {}
        }
    }
}

fn line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_their_order_and_empty_ones_their_line() {
        let json =
            Object::new().text("b", "<x>").raw("a", "[1,{}]").flag("no", false).number("n", 2).finish();
        let wanted = "{\n  \"b\": \"\\u003cx\\u003e\",\n  \"a\": [\n    1,\n    {}\n  ],\n  \"n\": 2\n}";
        assert_eq!(indented(&json), wanted);
        assert_eq!(Object::new().finish(), "{}");
        assert_eq!(indented("\"a\\\",{\""), "\"a\\\",{\"");
    }
}
