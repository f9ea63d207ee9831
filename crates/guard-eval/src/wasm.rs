//! Decisions of the compiled policies, in this process.

use std::cell::RefCell;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use guard_core::{
    CellNames, Changes, DeadlinePassed, Decision, EngineFailed, EvalError, Evaluated, Evaluator,
    MemoryExceeded, NoResult, PoolExhausted, Question, Reply, Revision, StateStore,
};
use rego_engine::{
    Answer, Binding, BorrowError, Config, DataChanges, Engine, EngineError, EntrypointId, Environment,
    EvalContext, Module, ModuleError, Pool, PoolConfig, Verified,
};
use rego_value::{Value, json};
use thiserror::Error;

use crate::answer::{self, Read};
use crate::asked::Asked;
use crate::calendar::Calendar;
use crate::cells::Cells;
use crate::pushed::STATE;

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
    /// No instance can be made of it, or not with this data.
    #[error("the module cannot be started: {0}")]
    Instance(#[source] rego_engine::EvalError),
    /// The module makes no decisions.
    #[error("the module has no entrypoint `{ENTRYPOINT}`; it has {}", .found.join(", "))]
    NoEntrypoint {
        /// The entrypoints that it has.
        found: Vec<String>,
    },
}

/// Runs a compiled module in this process, on warm instances that follow the state.
///
/// A decision holds up its thread for as long as it takes, which is microseconds for a policy as people
/// write them and the deadline at most for one that loops.
pub struct Wasm {
    pool: Pool,
    entrypoint: EntrypointId,
    asked: Binding<Asked<'static>>,
    calendar: Option<Calendar>,
    digest: Option<Arc<str>>,
    store: Arc<dyn StateStore>,
    /// What the pool's data have of the state. Held while they are brought to a later revision.
    applied: Mutex<Applied>,
    /// The same plus one, readable without the lock; 0 when there is none.
    reached: AtomicU64,
}

/// What of the store's state the data have.
#[derive(Debug, Default)]
struct Applied {
    /// None when nobody knows.
    revision: Option<Revision>,
    cells: Cells,
}

impl Wasm {
    /// Loads a module with the entrypoint `guardrails/evaluate`. `digest` names it in records; `data` are
    /// its documents besides the state.
    ///
    /// # Errors
    /// When the module cannot be loaded here, or makes no decisions.
    #[cfg(feature = "compiler")]
    pub fn load(
        module: &[u8],
        digest: Option<String>,
        data: Option<Value>,
        store: Arc<dyn StateStore>,
        config: WasmConfig,
    ) -> Result<Self, LoadError> {
        Self::start(&Module::new(&engine(config)?, module)?, digest, data, store, config)
    }

    /// The same with a module that was compiled ahead of time. Records name it by the digest of its WebAssembly.
    ///
    /// # Errors
    /// When the module cannot be loaded here, or makes no decisions.
    pub fn load_native(
        module: &Verified<'_>,
        data: Option<Value>,
        store: Arc<dyn StateStore>,
        config: WasmConfig,
    ) -> Result<Self, LoadError> {
        let digest: String = module.wasm_digest().iter().map(|byte| format!("{byte:02x}")).collect();
        let module = Module::from_native(&engine(config)?, module, &Environment::default())?;
        Self::start(&module, Some(format!("sha256:{digest}")), data, store, config)
    }

    fn start(
        module: &Module,
        digest: Option<String>,
        data: Option<Value>,
        store: Arc<dyn StateStore>,
        config: WasmConfig,
    ) -> Result<Self, LoadError> {
        module.require_functions()?;
        let Some(entrypoint) = module.entrypoint(ENTRYPOINT) else {
            return Err(LoadError::NoEntrypoint { found: module.entrypoints().map(str::to_owned).collect() });
        };
        let pool = Pool::new(module, PoolConfig { size: config.instances, ..PoolConfig::default() })
            .map_err(LoadError::Instance)?;
        if let Some(data) = data {
            pool.set_data(data).map_err(LoadError::Instance)?;
        }
        let (applied, reached) = (Mutex::default(), AtomicU64::new(0));
        let digest = digest.map(Arc::from);
        // A policy may read what no request has; it finds that undefined.
        let (asked, _) = module.bind_partly::<Asked<'_>>();
        let calendar = Calendar::of(module);
        Ok(Self { pool, entrypoint, asked, calendar, digest, store, applied, reached })
    }

    fn decide(&self, question: Question<'_>) -> Result<Evaluated, EvalError> {
        let deadline = question.deadline;
        let revision = self.follow()?;
        if let Some(calendar) = &self.calendar {
            calendar.keep(&self.pool, &self.asked, question);
        }
        let patience = || deadline.remaining();
        let result = self.pool.with_patience(patience, |instance, _| {
            let context = EvalContext {
                deadline: Some(deadline.remaining()),
                now_ns: question.request.time.as_nanos(),
                seed: seed(),
                ..EvalContext::default()
            };
            let asked = Asked::new(question.request);
            let input = self.asked.input(&asked);
            instance.evaluate_with(self.entrypoint, input, &context, |answer| answer.map(decision))
        });
        let decision = match result {
            Ok(Ok(decision)) => decision,
            Ok(Err(rego_engine::EvalError::Deadline { .. })) => {
                return Err(DeadlinePassed { allowed: deadline.allowed() }.into());
            }
            Ok(Err(error)) | Err(BorrowError::Instance(error)) => return Err(translated(error)),
            Err(BorrowError::Exhausted { size, .. }) => return Err(PoolExhausted { size }.into()),
        };
        let Some(decision) = decision else {
            return Err(NoResult { path: format!("data.{}", ENTRYPOINT.replace('/', ".")) }.into());
        };
        let decision = decision?;
        Ok(Evaluated {
            decision,
            engine: self.name(),
            module_digest: self.digest.clone(),
            data_revision: Some(revision),
        })
    }

    /// Brings the pool's data to the state of this moment: the cells that have changed, and nothing else.
    fn follow(&self) -> Result<Revision, EvalError> {
        if let Some(reached) = self.reached.load(Ordering::Acquire).checked_sub(1)
            && reached >= self.store.revision().0
        {
            return Ok(Revision(reached));
        }
        let mut applied = self.applied.lock().unwrap_or_else(PoisonError::into_inner);
        // On an error halfway nobody knows what the data have: the next question begins with all of it.
        self.reached.store(0, Ordering::Release);
        let changes = match applied.revision.take() {
            Some(held) => self.store.changes_since(held).wait()?,
            None => Changes::All(self.store.snapshot().wait()?),
        };
        let revision = changes.revision();
        self.apply(changes, &mut applied.cells)?;
        applied.revision = Some(revision);
        self.reached.store(revision.0.saturating_add(1), Ordering::Release);
        Ok(revision)
    }

    fn apply(&self, changes: Changes, known: &mut Cells) -> Result<(), EvalError> {
        match changes {
            Changes::All(snapshot) => {
                known.clear();
                let document = json::parse(snapshot.to_json().as_bytes())
                    .map_err(|error| EngineFailed { detail: format!("the state is not JSON: {error}") })?;
                self.pool.set_data_at(&STATE, document).map_err(translated)
            }
            Changes::Cells { cells, .. } => {
                let all =
                    |data: &mut DataChanges<'_>| cells.iter().try_for_each(|cell| known.apply(data, cell));
                self.pool.update(all).map_err(translated)
            }
        }
    }
}

fn engine(config: WasmConfig) -> Result<Engine, EngineError> {
    Engine::new(Config { memory_limit: config.memory_limit, ..Config::default() })
}

thread_local! {
    /// The cells that were charged of late in decisions on this thread.
    static NAMES: RefCell<CellNames> = RefCell::new(CellNames::remembering());
}

/// Reads a decision where the module has it.
fn decision(answer: Answer<'_>) -> Result<Box<Decision>, EvalError> {
    let unnamed = || Decision::from_document(Read(answer)).map(Box::new);
    let named = NAMES.try_with(|names| match names.try_borrow_mut() {
        Ok(mut names) => Decision::from_document_naming(Read(answer), &mut names).map(Box::new),
        Err(_) => unnamed(),
    });
    // A thread that ends remembers nothing any more.
    match named.unwrap_or_else(|_| unnamed()) {
        Ok(decision) => return Ok(decision),
        Err(malformed) if !answer::has_set(answer) => return Err(malformed.into()),
        Err(_) => {}
    }
    let value = answer.to_value().map_err(|error| EngineFailed { detail: error.to_string() })?;
    Ok(Box::new(Decision::from_json(json::to_string(&value, json::Escape::Plain).as_bytes())?))
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
