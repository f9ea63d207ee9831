//! The entries of one mapping, checked against its table of keys.

use std::sync::Arc;

use crate::nearest::nearest;
use crate::problem::{MAX_PROBLEMS, Problem, ProblemCode};
use crate::schema::Key;
use crate::yaml::{Entry, Kind, Node, shorten};

/// A mapping whose keys have been checked.
pub(crate) struct Fields<'a> {
    entries: &'a [Entry],
}

impl<'a> Fields<'a> {
    /// The mapping at `node`, called `what` in messages. Unknown keys are problems.
    pub(crate) fn of(
        node: &'a Arc<Node>,
        what: &str,
        keys: &'static [Key],
        problems: &mut Vec<Problem>,
    ) -> Option<Self> {
        let Kind::Map(entries) = &node.kind else {
            problems.push(node.wrong_type(what, "a mapping of keys to values"));
            return None;
        };
        for entry in entries {
            if problems.len() >= MAX_PROBLEMS {
                break;
            }
            if !keys.iter().any(|key| key.name == entry.key) {
                problems.push(unknown(entry, what, keys));
            }
        }
        Some(Self { entries })
    }

    pub(crate) fn get(&self, key: &str) -> Option<&'a Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }
}

fn unknown(entry: &Entry, what: &str, keys: &'static [Key]) -> Problem {
    let message = format!("{what} has no key `{}`", shorten(&entry.key));
    let problem = Problem::new(ProblemCode::UnknownKey, entry.place, message);
    let help = match nearest(&entry.key, keys.iter().map(|key| key.name)) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("it takes {}", listed(keys)),
    };
    problem.with_help(help)
}

fn listed(keys: &'static [Key]) -> String {
    let names: Vec<String> = keys.iter().map(|key| format!("`{}`", key.name)).collect();
    names.join(", ")
}

/// The word at `entry` as one of `words`.
pub(crate) fn one_of<T: Copy>(
    entry: &Entry,
    words: &[(&'static str, T)],
    problems: &mut Vec<Problem>,
) -> Option<T> {
    let names = || words.iter().map(|(name, _)| *name);
    let expected = || names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let what = format!("`{}`", entry.key);
    let Kind::Scalar(scalar) = &entry.value.kind else {
        problems.push(entry.value.wrong_type(&what, &format!("one of {}", expected())));
        return None;
    };
    let text = scalar.text.as_str();
    if let Some((_, value)) = words.iter().find(|(name, _)| *name == text) {
        return Some(*value);
    }
    let message = format!("{what} takes one of {}, found {}", expected(), entry.value.describe());
    let mut problem = Problem::new(ProblemCode::UnknownValue, entry.value.place, message);
    if let Some(meant) = nearest(text, names()) {
        problem = problem.with_help(format!("did you mean `{meant}`?"));
    }
    problems.push(problem);
    None
}
