//! Walks over the syntax tree, in the order in which OPA's visitors go.
//!
//! The walks recurse with the nesting of the source, which the parser bounds; chains of `else`, which it
//! does not, are followed in a loop.

use rego_syntax::ast::{Body, Expr, ExprKind, Head, Name, Rule, TemplatePart, Term, Value, With};

/// A node that a walk stops at.
#[derive(Clone, Copy)]
pub(crate) enum Node<'a> {
    /// A rule's head (without its reference) and body; its `else` is left to the caller.
    Rule(&'a Rule),
    Head(&'a Head),
    Body(&'a Body),
    Expr(&'a Expr),
    With(&'a With),
    Term(&'a Term),
}

/// Calls `enter` on the node and everything below it; `true` leaves out what is below.
pub(crate) fn walk<'a>(node: Node<'a>, enter: &mut dyn FnMut(Node<'a>) -> bool) {
    if !enter(node) {
        each_child(node, &mut |child| walk(child, enter));
    }
}

fn each_child<'a>(node: Node<'a>, f: &mut dyn FnMut(Node<'a>)) {
    match node {
        Node::Rule(rule) => {
            f(Node::Head(&rule.head));
            f(Node::Body(&rule.body));
        }
        Node::Head(head) => {
            head.args.iter().for_each(|arg| f(Node::Term(arg)));
            head.key.iter().for_each(|key| f(Node::Term(key)));
            head.value.iter().for_each(|value| f(Node::Term(value)));
        }
        Node::Body(body) => body.iter().for_each(|expr| f(Node::Expr(expr))),
        Node::Expr(expr) => {
            each_child_of_kind(&expr.kind, f);
            expr.with.iter().for_each(|with| f(Node::With(with)));
        }
        Node::With(with) => {
            f(Node::Term(&with.target));
            f(Node::Term(&with.value));
        }
        Node::Term(term) => each_child_of_value(&term.value, f),
    }
}

fn each_child_of_kind<'a>(kind: &'a ExprKind, f: &mut dyn FnMut(Node<'a>)) {
    match kind {
        ExprKind::Term(term) => f(Node::Term(term)),
        ExprKind::Call(terms) => terms.iter().for_each(|term| f(Node::Term(term))),
        ExprKind::SomeDecl(decl) => decl.symbols.iter().for_each(|term| f(Node::Term(term))),
        ExprKind::Every(every) => {
            every.key.iter().for_each(|key| f(Node::Term(key)));
            f(Node::Term(&every.value));
            f(Node::Term(&every.domain));
            f(Node::Body(&every.body));
        }
        ExprKind::Not(not) => f(Node::Body(&not.body)),
        ExprKind::And(both) | ExprKind::Or(both) => {
            f(Node::Body(&both.lhs));
            f(Node::Body(&both.rhs));
        }
    }
}

fn each_child_of_value<'a>(value: &'a Value, f: &mut dyn FnMut(Node<'a>)) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Var(_) => {}
        Value::Ref(reference) => reference.iter().for_each(|term| f(Node::Term(term))),
        Value::Array(terms) | Value::Set(terms) | Value::Call(terms) => {
            terms.iter().for_each(|term| f(Node::Term(term)));
        }
        Value::Object(entries) => entries.iter().for_each(|(key, value)| {
            f(Node::Term(key));
            f(Node::Term(value));
        }),
        Value::ArrayComp(comp) => {
            f(Node::Term(&comp.term));
            f(Node::Body(&comp.body));
        }
        Value::SetComp(comp) => {
            f(Node::Term(&comp.term));
            f(Node::Body(&comp.body));
        }
        Value::ObjectComp(comp) => {
            f(Node::Term(&comp.key));
            f(Node::Term(&comp.value));
            f(Node::Body(&comp.body));
        }
        Value::TemplateString(template) => {
            for part in &template.parts {
                match part {
                    TemplatePart::Term(term) => f(Node::Term(term)),
                    TemplatePart::Expr(expr) => f(Node::Expr(expr)),
                }
            }
        }
    }
}

/// Calls `enter` on every term; `true` leaves out what is below it.
pub(crate) fn walk_terms<'a>(node: Node<'a>, enter: &mut dyn FnMut(&'a Term) -> bool) {
    walk(node, &mut |node| match node {
        Node::Term(term) => enter(term),
        _ => false,
    });
}

/// Calls `enter` on every expression; `true` leaves out what is below it.
pub(crate) fn walk_exprs<'a>(node: Node<'a>, enter: &mut dyn FnMut(&'a Expr) -> bool) {
    walk(node, &mut |node| match node {
        Node::Expr(expr) => enter(expr),
        _ => false,
    });
}

/// Calls `f` on every variable, operators and heads of references included.
pub(crate) fn walk_vars<'a>(node: Node<'a>, f: &mut dyn FnMut(&'a Name)) {
    walk_terms(node, &mut |term| {
        if let Value::Var(name) = &term.value {
            f(name);
        }
        false
    });
}

/// Whether any node answers `true`.
pub(crate) fn any<'a>(node: Node<'a>, holds: &mut dyn FnMut(Node<'a>) -> bool) -> bool {
    let mut found = false;
    walk(node, &mut |node| {
        found = found || holds(node);
        found
    });
    found
}

/// A part of an expression that is evaluated in a scope of its own.
#[derive(Clone, Copy)]
pub(crate) enum Closure<'a> {
    /// A comprehension.
    Comprehension(&'a Term),
    /// `every`, `not { }`, `and`, `or`.
    Statement(&'a Expr),
}

/// Calls `enter` on every closure; `true` leaves out those within it.
pub(crate) fn walk_closures<'a>(node: Node<'a>, enter: &mut dyn FnMut(Closure<'a>) -> bool) {
    walk(node, &mut |node| match node {
        Node::Term(term) if is_comprehension(&term.value) => enter(Closure::Comprehension(term)),
        Node::Expr(expr) if is_closure_statement(&expr.kind) => {
            let skip = enter(Closure::Statement(expr));
            if skip {
                expr.with.iter().for_each(|with| walk_closures(Node::With(with), enter));
            }
            skip
        }
        _ => false,
    });
}

/// Whether the value is a comprehension.
pub(crate) fn is_comprehension(value: &Value) -> bool {
    matches!(value, Value::ArrayComp(_) | Value::SetComp(_) | Value::ObjectComp(_))
}

fn is_closure_statement(kind: &ExprKind) -> bool {
    matches!(kind, ExprKind::Every(_) | ExprKind::Not(_) | ExprKind::And(_) | ExprKind::Or(_))
}

/// The bodies of `every`, `not { }`, `and` and `or`.
pub(crate) fn statement_bodies(kind: &ExprKind) -> impl Iterator<Item = &Body> {
    let (first, second) = match kind {
        ExprKind::Every(every) => (Some(&every.body), None),
        ExprKind::Not(not) => (Some(&not.body), None),
        ExprKind::And(both) | ExprKind::Or(both) => (Some(&both.lhs), Some(&both.rhs)),
        ExprKind::Term(_) | ExprKind::Call(_) | ExprKind::SomeDecl(_) => (None, None),
    };
    first.into_iter().chain(second)
}

/// Whether a term has to be evaluated apart: it holds a reference or a comprehension.
pub(crate) fn requires_eval(term: &Term) -> bool {
    any(
        Node::Term(term),
        &mut |node| matches!(node, Node::Term(term) if matches!(term.value, Value::Ref(_)) || is_comprehension(&term.value)),
    )
}

/// Whether the value is `null`, a boolean, a number or a string.
pub(crate) fn is_scalar(value: &Value) -> bool {
    matches!(value, Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_))
}

/// The rule and, in order, its `else` rules.
pub(crate) fn chain(rule: &Rule) -> impl Iterator<Item = &Rule> {
    std::iter::successors(Some(rule), |rule| rule.else_rule.as_deref())
}

/// Calls `f` on the rule and, in order, its `else` rules.
pub(crate) fn chain_mut(rule: &mut Rule, f: &mut dyn FnMut(&mut Rule)) {
    let mut next = Some(rule);
    while let Some(rule) = next {
        f(rule);
        next = rule.else_rule.as_deref_mut();
    }
}
