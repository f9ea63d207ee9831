//! Which variables an equality binds, given those that have a value already.

use std::collections::BTreeMap;

use rego_syntax::ast::{Name, Ref, Term, Value};

use crate::vars::{self, Skip, VarSet};

/// Tells whether a variable has a value.
pub(crate) type IsSafe<'a> = &'a dyn Fn(&Name) -> bool;

/// Whether the beginning of a reference has a value.
pub(crate) fn is_ref_safe(reference: &Ref, safe: IsSafe<'_>) -> bool {
    match reference.head() {
        Some(Term { value: Value::Var(name), .. }) => safe(name),
        Some(head) => all_safe(head, safe),
        None => true,
    }
}

fn all_safe(term: &Term, safe: IsSafe<'_>) -> bool {
    vars::of_term(term, Skip::SAFETY).iter().all(safe)
}

/// The variables that `a = b` binds.
pub(crate) fn unify(safe: IsSafe<'_>, a: &Term, b: &Term) -> VarSet {
    let mut unifier = Unifier { safe, unified: VarSet::new(), unknown: BTreeMap::new() };
    unifier.unify(a, b);
    unifier.unified
}

struct Unifier<'a> {
    safe: IsSafe<'a>,
    unified: VarSet,
    /// By variable, those it waits for.
    unknown: BTreeMap<Name, VarSet>,
}

impl Unifier<'_> {
    fn is_safe(&self, name: &Name) -> bool {
        (self.safe)(name) || self.unified.contains(name)
    }

    fn unify(&mut self, a: &Term, b: &Term) {
        match (&a.value, &b.value) {
            (Value::Var(a), Value::Var(b)) => self.unify_vars(a, b),
            (Value::Var(name), Value::Array(_) | Value::Object(_)) => self.unify_all(name, b),
            (Value::Array(_) | Value::Object(_), Value::Var(name)) => self.unify_all(name, a),
            (Value::Var(name), _) if self.has_value(b) => self.mark(name.clone()),
            (_, Value::Var(name)) if self.has_value(a) => self.mark(name.clone()),
            (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
                left.iter().zip(right).for_each(|(a, b)| self.unify(a, b));
            }
            (Value::Object(left), Value::Object(right)) => self.unify_objects(left, right),
            (Value::Array(_), Value::ArrayComp(_) | Value::SetComp(_) | Value::ObjectComp(_)) => {
                self.mark_all(a);
            }
            (Value::ArrayComp(_), Value::Array(_)) | (Value::ObjectComp(_), Value::Object(_)) => {
                self.mark_all(b);
            }
            (Value::Array(_) | Value::Object(_), Value::Ref(_) | Value::Call(_)) if self.has_value(b) => {
                self.mark_all(a);
            }
            (Value::Ref(_) | Value::Call(_), Value::Array(_) | Value::Object(_)) if self.has_value(a) => {
                self.mark_all(b);
            }
            _ => {}
        }
    }

    fn unify_vars(&mut self, a: &Name, b: &Name) {
        if self.is_safe(b) {
            self.mark(a.clone());
        } else if self.is_safe(a) {
            self.mark(b.clone());
        } else {
            self.unknown.entry(a.clone()).or_default().insert(b.clone());
            self.unknown.entry(b.clone()).or_default().insert(a.clone());
        }
    }

    fn unify_objects(&mut self, left: &[(Term, Term)], right: &[(Term, Term)]) {
        if left.len() != right.len() {
            return;
        }
        for (key, value) in left {
            if let Ok(at) = right.binary_search_by(|(other, _)| other.cmp(key))
                && let Some((_, other)) = right.get(at)
            {
                self.unify(value, other);
            }
        }
    }

    /// Whether a value that is no variable can be computed now.
    fn has_value(&self, term: &Term) -> bool {
        match &term.value {
            Value::Ref(reference) => is_ref_safe(reference, self.safe),
            Value::Call(_) => all_safe(term, self.safe),
            _ => true,
        }
    }

    fn mark_all(&mut self, pattern: &Term) {
        vars::of_term(pattern, Skip::PATTERN).into_iter().for_each(|name| self.mark(name));
    }

    /// Marks a variable as bound, and all that waited for nothing else.
    fn mark(&mut self, name: Name) {
        let mut pending = vec![name];
        while let Some(name) = pending.pop() {
            pending.extend(self.unknown.remove(&name).into_iter().flatten());
            for (waiting, needs) in &mut self.unknown {
                if needs.remove(&name) && needs.is_empty() {
                    pending.push(waiting.clone());
                }
            }
            self.unified.insert(name);
        }
    }

    fn unify_all(&mut self, name: &Name, pattern: &Term) {
        if self.is_safe(name) {
            return self.mark_all(pattern);
        }
        let mut open = vars::of_term(pattern, Skip::PATTERN);
        open.retain(|name| !self.is_safe(name));
        if open.is_empty() {
            self.mark(name.clone());
        } else {
            self.unknown.entry(name.clone()).or_default().extend(open);
        }
    }
}
