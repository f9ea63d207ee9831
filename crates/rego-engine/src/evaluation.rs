//! What an evaluation is given and what it gives back.

use std::fmt;
use std::time::Duration;

use rego_value::Value;

use crate::module::Module;
use crate::typed::{InputPlan, WriteInput};

/// The input document of an evaluation.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// There is none: `input` is undefined.
    Undefined,
    /// A JSON text.
    Json(&'a [u8]),
    /// A value, which need not be expressible in JSON (it may contain sets).
    Value(&'a Value),
    /// A value of a Rust type, by its [`Binding`](crate::Binding).
    Typed(TypedInput<'a>),
}

/// A value of a Rust type as an input: made by [`Binding::input`](crate::Binding::input).
#[derive(Clone, Copy)]
pub struct TypedInput<'a> {
    pub(crate) value: &'a dyn WriteInput,
    pub(crate) plan: &'a InputPlan,
    pub(crate) module: &'a Module,
}

impl fmt::Debug for TypedInput<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TypedInput").field("module", self.module).finish_non_exhaustive()
    }
}

impl<'a> From<&'a [u8]> for Input<'a> {
    fn from(json: &'a [u8]) -> Self {
        Input::Json(json)
    }
}

impl<'a> From<&'a str> for Input<'a> {
    fn from(json: &'a str) -> Self {
        Input::Json(json.as_bytes())
    }
}

impl<'a> From<&'a Value> for Input<'a> {
    fn from(value: &'a Value) -> Self {
        Input::Value(value)
    }
}

/// Everything besides module, data and input that an evaluation depends on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EvalContext {
    /// How long it may take; the engine's default when `None`.
    pub deadline: Option<Duration>,
    /// The time that the policy sees, in nanoseconds since 1970-01-01 UTC.
    pub now_ns: i64,
    /// The seed of random numbers and UUIDs.
    pub seed: u64,
    /// What `opa.runtime` says of the host: configuration, environment, version. An empty object where there is none.
    pub runtime: Option<Value>,
    /// A built-in function that fails is the error of the whole evaluation, instead of leaving its
    /// expression undefined.
    pub strict: bool,
}

/// The answers of an evaluation: none when the entrypoint is undefined.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResultSet {
    answers: Vec<Value>,
}

impl ResultSet {
    pub(crate) fn new(answers: Vec<Value>) -> Self {
        Self { answers }
    }

    /// Each answer binds names to values: `{"result": …}` for an entrypoint, and the query's own
    /// variables for a plan that was made of a query.
    pub fn answers(&self) -> &[Value] {
        &self.answers
    }

    /// Whether the entrypoint was undefined.
    pub fn is_undefined(&self) -> bool {
        self.answers.is_empty()
    }

    /// The value of an entrypoint.
    pub fn result(&self) -> Option<&Value> {
        self.answers.first()?.get_str("result")
    }

    /// The value of an entrypoint, owned.
    pub fn into_result(self) -> Option<Value> {
        self.result().cloned()
    }
}
