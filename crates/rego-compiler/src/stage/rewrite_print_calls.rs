//! Calls of `print` are taken out, or made safe to keep.
//!
//! A kept call evaluates each of its operands in a comprehension, so that one that is undefined neither stops
//! the body nor the other operands: `print(x)` becomes `internal.print([{y | y = x}])`.

use std::collections::HashMap;

use rego_syntax::Diagnostic;
use rego_syntax::ast::{Body, Expr, ExprKind, Name, SetComp, Term, Value};

use crate::declarations::Declarations;
use crate::errors::compile_error;
use crate::locals::{self, Locals};
use crate::options::PrintCalls;
use crate::safety;
use crate::stages::Compilation;
use crate::vars::{self, Collector, Skip, VarSet};
use crate::visit::{self, Node};
use crate::visit_mut::{self, Rewrite};

const PRINT: &str = "print";
const INTERNAL_PRINT: &str = "internal.print";

/// Rewrites all rules.
pub(crate) fn rewrite_print_calls(c: &mut Compilation<'_>) {
    let declarations = Declarations { options: c.options, tree: &c.rule_tree };
    for rule in c.modules.iter_mut().flat_map(|module| &mut module.rules) {
        visit::chain_mut(rule, &mut |rule| {
            if !holds_print(Node::Rule(rule)) {
                return;
            }
            if c.options.print == PrintCalls::Erase {
                Erase.body(&mut rule.body);
                visit_mut::each_head_term(&mut Erase, &mut rule.head);
                return;
            }
            let mut safe = vars::of_terms(&rule.head.args, Skip::NOTHING);
            safe.extend(vars::root_documents());
            let mut keep = Keep {
                locals: &mut c.locals,
                rewritten: &c.rewritten,
                declarations,
                safe,
                errors: Vec::new(),
            };
            visit_mut::each_head_term(&mut keep, &mut rule.head);
            keep.body(&mut rule.body);
            c.errors.all_fatal(keep.errors);
        });
    }
}

/// Rewrites a query.
pub(crate) fn rewrite_query_prints(
    query: &mut Body,
    locals: &mut Locals,
    rewritten: &HashMap<Name, Name>,
    declarations: Declarations<'_>,
) -> Vec<Diagnostic> {
    if !holds_print(Node::Body(query)) {
        return Vec::new();
    }
    if declarations.options.print == PrintCalls::Erase {
        Erase.body(query);
        return Vec::new();
    }
    let mut keep = Keep { locals, rewritten, declarations, safe: vars::root_documents(), errors: Vec::new() };
    keep.body(query);
    keep.errors
}

fn is_print(expr: &Expr) -> bool {
    expr.is_call_to(PRINT)
}

fn holds_print(node: Node<'_>) -> bool {
    visit::any(node, &mut |node| matches!(node, Node::Expr(expr) if is_print(expr)))
}

/// Takes the calls out.
struct Erase;

impl Rewrite for Erase {
    fn body(&mut self, body: &mut Body) {
        let span = body.first().map_or(rego_syntax::Span::NONE, |expr| expr.span);
        body.retain(|expr| !is_print(expr));
        if body.is_empty() {
            body.push(Expr::literal_true(span));
        }
        visit_mut::each_expr(self, body);
    }
}

/// Makes the calls safe to keep.
struct Keep<'a> {
    locals: &'a mut Locals,
    rewritten: &'a HashMap<Name, Name>,
    declarations: Declarations<'a>,
    /// The variables that have a value where the walk is.
    safe: VarSet,
    errors: Vec<Diagnostic>,
}

impl Keep<'_> {
    fn print(&mut self, expr: &mut Expr) {
        let mut needed = Collector::new(Skip::SAFETY);
        let ExprKind::Call(terms) = &mut expr.kind else { return };
        let mut operands = Vec::with_capacity(terms.len());
        for term in terms.drain(..).skip(1) {
            needed.vars.clear();
            needed.term(&term);
            for name in needed.vars.iter().filter(|name| !self.safe.contains(*name)) {
                let name = self.rewritten.get(name).unwrap_or(name);
                self.errors.push(compile_error(term.span, format!("var {name} is undeclared")));
            }
            let span = term.span;
            let var = self.locals.fresh_term(span);
            let body = Body::of(locals::equality(var.clone(), term));
            operands.push(Term::new(Value::SetComp(Box::new(SetComp { term: var, body })), span));
        }
        let call = Expr::call(INTERNAL_PRINT, vec![Term::new(Value::Array(operands), expr.span)], expr.span);
        expr.kind = call.kind;
        expr.with.clear();
        expr.negated = false;
    }
}

impl Rewrite for Keep<'_> {
    /// Closures see what the expressions before theirs bind; so do the operands of `print`.
    fn body(&mut self, body: &mut Body) {
        let outer = self.safe.clone();
        for expr in body.iter_mut() {
            let inner = self.safe.clone();
            if let ExprKind::Every(every) = &expr.kind {
                self.safe.extend(vars::of_term(&every.value, Skip::NOTHING));
                every.key.iter().for_each(|key| self.safe.extend(vars::of_term(key, Skip::NOTHING)));
            }
            visit_mut::each_part(self, expr);
            self.safe = inner;
            if is_print(expr) {
                self.print(expr);
            }
            let outputs = safety::outputs_of_body(std::slice::from_ref(expr), self.declarations, &self.safe);
            self.safe.extend(outputs);
            self.safe.extend(vars::of_expr(expr, Skip::NOTHING).into_iter().filter(vars::is_generated));
        }
        self.safe = outer;
    }
}
