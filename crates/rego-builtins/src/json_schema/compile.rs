//! A JSON Schema to nodes; what is wrong with it is said in the words of the library that OPA uses, and its keywords
//! are looked at in that library's order, since the first problem is the one that counts.

use std::collections::HashMap;

use rego_value::{Number, Object, Value};

use super::node::{Additional, Dependency, Draft, Id, Node};
use super::number::canonical;
use super::pool::{Pool, detect};
use super::reference::Reference;
use crate::context::Context;
use crate::regex::compiled;

type Compiled<T = ()> = Result<T, String>;

/// How deep references may lead through schemas that were not seen before.
const MOST_NESTED: usize = 150;

/// How many schemas one may be made of. One that is referred to by several names is compiled for each of them, and
/// what it contains as well.
const MOST_NODES: usize = 50_000;

const TYPES: [&str; 7] = ["array", "boolean", "integer", "number", "null", "object", "string"];

const SCHEMA: &str = "Valid Schema";
const SCHEMAS: &str = "Valid Schema/Array Of Schemas";

/// A schema that documents can be checked against: the nodes, of which the first is the root.
pub(super) fn compile(context: &mut Context, document: &Value) -> Compiled<Vec<Node>> {
    let mut pool = Pool::default();
    let document = pool.add(document, &Reference::default())?;
    let draft = detect(&document)?.unwrap_or(Draft::Hybrid);
    let mut compiler = Compiler { context, pool, nodes: Vec::new(), references: HashMap::new(), depth: 0 };
    compiler.schema(&document, draft)?;
    Ok(compiler.nodes)
}

struct Compiler<'c> {
    context: &'c mut Context,
    pool: Pool,
    nodes: Vec<Node>,
    /// What was referred to before, also where it is not yet compiled.
    references: HashMap<String, Id>,
    depth: usize,
}

fn invalid_type(expected: &str, given: &str) -> String {
    format!("Invalid type. Expected: {expected}, given: {given}")
}

fn get<'a>(members: &'a Object, key: &str) -> Option<&'a Value> {
    members.get(&Value::from(key))
}

fn string<'a>(members: &'a Object, key: &str) -> Compiled<Option<&'a str>> {
    match get(members, key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(invalid_type("string", key)),
    }
}

fn array<'a>(members: &'a Object, key: &str) -> Compiled<Option<&'a [Value]>> {
    match get(members, key) {
        None => Ok(None),
        Some(Value::Array(items)) => Ok(Some(items)),
        Some(_) => Err(format!("{key} must be of an array")),
    }
}

/// A count, written as a plain integer.
fn count(members: &Object, key: &str) -> Compiled<Option<i64>> {
    match get(members, key) {
        None => Ok(None),
        Some(Value::Number(number)) => match number.as_plain_int() {
            Some(0..) => Ok(number.as_plain_int()),
            Some(_) => Err(format!("{key} must be greater than or equal to 0")),
            None => Err(format!("{key} must be of an integer")),
        },
        Some(_) => Err(format!("{key} must be of an integer")),
    }
}

fn counts(members: &Object, least: &str, most: &str) -> Compiled<(Option<i64>, Option<i64>)> {
    Ok((count(members, least)?, count(members, most)?))
}

fn is_schema(value: &Value) -> bool {
    matches!(value, Value::Bool(_) | Value::Object(_))
}

impl Compiler<'_> {
    /// A new node of a schema.
    fn schema(&mut self, value: &Value, draft: Draft) -> Compiled<Id> {
        let id = self.reserve()?;
        self.fill(id, value, draft)?;
        Ok(id)
    }

    fn reserve(&mut self) -> Compiled<Id> {
        if self.nodes.len() == MOST_NODES {
            return Err(format!("schema has more than {MOST_NODES} parts"));
        }
        self.nodes.push(Node::default());
        Ok(self.nodes.len() - 1)
    }

    fn fill(&mut self, id: Id, value: &Value, draft: Draft) -> Compiled {
        if self.depth == MOST_NESTED {
            return Err(format!("schema is nested more than {MOST_NESTED} levels deep"));
        }
        self.depth += 1;
        let node = self.node(value, draft)?;
        self.depth -= 1;
        if let Some(slot) = self.nodes.get_mut(id) {
            *slot = *node;
        }
        Ok(())
    }

    /// In a box, since every level of a schema has one on the stack.
    fn node(&mut self, value: &Value, draft: Draft) -> Compiled<Box<Node>> {
        let mut node = Box::<Node>::default();
        if let (Value::Bool(flag), true) = (value, draft >= Draft::Six) {
            node.pass = Some(*flag);
            return Ok(node);
        }
        let Value::Object(members) = value else {
            return Err("Expected: Valid Schema, given: Invalid JSON".to_owned());
        };
        self.head(members, draft)?;
        if let Some(reference) = string(members, "$ref")? {
            let reference = Reference::parse(reference)?;
            match self.references.get(&reference.text()) {
                // What stands beside it is looked at, but only now.
                Some(known) => node.reference = Some(*known),
                None => {
                    node.reference = Some(self.referred(&reference, draft)?);
                    return Ok(node);
                }
            }
        }
        types(members, &mut node)?;
        self.properties(members, &mut node, draft)?;
        self.items(members, &mut node, draft)?;
        numbers(members, &mut node, draft)?;
        self.texts(members, &mut node)?;
        limits(members, &mut node)?;
        self.values(members, &mut node, draft)?;
        self.combinations(members, &mut node, draft)?;
        self.conditions(members, &mut node, draft)?;
        Ok(node)
    }

    /// Identifier, definitions and what only describes.
    fn head(&mut self, members: &Object, draft: Draft) -> Compiled {
        let id = match draft {
            Draft::Four => "id",
            Draft::Hybrid if get(members, "id").is_some() => "id",
            _ => "$id",
        };
        if let Some(id) = string(members, id)? {
            Reference::parse(id)?;
        }
        match get(members, "definitions") {
            None => {}
            Some(Value::Object(definitions)) => {
                for definition in definitions.values() {
                    if !is_schema(definition) {
                        return Err(invalid_type("Array Of Schemas", "definitions"));
                    }
                    self.schema(definition, draft)?;
                }
            }
            Some(_) => return Err(invalid_type("Array Of Schemas", "definitions")),
        }
        string(members, "title")?;
        string(members, "description")?;
        Ok(())
    }

    fn referred(&mut self, reference: &Reference, draft: Draft) -> Compiled<Id> {
        let id = self.reserve()?;
        self.references.insert(reference.text(), id);
        let (document, its_draft) = self.pool.find(reference)?;
        if !is_schema(&document) {
            return Err("Valid Schema must be of type object".to_owned());
        }
        self.fill(id, &document, its_draft.unwrap_or(draft))?;
        Ok(id)
    }

    fn properties(&mut self, members: &Object, node: &mut Node, draft: Draft) -> Compiled {
        match get(members, "properties") {
            None => {}
            Some(Value::Object(properties)) => {
                for (name, schema) in properties.iter() {
                    let name = name.as_str().unwrap_or_default().to_owned();
                    let id = self.schema(schema, draft)?;
                    node.members.properties.insert(name, id);
                }
            }
            Some(_) => return Err("Properties must be of type object".to_owned()),
        }
        node.members.additional = self.additional(members, "additionalProperties", draft)?;
        match get(members, "patternProperties") {
            None => {}
            Some(Value::Object(patterns)) => {
                for (pattern, schema) in patterns.iter() {
                    let pattern = pattern.as_str().unwrap_or_default();
                    let regex = compiled(self.context, pattern)
                        .map_err(|_| format!("Invalid regex pattern '{pattern}'"))?;
                    let id = self.schema(schema, draft)?;
                    node.members.patterns.push((regex, id));
                }
            }
            Some(_) => return Err(invalid_type(SCHEMA, "patternProperties")),
        }
        if let Some(names) = get(members, "propertyNames").filter(|_| draft >= Draft::Six) {
            if !is_schema(names) {
                return Err(invalid_type(SCHEMA, "patternProperties"));
            }
            node.members.names = Some(self.schema(names, draft)?);
        }
        self.dependencies(members, node, draft)
    }

    fn additional(&mut self, members: &Object, key: &str, draft: Draft) -> Compiled<Additional> {
        match get(members, key) {
            None => Ok(Additional::Unset),
            Some(Value::Bool(flag)) => Ok(Additional::Flag(*flag)),
            Some(schema @ Value::Object(_)) => Ok(Additional::Schema(self.schema(schema, draft)?)),
            Some(_) => Err(invalid_type("boolean/Valid Schema", key)),
        }
    }

    fn dependencies(&mut self, members: &Object, node: &mut Node, draft: Draft) -> Compiled {
        const WRONG: &str = "Dependency must be of type Schema Or Array Of Strings";
        let dependencies = match get(members, "dependencies") {
            None => return Ok(()),
            Some(Value::Object(dependencies)) => dependencies,
            Some(_) => return Err("dependencies must be of type object".to_owned()),
        };
        for (name, dependency) in dependencies.iter() {
            let name = name.as_str().unwrap_or_default().to_owned();
            let dependency = match dependency {
                Value::Array(names) => {
                    let names: Option<Vec<String>> =
                        names.iter().map(|name| name.as_str().map(str::to_owned)).collect();
                    Dependency::Members(names.ok_or(WRONG)?)
                }
                schema if is_schema(schema) => Dependency::Schema(self.schema(schema, draft)?),
                _ => return Err(WRONG.to_owned()),
            };
            node.members.dependencies.insert(name, dependency);
        }
        Ok(())
    }

    fn items(&mut self, members: &Object, node: &mut Node, draft: Draft) -> Compiled {
        match get(members, "items") {
            None => {}
            Some(Value::Array(items)) => {
                for item in items.iter() {
                    if !is_schema(item) {
                        return Err(invalid_type(SCHEMAS, "items"));
                    }
                    let id = self.schema(item, draft)?;
                    node.items.schemas.push(id);
                }
            }
            Some(schema) if is_schema(schema) => {
                node.items.schemas.push(self.schema(schema, draft)?);
                node.items.single = true;
            }
            Some(_) => return Err(invalid_type(SCHEMAS, "items")),
        }
        node.items.additional = self.additional(members, "additionalItems", draft)?;
        Ok(())
    }

    fn texts(&mut self, members: &Object, node: &mut Node) -> Compiled {
        let (least, most) = counts(members, "minLength", "maxLength")?;
        if let (Some(least), Some(most)) = (least, most)
            && least > most
        {
            return Err("minLength cannot be greater than maxLength".to_owned());
        }
        (node.texts.shortest, node.texts.longest) = (least, most);
        if let Some(pattern) = string(members, "pattern")? {
            let regex = compiled(self.context, pattern).map_err(|_| "pattern must be a valid regex")?;
            node.texts.pattern = Some((pattern.to_owned(), regex));
        }
        node.format = string(members, "format")?.unwrap_or_default().to_owned();
        Ok(())
    }

    fn values(&mut self, members: &Object, node: &mut Node, draft: Draft) -> Compiled {
        if let Some(contains) = get(members, "contains").filter(|_| draft >= Draft::Six) {
            node.items.contains = Some(self.schema(contains, draft)?);
        }
        node.constant = get(members, "const").filter(|_| draft >= Draft::Six).map(canonical);
        if let Some(choices) = array(members, "enum")? {
            let choices: Vec<String> = choices.iter().map(canonical).collect();
            let mut seen = std::collections::HashSet::new();
            if !choices.iter().all(|choice| seen.insert(choice)) {
                return Err("enum items must be unique".to_owned());
            }
            node.choices = Some(choices);
        }
        Ok(())
    }

    fn combinations(&mut self, members: &Object, node: &mut Node, draft: Draft) -> Compiled {
        for (key, into) in
            [("oneOf", &mut node.one_of), ("anyOf", &mut node.any_of), ("allOf", &mut node.all_of)]
        {
            for schema in array(members, key)?.unwrap_or_default() {
                into.push(self.schema(schema, draft)?);
            }
        }
        Ok(())
    }

    fn conditions(&mut self, members: &Object, node: &mut Node, draft: Draft) -> Compiled {
        let keys = [
            ("not", &mut node.not, Draft::Four),
            ("if", &mut node.condition, Draft::Seven),
            ("then", &mut node.then, Draft::Seven),
            ("else", &mut node.otherwise, Draft::Seven),
        ];
        for (key, into, since) in keys {
            match get(members, key).filter(|_| draft >= since) {
                None => {}
                Some(schema) if is_schema(schema) => *into = Some(self.schema(schema, draft)?),
                Some(_) => return Err(format!("{key} must be of an object")),
            }
        }
        Ok(())
    }
}

fn types(members: &Object, node: &mut Node) -> Compiled {
    let wrong = || invalid_type("type", "string/Array Of Strings");
    let mut add = |name: &Value| {
        let name = name.as_str().ok_or_else(wrong)?;
        if !TYPES.contains(&name) {
            let valid = TYPES.join(" ");
            return Err(format!(
                "has a primitive type that is NOT VALID -- given: /{name}/ Expected valid values are:[{valid}]"
            ));
        }
        if node.types.iter().any(|known| known == name) {
            return Err(format!("{name} type is duplicated"));
        }
        node.types.push(name.to_owned());
        Ok(())
    };
    match get(members, "type") {
        None => Ok(()),
        Some(Value::Array(names)) => names.iter().try_for_each(add),
        Some(name) => add(name),
    }
}

fn numbers(members: &Object, node: &mut Node, draft: Draft) -> Compiled {
    match get(members, "multipleOf") {
        None => {}
        Some(Value::Number(number)) if *number > Number::from(0) => {
            node.numbers.multiple_of = Some(number.clone());
        }
        Some(Value::Number(_)) => return Err("multipleOf must be strictly greater than 0".to_owned()),
        Some(_) => return Err(invalid_type("Number", "multipleOf")),
    }
    let numbers = &mut node.numbers;
    bound(
        members,
        ["minimum", "exclusiveMinimum"],
        &mut numbers.minimum,
        &mut numbers.exclusive_minimum,
        draft,
    )?;
    bound(
        members,
        ["maximum", "exclusiveMaximum"],
        &mut numbers.maximum,
        &mut numbers.exclusive_maximum,
        draft,
    )
}

/// A bound and its exclusive form: a flag in draft 4, a number later, either of them when no draft is named.
fn bound(
    members: &Object,
    [plain_key, exclusive_key]: [&str; 2],
    plain: &mut Option<Number>,
    exclusive: &mut Option<Number>,
    draft: Draft,
) -> Compiled {
    match get(members, plain_key) {
        None => {}
        Some(Value::Number(number)) => *plain = Some(number.clone()),
        Some(_) => return Err(format!("{plain_key} must be of a Number")),
    }
    let expected = match draft {
        Draft::Four => "boolean",
        Draft::Hybrid => "boolean/number",
        _ => "number",
    };
    match get(members, exclusive_key) {
        None => {}
        Some(Value::Bool(flag)) if matches!(draft, Draft::Four | Draft::Hybrid) => {
            if plain.is_none() {
                return Err(format!("{exclusive_key} cannot be used without {plain_key}"));
            }
            if *flag {
                *exclusive = plain.take();
            }
        }
        Some(Value::Number(number)) if draft != Draft::Four => *exclusive = Some(number.clone()),
        Some(_) => return Err(invalid_type(expected, exclusive_key)),
    }
    Ok(())
}

/// The keywords that count members and items.
fn limits(members: &Object, node: &mut Node) -> Compiled {
    let (least, most) = counts(members, "minProperties", "maxProperties")?;
    if let (Some(least), Some(most)) = (least, most)
        && least > most
    {
        return Err("minProperties cannot be greater than maxProperties".to_owned());
    }
    (node.members.least, node.members.most) = (least, most);
    let mut seen = std::collections::HashSet::new();
    for name in array(members, "required")?.unwrap_or_default() {
        let Some(name) = name.as_str() else { return Err(invalid_type("string", "required")) };
        if !seen.insert(name) {
            return Err("required items must be unique".to_owned());
        }
        node.members.required.push(name.to_owned());
    }
    (node.items.least, node.items.most) = counts(members, "minItems", "maxItems")?;
    match get(members, "uniqueItems") {
        None => Ok(()),
        Some(Value::Bool(unique)) => {
            node.items.unique = *unique;
            Ok(())
        }
        Some(_) => Err("uniqueItems must be of a boolean".to_owned()),
    }
}
