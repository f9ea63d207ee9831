//! The schemas of schemas, which a schema may refer to: made from a table of keywords, as drafts 4, 6 and 7 of JSON
//! Schema define them.

use rego_value::{Value, json};

use super::node::Draft;

/// What a keyword's value must be.
#[derive(Clone, Copy)]
enum Shape {
    Any,
    Text,
    Format(&'static str),
    Number,
    Positive,
    Flag,
    Count,
    CountOrZero,
    Names,
    Schema,
    SchemaOrFlag,
    SchemaOrMany,
    Many,
    Map,
    MapOfPatterns,
    Dependencies,
    Values,
    Examples,
    Types,
}

/// Keywords, and the first and the last draft that has them in this shape.
const KEYWORDS: &[(&str, Shape, Draft, Draft)] = {
    use Draft::{Four, Seven, Six};
    use Shape::*;
    &[
        ("id", Text, Four, Four),
        ("$schema", Text, Four, Four),
        ("$id", Format("uri-reference"), Six, Seven),
        ("$schema", Format("uri"), Six, Seven),
        ("$ref", Format("uri-reference"), Six, Seven),
        ("$comment", Text, Seven, Seven),
        ("title", Text, Four, Seven),
        ("description", Text, Four, Seven),
        ("default", Any, Four, Seven),
        ("readOnly", Flag, Seven, Seven),
        ("examples", Examples, Six, Seven),
        ("multipleOf", Positive, Four, Seven),
        ("maximum", Number, Four, Seven),
        ("exclusiveMaximum", Flag, Four, Four),
        ("exclusiveMaximum", Number, Six, Seven),
        ("minimum", Number, Four, Seven),
        ("exclusiveMinimum", Flag, Four, Four),
        ("exclusiveMinimum", Number, Six, Seven),
        ("maxLength", Count, Four, Seven),
        ("minLength", CountOrZero, Four, Seven),
        ("pattern", Format("regex"), Four, Seven),
        ("additionalItems", SchemaOrFlag, Four, Four),
        ("additionalItems", Schema, Six, Seven),
        ("items", SchemaOrMany, Four, Seven),
        ("maxItems", Count, Four, Seven),
        ("minItems", CountOrZero, Four, Seven),
        ("uniqueItems", Flag, Four, Seven),
        ("contains", Schema, Six, Seven),
        ("maxProperties", Count, Four, Seven),
        ("minProperties", CountOrZero, Four, Seven),
        ("required", Names, Four, Seven),
        ("additionalProperties", SchemaOrFlag, Four, Four),
        ("additionalProperties", Schema, Six, Seven),
        ("definitions", Map, Four, Seven),
        ("properties", Map, Four, Seven),
        ("patternProperties", Map, Four, Six),
        ("patternProperties", MapOfPatterns, Seven, Seven),
        ("dependencies", Dependencies, Four, Seven),
        ("propertyNames", Schema, Six, Seven),
        ("const", Any, Six, Seven),
        ("enum", Values, Four, Seven),
        ("type", Types, Four, Seven),
        ("format", Text, Four, Seven),
        ("contentMediaType", Text, Seven, Seven),
        ("contentEncoding", Text, Seven, Seven),
        ("if", Schema, Seven, Seven),
        ("then", Schema, Seven, Seven),
        ("else", Schema, Seven, Seven),
        ("allOf", Many, Four, Seven),
        ("anyOf", Many, Four, Seven),
        ("oneOf", Many, Four, Seven),
        ("not", Schema, Four, Seven),
    ]
};

/// The metaschema of a draft.
pub(super) fn schema(draft: Draft) -> Option<Value> {
    let (number, id) = match draft {
        Draft::Four => (4, "id"),
        Draft::Six => (6, "$id"),
        Draft::Seven => (7, "$id"),
        Draft::Hybrid => return None,
    };
    let properties: Vec<String> = KEYWORDS
        .iter()
        .filter(|(_, _, first, last)| (*first..=*last).contains(&draft))
        .map(|(name, shape, ..)| format!("\"{name}\": {}", shape_text(*shape, draft)))
        .collect();
    let four = draft == Draft::Four;
    let count = count_name(draft);
    // Draft 4 asks for at least one name.
    let names = if four { r#", "minItems": 1"# } else { "" };
    let rest = if four {
        r#""type": "object", "dependencies": {"exclusiveMaximum": ["maximum"], "exclusiveMinimum": ["minimum"]}"#
    } else {
        r#""type": ["object", "boolean"]"#
    };
    let text = format!(
        r##"{{
            "{id}": "http://json-schema.org/draft-0{number}/schema#",
            "$schema": "http://json-schema.org/draft-0{number}/schema#",
            "definitions": {{
                "schemaArray": {{"type": "array", "minItems": 1, "items": {{"$ref": "#"}}}},
                "{count}": {{"type": "integer", "minimum": 0}},
                "{count}Default0": {{"allOf": [{{"$ref": "#/definitions/{count}"}}, {{"default": 0}}]}},
                "simpleTypes": {{
                    "enum": ["array", "boolean", "integer", "null", "number", "object", "string"]
                }},
                "stringArray": {{
                    "type": "array", "items": {{"type": "string"}}, "uniqueItems": true{names}
                }}
            }},
            "properties": {{{}}},
            {rest}
        }}"##,
        properties.join(", ")
    );
    json::parse(text.as_bytes()).ok()
}

fn count_name(draft: Draft) -> &'static str {
    if draft == Draft::Four { "positiveInteger" } else { "nonNegativeInteger" }
}

fn shape_text(shape: Shape, draft: Draft) -> String {
    let count = count_name(draft);
    let text = match shape {
        Shape::Any => "{}",
        Shape::Text => r#"{"type": "string"}"#,
        Shape::Format(format) => return format!(r#"{{"type": "string", "format": "{format}"}}"#),
        Shape::Number => r#"{"type": "number"}"#,
        Shape::Positive if draft == Draft::Four => {
            r#"{"type": "number", "minimum": 0, "exclusiveMinimum": true}"#
        }
        Shape::Positive => r#"{"type": "number", "exclusiveMinimum": 0}"#,
        Shape::Flag => r#"{"type": "boolean"}"#,
        Shape::Count => return format!(r##"{{"$ref": "#/definitions/{count}"}}"##),
        Shape::CountOrZero => return format!(r##"{{"$ref": "#/definitions/{count}Default0"}}"##),
        Shape::Names => r##"{"$ref": "#/definitions/stringArray"}"##,
        Shape::Schema => r##"{"$ref": "#"}"##,
        Shape::SchemaOrFlag => r##"{"anyOf": [{"type": "boolean"}, {"$ref": "#"}]}"##,
        Shape::SchemaOrMany => r##"{"anyOf": [{"$ref": "#"}, {"$ref": "#/definitions/schemaArray"}]}"##,
        Shape::Many => r##"{"$ref": "#/definitions/schemaArray"}"##,
        Shape::Map => r##"{"type": "object", "additionalProperties": {"$ref": "#"}}"##,
        Shape::MapOfPatterns => {
            r##"{"type": "object", "additionalProperties": {"$ref": "#"}, "propertyNames": {"format": "regex"}}"##
        }
        Shape::Dependencies => {
            r##"{"type": "object", "additionalProperties": {
                "anyOf": [{"$ref": "#"}, {"$ref": "#/definitions/stringArray"}]
            }}"##
        }
        Shape::Values => r#"{"type": "array", "minItems": 1, "uniqueItems": true}"#,
        Shape::Examples => r#"{"type": "array", "items": {}}"#,
        Shape::Types => {
            r##"{"anyOf": [
                {"$ref": "#/definitions/simpleTypes"},
                {"type": "array", "items": {"$ref": "#/definitions/simpleTypes"}, "minItems": 1, "uniqueItems": true}
            ]}"##
        }
    };
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_draft_has_its_schema() {
        for (draft, keywords) in [(Draft::Four, 33), (Draft::Six, 38), (Draft::Seven, 45)] {
            let schema = schema(draft).unwrap();
            assert_eq!(
                schema.get_str("properties").unwrap().as_object().unwrap().len(),
                keywords,
                "{draft:?}"
            );
        }
    }
}
