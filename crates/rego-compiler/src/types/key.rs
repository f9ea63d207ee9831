//! The key of a known property: a constant.

use std::fmt;

use rego_syntax::ast::{Name, Term, Value};

use super::Type;

/// A constant that selects a property, compared by value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(Value);

impl Key {
    /// The key with this text.
    pub fn string(text: &str) -> Self {
        Self(Value::String(Name::new(text)))
    }

    /// The key of a constant term; nothing for terms that need evaluation.
    pub fn of_constant(value: &Value) -> Option<Self> {
        is_constant(value).then(|| Self(value.clone()))
    }

    /// The constant.
    pub fn value(&self) -> &Value {
        &self.0
    }

    /// The position in an array that the key selects.
    pub fn as_position(&self) -> Option<usize> {
        match &self.0 {
            Value::Number(number) => number.as_i64().and_then(|n| usize::try_from(n).ok()),
            _ => None,
        }
    }

    /// The type of the key itself.
    pub fn type_of(&self) -> Type {
        type_of(&self.0)
    }
}

fn type_of(value: &Value) -> Type {
    let element = |term: &Term| Some(type_of(&term.value));
    match value {
        Value::Bool(_) => Type::Boolean,
        Value::Number(_) => Type::Number,
        Value::String(_) | Value::TemplateString(_) => Type::String,
        Value::Array(items) | Value::Set(items) => Type::array(items.iter().map(element).collect(), None),
        Value::Object(entries) => {
            Type::object(entries.iter().map(|(k, v)| (Key(k.value.clone()), element(v))).collect(), None)
        }
        _ => Type::Null,
    }
}

/// Whether a value needs no evaluation: scalars, and collections of nothing else.
pub(crate) fn is_constant(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
        Value::Array(items) | Value::Set(items) => items.iter().all(|item| is_constant(&item.value)),
        Value::Object(entries) => entries.iter().all(|(k, v)| is_constant(&k.value) && is_constant(&v.value)),
        _ => false,
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Value::String(text) => f.write_str(text),
            value => f.write_str(&value.to_string()),
        }
    }
}
