//! Copy propagation: variables that only name something else are taken out of what a partial evaluation keeps.

use std::collections::{BTreeMap, BTreeSet};

use rego_syntax::Span;
use rego_syntax::ast::visit::{self, NodeMut, Walk as _, WalkMut as _};
use rego_syntax::ast::{Body, Expr, ExprKind, Name, Ref, Term, Value as Tree};

use crate::machine::Machine;

/// Variables that have to stay.
#[derive(Debug)]
pub(crate) struct Propagation {
    live: BTreeSet<Name>,
    /// A body that nothing is left of becomes `true`.
    never_empty: bool,
}

/// Variables that are equal.
#[derive(Default)]
struct Classes {
    parents: BTreeMap<Name, Name>,
    constants: BTreeMap<Name, Term>,
}

/// What was taken out: what a variable stood for.
#[derive(Default)]
struct Removed {
    values: BTreeMap<Name, Tree>,
    /// Variables that were made to keep a condition.
    placeholders: BTreeSet<Name>,
}

impl Classes {
    fn of(live: &BTreeSet<Name>, body: &Body) -> Option<Self> {
        let mut classes = Self::default();
        let equalities =
            body.iter().filter(|expr| expr.is_equality() && !expr.negated && expr.with.is_empty());
        for expr in equalities {
            let [a, b] = expr.operands() else { continue };
            match (a.as_var(), b.as_var()) {
                (Some(a), Some(b)) => classes.merge(live, a, b)?,
                (Some(name), None) if b.value.is_constant() => classes.set(name, b)?,
                (None, Some(name)) if a.value.is_constant() => classes.set(name, a)?,
                _ => {}
            }
        }
        Some(classes)
    }

    fn find(&self, name: &Name) -> Option<Name> {
        let mut at = self.parents.get(name)?;
        while let Some(above) = self.parents.get(at) {
            if above == at {
                break;
            }
            at = above;
        }
        Some(at.clone())
    }

    fn class(&mut self, name: &Name) -> Name {
        self.find(name).unwrap_or_else(|| {
            self.parents.insert(name.clone(), name.clone());
            name.clone()
        })
    }

    fn set(&mut self, name: &Name, constant: &Term) -> Option<()> {
        let root = self.class(name);
        if self.constants.get(&root).is_some_and(|known| known != constant) {
            return None;
        }
        self.constants.insert(root, constant.clone());
        Some(())
    }

    fn merge(&mut self, live: &BTreeSet<Name>, a: &Name, b: &Name) -> Option<()> {
        let (a, b) = (self.class(a), self.class(b));
        if a == b {
            return Some(());
        }
        let (root, other) = if live.contains(&a) { (a, b) } else { (b, a) };
        self.parents.insert(other.clone(), root.clone());
        match (self.constants.remove(&other), self.constants.get(&root)) {
            (Some(lost), Some(kept)) if lost != *kept => return None,
            (Some(lost), None) => {
                self.constants.insert(root, lost);
            }
            _ => {}
        }
        Some(())
    }

    /// What a variable is: the value of its class, or the variable that stands for it.
    fn value(&self, name: &Name) -> Option<Tree> {
        let root = self.find(name)?;
        Some(self.constants.get(&root).map_or_else(|| Tree::Var(root.clone()), |term| term.value.clone()))
    }
}

impl Removed {
    fn placeholder(&mut self, value: Tree) {
        let name = Name::from(format!("__localcp{}__", self.placeholders.len()));
        self.placeholders.insert(name.clone());
        self.values.insert(name, value);
    }
}

impl Propagation {
    pub(crate) fn new(live: Vec<Name>, never_empty: bool) -> Self {
        Self { live: live.into_iter().collect(), never_empty }
    }

    /// The body without variables that only name something else; the body itself where that would change what it means.
    pub(crate) fn apply(&self, m: &Machine<'_>, body: &Body) -> Body {
        let Some(mut classes) = Classes::of(&self.live, body) else { return body.clone() };
        let heads = heads_of(body, &mut classes);
        let mut result: Vec<Expr> = Vec::new();
        let mut removed = Removed::default();
        for expr in body.iter() {
            let negated = expr.negated || matches!(expr.kind, ExprKind::Not(_));
            let mut expr = plugged(expr, &classes, &removed, negated);
            if let ExprKind::Not(not) = &mut expr.kind {
                let known = |name: &Name| {
                    self.live.contains(name)
                        || classes.find(name).is_some()
                        || removed.values.contains_key(name)
                };
                let live = crate::vars::all(&not.body).into_iter().filter(known).collect();
                not.body = Self::new(live, true).apply(m, &not.body);
            }
            if self.stays(m, &expr, negated, &heads, &mut removed) {
                result.push(expr);
            }
        }
        for name in &self.live {
            let Some(root) = classes.find(name) else { continue };
            let value = match (classes.constants.get(&root), removed.values.get(&root)) {
                (Some(constant), _) => constant.value.clone(),
                (None, Some(value)) => value.clone(),
                (None, None) if root != *name => Tree::Var(root),
                (None, None) => continue,
            };
            result.push(equality(name, value));
        }
        if !self.put_back(m, &mut result, &removed) {
            return body.clone();
        }
        if self.never_empty && result.is_empty() {
            result.push(Expr::literal_true(Span::NONE).generated());
        }
        Body(result)
    }

    /// Puts back what gives variables their values, and what nothing else says. `false`: a variable is left without.
    fn put_back(&self, m: &Machine<'_>, result: &mut Vec<Expr>, removed: &Removed) -> bool {
        let mut safe: BTreeSet<Name> = self.live.clone();
        safe.extend(["data", "input"].map(Name::from));
        for expr in result.iter() {
            safe.extend(m.program.bound_by(expr, &safe));
        }
        let mut open = m.program.needed_by(result);
        open.retain(|name| !safe.contains(name));
        for (name, value) in removed.values.iter().rev() {
            let expr = equality(name, value.clone());
            let bound = m.program.bound_by(&expr, &safe);
            let gives = open.iter().any(|name| bound.contains(name));
            open.retain(|name| !bound.contains(name));
            let is_document = matches!(value, Tree::Ref(reference)
                if reference.len() == 1 && reference.head_var().is_some_and(|head| safe.contains(head)));
            if gives || (!is_document && !is_contained(value, result)) {
                result.push(match value {
                    Tree::Ref(_) if removed.placeholders.contains(name) => {
                        Expr::new(ExprKind::Term(Term::new(value.clone(), Span::NONE)), Span::NONE)
                    }
                    _ => expr,
                });
                safe.extend(bound);
            }
        }
        open.is_empty()
    }

    /// Whether an expression stays; notes what its variable stands for if it does not.
    fn stays(
        &self,
        m: &Machine<'_>,
        expr: &Expr,
        negated: bool,
        heads: &BTreeSet<Name>,
        removed: &mut Removed,
    ) -> bool {
        if negated || !expr.with.is_empty() {
            return true;
        }
        if let (true, [a, b]) = (expr.is_equality(), expr.operands()) {
            if a == b {
                let is_live =
                    |reference: &Ref| reference.head_var().is_some_and(|head| self.live.contains(head));
                if a.as_ref_value().is_some_and(is_live) {
                    removed.placeholder(a.value.clone());
                }
                return false;
            }
            return !(self.names(a, b, removed) || self.names(b, a, removed));
        }
        if let ExprKind::Call(terms) = &expr.kind
            && let Some(arity) = expr.operator().and_then(|operator| m.arity(operator))
            && arity + 2 == terms.len()
            && let Some((output, call)) = terms.split_last()
            && let Some(name) = output.as_var()
            && !self.live.contains(name)
            && !heads.contains(name)
        {
            removed.values.insert(name.clone(), Tree::Call(call.to_vec()));
            return false;
        }
        !is_empty(expr)
    }

    /// Takes out `a` where it is a variable that names `b`.
    fn names(&self, a: &Term, b: &Term, removed: &mut Removed) -> bool {
        let Some(name) = a.as_var().filter(|name| !self.live.contains(*name)) else { return false };
        if !matches!(b.value, Tree::Ref(_) | Tree::Call(_)) {
            return false;
        }
        removed.values.insert(name.clone(), b.value.clone());
        true
    }
}

/// An expression that says nothing.
fn is_empty(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Call(_) if expr.is_call_to("equal") => {
            matches!(expr.operands(), [a, b] if a == b)
        }
        ExprKind::Term(term) => term.value.is_constant() && term.value != Tree::Bool(false),
        _ => false,
    }
}

/// The variables that references begin with. Their classes have no constant, since nothing begins with one.
fn heads_of(body: &Body, classes: &mut Classes) -> BTreeSet<Name> {
    let mut heads = BTreeSet::new();
    visit::walk_refs(body, &mut |reference| {
        if let Some(head) = reference.head_var() {
            let root = classes.find(head);
            if let Some(root) = &root {
                classes.constants.remove(root);
            }
            heads.insert(root.unwrap_or_else(|| head.clone()));
        }
        visit::DESCEND
    });
    heads
}

fn plugged(expr: &Expr, classes: &Classes, removed: &Removed, negated: bool) -> Expr {
    let mut expr = expr.clone();
    expr.walk_mut(&mut |node| {
        if let NodeMut::Term(term) = node {
            plug_term(term, classes, removed, negated);
        }
        visit::DESCEND
    });
    expr
}

fn plug_term(term: &mut Term, classes: &Classes, removed: &Removed, negated: bool) {
    match &mut term.value {
        Tree::Var(name) => {
            let value = classes.value(name).unwrap_or_else(|| Tree::Var(name.clone()));
            let Tree::Var(root) = &value else {
                term.value = value;
                return;
            };
            let known = removed.values.get(root).filter(|known| {
                let own = crate::vars::all(&Term::new((*known).clone(), Span::NONE));
                (!negated || known.is_ground()) && !own.contains(root)
            });
            term.value = known.cloned().unwrap_or(value);
        }
        Tree::Ref(reference) => {
            let Some(head) = reference.head_var().cloned() else { return };
            if let Some(value) = classes.value(&head)
                && let Some(first) = reference.first_mut()
            {
                first.value = value;
            }
            let known = reference.head_var().and_then(|head| removed.values.get(head));
            if let Some(known) = known.filter(|known| !negated || known.is_ground()) {
                let base = match known {
                    Tree::Ref(base) => base.clone(),
                    other => Ref(vec![Term::new(other.clone(), Span::NONE)]),
                };
                *reference = base.extended(reference.steps().to_vec());
            }
        }
        _ => {}
    }
}

fn equality(name: &Name, value: Tree) -> Expr {
    let (name, value) = (Term::var(name.clone(), Span::NONE), Term::new(value, Span::NONE));
    Expr::call("eq", vec![name, value], Span::NONE)
}

/// Whether something stands in expressions, outside of closures.
fn is_contained(value: &Tree, exprs: &[Expr]) -> bool {
    let mut found = false;
    for expr in exprs {
        if let (Tree::Call(wanted), ExprKind::Call(terms)) = (value, &expr.kind) {
            found |= wanted == terms;
        }
        expr.walk(&mut |node| {
            match node {
                visit::Node::Body(_) => return visit::SKIP,
                visit::Node::Term(term) => {
                    found |= match (&term.value, value) {
                        (Tree::Ref(reference), Tree::Ref(wanted)) => reference.has_prefix(wanted),
                        (own, wanted) => own == wanted,
                    };
                }
                _ => {}
            }
            found || (node.is_closure() && !matches!(node, visit::Node::Every(_)))
        });
    }
    found
}
