//! Equality, order and hash of values, without recursion.

use crate::Value;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::hash::{Hash, Hasher};

/// What is left to compare of a pair of collections whose beginnings are equal.
enum Pending<'a> {
    Items(core::slice::Iter<'a, Value>, core::slice::Iter<'a, Value>),
    Elements(alloc::collections::btree_set::Iter<'a, Value>, alloc::collections::btree_set::Iter<'a, Value>),
    Members(
        alloc::collections::btree_map::Iter<'a, Value, Value>,
        alloc::collections::btree_map::Iter<'a, Value, Value>,
    ),
    Pair(&'a Value, &'a Value),
}

impl Ord for Value {
    fn cmp(&self, other: &Self) -> Ordering {
        let mut pending = Vec::new();
        let mut order = shallow(self, other, &mut pending);
        while order == Ordering::Equal {
            let Some(next) = pending.pop() else { break };
            order = step(next, &mut pending);
        }
        order
    }
}

/// Compares two values that are not both collections of a kind, and leaves the elements of those that are.
fn shallow<'a>(a: &'a Value, b: &'a Value, pending: &mut Vec<Pending<'a>>) -> Ordering {
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Number(a), Value::Number(b)) => a.cmp(b),
        (Value::String(a), Value::String(b)) => a.as_bytes().cmp(b.as_bytes()),
        (Value::Array(a), Value::Array(b)) => {
            pending.push(Pending::Items(a.iter(), b.iter()));
            Ordering::Equal
        }
        (Value::Object(a), Value::Object(b)) => {
            pending.push(Pending::Members(a.iter(), b.iter()));
            Ordering::Equal
        }
        (Value::Set(a), Value::Set(b)) => {
            pending.push(Pending::Elements(a.iter(), b.iter()));
            Ordering::Equal
        }
        _ => a.kind().cmp(&b.kind()),
    }
}

fn step<'a>(next: Pending<'a>, pending: &mut Vec<Pending<'a>>) -> Ordering {
    match next {
        Pending::Pair(a, b) => shallow(a, b, pending),
        Pending::Items(mut a, mut b) => match (a.next(), b.next()) {
            (Some(x), Some(y)) => {
                pending.push(Pending::Items(a, b));
                shallow(x, y, pending)
            }
            (x, y) => x.is_some().cmp(&y.is_some()),
        },
        Pending::Elements(mut a, mut b) => match (a.next(), b.next()) {
            (Some(x), Some(y)) => {
                pending.push(Pending::Elements(a, b));
                shallow(x, y, pending)
            }
            (x, y) => x.is_some().cmp(&y.is_some()),
        },
        Pending::Members(mut a, mut b) => match (a.next(), b.next()) {
            (Some((key_a, value_a)), Some((key_b, value_b))) => {
                pending.push(Pending::Members(a, b));
                pending.push(Pending::Pair(value_a, value_b));
                shallow(key_a, key_b, pending)
            }
            (x, y) => x.is_some().cmp(&y.is_some()),
        },
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Value {}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let mut pending = Vec::new();
        pending.push(self);
        while let Some(value) = pending.pop() {
            core::mem::discriminant(value).hash(state);
            match value {
                Value::Null => {}
                Value::Bool(truth) => truth.hash(state),
                Value::Number(number) => number.hash(state),
                Value::String(text) => text.hash(state),
                Value::Array(items) => {
                    state.write_usize(items.len());
                    pending.extend(items.iter());
                }
                Value::Set(items) => {
                    state.write_usize(items.len());
                    pending.extend(items.iter());
                }
                Value::Object(members) => {
                    state.write_usize(members.len());
                    pending.extend(members.iter().flat_map(|(key, value)| [key, value]));
                }
            }
        }
    }
}
