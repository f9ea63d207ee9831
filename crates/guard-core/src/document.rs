//! What a decision is read from: a JSON text, or a value where an evaluator has it.

use std::borrow::Cow;
use std::fmt;

use serde_json::value::RawValue;

use crate::json::{Json, JsonError};

/// A value in JSON's terms, to be looked at. A set is an array in its order.
///
/// What a method does not find is `None`; no method may find something of another kind than the others do.
pub trait Document: Copy {
    /// The truth of a boolean.
    fn as_bool(&self) -> Option<bool>;

    /// The text of a string.
    fn as_str(&self) -> Option<Cow<'_, str>>;

    /// A whole number of 64 bits that is written plainly; the short way for most numbers.
    fn as_i64(&self) -> Option<i64> {
        None
    }

    /// The text of a number, in JSON's form.
    fn as_number(&self) -> Option<Cow<'_, str>>;

    /// Shows the elements of an array one after the other; `false` when it is no array.
    ///
    /// # Errors
    /// The first that `each` gives.
    fn items<E>(&self, each: impl FnMut(Self) -> Result<(), E>) -> Result<bool, E>;

    /// Puts the members of an object into the places of their names, and gives how many members there are, others
    /// included. None where that takes as long as [`Document::members`], and for what is no object.
    fn pick<const N: usize>(&self, names: &Names<N>, found: &mut [Option<Self>; N]) -> Option<usize> {
        let _ = (names, found);
        None
    }

    /// Shows the members of an object one after the other.
    ///
    /// # Errors
    /// See [`Shape`].
    fn members(&self, each: impl FnMut(&str, Self)) -> Result<(), Shape>;

    /// The value as JSON text.
    fn to_json(&self) -> String;

    /// An object as JSON; none when it is no object.
    ///
    /// # Errors
    /// When its text is no JSON.
    fn as_object(&self) -> Result<Option<Json>, JsonError> {
        let text = self.to_json();
        text.starts_with('{').then(|| Json::from_text(&text)).transpose()
    }
}

/// The names that the members of an object may have, for an evaluator that finds members by their names sooner than it
/// shows all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Names<const N: usize> {
    /// What has these members.
    pub of: Named,
    /// The names.
    pub names: [&'static str; N],
}

/// What has members of known names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// A decision: [`Names::DECISION`].
    Decision,
    /// One of its charges: [`Names::CHARGE`].
    Charge,
}

/// Why there are no members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// It is no object.
    NotAnObject,
    /// This name stands there twice.
    Duplicate(String),
}

impl Document for &RawValue {
    fn as_bool(&self) -> Option<bool> {
        match self.get() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    fn as_str(&self) -> Option<Cow<'_, str>> {
        serde_json::from_str(self.get()).ok().map(Cow::Owned)
    }

    fn as_number(&self) -> Option<Cow<'_, str>> {
        let text = self.get();
        text.starts_with(|first: char| first == '-' || first.is_ascii_digit()).then_some(Cow::Borrowed(text))
    }

    fn items<E>(&self, each: impl FnMut(Self) -> Result<(), E>) -> Result<bool, E> {
        match serde_json::from_str::<Vec<Self>>(self.get()) {
            Ok(items) => items.into_iter().try_for_each(each).map(|()| true),
            Err(_) => Ok(false),
        }
    }

    fn members(&self, mut each: impl FnMut(&str, Self)) -> Result<(), Shape> {
        let Members(members) = serde_json::from_str(self.get()).map_err(|_| Shape::NotAnObject)?;
        let mut names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        let twice = names.windows(2).find_map(|pair| match pair {
            [one, two] if one == two => Some(*one),
            _ => None,
        });
        if let Some(name) = twice {
            return Err(Shape::Duplicate(name.to_owned()));
        }
        members.iter().for_each(|(name, value)| each(name, value));
        Ok(())
    }

    fn to_json(&self) -> String {
        self.get().to_owned()
    }
}

/// An object's members in the order they stand in, duplicates included.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> serde::Deserialize<'de> for Members<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}
