//! A case through the real pipeline: sources (or a plan) to a module, the module to answers.

use std::cell::Cell;
use std::time::Duration;

use rego_build::{BuildError, CompiledModule, Options, Passes, PlanOptions, Source, Target};
use rego_engine::{Config, Engine, EvalContext, EvalError, Input as EngineInput, Instance, Module};
use rego_syntax::ast::{RegoVersion, Term, Value as TermValue};
use rego_syntax::{FileId, ParserOptions, SourceFile};
use rego_value::{Number, Value};

use crate::corpus::{Case, Input, Program as Text};
use crate::functions;

/// What every case shares.
pub(crate) struct Pipeline {
    engine: Engine,
    form: Form,
}

/// What modules are made of the cases.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Form {
    /// The passes of the optimiser.
    pub(crate) passes: Passes,
    /// Whom they are for; those for our engine leave more to it.
    pub(crate) target: Target,
}

impl Default for Form {
    fn default() -> Self {
        Self { passes: Passes::ALL, target: Target::Portable }
    }
}

impl Form {
    fn options(self, version: RegoVersion) -> Options {
        let wasm = PlanOptions { target: self.target, ..PlanOptions::default() };
        Options { passes: self.passes, wasm, ..Options::for_version(version) }
    }
}

/// A case's module, ready to be evaluated.
pub(crate) struct Program {
    module: Module,
    /// The instructions of WebAssembly that its evaluations have taken.
    instructions: Cell<u64>,
}

/// Why a case has no answers, in OPA's terms.
#[derive(Debug)]
pub(crate) struct Fault {
    /// `eval_conflict_error`, `rego_type_error`, …; empty where the error is none of OPA's.
    pub(crate) code: String,
    /// The message as OPA prints it: `file:row: code: text`.
    pub(crate) message: String,
    /// The text that the module aborted with, as a host sees it that knows OPA's ABI alone.
    pub(crate) abort: Option<String>,
}

/// Generous: the judge asks whether an answer is right, not how fast it came.
const DEADLINE: Duration = Duration::from_secs(20);

/// The one entrypoint of a case's module, as OPA's own plans of the cases name it.
const ENTRYPOINT: &str = "eval";

impl Pipeline {
    pub(crate) fn new(form: Form) -> Result<Self, String> {
        // A module is evaluated once or twice here, so compiling it is nearly all of the work.
        let config = Config {
            memory_limit: 512 << 20,
            optimise: false,
            count_instructions: true,
            ..Config::default()
        };
        let engine = Engine::new(config).map_err(|error| error.to_string())?;
        Ok(Self { engine, form })
    }

    /// Compiles what the case runs.
    pub(crate) fn compile(&self, case: &Case) -> Result<Program, Fault> {
        self.load(&self.compile_bytes(case)?)
    }

    /// The module of what the case runs.
    pub(crate) fn compile_bytes(&self, case: &Case) -> Result<CompiledModule, Fault> {
        match &case.program {
            Text::Source { modules, query, v0 } => self.module_of_source(case.group, modules, query, *v0),
            Text::Plan(plan) => self.module_of_plan(plan.get()),
            Text::Command(_) => Err(Fault {
                code: String::new(),
                message: "a run of the command line is no module".to_owned(),
                abort: None,
            }),
        }
    }

    /// Loads a module.
    pub(crate) fn load(&self, compiled: &CompiledModule) -> Result<Program, Fault> {
        self.load_bytes(&compiled.bytes)
    }

    /// Loads a module, whoever made it.
    pub(crate) fn load_bytes(&self, bytes: &[u8]) -> Result<Program, Fault> {
        // One for each case: its functions count their calls.
        let environment = functions::environment();
        let module = Module::with_environment(&self.engine, bytes, &environment);
        Ok(Program { module: module.map_err(|error| Fault::own(&error))?, instructions: Cell::default() })
    }
}

impl Program {
    /// How many instructions of WebAssembly its evaluations have taken; those that trapped are not known.
    pub(crate) fn instructions(&self) -> u64 {
        self.instructions.get()
    }

    /// The answers, each an object from variables to values.
    pub(crate) fn evaluate(&self, case: &Case, strict: bool) -> Result<Vec<Value>, Fault> {
        self.evaluate_entrypoint(ENTRYPOINT, case, strict)
    }

    /// The answers of an entrypoint, with the documents of a case.
    pub(crate) fn evaluate_entrypoint(
        &self,
        entrypoint: &str,
        case: &Case,
        strict: bool,
    ) -> Result<Vec<Value>, Fault> {
        let mut instance = Instance::new(&self.module).map_err(|error| Fault::of_evaluation(&error))?;
        if let Some(data) = &case.data {
            instance.set_data_json(data.get().as_bytes()).map_err(|error| Fault::of_evaluation(&error))?;
        }
        let context =
            EvalContext { deadline: Some(DEADLINE), strict, now_ns: now_ns(), ..EvalContext::default() };
        let term;
        let input = match &case.input {
            None => EngineInput::Undefined,
            Some(Input::Json(text)) => EngineInput::Json(text.get().as_bytes()),
            Some(Input::Term(text)) => {
                term = term_value(text)?;
                EngineInput::Value(&term)
            }
        };
        let answers = match instance.evaluate(entrypoint, input, &context) {
            Ok(results) => Ok(results.answers().to_vec()),
            Err(error) => Err(Fault::of_evaluation(&error)),
        };
        self.instructions.set(self.instructions.get() + instance.instructions().unwrap_or_default());
        answers
    }
}

impl Fault {
    fn own(error: &dyn std::error::Error) -> Self {
        Self { code: String::new(), message: error.to_string(), abort: None }
    }

    fn of_evaluation(error: &EvalError) -> Self {
        let EvalError::Policy(error) = error else { return Self::own(error) };
        let place = match &error.location {
            Some((file, row, _)) => format!("{file}:{row}: "),
            None => String::new(),
        };
        let message = format!("{place}{}: {}", error.code, error.message);
        Self { code: error.code.clone(), message, abort: error.abort_text.clone() }
    }

    fn of_build(error: &BuildError) -> Self {
        let first = match error {
            BuildError::Diagnostics(diagnostics) => {
                diagnostics.list().first().map(|first| (diagnostics, first))
            }
            _ => None,
        };
        let Some((diagnostics, first)) = first else { return Self::own(error) };
        let code = first.code.as_str().to_owned();
        let place = match first.place(diagnostics.sources()) {
            Some((file, position)) => format!("{file}:{}: ", position.row),
            None => String::new(),
        };
        Self { message: format!("{place}{code}: {}", first.message), code, abort: None }
    }
}

impl Pipeline {
    fn module_of_source(
        &self,
        group: &str,
        modules: &[String],
        query: &str,
        v0: bool,
    ) -> Result<CompiledModule, Fault> {
        // The names that OPA's own judges of the groups use, since errors show them.
        let prefix = if group == "wasm" { "module" } else { "test-" };
        let named =
            |(index, text): (usize, &String)| Source::new(format!("{prefix}{index}.rego"), text.as_str());
        let sources: Vec<Source> = modules.iter().enumerate().map(named).collect();
        let version = if v0 { RegoVersion::V0 } else { RegoVersion::V1 };
        let mut options = self.form.options(version);
        options.check.host_builtins = functions::declarations();
        let built = rego_build::build_query(&sources, query, &options);
        built.map_err(|error| Fault::of_build(&error))
    }

    fn module_of_plan(&self, text: &str) -> Result<CompiledModule, Fault> {
        let policy = rego_ir::from_json(text).map_err(|error| Fault::own(&error))?;
        let built = rego_build::assemble_plan(policy, &self.form.options(RegoVersion::V1));
        built.map_err(|error| Fault::of_build(&error))
    }
}

fn now_ns() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

/// A ground Rego term as a value.
fn term_value(text: &str) -> Result<Value, Fault> {
    let wrong = |text: &str| Fault {
        code: String::new(),
        message: format!("the case's input_term: {text}"),
        abort: None,
    };
    let file = SourceFile::new(FileId::default(), "input_term", text);
    let term = rego_syntax::parse_term(&file, &ParserOptions::default()).into_result();
    let term =
        term.map_err(|found| wrong(&found.first().map(|d| d.message.to_string()).unwrap_or_default()))?;
    ground(&term).ok_or_else(|| wrong("not a ground term"))
}

fn ground(term: &Term) -> Option<Value> {
    Some(match &term.value {
        TermValue::Null => Value::Null,
        TermValue::Bool(truth) => Value::Bool(*truth),
        TermValue::Number(number) => Value::Number(Number::parse(number.as_str()).ok()?),
        TermValue::String(text) => Value::from(text.as_str()),
        TermValue::Array(items) => Value::array(items.iter().map(ground).collect::<Option<Vec<_>>>()?),
        TermValue::Set(items) => Value::set(items.iter().map(ground).collect::<Option<Vec<_>>>()?),
        TermValue::Object(members) => {
            let pair = |(key, value): &(Term, Term)| Some((ground(key)?, ground(value)?));
            Value::object(members.iter().map(pair).collect::<Option<Vec<_>>>()?)
        }
        _ => return None,
    })
}
