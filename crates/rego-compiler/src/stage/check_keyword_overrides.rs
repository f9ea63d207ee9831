//! Rules, arguments and variables must not be called `input` or `data`.

use rego_syntax::Diagnostic;
use rego_syntax::ast::{Body, Module, Term};

use crate::errors::compile_error;
use crate::stages::Compilation;
use crate::vars;
use crate::visit::{self, Node};

/// Checks modules in Rego v1, and all of them in strict mode.
pub(crate) fn check_keyword_overrides(c: &mut Compilation<'_>) {
    for module in &c.modules {
        if c.options.strict || super::is_v1_compatible(module) {
            c.errors.all_recoverable(overrides_in_module(module));
        }
    }
}

fn overrides_in_module(module: &Module) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for rule in &module.rules {
        if let Some(name) = rule.head.reference.head_var().filter(|name| vars::is_root_document(name)) {
            let message = format!("rules must not shadow {name} (use a different rule name)");
            found.push(compile_error(rule.span, message));
        }
        for arg in rule.head.args.iter().filter(|arg| vars::is_root_document_term(arg)) {
            let name = arg.to_string();
            let message = format!("args must not shadow {name} (use a different variable name)");
            found.push(compile_error(arg.span, message));
        }
    }
    for rule in module.rules.iter().flat_map(visit::chain) {
        overrides(Node::Rule(rule), &mut found);
    }
    found
}

/// Checks the assignments of a query.
pub(crate) fn overrides_in_query(query: &Body) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    overrides(Node::Body(query), &mut found);
    found
}

fn overrides(node: Node<'_>, found: &mut Vec<Diagnostic>) {
    visit::walk_exprs(node, &mut |expr| {
        if expr.is_assignment() {
            let name = expr.operand(0).map(Term::to_string).unwrap_or_default();
            if vars::is_root_document(&name) {
                let message = format!("variables must not shadow {name} (use a different variable name)");
                found.push(compile_error(expr.span, message));
            }
        }
        false
    });
}
