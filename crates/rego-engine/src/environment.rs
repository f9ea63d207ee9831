//! What the embedding program gives to policies beside data, time and chance.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use rego_builtins::network::Network;
use rego_builtins::{BuiltinError, Context};
use rego_value::Value;

/// A function of the host's own: the arguments of the call to its value, `None` where it is undefined.
///
/// A failure leaves the call's expression undefined, or is the error of an evaluation that is strict; one with
/// [`BuiltinError::halt`] ends the evaluation in any case.
pub(crate) type Function =
    dyn Fn(&mut Context, &[Value]) -> Result<Option<Value>, BuiltinError> + Send + Sync;

/// What the embedding program gives to the policies of a module: functions of its own, and the way out to the network.
///
/// The compiler has to be told of the functions as well, by a capabilities file or as `host_builtins` of its options.
///
/// ```
/// use rego_build::{Options, Source, build};
/// use rego_builtins::{Arg, Builtin, Type};
/// use rego_engine::{Config, Engine, Environment, EvalContext, Input, Instance, Module};
/// use rego_value::Value;
///
/// // The compiler checks calls against this declaration ...
/// static SCORE: Builtin = Builtin::declared(
///     "acme.score",
///     &[Arg::new("user", Type::String)],
///     Arg::new("score", Type::Number),
/// );
/// let mut options = Options::default();
/// options.check.host_builtins.push(&SCORE);
/// let policy = "package demo\n\nallow if acme.score(input.user) > 3\n";
/// let compiled = build(&[Source::new("demo.rego", policy)], &["demo/allow"], &options)?;
///
/// // ... and the engine calls this.
/// let environment = Environment::new().with_function("acme.score", |_, arguments| {
///     let length = arguments.first().and_then(Value::as_str).map_or(0, str::len);
///     Ok(Some(Value::from(i64::try_from(length).unwrap_or(i64::MAX))))
/// });
/// let engine = Engine::new(Config::default())?;
/// let module = Module::with_environment(&engine, &compiled.bytes, &environment)?;
/// let mut instance = Instance::new(&module)?;
/// let answers = instance.evaluate("demo/allow", Input::from(r#"{"user": "grace"}"#), &EvalContext::default())?;
/// assert_eq!(answers.result(), Some(&Value::Bool(true)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct Environment {
    functions: BTreeMap<String, Arc<Function>>,
    network: Option<Network>,
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("functions", &self.functions.keys())
            .field("network", &self.network)
            .finish()
    }
}

impl Environment {
    /// No functions but those that Rego has, and no network.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a function, or replaces the one of that name; also one of Rego's own, if it is one that modules leave to
    /// their host. It may be called on several threads at a time.
    #[must_use]
    pub fn with_function(
        mut self,
        name: impl Into<String>,
        function: impl Fn(&mut Context, &[Value]) -> Result<Option<Value>, BuiltinError> + Send + Sync + 'static,
    ) -> Self {
        self.functions.insert(name.into(), Arc::new(function));
        self
    }

    /// Lets `http.send` and `net.lookup_ip_addr` out.
    #[must_use]
    pub fn with_network(self, network: Network) -> Self {
        Self { network: Some(network), ..self }
    }

    /// Whether a function may take more than the time that computing takes.
    pub(crate) fn may_wait(&self) -> bool {
        self.network.is_some() || !self.functions.is_empty()
    }

    pub(crate) fn function(&self, name: &str) -> Option<Arc<Function>> {
        self.functions.get(name).cloned()
    }

    pub(crate) fn network(&self) -> Option<Network> {
        self.network.clone()
    }
}
