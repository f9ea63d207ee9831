//! Kinds of values.

use crate::error::Outcome;
use crate::value::Value;
use rego_value::abi::{FALSE, TRUE};

fn truth(truth: bool) -> Outcome {
    Ok(Value::bool(truth))
}

pub(super) fn is_array(a: Value) -> Outcome {
    truth(a.is_array())
}

pub(super) fn is_boolean(a: Value) -> Outcome {
    truth(matches!(a.0, TRUE | FALSE))
}

pub(super) fn is_null(a: Value) -> Outcome {
    truth(a == Value::NULL)
}

pub(super) fn is_number(a: Value) -> Outcome {
    truth(a.is_number())
}

pub(super) fn is_object(a: Value) -> Outcome {
    truth(a.is_object())
}

pub(super) fn is_set(a: Value) -> Outcome {
    truth(a.is_set())
}

pub(super) fn is_string(a: Value) -> Outcome {
    truth(a.as_str().is_some())
}

pub(super) fn type_name(a: Value) -> Outcome {
    Ok(Value::string(a.kind().name()))
}
