//! References: through documents, rules and values, step by step.

use std::rc::Rc;

use rego_compiler::NodeId;
use rego_syntax::Span;
use rego_syntax::ast::{Ref, Term, Value as Tree};
use rego_value::Value;

use crate::machine::{B, F, Flow, Machine, Next, Stop, path_step};
use crate::term::{T, object, select};
use crate::unify::member;

/// A reference, and what it has to be equal to.
#[derive(Clone, Debug)]
pub(crate) struct Selection {
    pub(crate) f: F,
    pub(crate) steps: Rc<[T]>,
    pub(crate) span: Span,
    pub(crate) b: B,
    pub(crate) result: T,
    pub(crate) result_in: B,
}

/// An iteration that goes on to its end although somebody further out has what it needs.
#[derive(Default)]
pub(crate) struct Iteration {
    deferred: Option<Stop>,
}

impl Iteration {
    pub(crate) fn after(&mut self, flow: Flow) -> Flow {
        match flow {
            Err(stop @ Stop::Deferred(_)) => {
                self.deferred.get_or_insert(stop);
                Ok(())
            }
            other => other,
        }
    }

    pub(crate) fn end(self) -> Flow {
        self.deferred.map_or(Ok(()), Err)
    }
}

impl<'p> Machine<'p> {
    /// Goes on below a document: `path` is what is known of the reference, `node` the rules below it.
    pub(crate) fn in_documents(
        &mut self,
        s: &Selection,
        pos: usize,
        path: Vec<T>,
        node: Option<NodeId>,
        next: Next<'_, 'p>,
    ) -> Flow {
        let Some(step) = s.steps.get(pos) else { return self.whole_document(s, &path, node, next) };
        let plugged = self.plug(step, s.b);
        if plugged.is_ground() {
            return self.below_document(s, pos, path, node, plugged, next);
        }
        self.each_below(s, pos, &path, node, next)
    }

    fn whole_document(
        &mut self,
        s: &Selection,
        path: &[T],
        node: Option<NodeId>,
        next: Next<'_, 'p>,
    ) -> Flow {
        if self.is_partial() {
            let term = reference_of(path, s.span);
            if self.is_unknown_term(&term, s.b) {
                return self.save_unify(s.f, &T::owned(term), s.b, &s.result, s.result_in, next);
            }
        }
        let Some(value) = self.extent(s, path, node)? else { return Ok(()) };
        self.unify(s.f, &s.result, s.result_in, &value, s.b, next)
    }

    fn below_document(
        &mut self,
        s: &Selection,
        pos: usize,
        mut path: Vec<T>,
        node: Option<NodeId>,
        step: T,
        next: Next<'_, 'p>,
    ) -> Flow {
        if let Some(slot) = path.get_mut(pos) {
            *slot = step.clone();
        }
        let tree = self.program.rule_tree();
        let mut below = None;
        if !self.is_replaced(path.get(..=pos).unwrap_or_default()) {
            below = node.and_then(|node| tree.child(node, &step.to_term().value));
            if let Some(found) = below
                && tree.node(found).is_some_and(|node| !node.rules.is_empty())
            {
                return self.in_rules(s, pos, &path, found, next);
            }
        }
        self.in_documents(s, pos + 1, path, below, next)
    }

    fn each_below(
        &mut self,
        s: &Selection,
        pos: usize,
        path: &[T],
        node: Option<NodeId>,
        next: Next<'_, 'p>,
    ) -> Flow {
        let prefix = path.get(..pos).unwrap_or_default();
        if self.is_disabled_path(prefix, true) || self.is_saved_path(prefix) {
            let whole = T::owned(reference_of(path, s.span));
            return self.save_unify(s.f, &whole, s.b, &s.result, s.result_in, next);
        }
        let document = self.document(s.f, prefix);
        let keys = document.as_ref().map(keys_of).unwrap_or_default();
        let mut iteration = Iteration::default();
        let step = s.steps.get(pos).cloned().unwrap_or(T::Value(Value::Null));
        for key in keys {
            let key = T::Value(key);
            let result = self.unify(s.f, &key, s.b, &step, s.b, &mut |m| {
                m.below_document(s, pos, path.to_vec(), node, key.clone(), next)
            });
            iteration.after(result)?;
        }
        iteration.end()?;
        let tree = self.program.rule_tree();
        let Some(children) = node.and_then(|node| tree.node(node)).map(|node| &node.children) else {
            return Ok(());
        };
        for key in children.keys() {
            let key = T::owned(Term::new(key.clone(), Span::NONE));
            let known = |value: &Value| key.value().is_some_and(|key| value.get(key).is_some());
            if document.as_ref().is_some_and(known) {
                continue;
            }
            self.unify(s.f, &key, s.b, &step, s.b, &mut |m| {
                m.below_document(s, pos, path.to_vec(), node, key.clone(), next)
            })?;
        }
        Ok(())
    }

    /// Whether a `with` put something in the place of a document or of one above it.
    pub(crate) fn is_replaced(&self, path: &[T]) -> bool {
        let begins = |target: &Ref| {
            target.len() <= path.len()
                && target.iter().zip(path).skip(1).all(|(a, b)| T::of(a) == *b)
                && target.head_var().is_some_and(|head| head == "data")
        };
        self.targets.iter().flatten().any(begins)
    }

    /// What is at a path without rules.
    pub(crate) fn document(&self, f: F, path: &[T]) -> Option<Value> {
        let steps: Option<Vec<Value>> = path.iter().skip(1).map(|step| step.value().cloned()).collect();
        let steps = steps?;
        let replaced = self.frame(f).replaced.as_ref().and_then(|value| select(value, &steps));
        if self.is_replaced(path) {
            return replaced;
        }
        let base = select(&self.data, &steps);
        match (replaced, base) {
            (Some(replaced), Some(base)) => Some(merged(&replaced, &base)),
            (replaced, base) => replaced.or(base),
        }
    }

    /// All of a document, rules included.
    fn extent(&mut self, s: &Selection, path: &[T], node: Option<NodeId>) -> Result<Option<T>, Stop> {
        let base = self.document(s.f, path);
        let Some(node) = node else { return Ok(base.map(T::Value)) };
        let leaves = self.leaves(s, &mut path.to_vec(), node)?;
        let leaves = leaves.to_value();
        Ok(Some(T::Value(match base {
            Some(base) => merged(&base, &leaves),
            None => leaves,
        })))
    }

    fn leaves(&mut self, s: &Selection, path: &mut Vec<T>, node: NodeId) -> Result<T, Stop> {
        let tree = self.program.rule_tree();
        let Some(found) = tree.node(node) else { return Ok(object(Vec::new())) };
        let mut members = Vec::new();
        for (key, child) in &found.children {
            let Some(below) = tree.node(*child).filter(|below| !below.hidden) else { continue };
            let key = T::owned(Term::new(key.clone(), Span::NONE));
            path.push(key.clone());
            let value = if below.rules.is_empty() {
                Some(self.leaves(s, path, *child)?)
            } else {
                self.leaf(s, path)?
            };
            path.pop();
            members.extend(value.map(|value| (key, value)));
        }
        Ok(object(members))
    }

    fn leaf(&mut self, s: &Selection, path: &[T]) -> Result<Option<T>, Stop> {
        let (whole, result) = (T::owned(reference_of(path, s.span)), T::var("_leaf"));
        let b = self.own_bindings(s.f);
        let mut found = None;
        self.unify(s.f, &whole, b, &result, b, &mut |m| {
            found = Some(m.plug(&result, b));
            Ok(())
        })?;
        Ok(found)
    }

    /// Goes on below a value.
    pub(crate) fn in_term(&mut self, s: &Selection, pos: usize, term: &T, at: B, next: Next<'_, 'p>) -> Flow {
        let Some(step) = s.steps.get(pos) else {
            return self.unify(s.f, term, at, &s.result, s.result_in, next);
        };
        if self.is_saved(term, at) {
            return self.save_term(s, pos, term, at, next);
        }
        let plugged = self.plug(step, s.b);
        if plugged.is_ground() {
            return self.below_term(s, pos, term, at, &plugged, next);
        }
        let mut iteration = Iteration::default();
        for key in keys_within(term) {
            let result = self.unify(s.f, &key, at, step, s.b, &mut |m| {
                let key = m.plug(&key, at);
                m.below_term(s, pos, term, at, &key, next)
            });
            iteration.after(result)?;
        }
        if self.is_partial() {
            self.each_unknown(s, pos, term, at, &mut iteration, next)?;
        }
        iteration.end()
    }

    fn below_term(
        &mut self,
        s: &Selection,
        pos: usize,
        term: &T,
        at: B,
        key: &T,
        next: Next<'_, 'p>,
    ) -> Flow {
        if self.is_partial()
            && let Some(reference) = self.unknown_path(s, pos, key)
        {
            return self.save_unify(s.f, &reference, s.b, &s.result, s.result_in, next);
        }
        let Some(below) = member(self, term, at, key) else { return Ok(()) };
        let (below, at) = self.apply(&below, at);
        self.in_term(s, pos + 1, &below, at, next)
    }
}

impl T {
    fn to_value(&self) -> Value {
        self.value().cloned().unwrap_or(Value::Null)
    }
}

/// The reference of these steps.
pub(crate) fn reference_of(path: &[T], span: Span) -> Term {
    let mut terms: Vec<Term> = path.iter().map(T::to_term).collect();
    if let Some(first) = terms.first_mut() {
        *first = match path_step(first) {
            Some(Value::String(name)) => Term::new(Tree::Var((&*name).into()), span),
            _ => first.clone(),
        };
    }
    Term::reference(terms, span)
}

/// The keys of a value in the order in which they are gone through.
pub(crate) fn keys_of(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(items) => (0..).take(items.len()).map(|at: i64| Value::from(at)).collect(),
        Value::Object(members) => members.keys().cloned().collect(),
        Value::Set(items) => items.iter().cloned().collect(),
        _ => Vec::new(),
    }
}

fn keys_within(t: &T) -> Vec<T> {
    if let T::Value(value) = t {
        return keys_of(value).into_iter().map(T::Value).collect();
    }
    if let Some(items) = t.elements() {
        return (0..).take(items.len()).map(|at: i64| T::Value(Value::from(at))).collect();
    }
    match t.members() {
        Some(members) => members.into_iter().map(|(key, _)| key).collect(),
        None => t.set_elements().unwrap_or_default(),
    }
}

/// Two documents as one; the first wins.
fn merged(a: &Value, b: &Value) -> Value {
    let (Value::Object(x), Value::Object(y)) = (a, b) else { return a.clone() };
    let mut members: Vec<(Value, Value)> = Vec::new();
    for (key, value) in x.iter() {
        let value = y.get(key).map_or_else(|| value.clone(), |other| merged(value, other));
        members.push((key.clone(), value));
    }
    members.extend(y.iter().filter(|(key, _)| x.get(key).is_none()).map(|(k, v)| (k.clone(), v.clone())));
    Value::object(members)
}
