//! YAML text to a tree whose every node knows its line and column.
//!
//! The events come from `saphyr-parser`. serde-style readers (serde_yaml and its successor) keep no position
//! for values, stop at the first error and let the last of two equal keys win; a tree of our own shows all
//! problems at once, and bounds what anchors may unfold to before anything is unfolded.

mod build;
mod write;

use std::sync::Arc;

use crate::problem::{Place, Problem, ProblemCode};

pub(crate) use build::read;
pub(crate) use write::{json_string, write_json, write_yaml};

/// A value and where it stands. An alias shares the node of its anchor, and so its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Scalar(Scalar),
    List(Vec<Arc<Node>>),
    Map(Vec<Entry>),
}

/// A scalar's text. `plain` ones may be null, a boolean or a number; quoted ones and blocks are texts. The lines of
/// `literal` ones are lines of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scalar {
    pub(crate) text: String,
    pub(crate) plain: bool,
    pub(crate) literal: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) place: Place,
    pub(crate) value: Arc<Node>,
}

/// What a scalar is under YAML 1.2's core schema, numbers kept as they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resolved<'a> {
    Null,
    Bool(bool),
    Number(&'a str),
    Text(&'a str),
}

impl Scalar {
    pub(crate) fn resolve(&self) -> Resolved<'_> {
        let text = self.text.as_str();
        if !self.plain {
            return Resolved::Text(text);
        }
        match text {
            "" | "~" | "null" | "Null" | "NULL" => Resolved::Null,
            "true" | "True" | "TRUE" => Resolved::Bool(true),
            "false" | "False" | "FALSE" => Resolved::Bool(false),
            _ if is_number(text) => Resolved::Number(text),
            _ => Resolved::Text(text),
        }
    }
}

/// A decimal number with digits on both sides of a point; what else YAML calls a number (hexadecimal,
/// infinity, a leading plus) is a text here, and so refused wherever a number is expected.
fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (number, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent.strip_prefix(['+', '-']).unwrap_or(exponent)),
        None => (unsigned, "0"),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    [whole, fraction, exponent]
        .iter()
        .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
}

impl Node {
    /// The line of the file that the text of a literal block begins on, empty lines at its beginning among it; its place
    /// is that of the first that is not empty.
    pub(crate) fn first_line(&self) -> usize {
        let empty = match &self.kind {
            Kind::Scalar(scalar) if scalar.literal => {
                scalar.text.lines().take_while(|line| line.is_empty()).count()
            }
            _ => 0,
        };
        self.place.line.saturating_sub(empty).max(1)
    }

    /// What stands here, for messages.
    pub(crate) fn describe(&self) -> String {
        match &self.kind {
            Kind::List(_) => "a list".to_owned(),
            Kind::Map(_) => "a mapping".to_owned(),
            Kind::Scalar(scalar) => match scalar.resolve() {
                Resolved::Null => "nothing".to_owned(),
                Resolved::Bool(value) => format!("`{value}`"),
                Resolved::Number(text) => format!("the number `{}`", shorten(text)),
                Resolved::Text(text) => format!("the text `{}`", shorten(text)),
            },
        }
    }

    pub(crate) fn wrong_type(&self, what: &str, expected: &str) -> Problem {
        let message = format!("{what} takes {expected}, found {}", self.describe());
        Problem::new(ProblemCode::WrongType, self.place, message)
    }
}

/// The beginning of a text that may be of any length, in one line.
pub(crate) fn shorten(text: &str) -> String {
    const SHOWN: usize = 60;
    let line: String = text.chars().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(SHOWN).is_some() { format!("{line}…") } else { line }
}
