//! Why tests failed: what was evaluated, as OPA tells it, and where an error came up.

use rego_build::Options;
use rego_compiler::CheckedProgram;
use rego_engine::EvalContext;
use rego_syntax::Span;
use rego_syntax::ast::{Body, Expr, Term};
use rego_topdown::{Event, Explain, Explained, Failure, Op, Question};
use rego_value::Value;

use crate::calls::Calls;
use crate::cases::names_of;
use crate::find::Test;
use crate::output::{Error, Frame, Location};
use crate::run::{Host, Report, Verdict};

/// What is told of tests that failed.
#[derive(Clone, Copy, Debug)]
pub struct Telling {
    /// The events that are shown, if any are.
    pub events: Option<Explain>,
    /// The source of what failed is shown, with the values of what stands there.
    pub values: bool,
}

/// What is told of a test.
#[derive(Clone, Debug, Default)]
pub struct Why {
    /// The events, line by line.
    pub trace: String,
    /// The source of the expression that failed.
    pub picture: Option<String>,
    /// The same for the cases of the test, by name.
    pub cases: Vec<(Vec<String>, Option<String>)>,
}

/// Step-by-step evaluation of tests.
pub struct Explainer<'a> {
    /// The program with the tests.
    pub program: &'a CheckedProgram,
    /// How it was built.
    pub options: &'a Options,
    /// What carries out built-in functions.
    pub host: &'a Host,
    /// The documents beside the rules.
    pub data: &'a Value,
    /// What an evaluation is given.
    pub context: &'a dyn Fn() -> EvalContext,
}

impl Explainer<'_> {
    /// Tells of each test that failed why, and of each that ended with an error where.
    ///
    /// # Errors
    /// What cannot be compiled or run.
    pub fn explain(&self, reports: &mut [Report], telling: Telling) -> Result<(), Error> {
        let shows = telling.events.is_some() || telling.values;
        let wanted = |report: &Report| match &report.verdict {
            Verdict::Fail => shows,
            Verdict::Error(error) => {
                error.code == "eval_conflict_error" || error.code == "eval_builtin_error"
            }
            _ => false,
        };
        if !reports.iter().any(wanted) {
            return Ok(());
        }
        let mut calls = Calls::build(self.program, &[], self.options, self.host)?;
        for report in reports.iter_mut().filter(|report| wanted(report)) {
            calls.in_context((self.context)());
            let explained = self.evaluate(&mut calls, &report.test, telling.values);
            if let Verdict::Error(error) = &mut report.verdict {
                if let Some(failure) = &explained.failure {
                    self.place(error, failure, &report.test);
                }
            } else if explained.failure.is_none() {
                report.why = Some(self.why(&explained.events, telling));
            }
        }
        Ok(())
    }

    /// What is evaluated for tests, rule heads that held among it.
    ///
    /// # Errors
    /// What cannot be compiled or run.
    pub fn covered(&self, reports: &[Report]) -> Result<Vec<Span>, Error> {
        let mut calls = Calls::build(self.program, &[], self.options, self.host)?;
        let mut spans = std::collections::BTreeSet::new();
        for report in reports {
            calls.in_context((self.context)());
            let explained = self.evaluate(&mut calls, &report.test, false);
            let found = explained.events.iter().filter_map(Event::covered);
            spans.extend(found.map(|span| (span.file.0, span.start, span.end)));
        }
        let span = |(file, start, end)| Span::new(rego_syntax::FileId(file), start, end);
        Ok(spans.into_iter().map(span).collect())
    }

    fn evaluate(&self, calls: &mut Calls, test: &Test, values: bool) -> Explained {
        let document = Term::reference(test.path.clone(), Span::NONE);
        let value = Term::var("_", Span::NONE);
        let body = Body::of(Expr::call("eq", vec![document, value], Span::NONE));
        let question = Question { values, ..Question::new(body, self.data.clone()) };
        rego_topdown::explain(self.program, calls, question)
    }

    fn why(&self, events: &[Event], telling: Telling) -> Why {
        let shown = telling.events.map(|explain| rego_topdown::filter(events, explain)).unwrap_or_default();
        let picture = |events: &[Event]| match telling.values {
            true => rego_topdown::failure_text(self.program, events, true),
            false => None,
        };
        let starts: Vec<usize> = events
            .iter()
            .enumerate()
            .filter(|(_, event)| event.op() == Op::TestCase)
            .map(|(at, _)| at)
            .collect();
        let mut cases = Vec::new();
        for (index, at) in starts.iter().enumerate() {
            let Some(case) = events.get(*at).and_then(Event::case) else { continue };
            let end = starts.get(index + 1).copied().unwrap_or(events.len());
            cases.push((names_of(case), picture(events.get(..end).unwrap_or_default())));
        }
        Why {
            trace: rego_topdown::trace_text(self.program, &shown, telling.values, "  "),
            picture: picture(events),
            cases,
        }
    }

    /// Adds to an error where it came up, and which values were in conflict.
    fn place(&self, error: &mut Error, failure: &Failure, test: &Test) {
        if error.code != failure.code {
            return;
        }
        let query = Location { file: String::new(), row: 1, col: 1, text: test.query() };
        place_error(error, failure, self.program.sources(), &query);
    }
}

/// Adds to an error what a step-by-step evaluation found; `query` is where the query stands.
pub fn place_error(error: &mut Error, failure: &Failure, sources: &rego_syntax::SourceMap, query: &Location) {
    if failure.code == "eval_conflict_error" {
        error.message.clone_from(&failure.message);
        if let Some((file, at)) = sources.locate(failure.span) {
            let location = Location { file: file.to_owned(), row: at.row, col: at.col, text: String::new() };
            error.location = Some(Box::new(location));
        }
    }
    let frame = |place: &rego_topdown::Place| {
        let location = match sources.locate(place.span) {
            Some((file, at)) if !file.is_empty() => {
                Location { file: file.to_owned(), row: at.row, col: at.col, text: place.text.clone() }
            }
            Some((_, at)) => Location { row: at.row, col: at.col, text: place.text.clone(), ..query.clone() },
            None => query.clone(),
        };
        Frame { query: place.query, location }
    };
    error.trace = failure.stack.iter().map(frame).collect();
}
