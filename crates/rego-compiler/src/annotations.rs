//! The METADATA of a program by what it applies to.

use std::collections::BTreeMap;

use rego_syntax::ast::{AnnotationTarget, Annotations, Module, Name, Number, Ref, Term, Value};
use rego_syntax::{Diagnostic, Span};
use serde_json::Value as Json;

use crate::errors::type_error;
use crate::rule_tree::RuleId;

/// Names a METADATA block: its module, and its index there.
type BlockId = (usize, usize);

/// Which METADATA applies to what.
#[derive(Clone, Debug, Default)]
pub(crate) struct AnnotationSet {
    by_rule: BTreeMap<(usize, usize), Vec<BlockId>>,
    by_package: BTreeMap<Ref, BlockId>,
    /// Blocks of the scopes `document` and `subpackages`, which share one tree.
    by_path: BTreeMap<Ref, BlockId>,
}

/// A link of the chain of METADATA that leads to a rule.
struct Link<'a> {
    path: Ref,
    block: Option<&'a Annotations>,
}

impl AnnotationSet {
    /// Collects the blocks of all modules; two for one package or document are an error. `place` writes where a
    /// span is.
    pub(crate) fn build(modules: &[Module], place: &dyn Fn(Span) -> String) -> (Self, Vec<Diagnostic>) {
        let mut set = Self::default();
        let mut errors = Vec::new();
        for (index, module) in modules.iter().enumerate() {
            for (position, block) in module.annotations.iter().enumerate() {
                if let Some(known) = set.add((index, position), block, module) {
                    let earlier = find(modules, known).map_or(Span::NONE, |block| block.span);
                    let message = format!("{} annotation redeclared: {}", block.scope, place(earlier));
                    errors.push(type_error(block.span, message));
                }
            }
        }
        (set, errors)
    }

    /// Gives the block that is already there, if there is one.
    fn add(&mut self, id: BlockId, block: &Annotations, module: &Module) -> Option<BlockId> {
        let insert = |map: &mut BTreeMap<Ref, BlockId>, path: Ref| match map.get(&path) {
            Some(known) => Some(*known),
            None => {
                map.insert(path, id);
                None
            }
        };
        match (block.scope.as_str(), block.target) {
            ("rule", AnnotationTarget::Rule(rule)) => {
                self.by_rule.entry((id.0, rule)).or_default().push(id);
                None
            }
            ("document", AnnotationTarget::Rule(rule)) => {
                let path = module.rules.get(rule)?.full_ref(&module.package).ground_prefix();
                insert(&mut self.by_path, path)
            }
            ("package", AnnotationTarget::Package) => {
                insert(&mut self.by_package, module.package.path.clone())
            }
            ("subpackages", AnnotationTarget::Package) => {
                insert(&mut self.by_path, module.package.path.clone())
            }
            _ => None,
        }
    }

    fn of_rule<'a>(&self, modules: &'a [Module], id: RuleId) -> Vec<&'a Annotations> {
        let own = self.by_rule.get(&(id.module, id.rule)).filter(|_| id.branch == 0);
        own.into_iter().flatten().filter_map(|id| find(modules, *id)).collect()
    }

    /// The blocks of packages above a path, outermost first.
    fn above<'a>(&self, modules: &'a [Module], path: &Ref) -> Vec<(Ref, &'a Annotations)> {
        let prefixes =
            (1..=path.len()).filter_map(|length| path.get(..length)).map(|steps| Ref(steps.to_vec()));
        let known = prefixes.filter_map(|prefix| {
            let block = find(modules, *self.by_path.get(&prefix)?)?;
            Some((prefix, block))
        });
        known.collect()
    }

    /// All blocks that apply to a rule, from the outermost to its own: the order in which schemas count.
    pub(crate) fn applying<'a>(&self, modules: &'a [Module], id: RuleId, path: &Ref) -> Vec<&'a Annotations> {
        let Some(module) = modules.get(id.module) else { return Vec::new() };
        let package = &module.package.path;
        let mut found: Vec<&Annotations> =
            self.above(modules, package).into_iter().map(|(_, block)| block).collect();
        found.extend(self.by_package.get(package).and_then(|id| find(modules, *id)));
        found.extend(self.by_path.get(&path.ground_prefix()).and_then(|id| find(modules, *id)));
        found.extend(self.of_rule(modules, id));
        found
    }

    /// Whether no module has METADATA.
    pub(crate) fn is_empty(&self) -> bool {
        self.by_rule.is_empty() && self.by_package.is_empty() && self.by_path.is_empty()
    }

    /// What `rego.metadata.rule()` is: the block closest to the beginning of the file.
    pub(crate) fn rule_metadata(&self, modules: &[Module], id: RuleId) -> Value {
        let first = self.of_rule(modules, id).into_iter().min_by_key(|block| block.span.start);
        first.map_or_else(|| Value::object([]), value_of)
    }

    /// What `rego.metadata.chain()` is: one entry for each block, from the rule's own outwards. The rule has an
    /// entry even if it has no METADATA.
    pub(crate) fn chain(&self, modules: &[Module], id: RuleId, path: &Ref) -> Value {
        let Some(module) = modules.get(id.module) else { return Value::Array(Vec::new()) };
        let (path, package) = (path.ground_prefix(), &module.package.path);
        let mut own = self.of_rule(modules, id);
        own.sort_by_key(|block| std::cmp::Reverse(block.span.start));
        let mut links: Vec<Link<'_>> =
            own.into_iter().map(|block| Link { path: path.clone(), block: Some(block) }).collect();
        if links.is_empty() {
            links.push(Link { path: path.clone(), block: None });
        }
        let document = self.by_path.get(&path).and_then(|id| find(modules, *id));
        links.extend(document.map(|block| Link { path: path.clone(), block: Some(block) }));
        let own_package = self.by_package.get(package).and_then(|id| find(modules, *id));
        links.extend(own_package.map(|block| Link { path: package.clone(), block: Some(block) }));
        let above = self.above(modules, package).into_iter().rev();
        links.extend(above.map(|(path, block)| Link { path, block: Some(block) }));
        Value::Array(links.iter().map(|link| term(value_of_link(link))).collect())
    }
}

fn find(modules: &[Module], id: BlockId) -> Option<&Annotations> {
    modules.get(id.0)?.annotations.get(id.1)
}

fn value_of_link(link: &Link<'_>) -> Value {
    let mut entries = vec![("path", path_of(link.path.steps()))];
    entries.extend(link.block.map(|block| ("annotations", value_of(block))));
    object(entries)
}

/// A block as policies see it; what is not written is left out.
fn value_of(block: &Annotations) -> Value {
    let text = |text: &str| (!text.is_empty()).then(|| string(text));
    let list =
        |items: Vec<Value>| (!items.is_empty()).then(|| Value::Array(items.into_iter().map(term).collect()));
    let json = |map: &BTreeMap<String, Json>| {
        (!map.is_empty()).then(|| Value::object(map.iter().map(|(k, v)| (term(string(k)), term(of_json(v))))))
    };
    let resources = block.related_resources.iter().map(|resource| {
        let fields = [("ref", text(&resource.reference)), ("description", text(&resource.description))];
        object(present(fields))
    });
    let authors = block
        .authors
        .iter()
        .map(|author| object(present([("name", text(&author.name)), ("email", text(&author.email))])));
    let schemas = block.schemas.iter().map(|schema| {
        object(present([
            ("path", (!schema.path.is_empty()).then(|| path_of(&schema.path))),
            ("schema", schema.schema.as_ref().map(|path| path_of(path))),
            ("definition", schema.definition.as_ref().map(of_json)),
        ]))
    });
    object(present([
        ("scope", text(&block.scope)),
        ("title", text(&block.title)),
        ("entrypoint", block.entrypoint.then_some(Value::Bool(true))),
        ("description", text(&block.description)),
        ("organizations", list(block.organizations.iter().map(|name| string(name)).collect())),
        ("related_resources", list(resources.collect())),
        ("authors", list(authors.collect())),
        ("schemas", list(schemas.collect())),
        ("custom", json(&block.custom)),
        ("labels", json(&block.labels)),
    ]))
}

fn present<const N: usize>(fields: [(&'static str, Option<Value>); N]) -> Vec<(&'static str, Value)> {
    fields.into_iter().filter_map(|(name, value)| value.map(|value| (name, value))).collect()
}

fn object(fields: Vec<(&str, Value)>) -> Value {
    Value::object(fields.into_iter().map(|(name, value)| (term(string(name)), term(value))))
}

fn term(value: Value) -> Term {
    Term::new(value, Span::NONE)
}

fn string(text: &str) -> Value {
    Value::String(Name::new(text))
}

/// A path as an array of strings.
fn path_of(steps: &[Term]) -> Value {
    let shown = |step: &Term| match &step.value {
        Value::String(text) => Value::String(text.clone()),
        value => string(&value.to_string()),
    };
    Value::Array(steps.iter().map(|step| term(shown(step))).collect())
}

fn of_json(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(b) => Value::Bool(*b),
        Json::Number(number) => Value::Number(Number::new(&number.to_string())),
        Json::String(text) => string(text),
        Json::Array(items) => Value::Array(items.iter().map(|item| term(of_json(item))).collect()),
        Json::Object(fields) => {
            Value::object(fields.iter().map(|(name, value)| (term(string(name)), term(of_json(value)))))
        }
    }
}
