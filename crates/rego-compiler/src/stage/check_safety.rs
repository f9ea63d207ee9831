//! Every variable has a value when it is read. The bodies are put in an order in which that is so.

use std::collections::BTreeSet;

use rego_syntax::ast::{Module, Name, Rule, Term, Value};
use rego_syntax::{SourceMap, Span};

use super::rewrite_local_vars::head_may_have_vars;
use crate::declarations::Declarations;
use crate::errors::unsafe_error;
use crate::safety;
use crate::stages::Compilation;
use crate::text;
use crate::vars::{self, Collector, Skip};
use crate::visit::{self, Node};

/// What heads use has to be bound by their bodies.
pub(crate) fn check_safety_rule_heads(c: &mut Compilation<'_>) {
    for module in &c.modules {
        let mut scopes = Scopes::new(module, c.sources);
        for rule in module.rules.iter().flat_map(visit::chain) {
            if !head_may_have_vars(&rule.head) {
                continue;
            }
            let mut bound = Collector::new(Skip::SAFETY);
            bound.body(&rule.body);
            bound.vars.extend(vars::of_terms(&rule.head.args, Skip::NOTHING));
            let mut reported = BTreeSet::new();
            for (name, span) in head_vars(rule) {
                let shown = c.rewritten.get(&name).cloned().unwrap_or_else(|| name.clone());
                if bound.vars.contains(&name) || vars::is_generated(&shown) || !reported.insert(name) {
                    continue;
                }
                let scope = scopes.of(rule);
                c.errors.fatal(unsafe_error(span, format!("var {} is unsafe{scope}", text::of_var(&shown))));
            }
        }
    }
}

/// The variables of a head, each with its last place, as OPA keeps them.
fn head_vars(rule: &Rule) -> Vec<(Name, Span)> {
    let head = &rule.head;
    let terms = head.args.iter().chain(&head.key).chain(head.value.as_ref());
    let mut found: Vec<(Name, Span)> = Vec::new();
    for term in terms.chain(head.reference.steps()) {
        visit::walk_terms(Node::Term(term), &mut |term: &Term| {
            if let Value::Var(name) = &term.value {
                match found.iter_mut().find(|(known, _)| known == name) {
                    Some(known) => known.1 = term.span,
                    None => found.push((name.clone(), term.span)),
                }
            }
            false
        });
    }
    found
}

/// Orders the bodies of all rules.
pub(crate) fn check_safety_rule_bodies(c: &mut Compilation<'_>) {
    let declarations = Declarations { options: c.options, tree: &c.rule_tree };
    for module in &mut c.modules {
        let shared = Scopes::new(module, c.sources).rows();
        for rule in &mut module.rules {
            visit::chain_mut(rule, &mut |rule| {
                let mut safe = vars::of_terms(&rule.head.args, Skip::NOTHING);
                safe.extend(vars::root_documents());
                let found = safety::reorder(&mut rule.body, declarations, &safe);
                if !found.is_empty() {
                    let scope = scope_of(rule, c.sources, &shared);
                    c.errors.all_fatal(safety::report(&found, &c.rewritten, &scope));
                }
            });
        }
    }
}

/// The rows that hold rules of more than one name: there the row alone does not say which rule is meant.
struct Scopes<'a> {
    module: &'a Module,
    sources: &'a SourceMap,
    rows: Option<BTreeSet<u32>>,
}

impl<'a> Scopes<'a> {
    fn new(module: &'a Module, sources: &'a SourceMap) -> Self {
        Self { module, sources, rows: None }
    }

    fn of(&mut self, rule: &Rule) -> String {
        let (module, sources) = (self.module, self.sources);
        let rows = self.rows.get_or_insert_with(|| shared_rows(module, sources));
        scope_of(rule, sources, rows)
    }

    fn rows(self) -> BTreeSet<u32> {
        shared_rows(self.module, self.sources)
    }
}

fn row(span: Span, sources: &SourceMap) -> Option<u32> {
    sources.locate(span).map(|(_, position)| position.row)
}

fn scope_of(rule: &Rule, sources: &SourceMap, shared: &BTreeSet<u32>) -> String {
    match row(rule.span, sources) {
        Some(row) if shared.contains(&row) => {
            format!(" in rule {}", text::of_ref(&rule.head.reference.ground_prefix()))
        }
        _ => String::new(),
    }
}

fn shared_rows(module: &Module, sources: &SourceMap) -> BTreeSet<u32> {
    let mut first = std::collections::HashMap::new();
    let mut shared = BTreeSet::new();
    for rule in module.rules.iter().flat_map(visit::chain) {
        let Some(row) = row(rule.span, sources) else { continue };
        let name = rule.head.reference.ground_prefix();
        if *first.entry(row).or_insert_with(|| name.clone()) != name {
            shared.insert(row);
        }
    }
    shared
}
