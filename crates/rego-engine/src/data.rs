//! Changes to the tree of data documents.

use rego_value::{Object, Value};

use crate::error::EvalError;

/// One change as a module must make it: its parent is there already.
pub(crate) struct Change {
    pub(crate) path: Vec<Value>,
    /// None removes.
    pub(crate) value: Option<Value>,
}

/// Puts a value at a path that is not empty, with the objects on the way.
pub(crate) fn put(root: &mut Value, path: &[&str], value: Value) -> Result<Change, EvalError> {
    let mut node = root;
    for (depth, key) in path.iter().enumerate() {
        let Value::Object(members) = node else { return Err(through_value(path)) };
        let members = members.make_mut();
        let last = depth + 1 == path.len();
        if last || !members.contains_key(&Value::from(*key)) {
            let missing = path.get(depth + 1..).unwrap_or_default();
            let value = missing
                .iter()
                .rev()
                .fold(value, |value, key| Value::Object(Object::from_iter([(Value::from(*key), value)])));
            members.insert(Value::from(*key), value.clone());
            let path = path.iter().take(depth + 1).map(|key| Value::from(*key)).collect();
            return Ok(Change { path, value: Some(value) });
        }
        node = members.get_mut(&Value::from(*key)).ok_or_else(|| through_value(path))?;
    }
    Err(through_value(path))
}

/// Removes what is at a path that is not empty. False when nothing is there.
pub(crate) fn remove(root: &mut Value, path: &[&str]) -> Result<bool, EvalError> {
    let Some((last, parents)) = path.split_last() else { return Ok(false) };
    let mut node = root;
    for key in parents {
        let Value::Object(members) = node else { return Err(through_value(path)) };
        match members.make_mut().get_mut(&Value::from(*key)) {
            Some(child) => node = child,
            None => return Ok(false),
        }
    }
    let Value::Object(members) = node else { return Err(through_value(path)) };
    Ok(members.make_mut().remove(&Value::from(*last)).is_some())
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
        let change = put(&mut root, &["a", "b", "c"], value("2")).unwrap();
        assert_eq!(root, value(r#"{"a":{"b":{"c":2},"x":1}}"#));
        assert_eq!(change.path, [Value::from("a"), Value::from("b")]);
        assert_eq!(change.value, Some(value(r#"{"c":2}"#)));
    }

    #[test]
    fn an_existing_parent_is_left_alone() {
        let mut root = value(r#"{"a":{"x":1}}"#);
        let change = put(&mut root, &["a", "x"], value("2")).unwrap();
        assert_eq!(root, value(r#"{"a":{"x":2}}"#));
        assert_eq!(change.path.len(), 2);
    }

    #[test]
    fn a_path_through_a_number_is_an_error() {
        let mut root = value(r#"{"a":1}"#);
        assert!(put(&mut root, &["a", "b"], value("2")).is_err());
        assert!(remove(&mut root, &["a", "b"]).is_err());
        assert!(!remove(&mut root, &["b", "c"]).unwrap());
        assert!(remove(&mut root, &["a"]).unwrap());
        assert_eq!(root, value("{}"));
    }
}
