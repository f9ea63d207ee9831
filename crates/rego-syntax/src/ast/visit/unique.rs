//! Walking with permission to change.

use super::{DESCEND, NodeMut, SKIP};
use crate::ast::{
    Body, Every, Expr, ExprKind, Head, Logical, Module, Not, Ref, Rule, SomeDecl, TemplatePart, Term, Value,
    With,
};

/// What is called before and after the children of a node.
pub trait Rewriter {
    /// Called before the children; [`SKIP`] leaves the children out, and [`Rewriter::leave`] is not called then.
    fn enter(&mut self, node: NodeMut<'_>) -> bool {
        let _ = node;
        DESCEND
    }

    /// Called after the children.
    fn leave(&mut self, node: NodeMut<'_>) {
        let _ = node;
    }
}

struct Enter<'f>(&'f mut dyn FnMut(NodeMut<'_>) -> bool);

impl Rewriter for Enter<'_> {
    fn enter(&mut self, node: NodeMut<'_>) -> bool {
        (self.0)(node)
    }
}

struct LeaveTerm<'f>(&'f mut dyn FnMut(&mut Term));

impl Rewriter for LeaveTerm<'_> {
    fn leave(&mut self, node: NodeMut<'_>) {
        if let NodeMut::Term(term) = node {
            (self.0)(term);
        }
    }
}

/// A tree, or a part of one, that can be rewritten in place.
pub trait WalkMut {
    /// Calls `r` on this node before and after its children.
    fn rewrite(&mut self, r: &mut dyn Rewriter);

    /// Calls `f` on this node and then on its children, unless `f` answers [`SKIP`].
    fn walk_mut(&mut self, f: &mut dyn FnMut(NodeMut<'_>) -> bool) {
        self.rewrite(&mut Enter(f));
    }

    /// Calls `f` on every term, children before parents.
    fn rewrite_terms(&mut self, f: &mut dyn FnMut(&mut Term)) {
        self.rewrite(&mut LeaveTerm(f));
    }
}

impl WalkMut for Module {
    fn rewrite(&mut self, r: &mut dyn Rewriter) {
        self.package.path.rewrite(r);
        for import in &mut self.imports {
            import.path.rewrite(r);
        }
        for rule in &mut self.rules {
            rule.rewrite(r);
        }
    }
}

impl WalkMut for Rule {
    fn rewrite(&mut self, r: &mut dyn Rewriter) {
        if r.enter(NodeMut::Rule(self)) == SKIP {
            return;
        }
        self.head.rewrite(r);
        self.body.rewrite(r);
        if let Some(rule) = &mut self.else_rule {
            rule.rewrite(r);
        }
        r.leave(NodeMut::Rule(self));
    }
}

impl WalkMut for Head {
    fn rewrite(&mut self, r: &mut dyn Rewriter) {
        if r.enter(NodeMut::Head(self)) == SKIP {
            return;
        }
        self.args.rewrite(r);
        for term in self.key.iter_mut().chain(&mut self.value) {
            term.rewrite(r);
        }
        r.leave(NodeMut::Head(self));
    }
}

impl WalkMut for Body {
    fn rewrite(&mut self, r: &mut dyn Rewriter) {
        if r.enter(NodeMut::Body(self)) == SKIP {
            return;
        }
        for expr in &mut self.0 {
            expr.rewrite(r);
        }
        r.leave(NodeMut::Body(self));
    }
}

impl WalkMut for Expr {
    fn rewrite(&mut self, r: &mut dyn Rewriter) {
        if r.enter(NodeMut::Expr(self)) == SKIP {
            return;
        }
        match &mut self.kind {
            ExprKind::Term(term) => term.rewrite(r),
            ExprKind::Call(terms) => terms.rewrite(r),
            ExprKind::SomeDecl(decl) => decl.rewrite(r),
            ExprKind::Every(every) => every.rewrite(r),
            ExprKind::Not(not) => not.rewrite(r),
            ExprKind::And(logical) | ExprKind::Or(logical) => logical.rewrite(r),
        }
        for with in &mut self.with {
            with.rewrite(r);
        }
        r.leave(NodeMut::Expr(self));
    }
}

impl WalkMut for SomeDecl {
    fn rewrite(&mut self, r: &mut dyn Rewriter) {
        if r.enter(NodeMut::SomeDecl(self)) == SKIP {
            return;
        }
        self.symbols.rewrite(r);
        r.leave(NodeMut::SomeDecl(self));
    }
}

impl WalkMut for Every {
    fn rewrite(&mut self, r: &mut dyn Rewriter) {
        if r.enter(NodeMut::Every(self)) == SKIP {
            return;
        }
        if let Some(key) = &mut self.key {
            key.rewrite(r);
        }
        self.value.rewrite(r);
        self.domain.rewrite(r);
        self.body.rewrite(r);
        r.leave(NodeMut::Every(self));
    }
}

impl WalkMut for Not {
    fn rewrite(&mut self, r: &mut dyn Rewriter) {
        if r.enter(NodeMut::Not(self)) == SKIP {
            return;
        }
        self.body.rewrite(r);
        r.leave(NodeMut::Not(self));
    }
}

impl WalkMut for Logical {
    fn rewrite(&mut self, r: &mut dyn Rewriter) {
        if r.enter(NodeMut::Logical(self)) == SKIP {
            return;
        }
        self.lhs.rewrite(r);
        self.rhs.rewrite(r);
        r.leave(NodeMut::Logical(self));
    }
}

impl WalkMut for With {
    fn rewrite(&mut self, r: &mut dyn Rewriter) {
        if r.enter(NodeMut::With(self)) == SKIP {
            return;
        }
        self.target.rewrite(r);
        self.value.rewrite(r);
        r.leave(NodeMut::With(self));
    }
}

impl WalkMut for Ref {
    fn rewrite(&mut self, r: &mut dyn Rewriter) {
        if r.enter(NodeMut::Ref(self)) == SKIP {
            return;
        }
        self.0.rewrite(r);
        r.leave(NodeMut::Ref(self));
    }
}

impl WalkMut for [Term] {
    fn rewrite(&mut self, r: &mut dyn Rewriter) {
        for term in self {
            term.rewrite(r);
        }
    }
}

impl WalkMut for Term {
    fn rewrite(&mut self, r: &mut dyn Rewriter) {
        if r.enter(NodeMut::Term(self)) == SKIP {
            return;
        }
        match &mut self.value {
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Var(_) => {}
            Value::Ref(reference) => reference.rewrite(r),
            Value::Array(terms) | Value::Set(terms) | Value::Call(terms) => terms.rewrite(r),
            Value::Object(entries) => {
                for (key, value) in entries {
                    key.rewrite(r);
                    value.rewrite(r);
                }
            }
            Value::ArrayComp(comp) => {
                comp.term.rewrite(r);
                comp.body.rewrite(r);
            }
            Value::SetComp(comp) => {
                comp.term.rewrite(r);
                comp.body.rewrite(r);
            }
            Value::ObjectComp(comp) => {
                comp.key.rewrite(r);
                comp.value.rewrite(r);
                comp.body.rewrite(r);
            }
            Value::TemplateString(template) => {
                for part in &mut template.parts {
                    match part {
                        TemplatePart::Term(term) => term.rewrite(r),
                        TemplatePart::Expr(expr) => expr.rewrite(r),
                    }
                }
            }
        }
        self.value.normalize();
        r.leave(NodeMut::Term(self));
    }
}
