//! `rego.metadata.rule()` and `rego.metadata.chain()` become what the compiler knows of the rule they stand in:
//! a constant at the beginning of its body, and a variable for each call.

use rego_syntax::ast::{Body, Expr, ExprKind, Name, Rule, Term, Value};

use crate::locals::{self, Locals};
use crate::rule_tree::RuleId;
use crate::stages::Compilation;
use crate::visit::{self, Node};
use crate::visit_mut::{self, Rewrite};

const RULE: &str = "rego.metadata.rule";
const CHAIN: &str = "rego.metadata.chain";

/// Replaces the calls in all rules.
pub(crate) fn rewrite_rego_metadata_calls(c: &mut Compilation<'_>) {
    let mut edits = Vec::new();
    for (index, module) in c.modules.iter().enumerate() {
        for (position, rule) in module.rules.iter().enumerate() {
            let path = rule.full_ref(&module.package);
            for (branch, rule) in visit::chain(rule).enumerate() {
                let id = RuleId { module: index, rule: position, branch };
                let chain =
                    first_call(rule, CHAIN).map(|span| (c.annotations.chain(&c.modules, id, &path), span));
                let own =
                    first_call(rule, RULE).map(|span| (c.annotations.rule_metadata(&c.modules, id), span));
                if chain.is_some() || own.is_some() {
                    let constant = |(value, span)| Term::new(value, span);
                    edits.push((id, chain.map(constant), own.map(constant)));
                }
            }
        }
    }
    for (id, chain, own) in edits {
        let rule = c.modules.get_mut(id.module).and_then(|module| module.rules.get_mut(id.rule));
        let Some(rule) = rule else { continue };
        let mut branch = 0;
        visit::chain_mut(rule, &mut |rule| {
            if branch == id.branch {
                replace(rule, chain.clone(), own.clone(), &mut c.locals);
            }
            branch += 1;
        });
    }
}

fn first_call(rule: &Rule, name: &str) -> Option<rego_syntax::Span> {
    let mut found = None;
    visit::walk_exprs(Node::Rule(rule), &mut |expr| {
        if found.is_none() && expr.is_call_to(name) {
            found = Some(expr.span);
        }
        found.is_some()
    });
    found
}

fn replace(rule: &mut Rule, chain: Option<Term>, own: Option<Term>, locals: &mut Locals) {
    let mut bound = Vec::new();
    let mut bind = |constant: Option<Term>| {
        let mut constant = constant?;
        bound.push(locals.take_out(&mut constant));
        constant.as_var().cloned()
    };
    let mut calls = Calls { chain: bind(chain), rule: bind(own) };
    visit_mut::each_head_term(&mut calls, &mut rule.head);
    calls.body(&mut rule.body);
    let mut body = Body(bound);
    locals::append(&mut body, std::mem::take(&mut rule.body.0));
    rule.body = body;
}

/// The variables that stand for the metadata.
struct Calls {
    chain: Option<Name>,
    rule: Option<Name>,
}

impl Rewrite for Calls {
    fn expr(&mut self, expr: &mut Expr) {
        let variable = match () {
            () if expr.is_call_to(CHAIN) => self.chain.clone(),
            () if expr.is_call_to(RULE) => self.rule.clone(),
            () => None,
        };
        let Some(variable) = variable else { return visit_mut::each_part(self, expr) };
        let span = expr.span;
        let value = Term::new(Value::Var(variable), span);
        *expr = match expr.operands().first() {
            Some(output) => Expr { span, ..locals::equality(output.clone(), value) },
            None => Expr::new(ExprKind::Term(value), span),
        }
        .generated();
    }
}
