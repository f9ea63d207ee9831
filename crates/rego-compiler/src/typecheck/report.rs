//! Errors about references, with the names of the source.

use std::collections::HashMap;

use rego_syntax::ast::{Name, Ref, Term, Value, value_to_json};
use rego_syntax::{Diagnostic, Reported, Span};

use crate::errors::type_error_with;
use crate::text;
use crate::types::{Maybe, Shown, Type, json};
use crate::visit_mut::{self, Rewrite};

/// What generated variables stand for.
pub(crate) struct Names<'a> {
    /// The terms that were taken out.
    pub(crate) subjects: &'a HashMap<Name, Value>,
    /// The variables of the source.
    pub(crate) rewritten: Vec<&'a HashMap<Name, Name>>,
    /// The places that OPA gives the heads of references.
    pub(crate) shared: &'a HashMap<Span, Span>,
}

impl Names<'_> {
    fn placed(&self, error: Diagnostic) -> Diagnostic {
        let other = self.shared.get(&error.span).filter(|other| **other != error.span);
        let reported = other.map_or(error.reported, |other| Reported::At(*other));
        Diagnostic { reported, ..error }
    }

    fn source(&self, reference: &Ref) -> Ref {
        let mut shown = reference.clone();
        let mut restore = Restore { names: self, depth: 0 };
        shown.iter_mut().for_each(|term| restore.term(term));
        shown
    }

    pub(super) fn function_as_value(&self, reference: &Ref, at: usize, have: &Maybe) -> Diagnostic {
        let shown = self.source(reference);
        let named = match shown.split_last() {
            Some((Term { value: Value::Var(last), .. }, rest)) if last.starts_with("__local") => {
                text::of_ref(rest)
            }
            _ => text::of_ref(&shown),
        };
        let message = format!("function {named} used as reference, not called");
        self.unsupported_with(reference, &shown, at, have, message)
    }

    /// The value before the step can not be referred into.
    pub(super) fn unsupported(&self, reference: &Ref, at: usize, have: &Maybe) -> Diagnostic {
        if matches!(have, Some(Type::Function(_))) {
            return self.function_as_value(reference, at, have);
        }
        let shown = self.source(reference);
        let message = format!("undefined ref: {}", text::of_ref(&shown));
        self.unsupported_with(reference, &shown, at, have, message)
    }

    fn unsupported_with(
        &self,
        reference: &Ref,
        shown: &Ref,
        at: usize,
        have: &Maybe,
        message: String,
    ) -> Diagnostic {
        let upto = text::of_ref(shown.get(..=at).unwrap_or(shown));
        let lines = [text::of_ref(shown), "^".repeat(upto.chars().count()), format!("have: {}", Shown(have))];
        let details =
            format!("{{\"ref\":{},\"pos\":{at},\"have\":{}}}", json::reference(shown), json::of(have));
        self.placed(type_error_with(span_of(reference), message, &lines).with_details(details))
    }

    /// The step selects nothing.
    pub(super) fn invalid(
        &self,
        reference: &Ref,
        at: usize,
        have: &Maybe,
        want: &Maybe,
        one_of: &[Value],
    ) -> Diagnostic {
        let shown = self.source(reference);
        let details = invalid_details(&shown, at, have, want, one_of);
        let pad = " ".repeat(text::of_ref(shown.get(..at).unwrap_or(&shown)).chars().count() + 1);
        let have = match have {
            Some(_) => format!("{pad}have (type): {}", Shown(have)),
            None => format!("{pad}have: {}", shown.get(at).map(Term::to_string).unwrap_or_default()),
        };
        let want = if !one_of.is_empty() {
            let listed: Vec<String> = one_of.iter().map(Value::to_string).collect();
            format!("{pad}want (one of): [{}]", listed.join(" "))
        } else if want.is_none() {
            format!("{pad}want (one of): []")
        } else {
            format!("{pad}want (type): {}", Shown(want))
        };
        let lines = [text::of_ref(&shown), format!("{pad}^"), have, want];
        let message = format!("undefined ref: {}", text::of_ref(&shown));
        self.placed(type_error_with(span_of(reference), message, &lines).with_details(details))
    }
}

fn invalid_details(shown: &Ref, at: usize, have: &Maybe, want: &Maybe, one_of: &[Value]) -> String {
    let have = have.as_ref().map(|_| format!("\"have\":{},", json::of(have))).unwrap_or_default();
    let listed: Vec<String> = one_of.iter().map(value_to_json).collect();
    let listed = if listed.is_empty() { "null".to_owned() } else { format!("[{}]", listed.join(",")) };
    let (shown, want) = (json::reference(shown), json::of(want));
    format!("{{\"ref\":{shown},\"pos\":{at},{have}\"want\":{want},\"oneOf\":{listed}}}")
}

fn span_of(reference: &Ref) -> Span {
    reference.head().map_or(Span::NONE, |head| head.span)
}

/// Puts back what generated variables stand for; what is put back may hold some itself.
struct Restore<'a> {
    names: &'a Names<'a>,
    depth: usize,
}

impl Rewrite for Restore<'_> {
    fn term(&mut self, term: &mut Term) {
        const MAX_DEPTH: usize = 16;
        if let Value::Var(name) = &term.value {
            if let Some(subject) = self.names.subjects.get(name).filter(|_| self.depth < MAX_DEPTH) {
                term.value = subject.clone();
                self.depth += 1;
                visit_mut::each_subterm(self, term);
                self.depth -= 1;
            } else if let Some(source) = self.names.rewritten.iter().find_map(|names| names.get(name)) {
                term.value = Value::Var(source.clone());
            }
            return;
        }
        visit_mut::each_subterm(self, term);
    }
}
