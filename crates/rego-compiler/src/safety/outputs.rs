//! The variables that have a value once an expression was evaluated.

use rego_syntax::ast::{Body, Expr, ExprKind, Name, Term, Value};

use super::unify::{IsSafe, is_ref_safe, unify};
use crate::declarations::Declarations;
use crate::vars::{self, Collector, Skip, VarSet};
use crate::visit::{self, Node};

/// The variables that a body binds beyond those that are safe before it.
pub(crate) fn outputs_of_body(body: &[Expr], declarations: Declarations<'_>, safe: &VarSet) -> VarSet {
    let mut bound = VarSet::new();
    for expr in body {
        let outputs =
            outputs_of_expr(expr, declarations, &|name| safe.contains(name) || bound.contains(name));
        bound.extend(outputs.into_iter().filter(|name| !safe.contains(name)));
    }
    bound
}

/// The variables that an expression binds, given those that are safe.
pub(crate) fn outputs_of_expr(expr: &Expr, declarations: Declarations<'_>, safe: IsSafe<'_>) -> VarSet {
    if expr.negated || !modifiers_safe(expr, safe) {
        return VarSet::new();
    }
    match &expr.kind {
        ExprKind::Term(_) => outputs_of_refs(Node::Expr(expr), safe),
        ExprKind::Call(terms) => {
            if expr.is_equality() {
                return outputs_of_equality(expr, safe);
            }
            let operator = terms.first().and_then(Term::as_ref_value);
            match operator.and_then(|operator| declarations.arity(operator)) {
                Some(arity) => outputs_of_call(expr, terms, arity, safe),
                None => VarSet::new(),
            }
        }
        ExprKind::Every(every) => outputs_of_refs(Node::Term(&every.domain), safe),
        ExprKind::Not(_) | ExprKind::And(_) | ExprKind::Or(_) | ExprKind::SomeDecl(_) => VarSet::new(),
    }
}

fn modifiers_safe(expr: &Expr, safe: IsSafe<'_>) -> bool {
    let mut collector = Collector::new(Skip::SAFETY);
    expr.with.iter().for_each(|with| collector.with(with));
    collector.vars.iter().all(safe)
}

/// The variables that `left = right` binds.
pub(crate) fn outputs_of_equality(expr: &Expr, safe: IsSafe<'_>) -> VarSet {
    let [left, right] = expr.operands() else { return VarSet::new() };
    let mut refs = outputs_of_refs(Node::Expr(expr), safe);
    let mut assigned = VarSet::new();
    if expr.from_assignment {
        // The left side of `:=` is written to and never read: the right side must have its value without it.
        visit::walk_vars(Node::Term(left), &mut |name| {
            assigned.insert(name.clone());
        });
    }
    let known = |name: &Name| !assigned.contains(name) && (safe(name) || refs.contains(name));
    let unified = unify(&known, left, right);
    refs.retain(|name| !assigned.contains(name));
    refs.extend(unified);
    refs.retain(|name| !safe(name));
    refs
}

fn outputs_of_call(expr: &Expr, terms: &[Term], arity: usize, safe: IsSafe<'_>) -> VarSet {
    let mut outputs = outputs_of_refs(Node::Expr(expr), safe);
    let Some((inputs, results)) = terms.split_at_checked(arity + 1).filter(|(_, rest)| !rest.is_empty())
    else {
        return outputs;
    };
    let needed = vars::of_terms(inputs, Skip::OUTPUT);
    if !needed.iter().all(|name| outputs.contains(name) || safe(name)) {
        return VarSet::new();
    }
    outputs.extend(vars::of_terms(results, Skip::OUTPUT));
    outputs
}

/// The variables that references iterate over.
fn outputs_of_refs(node: Node<'_>, safe: IsSafe<'_>) -> VarSet {
    let mut outputs = VarSet::new();
    visit::walk_terms(node, &mut |term| match &term.value {
        Value::TemplateString(_) | Value::ArrayComp(_) | Value::SetComp(_) | Value::ObjectComp(_) => true,
        Value::Ref(reference) => {
            if !is_ref_safe(reference, safe) {
                return true;
            }
            if !reference.is_ground() {
                outputs.extend(vars::of_terms(reference.steps(), Skip { ref_heads: true, ..Skip::NOTHING }));
            }
            false
        }
        _ => false,
    });
    outputs
}

/// The variables of a body, as the safety check counts them: an operand of `not`, `and` or `or` that is
/// written without braces shows those of its variables that it does not bind itself.
pub(super) fn visible_vars(body: &[Expr], declarations: Declarations<'_>) -> VarSet {
    let mut promote = |kind: &ExprKind, found: &mut VarSet| promote(kind, declarations, found);
    let mut collector = Collector::promoting(Skip::SAFETY, &mut promote);
    body.iter().for_each(|expr| collector.expr(expr));
    collector.vars
}

fn promote(kind: &ExprKind, declarations: Declarations<'_>, found: &mut VarSet) -> bool {
    let mut add = |body: &Body, explicit: bool| {
        if !explicit {
            found.extend(open_vars(body, declarations));
        }
    };
    match kind {
        ExprKind::Not(not) => add(&not.body, not.explicit_body),
        ExprKind::And(both) | ExprKind::Or(both) => {
            add(&both.lhs, both.explicit_lhs);
            add(&both.rhs, both.explicit_rhs);
        }
        _ => return false,
    }
    true
}

/// The variables of an operand written without braces that have to come from outside. With one expression
/// these are all; with more (the compiler took some out) those that no expression binds, or that only one
/// mentions.
fn open_vars(body: &Body, declarations: Declarations<'_>) -> VarSet {
    let mentioned: Vec<VarSet> = body.iter().map(|expr| vars::of_expr(expr, Skip::SAFETY)).collect();
    let all: VarSet = mentioned.iter().flatten().cloned().collect();
    if body.len() == 1 {
        return all;
    }
    let bound = bound_within(body, &all, declarations);
    let once = |name: &Name| mentioned.iter().filter(|names| names.contains(name)).count() == 1;
    all.into_iter().filter(|name| !bound.contains(name) || once(name)).collect()
}

fn bound_within(body: &Body, all: &VarSet, declarations: Declarations<'_>) -> VarSet {
    let mut safe = vars::root_documents();
    safe.extend(all.iter().cloned());
    let equalities: Vec<&Expr> = body.iter().filter(|expr| expr.is_equality()).collect();
    for side in equalities.iter().flat_map(|expr| expr.operands()).filter_map(Term::as_var) {
        safe.remove(side);
    }
    let mut bound = VarSet::new();
    loop {
        let before = bound.len();
        for expr in &equalities {
            let outputs = outputs_of_equality(expr, &|name| safe.contains(name));
            safe.extend(outputs.iter().cloned());
            bound.extend(outputs);
        }
        if bound.len() == before {
            break;
        }
    }
    for expr in body.iter().filter(|expr| !expr.is_equality()) {
        let ExprKind::Call(terms) = &expr.kind else { continue };
        let arity = expr.operator().and_then(|operator| declarations.arity(operator));
        if let Some(results) = arity.and_then(|arity| terms.get(arity + 1..)) {
            bound.extend(vars::of_terms(results, Skip::OUTPUT));
        }
    }
    bound
}
