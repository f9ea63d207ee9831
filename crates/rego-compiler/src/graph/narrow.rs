//! Narrows references by the constants that their variables can hold: `some p in ["a", "b"]; data[p].x` refers
//! to two rules and not to every `x` there is.

use std::collections::BTreeMap;

use rego_syntax::ast::{Body, Expr, Name, Ref, Term, Value};

use super::dependencies::constant;

/// How many references one may become. Beyond that it stays as it is.
const MAX_EXPANSION: usize = 64;

/// The variables that are bound to one of a few constants, by the position of the binding expression.
pub(super) struct Bindings {
    known: BTreeMap<Name, (usize, Vec<Value>)>,
}

impl Bindings {
    /// The first binding of each variable. Only what is bound before counts, so that reordering for safety
    /// keeps the binding before its uses.
    pub(super) fn of(body: &Body) -> Self {
        let mut bindings = Self { known: BTreeMap::new() };
        for (at, expr) in body.iter().enumerate() {
            if let Some((name, values)) = bindings.binding(expr)
                && !bindings.known.contains_key(&name)
            {
                bindings.known.insert(name, (at, values));
            }
        }
        bindings
    }

    fn binding(&self, expr: &Expr) -> Option<(Name, Vec<Value>)> {
        if !expr.is_equality() || expr.negated || !expr.with.is_empty() {
            return None;
        }
        let [left, right] = expr.operands() else { return None };
        let bind = |var: &Term, value: &Term| {
            let name = var.as_var()?.clone();
            Some((name, self.values(value, usize::MAX)?))
        };
        bind(left, right).or_else(|| bind(right, left))
    }

    /// The constants that a term can be, as far as is known before the expression at `before`.
    fn values(&self, term: &Term, before: usize) -> Option<Vec<Value>> {
        match &term.value {
            Value::Var(name) => {
                let (at, values) = self.known.get(name)?;
                (*at < before).then(|| values.clone())
            }
            Value::Ref(reference) => self.values_of_ref(reference, before),
            _ => constant(term).map(|value| vec![value.clone()]),
        }
    }

    fn values_of_ref(&self, reference: &Ref, before: usize) -> Option<Vec<Value>> {
        let mut values = self.values(reference.head()?, before)?;
        for step in reference.steps() {
            let mut next = Vec::new();
            for value in &values {
                match constant(step) {
                    Some(key) => next.extend(member(value, key)),
                    None => next.extend(members(value)?),
                }
            }
            if next.len() > MAX_EXPANSION {
                return None;
            }
            values = next;
        }
        Some(values)
    }
}

fn member(value: &Value, key: &Value) -> Option<Value> {
    match value {
        Value::Array(items) => match key {
            Value::Number(number) => {
                let at = usize::try_from(number.as_i64()?).ok()?;
                items.get(at).map(|item| item.value.clone())
            }
            _ => None,
        },
        Value::Set(items) => items.iter().find(|item| item.value == *key).map(|item| item.value.clone()),
        Value::Object(entries) => {
            entries.iter().find(|(name, _)| name.value == *key).map(|(_, value)| value.value.clone())
        }
        _ => None,
    }
}

fn members(value: &Value) -> Option<Vec<Value>> {
    match value {
        Value::Array(items) | Value::Set(items) => {
            Some(items.iter().map(|item| item.value.clone()).collect())
        }
        Value::Object(entries) => Some(entries.iter().map(|(_, value)| value.value.clone()).collect()),
        _ => None,
    }
}

/// The references that one can become when its variables are replaced by what they can hold. There is always
/// one at least: the reference itself.
pub(super) fn expand(reference: &Ref, bindings: &Bindings, before: usize) -> Vec<Ref> {
    let mut expanded = vec![reference.clone()];
    for (at, step) in reference.iter().enumerate().skip(1) {
        if constant(step).is_some() {
            continue;
        }
        let values = bindings.values(step, before).unwrap_or_default();
        if values.is_empty() || expanded.len() * values.len() > MAX_EXPANSION {
            continue;
        }
        let mut next = Vec::with_capacity(expanded.len() * values.len());
        for prefix in &expanded {
            for value in &values {
                let mut narrowed = prefix.clone();
                if let Some(term) = narrowed.get_mut(at) {
                    term.value = value.clone();
                }
                next.push(narrowed);
            }
        }
        expanded = next;
    }
    expanded
}
