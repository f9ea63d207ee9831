//! The one engine behind the commands: modules to WebAssembly, run with a deadline and a cap on memory.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rego_build::BuildError;
use rego_engine::{Config, Engine, EvalContext, Module};
use rego_test::output::{Error, errors_of};

use crate::failure::Failure;

/// The most that an evaluation may use, in bytes. WebAssembly can address twice as much.
const MEMORY: usize = 2 << 30;

/// The deepest stack of an evaluation, in bytes; the thread that runs it has to have more.
const STACK: usize = 2 << 20;

/// The stack of the thread that runs a command.
const THREAD_STACK: usize = 256 << 20;

/// Where OPA sets no limit.
pub(crate) const LONG: Duration = Duration::from_secs(24 * 60 * 60);

/// An engine for code that runs once or a few times.
pub(crate) fn engine() -> Result<Engine, Failure> {
    let config = Config {
        memory_limit: MEMORY,
        stack_limit: STACK,
        default_deadline: LONG,
        optimise: false,
        ..Config::default()
    };
    Engine::new(config).map_err(Failure::of)
}

/// Compiles a module for the engine.
pub(crate) fn module(engine: &Engine, bytes: &[u8]) -> Result<Module, Error> {
    Module::new(engine, bytes).map_err(|error| Error::plain(error.to_string()))
}

/// What an evaluation is given: the time now, and chance.
pub(crate) fn context(deadline: Duration, strict: bool) -> EvalContext {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now_ns = i64::try_from(since.as_nanos()).unwrap_or(i64::MAX);
    EvalContext { deadline: Some(deadline), now_ns, seed: seed(), strict, ..EvalContext::default() }
}

/// A seed that is another one each time: the hasher of the standard library is keyed by the system.
fn seed() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}

/// What is wrong with a build.
pub(crate) fn build_errors(error: &BuildError) -> Vec<Error> {
    match error {
        BuildError::Diagnostics(diagnostics) => errors_of(diagnostics),
        other => vec![Error::plain(other.to_string())],
    }
}

/// Runs a command on a thread whose stack holds that of an evaluation, and of the compiler for deeply nested policies.
pub(crate) fn on_large_stack<T: Send>(run: impl FnOnce() -> Result<T, Failure> + Send) -> Result<T, Failure> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(THREAD_STACK).spawn_scoped(scope, run);
        let done = thread.map_err(Failure::of)?.join();
        done.unwrap_or_else(|_| Err(Failure::Failed("internal error: the command's thread died".to_owned())))
    })
}
