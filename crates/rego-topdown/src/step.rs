//! Expressions, one after the other.

use std::rc::Rc;

use rego_syntax::Span;
use rego_syntax::ast::{Every, Expr, ExprKind, Logical, Not, Ref, Term, Value as Tree, With};
use rego_value::Value;

use crate::error::Failure;
use crate::machine::{B, Cache, F, Flow, Machine, Next, Query, Stop, query_of, suppressed};
use crate::term::{T, is_root};
use crate::trace::{Event, Node, Op};

impl<'p> Machine<'p> {
    /// Evaluates the outermost query.
    pub(crate) fn run(&mut self, f: F, next: Next<'_, 'p>) -> Flow {
        let node = Node::Body(self.frame(f).query.clone());
        self.tell(f, |_| Event::new(Op::Enter, node.clone()));
        self.eval(f, &mut |m| {
            m.tell(f, |_| Event::new(Op::Exit, node.clone()));
            let result = next(m);
            m.tell(f, |_| Event::new(Op::Redo, node.clone()));
            result
        })
    }

    /// Evaluates the expressions of a frame from the one that it is at.
    pub(crate) fn eval(&mut self, f: F, next: Next<'_, 'p>) -> Flow {
        let frame = self.frame(f);
        let Some(expr) = frame.query.get(frame.index).cloned() else { return self.end(f, next) };
        self.deeper(|m| {
            m.tell(f, |_| Event::new(Op::Eval, Node::Expr(expr.clone())));
            if !expr.with.is_empty() {
                return m.eval_with(f, &expr, next);
            }
            let result = m.eval_step(f, &expr, true, next);
            m.placed(f, result)
        })
    }

    fn end(&mut self, f: F, next: Next<'_, 'p>) -> Flow {
        let find_one = self.frame(f).find_one;
        match next(self) {
            Err(stop @ (Stop::Early(_) | Stop::Deferred(_))) => {
                let outer = Some(Box::new(stop));
                Err(if find_one { Stop::Early(outer) } else { Stop::Deferred(outer) })
            }
            Ok(()) if find_one && !self.is_partial() => Err(Stop::Early(None)),
            other => other,
        }
    }

    /// Goes on with the expression behind the current one.
    pub(crate) fn advance(&mut self, f: F, next: Next<'_, 'p>) -> Flow {
        self.frame_mut(f).index += 1;
        let result = self.eval(f, next);
        self.frame_mut(f).index -= 1;
        result
    }

    fn go_on(&mut self, f: F, advance: bool, next: Next<'_, 'p>) -> Flow {
        if advance { self.advance(f, next) } else { next(self) }
    }

    fn eval_step(&mut self, f: F, expr: &Rc<Expr>, advance: bool, next: Next<'_, 'p>) -> Flow {
        if expr.negated {
            return self.eval_negated(f, expr, &mut |m| m.go_on(f, advance, next));
        }
        let mut defined = false;
        let mut holds = |m: &mut Self| {
            defined = true;
            let result = m.go_on(f, advance, next);
            m.tell(f, |_| Event::new(Op::Redo, Node::Expr(expr.clone())));
            result
        };
        match &expr.kind {
            ExprKind::Call(terms) if expr.is_equality() => {
                let (a, b) = (operand(terms, 1), operand(terms, 2));
                let bindings = self.frame(f).bindings;
                self.unify(f, &a, bindings, &b, bindings, &mut holds)?;
            }
            ExprKind::Call(terms) => self.eval_call(f, terms, &mut holds)?,
            ExprKind::Term(term) => self.eval_term_expr(f, term, &mut holds)?,
            ExprKind::Every(every) => self.eval_every(f, expr, every, &mut holds)?,
            ExprKind::Not(not) => self.eval_not(f, expr, not, &mut holds)?,
            ExprKind::And(logical) => self.eval_logical(f, expr, logical, true, &mut holds)?,
            ExprKind::Or(logical) => self.eval_logical(f, expr, logical, false, &mut holds)?,
            ExprKind::SomeDecl(_) => holds(self)?,
        }
        if !defined {
            self.tell(f, |_| Event::new(Op::Fail, Node::Expr(expr.clone())));
        }
        Ok(())
    }

    fn eval_term_expr(&mut self, f: F, term: &Term, next: Next<'_, 'p>) -> Flow {
        let (id, index, bindings) = {
            let frame = self.frame(f);
            (frame.id, frame.index, frame.bindings)
        };
        let result = T::var(&format!("_term_{id}_{index}"));
        self.unify(f, &T::of(term), bindings, &result, bindings, &mut |m| {
            if m.is_saved(&result, bindings) {
                let expr = Expr::new(ExprKind::Term(result.to_term()), Span::NONE);
                return m.save_expr(f, expr, bindings, next);
            }
            if m.plug(&result, bindings).is_false() { Ok(()) } else { next(m) }
        })
    }

    fn eval_negated(&mut self, f: F, expr: &Rc<Expr>, next: Next<'_, 'p>) -> Flow {
        if self.is_unknown_expr(expr, self.frame(f).bindings) {
            return self.save_negated(f, expr, next);
        }
        let query = Rc::new(vec![Rc::new(complement(expr))]);
        if !self.has_answer(f, query, false)? {
            return next(self);
        }
        self.tell(f, |_| Event::new(Op::Fail, Node::Expr(expr.clone())));
        Ok(())
    }

    fn eval_not(&mut self, f: F, expr: &Rc<Expr>, not: &Not, next: Next<'_, 'p>) -> Flow {
        if self.is_unknown_body(&not.body, self.frame(f).bindings) {
            return self.save_not(f, expr, not, next);
        }
        if self.has_answer(f, query_of(&not.body), false)? { Ok(()) } else { next(self) }
    }

    fn eval_logical(
        &mut self,
        f: F,
        expr: &Rc<Expr>,
        logical: &Logical,
        both: bool,
        next: Next<'_, 'p>,
    ) -> Flow {
        let b = self.frame(f).bindings;
        if self.is_unknown_body(&logical.lhs, b) || self.is_unknown_body(&logical.rhs, b) {
            return self.save_whole(f, expr, next);
        }
        let left = self.has_answer(f, query_of(&logical.lhs), true)?;
        if left != both {
            return if left { next(self) } else { Ok(()) };
        }
        if self.has_answer(f, query_of(&logical.rhs), true)? { next(self) } else { Ok(()) }
    }

    /// Whether a query has an answer. All are looked for, or the first one.
    fn has_answer(&mut self, f: F, query: Query, only_first: bool) -> Result<bool, Stop> {
        let node = Node::Body(query.clone());
        let mut defined = false;
        let result = self.closure(f, query, |m, child| {
            m.frame_mut(child).find_one |= only_first;
            m.tell(child, |_| Event::new(Op::Enter, node.clone()));
            m.eval(child, &mut |m| {
                m.tell(child, |_| Event::new(Op::Exit, node.clone()));
                m.tell(child, |_| Event::new(Op::Redo, node.clone()));
                defined = true;
                Ok(())
            })
        });
        if only_first {
            suppressed(result)?
        } else {
            result?
        }
        Ok(defined)
    }

    fn eval_every(&mut self, f: F, expr: &Rc<Expr>, every: &Every, next: Next<'_, 'p>) -> Flow {
        let b = self.frame(f).bindings;
        let domain = T::of(&every.domain);
        let unknown_domain = self.is_unknown_term(&every.domain, b);
        if unknown_domain || self.is_unknown_body(&every.body, b) {
            return self.save_every(f, expr, every, unknown_domain, next);
        }
        if !is_collection(&self.plug(&domain, b)) {
            self.tell(f, |_| Event::new(Op::Fail, Node::Expr(expr.clone())));
            return Ok(());
        }
        let body = query_of(&every.body);
        let node = Node::Body(body.clone());
        let mut all = true;
        self.closure(f, generator(every), |m, outer| {
            m.tell(outer, |_| Event::new(Op::Enter, Node::Expr(expr.clone())));
            m.eval(outer, &mut |m| {
                if !all {
                    return Ok(());
                }
                let mut done = false;
                let result = m.closure(outer, body.clone(), |m, inner| {
                    m.frame_mut(inner).find_one = true;
                    m.tell(inner, |_| Event::new(Op::Enter, node.clone()));
                    m.eval(inner, &mut |m| {
                        m.tell(inner, |_| Event::new(Op::Exit, node.clone()));
                        m.tell(inner, |_| Event::new(Op::Redo, node.clone()));
                        done = true;
                        Ok(())
                    })
                });
                all &= done;
                m.tell(outer, |_| Event::new(Op::Redo, Node::Expr(expr.clone())));
                suppressed(result)
            })?;
            if !all {
                m.tell(outer, |_| Event::new(Op::Fail, Node::Expr(expr.clone())));
                return Ok(());
            }
            let result = next(m);
            m.tell(outer, |_| Event::new(Op::Exit, Node::Expr(expr.clone())));
            result
        })
    }

    fn eval_with(&mut self, f: F, expr: &Rc<Expr>, next: Next<'_, 'p>) -> Flow {
        let b = self.frame(f).bindings;
        let disabled = match self.with_disables(expr, b) {
            Some(disabled) => disabled,
            None => return self.save_with(f, expr, next),
        };
        let mut replaced = Replaced { disabled, ..Replaced::default() };
        let (mut input, mut data) = (self.frame(f).input.clone(), self.frame(f).replaced.clone());
        for With { target, value, .. } in &expr.with {
            let Some(reference) = target.as_ref_value() else { continue };
            let value = self.plug(&T::of(value), b);
            let head = reference.head_var().map_or("", |name| name.as_str());
            if !is_root(head) {
                replaced.mocks.push((reference.clone(), value));
                continue;
            }
            replaced.targets.push(reference.clone());
            if self.is_function(reference) {
                replaced.mocks.push((reference.clone(), value));
                continue;
            }
            let Some(value) = value.value() else { continue };
            let path: Option<Vec<Value>> = reference.steps().iter().map(crate::term::to_value).collect();
            let Some(path) = path else { continue };
            if head == "input" {
                input = Some(upserted(input, &path, value));
                replaced.has_input = true;
            } else {
                data = Some(upserted(data, &path, value));
                replaced.has_data = true;
            }
        }
        replaced.input = if replaced.has_input { input } else { None };
        replaced.data = if replaced.has_data { data } else { None };
        let before = self.push_with(f, &replaced);
        let mut before = Some(before);
        let result = self.eval_step(f, expr, false, &mut |m| {
            if let Some(before) = before.take() {
                m.pop_with(f, before);
            }
            let result = m.advance(f, next);
            before = Some(m.push_with(f, &replaced));
            result
        });
        let result = self.placed(f, result);
        if let Some(before) = before.take() {
            self.pop_with(f, before);
        }
        result
    }

    fn push_with(&mut self, f: F, replaced: &Replaced) -> (Option<Value>, Option<Value>) {
        let frame = self.frame_mut(f);
        let before = (frame.input.clone(), frame.replaced.clone());
        if replaced.has_input {
            frame.input.clone_from(&replaced.input);
        }
        if replaced.has_data {
            frame.replaced.clone_from(&replaced.data);
        }
        self.caches.push(Cache::new());
        self.targets.push(replaced.targets.clone());
        self.disable(replaced.disabled.clone());
        if let Some(level) = self.mocks.last_mut() {
            level.push(replaced.mocks.clone());
        }
        before
    }

    fn pop_with(&mut self, f: F, (input, data): (Option<Value>, Option<Value>)) {
        self.enable();
        self.targets.pop();
        self.caches.pop();
        if let Some(level) = self.mocks.last_mut() {
            level.pop();
        }
        let frame = self.frame_mut(f);
        frame.input = input;
        frame.replaced = data;
    }

    /// Whether a reference names a function of the program.
    pub(crate) fn is_function(&self, reference: &Ref) -> bool {
        self.program.rule_tree().rules_at(reference).iter().any(|rule| rule.arity > 0)
    }

    /// The number of arguments that a function takes.
    pub(crate) fn arity(&self, reference: &Ref) -> Option<usize> {
        if reference.head_var().is_some_and(|head| is_root(head)) {
            return self.program.rule_tree().rules_at(reference).first().map(|rule| rule.arity);
        }
        self.builtin(&dotted(reference)).map(|builtin| builtin.args.len())
    }

    pub(crate) fn builtin(&self, name: &str) -> Option<&'static rego_builtins::Builtin> {
        let own = self.program.options().host_builtins.iter().find(|builtin| builtin.name == name);
        own.copied().or_else(|| rego_builtins::by_name(name))
    }

    /// What a call stands for where a `with` replaced the function.
    fn mock(&self, reference: &Ref) -> Option<T> {
        let level = self.mocks.last()?;
        let found = level.iter().rev().flat_map(|pairs| pairs.iter().rev());
        found.into_iter().find(|(target, _)| target == reference).map(|(_, value)| value.clone())
    }

    pub(crate) fn eval_call(&mut self, f: F, terms: &[Term], next: Next<'_, 'p>) -> Flow {
        let Some(reference) = terms.first().and_then(Term::as_ref_value) else { return Ok(()) };
        let mock = self.mock(reference);
        if let Some(other) = mock.as_ref().and_then(T::steps)
            && (self.is_function(other) || !other.head_var().is_some_and(|head| is_root(head)))
        {
            let mut call = terms.to_vec();
            if let Some(first) = call.first_mut() {
                *first = Term::new(Tree::Ref(other.clone()), first.span);
            }
            self.mocks.push(Vec::new());
            let result = self.eval_call(f, &call, &mut |m| {
                let own = m.mocks.pop();
                let result = next(m);
                m.mocks.push(own.unwrap_or_default());
                result
            });
            self.mocks.pop();
            return result;
        }
        if let Some(value) = mock {
            let arity = self.arity(reference).unwrap_or_default();
            return self.eval_replaced_call(f, arity, terms, &value, next);
        }
        if reference.head_var().is_some_and(|head| head == "data") {
            return self.eval_function(f, reference, terms, next);
        }
        self.eval_builtin(f, reference, terms, next)
    }

    fn eval_replaced_call(
        &mut self,
        f: F,
        arity: usize,
        terms: &[Term],
        value: &T,
        next: Next<'_, 'p>,
    ) -> Flow {
        let b = self.frame(f).bindings;
        if terms.len() == arity + 2 {
            return self.unify(f, &operand(terms, arity + 1), b, value, b, next);
        }
        if value.is_false() { Ok(()) } else { next(self) }
    }

    fn eval_builtin(&mut self, f: F, reference: &Ref, terms: &[Term], next: Next<'_, 'p>) -> Flow {
        let name = dotted(reference);
        let b = self.frame(f).bindings;
        let span = self.current(f).map_or(Span::NONE, |expr| expr.span);
        let Some(builtin) = self.builtin(&name) else {
            return Err(Stop::Error(Box::new(Failure::internal(
                format!("unsupported built-in: {name}"),
                span,
            ))));
        };
        let arity = builtin.args.len();
        if self.current(f).is_some_and(|expr| self.is_unknown_expr(&expr, b)) {
            return self.save_call(f, arity, terms, next);
        }
        let arguments = terms.get(1..).unwrap_or_default();
        let given: Vec<T> = arguments.iter().map(|t| self.plug(&T::of(t), b)).collect();
        if builtin.result.is_none() {
            return match (name.as_str(), given.first()) {
                ("internal.test_case", Some(case)) => {
                    let case = case.clone();
                    self.tell(f, |_| Event::new(Op::TestCase, Node::Case(case)));
                    next(self)
                }
                _ => next(self),
            };
        }
        let values: Option<Vec<Value>> = given.iter().take(arity).map(|t| t.value().cloned()).collect();
        let Some(values) = values else {
            let message = format!("{name}: operand is not evaluated");
            return Err(Stop::Error(Box::new(Failure::internal(message, span))));
        };
        if name == "trace"
            && let Some(text) = values.first().and_then(Value::as_str)
        {
            let text = text.to_owned();
            self.tell(f, |_| Event { span, ..Event::new(Op::Note, Node::Text(text)) });
        }
        let answers = match self.functions.call(&name, &values) {
            Ok(answers) => answers,
            Err(failed) if failed.halts => {
                let failure =
                    Failure { code: "eval_builtin_error", message: failed.message, span, stack: Vec::new() };
                return Err(Stop::Error(Box::new(failure)));
            }
            Err(_) => return Ok(()),
        };
        for answer in answers {
            match terms.get(arity + 1) {
                Some(output) => self.unify(f, &T::of(output), b, &T::Value(answer), b, next)?,
                None if answer == Value::Bool(false) => {}
                None => next(self)?,
            }
        }
        Ok(())
    }

    /// The values that `every` goes through, by a query of its own.
    pub(crate) fn pairs(&mut self, f: F, every: &Every) -> Result<Vec<(T, T)>, Stop> {
        let query = generator(every);
        let (key, value) = (every_key(every), T::of(&every.value));
        let mut pairs = Vec::new();
        self.closure(f, query, |m, child| {
            let b = m.frame(child).bindings;
            m.eval(child, &mut |m| {
                pairs.push((m.plug(&key, b), m.plug(&value, b)));
                Ok(())
            })
        })?;
        Ok(pairs)
    }

    pub(crate) fn own_bindings(&self, f: F) -> B {
        self.frame(f).bindings
    }
}

/// What a `with` changes.
#[derive(Default)]
struct Replaced {
    input: Option<Value>,
    has_input: bool,
    data: Option<Value>,
    has_data: bool,
    mocks: Vec<(Ref, T)>,
    targets: Vec<Ref>,
    disabled: Vec<Ref>,
}

pub(crate) fn operand(terms: &[Term], at: usize) -> T {
    terms.get(at).map_or(T::Value(Value::Null), T::of)
}

/// An expression without its `not`, or with one, and without `with`.
pub(crate) fn complement(expr: &Expr) -> Expr {
    Expr { negated: !expr.negated, with: Vec::new(), ..expr.clone() }
}

fn every_key(every: &Every) -> T {
    every.key.as_ref().map_or_else(|| T::var("__localkey__"), T::of)
}

/// `domain[key] = value`
pub(crate) fn generator(every: &Every) -> Query {
    let span = every.domain.span;
    let element = Term::reference(vec![every.domain.clone(), every_key(every).to_term()], span);
    Rc::new(vec![Rc::new(Expr::call("eq", vec![element, every.value.clone()], span))])
}

pub(crate) fn is_collection(t: &T) -> bool {
    match t {
        T::Value(value) => matches!(value, Value::Array(_) | Value::Object(_) | Value::Set(_)),
        T::Tree(term) => matches!(term.value, Tree::Array(_) | Tree::Object(_) | Tree::Set(_)),
    }
}

/// A document with a value at a path.
fn upserted(document: Option<Value>, path: &[Value], value: &Value) -> Value {
    let Some((step, rest)) = path.split_first() else { return value.clone() };
    let mut members: Vec<(Value, Value)> = match &document {
        Some(Value::Object(members)) => members.iter().map(|(k, v)| (k.clone(), v.clone())).collect(),
        _ => Vec::new(),
    };
    let below = members.iter().find(|(key, _)| key == step).map(|(_, value)| value.clone());
    members.retain(|(key, _)| key != step);
    members.push((step.clone(), upserted(below, rest, value)));
    Value::object(members)
}

/// The name of a built-in function.
pub(crate) fn dotted(reference: &Ref) -> String {
    let step = |step: &Term| match &step.value {
        Tree::Var(name) | Tree::String(name) => name.to_string(),
        other => Term::new(other.clone(), Span::NONE).to_string(),
    };
    reference.iter().map(step).collect::<Vec<_>>().join(".")
}
