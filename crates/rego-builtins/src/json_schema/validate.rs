//! A document against a compiled schema. Of alternatives that all fail, the problems of the one that came nearest are
//! told; how near is counted as the library that OPA uses counts it.

use std::collections::HashMap;
use std::fmt;

use rego_value::{Array, Number, Object, Value};

use super::format;
use super::node::{Additional, Dependency, Id, Items, Members, Node};
use super::number::{big_float_text, canonical, is_multiple};
use crate::context::Context;

/// How deep schemas may be applied within each other. One that refers to itself without going into the document would
/// never end.
const MOST_NESTED: usize = 300;

/// How many times schemas may be applied: alternatives within alternatives take exponential time.
/// Fewer in unit tests, which are not optimised.
const MOST_STEPS: usize = if cfg!(test) { 50_000 } else { 1_000_000 };

/// What is wrong with a document at one place.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    pub(super) kind: &'static str,
    /// The names on the way from the root, which has none but `(Root)`.
    pub(super) field: String,
    pub(super) description: String,
}

/// The problems of a document, and how much of the schema was met.
#[derive(Default)]
struct Outcome {
    problems: Vec<Problem>,
    score: i64,
}

impl Outcome {
    fn is_valid(&self) -> bool {
        self.problems.is_empty()
    }

    fn add(&mut self, kind: &'static str, at: &Path<'_>, description: impl Into<String>) {
        self.problems.push(Problem { kind, field: at.field(), description: description.into() });
        self.score -= 2;
    }

    fn merge(&mut self, other: Outcome) {
        self.problems.extend(other.problems);
        self.score += other.score;
    }

    /// Keeps the better one of two outcomes that are not valid, the first when they are equal.
    fn best(kept: &mut Option<Outcome>, other: Outcome) {
        if kept.as_ref().is_none_or(|kept| other.score > kept.score) {
            *kept = Some(other);
        }
    }
}

/// Where a value stands.
struct Path<'a> {
    name: &'a dyn fmt::Display,
    within: Option<&'a Path<'a>>,
}

impl Path<'_> {
    fn field(&self) -> String {
        let mut names = vec![self.name.to_string()];
        let mut at = self;
        while let Some(within) = at.within {
            names.push(within.name.to_string());
            at = within;
        }
        if names.len() > 1 {
            names.pop();
        }
        names.reverse();
        names.join(".")
    }
}

/// Why a check ended before its end.
type Step<T = ()> = Result<T, String>;

/// All problems of a document.
pub(super) fn validate(context: &mut Context, nodes: &[Node], document: &Value) -> Step<Vec<Problem>> {
    let mut outcome = Outcome::default();
    let mut validator = Validator { context, nodes, steps: 0, depth: 0 };
    validator.apply(0, document, &mut outcome, &Path { name: &"(Root)", within: None })?;
    Ok(outcome.problems)
}

struct Validator<'c, 'n> {
    context: &'c mut Context,
    nodes: &'n [Node],
    steps: usize,
    depth: usize,
}

impl<'n> Validator<'_, 'n> {
    fn spend(&mut self, steps: usize) -> Step {
        self.steps = self.steps.saturating_add(steps);
        if self.steps > MOST_STEPS {
            return Err("the document is too complex to be checked against this schema".to_owned());
        }
        Ok(())
    }

    fn apply(&mut self, id: Id, value: &Value, out: &mut Outcome, at: &Path<'_>) -> Step {
        self.spend(1)?;
        if self.depth == MOST_NESTED {
            return Err(format!("schemas are applied more than {MOST_NESTED} levels deep"));
        }
        let Some(node) = self.nodes.get(id) else { return Ok(()) };
        self.depth += 1;
        let step = self.apply_node(node, value, out, at);
        self.depth -= 1;
        step
    }

    /// The outcome of a schema alone.
    fn outcome(&mut self, id: Id, value: &Value, at: &Path<'_>) -> Step<Outcome> {
        let mut outcome = Outcome::default();
        self.apply(id, value, &mut outcome, at)?;
        Ok(outcome)
    }

    fn apply_node(&mut self, node: &'n Node, value: &Value, out: &mut Outcome, at: &Path<'_>) -> Step {
        if let Some(pass) = node.pass {
            if !pass {
                out.add("false", at, "False always fails validation");
            }
            return Ok(());
        }
        if let Some(reference) = node.reference {
            return self.apply(reference, value, out, at);
        }
        let given = type_of(value);
        let is = |wanted: &String| wanted == given || (given == "integer" && wanted == "number");
        if !node.types.is_empty() && !node.types.iter().any(is) {
            let expected = match node.types.as_slice() {
                [one] => one.clone(),
                many => format!("[{}]", many.join(",")),
            };
            out.add("invalid_type", at, format!("Invalid type. Expected: {expected}, given: {given}"));
            return Ok(());
        }
        self.combinations(node, value, out, at)?;
        match value {
            Value::Number(number) => {
                check_number(node, number, out, at);
                self.common(node, value, out, at)?;
            }
            Value::String(text) => {
                self.common(node, value, out, at)?;
                check_text(node, text, out, at);
            }
            Value::Array(items) => {
                self.array(&node.items, items, out, at)?;
                self.common(node, value, out, at)?;
            }
            Value::Object(members) => {
                self.object(&node.members, members, out, at)?;
                self.common(node, value, out, at)?;
                for (name, id) in &node.members.properties {
                    if let Some(member) = value.get_str(name) {
                        self.apply(*id, member, out, &Path { name, within: Some(at) })?;
                    }
                }
            }
            _ => self.common(node, value, out, at)?,
        }
        out.score += 1;
        Ok(())
    }

    fn combinations(&mut self, node: &'n Node, value: &Value, out: &mut Outcome, at: &Path<'_>) -> Step {
        self.any_of(node, value, out, at)?;
        self.one_of(node, value, out, at)?;
        let mut all_met = true;
        for id in &node.all_of {
            let outcome = self.outcome(*id, value, at)?;
            all_met &= outcome.is_valid();
            out.merge(outcome);
        }
        if !all_met {
            out.add("number_all_of", at, "Must validate all the schemas (allOf)");
        }
        if let Some(not) = node.not
            && self.outcome(not, value, at)?.is_valid()
        {
            out.add("number_not", at, "Must not validate the schema (not)");
        }
        self.dependencies(&node.members, value, out, at)?;
        self.condition(node, value, out, at)?;
        out.score += 1;
        Ok(())
    }

    fn any_of(&mut self, node: &'n Node, value: &Value, out: &mut Outcome, at: &Path<'_>) -> Step {
        let mut nearest = None;
        for id in &node.any_of {
            let outcome = self.outcome(*id, value, at)?;
            if outcome.is_valid() {
                return Ok(());
            }
            Outcome::best(&mut nearest, outcome);
        }
        if let Some(nearest) = nearest {
            out.add("number_any_of", at, "Must validate at least one schema (anyOf)");
            out.merge(nearest);
        }
        Ok(())
    }

    fn one_of(&mut self, node: &'n Node, value: &Value, out: &mut Outcome, at: &Path<'_>) -> Step {
        let (mut met, mut nearest) = (0, None);
        for id in &node.one_of {
            let outcome = self.outcome(*id, value, at)?;
            if outcome.is_valid() {
                met += 1;
            } else if met == 0 {
                Outcome::best(&mut nearest, outcome);
            }
        }
        if node.one_of.is_empty() || met == 1 {
            return Ok(());
        }
        out.add("number_one_of", at, "Must validate one and only one schema (oneOf)");
        if let Some(nearest) = nearest.filter(|_| met == 0) {
            out.merge(nearest);
        }
        Ok(())
    }

    fn dependencies(
        &mut self,
        keywords: &'n Members,
        value: &Value,
        out: &mut Outcome,
        at: &Path<'_>,
    ) -> Step {
        let Value::Object(members) = value else { return Ok(()) };
        for (name, dependency) in &keywords.dependencies {
            if members.get(&Value::from(name.as_str())).is_none() {
                continue;
            }
            match dependency {
                Dependency::Schema(id) => self.apply(*id, value, out, at)?,
                Dependency::Members(names) => {
                    for needed in names.iter().filter(|needed| value.get_str(needed).is_none()) {
                        out.add("missing_dependency", at, format!("Has a dependency on {needed}"));
                    }
                }
            }
        }
        Ok(())
    }

    fn condition(&mut self, node: &'n Node, value: &Value, out: &mut Outcome, at: &Path<'_>) -> Step {
        let Some(condition) = node.condition else { return Ok(()) };
        let (id, kind, description) = if self.outcome(condition, value, at)?.is_valid() {
            (node.then, "condition_then", "Must validate \"then\" as \"if\" was valid")
        } else {
            (node.otherwise, "condition_else", "Must validate \"else\" as \"if\" was not valid")
        };
        let Some(id) = id else { return Ok(()) };
        let outcome = self.outcome(id, value, at)?;
        if !outcome.is_valid() {
            out.add(kind, at, description);
            out.merge(outcome);
        }
        Ok(())
    }

    /// `const`, `enum` and `format`.
    fn common(&mut self, node: &'n Node, value: &Value, out: &mut Outcome, at: &Path<'_>) -> Step {
        if node.constant.is_some() || node.choices.is_some() {
            let text = canonical(value);
            self.spend(text.len() / 32)?;
            if let Some(constant) = node.constant.as_ref().filter(|constant| **constant != text) {
                out.add("const", at, format!("{} does not match: {constant}", at.field()));
            }
            if let Some(choices) = node.choices.as_ref().filter(|choices| !choices.contains(&text)) {
                let allowed = choices.join(", ");
                out.add("enum", at, format!("{} must be one of the following: {allowed}", at.field()));
            }
        }
        if let Value::String(text) = value
            && !format::is_format(self.context, &node.format, text)
        {
            out.add("format", at, format!("Does not match format '{}'", node.format));
        }
        out.score += 1;
        Ok(())
    }

    fn array(&mut self, keywords: &'n Items, items: &Array, out: &mut Outcome, at: &Path<'_>) -> Step {
        self.items(keywords, items, out, at)?;
        let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
        if let Some(least) = keywords.least.filter(|least| length < *least) {
            out.add("array_min_items", at, format!("Array must have at least {least} items"));
        }
        if let Some(most) = keywords.most.filter(|most| length > *most) {
            out.add("array_max_items", at, format!("Array must have at most {most} items"));
        }
        if keywords.unique {
            let mut seen: HashMap<String, usize> = HashMap::new();
            for (position, item) in items.iter().enumerate() {
                let text = canonical(item);
                self.spend(1 + text.len() / 32)?;
                if let Some(earlier) = seen.insert(text, position) {
                    out.add("unique", at, format!("array items[{earlier},{position}] must be unique"));
                }
            }
        }
        if let Some(contains) = keywords.contains {
            self.contains(contains, items, out, at)?;
        }
        out.score += 1;
        Ok(())
    }

    fn items(&mut self, keywords: &'n Items, items: &Array, out: &mut Outcome, at: &Path<'_>) -> Step {
        for (position, item) in items.iter().enumerate() {
            let id = if keywords.single {
                keywords.schemas.first().copied()
            } else {
                match (keywords.schemas.get(position), &keywords.additional) {
                    (Some(id), _) => Some(*id),
                    // Without schemas for the first items the others are not additional.
                    (None, Additional::Schema(id)) if !keywords.schemas.is_empty() => Some(*id),
                    _ => None,
                }
            };
            let Some(id) = id else { break };
            let outcome = self.outcome(id, item, &Path { name: &position, within: Some(at) })?;
            out.merge(outcome);
        }
        let too_many = !keywords.schemas.is_empty() && keywords.schemas.len() < items.len();
        if !keywords.single && too_many && matches!(keywords.additional, Additional::Flag(false)) {
            out.add("array_no_additional_items", at, "No additional items allowed on array");
        }
        Ok(())
    }

    fn contains(&mut self, id: Id, items: &Array, out: &mut Outcome, at: &Path<'_>) -> Step {
        let mut nearest = None;
        for (position, item) in items.iter().enumerate() {
            let outcome = self.outcome(id, item, &Path { name: &position, within: Some(at) })?;
            if outcome.is_valid() {
                return Ok(());
            }
            Outcome::best(&mut nearest, outcome);
        }
        out.add("contains", at, "At least one of the items must match");
        if let Some(nearest) = nearest {
            out.merge(nearest);
        }
        Ok(())
    }

    fn object(&mut self, keywords: &'n Members, members: &Object, out: &mut Outcome, at: &Path<'_>) -> Step {
        let count = i64::try_from(members.len()).unwrap_or(i64::MAX);
        if let Some(least) = keywords.least.filter(|least| count < *least) {
            out.add("array_min_properties", at, format!("Must have at least {least} properties"));
        }
        if let Some(most) = keywords.most.filter(|most| count > *most) {
            out.add("array_max_properties", at, format!("Must have at most {most} properties"));
        }
        for name in &keywords.required {
            if members.get(&Value::from(name.as_str())).is_some() {
                out.score += 1;
            } else {
                out.add("required", at, format!("{name} is required"));
            }
        }
        for (key, member) in members.iter() {
            self.member(keywords, key.as_str().unwrap_or_default(), member, out, at)?;
        }
        if let Some(names) = keywords.names {
            for key in members.keys() {
                let outcome = self.outcome(names, key, at)?;
                if !outcome.is_valid() {
                    let name = key.as_str().unwrap_or_default();
                    let description = format!("Property name of \"{name}\" does not match");
                    out.add("invalid_property_name", at, description);
                    out.merge(outcome);
                }
            }
        }
        out.score += 1;
        Ok(())
    }

    /// `patternProperties`, and `additionalProperties` for what no other keyword names.
    fn member(
        &mut self,
        keywords: &'n Members,
        name: &str,
        member: &Value,
        out: &mut Outcome,
        at: &Path<'_>,
    ) -> Step {
        let inner = Path { name: &name, within: Some(at) };
        let mut matched = false;
        for (regex, id) in &keywords.patterns {
            self.spend(1)?;
            if regex.is_match(name) {
                matched = true;
                let outcome = self.outcome(*id, member, &inner)?;
                out.merge(outcome);
            }
        }
        if matched {
            out.score += 1;
            return Ok(());
        }
        if keywords.properties.contains_key(name) {
            return Ok(());
        }
        match keywords.additional {
            Additional::Flag(false) => {
                let description = format!("Additional property {name} is not allowed");
                out.add("additional_property_not_allowed", at, description);
            }
            Additional::Schema(id) => {
                let outcome = self.outcome(id, member, &inner)?;
                out.merge(outcome);
            }
            _ => {}
        }
        Ok(())
    }
}

/// The type of a value; an integer is one by value, so that `1.0` is one.
fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Number(number) if number.is_integer() => "integer",
        other => other.kind().name(),
    }
}

fn check_number(node: &Node, number: &Number, out: &mut Outcome, at: &Path<'_>) {
    let bounds = &node.numbers;
    if let Some(of) = bounds.multiple_of.as_ref().filter(|of| !is_multiple(number, of)) {
        out.add("multiple_of", at, format!("Must be a multiple of {}", big_float_text(of)));
    }
    if let Some(most) = bounds.maximum.as_ref().filter(|most| number > *most) {
        out.add("number_lte", at, format!("Must be less than or equal to {}", big_float_text(most)));
    }
    if let Some(below) = bounds.exclusive_maximum.as_ref().filter(|below| number >= *below) {
        out.add("number_lt", at, format!("Must be less than {}", big_float_text(below)));
    }
    if let Some(least) = bounds.minimum.as_ref().filter(|least| number < *least) {
        out.add("number_gte", at, format!("Must be greater than or equal to {}", big_float_text(least)));
    }
    if let Some(above) = bounds.exclusive_minimum.as_ref().filter(|above| number <= *above) {
        out.add("number_gt", at, format!("Must be greater than {}", big_float_text(above)));
    }
    out.score += 1;
}

fn check_text(node: &Node, text: &str, out: &mut Outcome, at: &Path<'_>) {
    let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    if let Some(shortest) = node.texts.shortest.filter(|shortest| length < *shortest) {
        let description = format!("String length must be greater than or equal to {shortest}");
        out.add("string_gte", at, description);
    }
    if let Some(longest) = node.texts.longest.filter(|longest| length > *longest) {
        out.add("string_lte", at, format!("String length must be less than or equal to {longest}"));
    }
    if let Some((pattern, _)) = node.texts.pattern.as_ref().filter(|(_, regex)| !regex.is_match(text)) {
        out.add("pattern", at, format!("Does not match pattern '{pattern}'"));
    }
    out.score += 1;
}
