//! What makes a schema invalid; types and directives in the order of their names, and the first problem counts.

use std::collections::{HashMap, HashSet};

use super::ast::{
    ArgumentDefinition, Definition, Directive, DirectiveDefinition, FieldDefinition, LiteralKind, Type,
    TypeBase, kind,
};
use super::parser::Parsed;
use super::problem::{Place, Problem};
use super::schema::{Schema, TypeInfo};
use crate::gofmt::quote;

fn refuse<T>(at: Option<Place>, message: String) -> Parsed<T> {
    Err(Problem::placed(at, message))
}

/// Checks everything but the directives of the schema itself.
pub(super) fn check(schema: &Schema) -> Parsed<()> {
    for info in schema.types.values() {
        definition(schema, info)?;
    }
    input_cycles(schema)?;
    for directive in schema.directives.values() {
        name(directive.at, &directive.name)?;
        arguments(schema, &directive.arguments, Some(directive))?;
    }
    Ok(())
}

/// Checks the directives of `schema { }`.
pub(super) fn schema_directives(schema: &Schema, directives: &[Directive]) -> Parsed<()> {
    check_directives(schema, directives, "SCHEMA", None, true)
}

fn name(at: Option<Place>, name: &str) -> Parsed<()> {
    if name.starts_with("__") {
        let message = format!(
            "Name \"{name}\" must not begin with \"__\", which is reserved by GraphQL introspection."
        );
        return refuse(at, message);
    }
    Ok(())
}

fn definition(schema: &Schema, info: &TypeInfo) -> Parsed<()> {
    let definition = info.definition();
    let place =
        if definition.kind == kind::INPUT_OBJECT { "INPUT_FIELD_DEFINITION" } else { "FIELD_DEFINITION" };
    for field in &definition.fields {
        name(field.at, &field.name)?;
        type_exists(schema, &field.ty)?;
        arguments(schema, &field.arguments, None)?;
        check_directives(schema, &field.directives, place, None, true)?;
    }
    for member in &definition.types {
        let Some(found) = schema.kind(member) else {
            return refuse(definition.at, format!("Undefined type {}.", quote(member)));
        };
        if found != kind::OBJECT {
            let message = format!("{} type {} must be OBJECT.", definition.kind, quote(member));
            return refuse(definition.at, message);
        }
    }
    for interface in &definition.interfaces {
        implements(schema, info, interface)?;
    }
    by_kind(schema, definition)?;
    duplicates(definition)?;
    if !definition.built_in {
        name(definition.at, &definition.name)?;
    }
    // A type and its extensions are different places, so that a directive may stand at each of them.
    check_directives(schema, &definition.directives, &definition.kind, None, false)
}

fn by_kind(schema: &Schema, definition: &Definition) -> Parsed<()> {
    let Definition { kind: of, name, at, .. } = definition;
    match of.as_str() {
        kind::OBJECT | kind::INTERFACE => {
            if definition.fields.is_empty() {
                return refuse(*at, format!("{of} {name}: must define one or more fields."));
            }
            for field in &definition.fields {
                if schema.kind(field.ty.name()) == Some(kind::INPUT_OBJECT) || is_unknown_kind(schema, field)
                {
                    let kinds = "SCALAR, OBJECT, INTERFACE, UNION, ENUM";
                    return refuse(field.at, format!("{of} {name}: field must be one of {kinds}."));
                }
            }
        }
        kind::ENUM => enum_values(schema, definition)?,
        kind::INPUT_OBJECT => {
            if definition.fields.is_empty() {
                return refuse(*at, format!("{of} {name}: must define one or more input fields."));
            }
            for field in &definition.fields {
                let Some(found) = schema.get(field.ty.name()) else { continue };
                if !found.definition().is_input() {
                    let kinds = "SCALAR, ENUM, INPUT_OBJECT";
                    let found = &found.definition().kind;
                    return refuse(
                        field.at,
                        format!("{found} {}: field must be one of {kinds}.", field.name),
                    );
                }
            }
        }
        _ => {}
    }
    Ok(())
}

/// Only schemas given as objects have kinds that there are not.
fn is_unknown_kind(schema: &Schema, field: &FieldDefinition) -> bool {
    schema.get(field.ty.name()).is_some_and(|found| {
        let definition = found.definition();
        !definition.is_composite() && !definition.is_input()
    })
}

fn enum_values(schema: &Schema, definition: &Definition) -> Parsed<()> {
    let Definition { kind: of, name, at, .. } = definition;
    if definition.enum_values.is_empty() {
        return refuse(*at, format!("{of} {name}: must define one or more unique enum values."));
    }
    for value in &definition.enum_values {
        if ["true", "false", "null"].contains(&value.name.as_str()) {
            return refuse(*at, format!("{of} {name}: non-enum value {}.", value.name));
        }
        check_directives(schema, &value.directives, "ENUM_VALUE", None, true)?;
    }
    Ok(())
}

/// The positions of the first two equal names, the first of them as far to the front as possible.
fn first_duplicate<'a>(names: impl Iterator<Item = &'a str>) -> Option<(usize, usize)> {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let mut found: Option<(usize, usize)> = None;
    for (position, name) in names.enumerate() {
        match seen.get(name) {
            None => {
                seen.insert(name, position);
            }
            Some(first) if found.is_none_or(|(known, _)| *first < known) => found = Some((*first, position)),
            Some(_) => {}
        }
    }
    found
}

fn duplicates(definition: &Definition) -> Parsed<()> {
    let Definition { name, fields, enum_values, types, type_places, .. } = definition;
    if let Some((_, second)) = first_duplicate(fields.iter().map(|field| field.name.as_str()))
        && let Some(field) = fields.get(second)
    {
        return refuse(field.at, format!("Field {name}.{} can only be defined once.", field.name));
    }
    if let Some((_, second)) = first_duplicate(enum_values.iter().map(|value| value.name.as_str()))
        && let Some(value) = enum_values.get(second)
    {
        return refuse(value.at, format!("Enum value {name}.{} can only be defined once.", value.name));
    }
    if let Some((_, second)) = first_duplicate(types.iter().map(String::as_str))
        && let Some(member) = types.get(second)
    {
        let aligned = type_places.len() == types.len();
        let at = if aligned { type_places.get(second).copied() } else { definition.at };
        return refuse(at, format!("Union type {name} can only include type {member} once."));
    }
    Ok(())
}

fn type_exists(schema: &Schema, ty: &Type) -> Parsed<()> {
    if schema.get(ty.name()).is_none() {
        return refuse(ty.at, format!("Undefined type {}.", ty.name()));
    }
    Ok(())
}

fn arguments(
    schema: &Schema,
    arguments: &[ArgumentDefinition],
    directive: Option<&DirectiveDefinition>,
) -> Parsed<()> {
    for argument in arguments {
        name(argument.at, &argument.name)?;
        type_exists(schema, &argument.ty)?;
        if let Some(found) = schema.get(argument.ty.name()).map(TypeInfo::definition)
            && !found.is_input()
        {
            let message = format!(
                "cannot use {} as argument {} because {} is not a valid input type",
                argument.ty, argument.name, found.kind
            );
            return refuse(argument.at, message);
        }
        check_directives(schema, &argument.directives, "ARGUMENT_DEFINITION", directive, true)?;
    }
    Ok(())
}

/// Directives at one place, or, unless `one_place`, at a type and its extensions together.
fn check_directives(
    schema: &Schema,
    directives: &[Directive],
    place: &str,
    within: Option<&DirectiveDefinition>,
    one_place: bool,
) -> Parsed<()> {
    let mut seen = HashSet::new();
    for directive in directives {
        let called = &directive.name;
        name(directive.at, called)?;
        if within.is_some_and(|within| within.name == *called) {
            return refuse(directive.at, format!("Directive {called} cannot refer to itself."));
        }
        let Some(definition) = schema.directives.get(called) else {
            return refuse(directive.at, format!("Undefined directive {called}."));
        };
        if one_place && !seen.insert(called) && !definition.repeatable {
            let message = format!("The directive {called} can only be used once at this location.");
            return refuse(directive.at, message);
        }
        if !definition.locations.iter().any(|location| location == place) {
            return refuse(directive.at, format!("Directive {called} is not applicable on {place}."));
        }
        directive_arguments(directive, definition)?;
    }
    Ok(())
}

fn directive_arguments(directive: &Directive, definition: &DirectiveDefinition) -> Parsed<()> {
    let known: HashSet<&str> = definition.arguments.iter().map(|argument| argument.name.as_str()).collect();
    let mut given: HashMap<&str, LiteralKind> = HashMap::new();
    for argument in &directive.arguments {
        if !known.contains(argument.name.as_str()) {
            let message = format!("Undefined argument {} for directive {}.", argument.name, directive.name);
            return refuse(argument.at, message);
        }
        given.entry(&argument.name).or_insert(argument.value.kind);
    }
    for argument in definition.arguments.iter().filter(|argument| argument.is_required()) {
        if given.get(argument.name.as_str()).is_none_or(|kind| *kind == LiteralKind::Null) {
            let message =
                format!("Argument {} for directive {} cannot be null.", argument.name, directive.name);
            return refuse(directive.at, message);
        }
    }
    Ok(())
}

/// The rules at the end of section 3.6 of the specification.
fn implements(schema: &Schema, info: &TypeInfo, interface_name: &str) -> Parsed<()> {
    let definition = info.definition();
    let Some(interface) = schema.get(interface_name).map(TypeInfo::definition) else {
        return refuse(definition.at, format!("Undefined type {}.", quote(interface_name)));
    };
    if interface.kind != kind::INTERFACE {
        let message = format!("{} is a non interface type {}.", quote(interface_name), interface.kind);
        return refuse(definition.at, message);
    }
    let head = format!("For {} to implement {}", definition.name, interface.name);
    for required in &interface.fields {
        let Some(found) = info.field(&required.name) else {
            return refuse(definition.at, format!("{head} it must have a field called {}.", required.name));
        };
        if !is_covariant(schema, &required.ty, &found.ty) {
            let message = format!("{head} the field {} must have type {}.", required.name, required.ty);
            return refuse(found.at, message);
        }
        same_arguments(&head, required, found)?;
    }
    for above in &interface.interfaces {
        if definition.interfaces.contains(above) {
            continue;
        }
        let of = &definition.name;
        let message = if above == of {
            format!(
                "Type {of} cannot implement {interface_name} because it would create a circular reference."
            )
        } else {
            format!("Type {of} must implement {above} because it is implemented by {interface_name}.")
        };
        return refuse(definition.at, message);
    }
    Ok(())
}

fn same_arguments(head: &str, required: &FieldDefinition, found: &FieldDefinition) -> Parsed<()> {
    let index = |field: &'_ FieldDefinition| -> HashMap<String, usize> {
        let named = field.arguments.iter().enumerate().rev();
        named.map(|(position, argument)| (argument.name.clone(), position)).collect()
    };
    let (required_names, found_names) = (index(required), index(found));
    let same = format!("{head} the field {} must have the same arguments but", required.name);
    for argument in &required.arguments {
        let position = found_names.get(&argument.name);
        let Some(given) = position.and_then(|position| found.arguments.get(*position)) else {
            return refuse(found.at, format!("{same} it is missing {}.", argument.name));
        };
        if !argument.ty.is_compatible(&given.ty, false) {
            return refuse(given.at, format!("{same} {} has the wrong type.", argument.name));
        }
    }
    for argument in &found.arguments {
        if !required_names.contains_key(&argument.name) && argument.is_required() {
            let message = format!(
                "{head} any additional arguments on {} must be optional or have a default value but {} is required.",
                found.name, argument.name
            );
            return refuse(argument.at, message);
        }
    }
    Ok(())
}

fn is_covariant(schema: &Schema, required: &Type, actual: &Type) -> bool {
    if required.non_null && !actual.non_null {
        return false;
    }
    match (&required.base, &actual.base) {
        (TypeBase::Named(required), TypeBase::Named(actual)) => {
            required == actual || schema.is_possible(required, actual)
        }
        (TypeBase::List(required), TypeBase::List(actual)) => is_covariant(schema, required, actual),
        _ => false,
    }
}

/// Input objects that contain themselves through fields that are neither lists nor nullable.
fn input_cycles(schema: &Schema) -> Parsed<()> {
    let mut visited: HashSet<&str> = HashSet::new();
    for (name, info) in &schema.types {
        if info.definition().kind == kind::INPUT_OBJECT && visited.insert(name) {
            input_cycle(schema, info.definition(), &mut visited)?;
        }
    }
    Ok(())
}

/// Depth first, on a stack of our own: a chain may be as long as the schema.
fn input_cycle<'a>(schema: &'a Schema, start: &'a Definition, visited: &mut HashSet<&'a str>) -> Parsed<()> {
    // A type that is being visited, the field to look at next, and the fields that led there.
    let mut stack: Vec<(&Definition, usize)> = vec![(start, 0)];
    let mut depth_of: HashMap<&str, usize> = HashMap::from([(start.name.as_str(), 0)]);
    let mut path: Vec<&FieldDefinition> = Vec::new();
    while let Some((definition, next)) = stack.last_mut() {
        let Some(field) = definition.fields.get(*next) else {
            depth_of.remove(definition.name.as_str());
            stack.pop();
            path.pop();
            continue;
        };
        *next += 1;
        let inner = match &field.ty.base {
            TypeBase::Named(name) if field.ty.non_null => schema.get(name).map(TypeInfo::definition),
            _ => None,
        };
        let Some(inner) = inner.filter(|inner| inner.kind == kind::INPUT_OBJECT) else { continue };
        if let Some(depth) = depth_of.get(inner.name.as_str()) {
            path.push(field);
            let cycle = path.get(*depth..).unwrap_or_default();
            let names: Vec<&str> = cycle.iter().map(|field| field.name.as_str()).collect();
            let message = format!(
                "Cannot reference Input Object {} within itself through a series of non-null fields: {}.",
                quote(&inner.name),
                quote(&names.join("."))
            );
            return refuse(cycle.first().and_then(|field| field.at), message);
        }
        if visited.insert(&inner.name) {
            depth_of.insert(&inner.name, stack.len());
            path.push(field);
            stack.push((inner, 0));
        }
    }
    Ok(())
}
