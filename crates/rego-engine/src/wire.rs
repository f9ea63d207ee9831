//! Values as the text that every module understands (`opa_value_parse`, `opa_value_dump`): JSON with
//! sets, `{1,2}` and `set()`, and keys of any kind.

use rego_value::json::{self, Escape};
use rego_value::{Number, Value};

/// Writes a value.
pub(crate) fn write(value: &Value, out: &mut String) {
    enum Step<'a> {
        Value(&'a Value),
        Text(&'static str),
    }
    let mut steps = vec![Step::Value(value)];
    while let Some(step) = steps.pop() {
        let value = match step {
            Step::Text(text) => {
                out.push_str(text);
                continue;
            }
            Step::Value(value) => value,
        };
        match value {
            Value::Array(items) => {
                out.push('[');
                steps.push(Step::Text("]"));
                for (i, item) in items.iter().enumerate().rev() {
                    steps.push(Step::Value(item));
                    steps.push(Step::Text(if i == 0 { "" } else { "," }));
                }
            }
            Value::Set(items) if items.is_empty() => out.push_str("set()"),
            Value::Set(items) => {
                out.push('{');
                steps.push(Step::Text("}"));
                let last = items.len() - 1;
                for (i, item) in items.iter().rev().enumerate() {
                    steps.push(Step::Value(item));
                    steps.push(Step::Text(if i == last { "" } else { "," }));
                }
            }
            Value::Object(members) => {
                out.push('{');
                steps.push(Step::Text("}"));
                let last = members.len().saturating_sub(1);
                for (i, (key, value)) in members.iter().rev().enumerate() {
                    steps.push(Step::Value(value));
                    steps.push(Step::Text(":"));
                    steps.push(Step::Value(key));
                    steps.push(Step::Text(if i == last { "" } else { "," }));
                }
            }
            scalar => json::write(scalar, Escape::Plain, out),
        }
    }
}

/// What is being read around the place at hand.
enum Open {
    Array(Vec<Value>),
    /// `{` of which it is not known yet whether it is an object or a set.
    Brace,
    Set(Vec<Value>),
    /// The members so far, and the key whose value comes next.
    Object(Vec<(Value, Value)>, Option<Value>),
}

/// Reads a value; None when the text is none. Takes no stack for nesting.
pub(crate) fn read(text: &str) -> Option<Value> {
    let mut reader = Reader { rest: text };
    let mut open: Vec<Open> = Vec::new();
    loop {
        let mut value = reader.value_or_open(&mut open)?;
        // Put each finished value where it belongs, until something needs another one.
        while let Some(finished) = value {
            reader.skip_space();
            let Some(top) = open.pop() else {
                return reader.rest.is_empty().then_some(finished);
            };
            value = reader.place(finished, top, &mut open)?;
        }
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn eat(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                self.skip_space();
                true
            }
            None => false,
        }
    }

    /// A scalar or an empty collection; or none after something was opened. The outer `None` is an error.
    #[expect(clippy::option_option, reason = "no value yet is not the same as no value at all")]
    fn value_or_open(&mut self, open: &mut Vec<Open>) -> Option<Option<Value>> {
        self.skip_space();
        if self.eat("[") {
            if self.eat("]") {
                return Some(Some(Value::array([])));
            }
            open.push(Open::Array(Vec::new()));
            return Some(None);
        }
        if self.eat("{") {
            if self.eat("}") {
                return Some(Some(Value::object([])));
            }
            open.push(Open::Brace);
            return Some(None);
        }
        if self.eat("set()") {
            return Some(Some(Value::set([])));
        }
        self.scalar().map(Some)
    }

    /// Adds a finished value to the innermost open collection, which may be finished by that.
    #[expect(clippy::option_option, reason = "no value yet is not the same as no value at all")]
    fn place(&mut self, value: Value, top: Open, open: &mut Vec<Open>) -> Option<Option<Value>> {
        match top {
            Open::Array(mut items) => {
                items.push(value);
                if self.eat("]") {
                    return Some(Some(Value::array(items)));
                }
                open.push(Open::Array(items));
            }
            Open::Brace if self.eat(":") => {
                open.push(Open::Object(Vec::new(), Some(value)));
                return Some(None);
            }
            Open::Brace => return self.place(value, Open::Set(Vec::new()), open),
            Open::Set(mut items) => {
                items.push(value);
                if self.eat("}") {
                    return Some(Some(Value::set(items)));
                }
                open.push(Open::Set(items));
            }
            Open::Object(members, None) => {
                if !self.eat(":") {
                    return None;
                }
                open.push(Open::Object(members, Some(value)));
                return Some(None);
            }
            Open::Object(mut members, Some(key)) => {
                members.push((key, value));
                if self.eat("}") {
                    return Some(Some(Value::object(members)));
                }
                open.push(Open::Object(members, None));
            }
        }
        self.eat(",").then_some(None)
    }

    fn scalar(&mut self) -> Option<Value> {
        for (token, value) in [("null", Value::Null), ("true", true.into()), ("false", false.into())] {
            if self.eat(token) {
                return Some(value);
            }
        }
        if self.rest.starts_with('"') {
            return self.string();
        }
        let end = self.rest.find(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E'));
        let (text, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        Number::parse(text).ok().map(Value::Number)
    }

    fn string(&mut self) -> Option<Value> {
        let bytes = self.rest.as_bytes();
        let mut end = 1;
        loop {
            match bytes.get(end)? {
                b'"' => break,
                b'\\' => end += 2,
                _ => end += 1,
            }
        }
        let (literal, rest) = self.rest.split_at_checked(end + 1)?;
        self.rest = rest;
        let inside = literal.get(1..end)?;
        if inside.contains('\\') || inside.bytes().any(|byte| byte < b' ') {
            json::parse(literal.as_bytes()).ok()
        } else {
            Some(Value::from(inside))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &Value) -> String {
        let mut out = String::new();
        write(value, &mut out);
        out
    }

    #[test]
    fn what_is_written_is_read_back() {
        for source in [
            "null",
            "[]",
            "{}",
            "set()",
            "[1,-2.5e3,\"a\\\"b\\n\\u0001\",true]",
            "{\"a\":{1,2,{3}},\"b\":[{},set()]}",
            "{1:\"x\",[2]:{\"y\"}}",
        ] {
            let value = read(source).unwrap();
            assert_eq!(read(&text(&value)), Some(value), "{source}");
        }
        assert_eq!(text(&read(" { 1 , 2 } ").unwrap()), "{1,2}");
    }

    #[test]
    fn what_is_no_value_is_refused() {
        for source in
            ["", "[", "[1", "[1,", "{1:2", "{1:2,3}", "{1,2:3}", "\"a", "nul", "1 2", "[1]]", "set("]
        {
            assert_eq!(read(source), None, "{source}");
        }
    }

    #[test]
    fn nesting_takes_no_stack() {
        let depth = 200_000;
        let source = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let value = read(&source).unwrap();
        assert_eq!(text(&value), source);
    }
}
