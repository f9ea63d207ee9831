//! Built-in functions for step-by-step evaluation: each is an entrypoint of a module of its own, so that the engine
//! carries them out.

use std::collections::BTreeSet;

use rego_build::{Options, Query};
use rego_builtins::Implementation;
use rego_compiler::CheckedProgram;
use rego_engine::{EvalContext, Input, Instance};
use rego_syntax::Span;
use rego_syntax::ast::visit::{self, Walk as _};
use rego_syntax::ast::{Body, Expr, Term};
use rego_topdown::{Functions, Unanswered};
use rego_value::Value;

use crate::output::Error;
use crate::run::{Host, start};

/// The variable that holds the result of a call.
const RESULT: &str = "__result__";

/// The functions that a program and a query call.
#[derive(Debug)]
pub struct Calls {
    instance: Option<Instance>,
    names: BTreeSet<&'static str>,
    context: EvalContext,
}

impl Calls {
    /// Compiles the functions that a program and queries name.
    ///
    /// # Errors
    /// What cannot be compiled.
    pub fn build(
        program: &CheckedProgram,
        queries: &[&Body],
        options: &Options,
        host: &Host,
    ) -> Result<Self, Error> {
        let names = named(program, queries);
        let plans: Vec<Query> = names.iter().filter_map(|name| call(program, name)).collect();
        let instance = match plans.is_empty() {
            true => None,
            false => {
                let module = rego_build::assemble(program, &plans, options)
                    .map_err(|error| Error::plain(error.to_string()))?;
                Some(start(host, &module.bytes, &Value::object([]))?)
            }
        };
        Ok(Self { instance, names, context: EvalContext::default() })
    }

    /// What the next evaluation is given: time, chance, deadline.
    pub fn in_context(&mut self, context: EvalContext) {
        self.context = context;
    }
}

impl Functions for Calls {
    fn call(&mut self, name: &str, arguments: &[Value]) -> Result<Vec<Value>, Unanswered> {
        let failed = |message: String, halts| Unanswered { message, halts };
        let known = self.names.contains(name);
        let Some(instance) = self.instance.as_mut().filter(|_| known) else {
            return Err(failed(format!("{name}: not available"), true));
        };
        let input = Value::array(arguments.to_vec());
        match instance.evaluate(name, Input::Value(&input), &self.context) {
            Ok(results) => {
                let answers = results.answers().first().and_then(Value::as_array).cloned();
                let answers = answers.into_iter().flat_map(|all| all.iter().cloned().collect::<Vec<_>>());
                Ok(answers.filter_map(|answer| answer.get_str(RESULT).cloned()).collect())
            }
            Err(error) => Err(failed(error.to_string(), true)),
        }
    }
}

/// `result = f(input[0], …)`
fn call(program: &CheckedProgram, name: &str) -> Option<Query> {
    let own = program.options().host_builtins.iter().find(|builtin| builtin.name == name);
    let builtin = own.copied().or_else(|| rego_builtins::by_name(name))?;
    let mut body = Vec::new();
    let mut terms = Vec::new();
    for (at, _) in (0..).zip(builtin.args) {
        let given = Term::var(format!("__given{at}__"), Span::NONE);
        let place =
            Term::reference(vec![Term::var("input", Span::NONE), Term::int(at, Span::NONE)], Span::NONE);
        body.push(Expr::call("eq", vec![given.clone(), place], Span::NONE));
        terms.push(given);
    }
    terms.push(Term::var(RESULT, Span::NONE));
    body.push(Expr::call(name, terms, Span::NONE));
    Some(Query::of_expressions(name, Body(body)))
}

/// The built-in functions that are called, or put in the place of others.
fn named(program: &CheckedProgram, queries: &[&Body]) -> BTreeSet<&'static str> {
    let mut found = BTreeSet::new();
    let mut look = |node: visit::Node<'_>| {
        if let visit::Node::Ref(reference) = node {
            let steps = reference.iter().map(|step| step.as_var().or_else(|| step.as_string()));
            let steps: Option<Vec<&str>> = steps.map(|step| step.map(|name| &**name)).collect();
            let name = steps.map(|steps| steps.join(".")).unwrap_or_default();
            let own = program.options().host_builtins.iter().find(|builtin| builtin.name == name);
            if let Some(builtin) = own.copied().or_else(|| rego_builtins::by_name(&name))
                && builtin.result.is_some()
                && !matches!(builtin.implementation, Implementation::Unsupported)
                && !["eq", "assign", "internal.test_case"].contains(&builtin.name)
            {
                found.insert(builtin.name);
            }
        }
        visit::DESCEND
    };
    for module in program.modules() {
        module.walk(&mut look);
    }
    for query in queries {
        query.walk(&mut look);
    }
    found
}
