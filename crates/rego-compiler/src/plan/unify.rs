//! Unification: `=` between two terms, and of a value with a pattern.

use rego_ir::{Local, Operand, StmtKind};
use rego_syntax::ast::{Name, Term, Value};

use super::{PlanErrorKind, Planner, Result};

type Pair<'t> = (&'t Term, &'t Term);

impl Planner<'_> {
    /// Plans `a = b`: variables without a value get one, everything else is compared.
    ///
    /// Arrays and objects on both sides are taken apart. Of their elements, those go first for which one side has a
    /// value: in `[x, y] = [y, 1]` that is the second pair.
    pub(super) fn plan_unify(&mut self, a: &Term, b: &Term) -> Result<()> {
        let mut pairs = Vec::new();
        if !split_pair(a, b, &mut pairs) {
            self.fail_unification([a, b]);
            return Ok(());
        }
        while !pairs.is_empty() {
            let ready = pairs.iter().position(|(a, b)| self.is_plannable(a) || self.is_plannable(b));
            let Some(ready) = ready else {
                let unseen = self.unseen_vars(pairs.iter().flat_map(|(a, b)| [*a, *b]));
                let name = unseen.first().map(ToString::to_string).unwrap_or_default();
                return self.error(PlanErrorKind::UnsafeVar(name));
            };
            let (a, b) = pairs.remove(ready);
            self.plan_unify_pair(a, b)?;
        }
        Ok(())
    }

    fn plan_unify_pair(&mut self, a: &Term, b: &Term) -> Result<()> {
        let (known, pattern) = if self.is_plannable(a) { (a, b) } else { (b, a) };
        // A variable beside a pattern is best the known side; a call or reference beside a variable with a value, too.
        let value = self.plan_term(known)?;
        self.unify_operand(value, pattern)
    }

    /// The pair can never be equal. Its variables get locals, so that the rest, which never runs, can be planned.
    fn fail_unification(&mut self, terms: [&Term; 2]) {
        self.emit(StmtKind::Break { index: 0 });
        let unseen: Vec<Name> = self.unseen_vars(terms).into_iter().cloned().collect();
        for name in unseen {
            let local = self.new_local();
            self.scope.bind(name, local);
        }
    }

    /// Whether the term's value can be planned: its variables have values, or are found by iterating a reference.
    fn is_plannable(&self, term: &Term) -> bool {
        match &term.value {
            Value::Var(name) => self.scope.value_of(name).is_some(),
            Value::Ref(reference) => reference.head().is_none_or(|head| self.is_plannable(head)),
            Value::Array(terms) | Value::Set(terms) => terms.iter().all(|t| self.is_plannable(t)),
            Value::Object(entries) => {
                entries.iter().all(|(key, value)| self.is_plannable(key) && self.is_plannable(value))
            }
            Value::Call(terms) => terms.iter().skip(1).all(|t| self.is_plannable(t)),
            _ => true,
        }
    }

    /// Unifies a value with a pattern.
    pub(super) fn unify_operand(&mut self, value: Operand, pattern: &Term) -> Result<()> {
        if let Some(equal) = self.compare_constants(value, pattern) {
            if !equal {
                self.emit(StmtKind::Break { index: 0 });
            }
            return Ok(());
        }
        match &pattern.value {
            Value::Var(name) => self.unify_var(value, name),
            Value::Array(terms) if !pattern.value.is_constant() => return self.unify_array(value, terms),
            Value::Object(entries) if !pattern.value.is_constant() => {
                return self.unify_object(value, entries);
            }
            _ => {
                let b = self.plan_term(pattern)?;
                self.emit(StmtKind::Equal { a: value, b });
            }
        }
        Ok(())
    }

    fn unify_var(&mut self, value: Operand, name: &Name) {
        match self.scope.value_of(name) {
            Some(b) => self.emit(StmtKind::Equal { a: value, b }),
            None => {
                let value = self.stable(value);
                self.scope.bind(name.clone(), value);
            }
        }
    }

    /// An operand that keeps its value. The locals of `input` and `data` change under `with`, so these are copied.
    fn stable(&mut self, value: Operand) -> Operand {
        let is_document =
            ["input", "data"].into_iter().any(|document| self.scope.value_of(document) == Some(value));
        if is_document { self.make(|target| StmtKind::AssignVar { source: value, target }) } else { value }
    }

    /// Whether two constants are equal, if both are constants that operands can hold.
    fn compare_constants(&mut self, value: Operand, pattern: &Term) -> Option<bool> {
        match (value, &pattern.value) {
            (Operand::String(index), Value::String(text)) => Some(index == self.statics.string(text)),
            (Operand::Bool(a), Value::Bool(b)) => Some(a == *b),
            _ => None,
        }
    }

    fn unify_array(&mut self, source: Operand, terms: &[Term]) -> Result<()> {
        self.emit(StmtKind::IsArray { source });
        self.require_length(source, terms.len());
        for (index, term) in terms.iter().enumerate() {
            let key = self.make_int(index);
            let value = self.make(|target| StmtKind::Dot { source, key, target });
            self.unify_operand(value, term)?;
        }
        Ok(())
    }

    fn unify_object(&mut self, source: Operand, entries: &[(Term, Term)]) -> Result<()> {
        self.emit(StmtKind::IsObject { source });
        self.require_length(source, entries.len());
        for (key, term) in entries {
            let key = self.plan_term(key)?;
            let value = self.make(|target| StmtKind::Dot { source, key, target });
            self.unify_operand(value, term)?;
        }
        Ok(())
    }

    fn require_length(&mut self, source: Operand, length: usize) {
        let found: Local = self.new_local();
        self.emit(StmtKind::Len { source, target: found });
        let wanted = self.make_int(length);
        self.emit(StmtKind::Equal { a: found.into(), b: wanted });
    }
}

/// Takes arrays and objects apart, as far as both sides show their elements. False if they cannot be equal.
fn split_pair<'t>(a: &'t Term, b: &'t Term, pairs: &mut Vec<Pair<'t>>) -> bool {
    match (&a.value, &b.value) {
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| split_pair(a, b, pairs))
        }
        (Value::Object(a), Value::Object(b)) if a.iter().map(|e| &e.0).eq(b.iter().map(|e| &e.0)) => {
            a.iter().zip(b).all(|((_, a), (_, b))| split_pair(a, b, pairs))
        }
        (Value::Object(x), Value::Object(y))
            if x.len() != y.len() && has_constant_keys(x) && has_constant_keys(y) =>
        {
            false
        }
        _ => {
            pairs.push((a, b));
            true
        }
    }
}

fn has_constant_keys(entries: &[(Term, Term)]) -> bool {
    entries.iter().all(|(key, _)| key.value.is_constant())
}
