//! Template strings become calls of `internal.template_string`.
//!
//! An expression in braces may be undefined, so it is wrapped in a set comprehension, except where it is a
//! variable or a rule that is always defined.

use std::collections::{HashMap, HashSet};

use rego_syntax::ast::{Body, Expr, ExprKind, Name, TemplatePart, TemplateString, Term, Value};
use rego_syntax::{Diagnostic, Span};

use crate::declarations::Declarations;
use crate::errors::compile_error;
use crate::locals::{self, Locals};
use crate::safety;
use crate::stages::Compilation;
use crate::vars::{self, Skip, VarSet};
use crate::visit::{self, Node};
use crate::visit_mut::{self, Rewrite};

const TEMPLATE_STRING: &str = "internal.template_string";

/// Rewrites all rules.
pub(crate) fn rewrite_template_strings(c: &mut Compilation<'_>) {
    let declarations = Declarations { options: c.options, tree: &c.rule_tree };
    for rule in c.modules.iter_mut().flat_map(|module| &mut module.rules) {
        visit::chain_mut(rule, &mut |rule| {
            if !holds_template(Node::Rule(rule)) {
                return;
            }
            let mut safe = vars::of_terms(&rule.head.args, Skip::NOTHING);
            safe.extend(vars::root_documents());
            safe.extend(safety::outputs_of_body(&rule.body, declarations, &safe));
            let mut templates = Templates {
                locals: &mut c.locals,
                rewritten: &c.rewritten,
                declarations,
                safe,
                errors: Vec::new(),
                calls: HashSet::new(),
            };
            templates.body(&mut rule.body);
            let head = &mut rule.head;
            let terms = head.args.iter_mut().chain(&mut head.key);
            terms.chain(head.value.as_mut()).for_each(|term| templates.term(term));
            c.errors.unreported.extend(templates.calls);
            c.errors.all_fatal(templates.errors);
        });
    }
}

/// Rewrites a query.
pub(crate) fn rewrite_query_templates(
    query: &mut Body,
    locals: &mut Locals,
    rewritten: &HashMap<Name, Name>,
    declarations: Declarations<'_>,
) -> Vec<Diagnostic> {
    if !holds_template(Node::Body(query)) {
        return Vec::new();
    }
    let mut safe = vars::root_documents();
    safe.extend(safety::outputs_of_body(query, declarations, &safe));
    let mut templates =
        Templates { locals, rewritten, declarations, safe, errors: Vec::new(), calls: HashSet::new() };
    templates.body(query);
    templates.errors
}

fn holds_template(node: Node<'_>) -> bool {
    visit::any(node, &mut |node| matches!(node, Node::Term(Term { value: Value::TemplateString(_), .. })))
}

struct Templates<'a> {
    locals: &'a mut Locals,
    rewritten: &'a HashMap<Name, Name>,
    declarations: Declarations<'a>,
    /// The variables that have a value where the walk is.
    safe: VarSet,
    errors: Vec<Diagnostic>,
    /// The places of calls that are parts of template strings.
    calls: HashSet<Span>,
}

impl Templates<'_> {
    /// Goes on with a body of its own, in which `more` have a value too; gives what was safe around it back.
    fn in_body(&mut self, more: VarSet, body: &mut Body) -> VarSet {
        let outer = self.safe.clone();
        self.safe.extend(more);
        let outputs = safety::outputs_of_body(body, self.declarations, &self.safe);
        self.safe.extend(outputs);
        self.body(body);
        outer
    }

    /// A head that is nothing but a template string sees what its comprehension binds; deeper ones do not.
    fn comprehension(&mut self, heads: Vec<&mut Term>, body: &mut Body) {
        let outer = self.in_body(VarSet::new(), body);
        let mut rest = Vec::new();
        for head in heads {
            match head.value {
                Value::TemplateString(_) => self.term(head),
                _ => rest.push(head),
            }
        }
        self.safe = outer;
        rest.into_iter().for_each(|head| self.term(head));
    }

    fn template(&mut self, template: TemplateString, span: Span) -> Value {
        let mut parts = Vec::with_capacity(template.parts.len().max(1));
        for part in template.parts {
            match part {
                TemplatePart::Term(term) => parts.push(term),
                TemplatePart::Expr(expr) => parts.extend(self.part(*expr)),
            }
        }
        if parts.is_empty() {
            parts.push(Term::string("", span));
        }
        Term::call(TEMPLATE_STRING, vec![Term::new(Value::Array(parts), span)], span).value
    }

    fn part(&mut self, expr: Expr) -> Option<Term> {
        let relation = expr.operator().and_then(|operator| self.declarations.builtin(operator));
        if let Some(builtin) = relation.filter(|builtin| builtin.relation) {
            let name = builtin.name;
            let message =
                format!("illegal call to relation built-in '{name}' that may cause multiple outputs");
            self.errors.push(compile_error(expr.span, message));
            return None;
        }
        let span = expr.span;
        let term = match expr.kind {
            ExprKind::Call(terms) => {
                self.calls.insert(span);
                Term::new(Value::Call(terms), span)
            }
            ExprKind::Term(term) => term,
            _ => {
                self.errors.push(compile_error(span, "unexpected template-string expression type"));
                return None;
            }
        };
        let plain = match &term.value {
            Value::Var(_) => true,
            Value::Ref(reference) => self.declarations.is_always_defined(reference),
            _ => false,
        };
        if plain {
            return Some(Term::new(Value::set([term.clone()]), term.span));
        }
        for name in vars::of_term(&term, Skip::SAFETY).iter().filter(|name| !self.safe.contains(*name)) {
            let name = self.rewritten.get(name).unwrap_or(name);
            self.errors.push(compile_error(term.span, format!("var {name} is undeclared")));
        }
        let var = self.locals.fresh_term(term.span);
        let mut capture = locals::equality(var.clone(), term);
        capture.with = expr.with;
        let comp = rego_syntax::ast::SetComp { term: var, body: Body::of(capture) };
        Some(Term::new(Value::SetComp(Box::new(comp)), span))
    }
}

impl Rewrite for Templates<'_> {
    fn expr(&mut self, expr: &mut Expr) {
        if let ExprKind::Every(every) = &mut expr.kind {
            self.term(&mut every.domain);
            let mut bound = vars::of_term(&every.value, Skip::NOTHING);
            every.key.iter().for_each(|key| bound.extend(vars::of_term(key, Skip::NOTHING)));
            self.safe = self.in_body(bound, &mut every.body);
            return;
        }
        visit_mut::each_part(self, expr);
    }

    fn term(&mut self, term: &mut Term) {
        match &mut term.value {
            Value::TemplateString(template) => {
                let template = std::mem::replace(&mut **template, empty());
                term.value = self.template(template, term.span);
                visit_mut::each_subterm(self, term);
            }
            Value::ArrayComp(comp) => self.comprehension(vec![&mut comp.term], &mut comp.body),
            Value::SetComp(comp) => self.comprehension(vec![&mut comp.term], &mut comp.body),
            Value::ObjectComp(comp) => {
                self.comprehension(vec![&mut comp.key, &mut comp.value], &mut comp.body);
            }
            _ => visit_mut::each_subterm(self, term),
        }
    }
}

fn empty() -> TemplateString {
    TemplateString { multi_line: false, parts: Vec::new() }
}
