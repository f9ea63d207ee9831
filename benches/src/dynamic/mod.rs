//! The policies by hand over `serde_json::Value`: what is written when the input has no fixed shape.

mod guardrail;
mod kubernetes;
mod rbac;

use serde_json::Value;

use crate::Decision;
use crate::typed::Decide;

/// The hand-written form of a standing policy with its data loaded; `None` for any other.
#[must_use]
pub fn load(policy: &str, data: &str) -> Option<Decide> {
    let decide: fn(&Value, &Value) -> Decision = match policy {
        "p1" => guardrail::decide,
        "p2" => rbac::decide,
        "p3" => kubernetes::decide,
        _ => return None,
    };
    let data: Value = serde_json::from_str(data).unwrap();
    Some(Box::new(move |text| decide(&data, &serde_json::from_slice(text).unwrap())))
}

/// The text at a key, or the empty text.
fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// The integer at a key, or zero.
fn integer(value: &Value, key: &str) -> i64 {
    value[key].as_i64().unwrap_or_default()
}

/// The elements at a key; none where it is no array.
fn elements<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().into_iter().flatten()
}
