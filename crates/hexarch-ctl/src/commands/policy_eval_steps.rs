//! `hexarch-ctl policy eval`: what is evaluated step by step: traces, coverage, where errors came up, and partial
//! evaluation.

use rego_build::Options;
use rego_compiler::CheckedProgram;
use rego_syntax::SourceMap;
use rego_syntax::ast::{ExprKind, Module, Ref, Value as Tree};
use rego_test::output::{Error, Location};
use rego_test::{Calls, Coverage, Host};
use rego_topdown::{Event, Explain, Explained, Failure as Ended, Question, Unknowns};
use rego_value::Value;

use super::policy_eval::{Arguments, Compiled, Run};
use crate::failure::Failure;
use crate::opa::flags;
use crate::opa::present::Outcome;
use crate::opa::program;

/// What a step-by-step evaluation needs beside the answer.
pub(crate) struct Stepwise {
    pub(crate) program: CheckedProgram,
    pub(crate) modules: Vec<Module>,
    pub(crate) options: Options,
    pub(crate) input: Option<Value>,
}

/// The functions that ask others.
const NETWORK: [&str; 2] = ["http.send", "net.lookup_ip_addr"];

const MODES: [&str; 5] = ["off", "full", "notes", "fails", "debug"];

impl Stepwise {
    /// Adds to an answer what was asked for: its trace and the coverage; and to an error where it came up.
    pub(crate) fn tell(
        &self,
        arguments: &Arguments,
        run: &Run,
        outcome: &mut Outcome,
    ) -> Result<(), Failure> {
        let mode = arguments.explain.as_deref().unwrap_or("off");
        let mode = match flags::one_of("--explain", mode, &MODES)? {
            "off" => None,
            "notes" => Some(Explain::Notes),
            "fails" => Some(Explain::Fails),
            _ => Some(Explain::Full),
        };
        let failed = outcome.errors.first().is_some_and(|error| self.has_a_trace(error));
        if !failed && mode.is_none() && !arguments.coverage {
            return Ok(());
        }
        let explained = self.explain(arguments, run).map_err(|error| Failure::Opa(2, error.text()))?;
        if let (true, Some(error), Some(ended)) = (failed, outcome.errors.first_mut(), &explained.failure) {
            place(error, ended, &run.compiled);
        }
        if let Some(mode) = mode {
            let shown = rego_topdown::filter(&explained.events, mode);
            let text = rego_topdown::trace_text(&self.program, &shown, false, "");
            outcome.trace = Some(text);
        }
        if arguments.coverage {
            let mut coverage = Coverage::new(&self.modules, self.program.sources());
            let spans: Vec<_> = explained.events.iter().filter_map(Event::covered).collect();
            coverage.add_spans(&spans);
            outcome.coverage = Some(coverage.compact());
        }
        Ok(())
    }

    /// Whether to evaluate again for the sake of the error's place. Nobody is asked a second time for that.
    fn has_a_trace(&self, error: &Error) -> bool {
        let mut files = self.program.sources().files();
        match error.code.as_str() {
            "eval_conflict_error" => true,
            "eval_builtin_error" | "eval_type_error" => {
                !files.any(|file| NETWORK.iter().any(|name| file.text().contains(name)))
            }
            _ => false,
        }
    }

    fn explain(&self, arguments: &Arguments, run: &Run) -> Result<Explained, Error> {
        let body = run.compiled.query.body().clone();
        let mut calls = Calls::build(&self.program, &[&body], &self.options, &run.host)?;
        calls.in_context(program::context(run.deadline(), arguments.strict_builtin_errors));
        let mut question = Question::new(body, run.compiled.documents.clone());
        question.input.clone_from(&self.input);
        question.indexing = !arguments.disable_indexing;
        question.early_exit = !arguments.disable_early_exit;
        Ok(rego_topdown::explain(&self.program, &mut calls, question))
    }
}

/// Adds to an error where it came up.
fn place(error: &mut Error, ended: &Ended, compiled: &Compiled) {
    let text =
        compiled.sources.files().find(|file| file.name().is_empty()).map(|file| file.text().to_owned());
    let query = Location { file: String::new(), row: 1, col: 1, text: text.unwrap_or_default() };
    rego_test::place_error(error, ended, &compiled.sources, &query);
    for frame in &mut error.trace {
        if frame.location.file.is_empty() && frame.location.text.is_empty() {
            frame.location.text.clone_from(&query.text);
        }
    }
}

/// Evaluates as much as can be known.
pub(crate) fn evaluate_partially(
    arguments: &Arguments,
    compiled: Compiled,
    input: Option<Value>,
    options: &Options,
    host: &Host,
) -> Result<Result<Outcome, Vec<Error>>, Failure> {
    let unknowns = match unknowns(arguments, options) {
        Ok(unknowns) => unknowns,
        Err(error) => return Ok(Err(vec![error])),
    };
    let body = compiled.query.body().clone();
    let calls = Calls::build(&compiled.program, &[&body], options, host);
    let mut calls = calls.map_err(|error| Failure::Opa(2, error.text()))?;
    let deadline = if arguments.timeout.is_zero() { program::LONG } else { arguments.timeout };
    calls.in_context(program::context(deadline, arguments.strict_builtin_errors));
    let mut question = Question::new(body, compiled.documents.clone());
    question.input = input;
    let left = rego_topdown::partial(&compiled.program, &mut calls, question, unknowns);
    Ok(match left {
        Ok(left) => Ok(Outcome { left: Some(left), ..Outcome::default() }),
        Err(ended) => {
            let mut error = Error {
                code: ended.code.to_owned(),
                in_evaluation: true,
                ..Error::plain(ended.message.clone())
            };
            place(&mut error, &ended, &compiled);
            Err(vec![error])
        }
    })
}

fn unknowns(arguments: &Arguments, options: &Options) -> Result<Unknowns, Error> {
    let references = |texts: &[String]| -> Result<Vec<Ref>, Error> {
        texts.iter().map(|text| reference(text, options)).collect()
    };
    Ok(Unknowns {
        references: references(&arguments.unknowns)?,
        disabled: references(&arguments.disable_inlining)?,
        shallow: arguments.shallow_inlining,
        nondeterministic: arguments.nondeterministic_builtins,
    })
}

/// A reference that was given as text.
fn reference(text: &str, options: &Options) -> Result<Ref, Error> {
    let mut sources = SourceMap::new();
    let file = sources.add("", text);
    let wrong = || Error::plain(format!("expected a reference: `{text}`"));
    let body = rego_syntax::parse_query(&file, &options.parser).into_result().map_err(|_| wrong())?;
    match body.first().map(|expr| &expr.kind) {
        Some(ExprKind::Term(term)) => match &term.value {
            Tree::Ref(reference) => Ok(reference.clone()),
            Tree::Var(_) => Ok(Ref(vec![term.clone()])),
            _ => Err(wrong()),
        },
        _ => Err(wrong()),
    }
}
