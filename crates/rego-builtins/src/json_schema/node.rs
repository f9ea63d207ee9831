//! A compiled schema: its parts refer to each other by position, since they may form circles.

use std::collections::BTreeMap;

use regex::Regex;
use rego_value::Number;

/// The position of a [`Node`].
pub(super) type Id = usize;

/// The versions of JSON Schema. Without `$schema` all of their keywords are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Draft {
    Four,
    Six,
    Seven,
    Hybrid,
}

impl Draft {
    /// The draft of a `$schema`.
    pub(super) fn of(url: &str) -> Option<Self> {
        match url.strip_prefix("http://json-schema.org/draft-0")? {
            "4/schema" => Some(Draft::Four),
            "6/schema" => Some(Draft::Six),
            "7/schema" => Some(Draft::Seven),
            _ => None,
        }
    }
}

/// `additionalProperties` and `additionalItems`.
#[derive(Debug, Default)]
pub(super) enum Additional {
    #[default]
    Unset,
    Flag(bool),
    Schema(Id),
}

/// What the presence of a member asks for.
#[derive(Debug)]
pub(super) enum Dependency {
    Members(Vec<String>),
    Schema(Id),
}

/// One schema.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// `true` or `false` in place of a schema.
    pub(super) pass: Option<bool>,
    /// What `$ref` refers to; nothing else of the schema counts then.
    pub(super) reference: Option<Id>,
    pub(super) types: Vec<String>,
    pub(super) numbers: Numbers,
    pub(super) texts: Texts,
    pub(super) members: Members,
    pub(super) items: Items,
    /// The JSON text of `const`, and those of `enum`.
    pub(super) constant: Option<String>,
    pub(super) choices: Option<Vec<String>>,
    pub(super) format: String,
    pub(super) one_of: Vec<Id>,
    pub(super) any_of: Vec<Id>,
    pub(super) all_of: Vec<Id>,
    pub(super) not: Option<Id>,
    pub(super) condition: Option<Id>,
    pub(super) then: Option<Id>,
    pub(super) otherwise: Option<Id>,
}

#[derive(Debug, Default)]
pub(super) struct Numbers {
    pub(super) multiple_of: Option<Number>,
    pub(super) maximum: Option<Number>,
    pub(super) exclusive_maximum: Option<Number>,
    pub(super) minimum: Option<Number>,
    pub(super) exclusive_minimum: Option<Number>,
}

#[derive(Debug, Default)]
pub(super) struct Texts {
    pub(super) shortest: Option<i64>,
    pub(super) longest: Option<i64>,
    /// As it is written, and compiled.
    pub(super) pattern: Option<(String, Regex)>,
}

/// The keywords for objects.
#[derive(Debug, Default)]
pub(super) struct Members {
    pub(super) least: Option<i64>,
    pub(super) most: Option<i64>,
    pub(super) required: Vec<String>,
    pub(super) properties: BTreeMap<String, Id>,
    pub(super) patterns: Vec<(Regex, Id)>,
    pub(super) additional: Additional,
    pub(super) names: Option<Id>,
    pub(super) dependencies: BTreeMap<String, Dependency>,
}

/// The keywords for arrays.
#[derive(Debug, Default)]
pub(super) struct Items {
    pub(super) least: Option<i64>,
    pub(super) most: Option<i64>,
    pub(super) unique: bool,
    pub(super) contains: Option<Id>,
    pub(super) schemas: Vec<Id>,
    /// The one schema is for every item.
    pub(super) single: bool,
    pub(super) additional: Additional,
}
