//! Says which variables are unsafe, and where.

use std::collections::HashMap;

use rego_syntax::ast::Name;
use rego_syntax::{Diagnostic, Span};

use super::Unsafe;
use crate::errors::unsafe_error;
use crate::text;
use crate::vars::{self, VarSet};

/// Keywords that Rego got after its first version; a variable with such a name is often a missing import.
const IMPORTED_KEYWORDS: [&str; 7] = ["and", "contains", "every", "if", "in", "not", "or"];

/// The errors for unsafe expressions. `rewritten` gives the names of the source; `scope` is added to each
/// message.
pub(crate) fn report(found: &[Unsafe], rewritten: &HashMap<Name, Name>, scope: &str) -> Vec<Diagnostic> {
    let original = |name: &Name| rewritten.get(name).unwrap_or(name).clone();
    let mut assigned = VarSet::new();
    for name in found.iter().flat_map(|expr| &expr.assigned) {
        assigned.insert(original(name));
        assigned.insert(name.clone());
    }
    let is_assigned = |name: &Name| assigned.contains(name) || assigned.contains(&original(name));
    let named: Vec<(Name, Span)> =
        first_places(found).into_iter().filter(|(name, _)| !vars::is_generated(&original(name))).collect();
    // What is assigned is unsafe only because of what it is assigned from: name that, if it has a name.
    let has_cause = named.iter().any(|(name, _)| !is_assigned(name));
    let causes = named.iter().filter(|(name, _)| !(has_cause && is_assigned(name)));
    let errors: Vec<Diagnostic> =
        causes.map(|(name, span)| unsafe_var(&original(name), *span, scope)).collect();
    if errors.is_empty() { unsafe_expressions(found, scope) } else { errors }
}

/// Every unsafe variable with the first expression that needs it, by place.
fn first_places(found: &[Unsafe]) -> Vec<(Name, Span)> {
    let mut places: HashMap<&Name, Span> = HashMap::new();
    for expr in found {
        for name in &expr.vars {
            let place = places.entry(name).or_insert(expr.span);
            if expr.span.start < place.start {
                *place = expr.span;
            }
        }
    }
    let mut places: Vec<(Name, Span)> = places.into_iter().map(|(name, span)| (name.clone(), span)).collect();
    places.sort_by(|a, b| (a.1.start, &a.0).cmp(&(b.1.start, &b.0)));
    places
}

fn unsafe_var(name: &Name, span: Span, scope: &str) -> Diagnostic {
    if IMPORTED_KEYWORDS.contains(&name.as_str()) {
        let hint = format!("(hint: `import future.keywords.{name}` to import a future keyword)");
        return unsafe_error(span, format!("var {name} is unsafe{scope} {hint}"));
    }
    unsafe_error(span, format!("var {} is unsafe{scope}", text::of_var(name)))
}

/// Variables that the compiler made mean nothing to the reader: name the expressions instead, one for each.
fn unsafe_expressions(found: &[Unsafe], scope: &str) -> Vec<Diagnostic> {
    let mut sorted: Vec<&Unsafe> = found.iter().collect();
    sorted.sort_by_key(|expr| expr.span.start);
    let mut seen = VarSet::new();
    let mut errors = Vec::new();
    for expr in sorted {
        let before = seen.len();
        seen.extend(expr.vars.iter().filter(|name| vars::is_generated(name)).cloned());
        if seen.len() > before {
            errors.push(unsafe_error(expr.span, format!("expression is unsafe{scope}")));
        }
    }
    errors
}
