//! The variables of nested scopes, and what each was renamed to.

use std::collections::{BTreeMap, HashMap};

use rego_syntax::Diagnostic;
use rego_syntax::ast::Name;

/// How a variable came to be known in a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Occurrence {
    /// An argument.
    Argument,
    /// Used.
    Seen,
    /// Assigned with `:=`.
    Assigned,
    /// Declared with `some` or `every`.
    Declared,
}

/// One variable of a scope.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) renamed: Name,
    pub(super) occurrence: Option<Occurrence>,
    pub(super) count: usize,
}

/// Scopes from the outermost to the current one.
#[derive(Clone, Default)]
pub(super) struct Scopes {
    scopes: Vec<BTreeMap<Name, Entry>>,
    /// All variables that were renamed, by their new name.
    pub(super) rewritten: HashMap<Name, Name>,
    /// Variables that nothing uses.
    pub(super) unused: Vec<Diagnostic>,
}

impl Scopes {
    pub(super) fn new() -> Self {
        Self { scopes: vec![BTreeMap::new()], ..Self::default() }
    }

    pub(super) fn push(&mut self) {
        self.scopes.push(BTreeMap::new());
    }

    pub(super) fn pop(&mut self) {
        self.scopes.pop();
    }

    /// The variables of the current scope.
    pub(super) fn current(&self) -> impl Iterator<Item = (&Name, &Entry)> {
        self.scopes.last().into_iter().flatten()
    }

    pub(super) fn insert(&mut self, name: Name, renamed: Name, occurrence: Occurrence) {
        if name != renamed {
            self.rewritten.insert(renamed.clone(), name.clone());
        }
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(name, Entry { renamed, occurrence: Some(occurrence), count: 1 });
        }
    }

    /// What the variable is called now, in the innermost scope that knows it.
    pub(super) fn declared(&self, name: &Name) -> Option<&Name> {
        self.innermost(name).map(|entry| &entry.renamed)
    }

    fn innermost(&self, name: &Name) -> Option<&Entry> {
        self.scopes.iter().rev().find_map(|scope| scope.get(name))
    }

    /// How the current scope knows the variable.
    pub(super) fn occurrence(&self, name: &Name) -> Option<Occurrence> {
        self.scopes.last()?.get(name)?.occurrence
    }

    /// How the innermost scope that knows the variable does.
    pub(super) fn any_occurrence(&self, name: &Name) -> Option<Occurrence> {
        self.innermost(name)?.occurrence
    }

    /// Counts one more use.
    pub(super) fn seen(&mut self, name: &Name) {
        if let Some(entry) = self.scopes.iter_mut().rev().find_map(|scope| scope.get_mut(name)) {
            entry.count += 1;
        }
    }

    /// How often the variable occurred.
    pub(super) fn count(&self, name: &Name) -> usize {
        self.innermost(name).map_or(0, |entry| entry.count)
    }
}
