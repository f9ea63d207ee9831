//! Operands as host functions want them, with OPA's words for those that are wrong.

use rego_value::{Array, Number, Object, Value};

use crate::error::BuiltinError;

/// The operands of a call, asked for by position from 1.
#[derive(Clone, Copy)]
pub(crate) struct Args<'a>(pub(crate) &'a [Value]);

impl<'a> Args<'a> {
    /// The operand at a position; a call always has all that its row names.
    pub(crate) fn value(self, position: usize) -> Result<&'a Value, BuiltinError> {
        let operand = position.checked_sub(1).and_then(|at| self.0.get(at));
        operand.ok_or_else(|| BuiltinError::operand(position, "is missing"))
    }

    pub(crate) fn string(self, position: usize) -> Result<&'a str, BuiltinError> {
        let value = self.value(position)?;
        value.as_str().ok_or_else(|| wrong_type(position, value, &["string"]))
    }

    pub(crate) fn number(self, position: usize) -> Result<&'a Number, BuiltinError> {
        let value = self.value(position)?;
        value.as_number().ok_or_else(|| wrong_type(position, value, &["number"]))
    }

    pub(crate) fn array(self, position: usize) -> Result<&'a Array, BuiltinError> {
        let value = self.value(position)?;
        value.as_array().ok_or_else(|| wrong_type(position, value, &["array"]))
    }

    pub(crate) fn object(self, position: usize) -> Result<&'a Object, BuiltinError> {
        let value = self.value(position)?;
        value.as_object().ok_or_else(|| wrong_type(position, value, &["object"]))
    }

    /// An integer as OPA's integer operands are: `1` and `1.0`, not `1.5`.
    pub(crate) fn int(self, position: usize) -> Result<i64, BuiltinError> {
        let number = self.number(position)?;
        number.as_int_operand().ok_or_else(|| {
            BuiltinError::operand(position, "must be integer number but got floating-point number")
        })
    }
}

/// The elements of an array or a set, in order.
pub(crate) fn elements(value: &Value) -> Option<Vec<&Value>> {
    match value {
        Value::Array(items) => Some(items.iter().collect()),
        Value::Set(items) => Some(items.iter().collect()),
        _ => None,
    }
}

/// An operand of another type than those expected.
pub(crate) fn wrong_type(position: usize, got: &Value, expected: &[&str]) -> BuiltinError {
    match expected {
        [one] => BuiltinError::wrong_type(position, one, got.kind()),
        many => {
            let expected = format!("one of {{{}}}", many.join(", "));
            BuiltinError::wrong_type(position, expected, got.kind())
        }
    }
}

/// A collection that contains something of another type than those expected.
pub(crate) fn wrong_element(
    position: usize,
    collection: &Value,
    got: &Value,
    expected: &[&str],
) -> BuiltinError {
    let (collection, got) = (collection.kind().name(), got.kind().name());
    let expected = match expected {
        [one] => format!("{one}s"),
        many => format!("(any of) {{{}}}", many.join(", ")),
    };
    BuiltinError::operand(
        position,
        format_args!("must be {collection} of {expected} but got {collection} containing {got}"),
    )
}
