//! The documents that `$ref` can refer to: the schema itself, whatever in it has an `$id`, and the metaschemas of the
//! drafts. Nothing is ever loaded, from the network or from files.

use std::collections::{HashMap, HashSet};

use rego_value::Value;

use super::meta;
use super::node::Draft;
use super::reference::Reference;

/// Documents by the text of their reference.
#[derive(Default)]
pub(super) struct Pool {
    documents: HashMap<String, (Value, Option<Draft>)>,
    names: HashSet<String>,
}

/// The draft that `$schema` asks for, if it is one that is known.
pub(super) fn detect(document: &Value) -> Result<Option<Draft>, String> {
    let members = match document {
        Value::Bool(_) => return Ok(None),
        Value::Object(members) => members,
        _ => return Err("schema is invalid".to_owned()),
    };
    match members.get(&Value::from("$schema")) {
        None => Ok(None),
        Some(Value::String(url)) => Ok(Draft::of(&Reference::parse(url)?.text())),
        Some(_) => Err("$schema must be of type string".to_owned()),
    }
}

impl Pool {
    /// Adds a document under a name; what comes back is the same with every `$ref` made absolute.
    pub(super) fn add(&mut self, document: &Value, reference: &Reference) -> Result<Value, String> {
        let name = reference.text();
        if self.names.contains(&name) {
            return Err(exists(&name));
        }
        let draft = detect(document)?;
        let document = self.absolute(document, reference, draft)?;
        self.names.insert(name.clone());
        self.documents.insert(name, (document.clone(), draft));
        Ok(document)
    }

    /// INVARIANT: documents are no deeper than [`super::MOST_NESTED`].
    fn absolute(&mut self, value: &Value, base: &Reference, draft: Option<Draft>) -> Result<Value, String> {
        match value {
            Value::Array(items) => {
                let items: Result<Vec<Value>, String> =
                    items.iter().map(|item| self.absolute(item, base, draft)).collect();
                Ok(Value::array(items?))
            }
            Value::Object(members) => {
                let key = if value.get_str("id").is_some() { "id" } else { "$id" };
                let own = value.get_str(key).and_then(Value::as_str).and_then(|id| Reference::parse(id).ok());
                let own = own.map(|id| base.resolve(&id));
                if let Some(own) = &own
                    && !self.names.insert(own.text())
                {
                    return Err(exists(&own.text()));
                }
                let local = own.as_ref().unwrap_or(base);
                let mut changed = Vec::with_capacity(members.len());
                for (key, member) in members.iter() {
                    changed.push((key.clone(), self.absolute_member(key, member, local, draft)?));
                }
                let changed = Value::object(changed);
                if let Some(own) = own {
                    self.documents.insert(own.text(), (changed.clone(), draft));
                }
                Ok(changed)
            }
            other => Ok(other.clone()),
        }
    }

    fn absolute_member(
        &mut self,
        key: &Value,
        member: &Value,
        base: &Reference,
        draft: Option<Draft>,
    ) -> Result<Value, String> {
        match (key.as_str().unwrap_or_default(), member) {
            ("$ref", Value::String(text)) => {
                let absolute = Reference::parse(text).map(|to| base.resolve(&to).text());
                Ok(absolute.map_or_else(|_| member.clone(), Value::from))
            }
            // These are values, whatever they look like.
            ("const" | "enum", _) => Ok(member.clone()),
            // The names in these are no keywords.
            ("properties" | "dependencies" | "patternProperties", Value::Object(named)) => {
                let mut changed = Vec::with_capacity(named.len());
                for (name, schema) in named.iter() {
                    changed.push((name.clone(), self.absolute(schema, base, draft)?));
                }
                Ok(Value::object(changed))
            }
            ("properties" | "dependencies" | "patternProperties", _) => Ok(member.clone()),
            _ => self.absolute(member, base, draft),
        }
    }

    /// What an absolute reference refers to, and the draft of that document.
    pub(super) fn find(&mut self, reference: &Reference) -> Result<(Value, Option<Draft>), String> {
        if let Some(known) = self.documents.get(&reference.text()) {
            return Ok(known.clone());
        }
        let base = reference.without_fragment();
        if let Some((document, draft)) = self.documents.get(&base) {
            return Ok((reference.find(document)?.clone(), *draft));
        }
        if !reference.is_canonical() {
            return Err(format!("Reference {} must be canonical", reference.text()));
        }
        let Some(metaschema) = Draft::of(&base).and_then(meta::schema) else {
            return Err(format!("remote reference loading disabled: {base}"));
        };
        let document = self.add(&metaschema, &Reference::parse(&base)?)?;
        Ok((reference.find(&document)?.clone(), detect(&document)?))
    }
}

fn exists(name: &str) -> String {
    format!("Reference already exists: \"{name}\"")
}
