//! Tests that are run: all of them entrypoints of one module.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rego_build::{BuildError, Options, Query};
use rego_compiler::{CheckedProgram, QueryContext};
use rego_engine::{Engine, Environment, EvalContext, EvalError, Input, Instance, Module};
use rego_value::Value;

use crate::cases::{Case, Cases};
use crate::explain::Why;
use crate::find::Test;
use crate::output::{Error, errors_of};

/// What became of a test.
#[derive(Clone, Debug)]
pub struct Report {
    /// The test.
    pub test: Test,
    /// What came out.
    pub verdict: Verdict,
    /// Its cases by name, if it has any.
    pub cases: Cases,
    /// How long it took.
    pub duration: Duration,
    /// What it printed.
    pub prints: Vec<String>,
    /// What was evaluated, where the tests were built with marks.
    pub marks: BTreeSet<String>,
    /// Why it failed, where somebody asked.
    pub why: Option<Why>,
}

/// What came out of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Its document is `true`, and so are all its cases.
    Pass,
    /// It is not.
    Fail,
    /// It is not run yet.
    Skip,
    /// Its evaluation ended with an error.
    Error(Box<Error>),
    /// It cannot be asked for.
    Wrong(Vec<Error>),
}

impl Report {
    /// Whether it passed.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.verdict == Verdict::Pass
    }

    /// Whether it failed without an error.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.verdict == Verdict::Fail
    }
}

/// Compiled tests.
#[derive(Debug)]
pub struct Suite {
    tests: Vec<Prepared>,
    /// None where there is nothing to run.
    module: Option<Vec<u8>>,
}

#[derive(Debug)]
enum Prepared {
    Run(Test),
    Skip(Test),
    Wrong(Test, Vec<Error>),
}

impl Suite {
    /// Compiles tests of a program to one module.
    ///
    /// # Errors
    /// What cannot be planned or compiled.
    pub fn build(program: &CheckedProgram, tests: Vec<Test>, options: &Options) -> Result<Self, BuildError> {
        let tests: Vec<Prepared> = tests.into_iter().map(|test| prepare(program, test, options)).collect();
        let query = |(at, prepared): (usize, &Prepared)| match prepared {
            Prepared::Run(test) => Some(Query::document(&at.to_string(), test.path.clone())),
            _ => None,
        };
        let queries: Vec<Query> = tests.iter().enumerate().filter_map(query).collect();
        let module = match queries.is_empty() {
            true => None,
            false => Some(rego_build::assemble(program, &queries, options)?.bytes),
        };
        Ok(Self { tests, module })
    }

    /// Runs all tests, each in the context that `context` gives.
    ///
    /// # Errors
    /// A module that the engine does not take, or data that it has no room for.
    pub fn run(
        &self,
        host: &Host,
        data: &Value,
        context: &dyn Fn() -> EvalContext,
    ) -> Result<Vec<Report>, Error> {
        let mut instance = self.module.as_ref().map(|bytes| start(host, bytes, data)).transpose()?;
        let report = |(at, prepared): (usize, &Prepared)| match (prepared, &mut instance) {
            (Prepared::Run(test), Some(instance)) => run(instance, &at.to_string(), test, &context()),
            (Prepared::Run(test) | Prepared::Skip(test), _) => Report::untimed(test, Verdict::Skip),
            (Prepared::Wrong(test, errors), _) => Report::untimed(test, Verdict::Wrong(errors.clone())),
        };
        Ok(self.tests.iter().enumerate().map(report).collect())
    }
}

impl Report {
    fn untimed(test: &Test, verdict: Verdict) -> Self {
        let (cases, duration) = (Cases::default(), Duration::ZERO);
        Self {
            test: test.clone(),
            verdict,
            cases,
            duration,
            prints: Vec::new(),
            marks: BTreeSet::new(),
            why: None,
        }
    }
}

/// A test with arguments is an error of its own; the others are documents that are there.
fn prepare(program: &CheckedProgram, test: Test, options: &Options) -> Prepared {
    if test.later {
        return Prepared::Skip(test);
    }
    if !test.is_function {
        return Prepared::Run(test);
    }
    match rego_build::check_query(program, "", &test.query(), &QueryContext::default(), options) {
        Err(BuildError::Diagnostics(diagnostics)) => Prepared::Wrong(test, errors_of(&diagnostics)),
        Err(error) => Prepared::Wrong(test, vec![Error::plain(error.to_string())]),
        Ok(_) => Prepared::Wrong(test, vec![Error::plain("a test must not have arguments")]),
    }
}

/// What modules are run with.
#[derive(Clone, Debug)]
pub struct Host {
    /// The engine.
    pub engine: Engine,
    /// What policies may reach beside what they are given.
    pub environment: Environment,
}

pub(crate) fn start(host: &Host, bytes: &[u8], data: &Value) -> Result<Instance, Error> {
    let module = Module::with_environment(&host.engine, bytes, &host.environment);
    let module = module.map_err(|error| Error::plain(error.to_string()))?;
    let mut instance = Instance::new(&module).map_err(|error| Error::of_evaluation(&error))?;
    instance.set_data(data.clone()).map_err(|error| Error::of_evaluation(&error))?;
    Ok(instance)
}

fn run(instance: &mut Instance, entrypoint: &str, test: &Test, context: &EvalContext) -> Report {
    let started = Instant::now();
    let result = instance.evaluate(entrypoint, Input::Undefined, context);
    let duration = started.elapsed();
    let output = instance.take_output();
    let (verdict, cases) = judge(test, result.map(rego_engine::ResultSet::into_result), &output.cases);
    Report {
        test: test.clone(),
        verdict,
        cases,
        duration,
        prints: output.prints,
        marks: output.marks,
        why: None,
    }
}

fn judge(test: &Test, result: Result<Option<Value>, EvalError>, said: &[Value]) -> (Verdict, Cases) {
    let pass_if = |holds: bool| if holds { Verdict::Pass } else { Verdict::Fail };
    match result {
        Err(error) => (Verdict::Error(Box::new(Error::of_evaluation(&error))), Cases::default()),
        Ok(None) => (Verdict::Fail, Cases::default()),
        Ok(Some(value)) if test.has_cases => {
            let mut cases = Cases::of_value(&value);
            said.iter().for_each(|case| cases.add(case));
            let failed = cases.iter().any(|(_, case): (_, &Case)| case.failed);
            (pass_if(!failed), cases)
        }
        Ok(Some(value)) => (pass_if(value == Value::Bool(true)), Cases::default()),
    }
}
