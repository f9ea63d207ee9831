//! What is wrong with a document, and where.

use std::fmt;

/// A place in a text: line and column, both from 1, the column in characters.
///
/// Within a block string that spans lines the column counts from the last line's start, as the peer does,
/// and may be negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) line: i64,
    pub(super) column: i64,
}

/// The place of what was not read from a text, in messages that always name one.
pub(super) const NOWHERE: Place = Place { line: -1, column: -1 };

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) message: String,
    /// Documents that were given as objects have no places.
    pub(super) at: Option<Place>,
}

impl Problem {
    pub(super) fn new(at: Option<Place>, message: impl Into<String>) -> Self {
        Self { message: message.into(), at }
    }

    /// A problem of a schema, whose messages always name a place.
    pub(super) fn placed(at: Option<Place>, message: impl Into<String>) -> Self {
        Self::new(Some(at.unwrap_or(NOWHERE)), message)
    }

    /// The end of a check that would take too long.
    pub(super) fn too_complex() -> Self {
        Self::new(None, "the document is too complex to be checked")
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            Some(Place { line, column }) => write!(f, "input:{line}:{column}: {}", self.message),
            None => write!(f, "input: {}", self.message),
        }
    }
}
