//! Calls nested in terms become expressions of their own: `x = f(g(y))` becomes `g(y, __local0__);
//! f(__local0__, __local1__); x = __local1__`. References that begin with anything but a variable get one.

use rego_syntax::ast::{Body, Expr, ExprKind, Ref, Term, Value};

use crate::locals::{self, Locals};
use crate::stages::Compilation;
use crate::visit;

/// Rewrites all rules.
pub(crate) fn rewrite_expr_terms(c: &mut Compilation<'_>) {
    for rule in c.modules.iter_mut().flat_map(|module| &mut module.rules) {
        visit::chain_mut(rule, &mut |rule| {
            let head = &mut rule.head;
            let terms = head.args.iter_mut().chain(&mut head.key).chain(head.value.as_mut());
            for term in terms {
                let support = expand(&mut c.locals, term);
                locals::append(&mut rule.body, support);
            }
            expand_body(&mut c.locals, &mut rule.body);
        });
    }
}

/// Rewrites a body.
pub(crate) fn expand_body(locals: &mut Locals, body: &mut Body) {
    let mut expanded = Vec::with_capacity(body.len());
    for expr in std::mem::take(&mut body.0) {
        expand_expr(locals, expr, &mut expanded);
    }
    body.0 = expanded;
}

fn expand_expr(locals: &mut Locals, mut expr: Expr, out: &mut Vec<Expr>) {
    for with in &mut expr.with {
        let support = expand(locals, &mut with.value);
        out.extend(support);
    }
    let mut support = Vec::new();
    match &mut expr.kind {
        ExprKind::Term(term) => support = expand(locals, term),
        ExprKind::Call(terms) => {
            for term in terms.iter_mut().skip(1) {
                support.extend(expand(locals, term));
            }
        }
        ExprKind::Every(every) => {
            let taken = locals.take_out(&mut every.domain);
            expand_body(locals, &mut every.body);
            // The domain's own expressions carry the modifiers too.
            let mut domain = Vec::new();
            expand_expr(locals, taken, &mut domain);
            support = domain;
        }
        ExprKind::Not(not) => expand_body(locals, &mut not.body),
        ExprKind::And(both) | ExprKind::Or(both) => {
            expand_body(locals, &mut both.lhs);
            expand_body(locals, &mut both.rhs);
        }
        ExprKind::SomeDecl(_) => {}
    }
    for mut extra in support {
        extra.with.clone_from(&expr.with);
        out.push(extra);
    }
    out.push(expr);
}

/// Takes the calls out of a term, innermost first; gives the expressions that have to come before it.
fn expand(locals: &mut Locals, term: &mut Term) -> Vec<Expr> {
    let mut support = Vec::new();
    expand_into(locals, term, &mut support);
    support
}

fn expand_into(locals: &mut Locals, term: &mut Term, support: &mut Vec<Expr>) {
    let span = term.span;
    match &mut term.value {
        Value::Call(terms) => {
            terms.iter_mut().skip(1).for_each(|arg| expand_into(locals, arg, support));
            let output = locals.fresh_term(span);
            let mut terms = std::mem::take(terms);
            terms.push(output.clone());
            *term = output;
            support.push(Expr::new(ExprKind::Call(terms), span).generated());
        }
        Value::Ref(reference) => expand_ref(locals, reference, support),
        Value::Array(items) => items.iter_mut().for_each(|item| expand_into(locals, item, support)),
        Value::Set(items) => {
            items.iter_mut().for_each(|item| expand_into(locals, item, support));
            term.value.normalize();
        }
        Value::Object(entries) => {
            for (key, value) in entries {
                expand_into(locals, key, support);
                expand_into(locals, value, support);
            }
            term.value.normalize();
        }
        Value::ArrayComp(comp) => expand_comprehension(locals, &mut [&mut comp.term], &mut comp.body),
        Value::SetComp(comp) => expand_comprehension(locals, &mut [&mut comp.term], &mut comp.body),
        Value::ObjectComp(comp) => {
            expand_comprehension(locals, &mut [&mut comp.key, &mut comp.value], &mut comp.body);
        }
        _ => {}
    }
}

fn expand_comprehension(locals: &mut Locals, heads: &mut [&mut Term], body: &mut Body) {
    for head in heads {
        let support = expand(locals, head);
        locals::append(body, support);
    }
    expand_body(locals, body);
}

fn expand_ref(locals: &mut Locals, reference: &mut Ref, support: &mut Vec<Expr>) {
    for step in reference.iter_mut() {
        let call = matches!(step.value, Value::Call(_)).then(|| step.value.clone());
        expand_into(locals, step, support);
        if let (Some(call), Value::Var(name)) = (call, &step.value) {
            locals.stands_for(name, call);
        }
    }
    let Some(head) = reference.first_mut() else { return };
    if matches!(head.value, Value::Array(_) | Value::Object(_) | Value::Set(_))
        || visit::is_comprehension(&head.value)
    {
        let subject = head.value.clone();
        support.push(locals.take_out(head));
        if let Value::Var(name) = &head.value {
            locals.stands_for(name, subject);
        }
    }
}
