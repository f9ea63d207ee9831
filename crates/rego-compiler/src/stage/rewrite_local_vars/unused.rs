//! Variables that are declared or assigned and then not used.

use rego_syntax::Span;
use rego_syntax::ast::{Body, Expr, ExprKind, Name};

use super::scopes::{Occurrence, Scopes};
use crate::errors::compile_error;
use crate::vars::{self, Skip, VarSet};

/// An expression before it was rewritten.
pub(super) struct Original {
    pub(super) span: Span,
    /// Where it went in the rewritten body; nothing for those that are made anew.
    rewritten: Option<usize>,
    /// What it declared.
    declared: VarSet,
}

impl Original {
    pub(super) fn of(expr: &Expr, position: usize) -> Self {
        let in_place = match &expr.kind {
            ExprKind::Term(_) | ExprKind::Call(_) => true,
            ExprKind::Not(not) => !not.explicit_body,
            _ => false,
        };
        let mut declared = VarSet::new();
        if !in_place {
            vars::declared_by_expr(expr, &mut declared);
        }
        Self { span: expr.span, rewritten: in_place.then_some(position), declared }
    }
}

/// Notes the unused variables of the current scope. Nothing more is noted once something was: it would often
/// be a consequence.
pub(super) fn check(scopes: &mut Scopes, used: &VarSet, originals: &[Original], body: &Body, strict: bool) {
    if strict && scopes.unused.is_empty() {
        check_assigned(scopes, used, originals, body);
    }
    if scopes.unused.is_empty() {
        check_declared(scopes, used, originals, body);
    }
}

fn first_span(originals: &[Original]) -> Span {
    originals.first().map_or(Span::NONE, |first| first.span)
}

fn of_occurrence(scopes: &Scopes, wanted: Occurrence) -> Vec<(Name, Name)> {
    let entries = scopes.current().filter(|(_, entry)| entry.occurrence == Some(wanted));
    let mut found: Vec<(Name, Name)> =
        entries.map(|(name, entry)| (entry.renamed.clone(), name.clone())).collect();
    found.sort();
    found
}

fn check_assigned(scopes: &mut Scopes, used: &VarSet, originals: &[Original], body: &Body) {
    let used_now: VarSet = used.iter().filter_map(|name| scopes.declared(name).cloned()).collect();
    for (renamed, name) in of_occurrence(scopes, Occurrence::Assigned) {
        let is_used = name.is_wildcard()
            || scopes.count(&name) > 1
            || used.contains(&renamed)
            || used_now.contains(&renamed);
        if is_used {
            continue;
        }
        let holds = |original: &&Original| {
            let expr = original.rewritten.and_then(|at| body.get(at));
            expr.is_some_and(|expr| vars::of_expr(expr, Skip::NOTHING).contains(&renamed))
        };
        let span = originals.iter().find(holds).map_or(first_span(originals), |original| original.span);
        scopes.unused.push(compile_error(span, format!("assigned var {name} unused")));
    }
}

fn check_declared(scopes: &mut Scopes, used: &VarSet, originals: &[Original], body: &Body) {
    let declared = of_occurrence(scopes, Occurrence::Declared);
    if declared.is_empty() {
        return;
    }
    let mut mentioned = vars::of_body(body, Skip::NOTHING);
    mentioned.extend(used.iter().map(|name| scopes.declared(name).unwrap_or(name).clone()));
    for (renamed, name) in declared {
        if mentioned.contains(&renamed) || used.contains(&renamed) || vars::is_generated(&name) {
            continue;
        }
        let declares = |original: &&Original| original.declared.contains(&name);
        let span = originals.iter().find(declares).map_or(first_span(originals), |original| original.span);
        scopes.unused.push(compile_error(span, format!("declared var {name} unused")));
    }
}
