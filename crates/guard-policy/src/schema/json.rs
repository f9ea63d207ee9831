//! The tables as a JSON Schema, for editors.

use serde_json::{Map, Value, json};

use super::{Key, Support, Takes, tables};
use crate::model::Weekday;

/// Where the schema can be referred to by name.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The JSON Schema (draft 2020-12) of hexarch.yaml. What only the reader can tell, such as whether a
/// timezone exists or an id is taken, is not in it.
pub(crate) fn json_schema() -> Value {
    let mut schema = mapping(tables::FILE, &["policies"]);
    if let Some(members) = schema.as_object_mut() {
        members.insert("$schema".to_owned(), DIALECT.into());
        members.insert("title".to_owned(), "hexarch.yaml".into());
    }
    schema
}

fn mapping(keys: &[Key], required: &[&str]) -> Value {
    let enforced = keys.iter().filter(|key| key.support == Support::Enforced);
    let properties: Map<String, Value> = enforced.map(|key| (key.name.to_owned(), property(key))).collect();
    let mut schema = json!({"type": "object", "properties": properties, "additionalProperties": false});
    if let (Some(members), false) = (schema.as_object_mut(), required.is_empty()) {
        members.insert("required".to_owned(), required.into());
    }
    schema
}

fn property(key: &Key) -> Value {
    let mut schema = value(&key.takes, key.name);
    if let Some(members) = schema.as_object_mut() {
        members.insert("description".to_owned(), key.about.into());
    }
    schema
}

fn value(takes: &Takes, name: &str) -> Value {
    match takes {
        Takes::Text => json!({"type": "string", "minLength": 1}),
        Takes::Name => json!({"type": "string", "pattern": "^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$"}),
        Takes::Truth => json!({"type": "boolean"}),
        Takes::Dollars => json!({"type": "number", "minimum": 0, "maximum": 9_007_199_254_u64}),
        Takes::Count => json!({"type": "integer", "minimum": 1, "maximum": 1_000_000_000_000_u64}),
        Takes::Percent => json!({"type": "integer", "minimum": 1, "maximum": 100}),
        Takes::Seconds => json!({"type": "number", "minimum": 0.001, "maximum": 86_400}),
        Takes::Number => json!({"type": "number"}),
        Takes::Texts => one_or_more(&json!({"type": "string", "minLength": 1})),
        Takes::Hours => one_or_more(&json!({
            "type": "string",
            "pattern": "^([01]?[0-9]|2[0-3]):[0-5][0-9] *- *(([01]?[0-9]|2[0-3]):[0-5][0-9]|24:00)$",
        })),
        Takes::Days => one_or_more(&day()),
        Takes::Words(words) => json!({"type": "string", "enum": words}),
        Takes::Action => json!({
            "anyOf": [
                {"type": "string", "enum": crate::read::ACTION_WORDS},
                {"type": "string", "pattern": "^warn_at_([1-9][0-9]?|100)%?$"},
            ],
        }),
        Takes::Mapping(keys) => {
            let required: &[&str] = match name {
                "opa" => &["url"],
                "state" => &["store"],
                _ => &[],
            };
            mapping(keys, required)
        }
        Takes::List(keys) => {
            json!({"type": "array", "items": mapping(keys, if name == "policies" { &["id"] } else { &[] })})
        }
        Takes::FailMode => json!({
            "anyOf": [
                {"type": "string", "enum": ["closed", "open"]},
                {"type": "object", "additionalProperties": {"type": "string", "enum": ["closed", "open"]}},
            ],
        }),
        Takes::Anything => json!({}),
    }
}

/// A day as it is proposed, or in any other case.
fn day() -> Value {
    let name = |day: &Weekday| day.as_str().to_ascii_lowercase();
    let names: Vec<String> = Weekday::ALL.iter().map(name).collect();
    let either = |c: char| format!("[{}{c}]", c.to_ascii_uppercase());
    let patterns = names.iter().map(|name| {
        let (short, rest) = name.split_at_checked(3).unwrap_or((name, ""));
        let pattern = |text: &str| text.chars().map(either).collect::<String>();
        format!("{}({})?", pattern(short), pattern(rest))
    });
    let pattern = format!("^({})$", patterns.collect::<Vec<_>>().join("|"));
    json!({"anyOf": [{"type": "string", "enum": names}, {"type": "string", "pattern": pattern}]})
}

/// One of something, or a list of it without repetitions.
fn one_or_more(one: &Value) -> Value {
    json!({"anyOf": [one, {"type": "array", "minItems": 1, "uniqueItems": true, "items": one}]})
}
