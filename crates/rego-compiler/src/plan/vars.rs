//! Which variables of a term have no value yet.

use rego_syntax::ast::{Name, Term, Value};

/// Calls `f` with each variable of the term; those inside comprehensions are left out, since they end there.
pub(super) fn for_each_var<'t>(term: &'t Term, f: &mut impl FnMut(&'t Name)) {
    match &term.value {
        Value::Var(name) => f(name),
        Value::Ref(r) => r.iter().for_each(|t| for_each_var(t, f)),
        Value::Array(terms) | Value::Set(terms) => terms.iter().for_each(|t| for_each_var(t, f)),
        Value::Call(terms) => terms.iter().skip(1).for_each(|t| for_each_var(t, f)),
        Value::Object(entries) => entries.iter().for_each(|(key, value)| {
            for_each_var(key, f);
            for_each_var(value, f);
        }),
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::TemplateString(_)
        | Value::ArrayComp(_)
        | Value::ObjectComp(_)
        | Value::SetComp(_) => {}
    }
}

impl super::Planner<'_> {
    /// The variables of the terms that have no value yet, each once, in order of appearance.
    pub(super) fn unseen_vars<'t>(&self, terms: impl IntoIterator<Item = &'t Term>) -> Vec<&'t Name> {
        let mut unseen: Vec<&Name> = Vec::new();
        for term in terms {
            for_each_var(term, &mut |name| {
                if self.scope.value_of(name).is_none() && !unseen.contains(&name) {
                    unseen.push(name);
                }
            });
        }
        unseen
    }

    /// Whether a variable of the term has no value yet.
    pub(super) fn has_unseen_vars(&self, term: &Term) -> bool {
        !self.unseen_vars([term]).is_empty()
    }
}
