//! Changes to the tree of data documents. None of them copies what it does not change.

use std::collections::btree_map::Entry;
use std::sync::Arc;

use rego_value::{Object, Value};

use crate::error::EvalError;

/// One change as a module must make it: its parent is there already.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) path: Box<[Arc<str>]>,
    /// None removes.
    pub(crate) value: Option<Value>,
}

/// A change that was made, and what makes it undone.
pub(crate) struct Made {
    pub(crate) change: Change,
    /// What was there before.
    pub(crate) previous: Option<Value>,
}

/// Puts a value at a path that is not empty, with the objects on the way.
pub(crate) fn put(root: &mut Value, path: &[&str], value: Value) -> Result<Made, EvalError> {
    let mut node = root;
    for (depth, key) in path.iter().enumerate() {
        let Value::Object(members) = node else { return Err(through_value(path)) };
        let (before, missing) = path.split_at_checked(depth + 1).unwrap_or_default();
        match members.make_mut().entry(Value::from(*key)) {
            Entry::Occupied(member) if !missing.is_empty() => node = member.into_mut(),
            Entry::Occupied(mut member) => {
                let previous = member.insert(value.clone());
                return Ok(Made { change: change(before, Some(value)), previous: Some(previous) });
            }
            Entry::Vacant(member) => {
                let value = missing
                    .iter()
                    .rev()
                    .fold(value, |value, key| Value::Object(Object::from_iter([(Value::from(*key), value)])));
                member.insert(value.clone());
                return Ok(Made { change: change(before, Some(value)), previous: None });
            }
        }
    }
    Err(through_value(path))
}

/// Removes what is at a path that is not empty; none when nothing is there.
pub(crate) fn remove(root: &mut Value, path: &[&str]) -> Result<Option<Made>, EvalError> {
    let Some((last, parents)) = path.split_last() else { return Ok(None) };
    let mut node = root;
    for key in parents {
        let Value::Object(members) = node else { return Err(through_value(path)) };
        match members.make_mut().get_mut(&Value::from(*key)) {
            Some(child) => node = child,
            None => return Ok(None),
        }
    }
    let Value::Object(members) = node else { return Err(through_value(path)) };
    let previous = members.make_mut().remove(&Value::from(*last));
    Ok(previous.map(|previous| Made { change: change(path, None), previous: Some(previous) }))
}

/// Makes a change undone.
pub(crate) fn undo(root: &mut Value, made: Made) {
    let path: Vec<&str> = made.change.path.iter().map(|key| &**key).collect();
    // What was there can be put back where it was.
    let _ = match made.previous {
        Some(previous) => put(root, &path, previous).map(Some),
        None => remove(root, &path),
    };
}

/// What is at a path.
pub(crate) fn get<'v, S: AsRef<str>>(root: &'v Value, path: &[S]) -> Option<&'v Value> {
    path.iter().try_fold(root, |node, key| node.get_str(key.as_ref()))
}

fn change(path: &[&str], value: Option<Value>) -> Change {
    Change { path: path.iter().map(|key| Arc::from(*key)).collect(), value }
}

fn through_value(path: &[&str]) -> EvalError {
    EvalError::DataPath { path: path.join("/") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(json: &str) -> Value {
        rego_value::json::parse(json.as_bytes()).unwrap()
    }

    #[test]
    fn missing_parents_are_made_as_one_change() {
        let mut root = value(r#"{"a":{"x":1}}"#);
        let made = put(&mut root, &["a", "b", "c"], value("2")).unwrap();
        assert_eq!(root, value(r#"{"a":{"b":{"c":2},"x":1}}"#));
        assert_eq!(made.change.path.join("/"), "a/b");
        assert_eq!(made.change.value, Some(value(r#"{"c":2}"#)));
        undo(&mut root, made);
        assert_eq!(root, value(r#"{"a":{"x":1}}"#));
    }

    #[test]
    fn an_existing_parent_is_left_alone() {
        let mut root = value(r#"{"a":{"x":1}}"#);
        let made = put(&mut root, &["a", "x"], value("2")).unwrap();
        assert_eq!(root, value(r#"{"a":{"x":2}}"#));
        assert_eq!(made.change.path.len(), 2);
        undo(&mut root, made);
        assert_eq!(root, value(r#"{"a":{"x":1}}"#));
    }

    #[test]
    fn a_path_through_a_number_is_an_error() {
        let mut root = value(r#"{"a":1}"#);
        assert!(put(&mut root, &["a", "b"], value("2")).is_err());
        assert!(remove(&mut root, &["a", "b"]).is_err());
        assert!(remove(&mut root, &["b", "c"]).unwrap().is_none());
        let made = remove(&mut root, &["a"]).unwrap().unwrap();
        assert_eq!(root, value("{}"));
        undo(&mut root, made);
        assert_eq!(root, value(r#"{"a":1}"#));
    }
}
