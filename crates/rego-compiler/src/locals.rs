//! Fresh variables.

use std::collections::HashMap;
use std::collections::HashSet;

use rego_syntax::Span;
use rego_syntax::ast::{Body, Expr, Module, Name, Term, Value};

use crate::vars::{Collector, Skip};

/// Makes variables that occur nowhere in the source: `__local0__`, `__local1__`, …
#[derive(Clone, Default)]
pub(crate) struct Locals {
    taken: HashSet<Name>,
    prefix: &'static str,
    next: usize,
    /// The terms that variables were made for, so that type errors can show them instead.
    pub(crate) subjects: HashMap<Name, Value>,
}

impl Locals {
    /// For rules.
    pub(crate) fn for_modules(modules: &[Module]) -> Self {
        let mut collector = Collector::new(Skip::NOTHING);
        for rule in modules.iter().flat_map(|module| &module.rules) {
            collector.rule(rule);
        }
        Self { taken: collector.vars.into_iter().collect(), prefix: "__local", ..Self::default() }
    }

    /// For a query; the names differ from those in rules.
    pub(crate) fn for_query(query: &Body) -> Self {
        let taken = crate::vars::of_body(query, Skip::NOTHING).into_iter().collect();
        Self { taken, prefix: "__localq", ..Self::default() }
    }

    /// The next variable that is not taken.
    pub(crate) fn fresh(&mut self) -> Name {
        loop {
            let name = Name::from(format!("{}{}__", self.prefix, self.next));
            self.next += 1;
            if !self.taken.contains(&name) {
                return name;
            }
        }
    }

    /// A fresh variable as a term.
    pub(crate) fn fresh_term(&mut self, span: Span) -> Term {
        Term::var(self.fresh(), span)
    }

    /// Takes `term` out into an equality of its own and leaves a fresh variable in its place.
    pub(crate) fn take_out(&mut self, term: &mut Term) -> Expr {
        let var = self.fresh_term(term.span);
        let taken = std::mem::replace(term, var.clone());
        equality(var, taken).generated()
    }

    /// Remembers that `name` stands for `value`.
    pub(crate) fn stands_for(&mut self, name: &Name, value: Value) {
        self.subjects.insert(name.clone(), value);
    }
}

/// `left = right`, at the place of `right`.
pub(crate) fn equality(left: Term, right: Term) -> Expr {
    let span = right.span;
    Expr::call("eq", vec![left, right], span)
}

/// Adds expressions to a body; they replace the `true` of a body that says nothing else.
pub(crate) fn append(body: &mut Body, exprs: Vec<Expr>) {
    if !exprs.is_empty() && is_true(body) {
        body.clear();
    }
    body.extend(exprs);
}

/// Whether the body is `true` and nothing more.
pub(crate) fn is_true(body: &Body) -> bool {
    match body.as_slice() {
        [only] => matches!(&only.kind, rego_syntax::ast::ExprKind::Term(t) if t.value == Value::Bool(true)),
        _ => false,
    }
}
