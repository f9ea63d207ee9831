//! What a pipeline can hold.

use std::borrow::Cow;

use rego_value::json::{self, Escape};
use rego_value::{Number, Value};

use crate::gofmt::{self, Arg};

/// What Go prints for nothing.
pub(super) const NO_VALUE: &str = "<no value>";

/// How deep data may be nested to be printed.
const MAX_DEPTH: usize = 200;

#[derive(Clone, Debug)]
pub(super) enum Item {
    /// Not even null: a key that is not there.
    Missing,
    /// Of the data. Its numbers are texts.
    Data(Value),
    /// An integer of the template, or one that a function counted.
    Int(i64),
    /// A float of the template.
    Float(f64),
}

/// The types that can be compared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Basic {
    Bool,
    Int,
    Float,
    String,
}

impl Item {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Item::Data(Value::from(text.into()))
    }

    pub(super) fn bool(truth: bool) -> Self {
        Item::Data(Value::from(truth))
    }

    pub(super) fn is_nil(&self) -> bool {
        matches!(self, Item::Missing | Item::Data(Value::Null))
    }

    /// The type as Go names it.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Item::Missing | Item::Data(Value::Null) => "interface {}",
            Item::Data(Value::Bool(_)) => "bool",
            Item::Data(Value::Number(_)) => "json.Number",
            Item::Data(Value::String(_)) => "string",
            Item::Data(Value::Array(_) | Value::Set(_)) => "[]interface {}",
            Item::Data(Value::Object(_)) => "map[string]interface {}",
            Item::Int(_) => "int",
            Item::Float(_) => "float64",
        }
    }

    pub(super) fn basic(&self) -> Option<Basic> {
        match self {
            Item::Data(Value::Bool(_)) => Some(Basic::Bool),
            Item::Data(Value::Number(_) | Value::String(_)) => Some(Basic::String),
            Item::Int(_) => Some(Basic::Int),
            Item::Float(_) => Some(Basic::Float),
            _ => None,
        }
    }

    /// The text of a string, or of a number of the data.
    pub(super) fn as_text(&self) -> Option<Cow<'_, str>> {
        match self {
            Item::Data(Value::String(text)) => Some(Cow::Borrowed(text)),
            Item::Data(Value::Number(number)) => Some(number.text()),
            _ => None,
        }
    }

    /// How many elements, entries or bytes.
    pub(super) fn length(&self) -> Option<usize> {
        match self {
            Item::Data(Value::Array(items)) => Some(items.len()),
            Item::Data(Value::Set(items)) => Some(items.len()),
            Item::Data(Value::Object(members)) => Some(members.len()),
            other => other.as_text().map(|text| text.len()),
        }
    }

    pub(super) fn is_true(&self) -> bool {
        match self {
            Item::Missing | Item::Data(Value::Null) => false,
            Item::Data(Value::Bool(truth)) => *truth,
            Item::Int(int) => *int != 0,
            Item::Float(float) => *float != 0.0,
            other => other.length() != Some(0),
        }
    }

    /// The elements of a list.
    pub(super) fn elements(&self) -> Option<Vec<Value>> {
        match self {
            Item::Data(Value::Array(items)) => Some(items.iter().cloned().collect()),
            Item::Data(Value::Set(items)) => Some(items.iter().cloned().collect()),
            _ => None,
        }
    }

    /// The value under a key.
    pub(super) fn member(&self, name: &str) -> Item {
        let Item::Data(Value::Object(members)) = self else { return Item::Missing };
        let direct = Value::Object(members.clone()).get_str(name).cloned();
        let found = direct
            .or_else(|| entries(members).into_iter().find(|(key, _)| key == name).map(|(_, value)| value));
        found.map_or(Item::Missing, Item::Data)
    }

    /// As Go's `%v`, `depth` levels at most.
    pub(super) fn print(&self, out: &mut String) -> Result<(), String> {
        match self {
            Item::Missing => out.push_str(NO_VALUE),
            Item::Int(int) => out.push_str(&int.to_string()),
            Item::Float(float) => out.push_str(&gofmt::sprintf("%v", &[Arg::Float(*float)])),
            Item::Data(Value::Null) => out.push_str(NO_VALUE),
            Item::Data(value) => print(value, 0, out)?,
        }
        Ok(())
    }
}

/// The entries of an object by key, which is text.
pub(super) fn entries(members: &rego_value::Object) -> Vec<(String, Value)> {
    let text = |key: &Value| match key {
        Value::String(text) => text.to_string(),
        other => json::to_string(other, Escape::Plain),
    };
    let mut entries: Vec<(String, Value)> =
        members.iter().map(|(key, value)| (text(key), value.clone())).collect();
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    entries
}

fn print(value: &Value, depth: usize, out: &mut String) -> Result<(), String> {
    if depth > MAX_DEPTH {
        return Err(format!("data is nested deeper than {MAX_DEPTH}"));
    }
    let list = |items: &mut dyn Iterator<Item = &Value>, out: &mut String| {
        out.push('[');
        for (at, item) in items.enumerate() {
            if at > 0 {
                out.push(' ');
            }
            print(item, depth + 1, out)?;
        }
        out.push(']');
        Ok::<(), String>(())
    };
    match value {
        Value::Null => out.push_str("<nil>"),
        Value::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&Number::text(number)),
        Value::String(text) => out.push_str(text),
        Value::Array(items) => list(&mut items.iter(), out)?,
        Value::Set(items) => list(&mut items.iter(), out)?,
        Value::Object(members) => {
            out.push_str("map[");
            for (at, (key, value)) in entries(members).into_iter().enumerate() {
                if at > 0 {
                    out.push(' ');
                }
                out.push_str(&key);
                out.push(':');
                print(&value, depth + 1, out)?;
            }
            out.push(']');
        }
    }
    Ok(())
}
