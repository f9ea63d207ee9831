//! What does not reach the file: values that a caller or their name says are secret, and texts without end.

use std::collections::{BTreeMap, BTreeSet};

use guard_core::{Json, is_secret_name};
use serde_json::{Map, Value, json};

const HIDDEN: &str = "(hidden)";

/// The most bytes of a document that are kept.
const MOST_BYTES: usize = 64 << 10;

/// Members as a JSON object.
pub(crate) fn members(members: &BTreeMap<String, Json>, secrets: &BTreeSet<String>) -> String {
    let clean = |(name, value): (&String, &Json)| {
        let value = if is_secret(name, secrets) { json!(HIDDEN) } else { read(value, secrets) };
        (name.clone(), value)
    };
    bounded(&Value::Object(members.iter().map(clean).collect()))
}

/// One document.
pub(crate) fn one(value: &Json, secrets: &BTreeSet<String>) -> String {
    bounded(&read(value, secrets))
}

fn is_secret(name: &str, secrets: &BTreeSet<String>) -> bool {
    secrets.contains(name) || is_secret_name(name)
}

/// A tree without secrets. What is too deep to be read could hold any.
fn read(value: &Json, secrets: &BTreeSet<String>) -> Value {
    value.to_value().map_or_else(|_| json!(HIDDEN), |value| clean(value, secrets))
}

/// The reader bounds how deep this goes.
fn clean(value: Value, secrets: &BTreeSet<String>) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(|item| clean(item, secrets)).collect(),
        Value::Object(members) => {
            let members = members.into_iter().map(|(name, value)| {
                let value = if is_secret(&name, secrets) { json!(HIDDEN) } else { clean(value, secrets) };
                (name, value)
            });
            Value::Object(members.collect::<Map<_, _>>())
        }
        other => other,
    }
}

fn bounded(value: &Value) -> String {
    let text = value.to_string();
    if text.len() <= MOST_BYTES { text } else { json!({"(left out)": text.len()}).to_string() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_at_any_depth_and_long_documents_are_left_out() {
        let told = |text: &str| {
            let members_of: BTreeMap<String, Json> = [
                ("all".to_owned(), Json::from_text(text).unwrap()),
                ("api_key".to_owned(), Json::of(&7).unwrap()),
            ]
            .into();
            members(&members_of, &["amount".to_owned()].into())
        };
        assert_eq!(
            told(r#"{"amount": 5, "list": [{"password": "p", "name": "n"}]}"#),
            r#"{"all":{"amount":"(hidden)","list":[{"name":"n","password":"(hidden)"}]},"api_key":"(hidden)"}"#
        );
        let long = format!("\"{}\"", "x".repeat(MOST_BYTES));
        assert_eq!(told(&long), format!("{{\"(left out)\":{}}}", MOST_BYTES + 31));
        let deep = format!("{}1{}", "[".repeat(500), "]".repeat(500));
        assert_eq!(told(&deep), r#"{"all":"(hidden)","api_key":"(hidden)"}"#);
    }
}
