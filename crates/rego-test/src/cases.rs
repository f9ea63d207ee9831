//! The cases of a test: what its document says of each, and those that it reported and said nothing of.

use std::collections::BTreeMap;

use rego_value::Value;
use rego_value::json::{Escape, to_string};

/// Cases by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cases(BTreeMap<String, Case>);

/// A case, or a group of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Case {
    /// It is not true, or one below it is not.
    pub failed: bool,
    /// The cases below it.
    pub cases: Cases,
}

/// How deep groups of cases are told apart; values below that are looked at as a whole.
const MAX_DEPTH: usize = 64;

impl Cases {
    /// What the document of a test says.
    pub(crate) fn of_value(value: &Value) -> Self {
        Self::of_value_at(value, 0)
    }

    fn of_value_at(value: &Value, depth: usize) -> Self {
        let members = value.as_object().into_iter().flat_map(|members| members.iter());
        Self(members.map(|(name, value)| (text(name), Case::of_value(value, depth))).collect())
    }

    /// Notes that a case was begun: it has failed unless the document says something of it.
    pub(crate) fn add(&mut self, path: &Value) {
        let names = names_of(path);
        self.add_at(names.get(..MAX_DEPTH).unwrap_or(&names));
    }

    fn add_at(&mut self, path: &[String]) -> bool {
        let Some((name, rest)) = path.split_first() else { return true };
        let new = || Case { failed: true, cases: Self::default() };
        let case = self.0.entry(name.clone()).or_insert_with(new);
        if rest.is_empty() {
            return case.failed;
        }
        let failed = case.cases.add_at(rest);
        case.failed |= failed;
        failed
    }

    /// The cases by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Case)> {
        self.0.iter().map(|(name, case)| (name.as_str(), case))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All cases and groups with the names that lead to them, a group before its members.
    #[must_use]
    pub fn all(&self) -> Vec<(Vec<&str>, &Case)> {
        let mut found = Vec::new();
        self.collect(&mut Vec::new(), &mut found);
        found
    }

    fn collect<'a>(&'a self, path: &mut Vec<&'a str>, found: &mut Vec<(Vec<&'a str>, &'a Case)>) {
        for (name, case) in self.iter() {
            path.push(name);
            found.push((path.clone(), case));
            case.cases.collect(path, found);
            path.pop();
        }
    }
}

impl Case {
    fn of_value(value: &Value, depth: usize) -> Self {
        match value {
            Value::Object(_) if depth < MAX_DEPTH => {
                let cases = Cases::of_value_at(value, depth + 1);
                let failed = cases.iter().any(|(_, case)| case.failed);
                Self { failed, cases }
            }
            value => {
                let holds = matches!(value, Value::Bool(true) | Value::Null);
                Self { failed: !holds, cases: Cases::default() }
            }
        }
    }

    /// Whether it is a case and no group.
    #[must_use]
    pub fn is_leaf(&self) -> bool {
        self.cases.is_empty()
    }
}

/// The names that lead to a case.
pub(crate) fn names_of(path: &Value) -> Vec<String> {
    path.as_array().into_iter().flat_map(|steps| steps.iter()).map(text).collect()
}

/// A name as text: a string as it is, anything else as JSON.
fn text(name: &Value) -> String {
    name.as_str().map_or_else(|| to_string(name, Escape::Html), ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(json: &str) -> Value {
        rego_value::json::parse(json.as_bytes()).unwrap()
    }

    #[test]
    fn a_case_that_was_begun_and_has_no_value_failed() {
        let mut cases = Cases::of_value(&value(r#"{"a": {"x": true}, "b": true, "c": 1}"#));
        for case in [r#"["a", "x"]"#, r#"["a", "y"]"#, r#"["b"]"#, r#"["d"]"#] {
            cases.add(&value(case));
        }
        let found: Vec<(String, bool)> =
            cases.all().into_iter().map(|(path, case)| (path.join("/"), case.failed)).collect();
        let wanted = [("a", true), ("a/x", false), ("a/y", true), ("b", false), ("c", true), ("d", true)];
        assert_eq!(found, wanted.map(|(name, failed)| (name.to_owned(), failed)));
    }
}
