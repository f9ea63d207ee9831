//! Queries: the stages that OPA runs over them, in its order.

mod capture;

use std::collections::{BTreeSet, HashMap};

use rego_syntax::ast::{Body, Expr, Import, Name, Package, Ref, Term};
use rego_syntax::{Diagnostic, Span};

use crate::declarations::Declarations;
use crate::errors::compile_error;
use crate::locals::Locals;
use crate::program::CheckedProgram;
use crate::safety;
use crate::stage;
use crate::typecheck::Names;
use crate::vars;
use crate::visit::Node;

/// A query that passed all checks, in the form that the planner takes.
#[derive(Clone, Debug)]
pub struct CheckedQuery {
    body: Body,
    rewritten: HashMap<Name, Name>,
    captures: BTreeSet<Name>,
}

/// What a query can name besides `data` and `input`.
#[derive(Clone, Debug, Default)]
pub struct QueryContext {
    /// The package whose rules the query can use by their names.
    pub package: Option<Package>,
    /// The imports of the query.
    pub imports: Vec<Import>,
    /// Each expression gives its value, so that one that is false does not end the query; see
    /// [`CheckedQuery::captures`].
    pub capture: bool,
    /// `==` unifies, so that what is not known can be told apart from what is false.
    pub unify: bool,
}

impl CheckedQuery {
    /// The expressions, in the order in which they are evaluated.
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// The variables that the query was written with, by what they were renamed to.
    pub fn source_names(&self) -> &HashMap<Name, Name> {
        &self.rewritten
    }

    /// The variable of the source that a variable was renamed from; itself where it was not.
    pub fn source_name<'a>(&'a self, name: &'a Name) -> &'a Name {
        self.rewritten.get(name).unwrap_or(name)
    }

    /// The variables that hold the values of expressions.
    pub fn captures(&self) -> &BTreeSet<Name> {
        &self.captures
    }

    /// The expressions that the source wrote, in the order in which they are evaluated, each with the variable that
    /// holds its value; one without is true in every answer.
    pub fn written(&self) -> impl Iterator<Item = (&Expr, Option<&Name>)> {
        self.body.iter().filter(|expr| !expr.generated).map(|expr| {
            let last = expr.operands().last().and_then(Term::as_var);
            (expr, last.and_then(|name| self.captures.get(name)))
        })
    }
}

/// The state of one query.
struct Compiling<'a> {
    program: &'a CheckedProgram,
    locals: Locals,
    rewritten: HashMap<Name, Name>,
}

type QueryStage = fn(&mut Compiling<'_>, &mut Body) -> Vec<Diagnostic>;

/// The stages behind the resolution of names. Unlike those for rules each of them stops the compilation.
const STAGES: &[(&str, QueryStage)] = &[
    ("RewriteLocalVars", rewrite_local_vars),
    ("RewriteTemplateStrings", rewrite_template_strings),
    ("CheckVoidCalls", |c, query| stage::void_calls(Node::Body(query), c.declarations())),
    ("RewritePrintCalls", rewrite_print_calls),
    ("RewriteExprTerms", rewrite_expr_terms),
    ("RewriteComprehensionTerms", rewrite_comprehension_terms),
    ("RewriteWithValues", rewrite_with_values),
    ("CheckUndefinedFuncs", |c, query| {
        stage::undefined_functions(Node::Body(query), c.declarations(), &c.rewritten)
    }),
    ("CheckSafety", check_safety),
    ("RewriteDynamicTerms", rewrite_dynamic_terms),
    ("CheckTypes", check_types),
    ("CheckUnsafeBuiltins", |c, query| stage::unsafe_calls(Node::Body(query), &c.program.options)),
    ("CheckDeprecatedBuiltins", check_deprecated_builtins),
];

pub(crate) fn compile(
    program: &CheckedProgram,
    mut query: Body,
    context: &QueryContext,
) -> Result<CheckedQuery, Vec<Diagnostic>> {
    if query.is_empty() {
        return Err(vec![compile_error(Span::NONE, "empty query cannot be compiled")]);
    }
    if program.options.strict {
        let found = stage::overrides_in_query(&query);
        if !found.is_empty() {
            return Err(found);
        }
    }
    stage::resolve_query(&mut globals(program, context), &mut query);
    if context.unify {
        unify_equals(&mut query);
    }
    let captures = match context.capture {
        true => capture::capture_values(&mut query, program),
        false => BTreeSet::new(),
    };
    let locals = Locals::for_query(&query);
    let mut compiling = Compiling { program, locals, rewritten: HashMap::new() };
    for (_, stage) in STAGES {
        let found = stage(&mut compiling, &mut query);
        if !found.is_empty() {
            return Err(found);
        }
    }
    Ok(CheckedQuery { body: query, rewritten: compiling.rewritten, captures })
}

/// Writes `=` for `==`.
fn unify_equals(query: &mut Body) {
    use rego_syntax::ast::ExprKind;
    use rego_syntax::ast::visit::{DESCEND, NodeMut, WalkMut as _};
    query.walk_mut(&mut |node| {
        if let NodeMut::Expr(expr) = node
            && expr.is_call_to("equal")
            && expr.operands().len() == 2
            && let ExprKind::Call(terms) = &mut expr.kind
            && let Some(operator) = terms.first_mut()
        {
            *operator = Term::reference(vec![Term::var("eq", operator.span)], operator.span);
        }
        DESCEND
    });
}

fn globals(program: &CheckedProgram, context: &QueryContext) -> stage::Globals {
    let nowhere = Package { path: Ref::default(), span: Span::NONE };
    let package = context.package.as_ref().unwrap_or(&nowhere);
    let modules = program.modules.iter().filter(|module| module.package.path == package.path);
    let rules = modules.flat_map(|module| &module.rules);
    let exported: Vec<Name> = rules.filter_map(|rule| rule.head.reference.head_var().cloned()).collect();
    stage::globals(package, &exported, &context.imports)
}

impl Compiling<'_> {
    fn declarations(&self) -> Declarations<'_> {
        Declarations { options: &self.program.options, tree: &self.program.rule_tree }
    }
}

fn rewrite_local_vars(c: &mut Compiling<'_>, query: &mut Body) -> Vec<Diagnostic> {
    match stage::rewrite_query_vars(query, &mut c.locals, c.program.options.strict) {
        Ok(rewritten) => {
            c.rewritten = rewritten;
            Vec::new()
        }
        Err(found) => found,
    }
}

fn rewrite_template_strings(c: &mut Compiling<'_>, query: &mut Body) -> Vec<Diagnostic> {
    let declarations = Declarations { options: &c.program.options, tree: &c.program.rule_tree };
    stage::rewrite_query_templates(query, &mut c.locals, &c.rewritten, declarations)
}

fn rewrite_print_calls(c: &mut Compiling<'_>, query: &mut Body) -> Vec<Diagnostic> {
    let declarations = Declarations { options: &c.program.options, tree: &c.program.rule_tree };
    stage::rewrite_query_prints(query, &mut c.locals, &c.rewritten, declarations)
}

fn rewrite_expr_terms(c: &mut Compiling<'_>, query: &mut Body) -> Vec<Diagnostic> {
    stage::expand_body(&mut c.locals, query);
    Vec::new()
}

fn rewrite_comprehension_terms(c: &mut Compiling<'_>, query: &mut Body) -> Vec<Diagnostic> {
    stage::rewrite_query_comprehensions(query, &mut c.locals);
    Vec::new()
}

fn rewrite_with_values(c: &mut Compiling<'_>, query: &mut Body) -> Vec<Diagnostic> {
    let declarations = Declarations { options: &c.program.options, tree: &c.program.rule_tree };
    stage::rewrite_query_withs(query, &mut c.locals, declarations)
}

fn check_safety(c: &mut Compiling<'_>, query: &mut Body) -> Vec<Diagnostic> {
    let found = safety::reorder(query, c.declarations(), &vars::root_documents());
    if found.is_empty() { Vec::new() } else { safety::report(&found, &c.rewritten, "") }
}

fn rewrite_dynamic_terms(c: &mut Compiling<'_>, query: &mut Body) -> Vec<Diagnostic> {
    stage::hoist_body(&mut c.locals, query);
    Vec::new()
}

fn check_types(c: &mut Compiling<'_>, query: &mut Body) -> Vec<Diagnostic> {
    let program = c.program;
    let names = Names {
        subjects: &c.locals.subjects,
        rewritten: vec![&c.rewritten, &program.rewritten],
        shared: &HashMap::new(),
    };
    stage::check_query_types(
        query,
        &program.types,
        &program.modules,
        &program.rule_tree,
        &program.graph,
        names,
    )
}

fn check_deprecated_builtins(c: &mut Compiling<'_>, query: &mut Body) -> Vec<Diagnostic> {
    if c.program.options.strict { stage::deprecated_calls(Node::Body(query)) } else { Vec::new() }
}
