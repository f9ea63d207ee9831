//! What a rule says about callers and arguments.

use crate::model::{Bounds, Callers, Parameter};
use crate::nearest::nearest;
use crate::problem::{Problem, ProblemCode};
use crate::yaml::{Entry, shorten};

use super::fields::Fields;
use super::values;

/// `allowed_users`: ids, and what a caller is to the call, behind an `@`.
pub(super) fn callers(entry: &Entry, problems: &mut Vec<Problem>) -> Callers {
    let mut callers = Callers::default();
    for (node, text) in values::texts(entry, problems) {
        let relation = text.strip_prefix('@').map(|word| Callers::RELATIONS.iter().find(|r| **r == word));
        let known = match relation {
            None => callers.users.iter().any(|user| user == text),
            Some(Some(relation)) => callers.relations.contains(relation),
            Some(None) => {
                problems.push(unknown_relation(node.place, text));
                continue;
            }
        };
        if known {
            let message = format!("`{}` stands in `{}` twice", shorten(text), entry.key);
            problems.push(Problem::new(ProblemCode::Duplicate, node.place, message));
        } else if let Some(Some(relation)) = relation {
            callers.relations.push(relation);
        } else {
            callers.users.push(text.to_owned());
        }
    }
    callers.users.sort_unstable();
    callers.relations.sort_unstable();
    callers
}

fn unknown_relation(place: crate::problem::Place, text: &str) -> Problem {
    let words = Callers::RELATIONS.map(|relation| format!("@{relation}"));
    let message = format!("`{}` is nothing that a caller can be", shorten(text));
    let help = match nearest(text, words.iter().map(String::as_str)) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "there are `@owner`, `@self`, `@admin` and `@api_user`; users go by their ids, without `@`"
            .to_owned(),
    };
    Problem::new(ProblemCode::UnknownValue, place, message).with_help(help)
}

/// `parameter`, with `min` and `max`, or `max_length`.
pub(super) fn parameter(fields: &Fields<'_>, problems: &mut Vec<Problem>) -> Option<Parameter> {
    let bounds = ["min", "max", "max_length"].iter().filter_map(|key| fields.get(key));
    let first = bounds.into_iter().next();
    let Some(entry) = fields.get("parameter") else {
        if let Some(bound) = first {
            let message = format!("`{}` bounds a `parameter`, and the rule names none", bound.key);
            let problem = Problem::new(ProblemCode::Missing, bound.place, message);
            problems.push(problem.with_help("such as `parameter: amount`"));
        }
        return None;
    };
    if first.is_none() {
        let message = "the rule names a parameter and does not bound it";
        let problem = Problem::new(ProblemCode::Missing, entry.place, message);
        problems.push(problem.with_help("give it `min`, `max` or `max_length`"));
    }
    let name = values::text(entry, problems)?;
    Some(Parameter { name: name.to_owned(), bounds: bounds_of(fields, problems)? })
}

fn bounds_of(fields: &Fields<'_>, problems: &mut Vec<Problem>) -> Option<Bounds> {
    let mut bound = |key: &str| {
        fields
            .get(key)
            .and_then(|entry| values::number(entry, "a number", problems).map(|text| (entry, text)))
    };
    let (min, max) = (bound("min"), bound("max"));
    for (entry, text) in min.iter().chain(&max) {
        // YAML takes `007` for a number; JSON and Rego do not.
        if serde_json::from_str::<serde_json::Number>(text).is_err() {
            let message =
                format!("`{}` takes a number such as 5 or -0.5, found `{}`", entry.key, shorten(text));
            problems.push(Problem::new(ProblemCode::BadValue, entry.value.place, message));
        }
    }
    if let (Some((_, min)), Some((entry, max))) = (min, max)
        && let (Ok(least), Ok(most)) = (min.parse::<f64>(), max.parse::<f64>())
        && least > most
    {
        let message = format!(
            "`max` is below `min`: nothing is at least {} and at most {}",
            shorten(min),
            shorten(max)
        );
        problems.push(Problem::new(ProblemCode::Contradiction, entry.place, message));
    }
    let Some(entry) = fields.get("max_length") else {
        let text = |bound: Option<(&Entry, &str)>| bound.map(|(_, text)| text.to_owned());
        return Some(Bounds::Range { min: text(min), max: text(max) });
    };
    if min.is_some() || max.is_some() {
        let message = "`max_length` is of texts and lists, `min` and `max` are of numbers";
        let problem = Problem::new(ProblemCode::Contradiction, entry.place, message);
        problems.push(problem.with_help("write two rules"));
    }
    values::count(entry, "characters", problems).map(Bounds::Length)
}
