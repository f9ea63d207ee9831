//! One tree of data documents out of many files.

use rego_value::{Object, Value};

/// Data documents, and the files that they come from.
#[derive(Clone, Debug)]
pub struct Documents {
    /// An object.
    root: Value,
    /// In the order in which they were added.
    sources: Vec<(String, Value)>,
}

impl Default for Documents {
    fn default() -> Self {
        Self { root: Value::Object(Object::new()), sources: Vec::new() }
    }
}

/// How deep two files may have objects in common. Nobody writes that; what is deeper counts as a conflict.
const MAX_SHARED_DEPTH: usize = 256;

/// Why a file's documents cannot be part of the tree. The texts are OPA's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// Documents at the root have to have names.
    #[error("{file}: document must be of type object")]
    NoObject {
        /// The file.
        file: String,
    },
    /// Another file defines the same document.
    #[error("{file}: merge error: conflicting values at {}, {}", reference(.path), origin(.other.as_deref()))]
    Conflict {
        /// The file.
        file: String,
        /// The document that both define.
        path: Vec<String>,
        /// The other file, where it is known.
        other: Option<String>,
    },
}

fn origin(other: Option<&str>) -> String {
    match other {
        Some(other) => format!("also defined in {other}"),
        None => "data from multiple files must not overlap".to_owned(),
    }
}

/// `data.a["b c"]`
fn reference(path: &[String]) -> String {
    let mut out = "data".to_owned();
    for step in path {
        let mut chars = step.chars();
        let begins = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
        if begins && chars.all(|c| c.is_ascii_alphanumeric() || c == '_') {
            out.push('.');
            out.push_str(step);
        } else {
            out.push_str(&format!("[{}]", Value::from(step.as_str())));
        }
    }
    out
}

impl Documents {
    /// Adds a file's documents below a path.
    ///
    /// # Errors
    /// See [`MergeError`]; the tree is then as before.
    pub fn add(&mut self, file: &str, path: &[String], value: Value) -> Result<(), MergeError> {
        let value = path.iter().rev().fold(value, |value, step| {
            Value::Object(Object::from_iter([(Value::from(step.as_str()), value)]))
        });
        if !matches!(value, Value::Object(_)) {
            return Err(MergeError::NoObject { file: file.to_owned() });
        }
        if let Some(path) = conflict(&self.root, &value) {
            let mut sources = self.sources.iter();
            let other = sources.find(|(_, known)| defines(known, &path)).map(|(name, _)| name.clone());
            return Err(MergeError::Conflict { file: file.to_owned(), path, other });
        }
        merge(&mut self.root, &value);
        self.sources.push((file.to_owned(), value));
        Ok(())
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.root.as_object().is_none_or(|members| members.is_empty())
    }

    /// The tree.
    #[must_use]
    pub fn into_value(self) -> Value {
        self.root
    }
}

/// The first path at which two objects have values that cannot be merged.
fn conflict(left: &Value, right: &Value) -> Option<Vec<String>> {
    let mut pending = vec![(left, right, Vec::new())];
    while let Some((left, right, path)) = pending.pop() {
        let (Value::Object(left), Value::Object(right)) = (left, right) else { return Some(path) };
        if path.len() > MAX_SHARED_DEPTH {
            return Some(path);
        }
        for (key, new) in right.iter() {
            let Some(known) = left.get(key) else { continue };
            let mut path: Vec<String> = path.clone();
            path.push(key.as_str().unwrap_or_default().to_owned());
            pending.push((known, new, path));
        }
    }
    None
}

/// Puts the members of one object into another; there is no conflict between them.
fn merge(into: &mut Value, from: &Value) {
    let (Value::Object(into), Value::Object(from)) = (into, from) else { return };
    let members = into.make_mut();
    for (key, new) in from.iter() {
        match members.get_mut(key) {
            Some(known) => merge(known, new),
            None => {
                members.insert(key.clone(), new.clone());
            }
        }
    }
}

fn defines(value: &Value, path: &[String]) -> bool {
    path.iter().try_fold(value, |at, step| at.get_str(step)).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(json: &str) -> Value {
        rego_value::json::parse(json.as_bytes()).unwrap()
    }

    fn path(steps: &[&str]) -> Vec<String> {
        steps.iter().map(|step| (*step).to_owned()).collect()
    }

    #[test]
    fn documents_of_several_files_make_one_tree() {
        let mut all = Documents::default();
        all.add("a.json", &[], value(r#"{"x":{"y":1}}"#)).unwrap();
        all.add("d/b.json", &path(&["x", "d"]), value("2")).unwrap();
        assert_eq!(all.into_value(), value(r#"{"x":{"d":2,"y":1}}"#));
    }

    #[test]
    fn a_document_defined_twice_is_an_error_that_names_both_files() {
        let mut all = Documents::default();
        all.add("a.json", &[], value(r#"{"x":{"y z":1}}"#)).unwrap();
        let error = all.add("b.json", &[], value(r#"{"x":{"y z":1}}"#)).unwrap_err();
        let text = r#"b.json: merge error: conflicting values at data.x["y z"], also defined in a.json"#;
        assert_eq!(error.to_string(), text);
        let error = all.add("c.json", &[], value("[1]")).unwrap_err();
        assert_eq!(error.to_string(), "c.json: document must be of type object");
    }
}
