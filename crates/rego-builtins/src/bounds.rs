//! What bounds a call: the deadline, and the memory of the host, which no cap on a module's memory protects.

use rego_value::Value;

use crate::context::Context;
use crate::error::{BuiltinError, ErrorCode};

/// The most values that one call may produce.
pub(crate) const MOST_VALUES: usize = 4_000_000;

/// The longest text that one call may produce, in bytes.
pub(crate) const MOST_BYTES: usize = 64 << 20;

/// After so many steps the deadline is looked at.
const STRIDE: usize = 4096;

/// Whether a function computes so long at the worst that it looks at the deadline: a host that calls one sets
/// [`Context::deadline`] and [`Context::clock`].
#[must_use]
pub fn may_take_long(name: &str) -> bool {
    matches!(name, "graph.reachable_paths" | "numbers.range_step")
}

fn ended(message: String) -> BuiltinError {
    BuiltinError { halt: true, ..BuiltinError::new(message) }
}

/// The end of an evaluation that asked for more values.
pub(crate) fn too_many() -> BuiltinError {
    ended(format!("result has more than {MOST_VALUES} values"))
}

/// The end of an evaluation that asked for a longer text.
pub(crate) fn too_long() -> BuiltinError {
    ended(format!("result has more than {MOST_BYTES} bytes"))
}

/// The steps of a call that may take long.
pub(crate) struct Steps<'a> {
    context: &'a Context,
    taken: usize,
}

impl<'a> Steps<'a> {
    pub(crate) fn new(context: &'a Context) -> Self {
        Self { context, taken: 0 }
    }

    /// One more; an error once the deadline has passed.
    pub(crate) fn step(&mut self) -> Result<(), BuiltinError> {
        self.taken += 1;
        if self.taken.is_multiple_of(STRIDE) && self.context.is_over() {
            let message = "caller cancelled query execution".to_owned();
            return Err(BuiltinError { code: ErrorCode::Cancel, message, halt: true });
        }
        Ok(())
    }
}

/// How many values there are in a value, itself included; an error where there are more than `left`, which takes no
/// longer than counting those.
pub(crate) fn count_values(value: &Value, left: usize) -> Result<usize, BuiltinError> {
    let (mut count, mut pending) = (0, vec![value]);
    while let Some(value) = pending.pop() {
        count += 1;
        let inside = match value {
            Value::Array(items) => items.len(),
            Value::Set(items) => items.len(),
            Value::Object(members) => members.len() * 2,
            _ => 0,
        };
        // Before they are put down: a wide value may stand under many names.
        if count + pending.len() + inside > left {
            return Err(too_many());
        }
        match value {
            Value::Array(items) => pending.extend(items.iter()),
            Value::Set(items) => pending.extend(items.iter()),
            Value::Object(members) => members.iter().for_each(|(key, member)| pending.extend([key, member])),
            _ => {}
        }
    }
    Ok(count)
}
