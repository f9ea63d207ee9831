//! Queries that are rules: `p = 1`, `p[x] = y`, `f(x)`, `p[x]`.

use crate::ast::{Body, Expr, ExprKind, Head, Ref, Rule, Term, Value};
use crate::options::ParserOptions;
use crate::parser::rule::implicit_true;
use crate::span::Span;

/// The rule that a query stands for, or why it stands for none. The body is marked as not written.
pub(super) fn rule_from_body(body: Body, options: &ParserOptions) -> Result<Rule, String> {
    let mut exprs = body.0.into_iter();
    let (Some(expr), None) = (exprs.next(), exprs.next()) else {
        return Err("multiple expressions cannot be used for rule head".to_owned());
    };
    let mut rule = rule_from_expr(expr, options)?;
    rule.generated_body = true;
    Ok(rule)
}

fn rule_from_expr(expr: Expr, options: &ParserOptions) -> Result<Rule, String> {
    if !expr.with.is_empty() {
        return Err("expressions using with keyword cannot be used for rule head".to_owned());
    }
    if expr.negated {
        return Err("negated expressions cannot be used for rule head".to_owned());
    }
    let span = expr.span;
    let is_equality = expr.is_equality();
    let is_assignment = expr.is_assignment();
    match expr.kind {
        ExprKind::SomeDecl(_) => Err("'some' declarations cannot be used for rule head".to_owned()),
        ExprKind::Term(term) => match &term.value {
            Value::Ref(r) if r.len() > 2 => reference_rule(term),
            Value::Ref(_) => set_rule(term),
            value => Err(format!("{} cannot be used for rule name", value.kind_name())),
        },
        ExprKind::Call(terms) if is_equality || is_assignment => {
            let mut rule = value_rule(terms)?;
            rule.span = span;
            rule.head.span = span;
            rule.head.assign = is_assignment;
            Ok(rule)
        }
        ExprKind::Call(terms) => function_rule(terms, options),
        _ => Err("expression cannot be used for rule head".to_owned()),
    }
}

fn named(r: &Ref) -> Result<(), String> {
    if r.head_var().is_none() {
        return Err(format!("invalid rule head: {r}"));
    }
    Ok(())
}

fn rule(head: Head, body: Span, span: Span) -> Rule {
    Rule::new(head, implicit_true(body), span)
}

/// `a.b.c`: true.
fn reference_rule(term: Term) -> Result<Rule, String> {
    let span = term.span;
    let Value::Ref(r) = term.value else { return Err("reference expected".to_owned()) };
    named(&r)?;
    let mut head = Head::referring(r, span);
    head.value = Some(Term::boolean(true, span));
    head.generated_value = true;
    Ok(rule(head, span, span))
}

/// `p[x]`: an element of a set.
fn set_rule(term: Term) -> Result<Rule, String> {
    let span = term.span;
    let Value::Ref(r) = term.value else { return Err("reference expected".to_owned()) };
    if r.len() == 1 {
        return Err("refs cannot be used for rule head".to_owned());
    }
    named(&r)?;
    let mut steps = r.0.into_iter();
    let mut head = match steps.next() {
        Some(Term { value: Value::Var(name), span }) => Head::named(name, span),
        _ => return Err("refs cannot be used for rule head".to_owned()),
    };
    head.key = steps.next();
    head.span = span;
    Ok(rule(head, span, span))
}

/// `lhs = rhs` and `lhs := rhs`.
fn value_rule(terms: Vec<Term>) -> Result<Rule, String> {
    let Ok([_, lhs, rhs]) = <[Term; 3]>::try_from(terms) else {
        return Err("assignment requires two operands".to_owned());
    };
    let (left, right) = (lhs.span, rhs.span);
    match lhs.value {
        Value::Call(call) => {
            let head =
                function_head(call, rhs, left).map_err(|_| "call cannot be used for rule name".to_owned())?;
            Ok(rule(head, right, left))
        }
        Value::Ref(r) => {
            named(&r)?;
            let (name, key) = match r.as_slice() {
                [name, key] => (name.as_var().cloned(), Some(key.clone())),
                _ => (None, None),
            };
            let mut head = Head::referring(r, right);
            if let Some(name) = name {
                head.name = name;
                head.key = key;
            }
            head.value = Some(rhs);
            Ok(rule(head, right, right))
        }
        Value::Var(name) => {
            let mut head = Head::named(name, left);
            head.value = Some(rhs);
            Ok(rule(head, right, left))
        }
        value => Err(format!("{} cannot be used for rule name", value.kind_name())),
    }
}

/// `f(x)`: true.
fn function_rule(terms: Vec<Term>, options: &ParserOptions) -> Result<Rule, String> {
    let operator = terms.first().and_then(Term::as_ref_value).map(ToString::to_string).unwrap_or_default();
    if options.builtin_names.contains(&operator.as_str()) {
        return Err("rule name conflicts with built-in function".to_owned());
    }
    if terms.len() <= 1 {
        return Err("rule argument list must take at least one argument".to_owned());
    }
    let span = terms.first().map_or(Span::NONE, |operator| operator.span);
    let head = function_head(terms, Term::boolean(true, span), span)?;
    Ok(rule(head, span, span))
}

fn function_head(call: Vec<Term>, value: Term, span: Span) -> Result<Head, String> {
    let mut terms = call.into_iter();
    let r = match terms.next().map(|operator| operator.value) {
        Some(Value::Ref(r)) => r,
        Some(value) => return Err(format!("{}s cannot be used in function signature", value.kind_name())),
        None => return Err("reference expected".to_owned()),
    };
    named(&r)?;
    let mut head = Head::referring(r, span);
    head.args = terms.collect();
    head.value = Some(value);
    Ok(head)
}
