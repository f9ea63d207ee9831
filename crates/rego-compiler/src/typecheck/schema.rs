//! JSON schemas to types, as far as OPA reads them: types, properties, items, `anyOf`, `allOf` and `$ref` within
//! the document. A reference back into itself is followed a few times, and then can be anything.

use serde_json::{Map, Value as Json};

use crate::types::{Key, Maybe, Type};

/// How deep schemas may be nested. What lies deeper can be anything.
const MAX_DEPTH: usize = 64;

/// How often a schema that refers back to itself is followed; what lies deeper can be anything. OPA follows it without
/// end, and may never return.
const UNROLLED: usize = 5;

/// After how many schemas none is followed back into itself any more.
const MOST_READ: usize = 5_000;

const SIMPLE_TYPES: [&str; 7] = ["array", "boolean", "integer", "null", "number", "object", "string"];

/// The type that a schema describes.
///
/// # Errors
/// What is wrong with any part of the schema, in the words of OPA's library, or which parts do not fit together. A
/// reference to another document is an error, since nothing is ever loaded.
pub(super) fn type_of_schema(schema: &Json) -> Result<Type, String> {
    if let Some(problem) = rego_builtins::json_schema_problem(&schema.to_string()) {
        return Err(format!("unable to compile the schema: {problem}"));
    }
    Reader { document: schema, open: Vec::new(), read: 0 }.read(schema, MAX_DEPTH)
}

struct Reader<'a> {
    document: &'a Json,
    /// The references that are being followed.
    open: Vec<&'a str>,
    /// How many schemas were read, the same one counted again.
    read: usize,
}

impl<'a> Reader<'a> {
    fn read(&mut self, schema: &'a Json, depth: usize) -> Result<Type, String> {
        let Json::Object(fields) = schema else {
            return match schema {
                Json::Bool(_) => Ok(Type::any()),
                _ => Err(invalid("schema", "object")),
            };
        };
        if depth == 0 {
            return Ok(Type::any());
        }
        self.read += 1;
        if let Some(target) = fields.get("$ref").and_then(Json::as_str) {
            return self.follow(target, depth - 1);
        }
        let types = types_of(fields)?;
        if let Some(options) = fields.get("anyOf") {
            return self.any_of(fields, &types, items_of("anyOf", options)?, depth - 1);
        }
        if let Some(parts) = fields.get("allOf") {
            return self.all_of(fields, items_of("allOf", parts)?, depth - 1);
        }
        self.plain(fields, &types, depth - 1)
    }

    fn follow(&mut self, target: &'a str, depth: usize) -> Result<Type, String> {
        let times = self.open.iter().filter(|open| **open == target).count();
        if times >= UNROLLED || times > 0 && self.read > MOST_READ {
            return Ok(Type::any());
        }
        let pointer = target.strip_prefix('#').unwrap_or(target);
        // The reference leads somewhere, but not within the document: to a metaschema, or to what has an `$id`.
        let Some(schema) = self.document.pointer(pointer) else { return Ok(Type::any()) };
        self.open.push(target);
        let ty = self.read(schema, depth);
        self.open.pop();
        ty
    }

    fn any_of(
        &mut self,
        fields: &'a Map<String, Json>,
        types: &[&str],
        options: &'a [Json],
        depth: usize,
    ) -> Result<Type, String> {
        let mut union: Maybe = None;
        if !types.is_empty() {
            let core = self.plain(fields, types, depth)?;
            if let Type::Object(object) = &core
                && !object.fixed.is_empty()
                && object.rest.is_none()
            {
                union = Some(core);
            }
        }
        for option in options {
            union = Type::union(Some(self.read(option, depth)?), union);
        }
        Ok(union.unwrap_or_else(Type::any))
    }

    fn all_of(
        &mut self,
        fields: &'a Map<String, Json>,
        parts: &'a [Json],
        depth: usize,
    ) -> Result<Type, String> {
        let mut merged: Maybe = None;
        for part in parts {
            let ty = self.read(part, depth)?;
            merged = Some(match merged {
                None => ty,
                Some(known) => merge(known, ty)?,
            });
        }
        let types = types_of(fields)?;
        if types.is_empty() && !fields.contains_key("properties") && !fields.contains_key("items") {
            return Ok(merged.unwrap_or_else(Type::any));
        }
        let own = self.plain(fields, &types, depth)?;
        merged.map_or(Ok(own.clone()), |merged| merge(merged, own))
    }

    fn plain(&mut self, fields: &'a Map<String, Json>, types: &[&str], depth: usize) -> Result<Type, String> {
        let is = |name: &str| types.contains(&name);
        if is("boolean") {
            return Ok(Type::Boolean);
        }
        if is("string") {
            return Ok(Type::String);
        }
        if is("integer") || is("number") {
            return Ok(Type::Number);
        }
        let untyped = types.is_empty();
        let properties = fields.get("properties").and_then(Json::as_object).filter(|map| !map.is_empty());
        if is("object") || (untyped && properties.is_some()) {
            return self.object(properties, depth);
        }
        if is("array") || (untyped && fields.contains_key("items")) {
            return self.array(fields.get("items"), depth);
        }
        Ok(Type::any())
    }

    fn object(&mut self, properties: Option<&'a Map<String, Json>>, depth: usize) -> Result<Type, String> {
        let Some(properties) = properties else {
            return Ok(Type::object(Vec::new(), Some((Some(Type::any()), Some(Type::any())))));
        };
        let mut fixed = Vec::with_capacity(properties.len());
        for (name, schema) in properties {
            fixed.push((Key::string(name), Some(self.read(schema, depth)?)));
        }
        Ok(Type::object(fixed, None))
    }

    fn array(&mut self, items: Option<&'a Json>, depth: usize) -> Result<Type, String> {
        match items {
            Some(Json::Array(list)) if !list.is_empty() => {
                let fixed =
                    list.iter().map(|item| self.read(item, depth).map(Some)).collect::<Result<_, _>>()?;
                Ok(Type::array(fixed, None))
            }
            Some(item @ Json::Object(_)) => Ok(Type::array(Vec::new(), Some(self.read(item, depth)?))),
            _ => Ok(Type::array(Vec::new(), Some(Type::any()))),
        }
    }
}

fn invalid(given: &str, expected: &str) -> String {
    format!("unable to compile the schema: Invalid type. Expected: {expected}, given: {given}")
}

fn types_of(fields: &Map<String, Json>) -> Result<Vec<&str>, String> {
    // The library of OPA swaps the two words here.
    let wrong = || invalid("string/Array Of Strings", "type");
    let names = match fields.get("type") {
        None => Vec::new(),
        Some(Json::String(name)) => vec![name.as_str()],
        Some(Json::Array(names)) => {
            names.iter().map(|name| name.as_str().ok_or_else(wrong)).collect::<Result<Vec<_>, _>>()?
        }
        Some(_) => return Err(wrong()),
    };
    if let Some(twice) =
        names.iter().enumerate().find(|(at, name)| names.iter().take(*at).any(|n| n == *name))
    {
        return Err(format!("unable to compile the schema: {} type is duplicated", twice.1));
    }
    match names.iter().find(|name| !SIMPLE_TYPES.contains(name)) {
        Some(unknown) => Err(format!(
            "unable to compile the schema: has a primitive type that is NOT VALID -- given: /{unknown}/"
        )),
        None => Ok(names),
    }
}

fn items_of<'a>(keyword: &str, value: &'a Json) -> Result<&'a [Json], String> {
    value.as_array().map(Vec::as_slice).ok_or_else(|| invalid(keyword, "array"))
}

/// What is of both types: objects have the properties of both.
fn merge(a: Type, b: Type) -> Result<Type, String> {
    match (&a, &b) {
        (Type::Object(left), Type::Object(right)) => {
            let mut fixed = left.fixed.clone();
            fixed.extend(
                right.fixed.iter().filter(|(key, _)| left.fixed.iter().all(|(own, _)| own != key)).cloned(),
            );
            let rest = if fixed.is_empty() { left.rest.clone() } else { None };
            Ok(Type::object(fixed, rest))
        }
        _ if a.is_any() => Ok(b),
        _ if b.is_any() || std::mem::discriminant(&a) == std::mem::discriminant(&b) => Ok(a),
        _ => Err(format!("unable to merge these schemas: type mismatch: {a} and {b}")),
    }
}
