//! Which variables a tree mentions, with OPA's filters.

use std::collections::BTreeSet;

use super::{DESCEND, Node, SKIP, Walk};
use crate::ast::{ExprKind, Name, Term, Value, With};

/// What to leave out when variables are collected. Everything is off by default.
#[derive(Debug, Clone, Copy, Default)]
pub struct VarFilter {
    /// Leave out the heads of references.
    pub skip_ref_head: bool,
    /// Leave out the heads of references that are called, replaced by `with`, or replace.
    pub skip_ref_call_head: bool,
    /// Leave out the keys of objects.
    pub skip_object_keys: bool,
    /// Leave out comprehensions, template strings, `not { }`, `and`, `or`, and all of `every` but its domain.
    pub skip_closures: bool,
    /// Leave out what `with` replaces.
    pub skip_with_target: bool,
    /// Leave out sets.
    pub skip_sets: bool,
    /// Leave out template strings.
    pub skip_template_strings: bool,
    /// Leave out wildcards.
    pub skip_wildcards: bool,
}

/// The variables of a tree.
#[must_use]
pub fn vars(node: &(impl Walk + ?Sized), filter: VarFilter) -> BTreeSet<Name> {
    let mut found = BTreeSet::new();
    collect(node, filter, &mut found);
    found
}

fn collect(node: &(impl Walk + ?Sized), filter: VarFilter, found: &mut BTreeSet<Name>) {
    node.walk(&mut |node| visit(node, filter, found));
}

fn visit(node: Node<'_>, filter: VarFilter, found: &mut BTreeSet<Name>) -> bool {
    match node {
        Node::Term(term) => visit_term(term, filter, found),
        Node::Ref(r) if filter.skip_ref_head => {
            collect(r.steps(), filter, found);
            SKIP
        }
        Node::Expr(expr) => match &expr.kind {
            ExprKind::Every(every) if filter.skip_closures => {
                collect(&every.domain, filter, found);
                SKIP
            }
            ExprKind::Call(terms) if filter.skip_ref_call_head => {
                visit_call(terms, filter, found);
                for with in &expr.with {
                    collect(with, filter, found);
                }
                SKIP
            }
            _ => DESCEND,
        },
        Node::Not(_) | Node::Logical(_) if filter.skip_closures => SKIP,
        Node::With(with) => visit_with(with, filter, found),
        _ => DESCEND,
    }
}

fn visit_term(term: &Term, filter: VarFilter, found: &mut BTreeSet<Name>) -> bool {
    match &term.value {
        Value::Var(name) => {
            if !(filter.skip_wildcards && name.is_wildcard()) {
                found.insert(name.clone());
            }
            SKIP
        }
        Value::Object(entries) if filter.skip_object_keys => {
            for (_, value) in entries {
                collect(value, filter, found);
            }
            SKIP
        }
        Value::Set(_) if filter.skip_sets => SKIP,
        Value::ArrayComp(_) | Value::ObjectComp(_) | Value::SetComp(_) if filter.skip_closures => SKIP,
        Value::TemplateString(_) if filter.skip_closures || filter.skip_template_strings => SKIP,
        Value::Call(terms) if filter.skip_ref_call_head => {
            visit_call(terms, filter, found);
            SKIP
        }
        _ => DESCEND,
    }
}

fn visit_call(terms: &[Term], filter: VarFilter, found: &mut BTreeSet<Name>) {
    let Some((operator, args)) = terms.split_first() else { return };
    if let Some(r) = operator.as_ref_value() {
        collect(r.steps(), filter, found);
    }
    collect(args, filter, found);
}

fn visit_with(with: &With, filter: VarFilter, found: &mut BTreeSet<Name>) -> bool {
    if filter.skip_with_target {
        collect(&with.value, filter, found);
        return SKIP;
    }
    if !filter.skip_ref_call_head {
        return DESCEND;
    }
    if let Some(r) = with.target.as_ref_value() {
        collect(r.steps(), filter, found);
    }
    match with.value.as_ref_value() {
        Some(r) => collect(r.steps(), filter, found),
        None => collect(&with.value, filter, found),
    }
    SKIP
}
