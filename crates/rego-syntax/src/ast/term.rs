//! Terms: the values of the language, with their spans.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::ops::{Deref, DerefMut};

use super::{Body, Expr, Name, Number};
use crate::span::Span;

/// A value with the place where it stands. Equality, order and hash ignore the span.
#[derive(Debug, Clone)]
pub struct Term {
    /// What it is.
    pub value: Value,
    /// Where it stands.
    pub span: Span,
}

/// What a term can be. The order of the variants is the order of OPA's `ast.Compare`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Value {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number, kept as text.
    Number(Number),
    /// A string with its escapes resolved; raw strings are strings.
    String(Name),
    /// `$"… {x} …"`
    TemplateString(Box<TemplateString>),
    /// A variable. `_` is renamed `$0`, `$1`, … by the parser.
    Var(Name),
    /// A reference of at least one term. `input` and `data` alone are references of one term.
    Ref(Ref),
    /// `[a, b]`
    Array(Vec<Term>),
    /// `{k: v}`: keys differ and stand in order. Build with [`Value::object`].
    Object(Vec<(Term, Term)>),
    /// `{a, b}`: elements differ and stand in order. Build with [`Value::set`].
    Set(Vec<Term>),
    /// `[x | body]`
    ArrayComp(Box<ArrayComp>),
    /// `{k: v | body}`
    ObjectComp(Box<ObjectComp>),
    /// `{x | body}`
    SetComp(Box<SetComp>),
    /// A call nested in a term: the operator (a reference) and the arguments.
    Call(Vec<Term>),
}

/// A reference: its head (mostly a variable) and the steps behind it. `a.b` has the string `b` as its step.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Ref(pub Vec<Term>);

/// `$"text {expression} text"`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TemplateString {
    /// Written with backquotes; it may span lines and knows no escapes.
    pub multi_line: bool,
    /// Text and expressions in turn; no two texts follow each other.
    pub parts: Vec<TemplatePart>,
}

/// A piece of a template string. The order is OPA's: a term before an expression.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TemplatePart {
    /// Literal text (a string), or a ground scalar that stood in braces.
    Term(Term),
    /// The expression in braces.
    Expr(Box<Expr>),
}

/// `[term | body]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ArrayComp {
    /// The element.
    pub term: Term,
    /// The body.
    pub body: Body,
}

/// `{term | body}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SetComp {
    /// The element.
    pub term: Term,
    /// The body.
    pub body: Body,
}

/// `{key: value | body}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectComp {
    /// The key.
    pub key: Term,
    /// The value.
    pub value: Term,
    /// The body.
    pub body: Body,
}

impl PartialEq for Term {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl Eq for Term {}

impl Hash for Term {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.value.hash(state);
    }
}

impl PartialOrd for Term {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Term {
    fn cmp(&self, other: &Self) -> Ordering {
        self.value.cmp(&other.value)
    }
}

impl Term {
    /// A term at a span.
    #[must_use]
    pub fn new(value: Value, span: Span) -> Self {
        Self { value, span }
    }

    /// A variable.
    #[must_use]
    pub fn var(name: impl Into<Name>, span: Span) -> Self {
        Self::new(Value::Var(name.into()), span)
    }

    /// A string.
    #[must_use]
    pub fn string(text: impl Into<Name>, span: Span) -> Self {
        Self::new(Value::String(text.into()), span)
    }

    /// `true` or `false`.
    #[must_use]
    pub fn boolean(b: bool, span: Span) -> Self {
        Self::new(Value::Bool(b), span)
    }

    /// `null`.
    #[must_use]
    pub fn null(span: Span) -> Self {
        Self::new(Value::Null, span)
    }

    /// An integer.
    #[must_use]
    pub fn int(n: i64, span: Span) -> Self {
        Self::new(Value::Number(n.into()), span)
    }

    /// A reference.
    #[must_use]
    pub fn reference(terms: Vec<Self>, span: Span) -> Self {
        Self::new(Value::Ref(Ref(terms)), span)
    }

    /// A call of the built-in or function `name`, dots separating the steps of the reference.
    #[must_use]
    pub fn call(name: &str, args: Vec<Self>, span: Span) -> Self {
        let mut terms = Vec::with_capacity(args.len() + 1);
        terms.push(Self::new(Value::Ref(Ref::from_dotted(name, span)), span));
        terms.extend(args);
        Self::new(Value::Call(terms), span)
    }

    /// The same value at another place.
    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.span = span;
        self
    }

    /// The variable's name, if it is a variable.
    #[must_use]
    pub fn as_var(&self) -> Option<&Name> {
        match &self.value {
            Value::Var(name) => Some(name),
            _ => None,
        }
    }

    /// The reference, if it is one.
    #[must_use]
    pub fn as_ref_value(&self) -> Option<&Ref> {
        match &self.value {
            Value::Ref(r) => Some(r),
            _ => None,
        }
    }

    /// The string, if it is one.
    #[must_use]
    pub fn as_string(&self) -> Option<&Name> {
        match &self.value {
            Value::String(s) => Some(s),
            _ => None,
        }
    }

    /// Operator and arguments, if it is a call.
    #[must_use]
    pub fn as_call(&self) -> Option<&[Self]> {
        match &self.value {
            Value::Call(terms) => Some(terms),
            _ => None,
        }
    }

    /// Whether the term holds no variable, comprehension or call.
    #[must_use]
    pub fn is_ground(&self) -> bool {
        self.value.is_ground()
    }
}

impl Value {
    /// An object; of entries with equal keys the last value wins, under the first key.
    #[must_use]
    pub fn object(entries: impl IntoIterator<Item = (Term, Term)>) -> Self {
        let mut entries: Vec<(Term, Term)> = entries.into_iter().collect();
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        entries.dedup_by(|later, first| {
            let equal = later.0 == first.0;
            if equal {
                std::mem::swap(&mut later.1, &mut first.1);
            }
            equal
        });
        Self::Object(entries)
    }

    /// A set; of equal elements the first stays.
    #[must_use]
    pub fn set(elements: impl IntoIterator<Item = Term>) -> Self {
        let mut elements: Vec<Term> = elements.into_iter().collect();
        elements.sort();
        elements.dedup();
        Self::Set(elements)
    }

    /// Restores order and uniqueness after the elements of a set or the keys of an object were changed in place.
    pub fn normalize(&mut self) {
        match self {
            Self::Object(entries) if !entries.is_sorted_by(|a, b| a.0 < b.0) => {
                *self = Self::object(std::mem::take(entries));
            }
            Self::Set(elements) if !elements.is_sorted_by(|a, b| a < b) => {
                *self = Self::set(std::mem::take(elements));
            }
            _ => {}
        }
    }

    /// Whether the value holds no variable, comprehension or call.
    #[must_use]
    pub fn is_ground(&self) -> bool {
        match self {
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_) => true,
            Self::Ref(r) => r.is_ground(),
            Self::Array(terms) | Self::Set(terms) => terms.iter().all(Term::is_ground),
            Self::Object(entries) => entries.iter().all(|(k, v)| k.is_ground() && v.is_ground()),
            Self::Call(terms) => terms.iter().all(Term::is_ground),
            Self::Var(_)
            | Self::ArrayComp(_)
            | Self::ObjectComp(_)
            | Self::SetComp(_)
            | Self::TemplateString(_) => false,
        }
    }

    /// Whether the value holds no variable, reference, comprehension or call.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        match self {
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_) => true,
            Self::Array(terms) | Self::Set(terms) => terms.iter().all(|t| t.value.is_constant()),
            Self::Object(entries) => {
                entries.iter().all(|(k, v)| k.value.is_constant() && v.value.is_constant())
            }
            Self::TemplateString(t) => {
                t.parts.iter().all(|p| matches!(p, TemplatePart::Term(t) if t.value.is_constant()))
            }
            Self::Var(_)
            | Self::Ref(_)
            | Self::ArrayComp(_)
            | Self::ObjectComp(_)
            | Self::SetComp(_)
            | Self::Call(_) => false,
        }
    }

    /// OPA's word for the kind of value, as its messages use it.
    #[must_use]
    pub fn kind_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Number(_) => "number",
            Self::String(_) => "string",
            Self::TemplateString(_) => "templatestring",
            Self::Var(_) => "var",
            Self::Ref(_) => "ref",
            Self::Array(_) => "array",
            Self::Object(_) => "object",
            Self::Set(_) => "set",
            Self::ArrayComp(_) => "arraycomprehension",
            Self::ObjectComp(_) => "objectcomprehension",
            Self::SetComp(_) => "setcomprehension",
            Self::Call(_) => "call",
        }
    }
}

impl Ref {
    /// A reference from a dotted name: a variable, then strings.
    #[must_use]
    pub fn from_dotted(name: &str, span: Span) -> Self {
        let mut terms = Vec::new();
        for (i, part) in name.split('.').enumerate() {
            terms.push(if i == 0 { Term::var(part, span) } else { Term::string(part, span) });
        }
        Self(terms)
    }

    /// The first term.
    #[must_use]
    pub fn head(&self) -> Option<&Term> {
        self.0.first()
    }

    /// The variable that the reference begins with.
    #[must_use]
    pub fn head_var(&self) -> Option<&Name> {
        self.0.first().and_then(Term::as_var)
    }

    /// The steps behind the head.
    #[must_use]
    pub fn steps(&self) -> &[Term] {
        self.0.get(1..).unwrap_or_default()
    }

    /// Whether no step holds a variable. The head does not count: `data.a.b` is ground.
    #[must_use]
    pub fn is_ground(&self) -> bool {
        self.steps().iter().all(Term::is_ground)
    }

    /// The longest beginning of the reference whose steps are ground.
    #[must_use]
    pub fn ground_prefix(&self) -> Self {
        let len = self.steps().iter().take_while(|t| t.is_ground()).count() + 1;
        Self(self.0.get(..len.min(self.0.len())).unwrap_or_default().to_vec())
    }

    /// The longest beginning whose steps are constants (see [`Value::is_constant`]).
    #[must_use]
    pub fn constant_prefix(&self) -> Self {
        Self(self.0.get(..self.dynamic().unwrap_or(self.0.len())).unwrap_or_default().to_vec())
    }

    /// The longest beginning whose steps are strings.
    #[must_use]
    pub fn string_prefix(&self) -> Self {
        let len = self.steps().iter().take_while(|t| t.as_string().is_some()).count() + 1;
        Self(self.0.get(..len.min(self.0.len())).unwrap_or_default().to_vec())
    }

    /// The position of the first step that is not a constant; 0 when the head is a call.
    #[must_use]
    pub fn dynamic(&self) -> Option<usize> {
        if self.0.first().is_some_and(|t| t.as_call().is_some()) {
            return Some(0);
        }
        self.0.iter().enumerate().skip(1).find(|(_, t)| !t.value.is_constant()).map(|(i, _)| i)
    }

    /// Whether `self` begins with `prefix`.
    #[must_use]
    pub fn has_prefix(&self, prefix: &[Term]) -> bool {
        self.0.starts_with(prefix)
    }

    /// Whether it is written as this dotted name: a variable, then strings.
    #[must_use]
    pub fn is_dotted(&self, name: &str) -> bool {
        let mut parts = name.split('.');
        let mut terms = self.0.iter();
        let head =
            matches!((terms.next(), parts.next()), (Some(t), Some(p)) if t.as_var().is_some_and(|v| v == p));
        head && terms.by_ref().zip(parts.by_ref()).all(|(t, p)| t.as_string().is_some_and(|s| s == p))
            && self.0.len() == name.split('.').count()
    }

    /// `self` with more steps.
    #[must_use]
    pub fn extended(&self, steps: impl IntoIterator<Item = Term>) -> Self {
        let mut terms = self.0.clone();
        terms.extend(steps);
        Self(terms)
    }
}

impl Deref for Ref {
    type Target = Vec<Term>;
    fn deref(&self) -> &Vec<Term> {
        &self.0
    }
}

impl DerefMut for Ref {
    fn deref_mut(&mut self) -> &mut Vec<Term> {
        &mut self.0
    }
}

impl From<Vec<Term>> for Ref {
    fn from(terms: Vec<Term>) -> Self {
        Self(terms)
    }
}
