//! What a condition compares with.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::problem::ProblemCode;
use crate::read::values;
use crate::yaml::{Entry, Kind, Node, Resolved, Scalar as YamlScalar, shorten};

use super::super::operators::{Operand, Operator};
use super::super::{Expected, Scalar};
use super::Reader;

impl Reader<'_> {
    pub(super) fn expected(&mut self, entry: &Entry, operator: &Operator) -> Option<Expected> {
        let scalar = |text: String| Expected::Scalar(Scalar::Text(text));
        match operator.takes {
            Operand::Scalar => self.scalar(&entry.value, &format!("`{}`", entry.key)).map(Expected::Scalar),
            Operand::Scalars => self.scalars(entry).map(Expected::Scalars),
            Operand::Number => {
                values::number(entry, "a number", self.problems)?;
                self.scalar(&entry.value, &format!("`{}`", entry.key)).map(Expected::Scalar)
            }
            Operand::Bounds => self.bounds(entry).map(Expected::Scalars),
            Operand::Text => values::text(entry, self.problems).map(|text| scalar(text.to_owned())),
            Operand::Regex => self.regex(entry).map(scalar),
            Operand::Truth => values::boolean(entry, self.problems).map(Expected::Truth),
            Operand::True => {
                let said = values::boolean(entry, self.problems)?;
                if !said {
                    let other = if operator.name == "is_true" { "is_false" } else { "is_true" };
                    let message = format!("`{}` takes `true`", entry.key);
                    let help = Some(format!("write `{other}: true`"));
                    self.problem(ProblemCode::BadValue, entry.value.place, message, help);
                    return None;
                }
                Some(Expected::Truth(true))
            }
            Operand::Function => self.function(entry).map(Expected::Function),
        }
    }

    fn scalar(&mut self, node: &Node, what: &str) -> Option<Scalar> {
        let resolved = match &node.kind {
            Kind::Scalar(scalar) => YamlScalar::resolve(scalar),
            Kind::List(_) | Kind::Map(_) => Resolved::Null,
        };
        match resolved {
            Resolved::Text(text) => Some(Scalar::Text(text.to_owned())),
            Resolved::Bool(value) => Some(Scalar::Truth(value)),
            Resolved::Number(text) => match check_number(text) {
                Ok(()) => Some(Scalar::Number(text.to_owned())),
                Err(why) => {
                    let message = format!("{what} takes a number, and `{}` {why}", shorten(text));
                    self.problem(ProblemCode::BadValue, node.place, message, None);
                    None
                }
            },
            Resolved::Null => {
                let mut problem = node.wrong_type(what, "a text, a number, `true` or `false`");
                if matches!(node.kind, Kind::Scalar(_)) {
                    problem =
                        problem.with_help("a field that is not there is asked for with `exists: false`");
                }
                self.problems.push(problem);
                None
            }
        }
    }

    fn scalars(&mut self, entry: &Entry) -> Option<Vec<Scalar>> {
        let what = format!("`{}`", entry.key);
        let Kind::List(items) = &entry.value.kind else {
            let problem = entry.value.wrong_type(&what, "a list");
            self.problems.push(problem.with_help(format!("such as `{}: [a, b]`", entry.key)));
            return None;
        };
        if items.is_empty() {
            let message = format!("{what} must not be an empty list");
            self.problem(ProblemCode::BadValue, entry.value.place, message, None);
            return None;
        }
        let what = format!("an item of {what}");
        let scalars: Vec<Option<(&Arc<Node>, Scalar)>> =
            items.iter().map(|item| self.scalar(item, &what).map(|scalar| (item, scalar))).collect();
        let scalars: Vec<(&Arc<Node>, Scalar)> = scalars.into_iter().collect::<Option<_>>()?;
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let first = scalars.first().map(|(_, scalar)| scalar.types());
        for (node, scalar) in &scalars {
            if Some(scalar.types()) != first {
                let message =
                    format!("the items of `{}` are of one type, and this is {}", entry.key, node.describe());
                let help = "the first item says which; a number in quotes is a text".to_owned();
                self.problem(ProblemCode::WrongType, node.place, message, Some(help));
                return None;
            }
            if !seen.insert(scalar.text()) {
                let message = format!("`{}` stands in `{}` twice", shorten(scalar.text()), entry.key);
                self.problem(ProblemCode::Duplicate, node.place, message, None);
            }
        }
        Some(scalars.into_iter().map(|(_, scalar)| scalar).collect())
    }

    fn bounds(&mut self, entry: &Entry) -> Option<Vec<Scalar>> {
        let items = match &entry.value.kind {
            Kind::List(items) if items.len() == 2 => items,
            _ => {
                let problem = entry.value.wrong_type("`between`", "a list of two numbers");
                self.problems.push(problem.with_help("such as `between: [1, 10]`"));
                return None;
            }
        };
        let mut bounds = Vec::new();
        for item in items {
            match self.scalar(item, "an item of `between`")? {
                number @ Scalar::Number(_) => bounds.push(number),
                Scalar::Text(_) | Scalar::Truth(_) => {
                    self.problems.push(item.wrong_type("an item of `between`", "a number"));
                    return None;
                }
            }
        }
        let numbers: Vec<f64> = bounds.iter().filter_map(|bound| bound.text().parse().ok()).collect();
        if let [low, high] = numbers.as_slice()
            && low > high
        {
            let message =
                "the bounds of `between` are the wrong way round: nothing is between them".to_owned();
            let told: Vec<&str> = bounds.iter().rev().map(Scalar::text).collect();
            let help = Some(format!("write `between: [{}]`", told.join(", ")));
            self.problem(ProblemCode::BadValue, entry.value.place, message, help);
            return None;
        }
        Some(bounds)
    }

    fn regex(&mut self, entry: &Entry) -> Option<String> {
        let text = values::text(entry, self.problems)?;
        match rego_regex::Expression::parse(text) {
            Ok(_) => Some(text.to_owned()),
            Err(error) => {
                let message = format!("`{}` is not a regular expression: {error}", shorten(text));
                let help =
                    Some("the syntax is Go's (RE2): without back-references and look-around".to_owned());
                self.problem(ProblemCode::BadValue, entry.value.place, message, help);
                None
            }
        }
    }

    fn function(&mut self, entry: &Entry) -> Option<String> {
        let name = values::text(entry, self.problems)?;
        // What the functions are is not known where their text could not be read.
        if self.functions.unreadable || self.functions.names.contains(name) {
            return Some(name.to_owned());
        }
        let message = format!("there is no function `{}` of one argument", shorten(name));
        let names = self.functions.names.iter().map(String::as_str);
        let help = match crate::nearest::nearest(name, names) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => "it is written in Rego, under the key `functions`".to_owned(),
        };
        self.problem(ProblemCode::UnknownValue, entry.value.place, message, Some(help));
        None
    }
}

/// Whether JSON and Rego can read the number, and an engine compare it without effort.
fn check_number(text: &str) -> Result<(), &'static str> {
    const MAX_LENGTH: usize = 64;
    if text.len() > MAX_LENGTH {
        return Err("has too many digits");
    }
    if !text.parse::<f64>().is_ok_and(f64::is_finite) {
        return Err("is too large");
    }
    // YAML takes `007` for a number; JSON and Rego do not.
    if serde_json::from_str::<serde_json::Number>(text).is_err() {
        return Err("begins with a zero: put it in quotes if it is meant as a text");
    }
    Ok(())
}
