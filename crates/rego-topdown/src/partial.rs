//! What becomes of expressions and rules that depend on something unknown.

use std::rc::Rc;

use rego_syntax::Span;
use rego_syntax::ast::{
    Body, Every, Expr, ExprKind, Head, Name, Not, Ref, Rule, RuleKind, Term, Value as Tree, visit,
};

use crate::copy::Propagation;
use crate::index::{Candidates, RuleData};
use crate::machine::{B, F, Flow, Machine, Next, query_of};
use crate::negation;
use crate::rules::Sought;
use crate::saving::split;
use crate::select::{Iteration, Selection, reference_of};
use crate::step::{complement, is_collection};
use crate::term::T;
use crate::unify::member;

/// The most elements that a body of `every` is written out for.
const MOST_ELEMENTS: usize = 32;

impl<'p> Machine<'p> {
    /// The references that must not be looked into below the `with` of an expression; none where one of them depends on
    /// something unknown, so that the expression is kept.
    pub(crate) fn with_disables(&self, expr: &Expr, b: B) -> Option<Vec<Ref>> {
        if !self.is_partial() {
            return Some(Vec::new());
        }
        let mut found = Vec::new();
        let mut add = |reference: &Ref| {
            found.push(reference.ground_prefix());
            visit::DESCEND
        };
        for with in &expr.with {
            let target = with.target.as_ref_value()?;
            let is_mock =
                self.is_function(target) || !target.head_var().is_some_and(|head| crate::term::is_root(head));
            if !is_mock && self.is_saved_within(&T::of(&with.value), b) {
                return None;
            }
            if !is_mock {
                visit::walk_refs(&with.target, &mut add);
            }
            visit::walk_refs(&with.value, &mut add);
        }
        visit::walk_refs(&Expr { with: Vec::new(), ..expr.clone() }, &mut add);
        Some(found)
    }

    /// Keeps an expression whose `with` depends on something unknown.
    pub(crate) fn save_with(&mut self, f: F, expr: &Rc<Expr>, next: Next<'_, 'p>) -> Flow {
        let b = self.own_bindings(f);
        self.save_expr(f, (**expr).clone(), b, &mut |m| m.advance(f, next))
    }

    pub(crate) fn save_whole(&mut self, f: F, expr: &Rc<Expr>, next: Next<'_, 'p>) -> Flow {
        let b = self.own_bindings(f);
        let expr = self.plugged_expr(expr, b);
        self.save_expr(f, expr, b, next)
    }

    /// An expression with all that is known in place, in its bodies too.
    fn plugged_expr(&self, expr: &Expr, b: B) -> Expr {
        let plug = |term: &Term| self.plugged_term(term, b);
        let body = |body: &Body| Body(body.iter().map(|expr| self.plugged_expr(expr, b)).collect());
        let mut out = expr.clone();
        match &mut out.kind {
            ExprKind::Term(term) => *term = plug(term),
            ExprKind::Call(terms) => terms.iter_mut().skip(1).for_each(|term| *term = plug(term)),
            ExprKind::Every(every) => {
                every.key = every.key.as_ref().map(plug);
                every.value = plug(&every.value);
                every.domain = plug(&every.domain);
                every.body = body(&every.body);
            }
            ExprKind::Not(not) => not.body = body(&not.body),
            ExprKind::And(both) | ExprKind::Or(both) => {
                both.lhs = body(&both.lhs);
                both.rhs = body(&both.rhs);
            }
            ExprKind::SomeDecl(_) => {}
        }
        out
    }

    fn plugged_term(&self, term: &Term, b: B) -> Term {
        let t = T::of(term);
        if t.is_comprehension() {
            return self.amended(term, b);
        }
        self.plug_for(&t, b, Some(Self::CALLER)).to_term()
    }

    /// A comprehension that says itself what is known of its variables.
    fn amended(&self, term: &Term, b: B) -> Term {
        let names = crate::vars::all(term);
        let mut term = term.clone();
        let known: Vec<(Name, Term)> = self
            .bindings(b)
            .known
            .iter()
            .filter(|(name, _, _)| names.contains(name))
            .map(|(name, _, _)| {
                let value = self.plug_for(&T::var(name), b, Some(Self::CALLER));
                (name.clone(), value.to_term())
            })
            .collect();
        let body = match &mut term.value {
            Tree::ArrayComp(comp) => &mut comp.body,
            Tree::SetComp(comp) => &mut comp.body,
            Tree::ObjectComp(comp) => &mut comp.body,
            _ => return term,
        };
        for (name, value) in known {
            body.push(Expr::call("eq", vec![Term::var(name, Span::NONE), value], Span::NONE));
        }
        self.renamed(&mut term, b);
        term
    }

    /// Gives the variables of a comprehension the names that the caller has for them.
    fn renamed(&self, term: &mut Term, b: B) {
        use rego_syntax::ast::visit::{NodeMut, WalkMut};
        term.walk_mut(&mut |node| {
            if let NodeMut::Term(term) = node
                && let Tree::Var(name) = &mut term.value
                && let Some(own) = self.in_namespace(name, b, Some(Self::CALLER))
                && (!own.starts_with("data") && self.builtin(name).is_none())
            {
                *name = own;
            }
            visit::DESCEND
        });
    }

    pub(crate) fn save_comprehension(
        &mut self,
        f: F,
        (a, a_in): (&T, B),
        (b, b_in): (&T, B),
        swapped: bool,
        next: Next<'_, 'p>,
    ) -> Flow {
        let first = T::owned(self.amended(&a.to_term(), a_in));
        let second =
            if b.is_comprehension() { T::owned(self.amended(&b.to_term(), b_in)) } else { b.clone() };
        if swapped {
            self.save_unify(f, &second, b_in, &first, a_in, next)
        } else {
            self.save_unify(f, &first, a_in, &second, b_in, next)
        }
    }

    pub(crate) fn save_every(
        &mut self,
        f: F,
        expr: &Rc<Expr>,
        every: &Every,
        unknown_domain: bool,
        next: Next<'_, 'p>,
    ) -> Flow {
        let b = self.own_bindings(f);
        let domain = self.plug(&T::of(&every.domain), b);
        let count = crate::select::keys_of(domain.value().unwrap_or(&rego_value::Value::Null)).len();
        let unrolled = self.frame(f).unrolled;
        if unknown_domain || !is_collection(&domain) || count.max(1) * unrolled.max(1) > MOST_ELEMENTS {
            return self.save_whole(f, expr, next);
        }
        let pairs = self.pairs(f, every)?;
        let mut body = Vec::new();
        for (key, value) in &pairs {
            body.extend(self.element_body(every, key, value, b).into_iter().map(Rc::new));
        }
        let multiplied = unrolled.max(1) * pairs.len().max(1);
        self.closure(f, Rc::new(body), |m, child| {
            m.frame_mut(child).unrolled = multiplied;
            m.eval(child, next)
        })
    }

    /// The body of an `every` for one element, with variables of its own.
    fn element_body(&mut self, every: &Every, key: &T, value: &T, b: B) -> Vec<Expr> {
        use rego_syntax::ast::visit::{NodeMut, WalkMut};
        self.generated += 1;
        let suffix = format!("__e{}", self.generated);
        let mut out = Vec::new();
        let mut known: Vec<(Name, Term)> = Vec::new();
        for (term, value) in [(every.key.as_ref(), key), (Some(&every.value), value)] {
            let Some(name) = term.and_then(Term::as_var) else { continue };
            let own = if is_collection(value) {
                let fresh = Term::var(format!("{name}{suffix}"), Span::NONE);
                out.push(Expr::call("eq", vec![fresh.clone(), value.to_term()], Span::NONE));
                fresh
            } else {
                value.to_term()
            };
            known.push((name.clone(), own));
        }
        let mut operators = vec![Name::from("data"), Name::from("input")];
        visit::walk_exprs(&every.body, &mut |expr| {
            operators.extend(expr.operator().and_then(|operator| operator.head_var().cloned()));
            visit::DESCEND
        });
        let mut body = every.body.clone();
        body.walk_mut(&mut |node| {
            if let NodeMut::Term(term) = node
                && let Tree::Var(name) = &term.value
            {
                let found = known.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
                let is_open = || {
                    let plugged = self.plug(&T::var(name), b);
                    !operators.contains(name) && plugged == T::var(name) && !self.is_saved_var_of(name, b)
                };
                let fresh = || is_open().then(|| Term::var(format!("{name}{suffix}"), term.span));
                if let Some(value) = found.or_else(fresh) {
                    *term = value;
                    return visit::SKIP;
                }
            }
            visit::DESCEND
        });
        out.extend(body.0);
        out
    }

    fn is_saved_var_of(&self, name: &Name, b: B) -> bool {
        self.is_unknown_term(&Term::var(name.clone(), Span::NONE), b)
    }

    // References.

    /// Goes on below a variable that is not known.
    pub(crate) fn save_term(
        &mut self,
        s: &Selection,
        pos: usize,
        term: &T,
        at: B,
        next: Next<'_, 'p>,
    ) -> Flow {
        let var = T::var(&format!("_ref_{}", self.generated));
        self.generated += 1;
        self.unify(s.f, term, at, &var, s.b, &mut |m| {
            let rest = s.steps.get(pos..).unwrap_or_default();
            let steps: Vec<Term> = std::iter::once(&var).chain(rest).map(T::to_term).collect();
            let reference = T::owned(Term::reference(steps, s.span));
            m.unify(s.f, &reference, s.b, &s.result, s.result_in, next)
        })
    }

    fn plugged_steps(&self, s: &Selection) -> Vec<T> {
        s.steps.iter().map(|step| self.plug(step, s.b)).collect()
    }

    /// The reference itself, if what it has at `key` is not known although what is above it is.
    pub(crate) fn unknown_path(&self, s: &Selection, pos: usize, key: &T) -> Option<T> {
        let mut steps = self.plugged_steps(s);
        *steps.get_mut(pos)? = key.clone();
        let whole = reference_of(&steps, s.span);
        let prefix = whole.as_ref_value()?.get(..=pos)?.to_vec();
        let saving = self.saving.as_ref()?;
        let covered = |known: &Ref| prefix.starts_with(known);
        let found = saving.unknown.iter().flat_map(|unknown| &unknown.references).any(covered);
        found.then(|| T::owned(whole))
    }

    /// Goes through the members of a value of which only the unknowns say that they are there.
    pub(crate) fn each_unknown(
        &mut self,
        s: &Selection,
        pos: usize,
        term: &T,
        at: B,
        iteration: &mut Iteration,
        next: Next<'_, 'p>,
    ) -> Flow {
        let steps = self.plugged_steps(s);
        let prefix = reference_of(steps.get(..pos).unwrap_or_default(), s.span);
        let prefix = prefix.as_ref_value().cloned().unwrap_or_default();
        let mut keys: Vec<Term> = Vec::new();
        for known in
            self.saving.iter().flat_map(|saving| &saving.unknown).flat_map(|unknown| &unknown.references)
        {
            if known.len() > prefix.len()
                && known.has_prefix(&prefix)
                && let Some(key) = known.get(prefix.len())
                && key.is_ground()
                && !keys.contains(key)
            {
                keys.push(key.clone());
            }
        }
        for key in keys {
            let key = T::owned(key);
            if member(self, term, at, &key).is_some() {
                continue;
            }
            let mut own = steps.clone();
            if let Some(slot) = own.get_mut(pos) {
                *slot = key.clone();
            }
            let whole = T::owned(reference_of(&own, s.span));
            let Some(step) = s.steps.get(pos).cloned() else { continue };
            let result = self.unify(s.f, &key, s.b, &step, s.b, &mut |m| {
                m.save_unify(s.f, &whole, s.b, &s.result, s.result_in, next)
            });
            iteration.after(result)?;
        }
        Ok(())
    }

    // Negation.

    pub(crate) fn save_negated(&mut self, f: F, expr: &Rc<Expr>, next: Next<'_, 'p>) -> Flow {
        let body = Body(vec![complement(expr)]);
        let flip = |expr: &Expr| match &expr.kind {
            ExprKind::Not(_) => negation::complement(expr),
            _ => vec![Expr { negated: !expr.negated, ..expr.clone() }],
        };
        let support = |term: ExprKind| Expr { kind: term, negated: true, ..(**expr).clone() };
        self.save_complement(f, &body, &flip, &support, next)
    }

    pub(crate) fn save_not(&mut self, f: F, expr: &Rc<Expr>, not: &Not, next: Next<'_, 'p>) -> Flow {
        if not.explicit_body && !self.is_shallow() {
            let found = self.answers_of(f, &not.body, None)?;
            let wrap = |body: Body| {
                let not = Not { body, explicit_body: true, span: Span::NONE };
                Expr::new(ExprKind::Not(Box::new(not)), Span::NONE)
            };
            return match found.1.is_empty() {
                true => next(self),
                false => self.keep_plugged(f, found.1.into_iter().map(wrap).collect(), next),
            };
        }
        let support = |kind: ExprKind| {
            let inner = Expr::new(kind, Span::NONE);
            let not = Not { body: Body(vec![inner]), explicit_body: false, span: Span::NONE };
            Expr { kind: ExprKind::Not(Box::new(not)), ..(**expr).clone() }
        };
        self.save_complement(f, &not.body, &|expr| negation::complement(expr), &support, next)
    }

    /// What is kept for each answer of a body, and the number of the query that it was.
    fn answers_of(
        &mut self,
        f: F,
        body: &Body,
        propagation: Option<&Propagation>,
    ) -> Result<(u64, Vec<Body>), crate::machine::Stop> {
        let mut found = Vec::new();
        let id = self.in_own_query(|m| {
            m.closure(f, query_of(body), |m, child| {
                let id = m.frame(child).id;
                let result = m.eval(child, &mut |m| {
                    let body = m.kept_body();
                    if m.program.accepts(&body) {
                        found.push(propagation.map_or_else(|| body.clone(), |copy| copy.apply(m, &body)));
                    }
                    Ok(())
                });
                (id, result)
            })
        });
        match id.1 {
            Err(stop @ crate::machine::Stop::Error(_)) => Err(stop),
            _ => Ok((id.0, found)),
        }
    }

    fn save_complement(
        &mut self,
        f: F,
        body: &Body,
        flip: &dyn Fn(&Expr) -> Vec<Expr>,
        support: &dyn Fn(ExprKind) -> Expr,
        next: Next<'_, 'p>,
    ) -> Flow {
        let unknown = self.unknown_vars();
        let propagation = (!self.is_shallow()).then(|| Propagation::new(unknown.clone(), true));
        let (id, found) = self.answers_of(f, body, propagation.as_ref())?;
        if found.is_empty() {
            return next(self);
        }
        if !negation::can_be_inlined(&unknown, &found) {
            let expr = self.negated_support(f, id, support, &unknown, found);
            return self.keep_plugged(f, vec![expr], next);
        }
        self.each_choice(f, &found, Vec::new(), flip, next)
    }

    /// One expression of each body has to be untrue: goes on with each choice.
    fn each_choice(
        &mut self,
        f: F,
        bodies: &[Body],
        chosen: Vec<Expr>,
        flip: &dyn Fn(&Expr) -> Vec<Expr>,
        next: Next<'_, 'p>,
    ) -> Flow {
        let Some((body, rest)) = bodies.split_first() else { return self.keep_plugged(f, chosen, next) };
        for expr in body.iter() {
            let mut chosen = chosen.clone();
            chosen.extend(flip(expr));
            self.each_choice(f, rest, chosen, flip, next)?;
        }
        Ok(())
    }

    /// A rule that holds where one of the bodies does, and the expression that denies it.
    fn negated_support(
        &mut self,
        f: F,
        id: u64,
        support: &dyn Fn(ExprKind) -> Expr,
        unknown: &[Name],
        bodies: Vec<Body>,
    ) -> Expr {
        let frame = self.frame(f);
        let name = format!("__not{}_{}_{id}__", frame.id, frame.index);
        let namespace = self.saving.as_ref().map(|saving| saving.namespace.clone()).unwrap_or_default();
        let path = vec![
            Term::var("data", Span::NONE),
            Term::string(namespace, Span::NONE),
            Term::string(name.as_str(), Span::NONE),
        ];
        let mut names: Vec<Name> = bodies.iter().flat_map(crate::vars::all).collect();
        names.retain(|name| unknown.contains(name));
        names.sort();
        names.dedup();
        let args: Vec<Term> = names.into_iter().map(|name| Term::var(name, Span::NONE)).collect();
        let (package, _) = split(&Ref(path.clone()));
        for body in bodies {
            let mut head = Head::named(name.as_str(), Span::NONE);
            head.args.clone_from(&args);
            head.value = Some(Term::boolean(true, Span::NONE));
            self.add_support(package.clone(), Rule::new(head, body, Span::NONE));
        }
        let term = Term::reference(path, Span::NONE);
        support(if args.is_empty() {
            ExprKind::Term(term)
        } else {
            ExprKind::Call(std::iter::once(term).chain(args).collect())
        })
    }

    // Rules.

    pub(crate) fn partial_complete(&mut self, sought: Sought<'_>, next: Next<'_, 'p>) -> Flow {
        let Sought { s, pos, path, found } = sought;
        let result = self.plug(&s.result, s.result_in);
        let made = found
            .default
            .as_ref()
            .is_some_and(|default| result.value().is_none() || default.value.as_ref() == Some(&result));
        if made || self.is_shallow() || self.is_disabled_path(path, false) {
            return self.support_complete(sought, next);
        }
        for (rule, _) in &found.rules {
            self.child(s.f, rule.body.clone(), |m, child| {
                let b = m.own_bindings(child);
                let head = rule.value.clone().unwrap_or(T::Value(true.into()));
                m.eval(child, &mut |m| {
                    let (term, at) = m.apply(&head, b);
                    m.in_term(s, pos + 1, &term, at, next)
                })
            })?;
        }
        Ok(())
    }

    fn support_complete(&mut self, sought: Sought<'_>, next: Next<'_, 'p>) -> Flow {
        let Sought { s, path, found, .. } = sought;
        let own = reference_of(path, Span::NONE);
        let own = own.as_ref_value().cloned().unwrap_or_default();
        let namespaced = self.in_namespace_of_support(&own);
        let mut defined = self.has_support(&namespaced);
        if !defined {
            for rule in found.rules.iter().map(|(rule, _)| rule).chain(&found.default) {
                let length = rule.package.len();
                let mut steps = own.get(length..).unwrap_or_default().to_vec();
                name_first(&mut steps);
                let package = Ref(namespaced.get(..=length).unwrap_or_default().to_vec());
                defined |= self.support_rule(
                    s.f,
                    rule,
                    &mut |m, b| {
                        let value = rule.value.as_ref().map(|value| m.for_caller(value, b));
                        (package.clone(), Head { value, ..Head::referring(Ref(steps.clone()), Span::NONE) })
                    },
                    true,
                )?;
            }
        }
        if !defined {
            return Ok(());
        }
        let whole = self.in_namespace_of_support(&Ref(s.steps.iter().map(T::to_term).collect()));
        let whole = T::owned(Term::new(Tree::Ref(whole), s.span));
        self.save_unify(s.f, &whole, s.b, &s.result, s.result_in, next)
    }

    fn for_caller(&self, t: &T, b: B) -> Term {
        self.plug_for(t, b, Some(Self::CALLER)).to_term()
    }

    /// Makes a rule of each way in which a rule may hold.
    fn support_rule(
        &mut self,
        f: F,
        rule: &Rc<RuleData>,
        head: &mut dyn FnMut(&Self, B) -> (Ref, Head),
        propagates: bool,
    ) -> Result<bool, crate::machine::Stop> {
        let mut defined = false;
        self.child(f, rule.body.clone(), |m, child| {
            let b = m.own_bindings(child);
            m.in_own_query(|m| {
                m.eval(child, &mut |m| {
                    defined = true;
                    let body = m.kept_body();
                    if !m.program.accepts(&body) {
                        return Ok(());
                    }
                    let (package, head) = head(m, b);
                    let body = match propagates && !m.is_shallow() {
                        true => Propagation::new(crate::vars::all(&head), true).apply(m, &body),
                        false => body,
                    };
                    let made = Rule { default: rule.default, ..Rule::new(head, body, Span::NONE) };
                    m.add_support(package, made);
                    Ok(())
                })
            })
        })?;
        Ok(defined)
    }

    pub(crate) fn partial_support(&mut self, sought: Sought<'_>, next: Next<'_, 'p>) -> Flow {
        let Sought { s, pos, path, found } = sought;
        let own = reference_of(path, Span::NONE);
        let own = self.in_namespace_of_support(&own.as_ref_value().cloned().unwrap_or_default());
        let mut defined = self.has_support(&own);
        if !defined {
            for (rule, _) in &found.rules {
                defined |= self.support_rule(s.f, rule, &mut |m, b| m.partial_head(rule, b), true)?;
            }
        }
        let whole = if defined {
            let steps: Vec<Term> = s.steps.iter().map(T::to_term).collect();
            T::owned(Term::new(Tree::Ref(self.in_namespace_of_support(&Ref(steps))), s.span))
        } else if s.steps.len() != pos + 1 {
            return Ok(());
        } else if found.kind == RuleKind::MultiValue && found.only_ground {
            crate::term::set(Vec::new())
        } else {
            crate::term::object(Vec::new())
        };
        self.save_unify(s.f, &whole, s.b, &s.result, s.result_in, next)
    }

    fn partial_head(&self, rule: &RuleData, b: B) -> (Ref, Head) {
        let own = Ref(rule.path.iter().map(T::to_term).collect());
        let mut path = self.in_namespace_of_support(&own);
        for step in path.iter_mut().skip(1) {
            *step = self.for_caller(&T::of(step), b);
        }
        let (package, reference) = split(&path);
        let is_short = reference.len() == 2 && rule.kind == RuleKind::SingleValue;
        let key = match rule.kind {
            RuleKind::MultiValue => rule.key.as_ref().map(|key| self.for_caller(key, b)),
            RuleKind::SingleValue if is_short => reference.last().cloned(),
            RuleKind::SingleValue => None,
        };
        let value = rule.value.as_ref().map(|value| self.for_caller(value, b));
        let mut head = Head { value, key, ..Head::referring(reference, Span::NONE) };
        if is_short && head.name.is_empty() {
            head.name = head.reference.head_var().cloned().unwrap_or_default();
        }
        (package, head)
    }

    // Functions.

    /// What becomes of a call that depends on something unknown; none if it is evaluated.
    pub(crate) fn partial_function(
        &mut self,
        f: F,
        (reference, terms): (&Ref, &[Term]),
        arity: usize,
        found: &Candidates,
        next: Next<'_, 'p>,
    ) -> Option<Flow> {
        let b = self.own_bindings(f);
        if found.has_else() && self.current(f).is_some_and(|expr| self.is_unknown_expr(&expr, b)) {
            return Some(self.save_call(f, arity, terms, next));
        }
        let has_output = terms.len() > arity + 1;
        let made = found.default.as_ref().is_some_and(|default| {
            has_output || default.value.as_ref().is_none_or(|value| !value.is_false())
        });
        if !made && !self.is_shallow() && !self.is_disabled(reference, false) {
            return None;
        }
        let operator = Term::new(Tree::Ref(reference.clone()), Span::NONE);
        let unknown = self.is_unknown_term(&operator, b)
            || terms.iter().skip(1).take(arity).any(|term| self.is_unknown_term(term, b));
        unknown.then(|| self.support_function(f, (reference, terms), arity, found, next))
    }

    fn support_function(
        &mut self,
        f: F,
        (reference, terms): (&Ref, &[Term]),
        arity: usize,
        found: &Candidates,
        next: Next<'_, 'p>,
    ) -> Flow {
        let path = self.in_namespace_of_support(reference);
        if !self.has_support(&path) {
            let (package, _) = split(&path);
            for rule in found.rules.iter().map(|(rule, _)| rule).chain(&found.default) {
                self.support_function_rule(f, rule, &package)?;
            }
        }
        if !self.has_support(&path) {
            return Ok(());
        }
        let mut call = terms.to_vec();
        if let Some(first) = call.first_mut() {
            *first = Term::new(Tree::Ref(path), first.span);
        }
        self.save_call(f, arity, &call, next)
    }

    fn support_function_rule(&mut self, f: F, rule: &Rc<RuleData>, package: &Ref) -> Flow {
        let names: Vec<Name> = rule.source.head.args.iter().flat_map(crate::vars::all).collect();
        self.child(f, rule.body.clone(), |m, child| {
            let b = m.own_bindings(child);
            if let Some(saving) = &mut m.saving {
                saving.unknown.push(crate::saving::Unknown { references: Vec::new(), vars: names, b });
            }
            let result = m.in_own_query(|m| {
                m.eval(child, &mut |m| {
                    let body = m.kept_body();
                    if m.program.accepts(&body) {
                        let mut head = rule.source.head.clone();
                        head.args = rule.args.iter().map(|arg| m.for_caller(arg, b)).collect();
                        head.value = rule.value.as_ref().map(|value| m.for_caller(value, b));
                        let made = Rule { default: rule.default, ..Rule::new(head, body, Span::NONE) };
                        m.add_support(package.clone(), made);
                    }
                    Ok(())
                })
            });
            if let Some(saving) = &mut m.saving {
                saving.unknown.pop();
            }
            result
        })
    }

    /// Keeps the value of a function as a condition.
    pub(crate) fn save_head(&mut self, f: F, head: &T, b: B, next: Next<'_, 'p>) -> Flow {
        self.save_expr(f, Expr::new(ExprKind::Term(head.to_term()), Span::NONE), b, next)
    }
}

/// Makes the first step of a rule's reference its name.
fn name_first(steps: &mut [Term]) {
    if let Some(first) = steps.first_mut()
        && let Some(name) = first.as_string().cloned()
    {
        *first = Term::var(name, first.span);
    }
}
