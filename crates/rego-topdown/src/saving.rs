//! What a partial evaluation does not know, and what it keeps for later.

use rego_syntax::Span;
use rego_syntax::ast::{Body, Expr, ExprKind, Name, Ref, Rule, Term, Value as Tree, With, visit};

use crate::machine::{B, F, Flow, Machine, Next};
use crate::step::dotted;
use crate::term::{T, is_root, to_term};

/// The state of a partial evaluation.
#[derive(Debug)]
pub(crate) struct Saving {
    /// What is not known, the newest last.
    pub(crate) unknown: Vec<Unknown>,
    /// The expressions that are kept, by query.
    pub(crate) queries: Vec<Vec<Saved>>,
    /// The rules that are made, by package.
    pub(crate) support: Vec<(Ref, Vec<Rule>)>,
    /// The name below `data` where rules that are made go.
    pub(crate) namespace: Name,
    /// Rules are never put in the place of references to them.
    pub(crate) shallow: bool,
    pub(crate) disabled: Vec<Disabled>,
    pub(crate) nondeterministic: bool,
}

/// References and variables that are not known.
#[derive(Clone, Debug)]
pub(crate) struct Unknown {
    pub(crate) references: Vec<Ref>,
    pub(crate) vars: Vec<Name>,
    pub(crate) b: B,
}

/// References that are not replaced by what they refer to.
#[derive(Clone, Debug)]
pub(crate) struct Disabled {
    pub(crate) internal: bool,
    pub(crate) references: Vec<Ref>,
}

/// An expression that is kept, with the variables that its sides are about.
#[derive(Clone, Debug)]
pub(crate) struct Saved {
    expr: Expr,
    sides: Option<(B, B)>,
}

/// Whether one reference is a beginning of the other.
fn overlaps(a: &[Term], b: &[Term]) -> bool {
    a.iter().zip(b).all(|(x, y)| x == y)
}

/// The same where steps that are not known stand for all.
fn may_overlap(a: &[Term], b: &[Term]) -> bool {
    let mut pairs = a.iter().zip(b);
    pairs.next().is_none_or(|(x, y)| x == y) && pairs.all(|(x, y)| x == y || !x.is_ground() || !y.is_ground())
}

impl Unknown {
    fn has_var(&self, name: &Name, b: B) -> bool {
        self.b == b && self.vars.contains(name)
    }
}

impl<'p> Machine<'p> {
    /// Whether a variable or a reference is not known.
    pub(crate) fn is_saved(&self, t: &T, b: B) -> bool {
        let (Some(saving), Some(tree)) = (&self.saving, t.tree()) else { return false };
        let head_is = |unknown: &Unknown, reference: &Ref| -> bool {
            reference.head_var().is_some_and(|head| unknown.has_var(head, b))
        };
        match tree {
            Tree::Var(name) => saving.unknown.iter().any(|unknown| unknown.has_var(name, b)),
            Tree::Ref(own) => saving.unknown.iter().any(|unknown: &Unknown| {
                unknown.references.iter().any(|known| overlaps(known, own)) || head_is(unknown, own)
            }),
            _ => false,
        }
    }

    /// Whether a term holds a variable that is not known.
    pub(crate) fn is_saved_within(&self, t: &T, b: B) -> bool {
        if self.saving.is_none() {
            return false;
        }
        let T::Tree(term) = t else { return false };
        self.is_saved_in(&**term, b)
    }

    fn is_saved_in(&self, node: &dyn visit::Walk, b: B) -> bool {
        let mut found = false;
        node.walk(&mut |node| {
            if let visit::Node::Term(Term { value: Tree::Var(name), .. }) = node {
                found |= self.is_saved_var(name, b);
            }
            found
        });
        found
    }

    fn is_saved_var(&self, name: &Name, b: B) -> bool {
        let var = T::var(name);
        let (to, at) = self.apply(&var, b);
        if to != var || at != b { self.is_saved_within(&to, at) } else { self.is_saved(&var, b) }
    }

    /// Whether a document is not known, or a part of it.
    pub(crate) fn is_saved_path(&self, path: &[T]) -> bool {
        let Some(saving) = &self.saving else { return false };
        let path: Vec<Term> = crate::select::reference_of(path, Span::NONE)
            .as_ref_value()
            .map(|reference| reference.0.clone())
            .unwrap_or_default();
        saving.unknown.iter().flat_map(|unknown| &unknown.references).any(|known| overlaps(known, &path))
    }

    /// Whether a document must not be looked into.
    pub(crate) fn is_disabled_path(&self, path: &[T], ignore_internal: bool) -> bool {
        if self.saving.is_none() {
            return false;
        }
        let term = crate::select::reference_of(path, Span::NONE);
        term.as_ref_value().is_some_and(|reference| self.is_disabled(reference, ignore_internal))
    }

    pub(crate) fn is_disabled(&self, reference: &[Term], ignore_internal: bool) -> bool {
        let Some(saving) = &self.saving else { return false };
        let counts = |disabled: &&Disabled| !disabled.internal || !ignore_internal;
        let mut references = saving.disabled.iter().filter(counts).flat_map(|disabled| &disabled.references);
        references.any(|other| overlaps(other, reference))
    }

    pub(crate) fn is_shallow(&self) -> bool {
        self.saving.as_ref().is_some_and(|saving| saving.shallow)
    }

    pub(crate) fn disable(&mut self, references: Vec<Ref>) {
        if let Some(saving) = &mut self.saving {
            saving.disabled.push(Disabled { internal: true, references });
        }
    }

    pub(crate) fn enable(&mut self) {
        if let Some(saving) = &mut self.saving {
            saving.disabled.pop();
        }
    }

    pub(crate) fn is_unknown_term(&self, term: &Term, b: B) -> bool {
        self.is_partial() && self.needs_saving(term, b, false)
    }

    pub(crate) fn is_unknown_expr(&self, expr: &Expr, b: B) -> bool {
        self.is_partial() && self.needs_saving(expr, b, false)
    }

    pub(crate) fn is_unknown_body(&self, body: &Body, b: B) -> bool {
        self.is_partial() && body.iter().any(|expr| self.needs_saving(expr, b, false))
    }

    pub(crate) fn is_unknown_steps(&self, steps: &[T], b: B) -> bool {
        if !self.is_partial() {
            return false;
        }
        self.needs_saving(&Term::reference(steps.iter().map(T::to_term).collect(), Span::NONE), b, false)
    }

    /// Whether the value of something depends on what is not known.
    fn needs_saving(&self, node: &dyn visit::Walk, b: B, in_rule: bool) -> bool {
        let mut found = false;
        node.walk(&mut |node| {
            if found {
                return visit::SKIP;
            }
            match node {
                visit::Node::Expr(expr) => found = !expr.with.is_empty() || self.is_left_out(expr),
                visit::Node::Term(Term { value: Tree::Var(name), .. }) => {
                    found = !in_rule && self.is_saved_var(name, b);
                }
                visit::Node::Term(Term { value: Tree::Ref(reference), .. }) => {
                    found = self.is_unknown_reference(reference, b, in_rule);
                }
                _ => {}
            }
            found
        });
        found
    }

    fn is_unknown_reference(&self, reference: &Ref, b: B, in_rule: bool) -> bool {
        let Some(saving) = &self.saving else { return false };
        let meets = |unknown: &Unknown| {
            unknown.references.iter().any(|known| may_overlap(known, reference))
                || reference.head_var().is_some_and(|head| unknown.has_var(head, b))
        };
        if saving.unknown.iter().any(meets) || self.is_disabled(&reference.constant_prefix(), true) {
            return true;
        }
        if reference.head_var().is_none_or(|head| head != "data") {
            return false;
        }
        let lookup = if in_rule { reference.clone() } else { self.with_scalars(reference, b) };
        let rules = self.program.rule_tree().rules_dynamic(&lookup, false);
        rules
            .iter()
            .any(|entry| self.program.rule(entry.id).is_some_and(|rule| self.needs_saving(rule, b, true)))
    }

    /// A reference with the values of its variables, where they are scalars.
    fn with_scalars(&self, reference: &Ref, b: B) -> Ref {
        let step = |(at, step): (usize, &Term)| match &step.value {
            Tree::Var(_) if at > 0 => match self.plug(&T::of(step), b) {
                T::Value(value) if !crate::step::is_collection(&T::Value(value.clone())) => to_term(&value),
                _ => step.clone(),
            },
            _ => step.clone(),
        };
        Ref(reference.iter().enumerate().map(step).collect())
    }

    /// Whether a call is kept because its value is another one each time.
    fn is_left_out(&self, expr: &Expr) -> bool {
        let evaluates = self.saving.as_ref().is_some_and(|saving| saving.nondeterministic);
        let name = expr.operator().map(dotted).unwrap_or_default();
        !evaluates && rego_builtins::by_name(&name).is_some_and(|builtin| builtin.nondeterministic)
    }

    // What is kept.

    /// The `with` of the current expression that go with what is kept of it.
    pub(crate) fn kept_withs(&self, f: F) -> Vec<With> {
        let withs = self.current(f).map(|expr| expr.with.clone()).unwrap_or_default();
        self.without_mocks(withs)
    }

    pub(crate) fn without_mocks(&self, withs: Vec<With>) -> Vec<With> {
        let keeps = |with: &With| {
            with.target.as_ref_value().is_some_and(|target| {
                target.head_var().is_some_and(|head| is_root(head)) && !self.is_function(target)
            })
        };
        withs.into_iter().filter(keeps).collect()
    }

    pub(crate) fn save_expr(&mut self, f: F, expr: Expr, b: B, next: Next<'_, 'p>) -> Flow {
        self.keep(f, expr, Some((b, b)), Vec::new(), next)
    }

    pub(crate) fn save_unify(&mut self, f: F, a: &T, a_in: B, b: &T, b_in: B, next: Next<'_, 'p>) -> Flow {
        let expr = Expr::call("eq", vec![a.to_term(), b.to_term()], Span::NONE);
        let mut vars = self.open_vars(a, a_in);
        vars.extend(self.open_vars(b, b_in));
        self.keep(f, expr, Some((a_in, b_in)), vars, next)
    }

    pub(crate) fn save_call(&mut self, f: F, arity: usize, terms: &[Term], next: Next<'_, 'p>) -> Flow {
        let b = self.own_bindings(f);
        let expr = Expr::new(ExprKind::Call(terms.to_vec()), Span::NONE);
        let output = terms.get(arity + 1).map(|output| self.open_vars(&T::of(output), b));
        self.keep(f, expr, Some((b, b)), output.unwrap_or_default(), next)
    }

    fn keep(
        &mut self,
        f: F,
        mut expr: Expr,
        sides: Option<(B, B)>,
        vars: Vec<(Name, B)>,
        next: Next<'_, 'p>,
    ) -> Flow {
        expr.with = self.kept_withs(f);
        self.keep_all(vec![Saved { expr, sides }], vars, next)
    }

    fn keep_all(&mut self, kept: Vec<Saved>, vars: Vec<(Name, B)>, next: Next<'_, 'p>) -> Flow {
        let (count, unknown) = (kept.len(), vars.len());
        if let Some(saving) = &mut self.saving {
            let unknown = |(name, b)| Unknown { references: Vec::new(), vars: vec![name], b };
            saving.unknown.extend(vars.into_iter().map(unknown));
            saving.queries.last_mut().into_iter().for_each(|query| query.extend(kept.iter().cloned()));
        }
        let result = next(self);
        if let Some(saving) = &mut self.saving {
            if let Some(query) = saving.queries.last_mut() {
                query.truncate(query.len().saturating_sub(count));
            }
            saving.unknown.truncate(saving.unknown.len().saturating_sub(unknown));
        }
        result
    }

    /// Keeps expressions that are about the variables of the caller already.
    pub(crate) fn keep_plugged(&mut self, f: F, exprs: Vec<Expr>, next: Next<'_, 'p>) -> Flow {
        let b = self.own_bindings(f);
        let mut withs = self.current(f).map(|expr| expr.with.clone()).unwrap_or_default();
        for with in &mut withs {
            with.value = self.plug_for(&T::of(&with.value), b, Some(Self::CALLER)).to_term();
        }
        let withs = self.without_mocks(withs);
        let kept =
            exprs.into_iter().map(|expr| Saved { expr: Expr { with: withs.clone(), ..expr }, sides: None });
        self.keep_all(kept.collect(), Vec::new(), next)
    }

    /// The variables of a term that nothing is known of.
    fn open_vars(&self, t: &T, b: B) -> Vec<(Name, B)> {
        let T::Tree(term) = t else { return Vec::new() };
        if let Tree::Var(name) = &term.value {
            return vec![(name.clone(), b)];
        }
        let mut found = Vec::new();
        for name in crate::vars::outside_closures(term) {
            let (to, at) = self.apply(&T::var(&name), b);
            found.extend(self.open_vars(&to, at));
        }
        found
    }

    /// Runs with a query of its own for what is kept.
    pub(crate) fn in_own_query<R>(&mut self, run: impl FnOnce(&mut Self) -> R) -> R {
        if let Some(saving) = &mut self.saving {
            saving.queries.push(Vec::new());
        }
        let result = run(self);
        if let Some(saving) = &mut self.saving {
            saving.queries.pop();
        }
        result
    }

    /// The expressions that are kept now, about the variables of the caller.
    pub(crate) fn kept(&self) -> Vec<Expr> {
        let query = self.saving.as_ref().and_then(|saving| saving.queries.last());
        query.into_iter().flatten().map(|saved| self.plugged(saved)).collect()
    }

    /// The same as a body.
    pub(crate) fn kept_body(&self) -> Body {
        match self.kept() {
            empty if empty.is_empty() => Body::implicit_true(Span::NONE),
            exprs => Body(exprs),
        }
    }

    fn plugged(&self, saved: &Saved) -> Expr {
        let Some((first, second)) = saved.sides else { return saved.expr.clone() };
        let plug = |term: &Term, b: B| self.plug_for(&T::of(term), b, Some(Self::CALLER)).to_term();
        let mut expr = saved.expr.clone();
        let equality = expr.is_equality();
        match &mut expr.kind {
            ExprKind::Call(terms) => {
                for (at, term) in terms.iter_mut().enumerate().skip(1) {
                    *term = plug(term, if equality && at == 2 { second } else { first });
                }
            }
            ExprKind::Term(term) => *term = plug(term, first),
            _ => {}
        }
        for with in &mut expr.with {
            with.value = plug(&with.value, first);
        }
        expr
    }

    /// The variables that are not known, by the names that the caller has for them.
    pub(crate) fn unknown_vars(&self) -> Vec<Name> {
        let Some(saving) = &self.saving else { return Vec::new() };
        let mut names = Vec::new();
        for unknown in &saving.unknown {
            for name in &unknown.vars {
                let plugged = self.plug_for(&T::var(name), unknown.b, Some(Self::CALLER));
                if let Some(Tree::Var(name)) = plugged.tree() {
                    names.push(name.clone());
                }
            }
        }
        names.sort();
        names.dedup();
        names
    }

    /// A reference to where rules that are made go.
    pub(crate) fn in_namespace_of_support(&self, reference: &Ref) -> Ref {
        let namespace = self.saving.as_ref().map(|saving| saving.namespace.clone()).unwrap_or_default();
        let mut steps = reference.0.clone();
        steps.insert(steps.len().min(1), Term::string(namespace, Span::NONE));
        Ref(steps)
    }

    /// Whether there are made rules for a document.
    pub(crate) fn has_support(&self, path: &Ref) -> bool {
        let Some(saving) = &self.saving else { return false };
        let (package, rule) = split(path);
        let found = saving.support.iter().find(|(known, _)| *known == package);
        found.is_some_and(|(_, rules)| rules.iter().any(|known| known.head.reference.has_prefix(&rule)))
    }

    pub(crate) fn add_support(&mut self, package: Ref, rule: Rule) {
        let Some(saving) = &mut self.saving else { return };
        match saving.support.iter_mut().find(|(known, _)| *known == package) {
            Some((_, rules)) => rules.push(rule),
            None => saving.support.push((package, vec![rule])),
        }
    }
}

/// The package and the rule of a path: the package is as long as its steps are names.
pub(crate) fn split(path: &Ref) -> (Ref, Ref) {
    let mut at = 2;
    for (index, step) in path.iter().enumerate().skip(2) {
        match step.as_string() {
            Some(name) if rego_syntax::ast::is_var_compatible(name) => at = index,
            _ => break,
        }
    }
    let (package, rule) = path.split_at(at.min(path.len()));
    let mut rule = rule.to_vec();
    if let Some(first) = rule.first_mut()
        && let Some(name) = first.as_string().cloned()
    {
        *first = Term::var(name, first.span);
    }
    (Ref(package.to_vec()), Ref(rule))
}
