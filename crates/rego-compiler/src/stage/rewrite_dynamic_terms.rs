//! References and comprehensions in calls get variables of their own, bound just before:
//! `f(data.a)` becomes `__local0__ = data.a; f(__local0__)`.

use rego_syntax::ast::{Body, Expr, ExprKind, Term, Value, With};

use crate::locals::Locals;
use crate::stages::Compilation;
use crate::visit;

/// Rewrites all rules.
pub(crate) fn rewrite_dynamic_terms(c: &mut Compilation<'_>) {
    for rule in c.modules.iter_mut().flat_map(|module| &mut module.rules) {
        visit::chain_mut(rule, &mut |rule| hoist_body(&mut c.locals, &mut rule.body));
    }
}

/// Rewrites a body and those within it.
pub(crate) fn hoist_body(locals: &mut Locals, body: &mut Body) {
    let mut hoisted = Vec::with_capacity(body.len());
    for mut expr in std::mem::take(&mut body.0) {
        let mut hoist = Hoist { locals, with: &expr.with, before: &mut hoisted };
        match &mut expr.kind {
            ExprKind::Call(terms) if terms.len() == 3 && is_eq(terms) => {
                terms.iter_mut().skip(1).for_each(|term| hoist.keep(term));
            }
            ExprKind::Call(terms) if is_eq(terms) => {}
            ExprKind::Call(terms) => terms.iter_mut().skip(1).for_each(|term| hoist.one(term)),
            ExprKind::Term(term) => hoist.keep(term),
            ExprKind::Every(every) => {
                hoist.one(&mut every.domain);
                hoist_body(locals, &mut every.body);
            }
            ExprKind::Not(not) => hoist_body(locals, &mut not.body),
            ExprKind::And(both) | ExprKind::Or(both) => {
                hoist_body(locals, &mut both.lhs);
                hoist_body(locals, &mut both.rhs);
            }
            ExprKind::SomeDecl(_) => {}
        }
        hoisted.push(expr);
    }
    body.0 = hoisted;
}

fn is_eq(terms: &[Term]) -> bool {
    terms.first().and_then(Term::as_ref_value).is_some_and(|operator| operator.is_dotted("eq"))
}

struct Hoist<'a> {
    locals: &'a mut Locals,
    /// The modifiers of the expression: what is taken out of it is evaluated under them too.
    with: &'a [With],
    before: &'a mut Vec<Expr>,
}

impl Hoist<'_> {
    /// A side of an equality, or a term that stands alone: only what is within it is taken out.
    fn keep(&mut self, term: &mut Term) {
        match &mut term.value {
            Value::Ref(reference) => reference.iter_mut().skip(1).for_each(|step| self.one(step)),
            Value::ArrayComp(comp) => hoist_body(self.locals, &mut comp.body),
            Value::SetComp(comp) => hoist_body(self.locals, &mut comp.body),
            Value::ObjectComp(comp) => hoist_body(self.locals, &mut comp.body),
            _ => self.one(term),
        }
    }

    fn one(&mut self, term: &mut Term) {
        match &mut term.value {
            Value::Ref(reference) => {
                reference.iter_mut().skip(1).for_each(|step| self.one(step));
                self.take_out(term);
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.one(item)),
            Value::Set(items) => {
                items.iter_mut().for_each(|item| self.one(item));
                term.value.normalize();
            }
            Value::Object(entries) => {
                for (key, value) in entries {
                    self.one(key);
                    self.one(value);
                }
                term.value.normalize();
            }
            comp if visit::is_comprehension(comp) => {
                self.keep(term);
                self.take_out(term);
            }
            _ => {}
        }
    }

    fn take_out(&mut self, term: &mut Term) {
        let subject = term.value.clone();
        let mut taken = self.locals.take_out(term);
        if let Value::Var(name) = &term.value {
            self.locals.stands_for(name, subject);
        }
        taken.with = self.with.to_vec();
        self.before.push(taken);
    }
}
