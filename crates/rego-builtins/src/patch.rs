//! `json.patch`: the operations of RFC 6902 on a value of Rego, where sets can be walked into as well.
//!
//! A document under patch is a tree of [`Node`]s, made only where an operation passes. Each knows the value that it
//! came with beside what it has become, because OPA shows the former in its errors.
//!
//! One thing is done as the RFC has it and not as OPA 1.22.2 does it: an array that has changed its length is indexed
//! as it is then. OPA goes on with the elements that it had before, loses some, and crashes over others.

use std::collections::BTreeMap;

use rego_value::{Object, Value};

use crate::args::Args;
use crate::bounds::{MOST_VALUES, count_values};
use crate::context::Context;
use crate::error::BuiltinError;
use crate::strings::int;

type Outcome = Result<Option<Value>, BuiltinError>;

/// `json.patch`
pub(crate) fn patch(_: &mut Context, args: &[Value]) -> Outcome {
    let args = Args(args);
    let operations = args.array(2)?;
    let mut document = Node::new(args.value(1)?.clone());
    // Copies share what they are made of, so that a few dozen would be more than any memory holds where they are written.
    let mut left = MOST_VALUES;
    for operation in operations.iter() {
        let operation = operation.as_object().ok_or_else(|| {
            error("must be an array of JSON-Patch objects, but at least one element is not an object")
        })?;
        apply(&mut document, operation, &mut left)?;
    }
    Ok(document.value())
}

fn error(message: &str) -> BuiltinError {
    BuiltinError::new(message)
}

fn attribute<'a>(operation: &'a Object, name: &str) -> Result<&'a Value, BuiltinError> {
    let found = operation.get(&Value::from(name));
    found.ok_or_else(|| BuiltinError::new(format!("missing required attribute '{name}'")))
}

fn apply(document: &mut Node, operation: &Object, left: &mut usize) -> Result<(), BuiltinError> {
    let path = attribute(operation, "path")?;
    let op = attribute(operation, "op")?;
    let op = op.as_str().ok_or_else(|| {
        let got = op.kind().name();
        BuiltinError::new(format!("attribute 'op' must be a string but found: {got}"))
    })?;
    let path = parse_path(path)?;
    match op {
        "add" => document.insert_at(&path, attribute(operation, "value")?.clone()),
        "remove" => document.remove_at(&path),
        "replace" => {
            document.remove_at(&path)?;
            document.insert_at(&path, attribute(operation, "value")?.clone())
        }
        "move" => {
            let from = parse_path(attribute(operation, "from")?)?;
            let moved = document.value_at(&from)?;
            document.remove_at(&from)?;
            document.insert_at(&path, moved)
        }
        "copy" => {
            let from = parse_path(attribute(operation, "from")?)?;
            let copied = document.value_at(&from)?;
            *left -= count_values(&copied, *left)?;
            document.insert_at(&path, copied)
        }
        "test" => {
            let found = document.value_at(&path)?;
            let expected = attribute(operation, "value")?;
            if found == *expected {
                return Ok(());
            }
            let text =
                format!("value from EditTree != patch value.\n\nExpected: {expected}\n\nFound: {found}");
            Err(BuiltinError::new(text))
        }
        other => Err(BuiltinError::new(format!("unrecognized op: '{other}'"))),
    }
}

/// A JSON pointer, or an array of keys.
fn parse_path(path: &Value) -> Result<Vec<Value>, BuiltinError> {
    match path {
        Value::String(pointer) if pointer.is_empty() => Ok(Vec::new()),
        Value::String(pointer) => Ok(pointer
            .trim_start_matches('/')
            .split('/')
            .map(|part| Value::from(part.replace("~1", "/").replace("~0", "~")))
            .collect()),
        Value::Array(keys) => Ok(keys.to_vec()),
        other => Err(BuiltinError::operand(
            2,
            format_args!(
                "must be one of {{set, array}} containing string paths or array of path segments but got {}",
                other.kind().name()
            ),
        )),
    }
}

/// A value under patch: what it was, and what was changed in it since.
struct Node {
    /// `None` where it was removed.
    came: Option<Value>,
    /// The members of an object, or the elements of a set, that were looked at or changed.
    members: BTreeMap<Value, Member>,
    /// All elements of an array, once one was looked at or changed.
    elements: Option<Vec<Node>>,
}

enum Member {
    Here(Node),
    /// Removed, having been a scalar or a collection.
    Gone(&'static str),
}

impl Node {
    fn new(value: Value) -> Self {
        Self { came: Some(value), members: BTreeMap::new(), elements: None }
    }

    /// What it is now.
    fn value(&self) -> Option<Value> {
        let came = self.came.as_ref()?;
        Some(match (came, &self.elements) {
            (_, Some(elements)) => Value::array(elements.iter().filter_map(Node::value).collect::<Vec<_>>()),
            (came, None) if self.members.is_empty() => came.clone(),
            (Value::Object(object), None) => {
                let mut object = object.clone();
                let changed = object.make_mut();
                for (key, member) in &self.members {
                    match member.value() {
                        Some(value) => changed.insert(key.clone(), value),
                        None => changed.remove(key),
                    };
                }
                object.into()
            }
            (Value::Set(set), None) => {
                let mut set = set.clone();
                let changed = set.make_mut();
                for (key, member) in &self.members {
                    changed.remove(key);
                    changed.extend(member.value());
                }
                set.into()
            }
            (scalar, None) => scalar.clone(),
        })
    }

    fn at(&mut self, path: &[Value]) -> Result<&mut Node, BuiltinError> {
        let mut node = self;
        for key in path {
            node = node.child(key)?;
        }
        Ok(node)
    }

    fn value_at(&mut self, path: &[Value]) -> Result<Value, BuiltinError> {
        self.at(path)?
            .value()
            .ok_or_else(|| error("nil value encountered where composite value was expected"))
    }

    fn insert_at(&mut self, path: &[Value], value: Value) -> Result<(), BuiltinError> {
        match path.split_last() {
            Some((key, parents)) => self.at(parents)?.insert(key, value),
            None => {
                *self = Node::new(value);
                Ok(())
            }
        }
    }

    fn remove_at(&mut self, path: &[Value]) -> Result<(), BuiltinError> {
        match path.split_last() {
            Some((key, parents)) => self.at(parents)?.remove(key),
            None if self.came.is_none() => Err(error("deleted node encountered during delete operation")),
            None => {
                *self = Node { came: None, members: BTreeMap::new(), elements: None };
                Ok(())
            }
        }
    }

    /// The elements of a set are their own keys: before one that can change is looked for, the set takes up what has
    /// become of its elements.
    fn take_up(&mut self, key: &Value) {
        if is_collection(key) && matches!(self.came, Some(Value::Set(_))) {
            self.came = self.value();
            self.members.clear();
        }
    }

    fn child(&mut self, key: &Value) -> Result<&mut Node, BuiltinError> {
        self.take_up(key);
        let nothing = || error("nil value encountered where composite value was expected");
        let came = self.came.as_ref().ok_or_else(nothing)?;
        let (kind, found) = match came {
            Value::Object(members) => ("object", members.get(key)),
            Value::Set(items) => ("set", items.get(key)),
            Value::Array(items) => {
                let elements = self.elements.get_or_insert_with(|| nodes(items));
                let at = index(elements.len(), key)?;
                return elements.get_mut(at).ok_or_else(|| missing(&int(at), "array", came));
            }
            scalar => return Err(not_composite(Some(key), scalar)),
        };
        let members = &mut self.members;
        if !members.contains_key(key) {
            let found = found.ok_or_else(|| missing(key, kind, came))?;
            members.insert(key.clone(), Member::Here(Node::new(found.clone())));
        }
        match members.get_mut(key) {
            Some(Member::Here(node)) => Ok(node),
            Some(Member::Gone(what)) => {
                Err(BuiltinError::new(format!("cannot unfold the already deleted {what} node for key {key}")))
            }
            None => Err(missing(key, kind, came)),
        }
    }

    fn insert(&mut self, key: &Value, value: Value) -> Result<(), BuiltinError> {
        let came =
            self.came.as_ref().ok_or_else(|| error("deleted node encountered during insert operation"))?;
        match came {
            Value::Object(_) => {}
            Value::Set(_) if *key == value => self.take_up(key),
            Value::Set(_) => {
                let text = format!("set key {key} does not equal value to be inserted {value}");
                return Err(BuiltinError::new(text));
            }
            Value::Array(items) => {
                let elements = self.elements.get_or_insert_with(|| nodes(items));
                let at = index(elements.len(), key)?;
                if at > elements.len() {
                    return Err(error("index for array insertion out of bounds"));
                }
                elements.insert(at, Node::new(value));
                return Ok(());
            }
            scalar => return Err(not_composite(None, scalar)),
        }
        self.members.insert(key.clone(), Member::Here(Node::new(value)));
        Ok(())
    }

    fn remove(&mut self, key: &Value) -> Result<(), BuiltinError> {
        self.take_up(key);
        let came =
            self.came.as_ref().ok_or_else(|| error("deleted node encountered during delete operation"))?;
        let found = match came {
            Value::Object(members) => members.get(key),
            Value::Set(items) => items.get(key),
            Value::Array(items) => {
                let elements = self.elements.get_or_insert_with(|| nodes(items));
                let at = index(elements.len(), key)?;
                if at >= elements.len() {
                    return Err(error("index for array delete out of bounds"));
                }
                elements.remove(at);
                return Ok(());
            }
            scalar => return Err(not_composite(None, scalar)),
        };
        let gone = match (self.members.get(key), found) {
            (Some(Member::Gone(what)), _) => {
                let text = format!("cannot delete the already deleted {what} node for key {key}");
                return Err(BuiltinError::new(text));
            }
            (Some(Member::Here(node)), _) => node.came.as_ref().is_some_and(is_collection),
            (None, Some(found)) => is_collection(found),
            (None, None) => {
                let text = format!("cannot delete child key {key} that does not exist");
                return Err(BuiltinError::new(text));
            }
        };
        self.members.insert(key.clone(), Member::Gone(if gone { "composite" } else { "scalar" }));
        Ok(())
    }
}

impl Member {
    fn value(&self) -> Option<Value> {
        match self {
            Member::Here(node) => node.value(),
            Member::Gone(_) => None,
        }
    }
}

fn nodes(items: &[Value]) -> Vec<Node> {
    items.iter().cloned().map(Node::new).collect()
}

fn is_collection(value: &Value) -> bool {
    matches!(value, Value::Array(_) | Value::Object(_) | Value::Set(_))
}

fn index(length: usize, key: &Value) -> Result<usize, BuiltinError> {
    let wrong = |what: &str| BuiltinError::new(what.to_owned());
    let index = match key {
        Value::Number(number) => {
            number.as_int_operand().ok_or_else(|| wrong("invalid number type for indexing"))?
        }
        Value::String(text) if &**text == "-" => return Ok(length),
        Value::String(text) => {
            let number: i64 = text.parse().map_err(|_| wrong("invalid string for indexing"))?;
            if text.starts_with('0') && &**text != "0" {
                return Err(wrong("leading zeros are not allowed in JSON paths"));
            }
            number
        }
        _ => return Err(wrong("invalid type for indexing")),
    };
    Ok(usize::try_from(index).unwrap_or(usize::MAX))
}

fn missing(key: &Value, kind: &str, node: &Value) -> BuiltinError {
    // OPA shows the key of a set as the beginning of a reference.
    if let ("set", Value::String(name)) = (kind, key) {
        return BuiltinError::new(format!("path {name} does not exist in set term {node}"));
    }
    BuiltinError::new(format!("path {key} does not exist in {kind} term {node}"))
}

/// The error of a path that goes on in a scalar: on the way to `key`, or at its end. The types are those
/// of OPA's source.
fn not_composite(key: Option<&Value>, node: &Value) -> BuiltinError {
    let place = key.map(|key| format!(" for path {key}")).unwrap_or_default();
    let kind = match node {
        Value::Null => "Null",
        Value::Bool(_) => "Boolean",
        Value::Number(_) => "Number",
        _ => "String",
    };
    BuiltinError::new(format!("expected composite type{place}, found value: {node} (type: ast.{kind})"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use rego_value::json;

    fn patched(document: &str, operations: &str) -> String {
        let args = [document, operations].map(|text| json::parse(text.as_bytes()).unwrap());
        match patch(&mut Context::default(), &args) {
            Ok(value) => json::to_string(&value.unwrap(), json::Escape::Plain),
            Err(error) => error.message,
        }
    }

    #[test]
    fn an_array_is_indexed_as_it_is_by_then() {
        let operations = r#"[{"op": "remove", "path": "/0"}, {"op": "add", "path": "/1/x", "value": 9}, {"op": "add", "path": "/0", "value": 5}]"#;
        assert_eq!(patched(r#"[{"a": 1}, {"b": 2}, {"c": 3}]"#, operations), r#"[5,{"b":2},{"c":3,"x":9}]"#);
    }

    #[test]
    fn an_error_shows_what_a_value_was() {
        let operations =
            r#"[{"op": "add", "path": "/a/b", "value": 1}, {"op": "test", "path": "/a/c", "value": 1}]"#;
        assert_eq!(patched(r#"{"a": {}}"#, operations), r#"path "c" does not exist in object term {}"#);
    }
}
