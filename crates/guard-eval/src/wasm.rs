//! Decisions of the compiled policies, in this process.

mod pool;

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use guard_core::{
    CellChange, Changes, DeadlinePassed, Decision, EngineFailed, EvalError, Evaluated, Evaluator,
    MemoryExceeded, NoResult, PoolExhausted, Question, Reply, Revision, StateStore,
};
use rego_engine::{
    Config, Engine, EngineError, EntrypointId, EvalContext, Input, Instance, Module, ModuleError,
};
use rego_value::{Value, json};
use thiserror::Error;

use crate::pushed::STATE;
use pool::Pool;

/// The entrypoint that gives decisions.
const ENTRYPOINT: &str = "guardrails/evaluate";

/// How the in-process evaluator runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WasmConfig {
    /// The most memory that one instance may use, in bytes.
    pub memory_limit: usize,
    /// The most instances, and so the most decisions at a time.
    pub instances: usize,
}

impl Default for WasmConfig {
    /// 64 MiB, and one instance for each processor.
    fn default() -> Self {
        let instances = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { memory_limit: 64 << 20, instances }
    }
}

/// Why a module could not be loaded.
#[derive(Debug, Error)]
pub enum LoadError {
    /// The engine does not work here.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The bytes are no module that it runs.
    #[error(transparent)]
    Module(#[from] ModuleError),
    /// The data cannot be given to the module.
    #[error("the data document cannot be loaded: {0}")]
    Data(#[source] rego_engine::EvalError),
    /// The module makes no decisions.
    #[error("the module has no entrypoint `{ENTRYPOINT}`; it has {}", .found.join(", "))]
    NoEntrypoint {
        /// The entrypoints that it has.
        found: Vec<String>,
    },
}

/// Runs a compiled module in this process: warm instances, each with the state of the revision it last
/// saw.
///
/// A decision holds up its thread for as long as it takes, which is microseconds for a policy as people
/// write them and the deadline at most for one that loops.
pub struct Wasm {
    pool: Pool,
    entrypoint: EntrypointId,
    digest: Option<String>,
    store: Arc<dyn StateStore>,
}

/// An instance, and the revision of the state that it holds.
struct Warm {
    instance: Instance,
    state: Option<Revision>,
}

impl Wasm {
    /// Loads a module with the entrypoint `guardrails/evaluate`. `digest` names it in records; `data` are
    /// its documents besides the state.
    ///
    /// # Errors
    /// When the module cannot be loaded here, or makes no decisions.
    pub fn load(
        module: &[u8],
        digest: Option<String>,
        data: Option<Value>,
        store: Arc<dyn StateStore>,
        config: WasmConfig,
    ) -> Result<Self, LoadError> {
        let engine = Engine::new(Config { memory_limit: config.memory_limit, ..Config::default() })?;
        let module = Module::new(&engine, module)?;
        let Some(entrypoint) = module.entrypoint(ENTRYPOINT) else {
            return Err(LoadError::NoEntrypoint { found: module.entrypoints().map(str::to_owned).collect() });
        };
        let pool = Pool::new(module, data, config.instances.max(1));
        // The first instance is made now: what is wrong with the data is said at load.
        match pool.with(Duration::MAX, |_| ()) {
            Err(pool::TakeError::Start(error)) => return Err(LoadError::Data(error)),
            // The pool is new: nobody else has its instances.
            Ok(()) | Err(pool::TakeError::Busy) => {}
        }
        Ok(Self { pool, entrypoint, digest, store })
    }

    fn decide(&self, question: Question<'_>) -> Result<Evaluated, EvalError> {
        match self.pool.with(question.deadline.remaining(), |warm| self.decide_with(warm, question)) {
            Ok(decided) => decided,
            Err(pool::TakeError::Start(error)) => Err(translated(error)),
            Err(pool::TakeError::Busy) => Err(PoolExhausted { size: self.pool.size() }.into()),
        }
    }

    fn decide_with(&self, warm: &mut Warm, question: Question<'_>) -> Result<Evaluated, EvalError> {
        let deadline = question.deadline;
        let revision = self.follow(warm)?;
        let context = EvalContext {
            deadline: Some(deadline.remaining()),
            now_ns: question.request.time.as_nanos(),
            seed: seed(),
            ..EvalContext::default()
        };
        let input = Input::Json(question.input.as_bytes());
        let results =
            warm.instance.evaluate_id(self.entrypoint, input, &context).map_err(|error| match error {
                rego_engine::EvalError::Deadline { .. } => {
                    DeadlinePassed { allowed: deadline.allowed() }.into()
                }
                other => translated(other),
            })?;
        let Some(result) = results.result() else {
            return Err(NoResult { path: format!("data.{}", ENTRYPOINT.replace('/', ".")) }.into());
        };
        let text = json::to_string(result, json::Escape::Plain);
        let decision = Decision::from_json(text.as_bytes())?;
        Ok(Evaluated {
            decision,
            engine: self.name(),
            module_digest: self.digest.clone(),
            data_revision: Some(revision),
        })
    }

    /// Brings an instance to the state of this moment: the cells that have changed, and no other data.
    fn follow(&self, warm: &mut Warm) -> Result<Revision, EvalError> {
        if let Some(held) = warm.state
            && held >= self.store.revision()
        {
            return Ok(held);
        }
        let changes = match warm.state.take() {
            Some(held) => self.store.changes_since(held).wait()?,
            None => Changes::All(self.store.snapshot().wait()?),
        };
        let revision = changes.revision();
        apply(&mut warm.instance, changes)?;
        warm.state = Some(revision);
        Ok(revision)
    }
}

fn apply(instance: &mut Instance, changes: Changes) -> Result<(), EvalError> {
    match changes {
        Changes::All(snapshot) => {
            let document = json::parse(snapshot.to_json().as_bytes())
                .map_err(|error| EngineFailed { detail: format!("the state is not JSON: {error}") })?;
            instance.set_data_at(&STATE, document).map_err(translated)
        }
        Changes::Cells { cells, .. } => cells.iter().try_for_each(|change| apply_cell(instance, change)),
    }
}

fn apply_cell(instance: &mut Instance, change: &CellChange) -> Result<(), EvalError> {
    let [hexarch, state] = STATE;
    let cell = &*change.path.cell;
    let window = [hexarch, state, &cell.limit, &cell.key, &cell.window];
    let changed = match change.value {
        Some(value) => {
            let [a, b, c, d, e] = window;
            instance.set_data_at(&[a, b, c, d, e, &change.path.replica], Value::from(value.units()))
        }
        None => instance.remove_data_at(&window),
    };
    changed.map_err(translated)
}

/// The engine's error in the product's words.
fn translated(error: rego_engine::EvalError) -> EvalError {
    match error {
        rego_engine::EvalError::MemoryLimit { limit } => {
            MemoryExceeded { cap: u64::try_from(limit).unwrap_or(u64::MAX) }.into()
        }
        rego_engine::EvalError::Deadline { deadline } => DeadlinePassed { allowed: deadline }.into(),
        other => EngineFailed { detail: other.to_string() }.into(),
    }
}

/// A seed for `rand` and `uuid`, another one each time.
fn seed() -> u64 {
    RandomState::new().build_hasher().finish()
}

impl Evaluator for Wasm {
    fn name(&self) -> &'static str {
        "wasm"
    }

    fn evaluate<'a>(&'a self, question: Question<'a>) -> Reply<'a, Result<Evaluated, EvalError>> {
        Reply::Now(self.decide(question))
    }
}
