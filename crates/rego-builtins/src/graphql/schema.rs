//! A document of definitions to a schema that queries can be checked against.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, LazyLock};

use super::ast::{
    ArgumentDefinition, Definition, DirectiveDefinition, FieldDefinition, SchemaDefinition, SchemaDocument,
    Type, kind,
};
use super::check_schema;
use super::parse_schema::parse_schema;
use super::parser::Parsed;
use super::problem::Problem;

/// The scalars, directives and introspection types of every schema.
static PRELUDE: LazyLock<SchemaDocument> = LazyLock::new(|| {
    let mut document = parse_schema(include_str!("prelude.graphql")).unwrap_or_default();
    for definition in &mut document.definitions {
        Arc::make_mut(definition).built_in = true;
    }
    document
});

/// Directives that a schema may define although it has them already.
const REDEFINABLE: [&str; 6] = ["include", "skip", "deprecated", "specifiedBy", "defer", "oneOf"];

/// A type, whose fields are found by name.
#[derive(Debug)]
pub(super) struct TypeInfo {
    definition: Arc<Definition>,
    /// Only types with many fields need it.
    fields: OnceCell<HashMap<String, usize>>,
}

impl TypeInfo {
    fn new(definition: Arc<Definition>) -> Self {
        Self { definition, fields: OnceCell::new() }
    }

    pub(super) fn definition(&self) -> &Definition {
        &self.definition
    }

    /// The first field of that name.
    pub(super) fn field(&self, name: &str) -> Option<&FieldDefinition> {
        let fields = &self.definition.fields;
        if fields.len() < 16 {
            return fields.iter().find(|field| field.name == name);
        }
        let index = self.fields.get_or_init(|| {
            let named = fields.iter().enumerate().rev();
            named.map(|(position, field)| (field.name.clone(), position)).collect()
        });
        index.get(name).and_then(|position| fields.get(*position))
    }
}

/// The types that a value of a type may have.
#[derive(Debug, Default)]
struct Possible {
    /// In the order of the definitions; the text may name one twice.
    ordered: Vec<String>,
    all: BTreeSet<String>,
}

/// A schema; one that [`build`] gives is valid.
#[derive(Debug)]
pub(super) struct Schema {
    pub(super) types: BTreeMap<String, TypeInfo>,
    pub(super) directives: BTreeMap<String, Arc<DirectiveDefinition>>,
    possible: HashMap<String, Possible>,
    roots: BTreeMap<&'static str, String>,
    /// `__typename`, which every object has.
    pub(super) type_name: FieldDefinition,
}

impl Schema {
    pub(super) fn get(&self, name: &str) -> Option<&TypeInfo> {
        self.types.get(name)
    }

    pub(super) fn kind(&self, name: &str) -> Option<&str> {
        self.get(name).map(|found| found.definition.kind.as_str())
    }

    /// The type of an operation: `query` (or nothing), `mutation`, `subscription`.
    pub(super) fn root(&self, operation: &str) -> Option<&TypeInfo> {
        let operation = if operation.is_empty() { "query" } else { operation };
        self.get(self.roots.get(operation)?)
    }

    /// The names of the types that a value of the type may have.
    pub(super) fn possible_types(&self, name: &str) -> &[String] {
        self.possible.get(name).map_or(&[], |possible| &possible.ordered)
    }

    pub(super) fn is_possible(&self, of: &str, name: &str) -> bool {
        self.possible.get(of).is_some_and(|possible| possible.all.contains(name))
    }
}

/// Checks a document, together with what every schema has, and makes a schema of it.
pub(super) fn build(document: &SchemaDocument) -> Parsed<Schema> {
    let (mut definitions, order) = merge(document)?;
    let possible = possible_types(&definitions, &order);
    let mut directives: BTreeMap<String, Arc<DirectiveDefinition>> = BTreeMap::new();
    for directive in PRELUDE.directives.iter().chain(&document.directives) {
        let known = directives.contains_key(&directive.name);
        if known && !REDEFINABLE.contains(&directive.name.as_str()) {
            let message = format!("Cannot redeclare directive {}.", directive.name);
            return Err(Problem::placed(directive.at, message));
        }
        // Of a directive that may be redefined the last definition holds.
        directives.insert(directive.name.clone(), Arc::clone(directive));
    }
    if let [_, second, ..] = document.schema.as_slice() {
        let message = "Cannot have multiple schema entry points, consider schema extensions instead.";
        return Err(Problem::placed(second.at, message));
    }
    let types = std::mem::take(&mut definitions);
    let mut schema = Schema {
        types: types.into_iter().map(|(name, definition)| (name, TypeInfo::new(definition))).collect(),
        directives,
        possible,
        roots: BTreeMap::new(),
        type_name: introspection("__typename", Type::named("String", false), Vec::new()),
    };
    for definition in document.schema.iter().chain(&document.schema_extensions) {
        take_roots(&mut schema, definition)?;
        check_schema::schema_directives(&schema, &definition.directives)?;
    }
    check_schema::check(&schema)?;
    if document.schema.is_empty() {
        for (operation, name) in
            [("query", "Query"), ("mutation", "Mutation"), ("subscription", "Subscription")]
        {
            if !schema.roots.contains_key(operation) && schema.types.contains_key(name) {
                schema.roots.insert(operation, name.to_owned());
            }
        }
    }
    add_introspection(&mut schema);
    Ok(schema)
}

type Definitions = BTreeMap<String, Arc<Definition>>;

/// All types by name, extensions included, and the names in the order of their definitions.
fn merge(document: &SchemaDocument) -> Parsed<(Definitions, Vec<String>)> {
    let mut definitions = Definitions::new();
    let mut order = Vec::new();
    for definition in PRELUDE.definitions.iter().chain(&document.definitions) {
        if definitions.insert(definition.name.clone(), Arc::clone(definition)).is_some() {
            return Err(Problem::placed(
                definition.at,
                format!("Cannot redeclare type {}.", definition.name),
            ));
        }
        order.push(definition.name.clone());
    }
    for extension in &document.extensions {
        let base = definitions.entry(extension.name.clone()).or_insert_with(|| {
            order.push(extension.name.clone());
            let (kind, name, at) = (extension.kind.clone(), extension.name.clone(), extension.at);
            Arc::new(Definition { kind, name, at, ..Definition::default() })
        });
        if base.kind != extension.kind {
            let message = format!(
                "Cannot extend type {} because the base type is a {}, not {}.",
                extension.name, base.kind, extension.kind
            );
            return Err(Problem::placed(extension.at, message));
        }
        let base = Arc::make_mut(base);
        base.directives.extend(extension.directives.iter().cloned());
        base.interfaces.extend(extension.interfaces.iter().cloned());
        base.fields.extend(extension.fields.iter().cloned());
        base.types.extend(extension.types.iter().cloned());
        base.type_places.extend(extension.type_places.iter().copied());
        base.enum_values.extend(extension.enum_values.iter().cloned());
    }
    Ok((definitions, order))
}

fn possible_types(definitions: &Definitions, order: &[String]) -> HashMap<String, Possible> {
    let mut possible: HashMap<String, Possible> = HashMap::new();
    let mut add = |of: &str, name: &str| {
        let entry = possible.entry(of.to_owned()).or_default();
        entry.ordered.push(name.to_owned());
        entry.all.insert(name.to_owned());
    };
    for definition in order.iter().filter_map(|name| definitions.get(name)) {
        match definition.kind.as_str() {
            kind::UNION => definition.types.iter().for_each(|name| add(&definition.name, name)),
            kind::INPUT_OBJECT | kind::OBJECT => {
                definition.interfaces.iter().for_each(|of| add(of, &definition.name));
                add(&definition.name, &definition.name);
            }
            kind::INTERFACE => definition.interfaces.iter().for_each(|of| add(of, &definition.name)),
            _ => {}
        }
    }
    possible
}

fn take_roots(schema: &mut Schema, definition: &SchemaDefinition) -> Parsed<()> {
    for root in &definition.roots {
        if !schema.types.contains_key(&root.ty) {
            let message =
                format!("Schema root {} refers to a type {} that does not exist.", root.operation, root.ty);
            return Err(Problem::placed(root.at, message));
        }
        let known = ["query", "mutation", "subscription"].into_iter().find(|known| *known == root.operation);
        if let Some(operation) = known {
            schema.roots.insert(operation, root.ty.clone());
        }
    }
    Ok(())
}

/// `__schema` and `__type`, which the type of queries has.
fn add_introspection(schema: &mut Schema) {
    let Some(query) = schema.roots.get("query").and_then(|name| schema.types.get_mut(name)) else { return };
    let name = ArgumentDefinition {
        description: String::new(),
        name: "name".to_owned(),
        default: None,
        ty: Type::named("String", true),
        directives: Vec::new(),
        at: None,
        comments: Default::default(),
    };
    let fields = &mut Arc::make_mut(&mut query.definition).fields;
    fields.push(introspection("__schema", Type::named("__Schema", true), Vec::new()));
    fields.push(introspection("__type", Type::named("__Type", false), vec![name]));
    query.fields = OnceCell::new();
}

fn introspection(name: &str, ty: Type, arguments: Vec<ArgumentDefinition>) -> FieldDefinition {
    FieldDefinition {
        description: String::new(),
        name: name.to_owned(),
        arguments,
        default: None,
        ty,
        directives: Vec::new(),
        at: None,
        comments: Default::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prelude_is_a_valid_schema() {
        assert_eq!(PRELUDE.definitions.len(), 13);
        assert_eq!(PRELUDE.directives.len(), 6);
        build(&SchemaDocument::default()).unwrap();
    }
}
