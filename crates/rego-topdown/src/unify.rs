//! Unification: what makes two terms equal.

use std::rc::Rc;

use rego_syntax::Span;
use rego_syntax::ast::{ArrayComp, ObjectComp, SetComp, Term, Value as Tree};
use rego_value::Value;

use crate::error::Failure;
use crate::machine::{B, F, Flow, Machine, Next, Stop, query_of};
use crate::select::Selection;
use crate::term::{T, array, object, set};

impl<'p> Machine<'p> {
    /// Goes on with what makes `a` and `b` equal, once for each way.
    pub(crate) fn unify(&mut self, f: F, a: &T, a_in: B, b: &T, b_in: B, next: Next<'_, 'p>) -> Flow {
        let (a, a_in) = self.apply(a, a_in);
        let (b, b_in) = self.apply(b, b_in);
        if needs_lookup(&a) || needs_lookup(&b) || a.is_set() {
            return if may_be_equal(&a, &b) {
                self.unify_values(f, &a, a_in, &b, b_in, next)
            } else {
                Ok(())
            };
        }
        if let (T::Value(x), T::Value(y)) = (&a, &b) {
            return if x == y { next(self) } else { Ok(()) };
        }
        if let (Some(x), Some(y)) = (a.elements(), b.elements()) {
            let pairs: Vec<(T, T)> = x.iter().cloned().zip(y.iter().cloned()).collect();
            return if x.len() == y.len() { self.unify_all(f, &pairs, a_in, b_in, next) } else { Ok(()) };
        }
        if let (Some(x), Some(y)) = (a.members(), b.members()) {
            if x.len() != y.len() {
                return Ok(());
            }
            let mut pairs = Vec::with_capacity(x.len());
            for (key, value) in &x {
                let key = self.plug(key, a_in);
                let Some((_, other)) = y.iter().find(|(other, _)| self.plug(other, b_in) == key) else {
                    return Ok(());
                };
                pairs.push((value.clone(), other.clone()));
            }
            return self.unify_all(f, &pairs, a_in, b_in, next);
        }
        Ok(())
    }

    /// Unifies terms pair by pair.
    pub(crate) fn unify_all(&mut self, f: F, pairs: &[(T, T)], a_in: B, b_in: B, next: Next<'_, 'p>) -> Flow {
        let Some(((a, b), rest)) = pairs.split_first() else { return next(self) };
        self.unify(f, a, a_in, b, b_in, &mut |m| m.unify_all(f, rest, a_in, b_in, next))
    }

    fn unify_values(&mut self, f: F, a: &T, a_in: B, b: &T, b_in: B, next: Next<'_, 'p>) -> Flow {
        let saves_a = self.saves_side(a, a_in);
        if !saves_a && a.is_ref() {
            return self.unify_reference(f, a, a_in, b, b_in, next);
        }
        let saves_b = self.saves_side(b, b_in);
        if !saves_b && b.is_ref() {
            return self.unify_reference(f, b, b_in, a, a_in, next);
        }
        if saves_a || saves_b {
            return self.save_unify(f, a, a_in, b, b_in, next);
        }
        if a.is_comprehension() {
            return self.unify_comprehension(f, (a, a_in), (b, b_in), false, next);
        }
        if b.is_comprehension() {
            return self.unify_comprehension(f, (b, b_in), (a, a_in), true, next);
        }
        match (a.is_var(), b.is_var()) {
            (true, true) if a_in == b_in && a == b => next(self),
            (true, _) => self.bound(a, a_in, b, b_in, next),
            (false, true) => self.bound(b, b_in, a, a_in, next),
            (false, false) if self.plug(a, a_in) == self.plug(b, b_in) => next(self),
            (false, false) => Ok(()),
        }
    }

    fn saves_side(&self, t: &T, b: B) -> bool {
        if t.is_set() { self.is_saved_within(t, b) } else { self.is_saved(t, b) }
    }

    fn unify_reference(&mut self, f: F, a: &T, a_in: B, b: &T, b_in: B, next: Next<'_, 'p>) -> Flow {
        let Some(reference) = a.steps() else { return Ok(()) };
        let steps: Rc<[T]> = reference.iter().map(T::of).collect();
        let span = match a {
            T::Tree(term) => term.span,
            T::Value(_) => Span::NONE,
        };
        let selection = Selection { f, steps, span, b: a_in, result: b.clone(), result_in: b_in };
        let head = reference.head_var().map_or("", |name| name.as_str());
        match head {
            "data" => {
                let tree = self.program.rule_tree();
                let node = tree.child(tree.root(), &Tree::Var("data".into()));
                let path: Vec<T> = selection.steps.to_vec();
                self.in_documents(&selection, 1, path, node, next)
            }
            "input" => {
                let Some(input) = self.frame(f).input.clone() else { return Ok(()) };
                self.in_term(&selection, 1, &T::Value(input), a_in, next)
            }
            _ => {
                let Some(first) = selection.steps.first().cloned() else { return Ok(()) };
                let (term, at) = self.apply(&first, a_in);
                if term.is_var() && term == first && at == a_in && !self.is_saved(&term, at) {
                    return Ok(());
                }
                self.in_term(&selection, 1, &term, at, next)
            }
        }
    }

    fn unify_comprehension(
        &mut self,
        f: F,
        (a, a_in): (&T, B),
        (b, b_in): (&T, B),
        swapped: bool,
        next: Next<'_, 'p>,
    ) -> Flow {
        if self.is_unknown_term(&a.to_term(), a_in) {
            return self.save_comprehension(f, (a, a_in), (b, b_in), swapped, next);
        }
        let value = match a.tree() {
            Some(Tree::ArrayComp(comp)) => self.array_of(f, comp)?,
            Some(Tree::SetComp(comp)) => self.set_of(f, comp)?,
            Some(Tree::ObjectComp(comp)) => self.object_of(f, comp)?,
            _ => return Ok(()),
        };
        self.unify(f, &value, a_in, b, b_in, next)
    }

    fn array_of(&mut self, f: F, comp: &ArrayComp) -> Result<T, Stop> {
        self.elements_of(f, &comp.term, &comp.body).map(array)
    }

    fn set_of(&mut self, f: F, comp: &SetComp) -> Result<T, Stop> {
        self.elements_of(f, &comp.term, &comp.body).map(set)
    }

    fn elements_of(&mut self, f: F, term: &Term, body: &rego_syntax::ast::Body) -> Result<Vec<T>, Stop> {
        let mut found = Vec::new();
        let term = T::of(term);
        self.closure(f, query_of(body), |m, child| {
            let b = m.own_bindings(child);
            m.run(child, &mut |m| {
                found.push(m.plug(&term, b));
                Ok(())
            })
        })?;
        Ok(found)
    }

    fn object_of(&mut self, f: F, comp: &ObjectComp) -> Result<T, Stop> {
        let mut found: Vec<(T, T)> = Vec::new();
        let (key, value) = (T::of(&comp.key), T::of(&comp.value));
        self.closure(f, query_of(&comp.body), |m, child| {
            let b = m.own_bindings(child);
            m.run(child, &mut |m| {
                let (key, value) = (m.plug(&key, b), m.plug(&value, b));
                match found.iter().find(|(known, _)| *known == key) {
                    Some((_, known)) if *known != value => {
                        return Err(Stop::Error(Box::new(Failure::object_key(comp.key.span))));
                    }
                    Some(_) => {}
                    None => found.push((key, value)),
                }
                Ok(())
            })
        })?;
        Ok(object(found))
    }
}

fn needs_lookup(t: &T) -> bool {
    t.is_var() || t.is_ref() || t.is_comprehension()
}

/// Whether a comprehension could give what stands on the other side.
fn may_be_equal(a: &T, b: &T) -> bool {
    let fits = |comp: &T, other: &T| {
        if !comp.is_comprehension() || needs_lookup(other) {
            return true;
        }
        match comp.tree() {
            Some(Tree::ArrayComp(_)) => other.elements().is_some(),
            Some(Tree::SetComp(_)) => other.is_set(),
            _ => other.members().is_some(),
        }
    };
    fits(a, b) && fits(b, a)
}

/// What an array, an object or a set has at a key.
pub(crate) fn member(m: &Machine<'_>, t: &T, b: B, key: &T) -> Option<T> {
    match (t, key) {
        (T::Value(value), T::Value(key)) => value.get(key).cloned().map(T::Value),
        (T::Value(_), T::Tree(_)) => None,
        (T::Tree(_), key) => {
            if let Some(items) = t.elements() {
                let at = key.value().and_then(Value::as_i64).and_then(|at| usize::try_from(at).ok())?;
                return items.get(at).cloned();
            }
            if let Some(members) = t.members() {
                return members.into_iter().find(|(known, _)| m.plug(known, b) == *key).map(|(_, v)| v);
            }
            let found = t.set_elements()?.into_iter().any(|item| m.plug(&item, b) == *key);
            found.then(|| key.clone())
        }
    }
}
