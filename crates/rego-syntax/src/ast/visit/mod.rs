//! Walking and rewriting trees.
//!
//! [`Walk::walk`] calls a function on each node before its children, in OPA's order; the function answers
//! [`SKIP`] to leave the children out. [`WalkMut::walk_mut`] is the same with permission to change the node,
//! [`WalkMut::rewrite_terms`] goes from the leaves up. Both restore the order of sets and of object keys
//! after their elements were changed.
//!
//! The reference of a rule head is not visited (its steps may be walked on their own), only its arguments,
//! key and value, as in OPA. The variables that only name something (rule names, import aliases) are not either.

mod shared;
mod unique;
mod vars;

pub use shared::{Visit, Walk};
pub use unique::{Rewriter, WalkMut};
pub use vars::{VarFilter, vars};

use super::{Body, Every, Expr, Head, Logical, Not, Ref, Rule, SomeDecl, Term, Value, With};

/// Answer of a visiting function: do not visit the children of this node.
pub const SKIP: bool = true;
/// Answer of a visiting function: go on with the children of this node.
pub const DESCEND: bool = false;

/// A node of the tree.
#[derive(Debug, Clone, Copy)]
pub enum Node<'a> {
    /// A rule; an `else` is a rule too.
    Rule(&'a Rule),
    /// A rule head.
    Head(&'a Head),
    /// A body: of a rule, of a comprehension, of `every`, of `not`, an operand of `and` and `or`.
    Body(&'a Body),
    /// An expression.
    Expr(&'a Expr),
    /// `some`.
    SomeDecl(&'a SomeDecl),
    /// `every`.
    Every(&'a Every),
    /// `not` with a body.
    Not(&'a Not),
    /// `and`, `or`.
    Logical(&'a Logical),
    /// `with`.
    With(&'a With),
    /// A term.
    Term(&'a Term),
    /// The reference that a term is.
    Ref(&'a Ref),
}

/// A node of the tree that may be changed.
#[derive(Debug)]
pub enum NodeMut<'a> {
    /// A rule; an `else` is a rule too.
    Rule(&'a mut Rule),
    /// A rule head.
    Head(&'a mut Head),
    /// A body.
    Body(&'a mut Body),
    /// An expression.
    Expr(&'a mut Expr),
    /// `some`.
    SomeDecl(&'a mut SomeDecl),
    /// `every`.
    Every(&'a mut Every),
    /// `not` with a body.
    Not(&'a mut Not),
    /// `and`, `or`.
    Logical(&'a mut Logical),
    /// `with`.
    With(&'a mut With),
    /// A term.
    Term(&'a mut Term),
    /// The reference that a term is.
    Ref(&'a mut Ref),
}

impl Node<'_> {
    /// Whether the node opens a scope of variables: a comprehension, `every`, `not { }`, `and`, `or`.
    #[must_use]
    pub fn is_closure(&self) -> bool {
        match self {
            Self::Term(t) => {
                matches!(t.value, Value::ArrayComp(_) | Value::ObjectComp(_) | Value::SetComp(_))
            }
            Self::Every(_) | Self::Not(_) | Self::Logical(_) => true,
            _ => false,
        }
    }
}

/// Calls `f` on every variable, in order.
pub fn walk_vars<'a>(node: &'a (impl Walk + ?Sized), f: &mut dyn FnMut(&'a super::Name)) {
    node.walk(&mut |node| {
        if let Node::Term(Term { value: Value::Var(name), .. }) = node {
            f(name);
        }
        DESCEND
    });
}

/// Calls `f` on every term; it answers [`SKIP`] or [`DESCEND`].
pub fn walk_terms<'a>(node: &'a (impl Walk + ?Sized), f: &mut dyn FnMut(&'a Term) -> bool) {
    node.walk(&mut |node| if let Node::Term(term) = node { f(term) } else { DESCEND });
}

/// Calls `f` on every reference; it answers [`SKIP`] or [`DESCEND`].
pub fn walk_refs<'a>(node: &'a (impl Walk + ?Sized), f: &mut dyn FnMut(&'a Ref) -> bool) {
    node.walk(&mut |node| if let Node::Ref(r) = node { f(r) } else { DESCEND });
}

/// Calls `f` on every expression; it answers [`SKIP`] or [`DESCEND`].
pub fn walk_exprs<'a>(node: &'a (impl Walk + ?Sized), f: &mut dyn FnMut(&'a Expr) -> bool) {
    node.walk(&mut |node| if let Node::Expr(expr) = node { f(expr) } else { DESCEND });
}

/// Calls `f` on every body; it answers [`SKIP`] or [`DESCEND`].
pub fn walk_bodies<'a>(node: &'a (impl Walk + ?Sized), f: &mut dyn FnMut(&'a Body) -> bool) {
    node.walk(&mut |node| if let Node::Body(body) = node { f(body) } else { DESCEND });
}

/// Calls `f` on every node that opens a scope; it answers [`SKIP`] or [`DESCEND`].
pub fn walk_closures<'a>(node: &'a (impl Walk + ?Sized), f: &mut dyn FnMut(Node<'a>) -> bool) {
    node.walk(&mut |node| if node.is_closure() { f(node) } else { DESCEND });
}
