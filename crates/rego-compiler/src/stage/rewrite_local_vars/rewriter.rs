//! Renames declared variables in bodies, so that no two scopes share one, and takes declarations out.

use rego_syntax::ast::{
    Body, Expr, ExprKind, Logical, Name, TemplatePart, TemplateString, Term, Value, With,
};
use rego_syntax::{Diagnostic, Span};

use super::scopes::{Occurrence, Scopes};
use super::unused::{self, Original};
use crate::errors::compile_error;
use crate::locals::Locals;
use crate::safety;
use crate::vars::{self, Collector, Skip, VarSet};
use crate::visit::{self, Node};
use crate::visit_mut::{self, Rewrite};

const IN_NEGATED: &str = "cannot assign vars inside negated expression";
const IN_AND: &str = "cannot assign vars inside implicit and operand";
const IN_OR: &str = "cannot assign vars inside implicit or operand";

/// The state of one rule or query.
pub(super) struct Rewriter<'a> {
    pub(super) locals: &'a mut Locals,
    pub(super) scopes: Scopes,
    pub(super) errors: Vec<Diagnostic>,
    /// Variables of comprehensions in the head that nothing uses.
    pub(super) head_unused: Vec<Diagnostic>,
    pub(super) strict: bool,
}

impl<'a> Rewriter<'a> {
    pub(super) fn new(locals: &'a mut Locals, scopes: Scopes, strict: bool) -> Self {
        Self { locals, scopes, errors: Vec::new(), head_unused: Vec::new(), strict }
    }
}

impl Rewriter<'_> {
    /// Rewrites a body; `used` are variables that are used outside of it (in a head).
    pub(super) fn declared_in_body(&mut self, used: &VarSet, body: &mut Body) {
        let mut rewritten = Vec::with_capacity(body.len());
        let mut originals = Vec::with_capacity(body.len());
        for expr in std::mem::take(&mut body.0) {
            originals.push(Original::of(&expr, rewritten.len()));
            rewritten.extend(self.statement(expr));
        }
        if rewritten.is_empty() {
            rewritten.push(Expr::literal_true(originals.first().map_or(Span::NONE, |first| first.span)));
        }
        body.0 = rewritten;
        if self.errors.is_empty() {
            unused::check(&mut self.scopes, used, &originals, body, self.strict);
        }
    }

    fn statement(&mut self, mut expr: Expr) -> Option<Expr> {
        match expr.kind {
            ExprKind::Call(_) if expr.is_assignment() => {
                self.assignment(&mut expr);
                Some(expr)
            }
            ExprKind::SomeDecl(_) => self.some(expr),
            ExprKind::Every(_) => self.every(expr),
            ExprKind::Not(_) => {
                self.not(&mut expr);
                Some(expr)
            }
            ExprKind::And(_) | ExprKind::Or(_) => {
                self.logical(&mut expr);
                Some(expr)
            }
            ExprKind::Term(_) | ExprKind::Call(_) => {
                self.expr(&mut expr);
                Some(expr)
            }
        }
    }

    fn error(&mut self, span: Span, message: impl Into<String>) {
        self.errors.push(compile_error(span, message));
    }

    fn assignment(&mut self, expr: &mut Expr) {
        if expr.negated {
            return self.error(expr.span, IN_NEGATED);
        }
        let before = self.errors.len();
        let ExprKind::Call(terms) = &mut expr.kind else { return };
        let [operator, target, value] = terms.as_mut_slice() else { return };
        self.term(value);
        expr.with.iter_mut().for_each(|with| self.term(&mut with.value));
        self.target(target);
        if self.errors.len() == before {
            operator.value = Value::Ref(rego_syntax::ast::Ref::from_dotted("eq", operator.span));
            expr.from_assignment = true;
        }
    }

    /// The left side of `:=`.
    fn target(&mut self, term: &mut Term) {
        match &mut term.value {
            Value::Var(name) => {
                let name = name.clone();
                self.declare_term(term, name, Occurrence::Assigned);
            }
            Value::Array(terms) => terms.iter_mut().for_each(|term| self.target(term)),
            Value::Object(entries) => entries.iter_mut().for_each(|(_, value)| self.target(value)),
            Value::Ref(reference) if reference.len() == 1 => {
                match reference.head_var().filter(|name| vars::is_root_document(name)).cloned() {
                    Some(name) => self.declare_term(term, name, Occurrence::Assigned),
                    None => self.error(term.span, "cannot assign to ref"),
                }
            }
            other => {
                let message = format!("cannot assign to {}", other.kind_name());
                self.error(term.span, message);
            }
        }
    }

    fn declare_term(&mut self, term: &mut Term, name: Name, occurrence: Occurrence) {
        match self.declare(name, occurrence) {
            Ok(renamed) => term.value = Value::Var(renamed),
            Err(message) => self.error(term.span, message),
        }
    }

    fn declare(&mut self, name: Name, occurrence: Occurrence) -> Result<Name, String> {
        match self.scopes.occurrence(&name) {
            Some(Occurrence::Seen) => Err(format!("var {name} referenced above")),
            Some(Occurrence::Assigned) => Err(format!("var {name} assigned above")),
            Some(Occurrence::Declared) => Err(format!("var {name} declared above")),
            Some(Occurrence::Argument) => Err(format!("arg {name} redeclared")),
            None => {
                let renamed = self.locals.fresh();
                self.scopes.insert(name, renamed.clone(), occurrence);
                Ok(renamed)
            }
        }
    }

    fn some(&mut self, mut expr: Expr) -> Option<Expr> {
        let ExprKind::SomeDecl(decl) = &mut expr.kind else { return Some(expr) };
        let span = decl.span;
        for symbol in std::mem::take(&mut decl.symbols) {
            match symbol.value {
                Value::Var(name) => {
                    if let Err(message) = self.declare(name, Occurrence::Declared) {
                        self.error(span, message);
                        return None;
                    }
                }
                Value::Call(terms) => return self.some_in(terms, expr, span),
                _ => {}
            }
        }
        None
    }

    /// `some k, v in xs` becomes `v = xs[k]`.
    fn some_in(&mut self, terms: Vec<Term>, mut expr: Expr, span: Span) -> Option<Expr> {
        let mut args = terms.into_iter().skip(1);
        let (key, value, domain) = match (args.next(), args.next(), args.next()) {
            (Some(key), Some(value), Some(domain)) => (key, value, domain),
            (Some(value), Some(domain), None) => (self.locals.fresh_term(value.span), value, domain),
            _ => return None,
        };
        let mut pattern = vars::of_term(&key, Skip::PATTERN);
        pattern.extend(vars::of_term(&value, Skip::PATTERN));
        let read = vars::of_term(&domain, Skip { closures: true, ..Skip::NOTHING });
        let clashes: Vec<Name> =
            pattern.intersection(&read).filter(|name| !name.is_wildcard()).cloned().collect();
        if !clashes.is_empty() {
            clashes.iter().for_each(|name| self.error(span, format!("var {name} assigned before")));
            return None;
        }
        let known = vars::of_term(&domain, Skip::NOTHING);
        let at = domain.span;
        let element = match domain.value {
            Value::Ref(reference) => reference.extended([key]),
            value => rego_syntax::ast::Ref(vec![Term::new(value, at), key]),
        };
        expr.kind = Expr::call("eq", vec![value, Term::new(Value::Ref(element), at)], expr.span).kind;
        for name in safety::outputs_of_equality(&expr, &|name| known.contains(name)) {
            if let Err(message) = self.declare(name, Occurrence::Declared) {
                self.error(span, message);
                return None;
            }
        }
        self.expr(&mut expr);
        Some(expr)
    }

    fn every(&mut self, mut expr: Expr) -> Option<Expr> {
        let ExprKind::Every(every) = &mut expr.kind else { return Some(expr) };
        self.term(&mut every.domain);
        self.scopes.push();
        let bound = match &mut every.key {
            Some(key) => self.bind(key),
            none => {
                *none = Some(self.locals.fresh_term(every.span));
                Ok(())
            }
        };
        let bound = bound.and_then(|()| self.bind(&mut every.value));
        if let Err(message) = bound {
            self.error(every.span, message);
            self.scopes.pop();
            return None;
        }
        self.declared_in_body(&VarSet::new(), &mut every.body);
        self.expr(&mut expr);
        self.scopes.pop();
        Some(expr)
    }

    /// A variable of `every`.
    fn bind(&mut self, term: &mut Term) -> Result<(), String> {
        match term.as_var().filter(|name| !name.is_wildcard()).cloned() {
            Some(name) => {
                term.value = Value::Var(self.declare(name, Occurrence::Declared)?);
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn not(&mut self, expr: &mut Expr) {
        let ExprKind::Not(not) = &mut expr.kind else { return };
        if not.explicit_body {
            self.scopes.push();
            self.declared_in_body(&VarSet::new(), &mut not.body);
            self.expr(expr);
            self.scopes.pop();
            return;
        }
        let before = self.errors.len();
        self.implicit_body(&mut not.body, IN_NEGATED);
        if self.errors.len() == before {
            self.expr(expr);
        }
    }

    fn logical(&mut self, expr: &mut Expr) {
        let before = self.errors.len();
        match &mut expr.kind {
            ExprKind::And(both) => self.operands(both, IN_AND),
            ExprKind::Or(both) => self.operands(both, IN_OR),
            _ => {}
        }
        if self.errors.len() == before {
            self.expr(expr);
        }
    }

    fn operands(&mut self, both: &mut Logical, message: &str) {
        self.operand(&mut both.lhs, both.explicit_lhs, message);
        self.operand(&mut both.rhs, both.explicit_rhs, message);
    }

    fn operand(&mut self, body: &mut Body, explicit: bool, message: &str) {
        if explicit {
            self.scopes.push();
            self.declared_in_body(&VarSet::new(), body);
            self.scopes.pop();
        } else {
            self.implicit_body(body, message);
        }
    }

    /// A body written without braces binds nothing for the expressions around it, so it must not assign.
    fn implicit_body(&mut self, body: &mut Body, message: &str) {
        for expr in body.iter_mut() {
            match expr.kind {
                ExprKind::Call(_) if expr.is_assignment() => self.error(expr.span, message),
                ExprKind::Not(_) => self.not(expr),
                ExprKind::And(_) | ExprKind::Or(_) => self.logical(expr),
                _ => {}
            }
        }
    }

    pub(super) fn template(&mut self, template: &mut TemplateString) {
        for part in &mut template.parts {
            if let TemplatePart::Expr(expr) = part {
                self.scopes.push();
                self.expr(expr);
                self.scopes.pop();
            }
        }
    }

    /// A comprehension: its body first, since it declares what the head uses.
    pub(super) fn comprehension(&mut self, value: &mut Value) {
        let (heads, body): (Vec<&mut Term>, &mut Body) = match value {
            Value::ArrayComp(comp) => (vec![&mut comp.term], &mut comp.body),
            Value::SetComp(comp) => (vec![&mut comp.term], &mut comp.body),
            Value::ObjectComp(comp) => (vec![&mut comp.key, &mut comp.value], &mut comp.body),
            _ => return,
        };
        let mut used = Collector::new(Skip::NOTHING);
        heads.iter().for_each(|head| used.term(head));
        let used = used.vars;
        self.scopes.push();
        self.declared_in_body(&used, body);
        heads.into_iter().for_each(|head| self.term(head));
        self.scopes.pop();
    }

    fn call(&mut self, span: Span, operator: &Term) {
        let mut shadowed = false;
        visit::walk_vars(Node::Term(operator), &mut |name| {
            shadowed |= self.scopes.declared(name).is_some_and(|renamed| renamed != name);
        });
        if shadowed {
            // Functions are no values, so a variable can not stand for one.
            self.error(span, format!("called function {} shadowed", operator));
        }
    }

    fn reference(&mut self, term: &mut Term) {
        if !vars::is_root_document_term(term) {
            return visit_mut::each_subterm(self, term);
        }
        let name = term.as_ref_value().and_then(|reference| reference.head_var()).cloned();
        if let Some(name) = name
            && self.scopes.any_occurrence(&name).is_some_and(|how| how != Occurrence::Seen)
            && let Some(renamed) = self.scopes.declared(&name)
        {
            term.value = Value::Var(renamed.clone());
        }
    }

    /// `input` in a target is the document, even where a variable shadows it.
    fn with(&mut self, with: &mut With) {
        self.term(&mut with.target);
        if let Some(shadow) = self.scopes.declared(&Name::new("input")).cloned() {
            let span = with.target.span;
            match &mut with.target.value {
                Value::Var(name) if *name == shadow => {
                    with.target.value = Value::Ref(rego_syntax::ast::Ref::from_dotted("input", span));
                }
                Value::Ref(reference) => {
                    if let Some(head) = reference.first_mut()
                        && head.as_var() == Some(&shadow)
                    {
                        head.value = Value::Var(Name::new("input"));
                    }
                }
                _ => {}
            }
        }
        self.term(&mut with.value);
    }
}

impl Rewrite for Rewriter<'_> {
    fn expr(&mut self, expr: &mut Expr) {
        visit_mut::each_part_but_with(self, expr);
        expr.with.iter_mut().for_each(|with| self.with(with));
    }

    fn term(&mut self, term: &mut Term) {
        match &mut term.value {
            Value::Var(name) => {
                if let Some(renamed) = self.scopes.declared(name).cloned() {
                    self.scopes.seen(name);
                    *name = renamed;
                } else {
                    self.scopes.insert(name.clone(), name.clone(), Occurrence::Seen);
                }
            }
            Value::Ref(_) => self.reference(term),
            Value::Call(terms) => {
                if let Some(operator) = terms.first() {
                    self.call(term.span, operator);
                }
                visit_mut::each_subterm(self, term);
            }
            comp if visit::is_comprehension(comp) => self.comprehension(comp),
            _ => visit_mut::each_subterm(self, term),
        }
    }
}
