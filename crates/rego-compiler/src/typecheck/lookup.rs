//! What type a value has.

use rego_syntax::ast::{Ref, Term, Value};

use super::Checker;
use super::tree::{NodeId, TypeTree};
use crate::types::{Key, Maybe, Type, is_constant};
use crate::vars;

impl Checker<'_> {
    /// The type of a value; nothing where it is not known.
    pub(super) fn get(&mut self, value: &Value) -> Maybe {
        match value {
            Value::Null => Some(Type::Null),
            Value::Bool(_) => Some(Type::Boolean),
            Value::Number(_) => Some(Type::Number),
            Value::String(_) | Value::TemplateString(_) => Some(Type::String),
            Value::Array(items) => {
                let fixed = items.iter().map(|item| self.get(&item.value)).collect();
                Some(Type::array(fixed, None))
            }
            Value::Object(entries) => Some(self.get_object(entries)),
            Value::Set(items) => {
                let of = items.iter().fold(None, |of, item| Type::union(of, self.get(&item.value)));
                Some(Type::set(of))
            }
            Value::ArrayComp(_) | Value::SetComp(_) | Value::ObjectComp(_) => {
                self.comprehension(value).ty.clone()
            }
            Value::Ref(reference) => self.get_ref(reference),
            Value::Var(_) => {
                let found =
                    |layer: &super::Layer| Some(layer.tree.ty(layer.tree.child(layer.tree.root(), value)?));
                self.layers.iter().rev().find_map(found).flatten()
            }
            Value::Call(_) => None,
        }
    }

    fn get_object(&mut self, entries: &[(Term, Term)]) -> Type {
        let mut fixed = Vec::new();
        let mut rest = None;
        for (key, value) in entries {
            let ty = self.get(&value.value);
            match Key::of_constant(&key.value) {
                Some(key) => fixed.push((key, ty)),
                None => rest = Some((self.get(&key.value), ty)),
            }
        }
        Type::object(fixed, rest)
    }

    /// The type of what a reference refers to.
    pub(super) fn get_ref(&self, reference: &Ref) -> Maybe {
        let (head, steps) = reference.split_first()?;
        for layer in self.layers.iter().rev() {
            let found = layer.tree.child(layer.tree.root(), &head.value);
            if let Some(ty) = found.and_then(|node| get_below(&layer.tree, node, steps)) {
                return ty;
            }
        }
        // Of documents that no rule defines nothing is known: they can hold anything.
        let is_document = head.as_var().is_some_and(|name| vars::is_root_document(name));
        is_document.then(Type::any)
    }
}

/// The type behind the steps from a node; nothing where an earlier layer may know.
fn get_below(tree: &TypeTree, start: NodeId, steps: &[Term]) -> Option<Maybe> {
    let mut at = start;
    let mut steps = steps;
    while let Some((step, rest)) = steps.split_first() {
        let child = tree.child(at, &step.value);
        if let Some(ty) = tree.ty(at) {
            match child {
                Some(child) => (at, steps) = (child, rest),
                None => return Some(select(Some(ty), steps)),
            }
            continue;
        }
        if !is_constant(&step.value) {
            return Some(select(tree.extent(at), steps));
        }
        (at, steps) = (child?, rest);
    }
    Some(tree.extent(at))
}

/// The type behind the steps into a type. A step that is not constant can select anything in it.
pub(super) fn select(ty: Maybe, steps: &[Term]) -> Maybe {
    steps.iter().try_fold(ty, |ty, step| {
        let ty = ty?;
        let dynamic = matches!(
            step.value,
            Value::Var(_) | Value::Ref(_) | Value::Array(_) | Value::Object(_) | Value::Set(_)
        );
        let next = match Key::of_constant(&step.value) {
            _ if dynamic && ty.is_empty_collection() => Some(Type::any()),
            Some(key) if !dynamic => ty.select(&key),
            _ if dynamic => ty.values(),
            _ => None,
        };
        next.map(Some)
    })?
}
