//! Policies to a module.

#[cfg(feature = "compiler")]
use std::collections::HashSet;

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
    let wasm = PlanOptions { target, ..PlanOptions::default() };
    let options = Options { wasm, ..Options::default() };
    let sources: Vec<Source> =
        modules.iter().map(|module| Source::new(module.name(), module.text())).collect();
    match build(&sources, entrypoints, &options) {
        Ok(module) => Ok(module.bytes),
        Err(error) => match as_written(modules, &error) {
            Some(sources) => build(&sources, entrypoints, &options).map(|module| module.bytes),
            None => Err(error),
        },
    }
}

/// The most modules that are compiled once more, to tell what is wrong with them where their authors wrote it.
#[cfg(feature = "compiler")]
const TOLD_AS_WRITTEN: usize = 20;

/// The sources with those that an error is about as their authors wrote them; none where it is about none such.
#[cfg(feature = "compiler")]
fn as_written(modules: &[RegoModule], error: &BuildError) -> Option<Vec<Source>> {
    let BuildError::Diagnostics(found) = error else { return None };
    let places = found.list().iter().filter_map(|diagnostic| diagnostic.place(found.sources()));
    let concerned: HashSet<&str> = places.map(|(name, _)| name).collect();
    let mut written = 0;
    let source = |module: &RegoModule| {
        let told = written < TOLD_AS_WRITTEN && concerned.contains(module.name());
        match told.then(|| module.as_written()).flatten() {
            Some((name, text)) => {
                written += 1;
                Source::new(name, text)
            }
            None => Source::new(module.name(), module.text()),
        }
    };
    let sources = modules.iter().map(source).collect();
    (written > 0).then_some(sources)
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
