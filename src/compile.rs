//! Policies to a module.

use guard_policy::RegoModule;
use rego_build::{BuildError, Options, PlanOptions, Source, Target, build};

/// What every Guardian asks its policies.
pub const DECISION_ENTRYPOINT: &str = "guardrails/evaluate";

/// Compiles Rego modules to one WebAssembly module with these entrypoints, for any host of OPA's modules.
///
/// # Errors
/// Everything that is wrong with the modules, at once.
pub fn compile_policies(modules: &[RegoModule], entrypoints: &[&str]) -> Result<Vec<u8>, BuildError> {
    compile_for(Target::Portable, modules, entrypoints)
}

/// The same for the engine of this process.
pub(crate) fn compile_for_engine(
    modules: &[RegoModule],
    entrypoints: &[&str],
) -> Result<Vec<u8>, BuildError> {
    compile_for(Target::Engine, modules, entrypoints)
}

fn compile_for(target: Target, modules: &[RegoModule], entrypoints: &[&str]) -> Result<Vec<u8>, BuildError> {
    let sources: Vec<Source> =
        modules.iter().map(|module| Source::new(module.name(), module.text())).collect();
    let wasm = PlanOptions { target, ..PlanOptions::default() };
    let options = Options { wasm, ..Options::default() };
    Ok(build(&sources, entrypoints, &options)?.bytes)
}
