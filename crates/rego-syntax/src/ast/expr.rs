//! Bodies and their expressions.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::ops::{Deref, DerefMut};

use super::{Ref, Term, Value};
use crate::span::Span;

/// A conjunction of expressions.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Body(pub Vec<Expr>);

/// One statement of a body. Equality and order ignore spans and where the statement came from.
#[derive(Debug, Clone)]
pub struct Expr {
    /// What it states.
    pub kind: ExprKind,
    /// `not` stands before it (and `import future.keywords.not` is not in force; see [`ExprKind::Not`]).
    pub negated: bool,
    /// `with target as value`, in order.
    pub with: Vec<With>,
    /// A compiler stage made this expression.
    pub generated: bool,
    /// A compiler stage made this equality from an assignment (`:=`).
    pub from_assignment: bool,
    /// Where it stands, modifiers included.
    pub span: Span,
}

/// The kinds of statement. The order of the variants is OPA's order of expressions.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ExprKind {
    /// `some x, y` or `some x in xs`.
    SomeDecl(SomeDecl),
    /// A term that must be defined and not false.
    Term(Term),
    /// A call: the operator (a reference) and its arguments. Infix operators are calls:
    /// `a + b` is `plus(a, b)`, `a = b` is `eq(a, b)`, `x in xs` is `internal.member_2(x, xs)`.
    Call(Vec<Term>),
    /// `every k, v in domain { body }`.
    Every(Box<Every>),
    /// `not { body }`, or any `not` under `import future.keywords.not`.
    Not(Box<Not>),
    /// `lhs and rhs`.
    And(Box<Logical>),
    /// `lhs or rhs`.
    Or(Box<Logical>),
}

/// `some x, y` (the symbols are variables) or `some x in xs` (one symbol: a call of `internal.member_2` or `_3`).
#[derive(Debug, Clone)]
pub struct SomeDecl {
    /// What is declared.
    pub symbols: Vec<Term>,
    /// Where the keyword stands.
    pub span: Span,
}

/// `every key, value in domain { body }`.
#[derive(Debug, Clone)]
pub struct Every {
    /// The variable before the comma.
    pub key: Option<Term>,
    /// The variable of the element.
    pub value: Term,
    /// What is iterated.
    pub domain: Term,
    /// What must hold for each element.
    pub body: Body,
    /// Where it stands.
    pub span: Span,
}

/// A negated body.
#[derive(Debug, Clone)]
pub struct Not {
    /// What must not hold.
    pub body: Body,
    /// Written with braces.
    pub explicit_body: bool,
    /// Where it stands.
    pub span: Span,
}

/// Two bodies joined by `and` or `or`.
#[derive(Debug, Clone)]
pub struct Logical {
    /// Left operand.
    pub lhs: Body,
    /// Right operand.
    pub rhs: Body,
    /// The left operand is written with braces.
    pub explicit_lhs: bool,
    /// The right operand is written with braces.
    pub explicit_rhs: bool,
    /// Where it stands.
    pub span: Span,
}

/// `with target as value`.
#[derive(Debug, Clone)]
pub struct With {
    /// What is replaced: a reference, or the variable of a function.
    pub target: Term,
    /// By what.
    pub value: Term,
    /// Where it stands.
    pub span: Span,
}

/// Equality, hash and order over the named fields, in that order.
macro_rules! compare_by {
    ($type:ty: $($field:ident),+) => {
        impl PartialEq for $type {
            fn eq(&self, other: &Self) -> bool {
                $(self.$field == other.$field)&&+
            }
        }
        impl Eq for $type {}
        impl Hash for $type {
            fn hash<H: Hasher>(&self, state: &mut H) {
                $(self.$field.hash(state);)+
            }
        }
        impl PartialOrd for $type {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }
        impl Ord for $type {
            fn cmp(&self, other: &Self) -> Ordering {
                Ordering::Equal$(.then_with(|| self.$field.cmp(&other.$field)))+
            }
        }
    };
}
pub(super) use compare_by;

compare_by!(SomeDecl: symbols);
compare_by!(Every: key, value, domain, body);
compare_by!(Not: body);
compare_by!(Logical: lhs, rhs);
compare_by!(With: target, value);

impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind && self.negated == other.negated && self.with == other.with
    }
}

impl Eq for Expr {}

impl Hash for Expr {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.kind.hash(state);
        self.negated.hash(state);
        self.with.hash(state);
    }
}

impl PartialOrd for Expr {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Expr {
    fn cmp(&self, other: &Self) -> Ordering {
        let rank = |e: &Self| match e.kind {
            ExprKind::SomeDecl(_) => 0,
            ExprKind::Term(_) => 1,
            ExprKind::Call(_) => 2,
            ExprKind::Every(_) => 3,
            ExprKind::Not(_) => 4,
            ExprKind::And(_) => 5,
            ExprKind::Or(_) => 6,
        };
        rank(self)
            .cmp(&rank(other))
            .then_with(|| self.negated.cmp(&other.negated))
            .then_with(|| self.kind.cmp(&other.kind))
            .then_with(|| self.with.cmp(&other.with))
    }
}

impl Expr {
    /// A plain expression.
    #[must_use]
    pub fn new(kind: ExprKind, span: Span) -> Self {
        Self { kind, negated: false, with: Vec::new(), generated: false, from_assignment: false, span }
    }

    /// A term as an expression. A call becomes [`ExprKind::Call`].
    #[must_use]
    pub fn from_term(term: Term) -> Self {
        let span = term.span;
        match term.value {
            Value::Call(terms) => Self::new(ExprKind::Call(terms), span),
            value => Self::new(ExprKind::Term(Term::new(value, span)), span),
        }
    }

    /// A call of the built-in `name`.
    #[must_use]
    pub fn call(name: &str, args: Vec<Term>, span: Span) -> Self {
        Self::from_term(Term::call(name, args, span))
    }

    /// The literal `true`.
    #[must_use]
    pub fn literal_true(span: Span) -> Self {
        Self::new(ExprKind::Term(Term::boolean(true, span)), span)
    }

    /// Marks the expression as made by a compiler stage.
    #[must_use]
    pub fn generated(mut self) -> Self {
        self.generated = true;
        self
    }

    /// The operator of a call.
    #[must_use]
    pub fn operator(&self) -> Option<&Ref> {
        self.operator_term().and_then(Term::as_ref_value)
    }

    /// The operator of a call with its span.
    #[must_use]
    pub fn operator_term(&self) -> Option<&Term> {
        match &self.kind {
            ExprKind::Call(terms) => terms.first(),
            _ => None,
        }
    }

    /// The arguments of a call; empty for anything else.
    #[must_use]
    pub fn operands(&self) -> &[Term] {
        match &self.kind {
            ExprKind::Call(terms) => terms.get(1..).unwrap_or_default(),
            _ => &[],
        }
    }

    /// One argument of a call, from 0.
    #[must_use]
    pub fn operand(&self, index: usize) -> Option<&Term> {
        self.operands().get(index)
    }

    /// Whether it calls this built-in or function, by dotted name.
    #[must_use]
    pub fn is_call_to(&self, name: &str) -> bool {
        self.operator().is_some_and(|r| r.is_dotted(name))
    }

    /// `a = b`.
    #[must_use]
    pub fn is_equality(&self) -> bool {
        self.is_call_to("eq")
    }

    /// `a := b`.
    #[must_use]
    pub fn is_assignment(&self) -> bool {
        self.is_call_to("assign")
    }
}

impl Body {
    /// A body of one expression.
    #[must_use]
    pub fn of(expr: Expr) -> Self {
        Self(vec![expr])
    }

    /// The body `true`.
    #[must_use]
    pub fn implicit_true(span: Span) -> Self {
        Self::of(Expr::literal_true(span))
    }
}

impl Deref for Body {
    type Target = Vec<Expr>;
    fn deref(&self) -> &Vec<Expr> {
        &self.0
    }
}

impl DerefMut for Body {
    fn deref_mut(&mut self) -> &mut Vec<Expr> {
        &mut self.0
    }
}

impl From<Vec<Expr>> for Body {
    fn from(exprs: Vec<Expr>) -> Self {
        Self(exprs)
    }
}
