//! Modules: packages, imports, rules and comments.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use super::expr::compare_by;
use super::{Annotations, Body, Name, Ref, Term};
use crate::span::Span;

/// Which language a module is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum RegoVersion {
    /// Rego as it was before OPA 1.0; keywords of the future are imported one by one.
    V0,
    /// V0 syntax that must be valid V1 as well: what `import rego.v1` asks for.
    V0CompatV1,
    /// The language of OPA 1.x.
    #[default]
    V1,
    /// V1 with the keywords `and`, `or` and bodies behind `not`: what `import rego.v2` asks for.
    V2,
}

/// One source file.
#[derive(Debug, Clone)]
pub struct Module {
    /// Its package.
    pub package: Package,
    /// Its imports, in order.
    pub imports: Vec<Import>,
    /// Its rules, in order. `p { a } { b }` gives two rules.
    pub rules: Vec<Rule>,
    /// All its comments, in order.
    pub comments: Vec<Comment>,
    /// Its METADATA blocks, in order.
    pub annotations: Vec<Annotations>,
    /// The language after `import rego.v1` and `import rego.v2` are taken into account.
    pub rego_version: RegoVersion,
}

/// `package a.b`: the path begins with `data`.
#[derive(Debug, Clone)]
pub struct Package {
    /// `data.a.b`
    pub path: Ref,
    /// Where the keyword stands.
    pub span: Span,
}

/// `import path as alias`.
#[derive(Debug, Clone)]
pub struct Import {
    /// A reference; `import input` and `import data` too.
    pub path: Term,
    /// The name behind `as`.
    pub alias: Option<Name>,
    /// Where the name behind `as` stands.
    pub alias_span: Span,
    /// Where the keyword stands.
    pub span: Span,
}

/// A rule with its chain of `else`.
#[derive(Debug, Clone)]
pub struct Rule {
    /// `default p := v`: the body is `true`.
    pub default: bool,
    /// What it defines.
    pub head: Head,
    /// When. A rule that is written without a body has the body `true`.
    pub body: Body,
    /// `else`.
    pub else_rule: Option<Box<Rule>>,
    /// The body was not written.
    pub generated_body: bool,
    /// Indexes into [`Module::annotations`] of the blocks that belong to this rule.
    pub annotations: Vec<usize>,
    /// Where it stands.
    pub span: Span,
}

/// What a rule defines.
#[derive(Debug, Clone, Default)]
pub struct Head {
    /// The name, for heads of one term (and, for compatibility, of `p[x]`); empty otherwise.
    pub name: Name,
    /// The reference, `p.q[x]`. Of a partial set `p contains x` it is `p`.
    pub reference: Ref,
    /// The arguments of a function.
    pub args: Vec<Term>,
    /// The element of a partial set, or the key of `p[x] = y`.
    pub key: Option<Term>,
    /// The value; `true` where none is written and the rule is no partial set.
    pub value: Option<Term>,
    /// Written with `:=`.
    pub assign: bool,
    /// The value was not written.
    pub generated_value: bool,
    /// Which keywords the head was written with.
    pub keywords: HeadKeywords,
    /// Where it stands.
    pub span: Span,
}

/// The keywords of a rule head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HeadKeywords {
    /// `if`
    pub has_if: bool,
    /// `contains`
    pub has_contains: bool,
}

/// Whether a rule has one value or contributes to a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleKind {
    /// One value per reference.
    SingleValue,
    /// One element of a set.
    MultiValue,
}

/// The kind of document that a rule contributes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocKind {
    /// A document defined by the rule alone.
    Complete,
    /// A set.
    PartialSet,
    /// An object.
    PartialObject,
}

/// A comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// The text behind `#`.
    pub text: String,
    /// Row, from 1.
    pub row: u32,
    /// Column of the `#`, from 1.
    pub col: u32,
    /// Where it stands, `#` included.
    pub span: Span,
}

compare_by!(Package: path);
compare_by!(Import: path, alias);
compare_by!(Head: assign, args, reference, name, key, value);
compare_by!(Rule: head, default, body, else_rule);

impl Head {
    /// The head of a rule that is named by one variable.
    #[must_use]
    pub fn named(name: impl Into<Name>, span: Span) -> Self {
        let name = name.into();
        Self { name: name.clone(), reference: Ref(vec![Term::var(name, span)]), span, ..Self::default() }
    }

    /// The head of a rule that is named by a reference.
    #[must_use]
    pub fn referring(reference: Ref, span: Span) -> Self {
        let name = match reference.as_slice() {
            [only] => only.as_var().cloned().unwrap_or_default(),
            _ => Name::default(),
        };
        Self { name, reference, span, ..Self::default() }
    }

    /// Whether the rule has one value or contributes to a set.
    #[must_use]
    pub fn rule_kind(&self) -> RuleKind {
        if self.value.is_some() { RuleKind::SingleValue } else { RuleKind::MultiValue }
    }

    /// The kind of document that the rule contributes to.
    #[must_use]
    pub fn doc_kind(&self) -> DocKind {
        match (&self.key, &self.value) {
            (Some(_), Some(_)) => DocKind::PartialObject,
            (Some(_), None) => DocKind::PartialSet,
            (None, _) if self.has_dynamic_ref() => DocKind::PartialObject,
            (None, _) => DocKind::Complete,
        }
    }

    /// Whether a step of the reference is not a constant.
    #[must_use]
    pub fn has_dynamic_ref(&self) -> bool {
        self.reference.dynamic().is_some_and(|at| at > 0)
    }

    /// Whether it is a function.
    #[must_use]
    pub fn is_function(&self) -> bool {
        !self.args.is_empty()
    }
}

impl Rule {
    /// A rule from a head and a body.
    #[must_use]
    pub fn new(head: Head, body: Body, span: Span) -> Self {
        Self {
            default: false,
            head,
            body,
            else_rule: None,
            generated_body: false,
            annotations: Vec::new(),
            span,
        }
    }

    /// The reference of the rule in its module's package: `data.a.b` and then the head's steps, their first
    /// as a string.
    #[must_use]
    pub fn full_ref(&self, package: &Package) -> Ref {
        let mut steps = self.head.reference.0.clone();
        if let Some(first) = steps.first_mut()
            && let Some(name) = first.as_var().cloned()
        {
            *first = Term::string(name, first.span);
        }
        package.path.extended(steps)
    }
}

impl Import {
    /// The name that the import binds: its alias, or the last step of its path.
    #[must_use]
    pub fn name(&self) -> Option<&Name> {
        self.alias.as_ref().or_else(|| {
            let last = self.path.as_ref_value()?.last()?;
            last.as_string().or_else(|| last.as_var())
        })
    }
}
