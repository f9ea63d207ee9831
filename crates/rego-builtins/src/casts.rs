//! The deprecated casts, which check a type and change little.

use rego_value::Value;

use crate::args::{Args, elements, wrong_type};
use crate::context::Context;
use crate::error::BuiltinError;

type Outcome = Result<Option<Value>, BuiltinError>;

fn checked(args: &[Value], is: fn(&Value) -> bool, name: &str) -> Outcome {
    let value = Args(args).value(1)?;
    if is(value) { Ok(Some(value.clone())) } else { Err(wrong_type(1, value, &[name])) }
}

/// `cast_string`
pub(crate) fn cast_string(_: &mut Context, args: &[Value]) -> Outcome {
    checked(args, |value| matches!(value, Value::String(_)), "string")
}

/// `cast_boolean`
pub(crate) fn cast_boolean(_: &mut Context, args: &[Value]) -> Outcome {
    checked(args, |value| matches!(value, Value::Bool(_)), "boolean")
}

/// `cast_null`
pub(crate) fn cast_null(_: &mut Context, args: &[Value]) -> Outcome {
    checked(args, |value| matches!(value, Value::Null), "null")
}

/// `cast_object`
pub(crate) fn cast_object(_: &mut Context, args: &[Value]) -> Outcome {
    checked(args, |value| matches!(value, Value::Object(_)), "object")
}

fn items(args: &[Value]) -> Result<Vec<Value>, BuiltinError> {
    let value = Args(args).value(1)?;
    let items = elements(value).ok_or_else(|| wrong_type(1, value, &["array", "set"]))?;
    Ok(items.into_iter().cloned().collect())
}

/// `cast_array`
pub(crate) fn cast_array(_: &mut Context, args: &[Value]) -> Outcome {
    Ok(Some(Value::array(items(args)?)))
}

/// `cast_set`
pub(crate) fn cast_set(_: &mut Context, args: &[Value]) -> Outcome {
    Ok(Some(Value::set(items(args)?)))
}
