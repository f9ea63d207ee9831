//! Objects, as OPA gives them, back to trees; read as Go's `encoding/json` reads its structures: unknown members are
//! skipped, `null` changes nothing, and names of members are found whatever their case, except in the structures that
//! the library reads itself ([`Names::Exact`]).

use std::borrow::Cow;
use std::sync::Arc;

use rego_value::Value;
use rego_value::json::{self, Escape};

use super::ast::{
    Argument, ArgumentDefinition, Child, Comment, Comments, Definition, Directive, DirectiveDefinition,
    EnumValue, Field, FieldDefinition, Fragment, Inline, Literal, LiteralKind, Operation, QueryDocument,
    Root, SchemaDefinition, SchemaDocument, Selection, Spread, Type, TypeBase, Variable,
};
use super::parser::MOST_NESTED;

/// Why an object is no document.
pub(super) type Decoded<T> = Result<T, String>;

#[derive(Clone, Copy)]
enum Names {
    Exact,
    AnyCase,
}

/// The members of a structure, in the order of their names. Those in any case are lower case.
fn members(value: &Value, names: Names) -> Decoded<Vec<(Cow<'_, str>, &Value)>> {
    let object = match value {
        Value::Object(object) => object,
        Value::Null => return Ok(Vec::new()),
        other => return Err(unexpected(other, "object")),
    };
    let name = |key: &'_ Value| match (key.as_str(), names) {
        (None, _) => Cow::Owned(json::to_string(key, Escape::Plain)),
        (Some(name), Names::Exact) => Cow::Owned(name.to_owned()),
        (Some(name), Names::AnyCase) => Cow::Owned(name.to_ascii_lowercase()),
    };
    Ok(object.iter().map(|(key, value)| (name(key), value)).collect())
}

fn unexpected(value: &Value, wanted: &str) -> String {
    format!("json: cannot unmarshal {} into Go value of type {wanted}", value.kind().name())
}

fn text(value: &Value, into: &mut String) -> Decoded<()> {
    match value {
        Value::Null => {}
        Value::String(text) => *into = text.to_string(),
        other => return Err(unexpected(other, "string")),
    }
    Ok(())
}

fn flag(value: &Value, into: &mut bool) -> Decoded<()> {
    match value {
        Value::Null => {}
        Value::Bool(flag) => *into = *flag,
        other => return Err(unexpected(other, "bool")),
    }
    Ok(())
}

fn list<T>(value: &Value, into: &mut Vec<T>, element: impl Fn(&Value) -> Decoded<T>) -> Decoded<()> {
    *into = match value {
        Value::Null => return Ok(()),
        Value::Array(items) => items.iter().map(element).collect::<Decoded<_>>()?,
        Value::Set(items) => items.iter().map(element).collect::<Decoded<_>>()?,
        other => return Err(unexpected(other, "slice")),
    };
    Ok(())
}

fn string(value: &Value) -> Decoded<String> {
    let mut found = String::new();
    text(value, &mut found)?;
    Ok(found)
}

fn comment(value: &Value, into: &mut Comment) -> Decoded<()> {
    for (name, value) in members(value, Names::AnyCase)? {
        if name == "list" {
            list(value, into, |line| {
                let mut found = String::new();
                for (name, value) in members(line, Names::AnyCase)? {
                    if name == "value" {
                        text(value, &mut found)?;
                    }
                }
                Ok(found)
            })?;
        }
    }
    Ok(())
}

fn comments(name: &str, value: &Value, into: &mut Comments) -> Decoded<()> {
    match name {
        "beforedescriptioncomment" => comment(value, &mut into.before_description),
        "afterdescriptioncomment" => comment(value, &mut into.after_description),
        "endofdefinitioncomment" => comment(value, &mut into.end),
        _ => Ok(()),
    }
}

/// One level deeper.
fn deeper(depth: usize) -> Decoded<usize> {
    depth.checked_sub(1).ok_or_else(|| format!("nested more than {MOST_NESTED} levels deep"))
}

/// A query document from its object.
pub(super) fn query(value: &Value) -> Decoded<QueryDocument> {
    let mut document = QueryDocument::default();
    for (name, value) in members(value, Names::AnyCase)? {
        match name.as_ref() {
            "operations" => list(value, &mut document.operations, operation)?,
            "fragments" => list(value, &mut document.fragments, fragment)?,
            "comment" => comment(value, &mut document.comment)?,
            _ => {}
        }
    }
    Ok(document)
}

fn operation(value: &Value) -> Decoded<Operation> {
    let mut found = Operation {
        kind: String::new(),
        name: String::new(),
        variables: Vec::new(),
        directives: Vec::new(),
        selections: Vec::new(),
        at: None,
        comment: Vec::new(),
    };
    for (name, value) in members(value, Names::Exact)? {
        match name.as_ref() {
            "Operation" => text(value, &mut found.kind)?,
            "Name" => text(value, &mut found.name)?,
            "VariableDefinitions" => list(value, &mut found.variables, variable)?,
            "Directives" => list(value, &mut found.directives, directive)?,
            "SelectionSet" => found.selections = selections(value, MOST_NESTED)?,
            _ => {}
        }
    }
    Ok(found)
}

fn fragment(value: &Value) -> Decoded<Fragment> {
    let mut found = Fragment {
        name: String::new(),
        variables: Vec::new(),
        condition: String::new(),
        directives: Vec::new(),
        selections: Vec::new(),
        at: None,
        comment: Vec::new(),
    };
    for (name, value) in members(value, Names::Exact)? {
        match name.as_ref() {
            "Name" => text(value, &mut found.name)?,
            "VariableDefinition" => list(value, &mut found.variables, variable)?,
            "TypeCondition" => text(value, &mut found.condition)?,
            "Directives" => list(value, &mut found.directives, directive)?,
            "SelectionSet" => found.selections = selections(value, MOST_NESTED)?,
            _ => {}
        }
    }
    Ok(found)
}

fn variable(value: &Value) -> Decoded<Variable> {
    let (mut name, mut of, mut default, mut directives) = (String::new(), None, None, Vec::new());
    let (mut used, mut lines) = (false, Vec::new());
    for (member, value) in members(value, Names::AnyCase)? {
        match member.as_ref() {
            "variable" => text(value, &mut name)?,
            "type" => of = ty(value, MOST_NESTED)?,
            "defaultvalue" => default = literal(value, MOST_NESTED)?,
            "directives" => list(value, &mut directives, directive)?,
            "comment" => comment(value, &mut lines)?,
            "used" => flag(value, &mut used)?,
            _ => {}
        }
    }
    let ty = of.ok_or("a variable has no type")?;
    Ok(Variable { name, ty, default, directives, used, at: None, comment: lines })
}

fn ty(value: &Value, depth: usize) -> Decoded<Option<Type>> {
    if matches!(value, Value::Null) {
        return Ok(None);
    }
    let depth = deeper(depth)?;
    let (mut name, mut element, mut non_null) = (String::new(), None, false);
    for (member, value) in members(value, Names::AnyCase)? {
        match member.as_ref() {
            "namedtype" => text(value, &mut name)?,
            "elem" => element = ty(value, depth)?,
            "nonnull" => flag(value, &mut non_null)?,
            _ => {}
        }
    }
    let base = match element {
        _ if !name.is_empty() => TypeBase::Named(name),
        Some(element) => TypeBase::List(Box::new(element)),
        None => return Err("a type has neither a name nor elements".to_owned()),
    };
    Ok(Some(Type { base, non_null, at: None }))
}

fn literal(value: &Value, depth: usize) -> Decoded<Option<Literal>> {
    if matches!(value, Value::Null) {
        return Ok(None);
    }
    let depth = deeper(depth)?;
    let mut found = Literal {
        kind: LiteralKind::Variable,
        raw: String::new(),
        children: Vec::new(),
        expected_has_default: false,
        at: None,
        comment: Vec::new(),
    };
    for (member, value) in members(value, Names::AnyCase)? {
        match member.as_ref() {
            "raw" => text(value, &mut found.raw)?,
            "children" => list(value, &mut found.children, |value| child(value, depth))?,
            "kind" => found.kind = literal_kind(value)?,
            "comment" => comment(value, &mut found.comment)?,
            "expectedtypehasdefault" => flag(value, &mut found.expected_has_default)?,
            _ => {}
        }
    }
    Ok(Some(found))
}

fn literal_kind(value: &Value) -> Decoded<LiteralKind> {
    let number = match value {
        Value::Null => Some(0),
        Value::Number(number) => number.as_plain_int(),
        _ => None,
    };
    let kind = number.and_then(|number| LiteralKind::ALL.get(usize::try_from(number).ok()?)).copied();
    kind.ok_or_else(|| unexpected(value, "ast.ValueKind"))
}

fn child(value: &Value, depth: usize) -> Decoded<Child> {
    let (mut name, mut of, mut lines) = (String::new(), None, Vec::new());
    for (member, value) in members(value, Names::AnyCase)? {
        match member.as_ref() {
            "name" => text(value, &mut name)?,
            "value" => of = literal(value, depth)?,
            "comment" => comment(value, &mut lines)?,
            _ => {}
        }
    }
    let value = of.ok_or("an element has no value")?;
    Ok(Child { name, value, at: None, comment: lines })
}

fn argument(value: &Value) -> Decoded<Argument> {
    let Child { name, value, comment, .. } = child(value, MOST_NESTED)?;
    Ok(Argument { name, value, at: None, comment })
}

fn directive(value: &Value) -> Decoded<Directive> {
    let mut found =
        Directive { name: String::new(), arguments: Vec::new(), location: String::new(), at: None };
    for (member, value) in members(value, Names::AnyCase)? {
        match member.as_ref() {
            "name" => text(value, &mut found.name)?,
            "arguments" => list(value, &mut found.arguments, argument)?,
            "location" => text(value, &mut found.location)?,
            _ => {}
        }
    }
    Ok(found)
}

/// Whatever can be read as a field is one, so that inline fragments and spreads come back as fields, as in OPA; what
/// cannot be read at all is left out.
fn selections(value: &Value, depth: usize) -> Decoded<Vec<Selection>> {
    let depth = deeper(depth)?;
    let mut found: Vec<Option<Selection>> = Vec::new();
    list(value, &mut found, |value| {
        if let Ok(field) = field(value, depth) {
            return Ok(Some(Selection::Field(field)));
        }
        if let Ok(spread) = spread(value) {
            return Ok(Some(Selection::Spread(spread)));
        }
        Ok(inline(value, depth).ok().map(Selection::Inline))
    })?;
    Ok(found.into_iter().flatten().collect())
}

fn field(value: &Value, depth: usize) -> Decoded<Field> {
    let mut found = Field::default();
    for (member, value) in members(value, Names::Exact)? {
        match member.as_ref() {
            "Alias" => text(value, &mut found.alias)?,
            "Name" => text(value, &mut found.name)?,
            "Arguments" => list(value, &mut found.arguments, argument)?,
            "Directives" => list(value, &mut found.directives, directive)?,
            "SelectionSet" => found.selections = selections(value, depth)?,
            _ => {}
        }
    }
    Ok(found)
}

fn spread(value: &Value) -> Decoded<Spread> {
    let mut found = Spread::default();
    for (member, value) in members(value, Names::AnyCase)? {
        match member.as_ref() {
            "name" => text(value, &mut found.name)?,
            "directives" => list(value, &mut found.directives, directive)?,
            "comment" => comment(value, &mut found.comment)?,
            _ => {}
        }
    }
    Ok(found)
}

fn inline(value: &Value, depth: usize) -> Decoded<Inline> {
    let mut found = Inline::default();
    for (member, value) in members(value, Names::Exact)? {
        match member.as_ref() {
            "TypeCondition" => text(value, &mut found.condition)?,
            "Directives" => list(value, &mut found.directives, directive)?,
            "SelectionSet" => found.selections = selections(value, depth)?,
            _ => {}
        }
    }
    Ok(found)
}

/// A schema document from its object.
pub(super) fn schema(value: &Value) -> Decoded<SchemaDocument> {
    let mut document = SchemaDocument::default();
    for (member, value) in members(value, Names::AnyCase)? {
        match member.as_ref() {
            "schema" => list(value, &mut document.schema, schema_definition)?,
            "schemaextension" => list(value, &mut document.schema_extensions, schema_definition)?,
            "directives" => {
                list(value, &mut document.directives, |value| directive_definition(value).map(Arc::new))?;
            }
            "definitions" => list(value, &mut document.definitions, |value| definition(value).map(Arc::new))?,
            "extensions" => list(value, &mut document.extensions, definition)?,
            "comment" => comment(value, &mut document.comment)?,
            _ => {}
        }
    }
    Ok(document)
}

fn schema_definition(value: &Value) -> Decoded<SchemaDefinition> {
    let mut found = SchemaDefinition::default();
    for (member, value) in members(value, Names::AnyCase)? {
        match member.as_ref() {
            "description" => text(value, &mut found.description)?,
            "directives" => list(value, &mut found.directives, directive)?,
            "operationtypes" => list(value, &mut found.roots, root)?,
            other => comments(other, value, &mut found.comments)?,
        }
    }
    Ok(found)
}

fn root(value: &Value) -> Decoded<Root> {
    let mut found = Root::default();
    for (member, value) in members(value, Names::AnyCase)? {
        match member.as_ref() {
            "operation" => text(value, &mut found.operation)?,
            "type" => text(value, &mut found.ty)?,
            "comment" => comment(value, &mut found.comment)?,
            _ => {}
        }
    }
    Ok(found)
}

fn definition(value: &Value) -> Decoded<Definition> {
    let mut found = Definition::default();
    for (member, value) in members(value, Names::AnyCase)? {
        match member.as_ref() {
            "kind" => text(value, &mut found.kind)?,
            "description" => text(value, &mut found.description)?,
            "name" => text(value, &mut found.name)?,
            "directives" => list(value, &mut found.directives, directive)?,
            "interfaces" => list(value, &mut found.interfaces, string)?,
            "fields" => list(value, &mut found.fields, field_definition)?,
            "types" => list(value, &mut found.types, string)?,
            "enumvalues" => list(value, &mut found.enum_values, enum_value)?,
            "builtin" => flag(value, &mut found.built_in)?,
            other => comments(other, value, &mut found.comments)?,
        }
    }
    Ok(found)
}

fn field_definition(value: &Value) -> Decoded<FieldDefinition> {
    let ArgumentDefinition { description, name, default, ty, directives, at, comments } =
        argument_definition(value)?;
    let mut arguments = Vec::new();
    for (member, value) in members(value, Names::AnyCase)? {
        if member == "arguments" {
            list(value, &mut arguments, argument_definition)?;
        }
    }
    Ok(FieldDefinition { description, name, arguments, default, ty, directives, at, comments })
}

fn argument_definition(value: &Value) -> Decoded<ArgumentDefinition> {
    let (mut description, mut name, mut default, mut of) = (String::new(), String::new(), None, None);
    let (mut directives, mut around) = (Vec::new(), Comments::default());
    for (member, value) in members(value, Names::AnyCase)? {
        match member.as_ref() {
            "description" => text(value, &mut description)?,
            "name" => text(value, &mut name)?,
            "defaultvalue" => default = literal(value, MOST_NESTED)?,
            "type" => of = ty(value, MOST_NESTED)?,
            "directives" => list(value, &mut directives, directive)?,
            other => comments(other, value, &mut around)?,
        }
    }
    let ty = of.ok_or("a field or an argument has no type")?;
    Ok(ArgumentDefinition { description, name, default, ty, directives, at: None, comments: around })
}

fn enum_value(value: &Value) -> Decoded<EnumValue> {
    let mut found = EnumValue::default();
    for (member, value) in members(value, Names::AnyCase)? {
        match member.as_ref() {
            "description" => text(value, &mut found.description)?,
            "name" => text(value, &mut found.name)?,
            "directives" => list(value, &mut found.directives, directive)?,
            other => comments(other, value, &mut found.comments)?,
        }
    }
    Ok(found)
}

fn directive_definition(value: &Value) -> Decoded<DirectiveDefinition> {
    let mut found = DirectiveDefinition::default();
    for (member, value) in members(value, Names::AnyCase)? {
        match member.as_ref() {
            "description" => text(value, &mut found.description)?,
            "name" => text(value, &mut found.name)?,
            "arguments" => list(value, &mut found.arguments, argument_definition)?,
            "locations" => list(value, &mut found.locations, string)?,
            "isrepeatable" => flag(value, &mut found.repeatable)?,
            other => comments(other, value, &mut found.comments)?,
        }
    }
    Ok(found)
}
