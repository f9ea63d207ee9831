//! Category object, as far as the host does it: subsets and JSON Patch.

use rego_value::{Array, Object, Set, Value};

use crate::args::Args;
use crate::bounds::{MOST_VALUES, count_values};
use crate::context::Context;
use crate::error::{BuiltinError, ErrorCode};
use crate::strings::int;

type Outcome = Result<Option<Value>, BuiltinError>;

/// `object.subset`: objects recursively, sets as sets, arrays as a run of elements.
pub(crate) fn subset(_: &mut Context, args: &[Value]) -> Outcome {
    let args = Args(args);
    let found = match (args.value(1)?, args.value(2)?) {
        (Value::Object(all), Value::Object(part)) => object_subset(all, part),
        (Value::Set(all), Value::Set(part)) => part.is_subset(all),
        (Value::Array(all), Value::Array(part)) => array_subset(all, part),
        (Value::Array(all), Value::Set(part)) => array_has_all(all, part),
        _ => {
            return Err(BuiltinError {
                code: ErrorCode::Type,
                message: "both arguments object.subset must be of the same type or array and set".to_owned(),
                halt: false,
            });
        }
    };
    Ok(Some(found.into()))
}

/// Objects can be nested deeply, so this keeps its own list of what is left to compare.
fn object_subset(all: &Object, part: &Object) -> bool {
    let mut pairs = vec![(all, part)];
    while let Some((all, part)) = pairs.pop() {
        for (key, value) in part.iter() {
            let fits = match (all.get(key), value) {
                (None, _) => false,
                (Some(Value::Object(all)), Value::Object(part)) => {
                    pairs.push((all, part));
                    true
                }
                (Some(Value::Set(all)), Value::Set(part)) => part.is_subset(all),
                (Some(Value::Array(all)), Value::Array(part)) => array_subset(all, part),
                (Some(whole), part) => whole == part,
            };
            if !fits {
                return false;
            }
        }
    }
    true
}

/// Whether one array is a run of elements of the other, by OPA's search, which after a partial match
/// goes on behind its second element.
fn array_subset(all: &Array, part: &Array) -> bool {
    if part.len() > all.len() {
        return false;
    }
    let (mut start, mut matched) = (0, 0);
    loop {
        if matched == part.len() {
            return true;
        }
        let Some(item) = all.get(start + matched) else { return false };
        if Some(item) == part.get(matched) {
            matched += 1;
        } else {
            start += 1;
            matched = 0;
        }
    }
}

fn array_has_all(all: &Array, part: &Set) -> bool {
    // Each element that is in the set counts, equal ones again; and an empty array has nothing.
    let mut missing = part.len();
    for item in all.iter() {
        missing = missing.saturating_sub(usize::from(part.contains(item)));
        if missing == 0 {
            return true;
        }
    }
    false
}

/// `json.patch`
pub(crate) fn patch(_: &mut Context, args: &[Value]) -> Outcome {
    let args = Args(args);
    let operations = args.array(2)?;
    let mut document = Some(args.value(1)?.clone());
    // Copies share what they are made of, so that a few dozen would be more than any memory holds where they are written.
    let mut left = MOST_VALUES;
    for operation in operations.iter() {
        let operation = operation.as_object().ok_or_else(|| {
            BuiltinError::new(
                "must be an array of JSON-Patch objects, but at least one element is not an object",
            )
        })?;
        apply(&mut document, operation, &mut left)?;
    }
    Ok(document)
}

fn attribute<'a>(operation: &'a Object, name: &str) -> Result<&'a Value, BuiltinError> {
    let found = operation.get(&Value::from(name));
    found.ok_or_else(|| BuiltinError::new(format!("missing required attribute '{name}'")))
}

fn apply(document: &mut Option<Value>, operation: &Object, left: &mut usize) -> Result<(), BuiltinError> {
    let path = attribute(operation, "path")?;
    let op = attribute(operation, "op")?;
    let op = op.as_str().ok_or_else(|| {
        let got = op.kind().name();
        BuiltinError::new(format!("attribute 'op' must be a string but found: {got}"))
    })?;
    let path = parse_path(path)?;
    match op {
        "add" => insert(document, &path, attribute(operation, "value")?.clone()),
        "remove" => remove(document, &path).map(|_| ()),
        "replace" => {
            remove(document, &path)?;
            insert(document, &path, attribute(operation, "value")?.clone())
        }
        "move" => {
            let from = parse_path(attribute(operation, "from")?)?;
            find(document, &from)?;
            let moved = remove(document, &from)?;
            insert(document, &path, moved)
        }
        "copy" => {
            let from = parse_path(attribute(operation, "from")?)?;
            let copied = find(document, &from)?.clone();
            *left -= count_values(&copied, *left)?;
            insert(document, &path, copied)
        }
        "test" => {
            let found = find(document, &path)?;
            let expected = attribute(operation, "value")?;
            if found == expected {
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

fn root(document: &mut Option<Value>) -> Result<&mut Value, BuiltinError> {
    let deleted = || BuiltinError::new("nil value encountered where composite value was expected");
    document.as_mut().ok_or_else(deleted)
}

fn find<'a>(document: &'a Option<Value>, path: &[Value]) -> Result<&'a Value, BuiltinError> {
    let deleted = || BuiltinError::new("nil value encountered where composite value was expected");
    let mut node = document.as_ref().ok_or_else(deleted)?;
    for key in path {
        node = match node {
            Value::Object(members) => members.get(key).ok_or_else(|| missing(key, "object", node))?,
            Value::Set(items) => items.get(key).ok_or_else(|| missing(key, "set", node))?,
            Value::Array(items) => {
                let at = index(items.len(), key)?;
                items.get(at).ok_or_else(|| missing(&int(at), "array", node))?
            }
            other => return Err(not_composite(Some(key), other)),
        };
    }
    Ok(node)
}

/// Changes the parent of a path; sets on the way lose the old element and gain the changed one.
fn change<R>(
    node: &mut Value,
    path: &[Value],
    work: &mut dyn FnMut(&mut Value, &Value) -> Result<R, BuiltinError>,
) -> Result<R, BuiltinError> {
    let (key, rest) = path.split_first().ok_or_else(|| BuiltinError::new("empty path"))?;
    if rest.is_empty() {
        return work(node, key);
    }
    let shown = node.clone();
    match node {
        Value::Object(members) => {
            let child = members.make_mut().get_mut(key).ok_or_else(|| missing(key, "object", &shown))?;
            change(child, rest, work)
        }
        Value::Array(items) => {
            let at = index(items.len(), key)?;
            let child = items.make_mut().get_mut(at).ok_or_else(|| missing(&int(at), "array", &shown))?;
            change(child, rest, work)
        }
        Value::Set(items) => {
            let mut child = items.make_mut().take(key).ok_or_else(|| missing(key, "set", &shown))?;
            let outcome = change(&mut child, rest, work)?;
            items.make_mut().insert(child);
            Ok(outcome)
        }
        other => Err(not_composite(Some(key), other)),
    }
}

fn insert(document: &mut Option<Value>, path: &[Value], value: Value) -> Result<(), BuiltinError> {
    if path.is_empty() {
        *document = Some(value);
        return Ok(());
    }
    let mut value = Some(value);
    change(root(document)?, path, &mut |parent, key| {
        let Some(value) = value.take() else { return Ok(()) };
        match parent {
            Value::Object(members) => {
                members.make_mut().insert(key.clone(), value);
            }
            Value::Set(items) => {
                if *key != value {
                    let text = format!("set key {key} does not equal value to be inserted {value}");
                    return Err(BuiltinError::new(text));
                }
                items.make_mut().insert(value);
            }
            Value::Array(items) => {
                let at = index(items.len(), key)?;
                if at > items.len() {
                    return Err(BuiltinError::new("index for array insertion out of bounds"));
                }
                items.make_mut().insert(at, value);
            }
            other => return Err(not_composite(None, other)),
        }
        Ok(())
    })
}

fn remove(document: &mut Option<Value>, path: &[Value]) -> Result<Value, BuiltinError> {
    if path.is_empty() {
        return document
            .take()
            .ok_or_else(|| BuiltinError::new("deleted node encountered during delete operation"));
    }
    change(root(document)?, path, &mut |parent, key| {
        let gone = || BuiltinError::new(format!("cannot delete child key {key} that does not exist"));
        match parent {
            Value::Object(members) => members.make_mut().remove(key).ok_or_else(gone),
            Value::Set(items) => items.make_mut().take(key).ok_or_else(gone),
            Value::Array(items) => {
                let at = index(items.len(), key)?;
                if at >= items.len() {
                    return Err(BuiltinError::new("index for array delete out of bounds"));
                }
                Ok(items.make_mut().remove(at))
            }
            other => Err(not_composite(None, other)),
        }
    })
}
