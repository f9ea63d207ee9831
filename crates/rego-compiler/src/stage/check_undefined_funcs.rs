//! Every call is of a function that there is, with as many arguments as it takes (or one more: its result).

use std::collections::HashMap;

use rego_syntax::Diagnostic;
use rego_syntax::ast::{Expr, Name, Ref, Term, Value};

use crate::declarations::Declarations;
use crate::errors::{type_error, type_error_with};
use crate::stages::Compilation;
use crate::text;
use crate::typecheck::describe_operand;
use crate::types::{FunctionType, Key, Maybe, json};
use crate::visit::{self, Node};

/// Checks all rules.
pub(crate) fn check_undefined_funcs(c: &mut Compilation<'_>) {
    let declarations = Declarations { options: c.options, tree: &c.rule_tree };
    for rule in c.modules.iter().flat_map(|module| &module.rules).flat_map(visit::chain) {
        c.errors.all_fatal(undefined_functions(Node::Rule(rule), declarations, &c.rewritten));
    }
}

/// The wrong calls below a node.
pub(crate) fn undefined_functions(
    node: Node<'_>,
    declarations: Declarations<'_>,
    rewritten: &HashMap<Name, Name>,
) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    visit::walk_exprs(node, &mut |expr| {
        let Some(operator) = expr.operator() else { return false };
        let given = expr.operands().len();
        let problem = match declarations.arity(operator) {
            None => {
                let name = text::of_ref(&original(operator, rewritten));
                Some(type_error(expr.span, format!("undefined function {name}")))
            }
            // Stages add a variable for the result.
            Some(arity) if expr.generated => {
                let fits = expr.is_equality() || given == arity + 1;
                (!fits).then(|| mismatch(expr, declarations, rewritten, arity, given.saturating_sub(1)))
            }
            Some(arity) => {
                let fits = given == arity || given == arity + 1;
                (!fits).then(|| mismatch(expr, declarations, rewritten, arity, given))
            }
        };
        let wrong = problem.is_some();
        found.extend(problem);
        wrong
    });
    found
}

fn original(operator: &Ref, rewritten: &HashMap<Name, Name>) -> Ref {
    let mut shown = operator.clone();
    for term in shown.iter_mut() {
        if let Value::Var(name) = &term.value
            && let Some(source) = rewritten.get(name)
        {
            term.value = Value::Var(source.clone());
        }
    }
    shown
}

fn mismatch(
    expr: &Expr,
    declarations: Declarations<'_>,
    rewritten: &HashMap<Name, Name>,
    arity: usize,
    given: usize,
) -> Diagnostic {
    let operator = expr.operator().map(|operator| original(operator, rewritten)).unwrap_or_default();
    let name = text::of_ref(&operator);
    if let Some(builtin) = declarations.builtin(&operator) {
        let want = FunctionType { result: None, ..FunctionType::of_builtin(builtin) };
        let have: Vec<String> = expr.operands().iter().map(|term: &Term| describe_operand(term)).collect();
        let lines = [format!("have: ({})", have.join(", ")), format!("want: {}", want.describe())];
        let have = expr.operands().iter().map(|term| Key::of_constant(&term.value).map(|key| key.type_of()));
        let have: Vec<Maybe> = have.collect();
        let details = format!("{{\"have\":{},\"want\":{}}}", json::list(&have), json::arguments(&want));
        return type_error_with(expr.span, format!("{name}: arity mismatch"), &lines).with_details(details);
    }
    let arguments = if given == 1 { "argument" } else { "arguments" };
    type_error(expr.span, format!("function {name} has arity {arity}, got {given} {arguments}"))
}
