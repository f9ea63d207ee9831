//! Category object, as far as the host does it: subsets.

use rego_value::{Array, Object, Set, Value};

use crate::args::Args;
use crate::context::Context;
use crate::error::{BuiltinError, ErrorCode};

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
