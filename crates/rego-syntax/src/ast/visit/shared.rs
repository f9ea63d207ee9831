//! Walking without changing.

use super::{Node, SKIP};
use crate::ast::{
    Body, Every, Expr, ExprKind, Head, Logical, Module, Not, Ref, Rule, SomeDecl, TemplatePart, Term, Value,
    With,
};

/// What a visiting function looks like.
pub type Visit<'f, 'a> = &'f mut dyn FnMut(Node<'a>) -> bool;

/// A tree, or a part of one, that can be walked.
pub trait Walk {
    /// Calls `f` on this node and then on its children, unless `f` answers [`SKIP`].
    fn walk<'a>(&'a self, f: Visit<'_, 'a>);
}

impl Walk for Module {
    fn walk<'a>(&'a self, f: Visit<'_, 'a>) {
        self.package.path.walk(f);
        for import in &self.imports {
            import.path.walk(f);
        }
        for rule in &self.rules {
            rule.walk(f);
        }
    }
}

impl Walk for Rule {
    fn walk<'a>(&'a self, f: Visit<'_, 'a>) {
        if f(Node::Rule(self)) == SKIP {
            return;
        }
        self.head.walk(f);
        self.body.walk(f);
        if let Some(rule) = &self.else_rule {
            rule.walk(f);
        }
    }
}

impl Walk for Head {
    fn walk<'a>(&'a self, f: Visit<'_, 'a>) {
        if f(Node::Head(self)) == SKIP {
            return;
        }
        self.args.walk(f);
        for term in self.key.iter().chain(&self.value) {
            term.walk(f);
        }
    }
}

impl Walk for Body {
    fn walk<'a>(&'a self, f: Visit<'_, 'a>) {
        if f(Node::Body(self)) == SKIP {
            return;
        }
        for expr in &self.0 {
            expr.walk(f);
        }
    }
}

impl Walk for Expr {
    fn walk<'a>(&'a self, f: Visit<'_, 'a>) {
        if f(Node::Expr(self)) == SKIP {
            return;
        }
        match &self.kind {
            ExprKind::Term(term) => term.walk(f),
            ExprKind::Call(terms) => terms.walk(f),
            ExprKind::SomeDecl(decl) => decl.walk(f),
            ExprKind::Every(every) => every.walk(f),
            ExprKind::Not(not) => not.walk(f),
            ExprKind::And(logical) | ExprKind::Or(logical) => logical.walk(f),
        }
        for with in &self.with {
            with.walk(f);
        }
    }
}

impl Walk for SomeDecl {
    fn walk<'a>(&'a self, f: Visit<'_, 'a>) {
        if f(Node::SomeDecl(self)) != SKIP {
            self.symbols.walk(f);
        }
    }
}

impl Walk for Every {
    fn walk<'a>(&'a self, f: Visit<'_, 'a>) {
        if f(Node::Every(self)) == SKIP {
            return;
        }
        if let Some(key) = &self.key {
            key.walk(f);
        }
        self.value.walk(f);
        self.domain.walk(f);
        self.body.walk(f);
    }
}

impl Walk for Not {
    fn walk<'a>(&'a self, f: Visit<'_, 'a>) {
        if f(Node::Not(self)) != SKIP {
            self.body.walk(f);
        }
    }
}

impl Walk for Logical {
    fn walk<'a>(&'a self, f: Visit<'_, 'a>) {
        if f(Node::Logical(self)) == SKIP {
            return;
        }
        self.lhs.walk(f);
        self.rhs.walk(f);
    }
}

impl Walk for With {
    fn walk<'a>(&'a self, f: Visit<'_, 'a>) {
        if f(Node::With(self)) == SKIP {
            return;
        }
        self.target.walk(f);
        self.value.walk(f);
    }
}

impl Walk for Ref {
    fn walk<'a>(&'a self, f: Visit<'_, 'a>) {
        if f(Node::Ref(self)) != SKIP {
            self.0.walk(f);
        }
    }
}

impl Walk for [Term] {
    fn walk<'a>(&'a self, f: Visit<'_, 'a>) {
        for term in self {
            term.walk(f);
        }
    }
}

impl Walk for Term {
    fn walk<'a>(&'a self, f: Visit<'_, 'a>) {
        if f(Node::Term(self)) == SKIP {
            return;
        }
        match &self.value {
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Var(_) => {}
            Value::Ref(r) => r.walk(f),
            Value::Array(terms) | Value::Set(terms) | Value::Call(terms) => terms.walk(f),
            Value::Object(entries) => {
                for (key, value) in entries {
                    key.walk(f);
                    value.walk(f);
                }
            }
            Value::ArrayComp(comp) => {
                comp.term.walk(f);
                comp.body.walk(f);
            }
            Value::SetComp(comp) => {
                comp.term.walk(f);
                comp.body.walk(f);
            }
            Value::ObjectComp(comp) => {
                comp.key.walk(f);
                comp.value.walk(f);
                comp.body.walk(f);
            }
            Value::TemplateString(template) => {
                for part in &template.parts {
                    match part {
                        TemplatePart::Term(term) => term.walk(f),
                        TemplatePart::Expr(expr) => expr.walk(f),
                    }
                }
            }
        }
    }
}
