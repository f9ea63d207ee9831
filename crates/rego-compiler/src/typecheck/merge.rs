//! Several rules at or below one path: their types become one.

use std::sync::Arc;

use rego_syntax::ast::{Term, Value};

use super::Checker;
use crate::types::{Key, Maybe, ObjectType, Type};

/// The layer of rules.
const RULES: usize = 1;

impl Checker<'_> {
    /// Adds the type of a rule at a ground path. Object types on the way learn of it, and an object type put
    /// above others learns of those.
    pub(super) fn insert_rule(&mut self, path: &[Term], ty: &Type) {
        let Some(layer) = self.layers.get_mut(RULES) else { return };
        layer.version += 1;
        let edited = Arc::make_mut(&mut layer.tree);
        let mut at = edited.root();
        for (i, step) in path.iter().enumerate() {
            at = edited.grow(at, &step.value);
            let rest = path.get(i + 1..).unwrap_or_default();
            if let Some(Type::Object(object)) = edited.ty(at)
                && !rest.is_empty()
            {
                let steps: Vec<Value> = rest.iter().map(|term| term.value.clone()).collect();
                edited.set(at, Some(insert_into_object(&object, &steps, ty)));
            }
        }
        let mut merged = merge(edited.ty(at), Some(ty.clone()));
        if matches!(ty, Type::Object(_)) {
            for (steps, leaf) in edited.leaves(at) {
                if let Some(Type::Object(object)) = &merged {
                    merged = Some(insert_into_object(object, &steps, &leaf));
                }
            }
        }
        edited.set(at, merged);
    }

    /// Says that nothing is known of a rule, since it is wrong.
    pub(super) fn forget_rule(&mut self, path: &[Term]) {
        self.change(RULES, |tree| tree.put(path, Some(Type::any())));
    }
}

/// One type for two rules at one path.
fn merge(a: Maybe, b: Maybe) -> Maybe {
    let (Some(a), Some(b)) = (a.clone(), b.clone()) else { return a.or(b) };
    match (&a, &b) {
        (Type::Object(left), Type::Object(right)) if left.fixed.is_empty() && right.fixed.is_empty() => Some(
            merge_objects(left, right)
                .unwrap_or_else(|| if left.rest.is_none() { b.clone() } else { a.clone() }),
        ),
        (Type::Object(object), Type::Any(of)) | (Type::Any(of), Type::Object(object))
            if object.fixed.is_empty() && object.rest.is_some() && !of.is_empty() =>
        {
            let mut members = of.to_vec();
            let same_kind = members.iter_mut().find_map(|member| match member {
                Type::Object(other) if other.fixed.is_empty() && other.rest.is_some() => Some(member),
                _ => None,
            });
            match same_kind {
                Some(member) => {
                    if let Type::Object(other) = &*member
                        && let Some(joined) = join_rests(other, object)
                    {
                        *member = joined;
                    }
                    Some(Type::one_of(members))
                }
                None => Type::union(Some(a), Some(b)),
            }
        }
        (Type::Set(left), Type::Set(right)) => {
            Some(Type::set(Type::union(left.as_deref().cloned(), right.as_deref().cloned())))
        }
        _ => Type::union(Some(a), Some(b)),
    }
}

fn merge_objects(a: &ObjectType, b: &ObjectType) -> Option<Type> {
    let ((key_a, value_a), (key_b, value_b)) = (a.rest.clone()?, b.rest.clone()?);
    Some(Type::object(Vec::new(), Some((Type::union(key_a, key_b), merge(value_a, value_b)))))
}

fn join_rests(a: &ObjectType, b: &ObjectType) -> Option<Type> {
    let ((key_a, value_a), (key_b, value_b)) = (a.rest.clone()?, b.rest.clone()?);
    Some(Type::object(Vec::new(), Some((Type::union(key_a, key_b), Type::union(value_a, value_b)))))
}

/// The object type with one more entry, somewhere below.
fn insert_into_object(object: &ObjectType, path: &[Value], ty: &Type) -> Type {
    let mut nested = Some(ty.clone());
    for step in path.iter().skip(1).rev() {
        nested = Some(Type::object(Vec::new(), Some((key_type(step), nested))));
    }
    let Some(first) = path.first() else { return Type::object(object.fixed.clone(), object.rest.clone()) };
    let (keys, values) = object.rest.clone().unwrap_or((None, None));
    let rest = (Type::union(keys, key_type(first)), Type::union(values, nested));
    Type::object(object.fixed.clone(), Some(rest))
}

fn key_type(step: &Value) -> Maybe {
    Key::of_constant(step).map(|key| key.type_of())
}
