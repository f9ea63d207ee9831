//! The entries of a METADATA block: authors, resources, schemas, compile settings.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use serde_yaml::Value;

use super::yaml::{Raw, Text, to_json};
use crate::ast::{
    Annotations, Author, CompileAnnotation, Ref, RelatedResource, SchemaAnnotation, Term, quote,
};
use crate::options::ParserOptions;
use crate::parse::parse_term;
use crate::span::{FileId, SourceFile};

/// Checks the entries in OPA's order.
pub(super) fn annotations(raw: Raw) -> Result<Annotations, String> {
    let related_resources = entries(raw.related_resources, |value| {
        related_resource(value)
            .map_err(|e| format!("invalid related-resource definition {}: {e}", Shown(value)))
    })?;
    let compile = raw.compile.map(|compile| compile_annotation(&compile)).transpose()?;
    let mut schemas = Vec::new();
    for pair in raw.schemas.unwrap_or_default() {
        schemas.push(schema(pair)?);
    }
    let authors = entries(raw.authors, |value| {
        author(value).map_err(|e| format!("invalid author definition {}: {e}", Shown(value)))
    })?;
    Ok(Annotations {
        scope: raw.scope.0,
        title: raw.title.0,
        description: raw.description.0,
        entrypoint: raw.entrypoint.unwrap_or_default(),
        organizations: raw.organizations.unwrap_or_default().into_iter().map(|text| text.0).collect(),
        related_resources,
        authors,
        schemas,
        compile,
        custom: json_map(raw.custom)?,
        labels: json_map(raw.labels)?,
        ..Annotations::default()
    })
}

fn entries<T>(
    values: Option<Vec<Value>>,
    read: impl Fn(&Value) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    values.unwrap_or_default().iter().map(read).collect()
}

fn json_map(map: Option<BTreeMap<Text, Value>>) -> Result<BTreeMap<String, Json>, String> {
    map.unwrap_or_default()
        .into_iter()
        .map(|(key, value)| Ok((key.0, to_json(&value, &mut Vec::new())?)))
        .collect()
}

fn related_resource(value: &Value) -> Result<RelatedResource, String> {
    match to_json(value, &mut Vec::new())? {
        Json::String(reference) if reference.is_empty() => Err("ref URL may not be empty string".to_owned()),
        Json::String(reference) => Ok(RelatedResource { reference, description: String::new() }),
        Json::Object(fields) => {
            let reference = text_field(&fields, "ref");
            if reference.is_empty() {
                return Err("'ref' value required in object".to_owned());
            }
            Ok(RelatedResource { reference, description: text_field(&fields, "description") })
        }
        _ => Err("invalid value type, must be string or map".to_owned()),
    }
}

fn author(value: &Value) -> Result<Author, String> {
    match to_json(value, &mut Vec::new())? {
        Json::String(text) => author_from_text(&text),
        Json::Object(fields) => {
            let (name, email) = (text_field(&fields, "name"), text_field(&fields, "email"));
            if name.is_empty() && email.is_empty() {
                return Err("'name' and/or 'email' values required in object".to_owned());
            }
            Ok(Author { name, email })
        }
        _ => Err("invalid value type, must be string or map".to_owned()),
    }
}

/// `Jane Doe <jane@example.com>`: the last word is the address if it stands in angle brackets.
fn author_from_text(text: &str) -> Result<Author, String> {
    let mut words: Vec<&str> = text.split_whitespace().collect();
    let Some(last) = words.last().copied() else { return Err("author is an empty string".to_owned()) };
    let email = last.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
    if email.is_some() {
        words.pop();
    }
    Ok(Author { name: words.join(" "), email: email.unwrap_or_default().to_owned() })
}

fn text_field(fields: &serde_json::Map<String, Json>, name: &str) -> String {
    fields.get(name).and_then(Json::as_str).unwrap_or_default().trim().to_owned()
}

fn schema(pair: BTreeMap<Text, Value>) -> Result<SchemaAnnotation, String> {
    let (path, value) = pair.into_iter().next().unwrap_or((Text::default(), Value::Null));
    let parsed = term(&path.0).ok().and_then(|t| t.as_ref_value().cloned());
    let Some(parsed) = parsed else { return Err("invalid document reference".to_owned()) };
    match &value {
        Value::String(name) => {
            Ok(SchemaAnnotation { path: parsed, schema: Some(schema_ref(name)?), definition: None })
        }
        Value::Mapping(_) => {
            let definition =
                to_json(&value, &mut Vec::new()).map_err(|e| format!("invalid schema definition: {e}"))?;
            Ok(SchemaAnnotation { path: parsed, schema: None, definition: Some(definition) })
        }
        _ => Err(format!("invalid schema declaration for path {}", quote(&path.0))),
    }
}

/// `schema` or `schema.x`.
fn schema_ref(text: &str) -> Result<Ref, String> {
    let invalid = || "invalid schema reference".to_owned();
    let term = term(text).map_err(|_| invalid())?;
    match (term.as_ref_value(), term.as_var()) {
        (Some(r), _) if r.head_var().is_some_and(|name| *name == "schema") => Ok(r.clone()),
        (_, Some(name)) if *name == "schema" => Ok(Ref(vec![term])),
        _ => Err(invalid()),
    }
}

fn compile_annotation(fields: &BTreeMap<Text, Value>) -> Result<CompileAnnotation, String> {
    let field = |name: &str| fields.get(&Text(name.to_owned()));
    let mut compile = CompileAnnotation::default();
    for unknown in field("unknowns").and_then(Value::as_sequence).into_iter().flatten() {
        let Some(text) = unknown.as_str() else { continue };
        let quoted = quote(text);
        let term = term(text).map_err(|e| {
            format!("invalid unknowns element {quoted}: failed to parse ref: failed to parse term: {e}")
        })?;
        match term.as_ref_value() {
            Some(r) => compile.unknowns.push(r.clone()),
            None => return Err(format!("invalid unknowns element {quoted}: expected ref but got {term}")),
        }
    }
    if let Some(text) = field("mask_rule").and_then(Value::as_str) {
        let quoted = quote(text);
        let term = term(text)
            .map_err(|e| format!("invalid mask_rule annotation {quoted}: failed to parse term: {e}"))?;
        compile.mask_rule = Some(match (term.as_ref_value(), term.as_var(), term.as_string()) {
            (Some(r), _, _) => r.clone(),
            (None, None, None) => return Err(format!("invalid mask_rule annotation type {quoted}: string")),
            _ => Ref(vec![term]),
        });
    }
    Ok(compile)
}

fn term(text: &str) -> Result<Term, String> {
    let file = SourceFile::new(FileId::NONE, "", text);
    parse_term(&file, &ParserOptions::default())
        .into_result()
        .map_err(|errors| errors.first().map(|e| e.message.clone()).unwrap_or_default())
}

/// A value as Go's `%s` shows it, which is what OPA's messages contain.
struct Shown<'a>(&'a Value);

impl std::fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Value::Null => f.write_str("%!s(<nil>)"),
            Value::Bool(b) => write!(f, "%!s(bool={b})"),
            Value::Number(n) if n.is_f64() => write!(f, "%!s(float64={n})"),
            Value::Number(n) => write!(f, "%!s(int={n})"),
            Value::String(s) => f.write_str(s),
            Value::Sequence(items) => {
                let items: Vec<String> = items.iter().map(|item| Shown(item).to_string()).collect();
                write!(f, "[{}]", items.join(" "))
            }
            Value::Mapping(entries) => {
                let mut entries: Vec<String> =
                    entries.iter().map(|(key, value)| format!("{}:{}", Shown(key), Shown(value))).collect();
                entries.sort();
                write!(f, "map[{}]", entries.join(" "))
            }
            Value::Tagged(tagged) => Shown(&tagged.value).fmt(f),
        }
    }
}
