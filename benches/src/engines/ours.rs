//! Our engine, with our modules and with OPA's.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use rego_build::{Options, PlanOptions, Source, Target};
use rego_engine::{Answer, Config, Engine, EntrypointId, EvalContext, Input, Instance, Key, Module, Wanted};
use rego_value::{Value, json};

use crate::Decision;
use crate::policy::Policy;

static WANTED: [Key<'_>; 3] = [Key::new("allowed"), Key::new("reason"), Key::new("action")];

/// The policy as our compiler builds it for our engine.
///
/// # Panics
///
/// With the diagnostics, when the policy does not compile.
#[must_use]
pub fn compile(policy: &Policy) -> Vec<u8> {
    compile_for(policy, Target::Engine)
}

/// The module of that name in the folder that `WASM_DIR` names; without one, what [`compile`] makes of the policy.
///
/// # Panics
///
/// When there is no such file; as [`compile`].
#[must_use]
pub fn compile_or_read(policy: &Policy) -> Vec<u8> {
    match std::env::var_os("WASM_DIR") {
        Some(dir) => std::fs::read(Path::new(&dir).join(format!("{}.wasm", policy.name))).unwrap(),
        None => compile(policy),
    }
}

/// The policy as our compiler builds it for any host of OPA's modules.
///
/// # Panics
///
/// As [`compile`].
#[must_use]
pub fn portable(policy: &Policy) -> Vec<u8> {
    compile_for(policy, Target::Portable)
}

fn compile_for(policy: &Policy, target: Target) -> Vec<u8> {
    let source = Source::new("policy.rego", policy.source.as_str());
    let wasm = PlanOptions { target, ..PlanOptions::default() };
    match rego_build::build(&[source], &[&policy.entrypoint], &Options { wasm, ..Options::default() }) {
        Ok(module) => module.bytes,
        Err(error) => panic!("{}: {error}", policy.name),
    }
}

/// A warm instance with its data loaded; deadline and memory cap are on, as always.
pub struct Loaded {
    instance: Instance,
    entrypoint: EntrypointId,
    context: EvalContext,
    wanted: Wanted<'static>,
}

impl Loaded {
    /// Loads a module and the policy's data.
    ///
    /// # Panics
    ///
    /// When the module is none or the data are no object.
    #[must_use]
    pub fn new(module: &[u8], policy: &Policy) -> Self {
        let engine = Engine::new(Config::default()).unwrap();
        let module = Module::new(&engine, module).unwrap();
        let entrypoint = module.entrypoint(&policy.entrypoint).unwrap();
        let mut instance = Instance::new(&module).unwrap();
        instance.set_data_json(policy.data.as_bytes()).unwrap();
        let context = EvalContext { deadline: Some(Duration::from_secs(1)), ..EvalContext::default() };
        Self { instance, entrypoint, context, wanted: Wanted::new(&WANTED) }
    }

    /// The module.
    #[must_use]
    pub fn module(&self) -> &Module {
        self.instance.module()
    }

    /// Decides an input's JSON text.
    ///
    /// # Panics
    ///
    /// When there is no decision.
    pub fn decide(&mut self, text: &str) -> Decision {
        self.evaluate(Input::Json(text.as_bytes()))
    }

    /// An input, parsed once for [`Loaded::decide_parsed`].
    ///
    /// # Panics
    ///
    /// When the text is no JSON.
    #[must_use]
    pub fn parse(text: &str) -> Value {
        json::parse(text.as_bytes()).unwrap()
    }

    /// Decides a parsed input.
    ///
    /// # Panics
    ///
    /// When there is no decision.
    pub fn decide_parsed(&mut self, input: &Value) -> Decision {
        self.evaluate(Input::Value(input))
    }

    /// Decides any input.
    ///
    /// # Panics
    ///
    /// When there is no decision.
    pub fn decide_input(&mut self, input: Input<'_>) -> Decision {
        self.evaluate(input)
    }

    /// The value that an input's JSON text gets, as text. A minute may pass.
    ///
    /// # Panics
    ///
    /// When it is undefined.
    pub fn value(&mut self, text: &str) -> String {
        let input = Input::Json(text.as_bytes());
        let context = EvalContext { deadline: Some(Duration::from_secs(60)), ..EvalContext::default() };
        self.instance.evaluate_value(self.entrypoint, input, &context).unwrap().unwrap().to_string()
    }

    /// Tells `perf` where the module's code lies.
    pub fn leave_map(&self) {
        let mut map = String::new();
        for (name, address, length) in self.module().machine_code() {
            writeln!(map, "{address:x} {length:x} wasm:{name}").unwrap();
        }
        let _ = std::fs::write(format!("/tmp/perf-{}.map", std::process::id()), map);
    }

    fn evaluate(&mut self, input: Input<'_>) -> Decision {
        let decision = |answer: Option<Answer<'_>>| {
            let (mut allowed, mut reason, mut action) = (None, None, None);
            answer.unwrap().pick(&self.wanted, |position, value| match position {
                0 => allowed = value.as_bool(),
                1 => reason = value.as_str(),
                _ => action = value.as_str(),
            });
            Decision::new(allowed.unwrap(), reason.unwrap(), action.unwrap())
        };
        self.instance.evaluate_with(self.entrypoint, input, &self.context, decision).unwrap()
    }
}
