//! The types that the checker infers, with the order, the unions and the texts OPA's checker gives them.
//!
//! A type that is not known yet is `None`; it is a part of composite types too (an array of an element
//! whose type is unknown), which is why elements are `Option<Type>`.

mod algebra;
mod display;
mod function;
pub(crate) mod json;
mod key;
mod order;

pub(crate) use display::Shown;
pub use function::{FunctionType, Param};
pub use key::Key;
pub(crate) use key::is_constant;

use std::sync::{Arc, OnceLock};

/// A type, or nothing where it is not known.
pub type Maybe = Option<Type>;

/// What is known of a value at compile time.
#[derive(Clone, Debug)]
pub enum Type {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean,
    /// Any number.
    Number,
    /// Any string.
    String,
    /// An array.
    Array(Arc<ArrayType>),
    /// An object.
    Object(Arc<ObjectType>),
    /// A set; no element type where it is empty or unknown.
    Set(Option<Arc<Type>>),
    /// One of the listed types (sorted, without repetition); any value at all if the list is empty.
    Any(Arc<[Type]>),
    /// A function.
    Function(Arc<FunctionType>),
}

/// The elements known by position, and the type of all further ones if there may be any.
#[derive(Clone, Debug, Default)]
pub struct ArrayType {
    /// By position.
    pub fixed: Vec<Maybe>,
    /// All further elements.
    pub rest: Maybe,
}

/// The properties known by key, and the types of further keys and values if there may be any.
#[derive(Clone, Debug, Default)]
pub struct ObjectType {
    /// By key, sorted.
    pub fixed: Vec<(Key, Maybe)>,
    /// All further entries.
    pub rest: Option<(Maybe, Maybe)>,
    /// The type of the values, once somebody has asked: a table may have a type for each of thousands of rows.
    values: OnceLock<Maybe>,
}

impl Type {
    /// The type of all values.
    pub fn any() -> Self {
        Type::Any(Arc::from([]))
    }

    /// An array with elements known by position and, if `rest` is given, further ones.
    pub fn array(fixed: Vec<Maybe>, rest: Maybe) -> Self {
        Type::Array(Arc::new(ArrayType { fixed, rest }))
    }

    /// An object; the properties may come in any order.
    pub fn object(mut fixed: Vec<(Key, Maybe)>, rest: Option<(Maybe, Maybe)>) -> Self {
        fixed.sort_by(|a, b| a.0.cmp(&b.0));
        Type::Object(Arc::new(ObjectType { fixed, rest, values: OnceLock::new() }))
    }

    /// A set.
    pub fn set(of: Maybe) -> Self {
        Type::Set(of.map(Arc::new))
    }

    /// Whether this is the type of all values.
    pub fn is_any(&self) -> bool {
        matches!(self, Type::Any(of) if of.is_empty())
    }

    /// Whether this collection type has no member at all: neither known nor possible ones.
    pub fn is_empty_collection(&self) -> bool {
        match self {
            Type::Array(array) => array.fixed.is_empty() && array.rest.is_none(),
            Type::Object(object) => object.fixed.is_empty() && object.rest.is_none(),
            Type::Set(of) => of.is_none(),
            _ => false,
        }
    }
}

impl ArrayType {
    /// The type of the element at `position`.
    pub fn select(&self, position: usize) -> Maybe {
        match self.fixed.get(position) {
            Some(known) => known.clone(),
            None => self.rest.clone(),
        }
    }
}

impl ObjectType {
    /// The type of the value under `key`.
    pub fn select(&self, key: &Key) -> Maybe {
        if let Ok(at) = self.fixed.binary_search_by(|(known, _)| known.cmp(key)) {
            return self.fixed.get(at).and_then(|(_, value)| value.clone());
        }
        let (keys, value) = self.rest.as_ref()?;
        let holds = keys.as_ref().is_some_and(|keys| keys.contains(&key.type_of()));
        if holds { value.clone() } else { None }
    }

    /// The type of the values.
    pub fn values(&self) -> Maybe {
        let union = || {
            let fixed = self.fixed.iter().map(|(_, value)| value.clone());
            let rest = self.rest.iter().map(|(_, value)| value.clone());
            Type::union_of(fixed.chain(rest))
        };
        self.values.get_or_init(union).clone()
    }

    /// The type of the values of entries that are not known by key.
    pub fn rest_value(&self) -> Maybe {
        self.rest.as_ref().and_then(|(_, value)| value.clone())
    }
}

#[cfg(test)]
mod tests;
