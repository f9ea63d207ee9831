//! Puts the expressions of a body in an order in which each finds its variables bound.
//!
//! The planner relies on it: it plans a body from left to right and never looks ahead.

use std::collections::{BTreeSet, HashMap};

use rego_syntax::Span;
use rego_syntax::ast::{Body, Every, Expr, ExprKind, Name, Term, Value};

use super::outputs::{outputs_of_expr, visible_vars};
use crate::declarations::Declarations;
use crate::vars::{self, Collector, Skip, VarSet};
use crate::visit::{self, Closure, Node};
use crate::visit_mut::{self, Rewrite};

/// An expression that can not be evaluated, since variables have no value.
pub(crate) struct Unsafe {
    /// Where it stands.
    pub(crate) span: Span,
    /// The variables without value.
    pub(crate) vars: VarSet,
    /// The variables that the expression assigns with `:=`.
    pub(crate) assigned: VarSet,
}

impl Unsafe {
    fn of(expr: &Expr, vars: VarSet) -> Self {
        let mut assigned = VarSet::new();
        if expr.from_assignment
            && let [target, _] = expr.operands()
        {
            visit::walk_vars(Node::Term(target), &mut |name| {
                assigned.insert(name.clone());
            });
        }
        Self { span: expr.span, vars, assigned }
    }
}

/// An expression while it waits for its place.
struct Waiting {
    expr: Expr,
    open: VarSet,
    closed_over: VarSet,
}

/// Reorders a body and the bodies within it; `globals` have a value before it. Expressions keep their order
/// where it does not matter. What can not be ordered comes last, and is reported.
pub(crate) fn reorder(body: &mut Body, declarations: Declarations<'_>, globals: &VarSet) -> Vec<Unsafe> {
    let all = visible_vars(body, declarations);
    let mut safe: VarSet = all.intersection(globals).cloned().collect();
    let waiting: Vec<Waiting> = std::mem::take(&mut body.0)
        .into_iter()
        .map(|expr| {
            let open = visible_vars(std::slice::from_ref(&expr), declarations);
            let open = open.into_iter().filter(|name| !safe.contains(name)).collect();
            let mut closed_over = vars_in_closures(&expr);
            closed_over.retain(|name| all.contains(name) && !globals.contains(name));
            Waiting { expr, open, closed_over }
        })
        .collect();
    let (mut ordered, waiting) = place(waiting, declarations, &mut safe);
    let mut found = Vec::new();
    reorder_closures(&mut ordered, declarations, globals, &mut found);
    for rest in waiting {
        found.push(Unsafe::of(&rest.expr, rest.open));
        ordered.push(rest.expr);
    }
    body.0 = ordered;
    found
}

/// Goes over the expressions from first to last, again and again, and takes those that can be evaluated; what is left
/// over can not be.
///
/// An expression that failed is only tried again once one of its variables has got a value, so that a body in the
/// worst order does not cost its length squared.
fn place(
    waiting: Vec<Waiting>,
    declarations: Declarations<'_>,
    safe: &mut VarSet,
) -> (Vec<Expr>, Vec<Waiting>) {
    let mut mentions: HashMap<Name, Vec<usize>> = HashMap::new();
    for (position, next) in waiting.iter().enumerate() {
        for name in vars::of_expr(&next.expr, Skip::NOTHING) {
            mentions.entry(name).or_default().push(position);
        }
    }
    let mut slots: Vec<Option<Waiting>> = waiting.into_iter().map(Some).collect();
    let mut ordered = Vec::with_capacity(slots.len());
    // What is to be tried: in which round, and where it stands.
    let mut queue: BTreeSet<(usize, usize)> = (0..slots.len()).map(|position| (0, position)).collect();
    while let Some((round, position)) = queue.pop_first() {
        let Some(slot) = slots.get_mut(position) else { continue };
        let Some(outputs) = slot.as_mut().and_then(|next| try_place(next, declarations, safe)) else {
            continue;
        };
        ordered.extend(slot.take().map(|next| next.expr));
        for name in outputs {
            if safe.contains(&name) {
                continue;
            }
            for &other in mentions.get(&name).into_iter().flatten() {
                if slots.get(other).is_some_and(Option::is_some) && !queue.contains(&(round, other)) {
                    queue.insert((if other > position { round } else { round + 1 }, other));
                }
            }
            safe.insert(name);
        }
    }
    (ordered, slots.into_iter().flatten().collect())
}

/// The outputs of an expression that can be evaluated now.
fn try_place(next: &mut Waiting, declarations: Declarations<'_>, safe: &VarSet) -> Option<VarSet> {
    let outputs = outputs_of_expr(&next.expr, declarations, &|name| safe.contains(name));
    if !next.closed_over.is_empty() {
        // An expression whose closures wait for nothing but its own outputs can not be placed.
        if next.closed_over == outputs {
            return None;
        }
        next.open = next.closed_over.clone();
    }
    next.open.retain(|name| !outputs.contains(name) && !safe.contains(name));
    next.open.is_empty().then_some(outputs)
}

fn vars_in_closures(expr: &Expr) -> VarSet {
    let mut collector = Collector::new(Skip::NOTHING);
    visit::walk_closures(Node::Expr(expr), &mut |closure| {
        match closure {
            Closure::Comprehension(term) => collector.term(term),
            Closure::Statement(expr) => {
                visit::statement_bodies(&expr.kind).for_each(|body| collector.body(body));
            }
        }
        true
    });
    collector.vars
}

/// Reorders what stands within the ordered expressions. Each closure sees the variables of the expressions
/// before its own.
fn reorder_closures(
    ordered: &mut [Expr],
    declarations: Declarations<'_>,
    globals: &VarSet,
    found: &mut Vec<Unsafe>,
) {
    // Most bodies have none, and copying what is known around each would add up.
    if !ordered.iter().any(has_closures) {
        return;
    }
    let mut closures = Closures { declarations, globals: globals.clone(), found, missing: VarSet::new() };
    for expr in ordered {
        // Collected first: reordering changes neither which variables there are nor where they are visible.
        let visible = visible_vars(std::slice::from_ref(expr), declarations);
        closures.expr(expr);
        let missing = std::mem::take(&mut closures.missing);
        if !missing.is_empty() {
            closures.found.push(Unsafe::of(expr, missing));
        }
        closures.globals.extend(visible);
    }
}

fn has_closures(expr: &Expr) -> bool {
    let mut found = false;
    visit::walk_closures(Node::Expr(expr), &mut |_| {
        found = true;
        true
    });
    found
}

struct Closures<'a> {
    declarations: Declarations<'a>,
    globals: VarSet,
    found: &'a mut Vec<Unsafe>,
    /// Variables that the heads of comprehensions in the current expression lack.
    missing: VarSet,
}

impl Closures<'_> {
    fn nested(&mut self, heads: &[&Term], body: &mut Body) {
        let bound = visible_vars(body, self.declarations);
        let needed = heads.iter().flat_map(|term| vars::of_term(term, Skip::NOTHING));
        let lacking = needed.filter(|name: &Name| !bound.contains(name) && !self.globals.contains(name));
        self.missing.extend(lacking);
        self.found.extend(reorder(body, self.declarations, &self.globals));
    }

    fn every(&mut self, every: &mut Every) {
        let mut collector = Collector::new(Skip::NOTHING);
        every.key.iter().for_each(|key| collector.term(key));
        collector.term(&every.value);
        self.globals.extend(collector.vars);
        self.nested(&[], &mut every.body);
    }
}

impl Rewrite for Closures<'_> {
    fn expr(&mut self, expr: &mut Expr) {
        match &mut expr.kind {
            ExprKind::Every(every) => self.every(every),
            ExprKind::Not(not) => self.nested(&[], &mut not.body),
            ExprKind::And(both) | ExprKind::Or(both) => {
                self.nested(&[], &mut both.lhs);
                self.nested(&[], &mut both.rhs);
            }
            ExprKind::Term(_) | ExprKind::Call(_) | ExprKind::SomeDecl(_) => visit_mut::each_part(self, expr),
        }
    }

    fn term(&mut self, term: &mut Term) {
        match &mut term.value {
            Value::ArrayComp(comp) => self.nested(&[&comp.term], &mut comp.body),
            Value::SetComp(comp) => self.nested(&[&comp.term], &mut comp.body),
            Value::ObjectComp(comp) => self.nested(&[&comp.key, &comp.value], &mut comp.body),
            _ => visit_mut::each_subterm(self, term),
        }
    }
}
