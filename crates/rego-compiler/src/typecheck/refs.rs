//! References into documents whose type is known: what they select has to be there.

use rego_syntax::Diagnostic;
use rego_syntax::ast::{Expr, ExprKind, Ref, Term, Value};

use super::Checker;
use super::tree::NodeId;
use super::unify::unifies;
use crate::types::{Key, Maybe, Type};
use crate::vars;
use crate::visit::{self, Node};

/// How many steps may vary in one reference before its further ones are left unchecked.
const MAX_VARYING: usize = 64;

impl Checker<'_> {
    /// The wrong references of an expression, without those in its comprehensions.
    pub(super) fn refs_of(&mut self, expr: &Expr) -> Vec<Diagnostic> {
        let mut errors = Vec::new();
        self.refs_in_expr(expr, &mut errors);
        errors
    }

    fn refs_in_expr(&mut self, expr: &Expr, errors: &mut Vec<Diagnostic>) {
        match &expr.kind {
            ExprKind::Call(terms) => terms.iter().skip(1).for_each(|term| self.refs_in_term(term, errors)),
            ExprKind::Term(term) => self.refs_in_term(term, errors),
            ExprKind::Not(not) => not.body.iter().for_each(|expr| self.refs_in_expr(expr, errors)),
            ExprKind::Every(every) => {
                every.key.iter().for_each(|key| self.refs_in_term(key, errors));
                self.refs_in_term(&every.value, errors);
                self.refs_in_term(&every.domain, errors);
                every.body.iter().for_each(|expr| self.refs_in_expr(expr, errors));
            }
            ExprKind::And(both) | ExprKind::Or(both) => {
                both.lhs.iter().chain(both.rhs.iter()).for_each(|expr| self.refs_in_expr(expr, errors));
            }
            ExprKind::SomeDecl(_) => {}
        }
        if matches!(expr.kind, ExprKind::Every(_) | ExprKind::And(_) | ExprKind::Or(_)) {
            for with in &expr.with {
                self.refs_in_term(&with.target, errors);
                self.refs_in_term(&with.value, errors);
            }
        }
    }

    fn refs_in_term(&mut self, term: &Term, errors: &mut Vec<Diagnostic>) {
        visit::walk_terms(Node::Term(term), &mut |term| match &term.value {
            Value::Ref(reference) => {
                let found = self.used_as_value(reference);
                let is_function = found.is_some();
                errors.extend(found.or_else(|| self.check_ref(reference)));
                is_function
            }
            value => visit::is_comprehension(value),
        });
    }

    /// Functions are no values.
    fn used_as_value(&mut self, reference: &Ref) -> Option<Diagnostic> {
        match self.get_ref(reference) {
            have @ Some(Type::Function(_)) => {
                let last = reference.len().saturating_sub(1);
                Some(self.names.function_as_value(reference, last, &have))
            }
            _ => None,
        }
    }

    fn check_ref(&mut self, reference: &Ref) -> Option<Diagnostic> {
        let top = self.layers.len();
        let is_document = reference.head_var().is_some_and(|name| vars::is_root_document(name));
        for layer in (0..top).rev() {
            match self.check_in_layer(layer, reference, None, MAX_VARYING) {
                Outcome::Done(error) => return error,
                // The last layer that knows the document does not know this part of it: it may be data.
                Outcome::Unknown(at, node) if layer == 0 => {
                    if !is_document {
                        return self.check_in_type(&Some(Type::any()), reference, 0);
                    }
                    if at == 0 {
                        return self.check_in_type(&Some(Type::any()), reference, 1);
                    }
                    self.visit_children(layer, node, reference, at, MAX_VARYING);
                    return None;
                }
                Outcome::Unknown(..) => {}
            }
        }
        None
    }

    /// Follows a reference in one layer, from a node or from the beginning.
    fn check_in_layer(
        &mut self,
        layer: usize,
        reference: &Ref,
        from: Option<(NodeId, usize)>,
        depth: usize,
    ) -> Outcome {
        let Some(tree) = self.layers.get(layer).map(|layer| layer.tree.clone()) else {
            return Outcome::Done(None);
        };
        let (mut node, start) = from.unwrap_or((tree.root(), 0));
        for (at, step) in reference.iter().enumerate().skip(start) {
            if (at == 1 || at == 2) && !matches!(step.value, Value::Var(_) | Value::String(_)) {
                let have = self.get(&step.value);
                let one_of: Vec<Value> = tree.children(node).map(|(step, _)| step.clone()).collect();
                return Outcome::Done(Some(self.names.invalid(
                    reference,
                    at,
                    &have,
                    &Some(Type::String),
                    &one_of,
                )));
            }
            if let Value::Var(name) = &step.value
                && at != 0
            {
                let keys = tree.extent(node).and_then(|ty| ty.keys());
                match self.get(&step.value) {
                    None => self.put_var(name, keys),
                    known => {
                        if !unifies(&keys, &known) {
                            let one_of: Vec<Value> =
                                tree.children(node).map(|(step, _)| step.clone()).collect();
                            return Outcome::Done(Some(
                                self.names.invalid(reference, at, &known, &keys, &one_of),
                            ));
                        }
                    }
                }
            }
            let Some(child) = tree.child(node, &step.value) else {
                return if depth == 0 { Outcome::Done(None) } else { Outcome::Unknown(at, node) };
            };
            if let Some(ty) = tree.ty(child) {
                return Outcome::Done(self.check_in_type(&Some(ty), reference, at + 1));
            }
            node = child;
        }
        Outcome::Done(None)
    }

    /// A step that varies reaches every child. Nothing is an error then, but variables further on get types.
    fn visit_children(&mut self, layer: usize, node: NodeId, reference: &Ref, at: usize, depth: usize) {
        let Some(tree) = self.layers.get(layer).map(|layer| layer.tree.clone()) else { return };
        if depth == 0 {
            return;
        }
        for (_, child) in tree.children(node) {
            let below = self.check_in_layer(layer, reference, Some((child, at + 1)), depth);
            if let Outcome::Unknown(at, node) = below {
                self.visit_children(layer, node, reference, at, depth - 1);
            }
        }
    }

    /// Follows the steps of a reference from `start` on in a type.
    fn check_in_type(&mut self, ty: &Maybe, reference: &Ref, start: usize) -> Option<Diagnostic> {
        let mut ty = ty.clone();
        for (at, step) in reference.iter().enumerate().skip(start) {
            let Some(known) = ty else {
                return Some(self.names.unsupported(reference, at.saturating_sub(1), &None));
            };
            if known.is_empty_collection() {
                return self.check_in_empty(&known, reference, at, step);
            }
            let Some(keys) = known.keys() else {
                return Some(self.names.unsupported(reference, at.saturating_sub(1), &Some(known)));
            };
            let keys = Some(keys);
            match &step.value {
                Value::Var(name) => match self.get(&step.value) {
                    None => self.put_var(name, keys),
                    have if unifies(&have, &keys) => {}
                    have => return Some(self.invalid_in(&known, reference, at, &have, &keys)),
                },
                Value::Ref(inner) => {
                    let have = self.get_ref(inner);
                    if have.is_some() && !unifies(&have, &keys) {
                        return Some(self.invalid_in(&known, reference, at, &have, &keys));
                    }
                }
                Value::Array(_) | Value::Object(_) | Value::Set(_) => {
                    if !self.unify_term(step, &keys, false) {
                        let have = self.get(&step.value);
                        return Some(self.names.invalid(reference, at, &have, &keys, &[]));
                    }
                }
                value => {
                    let selected = Key::of_constant(value).and_then(|key| known.select(&key));
                    if selected.is_none() {
                        return Some(self.invalid_in(&known, reference, at, &None, &keys));
                    }
                    ty = selected;
                    continue;
                }
            }
            ty = known.values();
        }
        None
    }

    fn check_in_empty(&mut self, ty: &Type, reference: &Ref, at: usize, step: &Term) -> Option<Diagnostic> {
        if visit::is_scalar(&step.value) {
            return Some(self.names.invalid(reference, at, &None, &None, &[]));
        }
        let Value::Var(name) = &step.value else { return None };
        match self.get(&step.value) {
            None => self.put_var(name, Some(Type::any())),
            have => {
                // Only arrays say what their keys are.
                let keys = ty.keys();
                if keys.is_some() && !unifies(&have, &keys) {
                    return Some(self.names.invalid(reference, at, &have, &keys, &[]));
                }
            }
        }
        None
    }

    fn invalid_in(&self, ty: &Type, reference: &Ref, at: usize, have: &Maybe, want: &Maybe) -> Diagnostic {
        let mut one_of = Vec::new();
        known_keys(ty, &mut one_of);
        one_of.sort();
        one_of.dedup();
        self.names.invalid(reference, at, have, want, &one_of)
    }
}

/// How a look into a layer ended.
enum Outcome {
    /// The layer knows the document; perhaps it is wrong.
    Done(Option<Diagnostic>),
    /// It does not know the child of this node that the step at this position names.
    Unknown(usize, NodeId),
}

fn known_keys(ty: &Type, found: &mut Vec<Value>) {
    match ty {
        Type::Object(object) => found.extend(object.fixed.iter().map(|(key, _)| key.value().clone())),
        Type::Any(of) => of.iter().for_each(|ty| known_keys(ty, found)),
        _ => {}
    }
}
