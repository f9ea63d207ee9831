//! The rules that the references of a rule may refer to.

use std::collections::BTreeSet;
use std::sync::Arc;

use rego_syntax::ast::{Name, Ref, Rule, Term, Value};

use super::cause::{self, DynamicRef};
use super::narrow::{self, Bindings};
use crate::rule_tree::{RuleEntry, RuleId, RuleTree};
use crate::types::is_constant;
use crate::vars::{self, VarSet};
use crate::visit::{self, Node};

/// A rule that a reference may refer to.
pub(super) struct Dependency {
    pub(super) rule: RuleId,
    pub(super) branches: usize,
    /// The reference, if it selects the rule only where its variables have the right values.
    pub(super) condition: Option<Arc<DynamicRef>>,
}

/// The dependencies of a rule, without its `else`.
pub(super) fn of_rule(rule: &Rule, tree: &RuleTree) -> Vec<Dependency> {
    let mut finder = Finder { rule, tree, bindings: None, found: Vec::new() };
    for (at, expr) in rule.body.iter().enumerate() {
        finder.node(Node::Expr(expr), at);
    }
    finder.node(Node::Head(&rule.head), rule.body.len());
    finder.found
}

struct Finder<'a> {
    rule: &'a Rule,
    tree: &'a RuleTree,
    bindings: Option<Bindings>,
    found: Vec<Dependency>,
}

impl<'a> Finder<'a> {
    fn node(&mut self, node: Node<'a>, at: usize) {
        let mut bound = None;
        visit::walk_terms(node, &mut |term| {
            if let Value::Ref(reference) = &term.value {
                self.reference(reference, at, &mut bound);
            }
            false
        });
    }

    fn reference(&mut self, reference: &Ref, at: usize, bound: &mut Option<VarSet>) {
        if reference.steps().iter().all(|step| is_constant(&step.value)) {
            for entry in self.tree.rules_dynamic(reference, true) {
                self.found.push(Dependency { rule: entry.id, branches: entry.branches, condition: None });
            }
            return;
        }
        if reference.head_var().is_none_or(|head| head != "data") {
            return;
        }
        let bindings = self.bindings.get_or_insert_with(|| Bindings::of(&self.rule.body));
        let expanded = narrow::expand(reference, bindings, at);
        let selecting = match expanded.as_slice() {
            [only] => only.clone(),
            _ => reference.clone(),
        };
        let bound = bound.get_or_insert_with(|| vars_before(self.rule, at));
        let entries: Vec<&RuleEntry> =
            expanded.iter().flat_map(|reference| self.tree.rules_dynamic(reference, true)).collect();
        let mut condition = None;
        for entry in entries {
            let mut dependency = Dependency { rule: entry.id, branches: entry.branches, condition: None };
            if !selects(&selecting, entry, bound) {
                let shared = condition.get_or_insert_with(|| {
                    Arc::new(DynamicRef {
                        reference: reference.clone(),
                        selecting: selecting.clone(),
                        bound: bound.clone(),
                        origins: cause::origins(self.rule, at, &selecting),
                    })
                });
                dependency.condition = Some(shared.clone());
            }
            self.found.push(dependency);
        }
    }
}

/// The variables that may have a value before an expression: a caller can bind those of the head.
fn vars_before(rule: &Rule, at: usize) -> VarSet {
    let mut found = BTreeSet::new();
    let mut add = |name: &Name| {
        found.insert(name.clone());
    };
    visit::walk_vars(Node::Head(&rule.head), &mut |name| add(name));
    for expr in rule.body.iter().take(at) {
        visit::walk_vars(Node::Expr(expr), &mut |name| add(name));
    }
    found.extend(vars::of_terms(rule.head.reference.steps(), vars::Skip::NOTHING));
    found
}

/// Whether a reference selects a rule whatever its variables hold. A variable without value that occurs once
/// takes every value in turn.
fn selects(reference: &Ref, entry: &RuleEntry, bound: &VarSet) -> bool {
    let steps = reference.iter().zip(entry.reference.iter()).skip(1);
    steps.filter(|(_, rule_step)| is_constant(&rule_step.value)).all(|(step, rule_step)| {
        if is_constant(&step.value) { step == rule_step } else { cause::is_free(reference, step, bound) }
    })
}

/// Lets a term be looked up like the step of a reference.
pub(super) fn constant(term: &Term) -> Option<&Value> {
    is_constant(&term.value).then_some(&term.value)
}
