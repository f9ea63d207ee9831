//! Functions that must not be called: those that the caller forbids, and deprecated ones.

use rego_syntax::ast::{Ref, Term, Value};
use rego_syntax::{Diagnostic, Span};

use crate::errors::type_error;
use crate::options::Options;
use crate::stages::Compilation;
use crate::text;
use crate::visit::{self, Node};

/// Checks all rules for functions that the caller forbids.
pub(crate) fn check_unsafe_builtins(c: &mut Compilation<'_>) {
    if c.options.unsafe_builtins.is_empty() {
        return;
    }
    for rule in c.modules.iter().flat_map(|module| &module.rules).flat_map(visit::chain) {
        c.errors.all_recoverable(unsafe_calls(Node::Rule(rule), c.options));
    }
}

/// The calls of forbidden functions below a node.
pub(crate) fn unsafe_calls(node: Node<'_>, options: &Options) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    visit::walk_exprs(node, &mut |expr| {
        if let Some(name) = expr.operator().and_then(text::dotted)
            && options.unsafe_builtins.contains(&name)
        {
            let message = format!("unsafe built-in function calls in expression: {name}");
            found.push(type_error(expr.span, message));
        }
        false
    });
    found
}

/// Checks modules in Rego v1, and all of them in strict mode, for deprecated functions.
pub(crate) fn check_deprecated_builtins(c: &mut Compilation<'_>) {
    for module in &c.modules {
        if c.options.strict || super::is_v1_compatible(module) {
            for rule in module.rules.iter().flat_map(visit::chain) {
                c.errors.all_recoverable(deprecated_calls(Node::Rule(rule)));
            }
        }
    }
}

/// The calls of deprecated functions below a node.
pub(crate) fn deprecated_calls(node: Node<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut check = |operator: Option<&Ref>, span: Span| {
        let builtin = operator.and_then(text::dotted).and_then(|name| rego_builtins::by_name(&name));
        if let Some(builtin) = builtin.filter(|builtin| builtin.deprecated) {
            let message = format!("deprecated built-in function calls in expression: {}", builtin.name);
            found.push(type_error(span, message));
        }
    };
    visit::walk(node, &mut |node| {
        match node {
            Node::Expr(expr) => check(expr.operator(), expr.span),
            Node::Term(Term { value: Value::Call(terms), .. }) => {
                if let Some(operator) = terms.first() {
                    check(operator.as_ref_value(), operator.span);
                }
            }
            _ => {}
        }
        false
    });
    found
}
