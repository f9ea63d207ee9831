//! Kinds of values.

use crate::error::Outcome;
use crate::value::Value;
use rego_value::Kind;

fn is(value: Value, kind: Kind) -> Outcome {
    Ok(Value::bool(value.kind() == kind))
}

pub(super) fn is_array(a: Value) -> Outcome {
    is(a, Kind::Array)
}

pub(super) fn is_boolean(a: Value) -> Outcome {
    is(a, Kind::Bool)
}

pub(super) fn is_null(a: Value) -> Outcome {
    is(a, Kind::Null)
}

pub(super) fn is_number(a: Value) -> Outcome {
    is(a, Kind::Number)
}

pub(super) fn is_object(a: Value) -> Outcome {
    is(a, Kind::Object)
}

pub(super) fn is_set(a: Value) -> Outcome {
    is(a, Kind::Set)
}

pub(super) fn is_string(a: Value) -> Outcome {
    is(a, Kind::String)
}

pub(super) fn type_name(a: Value) -> Outcome {
    Ok(Value::string(a.kind().name()))
}
