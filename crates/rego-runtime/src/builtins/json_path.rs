//! `json.filter` and `json.remove`: parts of a document by paths.
//!
//! The paths become a tree of objects first, with null where a path ends. The walk goes as deep as a path is long, which
//! is limited.

use super::operands::{elements, object};
use crate::array;
use crate::error::{Failure, Outcome};
use crate::table;
use crate::value::Value;
use alloc::string::String;
use alloc::vec::Vec;
use rego_value::abi::{KIND_ARRAY, KIND_OBJECT, KIND_SET};

/// The longest path that is followed.
const MAX_PATH: usize = 500;

fn path(value: Value) -> Result<Vec<Value>, Failure> {
    let steps: Vec<Value> = if let Some(text) = value.as_str() {
        if text.is_empty() {
            return Ok(Vec::new());
        }
        text.trim_start_matches('/').split('/').map(|part| Value::string(&unescape(part))).collect()
    } else if value.is_array() {
        array::iter(value).collect()
    } else {
        let text = "must be one of {set, array} containing string paths or array of path segments but got ";
        return Err(Failure::operand_text(2, &[text, value.kind().name()]));
    };
    if steps.len() > MAX_PATH {
        return Err(Failure::builtin(&["path too long"]));
    }
    Ok(steps)
}

/// `~1` is a slash and `~0` a tilde, in this order.
fn unescape(part: &str) -> String {
    part.replace("~1", "/").replace("~0", "~")
}

/// The tree of the paths.
fn tree(paths: Value) -> Result<Value, Failure> {
    let list = elements(paths).ok_or_else(|| Failure::operand(2, "one of {set, array}", paths))?;
    let root = table::new_object(0);
    for one in list {
        let steps = path(one)?;
        let Some((last, before)) = steps.split_last() else { continue };
        let mut node = root;
        for step in before {
            let child = table::get(node, *step);
            node = if child.is_defined() {
                child
            } else {
                let made = table::new_object(0);
                table::insert(node, *step, made);
                made
            };
            if node == Value::NULL {
                break;
            }
        }
        // A shorter path has taken all of it already.
        if node != Value::NULL {
            table::insert(node, *last, Value::NULL);
        }
    }
    Ok(root)
}

/// The key under which a tree names an element: its index as text.
fn index_key(position: usize) -> Value {
    let mut text = String::new();
    crate::text::push_int(&mut text, position as i64);
    Value::string(&text)
}

pub(super) fn filter(a: Value, paths: Value) -> Outcome {
    object(a, 1)?;
    Ok(keep(a, tree(paths)?))
}

fn keep(value: Value, tree: Value) -> Value {
    if tree == Value::NULL {
        return value;
    }
    match value.heap_kind() {
        KIND_ARRAY => {
            let kept = array::new(0);
            for (position, item) in array::iter(value).enumerate() {
                let inner = table::get(tree, index_key(position));
                if inner.is_defined() {
                    array::push(kept, keep(item, inner));
                }
            }
            kept
        }
        KIND_SET => {
            let kept = table::new_set(0);
            for (_, item) in table::elements(value) {
                let inner = table::get(tree, item);
                if inner.is_defined() {
                    table::add(kept, keep(item, inner));
                }
            }
            kept
        }
        KIND_OBJECT => {
            let kept = table::new_object(0);
            for (hash, key, item) in table::members(value) {
                let inner = table::get(tree, key);
                if inner.is_defined() {
                    table::insert_hashed(kept, hash, key, keep(item, inner));
                }
            }
            kept
        }
        _ => value,
    }
}

pub(super) fn remove(a: Value, paths: Value) -> Outcome {
    object(a, 1)?;
    let rest = without(a, tree(paths)?);
    if rest.is_defined() { Ok(rest) } else { Err(Failure::Undefined) }
}

/// What is left of a value; undefined where a path ends here.
fn without(value: Value, tree: Value) -> Value {
    if tree == Value::NULL {
        return Value::UNDEFINED;
    }
    if !tree.is_object() {
        return value;
    }
    match value.heap_kind() {
        KIND_ARRAY => {
            let kept = array::new(value.len());
            for (position, item) in array::iter(value).enumerate() {
                let rest = without(item, table::get(tree, index_key(position)));
                if rest.is_defined() {
                    array::push(kept, rest);
                }
            }
            kept
        }
        KIND_SET => {
            let kept = table::new_set(0);
            for (_, item) in table::elements(value) {
                let rest = without(item, table::get(tree, item));
                if rest.is_defined() {
                    table::add(kept, rest);
                }
            }
            kept
        }
        KIND_OBJECT => {
            let kept = table::new_object(value.len());
            for (hash, key, item) in table::members(value) {
                let rest = without(item, table::get(tree, key));
                if rest.is_defined() {
                    table::insert_hashed(kept, hash, key, rest);
                }
            }
            kept
        }
        _ => value,
    }
}
