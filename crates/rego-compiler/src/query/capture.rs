//! Expressions of a query that give their value: `x > 1` becomes `x > 1 = __capture0__`, which holds where it is false.

use std::collections::BTreeSet;

use rego_syntax::ast::{Body, Expr, ExprKind, Name, Ref, Term, Value};

use crate::program::CheckedProgram;
use crate::visit::{self, Node};

/// Rewrites the expressions that have a value; gives the variables that hold them.
///
/// Where there may be several answers, those in which an expression is false are no answers; the variable then stands
/// behind the others as an expression of its own.
pub(crate) fn capture_values(query: &mut Body, program: &CheckedProgram) -> BTreeSet<Name> {
    let filters = query.len() > 1 || iterates(query);
    let mut captures = BTreeSet::new();
    let mut behind = Vec::new();
    for expr in query.iter_mut() {
        if expr.negated || expr.is_assignment() || expr.is_equality() {
            continue;
        }
        let span = expr.span;
        let name = Name::from(format!("__capture{}__", captures.len()));
        let var = Term::var(name.clone(), span);
        match &mut expr.kind {
            ExprKind::Term(term) => {
                let term = std::mem::replace(term, Term::null(span));
                expr.kind = Expr::call("eq", vec![term, var.clone()], span).kind;
            }
            ExprKind::Call(terms) if gives_value(terms, program) => terms.push(var.clone()),
            _ => continue,
        }
        captures.insert(name);
        if filters {
            behind.push(Expr::new(ExprKind::Term(var), span).generated());
        }
    }
    query.extend(behind);
    captures
}

/// Whether the call has a value, and it is not captured yet.
fn gives_value(terms: &[Term], program: &CheckedProgram) -> bool {
    let Some((operator, args)) = terms.split_first() else { return false };
    let Some(reference) = operator.as_ref_value() else { return false };
    match program.options.builtin(reference) {
        Some(builtin) => builtin.result.is_some() && builtin.args.len() == args.len(),
        None => program.rule_tree.rules_at(reference).first().is_some_and(|rule| rule.arity == args.len()),
    }
}

/// Whether the query may have several answers.
fn iterates(query: &Body) -> bool {
    let varies = |reference: &Ref| {
        reference.is_dotted("walk") || reference.steps().iter().any(|step| step.as_var().is_some())
    };
    let mut found = false;
    visit::walk_terms(Node::Body(query), &mut |term| {
        if let Value::Ref(reference) = &term.value {
            found |= varies(reference);
        }
        visit::is_comprehension(&term.value)
    });
    found
}
