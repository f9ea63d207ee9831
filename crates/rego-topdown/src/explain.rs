//! How an answer comes about.

use std::rc::Rc;

use rego_compiler::CheckedProgram;
use rego_syntax::ast::Body;
use rego_value::Value;

use crate::error::Failure;
use crate::machine::{Machine, Stop, query_of};
use crate::trace::{Event, Trace};

/// Carries out built-in functions.
pub trait Functions {
    /// The answers of a call; those of a relation are several.
    ///
    /// # Errors
    /// What the function says.
    fn call(&mut self, name: &str, arguments: &[Value]) -> Result<Vec<Value>, Unanswered>;
}

/// A call that came to nothing.
#[derive(Clone, Debug)]
pub struct Unanswered {
    /// What the function says.
    pub message: String,
    /// It ends the evaluation; otherwise the call is undefined.
    pub halts: bool,
}

/// What is evaluated, and with what.
#[derive(Clone, Debug)]
pub struct Question {
    /// The expressions, checked.
    pub body: Body,
    /// The documents beside the rules.
    pub data: Value,
    /// The input, if there is one.
    pub input: Option<Value>,
    /// Events tell the values of variables.
    pub values: bool,
    /// Rules that cannot hold are passed over.
    pub indexing: bool,
    /// Nothing is evaluated once the answer is known.
    pub early_exit: bool,
}

impl Question {
    /// A question about these expressions.
    #[must_use]
    pub fn new(body: Body, data: Value) -> Self {
        Self { body, data, input: None, values: false, indexing: true, early_exit: true }
    }
}

/// What happened.
#[derive(Debug)]
pub struct Explained {
    /// One after the other.
    pub events: Vec<Event>,
    /// Whether there was an answer.
    pub answered: bool,
    /// What ended it before its time.
    pub failure: Option<Failure>,
}

/// Evaluates a query and tells all that happens.
#[must_use]
pub fn explain(program: &CheckedProgram, functions: &mut dyn Functions, question: Question) -> Explained {
    let Question { body, data, input, values, indexing, early_exit } = question;
    let mut machine = Machine::new(program, functions, data, Trace::on(values));
    machine.indexing = indexing;
    machine.early_exit = early_exit;
    let mut answered = false;
    let query = query_of(&body);
    let result = machine.outermost(Rc::clone(&query), input, |machine, frame| {
        machine.run(frame, &mut |_| {
            answered = true;
            Ok(())
        })
    });
    let failure = match result {
        Err(Stop::Error(failure)) => Some(*failure),
        _ => None,
    };
    let events = std::mem::take(&mut machine.trace).into_events();
    Explained { events, answered, failure }
}
