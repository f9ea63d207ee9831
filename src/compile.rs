//! Policies to a module.

use guard_policy::RegoModule;
#[cfg(feature = "compiler")]
use rego_build::{BuildError, Options, PlanOptions, Source, Target, build};
use sha2::{Digest, Sha256};

/// What every Guardian asks its policies.
pub const DECISION_ENTRYPOINT: &str = "guardrails/evaluate";

/// Compiles Rego modules to one WebAssembly module with these entrypoints, for any host of OPA's modules.
///
/// # Errors
/// Everything that is wrong with the modules, at once.
#[cfg(feature = "compiler")]
pub fn compile_policies(modules: &[RegoModule], entrypoints: &[&str]) -> Result<Vec<u8>, BuildError> {
    compile_for(Target::Portable, modules, entrypoints)
}

/// The same for the engine of this process.
///
/// # Errors
/// Everything that is wrong with the modules, at once.
#[cfg(feature = "compiler")]
pub fn compile_for_engine(modules: &[RegoModule], entrypoints: &[&str]) -> Result<Vec<u8>, BuildError> {
    compile_for(Target::Engine, modules, entrypoints)
}

#[cfg(feature = "compiler")]
fn compile_for(target: Target, modules: &[RegoModule], entrypoints: &[&str]) -> Result<Vec<u8>, BuildError> {
    let sources = modules.iter().map(RegoModule::source);
    let sources: Vec<Source> = sources.map(|(name, text)| Source::new(name, text)).collect();
    let wasm = PlanOptions { target, ..PlanOptions::default() };
    let options = Options { wasm, ..Options::default() };
    Ok(build(&sources, entrypoints, &options)?.bytes)
}

/// What a precompiled module notes of its sources, so that it is not run for the policies of another file: the SHA-256
/// digest of the names and texts of the modules, each with its length before it.
#[must_use]
pub fn sources_digest(modules: &[RegoModule]) -> [u8; 32] {
    let mut digest = Sha256::new();
    for text in modules.iter().flat_map(|module| [module.name(), module.text()]) {
        digest.update((text.len() as u64).to_le_bytes());
        digest.update(text);
    }
    digest.finalize().into()
}
