//! The one engine behind the commands: modules to WebAssembly, run with a deadline and a cap on memory.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rego_build::BuildError;
use rego_builtins::network::{Hosts, Network};
use rego_engine::{Config, Engine, Environment, EvalContext, Module};
use rego_net::Client;
use rego_test::Host;
use rego_test::output::{Error, errors_of};

use crate::failure::Failure;
use crate::opa::capabilities::Capabilities;

/// The most that an evaluation may use, in bytes. WebAssembly can address twice as much.
const MEMORY: usize = 2 << 30;

/// The deepest stack of an evaluation, in bytes; the thread that runs it has to have more.
const STACK: usize = 2 << 20;

/// The stack of the thread that runs a command.
const THREAD_STACK: usize = 256 << 20;

/// Where OPA sets no limit.
pub(crate) const LONG: Duration = Duration::from_secs(24 * 60 * 60);

/// An engine for code that runs once or a few times.
fn engine() -> Result<Engine, Failure> {
    let config = Config {
        memory_limit: MEMORY,
        stack_limit: STACK,
        default_deadline: LONG,
        optimise: false,
        ..Config::default()
    };
    Engine::new(config).map_err(Failure::of)
}

/// What the commands of authors run policies with: they may speak with any host, as with OPA, unless the capabilities
/// list those that they may.
pub(crate) fn host(capabilities: &Capabilities) -> Result<Host, Failure> {
    let network = Network::new(Client::new(), Hosts::any());
    let network = match &capabilities.allow_net {
        Some(hosts) => network.with_allow_net(hosts.iter().cloned()),
        None => network,
    };
    Ok(Host { engine: engine()?, environment: Environment::new().with_network(network) })
}

/// Compiles a module for the engine.
pub(crate) fn module(host: &Host, bytes: &[u8]) -> Result<Module, Error> {
    let module = Module::with_environment(&host.engine, bytes, &host.environment);
    module.map_err(|error| Error::plain(error.to_string()))
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
