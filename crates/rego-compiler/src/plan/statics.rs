//! The plan's constants: strings, file names, and the built-in functions that are called.

use std::collections::{BTreeMap, HashMap};

use rego_builtins::{Builtin, Type};
use rego_ir::{BuiltinFunc, Location, Static, StringIndex};
use rego_syntax::{SourceMap, Span};
use serde_json::{Value as Json, json};

/// The file name of statements that come from no file.
const NO_FILE: &str = "<query>";

/// Constants under construction. Equal constants share one index.
pub(super) struct Statics<'a> {
    sources: &'a SourceMap,
    strings: Interner,
    files: Interner,
    builtins: BTreeMap<&'static str, &'static Builtin>,
}

#[derive(Default)]
struct Interner {
    index: HashMap<String, u32>,
    texts: Vec<String>,
}

impl Interner {
    fn intern(&mut self, text: &str) -> u32 {
        if let Some(index) = self.index.get(text) {
            return *index;
        }
        let index = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.index.insert(text.to_owned(), index);
        self.texts.push(text.to_owned());
        index
    }
}

impl<'a> Statics<'a> {
    /// No constants yet; `sources` are the files that locations name.
    pub(super) fn new(sources: &'a SourceMap) -> Self {
        Self { sources, strings: Interner::default(), files: Interner::default(), builtins: BTreeMap::new() }
    }

    /// The index of a string.
    pub(super) fn string(&mut self, text: &str) -> StringIndex {
        StringIndex(self.strings.intern(text))
    }

    /// The string with an index.
    pub(super) fn text(&self, index: StringIndex) -> Option<&str> {
        self.strings.texts.get(usize::try_from(index.0).ok()?).map(String::as_str)
    }

    /// Notes that a built-in function is called.
    pub(super) fn use_builtin(&mut self, builtin: &'static Builtin) {
        self.builtins.insert(builtin.name, builtin);
    }

    /// Where a span is, or `None` when it points nowhere.
    pub(super) fn location(&mut self, span: Span) -> Option<Location> {
        let source = self.sources.get(span.file)?;
        let (start, end) = (source.position(span.start), source.position(span.end));
        let name = if source.name().is_empty() { NO_FILE } else { source.name() };
        let file = self.files.intern(name);
        Some(Location { file, row: start.row, col: start.col, end_row: end.row, end_col: end.col })
    }

    /// The location of statements that come from no file.
    pub(super) fn no_location(&mut self) -> Location {
        Location { file: self.files.intern(NO_FILE), ..Location::default() }
    }

    /// The finished table.
    pub(super) fn finish(self) -> Static {
        let builtin_funcs = self
            .builtins
            .into_values()
            .map(|builtin| BuiltinFunc { name: builtin.name.to_owned(), decl: declaration(builtin) })
            .collect();
        Static { strings: self.strings.texts, builtin_funcs, files: self.files.texts }
    }
}

/// A built-in's type in OPA's JSON form.
fn declaration(builtin: &Builtin) -> Json {
    let mut decl = json!({ "type": "function" });
    if let Json::Object(fields) = &mut decl {
        if !builtin.args.is_empty() {
            let args = builtin.args.iter().map(|arg| type_json(&arg.ty)).collect();
            fields.insert("args".to_owned(), Json::Array(args));
        }
        if let Some(variadic) = &builtin.variadic {
            fields.insert("variadic".to_owned(), type_json(variadic));
        }
        if let Some(result) = &builtin.result {
            fields.insert("result".to_owned(), type_json(&result.ty));
        }
    }
    decl
}

fn type_json(ty: &Type) -> Json {
    match ty {
        Type::Any => json!({ "type": "any" }),
        Type::Null => json!({ "type": "null" }),
        Type::Boolean => json!({ "type": "boolean" }),
        Type::Number => json!({ "type": "number" }),
        Type::String => json!({ "type": "string" }),
        Type::AnyOf(of) => json!({ "type": "any", "of": types_json(of) }),
        Type::Array(of) => json!({ "type": "array", "dynamic": type_json(of) }),
        Type::Tuple(of) => json!({ "type": "array", "static": types_json(of) }),
        Type::Set(of) => json!({ "type": "set", "of": type_json(of) }),
        Type::Object { fields, dynamic } => object_json(fields, dynamic.as_ref()),
    }
}

fn types_json(types: &[Type]) -> Json {
    types.iter().map(type_json).collect()
}

fn object_json(fields: &[(&str, Type)], dynamic: Option<&(&Type, &Type)>) -> Json {
    let mut object = json!({ "type": "object" });
    if let Json::Object(entries) = &mut object {
        if !fields.is_empty() {
            let fields =
                fields.iter().map(|(key, ty)| json!({ "key": key, "value": type_json(ty) })).collect();
            entries.insert("static".to_owned(), fields);
        }
        if let Some((key, value)) = dynamic {
            let dynamic = json!({ "key": type_json(key), "value": type_json(value) });
            entries.insert("dynamic".to_owned(), dynamic);
        }
    }
    object
}
