//! Policies to a module.

use guard_policy::RegoModule;
use rego_build::{BuildError, Options, Source, build};

/// What every Guardian asks its policies.
pub const DECISION_ENTRYPOINT: &str = "guardrails/evaluate";

/// Compiles Rego modules to one WebAssembly module with these entrypoints.
///
/// # Errors
/// Everything that is wrong with the modules, at once.
pub fn compile_policies(modules: &[RegoModule], entrypoints: &[&str]) -> Result<Vec<u8>, BuildError> {
    let sources: Vec<Source> =
        modules.iter().map(|module| Source::new(module.name(), module.text())).collect();
    Ok(build(&sources, entrypoints, &Options::default())?.bytes)
}
