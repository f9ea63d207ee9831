//! Documents that rules define, and functions.

use std::rc::Rc;

use rego_compiler::NodeId;
use rego_syntax::ast::{Ref, RuleKind, Term};
use rego_value::Value;

use crate::conflict::Conflicts;
use crate::error::Failure;
use crate::index::{Candidates, RuleData};
use crate::machine::{B, F, Flow, Machine, Next, Stop, suppressed};
use crate::select::{Iteration, Selection};
use crate::term::{T, object, set};
use crate::trace::{Event, Node, Op};

/// What is known of a document.
type Key = (Vec<Value>, Vec<Option<Value>>);

/// A document that a reference leads into, and the rules that define it.
#[derive(Clone, Copy)]
pub(crate) struct Sought<'a> {
    /// The reference.
    pub(crate) s: &'a Selection,
    /// The step of it that names the document.
    pub(crate) pos: usize,
    /// Its steps, as far as they are known; those up to the document, or all.
    pub(crate) path: &'a [T],
    /// The rules.
    pub(crate) found: &'a Candidates,
}

impl<'p> Machine<'p> {
    /// Goes on with a document that rules define.
    pub(crate) fn in_rules(
        &mut self,
        s: &Selection,
        pos: usize,
        path: &[T],
        node: NodeId,
        next: Next<'_, 'p>,
    ) -> Flow {
        let own = path.get(..=pos).unwrap_or_default();
        let found = self.candidates(s.f, node, None)?;
        self.tell_index(s.f, own, &found);
        if self.is_partial() && found.has_else() && self.is_unknown_steps(&s.steps, s.b) {
            let whole = T::owned(crate::select::reference_of(&s.steps, s.span));
            return self.save_unify(s.f, &whole, s.b, &s.result, s.result_in, next);
        }
        if found.kind == RuleKind::SingleValue && found.only_ground {
            self.in_complete(Sought { s, pos, path: own, found: &found }, next)
        } else {
            self.in_partial(Sought { s, pos, path, found: &found }, next)
        }
    }

    fn tell_index(&mut self, f: F, path: &[T], found: &Candidates) {
        let Some(expr) = self.current(f) else { return };
        let reference = crate::select::reference_of(path, expr.span);
        let count = found.rules.len();
        let rules = if count == 1 { "rule" } else { "rules" };
        let early = if found.early_exit { ", early exit" } else { "" };
        let message = format!("(matched {count} {rules}{early})");
        self.tell(f, |_| Event {
            reference: Some(reference.to_string()),
            message,
            ..Event::new(Op::Index, Node::Expr(expr.clone()))
        });
    }

    fn tell_rule(&mut self, f: F, op: Op, rule: &Rc<RuleData>) {
        let early = op == Op::Exit && self.frame(f).find_one;
        self.tell(f, |_| Event {
            message: if early { "early".to_owned() } else { String::new() },
            ..Event::new(op, Node::Rule(rule.clone()))
        });
    }

    // Documents with one value.

    fn in_complete(&mut self, sought: Sought<'_>, next: Next<'_, 'p>) -> Flow {
        let Sought { s, pos, path, found } = sought;
        let is_function = |rule: &Rc<RuleData>| !rule.args.is_empty();
        if found.is_empty()
            || found.rules.iter().map(|(rule, _)| rule).chain(&found.default).next().is_some_and(is_function)
        {
            return Ok(());
        }
        if self.is_partial() && self.is_unknown_steps(&s.steps, s.b) {
            return self.partial_complete(sought, next);
        }
        let key: Key = (values_of(path), Vec::new());
        match self.cached(&key) {
            Some(None) => return Ok(()),
            Some(Some(value)) => return self.in_term(s, pos + 1, &value, s.b, next),
            None => {}
        }
        let result = self.each_complete(s, pos, &key, found, next);
        suppressed(result)
    }

    fn each_complete(
        &mut self,
        s: &Selection,
        pos: usize,
        key: &Key,
        found: &Candidates,
        next: Next<'_, 'p>,
    ) -> Flow {
        let mut before: Option<T> = None;
        let mut iteration = Iteration::default();
        for (rule, branches) in &found.rules {
            for rule in std::iter::once(rule).chain(branches) {
                let mut value = None;
                let result =
                    self.one_complete(s, pos, key, (rule, found.early_exit), (&before, &mut value), next);
                let result = self.with_conflicts(s.f, result, rule, found, None);
                iteration.after(result)?;
                if let Some(value) = value {
                    before = Some(value);
                    break;
                }
            }
        }
        if before.is_none() {
            if let Some(default) = &found.default {
                let mut value = None;
                return self.one_complete(
                    s,
                    pos,
                    key,
                    (default, found.early_exit),
                    (&None, &mut value),
                    next,
                );
            }
            self.remember(key.clone(), None);
        }
        iteration.end()
    }

    fn one_complete(
        &mut self,
        s: &Selection,
        pos: usize,
        key: &Key,
        (rule, find_one): (&Rc<RuleData>, bool),
        (before, value): (&Option<T>, &mut Option<T>),
        next: Next<'_, 'p>,
    ) -> Flow {
        let head = rule.value.clone().unwrap_or(T::Value(Value::Bool(true)));
        let mut before = before.clone();
        self.child(s.f, rule.body.clone(), |m, child| {
            m.frame_mut(child).find_one = find_one;
            m.tell_rule(child, Op::Enter, rule);
            let b = m.own_bindings(child);
            m.eval(child, &mut |m| {
                m.tell_rule(child, Op::Exit, rule);
                let result = m.plug(&head, b);
                *value = Some(result.clone());
                if let Some(before) = &before {
                    if *before != result {
                        return Err(Stop::Error(Box::new(
                            rule.conflict("rule", " produced conflicting values"),
                        )));
                    }
                    m.tell_rule(child, Op::Redo, rule);
                    return Ok(());
                }
                before = Some(result.clone());
                m.remember(key.clone(), Some(result));
                let (term, at) = m.apply(&head, b);
                m.in_term(s, pos + 1, &term, at, next)?;
                m.tell_rule(child, Op::Redo, rule);
                Ok(())
            })
        })
    }

    /// A conflict with all the values that there are.
    fn with_conflicts(
        &mut self,
        f: F,
        result: Flow,
        rule: &Rc<RuleData>,
        found: &Candidates,
        call: Option<&[T]>,
    ) -> Flow {
        let failure = match result {
            Err(Stop::Error(failure))
                if failure.span == rule.span && failure.code == "eval_conflict_error" =>
            {
                failure
            }
            other => return other,
        };
        if self.is_partial() {
            return Err(Stop::Error(failure));
        }
        let mut conflicts = Conflicts::default();
        for (rule, branches) in &found.rules {
            let mut stop = false;
            for rule in std::iter::once(rule).chain(branches) {
                let mut produced = false;
                let (result, full) =
                    self.conflicting(f, rule, found.early_exit, call, (&mut conflicts, &mut produced));
                stop = full || result.is_err();
                if stop || produced {
                    break;
                }
            }
            if stop {
                break;
            }
        }
        Err(Stop::Error(Box::new(conflicts.explain(*failure, self.program.sources()))))
    }

    fn conflicting(
        &mut self,
        f: F,
        rule: &Rc<RuleData>,
        find_one: bool,
        call: Option<&[T]>,
        (conflicts, produced): (&mut Conflicts, &mut bool),
    ) -> (Flow, bool) {
        let head = rule.value.clone().unwrap_or(T::Value(Value::Bool(true)));
        let mut full = false;
        let result = self.child(f, rule.body.clone(), |m, child| {
            m.frame_mut(child).find_one = find_one;
            m.tell_rule(child, Op::Enter, rule);
            let (b, outer) = (m.own_bindings(child), m.own_bindings(f));
            let mut done = |m: &mut Self| {
                m.tell_rule(child, Op::Exit, rule);
                *produced = true;
                if let Some(ends) = conflicts.add(rule.span, m.plug(&head, b)) {
                    full |= ends;
                    return Err(Stop::Early(None));
                }
                m.tell_rule(child, Op::Redo, rule);
                Ok(())
            };
            match call {
                None => m.eval(child, &mut done),
                Some(terms) => {
                    let pairs = rule.pairs_with(terms);
                    m.unify_all(child, &pairs, outer, b, &mut |m| m.eval(child, &mut done))
                }
            }
        });
        match result {
            Err(Stop::Early(_) | Stop::Deferred(_)) => (Ok(()), full),
            other => (other, full),
        }
    }

    // Documents of several rules.

    fn in_partial(&mut self, sought: Sought<'_>, next: Next<'_, 'p>) -> Flow {
        let Sought { s, pos, path, found } = sought;
        let own = path.get(..=pos).unwrap_or_default();
        let own_steps = s.steps.get(..=pos).unwrap_or_default();
        let unknown = self.is_partial() && self.is_unknown_steps(own_steps, s.b);
        if s.steps.len() == pos + 1 {
            if unknown {
                return self.partial_support(Sought { path: own, ..sought }, next);
            }
            let key: Key = (values_of(own), Vec::new());
            let value = match self.cached(&key) {
                Some(Some(value)) => value,
                _ => {
                    let value = self.all_of(s, pos, found)?;
                    self.remember(key, Some(value.clone()));
                    value
                }
            };
            return self.unify(s.f, &value, s.b, &s.result, s.result_in, next);
        }
        if (unknown && self.is_shallow()) || self.is_disabled_path(own, false) {
            return self.partial_support(Sought { path: own, ..sought }, next);
        }
        self.each_partial(s, pos, path, found, unknown, next)
    }

    fn each_partial(
        &mut self,
        s: &Selection,
        pos: usize,
        path: &[T],
        found: &Candidates,
        unknown: bool,
        next: Next<'_, 'p>,
    ) -> Flow {
        if found.is_empty() {
            return Ok(());
        }
        if self.is_partial() {
            let longest = found.longest(s.steps.len());
            let behind = s.steps.get(pos + 1..longest.max(pos + 1)).unwrap_or_default();
            if self.is_unknown_steps(behind, s.b) {
                for (rule, _) in &found.rules {
                    self.unify_afterwards(s, pos, rule, next)?;
                }
                return Ok(());
            }
        }
        let mut hint: Option<Key> = None;
        if !unknown {
            match self.partial_hint(s, pos, path, found) {
                Hint::Known(at, value) => return self.in_term(s, at, &value, s.b, next),
                Hint::All(key) => {
                    let value = self.all_of(s, pos, found)?;
                    self.remember(key, Some(value.clone()));
                    return self.in_term(s, pos + 1, &value, s.b, next);
                }
                Hint::Some(key) => hint = key,
            }
        }
        let mut result = Contributions::new(found);
        for (rule, _) in &found.rules {
            self.unify_before(s, pos, rule, unknown, &mut result, next)?;
        }
        let whole = result.finish();
        if let Some(key) = hint {
            let steps = key.0.get(pos + 1..).unwrap_or_default();
            if let Some(value) = whole.value().and_then(|value| crate::term::select(value, steps)) {
                self.remember(key, Some(T::Value(value)));
            }
        }
        if unknown { Ok(()) } else { self.in_term(s, pos + 1, &whole, s.b, next) }
    }

    fn partial_hint(&mut self, s: &Selection, pos: usize, path: &[T], found: &Candidates) -> Hint {
        let own: Vec<Value> = values_of(path.get(..=pos).unwrap_or_default());
        if let Some(Some(value)) = self.cached(&(own.clone(), Vec::new())) {
            return Hint::Known(pos + 1, value);
        }
        let first = s.steps.get(pos + 1).map(|step| self.plug(step, s.b));
        if first.as_ref().is_some_and(T::is_var) {
            return Hint::All((own, Vec::new()));
        }
        let mut key: Option<Key> = None;
        let mut end = pos + 1;
        for at in pos + 1..found.longest(s.steps.len()) {
            let Some(step) = s.steps.get(at).map(|step| self.plug(step, s.b)) else { break };
            let scoping = key.as_ref().is_some_and(|(_, scope)| !scope.is_empty());
            match (step.value(), &mut key) {
                (Some(value), None) if !scoping => {
                    end = at;
                    let mut steps = own.clone();
                    steps.push(value.clone());
                    key = Some((steps, Vec::new()));
                }
                (Some(value), Some((steps, _))) if !scoping => {
                    end = at;
                    steps.push(value.clone());
                }
                (value, Some((_, scope))) => scope.push(value.cloned()),
                (_, None) => break,
            }
            if let Some(key) = &key
                && let Some(Some(value)) = self.cached(key)
            {
                return Hint::Known(end + 1, value);
            }
        }
        if let Some((_, scope)) = &mut key {
            while scope.last().is_some_and(Option::is_none) {
                scope.pop();
            }
        }
        Hint::Some(key)
    }

    fn all_of(&mut self, s: &Selection, pos: usize, found: &Candidates) -> Result<T, Stop> {
        let mut result = Contributions::new(found);
        for (rule, _) in &found.rules {
            self.child(s.f, rule.body.clone(), |m, child| {
                m.tell_rule(child, Op::Enter, rule);
                let b = m.own_bindings(child);
                m.eval(child, &mut |m| {
                    m.tell_rule(child, Op::Exit, rule);
                    result.add(m, rule, b, pos)?;
                    m.tell_rule(child, Op::Redo, rule);
                    Ok(())
                })
            })?;
        }
        Ok(result.finish())
    }

    fn unify_before(
        &mut self,
        s: &Selection,
        pos: usize,
        rule: &Rc<RuleData>,
        unknown: bool,
        result: &mut Contributions,
        next: Next<'_, 'p>,
    ) -> Flow {
        let mut defined = false;
        self.child(s.f, rule.body.clone(), |m, child| {
            m.tell_rule(child, Op::Enter, rule);
            let b = m.own_bindings(child);
            let pairs = rule.head_pairs(&s.steps, pos + 1);
            let flow = m.unify_all(child, &pairs, s.b, b, &mut |m| {
                defined = true;
                m.eval(child, &mut |m| {
                    m.tell_rule(child, Op::Exit, rule);
                    if unknown {
                        m.continue_with(s, pos, rule, b, next)?;
                    } else if result.add(m, rule, b, pos)? {
                        m.tell_rule(child, Op::Duplicate, rule);
                    }
                    m.tell_rule(child, Op::Redo, rule);
                    Ok(())
                })
            });
            if flow.is_ok() && !defined {
                m.tell_rule(child, Op::Fail, rule);
            }
            flow
        })
    }

    fn unify_afterwards(
        &mut self,
        s: &Selection,
        pos: usize,
        rule: &Rc<RuleData>,
        next: Next<'_, 'p>,
    ) -> Flow {
        self.child(s.f, rule.body.clone(), |m, child| {
            m.tell_rule(child, Op::Enter, rule);
            let b = m.own_bindings(child);
            let pairs = rule.head_pairs(&s.steps, pos + 1);
            m.eval(child, &mut |m| {
                m.unify_all(s.f, &pairs, s.b, b, &mut |m| {
                    m.tell_rule(child, Op::Exit, rule);
                    m.continue_with(s, pos, rule, b, next)?;
                    m.tell_rule(child, Op::Redo, rule);
                    Ok(())
                })
            })
        })
    }

    /// Goes on with what one rule contributes.
    fn continue_with(
        &mut self,
        s: &Selection,
        pos: usize,
        rule: &RuleData,
        b: B,
        next: Next<'_, 'p>,
    ) -> Flow {
        let term = rule.value.clone().or_else(|| rule.key.clone()).unwrap_or(T::Value(Value::Bool(true)));
        let (mut term, at) = self.apply(&term, b);
        if rule.kind == RuleKind::MultiValue {
            term = set(vec![term]);
        }
        for step in rule.path.get(pos + 1..).unwrap_or_default().iter().rev() {
            term = object(vec![(step.clone(), term)]);
        }
        self.in_term(s, pos + 1, &term, at, next)
    }

    // Functions.

    pub(crate) fn eval_function(
        &mut self,
        f: F,
        reference: &Ref,
        terms: &[Term],
        next: Next<'_, 'p>,
    ) -> Flow {
        let Some(node) = self.program.rule_tree().find(reference) else { return Ok(()) };
        let given: Vec<T> = terms.iter().skip(1).map(T::of).collect();
        let b = self.own_bindings(f);
        let plugged: Vec<T> = given.iter().map(|t| self.plug(t, b)).collect();
        let arguments = if self.is_partial() { None } else { Some(plugged.as_slice()) };
        let found = self.candidates(f, node, arguments)?;
        let path: Vec<T> = reference.iter().map(T::of).collect();
        self.tell_index(f, &path, &found);
        if found.is_empty() {
            return Ok(());
        }
        let arity = self.arity(reference).unwrap_or_default();
        if self.is_partial()
            && let Some(saved) = self.partial_function(f, (reference, terms), arity, &found, next)
        {
            return saved;
        }
        let mut key: Option<Key> = None;
        if !self.is_partial() {
            let values: Option<Vec<Value>> = plugged.iter().take(arity).map(|t| t.value().cloned()).collect();
            if let Some(values) = values {
                let scope = values.into_iter().map(Some).collect();
                let name = (values_of(&path), scope);
                if let Some(Some(value)) = self.cached(&name) {
                    return match given.get(arity) {
                        Some(output) => self.unify(f, output, b, &value, b, next),
                        None if value.is_false() => Ok(()),
                        None => next(self),
                    };
                }
                key = Some(name);
            }
        }
        let call = Call { f, given, key, find_one: found.early_exit, arity };
        let result = self.each_function(&call, &found, next);
        suppressed(result)
    }

    fn each_function(&mut self, call: &Call, found: &Candidates, next: Next<'_, 'p>) -> Flow {
        let mut before: Option<T> = None;
        let mut iteration = Iteration::default();
        for (rule, branches) in &found.rules {
            for rule in std::iter::once(rule).chain(branches) {
                let mut value = None;
                let result = self.one_function(call, rule, (&before, &mut value), next);
                let result = self.with_conflicts(call.f, result, rule, found, Some(&call.given));
                iteration.after(result)?;
                if let Some(value) = value {
                    before = Some(value);
                    break;
                }
            }
        }
        if before.is_none()
            && let Some(default) = &found.default
        {
            let mut value = None;
            return self.one_function(call, default, (&None, &mut value), next);
        }
        iteration.end()
    }

    fn one_function(
        &mut self,
        call: &Call,
        rule: &Rc<RuleData>,
        (before, value): (&Option<T>, &mut Option<T>),
        next: Next<'_, 'p>,
    ) -> Flow {
        let f = call.f;
        let head = rule.value.clone().unwrap_or(T::Value(Value::Bool(true)));
        let mut before = before.clone();
        let no_output = call.given.len() == call.arity;
        self.child(f, rule.body.clone(), |m, child| {
            m.frame_mut(child).find_one = call.find_one;
            m.tell_rule(child, Op::Enter, rule);
            let (b, outer) = (m.own_bindings(child), m.own_bindings(f));
            let pairs = rule.pairs_with(&call.given);
            m.unify_all(child, &pairs, outer, b, &mut |m| {
                m.eval(child, &mut |m| {
                    m.tell_rule(child, Op::Exit, rule);
                    if no_output && m.is_saved(&head, b) {
                        let result = m.save_head(f, &head, b, next);
                        m.tell_rule(child, Op::Redo, rule);
                        return result;
                    }
                    let result = m.plug(&head, b);
                    *value = Some(result.clone());
                    if let Some(key) = &call.key {
                        m.remember(key.clone(), Some(result.clone()));
                    }
                    let conflicts = before.as_ref().is_some_and(|before| *before != result);
                    let error = " produced conflicting values for the same inputs";
                    if no_output && result.is_false() {
                        if conflicts {
                            return Err(Stop::Error(Box::new(rule.conflict("function", error))));
                        }
                        before = Some(result);
                        return Ok(());
                    }
                    if !m.is_partial() && before.is_some() {
                        if conflicts {
                            return Err(Stop::Error(Box::new(rule.conflict("function", error))));
                        }
                        m.tell_rule(child, Op::Redo, rule);
                        return Ok(());
                    }
                    before = Some(result);
                    next(m)?;
                    m.tell_rule(child, Op::Redo, rule);
                    Ok(())
                })
            })
        })
    }
}

/// A call of a function of the program.
struct Call {
    f: F,
    given: Vec<T>,
    key: Option<Key>,
    find_one: bool,
    arity: usize,
}

enum Hint {
    Known(usize, T),
    All(Key),
    Some(Option<Key>),
}

/// What rules have contributed to a document so far.
struct Contributions {
    is_set: bool,
    elements: Vec<T>,
    /// By path below the document.
    members: Vec<(Vec<T>, Leaf)>,
}

enum Leaf {
    Value(T),
    Set(Vec<T>),
}

impl Contributions {
    fn new(found: &Candidates) -> Self {
        let is_set = found.kind == RuleKind::MultiValue && found.only_ground;
        Self { is_set, elements: Vec::new(), members: Vec::new() }
    }

    /// Adds what a rule gives; says whether that was there already.
    fn add(&mut self, m: &Machine<'_>, rule: &RuleData, b: B, pos: usize) -> Result<bool, Stop> {
        let key = rule.key.as_ref().map(|key| m.plug(key, b));
        if self.is_set {
            let Some(key) = key else { return Ok(false) };
            let known = self.elements.contains(&key);
            if !known {
                self.elements.push(key);
            }
            return Ok(known);
        }
        let conflict = || Stop::Error(Box::new(Failure::object_key(rule.head_span)));
        let path: Vec<T> =
            rule.path.get(pos + 1..).unwrap_or_default().iter().map(|step| m.plug(step, b)).collect();
        let nested = |(known, _): &&(Vec<T>, Leaf)| {
            known.len() != path.len() && (known.starts_with(&path) || path.starts_with(known))
        };
        if self.members.iter().any(|entry| nested(&entry)) {
            return Err(conflict());
        }
        let found = self.members.iter_mut().find(|(known, _)| *known == path);
        let value = rule.value.as_ref().map(|value| m.plug(value, b));
        match (found, rule.kind, value, key) {
            (None, RuleKind::SingleValue, Some(value), _) => {
                self.members.push((path, Leaf::Value(value)));
                Ok(false)
            }
            (Some((_, Leaf::Value(known))), RuleKind::SingleValue, Some(value), _) => {
                if *known == value {
                    Ok(true)
                } else {
                    Err(conflict())
                }
            }
            (None, RuleKind::MultiValue, _, Some(key)) => {
                self.members.push((path, Leaf::Set(vec![key])));
                Ok(false)
            }
            (Some((_, Leaf::Set(items))), RuleKind::MultiValue, _, Some(key)) => {
                let known = items.contains(&key);
                if !known {
                    items.push(key);
                }
                Ok(known)
            }
            _ => Err(conflict()),
        }
    }

    fn finish(self) -> T {
        if self.is_set {
            return set(self.elements);
        }
        let leaf = |leaf: Leaf| match leaf {
            Leaf::Value(value) => value,
            Leaf::Set(items) => set(items),
        };
        nested(self.members.into_iter().map(|(path, value)| (path, leaf(value))).collect())
    }
}

/// An object of values by path.
fn nested(members: Vec<(Vec<T>, T)>) -> T {
    type ByPath = Vec<(Vec<T>, T)>;
    let mut groups: Vec<(T, ByPath)> = Vec::new();
    for (path, value) in members {
        let Some((first, rest)) = path.split_first() else { return value };
        let entry = (rest.to_vec(), value);
        match groups.iter_mut().find(|(key, _)| key == first) {
            Some((_, below)) => below.push(entry),
            None => groups.push((first.clone(), vec![entry])),
        }
    }
    object(groups.into_iter().map(|(key, below)| (key, nested(below))).collect())
}

pub(crate) fn values_of(path: &[T]) -> Vec<Value> {
    path.iter().map(|step| crate::machine::path_step(&step.to_term()).unwrap_or(Value::Null)).collect()
}
