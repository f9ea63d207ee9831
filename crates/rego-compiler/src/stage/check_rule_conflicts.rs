//! Rules that can not define one document together.

use rego_syntax::ast::{Ref, RuleKind, Term, Value};
use rego_syntax::{Diagnostic, Span};

use crate::errors::{compile_error, type_error};
use crate::rule_tree::{RuleEntry, RuleNode, RuleTree};
use crate::stages::Compilation;
use crate::text;

/// Checks the rules of every path, and packages against rules.
pub(crate) fn check_rule_conflicts(c: &mut Compilation<'_>) {
    let mut found = Vec::new();
    c.rule_tree.depth_first(c.rule_tree.root(), &mut |_, node| {
        if !node.rules.is_empty() {
            found.extend(conflict(c, node));
        }
        false
    });
    found.extend(package_conflicts(c));
    if let Some(documents) = &c.options.documents {
        found.extend(document_conflicts(c, documents));
    }
    c.errors.all_fatal(found);
}

fn conflict(c: &Compilation<'_>, node: &RuleNode) -> Option<Diagnostic> {
    let first = node.rules.first()?;
    let name = text::of_ref(&node.rules.last()?.reference);
    let span = span_of(c, first);
    let mut below = Vec::new();
    if node.rules.iter().any(|rule| rule.reference.is_ground()) {
        below = rules_below(&c.rule_tree, node, |_| true);
    }
    if below.is_empty() && node.rules.iter().any(|rule| !rule.reference.is_ground()) {
        // A function can not be reached through a step that varies.
        below = rules_below(&c.rule_tree, node, |rule| rule.arity > 0);
    }
    if !below.is_empty() {
        let lines: Vec<String> = below
            .iter()
            .map(|rule| format!("  rule {} at {}", text::of_ref(&rule.reference), c.place(span_of(c, rule))))
            .collect();
        return Some(type_error(span, format!("rule {name} conflicts with:\n{}", lines.join("\n"))));
    }
    if is_mixed(&node.rules) {
        return Some(type_error(span, format!("conflicting rules {name} found")));
    }
    let defaults: Vec<&RuleEntry> = node.rules.iter().filter(|rule| rule.default).collect();
    if defaults.len() > 1 {
        let places: Vec<String> = defaults.iter().map(|rule| c.place(span_of(c, rule))).collect();
        let package = defaults.first().and_then(|rule| c.modules.get(rule.id.module));
        let span = package.map_or(span, |module| module.package.span);
        return Some(type_error(
            span,
            format!("multiple default rules {name} found at {}", places.join(", ")),
        ));
    }
    None
}

/// Whether the rules differ in what they make of their path.
fn is_mixed(rules: &[RuleEntry]) -> bool {
    let both = |holds: &dyn Fn(&RuleEntry) -> bool| rules.iter().any(holds) && !rules.iter().all(holds);
    let is_set = |rule: &RuleEntry| rule.kind == RuleKind::MultiValue;
    let is_complete = |rule: &RuleEntry| !is_set(rule) && rule.reference.is_ground();
    let sets = rules.iter().filter(|rule| is_set(rule));
    let (ground, varying): (Vec<_>, Vec<_>) = sets.partition(|rule| rule.reference.is_ground());
    both(&is_set)
        || both(&is_complete)
        || (!ground.is_empty() && !varying.is_empty())
        || rules.iter().any(|rule| rules.first().is_some_and(|first| first.arity != rule.arity))
}

/// The rules below a node, without those whose reference begins with another's.
fn rules_below<'a>(
    tree: &'a RuleTree,
    node: &RuleNode,
    wanted: impl Fn(&RuleEntry) -> bool,
) -> Vec<&'a RuleEntry> {
    let mut all: Vec<&RuleEntry> = Vec::new();
    let mut pending: Vec<_> = node.children.values().copied().collect();
    while let Some(id) = pending.pop() {
        let Some(node) = tree.node(id) else { continue };
        all.extend(node.rules.iter().filter(|rule| wanted(rule)));
        pending.extend(node.children.values());
    }
    // Behind its shortest beginning in this order stands everything that begins with it.
    all.sort_by(|a, b| a.reference.cmp(&b.reference).then_with(|| a.id.cmp(&b.id)));
    let mut kept: Vec<&RuleEntry> = Vec::new();
    for rule in all {
        if kept.last().is_none_or(|last| !rule.reference.has_prefix(&last.reference)) {
            kept.push(rule);
        }
    }
    kept
}

fn package_conflicts(c: &Compilation<'_>) -> Vec<Diagnostic> {
    let mut packages: std::collections::BTreeMap<&Ref, Vec<usize>> = std::collections::BTreeMap::new();
    for (index, module) in c.modules.iter().enumerate() {
        packages.entry(&module.package.path).or_default().push(index);
    }
    let mut found = Vec::new();
    for (index, module) in c.modules.iter().enumerate() {
        for rule in module.rules.iter().filter(|rule| rule.head.reference.is_ground()) {
            let path = rule.full_ref(&module.package);
            for other in packages.get(&path).into_iter().flatten().filter(|other| **other != index) {
                let Some(other) = c.modules.get(*other) else { continue };
                let package = text::of_package(&other.package);
                let name = text::of_ref(&rule.head.reference);
                let message =
                    format!("{package} conflicts with rule {name} defined at {}", c.place(rule.span));
                found.push(type_error(module.package.span, message));
            }
        }
    }
    found
}

/// Rules that define what is a document already.
fn document_conflicts(c: &Compilation<'_>, documents: &rego_value::Value) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let data = [Term::var("data", Span::NONE)];
    let mut pending: Vec<_> =
        c.rule_tree.find(&data).map(|id| (id, Vec::<String>::new())).into_iter().collect();
    while let Some((id, path)) = pending.pop() {
        let Some(node) = c.rule_tree.node(id) else { continue };
        if let Some(first) = node.rules.first()
            && is_document(documents, &path)
        {
            let message = format!("conflicting rule for data path {} found", path.join("/"));
            found.push(compile_error(span_of(c, first), message));
        }
        for (step, child) in &node.children {
            if let Value::String(step) = step {
                let mut path = path.clone();
                path.push(step.to_string());
                pending.push((*child, path));
            }
        }
    }
    found
}

/// Whether the path leads to a document, or through one that is no object.
fn is_document(documents: &rego_value::Value, path: &[String]) -> bool {
    let mut at = documents;
    for step in path {
        match (at, at.get_str(step)) {
            (rego_value::Value::Object(_), Some(next)) => at = next,
            (rego_value::Value::Object(_), None) => return false,
            _ => return true,
        }
    }
    true
}

fn span_of(c: &Compilation<'_>, entry: &RuleEntry) -> Span {
    c.rule(entry.id).map_or(Span::NONE, |rule| rule.span)
}
