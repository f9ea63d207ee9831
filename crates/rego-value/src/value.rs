//! The owned tree.

use crate::Number;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Deref;

/// A ground Rego value.
///
/// Cloning costs a reference count: strings and collections are shared, and changed by copying one level
/// ([`Array::make_mut`] and its siblings).
#[derive(Clone)]
pub enum Value {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An exact number.
    Number(Number),
    /// A string. OPA's strings are bytes that are nearly always UTF-8; ours always are.
    String(Arc<str>),
    /// An array.
    Array(Array),
    /// An object; its keys may be any value.
    Object(Object),
    /// A set.
    Set(Set),
}

/// The kind of a value, in Rego's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool,
    /// A number.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
    /// A set.
    Set,
}

impl Kind {
    /// The name that `type_name` and OPA's messages give to it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Kind::Null => "null",
            Kind::Bool => "boolean",
            Kind::Number => "number",
            Kind::String => "string",
            Kind::Array => "array",
            Kind::Object => "object",
            Kind::Set => "set",
        }
    }
}

impl Value {
    /// The kind of this value.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Value::Null => Kind::Null,
            Value::Bool(_) => Kind::Bool,
            Value::Number(_) => Kind::Number,
            Value::String(_) => Kind::String,
            Value::Array(_) => Kind::Array,
            Value::Object(_) => Kind::Object,
            Value::Set(_) => Kind::Set,
        }
    }

    /// The value of `key`: a member of an object, an element of an array by its index, or the element itself of a set.
    #[must_use]
    pub fn get(&self, key: &Value) -> Option<&Value> {
        match self {
            Value::Object(object) => object.get(key),
            Value::Array(array) => match key {
                Value::Number(index) => array.get(usize::try_from(index.as_i64()?).ok()?),
                _ => None,
            },
            Value::Set(set) => set.get(key),
            _ => None,
        }
    }

    /// The member `key` of an object.
    #[must_use]
    pub fn get_str(&self, key: &str) -> Option<&Value> {
        match self {
            Value::Object(object) => object.get(&Value::from(key)),
            _ => None,
        }
    }

    /// The text of a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The truth of a boolean.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(truth) => Some(*truth),
            _ => None,
        }
    }

    /// The number of a number.
    #[must_use]
    pub fn as_number(&self) -> Option<&Number> {
        match self {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    /// The integer of a number that is one, in whatever notation, and fits.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        self.as_number()?.as_i64()
    }

    /// The elements of an array.
    #[must_use]
    pub fn as_array(&self) -> Option<&Array> {
        match self {
            Value::Array(array) => Some(array),
            _ => None,
        }
    }

    /// The members of an object.
    #[must_use]
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Value::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The elements of a set.
    #[must_use]
    pub fn as_set(&self) -> Option<&Set> {
        match self {
            Value::Set(set) => Some(set),
            _ => None,
        }
    }

    /// An array of these values.
    pub fn array(items: impl IntoIterator<Item = Value>) -> Value {
        Value::Array(items.into_iter().collect())
    }

    /// An object of these members; of equal keys the last one stays.
    pub fn object(members: impl IntoIterator<Item = (Value, Value)>) -> Value {
        Value::Object(members.into_iter().collect())
    }

    /// A set of these values.
    pub fn set(items: impl IntoIterator<Item = Value>) -> Value {
        Value::Set(items.into_iter().collect())
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Value::Bool(truth)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Value::Number(Number::from(number))
    }
}

impl From<Number> for Value {
    fn from(number: Number) -> Self {
        Value::Number(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::String(Arc::from(text))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::String(Arc::from(text))
    }
}

macro_rules! collection {
    ($(#[$doc:meta])* $name:ident, $inner:ty, $item:ty) => {
        $(#[$doc])*
        #[derive(Clone, Default)]
        pub struct $name(Arc<$inner>);

        impl $name {
            /// An empty one.
            #[must_use]
            pub fn new() -> Self {
                Self::default()
            }

            /// The collection, to be changed; copied first (one level) where it is shared.
            pub fn make_mut(&mut self) -> &mut $inner {
                Arc::make_mut(&mut self.0)
            }
        }

        impl Deref for $name {
            type Target = $inner;
            fn deref(&self) -> &Self::Target {
                &self.0
            }
        }

        impl From<$inner> for $name {
            fn from(inner: $inner) -> Self {
                Self(Arc::new(inner))
            }
        }

        impl FromIterator<$item> for $name {
            fn from_iter<I: IntoIterator<Item = $item>>(items: I) -> Self {
                Self(Arc::new(items.into_iter().collect()))
            }
        }

        impl From<$name> for Value {
            fn from(collection: $name) -> Self {
                Value::$name(collection)
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                if let Some(inner) = Arc::get_mut(&mut self.0) {
                    let mut pending = Vec::new();
                    $name::take_nested(inner, &mut pending);
                    drop_all(pending);
                }
            }
        }
    };
}

collection!(
    /// The elements of an array; reads like a `Vec`.
    Array, Vec<Value>, Value
);
collection!(
    /// The members of an object in Rego's order; reads like a `BTreeMap`.
    Object, BTreeMap<Value, Value>, (Value, Value)
);
collection!(
    /// The elements of a set in Rego's order; reads like a `BTreeSet`.
    Set, BTreeSet<Value>, Value
);

// A value that is nested ten thousand deep is legal. Dropped by the compiler's glue, it would take as many stack
// frames; so each collection hands its children to a list first.
impl Array {
    fn take_nested(inner: &mut Vec<Value>, pending: &mut Vec<Value>) {
        if inner.iter().any(is_composite) {
            pending.append(inner);
        }
    }
}

impl Object {
    fn take_nested(inner: &mut BTreeMap<Value, Value>, pending: &mut Vec<Value>) {
        if inner.iter().any(|(key, value)| is_composite(key) || is_composite(value)) {
            for (key, value) in core::mem::take(inner) {
                pending.push(key);
                pending.push(value);
            }
        }
    }
}

impl Set {
    fn take_nested(inner: &mut BTreeSet<Value>, pending: &mut Vec<Value>) {
        if inner.iter().any(is_composite) {
            pending.extend(core::mem::take(inner));
        }
    }
}

fn is_composite(value: &Value) -> bool {
    matches!(value, Value::Array(_) | Value::Object(_) | Value::Set(_))
}

fn drop_all(mut pending: Vec<Value>) {
    while let Some(mut value) = pending.pop() {
        match &mut value {
            Value::Array(Array(shared)) => {
                if let Some(inner) = Arc::get_mut(shared) {
                    Array::take_nested(inner, &mut pending);
                }
            }
            Value::Object(Object(shared)) => {
                if let Some(inner) = Arc::get_mut(shared) {
                    Object::take_nested(inner, &mut pending);
                }
            }
            Value::Set(Set(shared)) => {
                if let Some(inner) = Arc::get_mut(shared) {
                    Set::take_nested(inner, &mut pending);
                }
            }
            _ => {}
        }
    }
}
