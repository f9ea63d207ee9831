//! Category json: documents against JSON Schema, drafts 4, 6 and 7.
//!
//! Verdicts, problems and their words are those of the library that OPA uses (its fork of gojsonschema), which differ
//! from the standard in places and are part of the answers; so the checker is our own. No reference is ever loaded:
//! where OPA would ask a host or read a file, the schema is refused.

mod compile;
mod email;
mod format;
mod meta;
mod node;
mod number;
mod pool;
mod reference;
mod validate;

use rego_value::Value;
use rego_value::json::{self, Escape};

use crate::args::Args;
use crate::context::Context;
use crate::error::BuiltinError;

type Outcome = Result<Option<Value>, BuiltinError>;

/// How deep a schema and a document may be nested. OPA reads 10,000 levels.
const MOST_NESTED: usize = 500;

/// A document given as JSON text, or as an object or array.
fn document(value: &Value) -> Result<Value, String> {
    let document = match value {
        Value::String(text) => {
            if !json::is_valid(text.as_bytes()) {
                return Err("invalid JSON string".to_owned());
            }
            json::parse(text.as_bytes())
        }
        // What JSON cannot say is turned into what it can: sets, and keys that are no strings.
        Value::Object(_) | Value::Array(_) => json::parse(json::to_string(value, Escape::Plain).as_bytes()),
        _ => return Err("wrong type, expected string or object".to_owned()),
    };
    let document = document.map_err(|_| "the document holds a number that is too large".to_owned())?;
    if is_deeper(&document, MOST_NESTED) {
        return Err(format!("the document is nested more than {MOST_NESTED} levels deep"));
    }
    Ok(document)
}

fn is_deeper(value: &Value, most: usize) -> bool {
    let mut pending = vec![(value, 0)];
    while let Some((value, depth)) = pending.pop() {
        if depth > most {
            return true;
        }
        match value {
            Value::Array(items) => pending.extend(items.iter().map(|item| (item, depth + 1))),
            Value::Object(members) => pending.extend(members.values().map(|member| (member, depth + 1))),
            _ => {}
        }
    }
    false
}

/// What is wrong with a JSON schema (its text), in the words of OPA's library; `None` where nothing is.
///
/// A schema that refers to another document is refused: nothing is ever loaded.
///
/// ```
/// let remote = r#"{"$ref": "http://example.com/a.json"}"#;
/// let problem = "remote reference loading disabled: http://example.com/a.json";
/// assert_eq!(rego_builtins::json_schema_problem(remote).as_deref(), Some(problem));
/// assert_eq!(rego_builtins::json_schema_problem(r#"{"type": "string"}"#), None);
/// ```
pub fn json_schema_problem(schema: &str) -> Option<String> {
    let schema = document(&Value::from(schema));
    schema.and_then(|schema| compile::compile(&mut Context::default(), &schema)).err()
}

/// `json.verify_schema`
pub(crate) fn verify(context: &mut Context, args: &[Value]) -> Outcome {
    let schema = document(Args(args).value(1)?).and_then(|document| compile::compile(context, &document));
    Ok(Some(Value::array(match schema {
        Ok(_) => [true.into(), Value::Null],
        Err(problem) => [false.into(), format!("jsonschema: {problem}").into()],
    })))
}

/// `json.match_schema`
pub(crate) fn matches(context: &mut Context, args: &[Value]) -> Outcome {
    let args = Args(args);
    let value = document(args.value(1)?).map_err(BuiltinError::new)?;
    let schema = document(args.value(2)?).map_err(BuiltinError::new)?;
    let schema = compile::compile(context, &schema).map_err(BuiltinError::new)?;
    let problems = validate::validate(context, &schema, &value).map_err(BuiltinError::new)?;
    let valid = problems.is_empty();
    let problems = problems.into_iter().map(|problem| {
        let validate::Problem { kind, field, description } = problem;
        Value::object([
            ("error".into(), format!("{field}: {description}").into()),
            ("type".into(), kind.into()),
            ("field".into(), field.into()),
            ("desc".into(), description.into()),
        ])
    });
    Ok(Some(Value::array([valid.into(), Value::array(problems)])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(document: &str, schema: &str) -> Result<bool, BuiltinError> {
        let answer = matches(&mut Context::default(), &[document.into(), schema.into()])?.unwrap();
        Ok(answer.as_array().unwrap().first().unwrap().as_bool().unwrap())
    }

    #[test]
    fn documents_are_judged() {
        let schema = r#"{"properties": {"id": {"type": "integer"}}, "required": ["id"]}"#;
        assert_eq!(verdict(r#"{"id": 5}"#, schema), Ok(true));
        assert_eq!(verdict(r#"{"id": "x"}"#, schema), Ok(false));
        assert_eq!(verdict("{}", schema), Ok(false));
        let list = r##"{"properties": {"next": {"$ref": "#"}, "value": {"type": "number"}}}"##;
        assert_eq!(verdict(r#"{"value": 1, "next": {"value": 2}}"#, list), Ok(true));
        assert_eq!(verdict(r#"{"value": 1, "next": {"value": "x"}}"#, list), Ok(false));
    }

    #[test]
    fn a_metaschema_judges_schemas() {
        for draft in ["04", "06", "07"] {
            let meta = format!(r##"{{"$ref": "http://json-schema.org/draft-{draft}/schema#"}}"##);
            assert_eq!(verdict(r#"{"type": "object", "minLength": 3}"#, &meta), Ok(true), "{draft}");
            assert_eq!(verdict(r#"{"type": "thing"}"#, &meta), Ok(false), "{draft}");
        }
    }

    #[test]
    fn what_would_never_end_is_refused() {
        assert!(verdict("{}", r##"{"$ref": "#"}"##).is_err());
        let deep = |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000));
        assert!(verdict(&deep("[", "]"), "{}").is_err());
        assert!(verdict("{}", &deep(r#"{"not":"#, "}")).is_err());
        for schema in [
            r##"{"allOf": [{"$ref": "#"}]}"##,
            r##"{"not": {"anyOf": [{"$ref": "#"}]}}"##,
            r##"{"if": {"$ref": "#"}}"##,
            r##"{"dependencies": {"a": {"$ref": "#"}}}"##,
        ] {
            assert!(verdict(r#"{"a": 1}"#, schema).is_err(), "{schema}");
        }
        for levels in [140, 400] {
            let nested =
                |open: &str, close: &str| format!("{}{{}}{}", open.repeat(levels), close.repeat(levels));
            let schema = nested(r#"{"properties": {"a": "#, "}}");
            // Each keyword is a level of the document, and two keywords one of the schema.
            assert_eq!(verdict(&nested(r#"{"a": "#, "}"), &schema).is_ok(), levels < 200);
            let _ =
                verdict(&nested("[", "]"), r##"{"items": {"$ref": "#"}, "uniqueItems": true, "const": 1}"##);
        }
        // Two alternatives at each level.
        let tree = r##"{"anyOf": [{"items": {"$ref": "#"}, "minItems": 9}, {"items": {"$ref": "#"}, "maxItems": 0}]}"##;
        let nested = format!("{}{}", "[".repeat(60), "]".repeat(60));
        let _ = verdict(&nested, tree);
    }

    #[test]
    fn nothing_is_loaded() {
        for target in ["http://127.0.0.1:1/x", "file:///etc/passwd", "other.json"] {
            assert!(verdict("{}", &format!(r#"{{"$ref": "{target}"}}"#)).is_err(), "{target}");
        }
    }
}
