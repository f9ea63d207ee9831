//! The tables as a JSON Schema, for editors.

use serde_json::{Map, Value, json};

use super::conditions::{RULES_FILE, condition_keys};
use super::{Key, Takes, tables};
use crate::model::Weekday;
use crate::ruleset::OperandKind;

/// Where the schema can be referred to by name.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The JSON Schema (draft 2020-12) of hexarch.yaml. What only the reader can tell, such as whether a
/// timezone exists or an id is taken, is not in it.
pub(crate) fn json_schema() -> Value {
    let mut schema = mapping(tables::FILE, &["policies"]);
    head(&mut schema, "hexarch.yaml");
    schema
}

/// The JSON Schema (draft 2020-12) of a file of rules.
pub(crate) fn rules_schema() -> Value {
    let mut schema = mapping(RULES_FILE, &["id", "rules"]);
    head(&mut schema, "rules with conditions");
    schema
}

fn head(schema: &mut Value, title: &str) {
    if let Some(members) = schema.as_object_mut() {
        members.insert("$schema".to_owned(), DIALECT.into());
        members.insert("title".to_owned(), title.into());
        members.insert("$defs".to_owned(), json!({"condition": condition()}));
    }
}

/// A group, or a field and one comparison.
fn condition() -> Value {
    let alone = |keys: &[&Key]| {
        let properties: Map<String, Value> =
            keys.iter().map(|key| (key.name.to_owned(), property(key))).collect();
        let required: Vec<&str> = keys.iter().map(|key| key.name).collect();
        json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
    };
    let keys = condition_keys();
    let field = keys.iter().find(|key| key.name == "field");
    let shapes = keys.iter().filter(|key| key.name != "field").map(|key| match (&key.takes, field) {
        (Takes::Operand(_), Some(field)) => alone(&[field, key]),
        _ => alone(&[key]),
    });
    json!({"anyOf": shapes.collect::<Vec<_>>()})
}

fn operand(kind: OperandKind) -> Value {
    let scalar = json!({"type": ["string", "number", "boolean"]});
    match kind {
        OperandKind::Scalar => scalar,
        OperandKind::Scalars => json!({"type": "array", "minItems": 1, "uniqueItems": true, "items": scalar}),
        OperandKind::Number => json!({"type": "number"}),
        OperandKind::Bounds => {
            json!({"type": "array", "minItems": 2, "maxItems": 2, "items": {"type": "number"}})
        }
        OperandKind::Text | OperandKind::Regex | OperandKind::Function => {
            json!({"type": "string", "minLength": 1})
        }
        OperandKind::Truth => json!({"type": "boolean"}),
        OperandKind::True => json!({"type": "boolean", "enum": [true]}),
    }
}

fn mapping(keys: &[Key], required: &[&str]) -> Value {
    let properties: Map<String, Value> =
        keys.iter().map(|key| (key.name.to_owned(), property(key))).collect();
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
                "audit" | "state" => &["store"],
                _ => &[],
            };
            mapping(keys, required)
        }
        Takes::List(keys) => {
            let required: &[&str] = match name {
                "policies" | "signed" => &["id"],
                // `rules` are of two kinds: those with conditions have one.
                _ if keys.iter().any(|key| key.name == "when") => &["id", "when"],
                _ => &[],
            };
            json!({"type": "array", "items": mapping(keys, required)})
        }
        Takes::FailMode => json!({
            "anyOf": [
                {"type": "string", "enum": ["closed", "open"]},
                {"type": "object", "additionalProperties": {"type": "string", "enum": ["closed", "open"]}},
            ],
        }),
        Takes::Anything => json!({}),
        Takes::Integer => json!({"type": "integer"}),
        Takes::WordList(words) => one_or_more(&json!({"type": "string", "enum": words})),
        Takes::Object => json!({"type": "object"}),
        Takes::Condition => json!({"$ref": "#/$defs/condition"}),
        Takes::Conditions => json!({"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/condition"}}),
        Takes::Operand(kind) => operand(*kind),
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
