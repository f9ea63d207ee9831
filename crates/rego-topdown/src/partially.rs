//! Partial evaluation: what is left of a query once all that is known is evaluated.

use rego_compiler::CheckedProgram;
use rego_syntax::Span;
use rego_syntax::ast::{Body, Expr, Name, Ref, Rule, Term, visit};

use crate::copy::Propagation;
use crate::error::Failure;
use crate::explain::{Functions, Question};
use crate::machine::{Machine, Stop, query_of};
use crate::saving::{Disabled, Saving, Unknown};
use crate::term::T;
use crate::trace::Trace;

/// What is not known, and what is left alone.
#[derive(Clone, Debug)]
pub struct Unknowns {
    /// Documents that are not known, such as `input`.
    pub references: Vec<Ref>,
    /// Documents that are not replaced by what their rules say.
    pub disabled: Vec<Ref>,
    /// No rule that depends on something unknown is replaced by what it says.
    pub shallow: bool,
    /// Functions whose value is another one each time are called.
    pub nondeterministic: bool,
}

/// What is left: the query holds where one of the queries does, with the rules of the packages.
#[derive(Debug, Default)]
pub struct Left {
    /// What has to hold, each a way of its own.
    pub queries: Vec<Body>,
    /// Rules that the queries refer to, by package.
    pub support: Vec<(Ref, Vec<Rule>)>,
}

/// Evaluates a query as far as it does not depend on what is not known.
///
/// # Errors
/// What ended the evaluation.
pub fn partial(
    program: &CheckedProgram,
    functions: &mut dyn Functions,
    question: Question,
    unknowns: Unknowns,
) -> Result<Left, Failure> {
    let live = live_vars(&question.body, &unknowns);
    let mut machine = Machine::new(program, functions, question.data, Trace::off());
    machine.indexing = question.indexing;
    machine.early_exit = question.early_exit;
    let own = Unknown { references: unknowns.references, vars: Vec::new(), b: Machine::CALLER };
    let disabled = Disabled { internal: false, references: unknowns.disabled };
    machine.saving = Some(Saving {
        unknown: vec![own],
        queries: vec![Vec::new()],
        support: Vec::new(),
        namespace: Name::from("partial"),
        shallow: unknowns.shallow,
        disabled: vec![disabled],
        nondeterministic: unknowns.nondeterministic,
    });
    let propagation = (!unknowns.shallow).then(|| Propagation::new(live, false));
    let mut queries = Vec::new();
    let result = machine.outermost(query_of(&question.body), question.input, |machine, frame| {
        machine.run(frame, &mut |machine| {
            let body = all_of(machine);
            if machine.program.accepts(&body) {
                queries.push(match &propagation {
                    Some(propagation) => propagation.apply(machine, &body),
                    None => body,
                });
            }
            Ok(())
        })
    });
    if let Err(Stop::Error(failure)) = result {
        return Err(*failure);
    }
    let mut support = machine.saving.map(|saving| saving.support).unwrap_or_default();
    support.iter_mut().for_each(|(_, rules)| rules.sort());
    Ok(Left { queries, support })
}

/// What is kept, and what the variables of the query are.
fn all_of(machine: &Machine<'_>) -> Body {
    let mut exprs = machine.kept();
    let mut known: Vec<Expr> = Vec::new();
    for (name, _, _) in &machine.bindings(Machine::CALLER).known {
        let value = machine.plug_for(&T::var(name), Machine::CALLER, Some(Machine::CALLER));
        let operands = vec![Term::var(name.clone(), Span::NONE), value.to_term()];
        known.push(Expr::call("eq", operands, Span::NONE));
    }
    known.sort();
    exprs.extend(known);
    Body(exprs)
}

/// The variables that somebody wants to know the values of, and the documents that are not known.
fn live_vars(body: &Body, unknowns: &Unknowns) -> Vec<Name> {
    let mut live: Vec<Name> =
        unknowns.references.iter().filter_map(|reference| reference.head_var().cloned()).collect();
    visit::walk_vars(body, &mut |name| {
        if !name.is_generated() {
            live.push(name.clone());
        }
    });
    live
}
