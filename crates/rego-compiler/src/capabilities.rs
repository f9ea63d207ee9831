//! The functions that a capabilities document declares and that are none of Rego's: those of the embedding program.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use rego_builtins::{Arg, Builtin, Implementation, Type};
use serde_json::Value as Json;

/// A declaration that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("capabilities: {name}: {problem}")]
pub struct DeclarationError {
    /// The function, as far as it has a name.
    pub name: String,
    /// What is wrong with its declaration.
    pub problem: String,
}

/// How deep the types of declarations may be nested.
const MAX_DEPTH: usize = 32;

/// Declarations by their texts. Rows live as long as the process, so that one that is read again, with each reload of a
/// policy, must not be made again.
static KNOWN: LazyLock<Mutex<HashMap<String, &'static Builtin>>> = LazyLock::new(Mutex::default);

/// The functions of a capabilities document (`opa capabilities` prints one) that Rego does not have; they are for
/// [`Options::host_builtins`](crate::Options::host_builtins).
///
/// # Errors
/// The first declaration that is no function, or has a type that there is not.
///
/// ```
/// let document = serde_json::json!({"builtins": [
///     {"name": "count", "decl": {"type": "function", "args": [], "result": {"type": "number"}}},
///     {"name": "acme.score", "decl": {
///         "type": "function", "args": [{"type": "string"}], "result": {"type": "number"},
///     }},
/// ]});
/// let own = rego_compiler::declared_builtins(&document)?;
/// assert_eq!(own.iter().map(|builtin| builtin.name).collect::<Vec<_>>(), ["acme.score"]);
/// # Ok::<(), rego_compiler::DeclarationError>(())
/// ```
pub fn declared_builtins(capabilities: &Json) -> Result<Vec<&'static Builtin>, DeclarationError> {
    let rows = capabilities.get("builtins").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut declared = Vec::new();
    for row in rows {
        let name = row.get("name").and_then(Json::as_str).unwrap_or_default();
        if rego_builtins::by_name(name).is_none() {
            let wrong = |problem| DeclarationError { name: name.to_owned(), problem };
            declared.push(declaration(name, row).map_err(wrong)?);
        }
    }
    Ok(declared)
}

fn declaration(name: &str, row: &Json) -> Result<&'static Builtin, String> {
    let text = row.to_string();
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(builtin) = known.get(&text) {
        return Ok(builtin);
    }
    let builtin: &'static Builtin = Box::leak(Box::new(read(name, row)?));
    known.insert(text, builtin);
    Ok(builtin)
}

fn read(name: &str, row: &Json) -> Result<Builtin, String> {
    let is_word = |word: &str| {
        let mut bytes = word.bytes();
        bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    if !name.split('.').all(is_word) {
        return Err("the name is no reference".to_owned());
    }
    let decl = row.get("decl").ok_or("there is no `decl`")?;
    if decl.get("type").and_then(Json::as_str) != Some("function") {
        return Err("`decl` is not of the type `function`".to_owned());
    }
    let args = decl.get("args").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    let args = args.iter().map(argument).collect::<Result<Vec<_>, _>>()?;
    let flag = |name: &str| row.get(name).and_then(Json::as_bool).unwrap_or(false);
    Ok(Builtin {
        name: leak(name),
        infix: None,
        args: args.leak(),
        variadic: decl.get("variadic").map(|json| ty(json, 0)).transpose()?,
        result: decl.get("result").map(argument).transpose()?,
        nondeterministic: flag("nondeterministic"),
        deprecated: flag("deprecated"),
        relation: flag("relation"),
        implementation: Implementation::Own,
    })
}

fn leak(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}

fn argument(json: &Json) -> Result<Arg, String> {
    let text = |name: &str| leak(json.get(name).and_then(Json::as_str).unwrap_or_default());
    Ok(Arg { name: text("name"), ty: ty(json, 0)?, about: text("description") })
}

fn shared(json: &Json, depth: usize) -> Result<&'static Type, String> {
    Ok(Box::leak(Box::new(ty(json, depth)?)))
}

fn list(json: Option<&Json>, depth: usize) -> Result<&'static [Type], String> {
    let items = json.and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    Ok(items.iter().map(|item| ty(item, depth)).collect::<Result<Vec<_>, _>>()?.leak())
}

/// A type as OPA writes it in JSON.
fn ty(json: &Json, depth: usize) -> Result<Type, String> {
    if depth > MAX_DEPTH {
        return Err("a type is nested too deeply".to_owned());
    }
    let depth = depth + 1;
    Ok(match json.get("type").and_then(Json::as_str).unwrap_or_default() {
        "null" => Type::Null,
        "boolean" => Type::Boolean,
        "number" => Type::Number,
        "string" => Type::String,
        "any" => match list(json.get("of"), depth)? {
            [] => Type::Any,
            types => Type::AnyOf(types),
        },
        "set" => Type::Set(json.get("of").map_or(Ok(&Type::Any), |of| shared(of, depth))?),
        "array" => match (json.get("static"), json.get("dynamic")) {
            (None, None) => Type::Array(&Type::Any),
            (None, Some(dynamic)) => Type::Array(shared(dynamic, depth)?),
            (Some(_), None) => Type::Tuple(list(json.get("static"), depth)?),
            // There is no type for a beginning and a rest: what may be in either may be anywhere.
            (Some(_), Some(_)) => Type::Array(&Type::Any),
        },
        "object" => object(json, depth)?,
        other => return Err(format!("there is no type `{other}`")),
    })
}

fn object(json: &Json, depth: usize) -> Result<Type, String> {
    let part =
        |json: &Json, name: &str| json.get(name).ok_or(format!("an object's type lacks `{name}`")).cloned();
    let mut fields = Vec::new();
    for field in json.get("static").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default() {
        let key = part(field, "key")?;
        let key = key.as_str().ok_or("a field's key is no string")?;
        fields.push((leak(key), ty(&part(field, "value")?, depth)?));
    }
    fields.sort_by_key(|(name, _)| *name);
    let dynamic = match json.get("dynamic") {
        None => None,
        Some(dynamic) => {
            Some((shared(&part(dynamic, "key")?, depth)?, shared(&part(dynamic, "value")?, depth)?))
        }
    };
    Ok(Type::Object { fields: fields.leak(), dynamic })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_read_as_opa_prints_them_and_a_second_reading_is_the_first() {
        let json = serde_json::json!({"builtins": [{"name": "acme.f", "nondeterministic": true, "decl": {
            "type": "function",
            "args": [
                {"name": "x", "type": "array", "static": [{"type": "string"}, {"type": "number"}]},
                {"type": "object", "static": [{"key": "a", "value": {"type": "boolean"}}],
                 "dynamic": {"key": {"type": "string"}, "value": {"type": "any"}}},
                {"type": "set", "of": {"type": "any", "of": [{"type": "null"}, {"type": "string"}]}},
            ],
            "result": {"type": "array", "dynamic": {"type": "number"}},
        }}]});
        let [first] = declared_builtins(&json).unwrap()[..] else { panic!() };
        let types: Vec<String> = first.args.iter().map(|arg| arg.ty.to_string()).collect();
        assert_eq!(
            types,
            ["array<string, number>", "object<a: boolean>[string: any]", "set[any<null, string>]"]
        );
        assert_eq!(first.result.unwrap().ty.to_string(), "array[number]");
        assert!(first.nondeterministic);
        assert!(std::ptr::eq(first, declared_builtins(&json).unwrap()[0]));
    }

    #[test]
    fn what_is_no_declaration_is_refused_by_name() {
        let cases = [
            (serde_json::json!({"name": "a b", "decl": {"type": "function"}}), "no reference"),
            (serde_json::json!({"name": "a.b"}), "there is no `decl`"),
            (serde_json::json!({"name": "a.b", "decl": {"type": "string"}}), "not of the type `function`"),
            (
                serde_json::json!({"name": "a.b", "decl": {"type": "function", "args": [{"type": "text"}]}}),
                "no type `text`",
            ),
        ];
        for (row, problem) in cases {
            let error = declared_builtins(&serde_json::json!({ "builtins": [row] })).unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        }
    }
}
