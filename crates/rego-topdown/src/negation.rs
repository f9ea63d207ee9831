//! The opposite of expressions, and whether it can be written without a rule of its own.

use rego_syntax::Span;
use rego_syntax::ast::{Body, Expr, ExprKind, Name, Not, Ref, Term, Value as Tree, visit};

/// The most expressions that a negation is multiplied out to.
const MOST: usize = 16;

/// What has to hold where an expression does not.
pub(crate) fn complement(expr: &Expr) -> Vec<Expr> {
    match &expr.kind {
        ExprKind::Not(not) => not.body.0.clone(),
        _ => {
            let body = Body(vec![Expr { with: Vec::new(), ..expr.clone() }]);
            let not = Not { body, explicit_body: false, span: Span::NONE };
            vec![Expr { kind: ExprKind::Not(Box::new(not)), ..expr.clone() }]
        }
    }
}

/// Whether bodies are few and simple enough for one expression of each to be denied.
pub(crate) fn can_be_inlined(safe: &[Name], bodies: &[Body]) -> bool {
    let mut size = 1_usize;
    bodies.iter().all(|body| {
        size = size.saturating_mul(body.len());
        size <= MOST && body.iter().all(|expr| !is_involved(expr) && (expr.negated || is_closed(expr, safe)))
    })
}

/// Whether an expression has no variables but those that are known outside.
fn is_closed(expr: &Expr, safe: &[Name]) -> bool {
    let operator = expr.operator().and_then(Ref::head_var);
    let mut closed = true;
    expr_vars(expr, &mut |name| {
        closed &= safe.contains(name) || crate::term::is_root(name) || Some(name) == operator;
    });
    closed
}

fn expr_vars(expr: &Expr, f: &mut dyn FnMut(&Name)) {
    use visit::Walk as _;
    expr.walk(&mut |node| {
        if let visit::Node::Term(Term { value: Tree::Var(name), .. }) = node {
            f(name);
        }
        node.is_closure()
    });
}

/// Whether the opposite of an expression means something else than the expression with a `not`.
fn is_involved(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Call(_) if expr.is_equality() => expr.operands().iter().any(is_nested),
        ExprKind::Call(_) => expr.operands().iter().any(has_reference),
        ExprKind::Every(_) => true,
        ExprKind::Not(not) => not.body.iter().any(is_involved),
        ExprKind::And(both) | ExprKind::Or(both) => both.lhs.iter().chain(both.rhs.iter()).any(is_involved),
        ExprKind::Term(term) => is_nested(term),
        ExprKind::SomeDecl(_) => false,
    }
}

/// Whether a reference or a call stands within a term.
fn is_nested(term: &Term) -> bool {
    match &term.value {
        Tree::Ref(reference) => reference.steps().iter().any(has_reference),
        _ => has_reference(term),
    }
}

fn has_reference(term: &Term) -> bool {
    let mut found = false;
    visit::walk_terms(term, &mut |term| {
        found |= matches!(term.value, Tree::Ref(_) | Tree::Call(_));
        found
    });
    found
}
