//! Terms while they are evaluated: ground values, and what stands in the tree.

use std::rc::Rc;

use rego_syntax::Span;
use rego_syntax::ast::{Number, Ref, Term, Value as Tree};
use rego_value::Value;

/// A term: a value, or a piece of the tree that is not constant.
#[derive(Clone, Debug)]
pub(crate) enum T {
    /// A value.
    Value(Value),
    /// Anything else.
    Tree(Rc<Term>),
}

impl T {
    /// A term of the tree; constants become values.
    pub(crate) fn of(term: &Term) -> Self {
        to_value(term).map_or_else(|| Self::Tree(Rc::new(term.clone())), Self::Value)
    }

    /// A piece of the tree that a stage made.
    pub(crate) fn owned(term: Term) -> Self {
        to_value(&term).map_or_else(|| Self::Tree(Rc::new(term)), Self::Value)
    }

    pub(crate) fn var(name: &str) -> Self {
        Self::Tree(Rc::new(Term::var(name, Span::NONE)))
    }

    /// The tree of it.
    pub(crate) fn to_term(&self) -> Term {
        match self {
            Self::Value(value) => to_term(value),
            Self::Tree(term) => (**term).clone(),
        }
    }

    pub(crate) fn tree(&self) -> Option<&Tree> {
        match self {
            Self::Tree(term) => Some(&term.value),
            Self::Value(_) => None,
        }
    }

    pub(crate) fn value(&self) -> Option<&Value> {
        match self {
            Self::Value(value) => Some(value),
            Self::Tree(_) => None,
        }
    }

    pub(crate) fn is_var(&self) -> bool {
        matches!(self.tree(), Some(Tree::Var(_)))
    }

    pub(crate) fn is_ref(&self) -> bool {
        matches!(self.tree(), Some(Tree::Ref(_)))
    }

    pub(crate) fn is_comprehension(&self) -> bool {
        matches!(self.tree(), Some(Tree::ArrayComp(_) | Tree::SetComp(_) | Tree::ObjectComp(_)))
    }

    pub(crate) fn is_set(&self) -> bool {
        matches!(self, Self::Value(Value::Set(_))) || matches!(self.tree(), Some(Tree::Set(_)))
    }

    /// Whether nothing in it has to be looked up but references.
    pub(crate) fn is_ground(&self) -> bool {
        match self {
            Self::Value(_) => true,
            Self::Tree(term) => term.is_ground(),
        }
    }

    pub(crate) fn is_false(&self) -> bool {
        matches!(self, Self::Value(Value::Bool(false)))
    }

    /// The steps of a reference, the head among them.
    pub(crate) fn steps(&self) -> Option<&Ref> {
        match self.tree() {
            Some(Tree::Ref(reference)) => Some(reference),
            _ => None,
        }
    }

    /// The elements of an array.
    pub(crate) fn elements(&self) -> Option<Vec<T>> {
        match self {
            Self::Value(Value::Array(items)) => Some(items.iter().cloned().map(T::Value).collect()),
            Self::Tree(term) => match &term.value {
                Tree::Array(items) => Some(items.iter().map(T::of).collect()),
                _ => None,
            },
            Self::Value(_) => None,
        }
    }

    /// The members of an object.
    pub(crate) fn members(&self) -> Option<Vec<(T, T)>> {
        match self {
            Self::Value(Value::Object(members)) => {
                Some(members.iter().map(|(k, v)| (T::Value(k.clone()), T::Value(v.clone()))).collect())
            }
            Self::Tree(term) => match &term.value {
                Tree::Object(members) => Some(members.iter().map(|(k, v)| (T::of(k), T::of(v))).collect()),
                _ => None,
            },
            Self::Value(_) => None,
        }
    }

    /// The elements of a set.
    pub(crate) fn set_elements(&self) -> Option<Vec<T>> {
        match self {
            Self::Value(Value::Set(items)) => Some(items.iter().cloned().map(T::Value).collect()),
            Self::Tree(term) => match &term.value {
                Tree::Set(items) => Some(items.iter().map(T::of).collect()),
                _ => None,
            },
            Self::Value(_) => None,
        }
    }
}

impl PartialEq for T {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Value(a), Self::Value(b)) => a == b,
            (Self::Tree(a), Self::Tree(b)) => a == b,
            _ => false,
        }
    }
}

impl std::fmt::Display for T {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Value(value) => value.fmt(f),
            Self::Tree(term) => term.fmt(f),
        }
    }
}

/// The value of a constant term.
pub(crate) fn to_value(term: &Term) -> Option<Value> {
    Some(match &term.value {
        Tree::Null => Value::Null,
        Tree::Bool(b) => Value::Bool(*b),
        Tree::Number(number) => Value::Number(rego_value::Number::parse(number.as_str()).ok()?),
        Tree::String(text) => Value::String(text.as_str().into()),
        Tree::Array(items) => Value::array(items.iter().map(to_value).collect::<Option<Vec<_>>>()?),
        Tree::Set(items) => Value::set(items.iter().map(to_value).collect::<Option<Vec<_>>>()?),
        Tree::Object(members) => {
            let member = |(k, v): &(Term, Term)| Some((to_value(k)?, to_value(v)?));
            Value::object(members.iter().map(member).collect::<Option<Vec<_>>>()?)
        }
        _ => return None,
    })
}

/// The tree of a value.
pub(crate) fn to_term(value: &Value) -> Term {
    let tree = match value {
        Value::Null => Tree::Null,
        Value::Bool(b) => Tree::Bool(*b),
        Value::Number(number) => Tree::Number(Number::new(&number.to_string())),
        Value::String(text) => Tree::String((&**text).into()),
        Value::Array(items) => Tree::Array(items.iter().map(to_term).collect()),
        Value::Set(items) => Tree::set(items.iter().map(to_term)),
        Value::Object(members) => Tree::object(members.iter().map(|(k, v)| (to_term(k), to_term(v)))),
    };
    Term::new(tree, Span::NONE)
}

/// An array, object or set of terms, a value if all of them are.
pub(crate) fn array(items: Vec<T>) -> T {
    let values: Option<Vec<Value>> = items.iter().map(|item| item.value().cloned()).collect();
    match values {
        Some(values) => T::Value(Value::array(values)),
        None => T::owned(Term::new(Tree::Array(items.iter().map(T::to_term).collect()), Span::NONE)),
    }
}

pub(crate) fn object(members: Vec<(T, T)>) -> T {
    let values: Option<Vec<(Value, Value)>> =
        members.iter().map(|(k, v)| Some((k.value()?.clone(), v.value()?.clone()))).collect();
    match values {
        Some(values) => T::Value(Value::object(values)),
        None => {
            let members = members.iter().map(|(k, v)| (k.to_term(), v.to_term()));
            T::owned(Term::new(Tree::object(members), Span::NONE))
        }
    }
}

pub(crate) fn set(items: Vec<T>) -> T {
    let values: Option<Vec<Value>> = items.iter().map(|item| item.value().cloned()).collect();
    match values {
        Some(values) => T::Value(Value::set(values)),
        None => T::owned(Term::new(Tree::set(items.iter().map(T::to_term)), Span::NONE)),
    }
}

/// Whether a name stands for a document.
pub(crate) fn is_root(name: &str) -> bool {
    name == "data" || name == "input"
}

/// What a value has at a path.
pub(crate) fn select(value: &Value, path: &[Value]) -> Option<Value> {
    let mut at = value.clone();
    for step in path {
        at = at.get(step)?.clone();
    }
    Some(at)
}
