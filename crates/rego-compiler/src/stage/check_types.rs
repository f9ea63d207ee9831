//! The types of all rules.

use std::collections::BTreeSet;

use rego_syntax::Diagnostic;
use rego_syntax::ast::{Body, Module, Ref};

use crate::graph::Graph;
use crate::rule_tree::{RuleId, RuleTree};
use crate::stages::{Compilation, find_rule};
use crate::typecheck::{Checker, Names, TypeEnv};

/// Checks all rules, each behind those it refers to.
pub(crate) fn check_types(c: &mut Compilation<'_>) {
    let dependents = |reference: &Ref| dependents_of(reference, &c.modules, &c.rule_tree, &c.graph);
    let names =
        Names { subjects: &c.locals.subjects, rewritten: vec![&c.rewritten], shared: &c.shared_heads };
    let mut checker = Checker::new(&c.types, &dependents, names);
    let mut found = Vec::new();
    for id in c.graph.sorted() {
        let Some(rule) = find_rule(&c.modules, id) else { continue };
        let Some(path) = path_of(id, &c.modules) else { continue };
        let blocks = match c.annotations.is_empty() {
            true => Vec::new(),
            false => c.annotations.applying(&c.modules, id, &path),
        };
        found.extend(checker.check_rule(rule, &path, &blocks));
    }
    c.types = checker.into_types();
    crate::errors::sort(&mut found, c.sources);
    c.errors.all_recoverable(found);
}

/// Checks a query against the types of the rules.
pub(crate) fn check_query_types(
    query: &Body,
    types: &TypeEnv,
    modules: &[Module],
    tree: &RuleTree,
    graph: &Graph,
    names: Names<'_>,
) -> Vec<Diagnostic> {
    let dependents = |reference: &Ref| dependents_of(reference, modules, tree, graph);
    Checker::new(types, &dependents, names).check_query(query)
}

fn path_of(id: RuleId, modules: &[Module]) -> Option<Ref> {
    let module = modules.get(id.module)?;
    Some(find_rule(modules, id)?.full_ref(&module.package))
}

/// The rules that a reference may refer to and, in turn, those that refer to them.
fn dependents_of(reference: &Ref, modules: &[Module], tree: &RuleTree, graph: &Graph) -> Vec<Ref> {
    let mut pending: Vec<RuleId> =
        tree.rules_dynamic(reference, true).into_iter().map(|rule| rule.id).collect();
    let mut seen: BTreeSet<RuleId> = BTreeSet::new();
    let mut found = Vec::new();
    while let Some(id) = pending.pop() {
        if seen.insert(id) {
            found.extend(path_of(id, modules).map(|path| path.ground_prefix()));
            pending.extend(graph.dependents(id));
        }
    }
    found
}
