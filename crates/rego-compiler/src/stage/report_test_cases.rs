//! A test with cases says which one it is at as soon as it knows, so that a case that fails has a name:
//! `test_p[case] if { …; q(case) }` gets a call `internal.test_case([case])` behind what binds `case`.

use rego_syntax::ast::{Body, Expr, Name, Rule, Term, Value};

use super::rewrite_test_names::case_of;
use crate::stages::Compilation;
use crate::vars::{self, Skip, VarSet};
use crate::visit::{self, Node};

const TEST_CASE: &str = "internal.test_case";

/// Adds the calls, if rules may be tests.
pub(crate) fn report_test_cases(c: &mut Compilation<'_>) {
    if !c.options.tests {
        return;
    }
    for rule in c.modules.iter_mut().flat_map(|module| &mut module.rules) {
        let Some(case) = case_of(&rule.head).map(<[Term]>::to_vec) else { continue };
        if !reports_itself(rule) {
            raise(&case, &mut rule.body);
            report(case, &mut rule.body);
        }
    }
}

fn reports_itself(rule: &Rule) -> bool {
    let calls = |node: Node<'_>| matches!(node, Node::Expr(expr) if expr.is_call_to(TEST_CASE));
    rule.body.iter().any(|expr| visit::any(Node::Expr(expr), &mut |node| calls(node)))
}

/// What the compiler took out of the head stands at the end of the body; it moves up to where it can be evaluated.
/// What the author wrote stays where it is.
fn raise(case: &[Term], body: &mut Body) {
    for step in case {
        let mut at = body.len();
        while at > 0 {
            at -= 1;
            let Some(expr) = body.get(at) else { break };
            let binds = expr.generated && (expr.is_equality() || expr.is_assignment());
            if !binds || expr.operand(0) != Some(step) {
                continue;
            }
            let needed = expr.operand(1).map(local_vars).unwrap_or_default();
            let target = if needed.is_empty() { 0 } else { first_uses(body, at, &needed) };
            if target < at {
                let expr = body.remove(at);
                body.insert(target, expr);
            }
        }
    }
}

/// Behind the latest of the expressions before `end` that are the first to mention one of the variables.
fn first_uses(body: &Body, end: usize, needed: &VarSet) -> usize {
    let first = |name: &Name| {
        let mentions = |expr: &Expr| vars::of_expr(expr, Skip::NOTHING).contains(name);
        body.iter().take(end).position(mentions).unwrap_or(0)
    };
    needed.iter().map(first).max().unwrap_or(0) + 1
}

fn report(case: Vec<Term>, body: &mut Body) {
    let known = |step: &Term| match &step.value {
        Value::Var(name) => body.iter().position(|expr| vars::of_expr(expr, Skip::NOTHING).contains(name)),
        _ => None,
    };
    let at = case.iter().filter_map(known).max().map_or(0, |at| at + 1);
    let span = body.first().map_or(rego_syntax::Span::NONE, |expr| expr.span);
    let call = Expr::call(TEST_CASE, vec![Term::new(Value::Array(case), span)], span);
    let at = at.min(body.len());
    body.insert(at, call);
}

/// The variables that an earlier stage named.
fn local_vars(term: &Term) -> VarSet {
    vars::of_term(term, Skip::NOTHING).into_iter().filter(|name| name.starts_with("__local")).collect()
}
