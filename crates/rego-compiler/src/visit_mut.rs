//! Walks that change the tree. Sets and objects are put in order again after their members were changed.

use rego_syntax::ast::{Body, Expr, ExprKind, Head, TemplatePart, Term, Value};

/// What a rewriting walk does with the nodes it comes to; each method goes on below by default.
pub(crate) trait Rewrite {
    fn body(&mut self, body: &mut Body) {
        each_expr(self, body);
    }

    fn expr(&mut self, expr: &mut Expr) {
        each_part(self, expr);
    }

    fn term(&mut self, term: &mut Term) {
        each_subterm(self, term);
    }
}

/// The expressions of a body.
pub(crate) fn each_expr<R: Rewrite + ?Sized>(rewrite: &mut R, body: &mut Body) {
    body.iter_mut().for_each(|expr| rewrite.expr(expr));
}

/// The terms and bodies of an expression, then its modifiers.
pub(crate) fn each_part<R: Rewrite + ?Sized>(rewrite: &mut R, expr: &mut Expr) {
    each_part_but_with(rewrite, expr);
    for with in &mut expr.with {
        rewrite.term(&mut with.target);
        rewrite.term(&mut with.value);
    }
}

/// The terms and bodies of an expression, without its modifiers.
pub(crate) fn each_part_but_with<R: Rewrite + ?Sized>(rewrite: &mut R, expr: &mut Expr) {
    match &mut expr.kind {
        ExprKind::Term(term) => rewrite.term(term),
        ExprKind::Call(terms) => terms.iter_mut().for_each(|term| rewrite.term(term)),
        ExprKind::SomeDecl(decl) => decl.symbols.iter_mut().for_each(|term| rewrite.term(term)),
        ExprKind::Every(every) => {
            every.key.iter_mut().for_each(|key| rewrite.term(key));
            rewrite.term(&mut every.value);
            rewrite.term(&mut every.domain);
            rewrite.body(&mut every.body);
        }
        ExprKind::Not(not) => rewrite.body(&mut not.body),
        ExprKind::And(both) | ExprKind::Or(both) => {
            rewrite.body(&mut both.lhs);
            rewrite.body(&mut both.rhs);
        }
    }
}

/// The parts of a term.
pub(crate) fn each_subterm<R: Rewrite + ?Sized>(rewrite: &mut R, term: &mut Term) {
    match &mut term.value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Var(_) => {}
        Value::Ref(reference) => reference.iter_mut().for_each(|term| rewrite.term(term)),
        Value::Array(terms) | Value::Call(terms) => terms.iter_mut().for_each(|term| rewrite.term(term)),
        Value::Set(terms) => {
            terms.iter_mut().for_each(|term| rewrite.term(term));
            term.value.normalize();
        }
        Value::Object(entries) => {
            for (key, value) in entries {
                rewrite.term(key);
                rewrite.term(value);
            }
            term.value.normalize();
        }
        Value::ArrayComp(comp) => {
            rewrite.term(&mut comp.term);
            rewrite.body(&mut comp.body);
        }
        Value::SetComp(comp) => {
            rewrite.term(&mut comp.term);
            rewrite.body(&mut comp.body);
        }
        Value::ObjectComp(comp) => {
            rewrite.term(&mut comp.key);
            rewrite.term(&mut comp.value);
            rewrite.body(&mut comp.body);
        }
        Value::TemplateString(template) => {
            for part in &mut template.parts {
                match part {
                    TemplatePart::Term(term) => rewrite.term(term),
                    TemplatePart::Expr(expr) => rewrite.expr(expr),
                }
            }
        }
    }
}

/// The terms of a head, its reference included.
pub(crate) fn each_head_term<R: Rewrite + ?Sized>(rewrite: &mut R, head: &mut Head) {
    head.reference.iter_mut().skip(1).for_each(|term| rewrite.term(term));
    head.args.iter_mut().for_each(|term| rewrite.term(term));
    head.key.iter_mut().for_each(|term| rewrite.term(term));
    head.value.iter_mut().for_each(|term| rewrite.term(term));
}
