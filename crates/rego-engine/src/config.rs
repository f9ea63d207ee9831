//! The engine: one compiler and one clock for all modules of a process.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use crate::epoch::Clock;
use crate::error::EngineError;

/// Limits that hold for every evaluation. There is no way to switch one off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The largest linear memory of an instance, in bytes: policy, data, input and everything an
    /// evaluation allocates. An input that cannot fit is refused before it is copied.
    pub memory_limit: usize,
    /// The deepest stack of an evaluation, in bytes.
    pub stack_limit: usize,
    /// How long an evaluation may take when its [`EvalContext`](crate::EvalContext) does not say.
    pub default_deadline: Duration,
    /// The unit of deadlines, which are never early, and late by no more than three ticks and a quarter of themselves:
    /// the clock behind them wakes up as seldom as they allow, and after 32 ticks at the latest.
    pub tick: Duration,
    /// How much superseded data an instance keeps before it lays out its data afresh, in bytes.
    pub garbage_limit: usize,
    /// Compile modules for speed of evaluation. `false` compiles several times faster into code that is slower: for
    /// modules that are evaluated once, as those of tests are. Precompiled modules are as they are.
    pub optimise: bool,
    /// Count the instructions that evaluations take ([`Instance::instructions`](crate::Instance::instructions)), which
    /// makes them slower: for tests of what a policy costs, which must not depend on a clock.
    pub count_instructions: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            memory_limit: 64 << 20,
            stack_limit: 512 << 10,
            default_deadline: Duration::from_secs(1),
            tick: Duration::from_millis(1),
            garbage_limit: 1 << 20,
            optimise: true,
            count_instructions: false,
        }
    }
}

#[derive(Debug)]
struct Inner {
    config: Config,
    wasmtime: wasmtime::Engine,
    clock: Clock,
}

/// Runs modules and bounds their evaluation; compiles them, with the feature `compiler`. Cheap to clone; all clones are the
/// same engine.
#[derive(Clone, Debug)]
pub struct Engine {
    inner: Arc<Inner>,
}

impl Engine {
    /// Sets up wasmtime and the clock that watches over deadlines.
    ///
    /// # Errors
    /// When the machine cannot run compiled code or start a thread.
    pub fn new(config: Config) -> Result<Self, EngineError> {
        let settings = settings(&config);
        let wasmtime = wasmtime::Engine::new(&settings).map_err(EngineError::setup)?;
        let clock = Clock::start(wasmtime.clone(), config.tick).map_err(EngineError::clock)?;
        Ok(Self { inner: Arc::new(Inner { config, wasmtime, clock }) })
    }

    /// The limits it was made with.
    pub fn config(&self) -> &Config {
        &self.inner.config
    }

    pub(crate) fn wasmtime(&self) -> &wasmtime::Engine {
        &self.inner.wasmtime
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.inner.clock
    }
}

/// What code is compiled for; code that was compiled for something else is refused.
pub(crate) fn settings(config: &Config) -> wasmtime::Config {
    let mut settings = wasmtime::Config::new();
    settings
        .epoch_interruption(true)
        .consume_fuel(config.count_instructions)
        .max_wasm_stack(config.stack_limit)
        .wasm_backtrace_max_frames(NonZeroUsize::new(1))
        .wasm_simd(true)
        // Nobody asks where in the module's bytes an instruction came from.
        .generate_address_map(false);
    // Nothing unwinds through compiled code: what a function of the host panics with stops at the way into it. Windows wants
    // to know all the same.
    #[cfg(not(windows))]
    settings.native_unwind_info(false);
    // All that a module may ever have is reserved where addresses have 64 bits, so that its memory grows in place: code then
    // asks once in a function, and not after each call, where it lies.
    #[cfg(target_pointer_width = "64")]
    settings.memory_may_move(false);
    #[cfg(feature = "compiler")]
    if config.optimise {
        settings.cranelift_opt_level(wasmtime::OptLevel::Speed);
    } else {
        settings
            .cranelift_opt_level(wasmtime::OptLevel::None)
            .cranelift_regalloc_algorithm(wasmtime::RegallocAlgorithm::SinglePass);
    }
    settings
}
