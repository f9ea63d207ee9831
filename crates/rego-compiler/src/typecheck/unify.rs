//! Whether values and types can be equal, and what that says about variables.

use rego_syntax::ast::{Term, Value};

use super::Checker;
use crate::types::{ArrayType, Key, Maybe, ObjectType, Type};

impl Checker<'_> {
    /// Whether two terms can be equal; gives types to variables that have none.
    pub(super) fn unify_terms(&mut self, a: &Term, ty_a: &Maybe, b: &Term, ty_b: &Maybe) -> bool {
        match (Type::is_unknown(ty_a), Type::is_unknown(ty_b)) {
            (true, false) => return self.unify_term(a, ty_b, false),
            (false, true) => return self.unify_term(b, ty_a, false),
            (false, false) => return unifies(ty_a, ty_b),
            (true, true) => {}
        }
        let any = Some(Type::any());
        match (&a.value, &b.value) {
            (Value::Array(left), Value::Array(right)) => {
                return left.len() == right.len()
                    && left.iter().zip(right).all(|(a, b)| self.unify_pair(a, b));
            }
            (Value::Object(left), Value::Object(right)) => {
                let same_keys = left.len() == right.len() && left.iter().zip(right).all(|(a, b)| a.0 == b.0);
                return same_keys && left.iter().zip(right).all(|(a, b)| self.unify_pair(&a.1, &b.1));
            }
            (Value::Array(_) | Value::Object(_), Value::Var(_)) => return self.unify_with_var(a, b),
            (Value::Var(_), Value::Array(_) | Value::Object(_)) => return self.unify_with_var(b, a),
            (Value::Var(_), Value::Var(_)) => return self.unify_with_var(a, b),
            (Value::Var(_), Value::Ref(_)) => return self.unify_term(a, &any, false),
            (Value::Ref(_), Value::Var(_)) => return self.unify_term(b, &any, false),
            _ => {}
        }
        // A variable takes the part of a type that is known.
        match (&a.value, &b.value) {
            (Value::Var(_), _) if ty_a.is_none() && ty_b.is_some() => self.unify_term(a, ty_b, false),
            (_, Value::Var(_)) if ty_b.is_none() && ty_a.is_some() => self.unify_term(b, ty_a, false),
            _ => false,
        }
    }

    fn unify_pair(&mut self, a: &Term, b: &Term) -> bool {
        let (ty_a, ty_b) = (self.get(&a.value), self.get(&b.value));
        self.unify_terms(a, &ty_a, b, &ty_b)
    }

    fn unify_with_var(&mut self, pattern: &Term, var: &Term) -> bool {
        if !self.unify_term(pattern, &Some(Type::any()), false) {
            return false;
        }
        let ty = self.get(&pattern.value);
        self.unify_term(var, &ty, false)
    }

    /// Whether a term can be of a type; gives types to variables that have none. With `union` a variable may be
    /// of its type or of this one.
    pub(super) fn unify_term(&mut self, term: &Term, ty: &Maybe, union: bool) -> bool {
        match &term.value {
            Value::Array(_) | Value::Object(_) | Value::Set(_) => match ty {
                Some(Type::Any(of)) if of.is_empty() => {
                    self.each_part_is_any(term);
                    true
                }
                // All members are tried, since each adds to what the variables can be.
                Some(Type::Any(of)) => {
                    let mut fits = false;
                    for member in of.iter() {
                        fits |= self.unify_term(term, &Some(member.clone()), true);
                    }
                    fits
                }
                Some(ty) => self.unify_composite(&term.value, ty, union),
                None => false,
            },
            Value::Var(name) => {
                let known = self.get(&term.value);
                match known {
                    Some(_) if !union => unifies(&known, ty),
                    _ if union => {
                        self.put_var(name, Type::union(known, ty.clone()));
                        true
                    }
                    _ => {
                        self.put_var(name, ty.clone());
                        true
                    }
                }
            }
            value => unifies(&self.get(value), ty),
        }
    }

    fn each_part_is_any(&mut self, term: &Term) {
        let any = Some(Type::any());
        match &term.value {
            Value::Array(items) | Value::Set(items) => {
                items.iter().for_each(|item| drop_answer(self.unify_term(item, &any, true)));
            }
            Value::Object(entries) => entries.iter().for_each(|(key, value)| {
                drop_answer(self.unify_term(key, &any, true));
                drop_answer(self.unify_term(value, &any, true));
            }),
            _ => {}
        }
    }

    fn unify_composite(&mut self, value: &Value, ty: &Type, union: bool) -> bool {
        match (value, ty) {
            (Value::Array(items), Type::Array(array)) => self.unify_array(items, array, union),
            (Value::Object(entries), Type::Object(object)) => self.unify_object(entries, object, union),
            (Value::Set(items), Type::Set(of)) => {
                let of = of.as_deref().cloned();
                items.iter().all(|item| self.unify_term(item, &of, union))
            }
            _ => false,
        }
    }

    fn unify_array(&mut self, items: &[Term], array: &ArrayType, union: bool) -> bool {
        (items.len() == array.fixed.len() || array.rest.is_some())
            && items.iter().enumerate().all(|(at, item)| self.unify_term(item, &array.select(at), union))
    }

    fn unify_object(&mut self, entries: &[(Term, Term)], object: &ObjectType, union: bool) -> bool {
        if entries.len() != object.fixed.len() && object.rest_value().is_none() {
            return false;
        }
        entries.iter().all(|(key, value)| match Key::of_constant(&key.value) {
            Some(key) => {
                let ty = object.select(&key);
                ty.is_some() && self.unify_term(value, &ty, union)
            }
            // A key that varies can select any property, so nothing is known of the value.
            None => {
                drop_answer(self.unify_term(value, &Some(Type::any()), union));
                true
            }
        })
    }
}

/// The call is made for what it finds out about variables.
fn drop_answer(_: bool) {}

/// Whether a value can be of both types.
pub(super) fn unifies(a: &Maybe, b: &Maybe) -> bool {
    let (Some(a), Some(b)) = (a, b) else { return false };
    match (a, b) {
        (Type::Any(of), other) | (other, Type::Any(of)) if any_unifies(of, other) => true,
        (Type::Any(_), Type::Any(of)) => any_unifies(of, a),
        (Type::Any(_), _) | (_, Type::Any(_)) => false,
        (Type::Array(a), Type::Array(b)) => unifies_arrays(a, b),
        (Type::Object(a), Type::Object(b)) => unifies_objects(a, b),
        // Without element type it is the empty set, which is a set of anything.
        (Type::Set(a), Type::Set(b)) => match (a, b) {
            (Some(a), Some(b)) => unifies(&Some((**a).clone()), &Some((**b).clone())),
            _ => true,
        },
        (Type::Function(a), Type::Function(b)) => {
            a.arity() == b.arity() && a.params.iter().zip(&b.params).all(|(a, b)| unifies(&a.ty, &b.ty))
        }
        _ => std::mem::discriminant(a) == std::mem::discriminant(b),
    }
}

fn any_unifies(of: &[Type], other: &Type) -> bool {
    if matches!(other, Type::Function(_)) {
        return false;
    }
    of.is_empty() || of.iter().any(|ty| unifies(&Some(ty.clone()), &Some(other.clone())))
}

fn unifies_arrays(a: &ArrayType, b: &ArrayType) -> bool {
    let fixed = a.fixed.len().max(b.fixed.len());
    (0..fixed).all(|at| unifies(&a.select(at), &b.select(at)))
        && (a.rest.is_none() || b.rest.is_none() || unifies(&a.rest, &b.rest))
}

fn unifies_objects(a: &ObjectType, b: &ObjectType) -> bool {
    let (rest_a, rest_b) = (a.rest_value(), b.rest_value());
    let fits = |a: &ObjectType, b: &ObjectType| {
        a.fixed.iter().all(|(key, ty)| match b.select(key) {
            Some(other) => unifies(ty, &Some(other)),
            None => rest_a.is_some() || rest_b.is_some(),
        })
    };
    fits(a, b) && fits(b, a) && (rest_a.is_none() || rest_b.is_none() || unifies(&rest_a, &rest_b))
}
