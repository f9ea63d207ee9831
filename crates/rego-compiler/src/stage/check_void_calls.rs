//! A call without result (`print`) is a statement, not a value.

use rego_syntax::Diagnostic;
use rego_syntax::ast::{Term, Value};

use crate::declarations::Declarations;
use crate::errors::type_error;
use crate::stages::Compilation;
use crate::visit::{self, Node};

/// Checks all rules.
pub(crate) fn check_void_calls(c: &mut Compilation<'_>) {
    let declarations = Declarations { options: c.options, tree: &c.rule_tree };
    for rule in c.modules.iter().flat_map(|module| &module.rules).flat_map(visit::chain) {
        c.errors.all_fatal(void_calls(Node::Rule(rule), declarations));
    }
}

/// The calls below a node that are used as values and have none.
pub(crate) fn void_calls(node: Node<'_>, declarations: Declarations<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    visit::walk_terms(node, &mut |term| {
        if let Value::Call(terms) = &term.value {
            let builtin =
                terms.first().and_then(Term::as_ref_value).and_then(|name| declarations.builtin(name));
            if builtin.is_some_and(|builtin| builtin.result.is_none()) {
                found.push(type_error(term.span, format!("{} used as value", Value::Call(terms.clone()))));
            }
        }
        false
    });
    found
}
