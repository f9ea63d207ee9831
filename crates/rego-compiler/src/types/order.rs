//! The total order of types: unions are kept sorted by it, and two types are the same where it says so.

use std::cmp::Ordering;

use super::{ArrayType, FunctionType, Maybe, ObjectType, Type};

impl Type {
    fn rank(&self) -> u8 {
        match self {
            Type::Null => 0,
            Type::Boolean => 1,
            Type::Number => 2,
            Type::String => 3,
            Type::Array(_) => 4,
            Type::Object(_) => 5,
            Type::Set(_) => 6,
            Type::Any(_) => 7,
            Type::Function(_) => 8,
        }
    }

    /// The order of two types that may be unknown; unknown comes first.
    pub fn compare_maybe(a: &Maybe, b: &Maybe) -> Ordering {
        match (a, b) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(a), Some(b)) => a.cmp(b),
        }
    }
}

impl Ord for Type {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Type::Array(a), Type::Array(b)) => compare_arrays(a, b),
            (Type::Object(a), Type::Object(b)) => compare_objects(a, b),
            (Type::Set(a), Type::Set(b)) => match (a, b) {
                (Some(a), Some(b)) => a.cmp(b),
                (a, b) => a.is_some().cmp(&b.is_some()),
            },
            (Type::Any(a), Type::Any(b)) => a.cmp(b),
            (Type::Function(a), Type::Function(b)) => compare_functions(a, b),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Type {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Type {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Type {}

fn compare_lists<'a>(
    a: impl ExactSizeIterator<Item = &'a Maybe>,
    b: impl ExactSizeIterator<Item = &'a Maybe>,
) -> Ordering {
    let lengths = a.len().cmp(&b.len());
    a.zip(b).map(|(a, b)| Type::compare_maybe(a, b)).find(|order| order.is_ne()).unwrap_or(lengths)
}

fn compare_arrays(a: &ArrayType, b: &ArrayType) -> Ordering {
    Type::compare_maybe(&a.rest, &b.rest).then_with(|| compare_lists(a.fixed.iter(), b.fixed.iter()))
}

fn compare_objects(a: &ObjectType, b: &ObjectType) -> Ordering {
    let rest = match (&a.rest, &b.rest) {
        (Some((key_a, value_a)), Some((key_b, value_b))) => {
            Type::compare_maybe(key_a, key_b).then_with(|| Type::compare_maybe(value_a, value_b))
        }
        (a, b) => a.is_some().cmp(&b.is_some()),
    };
    let fixed = || {
        let pairs = a.fixed.iter().zip(&b.fixed);
        pairs
            .map(|((key_a, value_a), (key_b, value_b))| {
                key_a.cmp(key_b).then_with(|| Type::compare_maybe(value_a, value_b))
            })
            .find(|order| order.is_ne())
            .unwrap_or_else(|| a.fixed.len().cmp(&b.fixed.len()))
    };
    rest.then_with(fixed)
}

fn compare_functions(a: &FunctionType, b: &FunctionType) -> Ordering {
    a.params
        .len()
        .cmp(&b.params.len())
        .then_with(|| compare_lists(a.params.iter().map(|p| &p.ty), b.params.iter().map(|p| &p.ty)))
        .then_with(|| Type::compare_maybe(&a.result_type(), &b.result_type()))
        .then_with(|| Type::compare_maybe(&a.variadic, &b.variadic))
}
