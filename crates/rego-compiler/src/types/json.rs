//! Types as the JSON that OPA writes in the details of errors.

use rego_syntax::Span;
use rego_syntax::ast::{Term, terms_to_json, value_to_json};

use super::function::Param;
use super::{FunctionType, Maybe, Type};

/// A type, `null` where it is not known.
pub(crate) fn of(ty: &Maybe) -> String {
    ty.as_ref().map_or_else(|| "null".to_owned(), unnamed)
}

/// The types of arguments.
pub(crate) fn list<'a>(types: impl IntoIterator<Item = &'a Maybe>) -> String {
    format!("[{}]", types.into_iter().map(of).collect::<Vec<_>>().join(","))
}

/// What a function takes and, as a last one, what it gives.
pub(crate) fn arguments(function: &FunctionType) -> String {
    let mut members = Vec::new();
    let known = function.params_with_result();
    if !known.is_empty() {
        members.push(format!("\"args\":{}", params(&known)));
    }
    if function.variadic.is_some() {
        members.push(format!("\"variadic\":{}", of(&function.variadic)));
    }
    format!("{{{}}}", members.join(","))
}

/// A reference.
pub(crate) fn reference(terms: &[Term]) -> String {
    terms_to_json(terms)
}

fn params(params: &[Param]) -> String {
    let param = |param: &Param| match &param.ty {
        Some(ty) => named(ty, &param.name, param.about),
        None => "null".to_owned(),
    };
    format!("[{}]", params.iter().map(param).collect::<Vec<_>>().join(","))
}

fn unnamed(ty: &Type) -> String {
    named(ty, "", "")
}

/// A type with a name and a description, if it has them. Members are sorted.
fn named(ty: &Type, name: &str, about: &str) -> String {
    let mut members: Vec<(&str, String)> = match ty {
        Type::Null | Type::Boolean | Type::Number | Type::String => Vec::new(),
        Type::Array(array) => {
            let mut members = Vec::new();
            if array.rest.is_some() {
                members.push(("dynamic", of(&array.rest)));
            }
            if !array.fixed.is_empty() {
                members.push(("static", list(&array.fixed)));
            }
            members
        }
        Type::Object(object) => {
            let mut members = Vec::new();
            if let Some((key, value)) = &object.rest {
                members.push(("dynamic", format!("{{\"key\":{},\"value\":{}}}", of(key), of(value))));
            }
            if !object.fixed.is_empty() {
                let entry = |(key, value): &(super::Key, Maybe)| {
                    format!("{{\"key\":{},\"value\":{}}}", value_to_json(key.value()), of(value))
                };
                let entries: Vec<String> = object.fixed.iter().map(entry).collect();
                members.push(("static", format!("[{}]", entries.join(","))));
            }
            members
        }
        Type::Set(element) => element.as_ref().map(|element| ("of", unnamed(element))).into_iter().collect(),
        Type::Any(types) if types.is_empty() => Vec::new(),
        Type::Any(types) => {
            let types: Vec<String> = types.iter().map(unnamed).collect();
            vec![("of", format!("[{}]", types.join(",")))]
        }
        Type::Function(function) => {
            let mut members = Vec::new();
            if !function.params.is_empty() {
                members.push(("args", params(&function.params)));
            }
            if let Some(result) = &function.result {
                let result = result.ty.as_ref().map(|ty| named(ty, &result.name, result.about));
                members.push(("result", result.unwrap_or_else(|| "null".to_owned())));
            }
            if function.variadic.is_some() {
                members.push(("variadic", of(&function.variadic)));
            }
            members
        }
    };
    members.push(("type", format!("\"{}\"", kind(ty))));
    let texts = [("name", name), ("description", about)].into_iter().filter(|(_, text)| !text.is_empty());
    members.extend(texts.map(|(name, text)| (name, value_to_json(&Term::string(text, Span::NONE).value))));
    members.sort_by_key(|(name, _)| *name);
    let members: Vec<String> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", members.join(","))
}

fn kind(ty: &Type) -> &'static str {
    match ty {
        Type::Null => "null",
        Type::Boolean => "boolean",
        Type::Number => "number",
        Type::String => "string",
        Type::Array(_) => "array",
        Type::Object(_) => "object",
        Type::Set(_) => "set",
        Type::Any(_) => "any",
        Type::Function(_) => "function",
    }
}
