//! Rego sources and entrypoints to a module: the whole pipeline in one call.
//!
//! **Job.** Parse every source, check the program, plan the entrypoints, verify the plan, compile it; and report what
//! is wrong with all sources together, so that an author mends them in one go. `build.rs`, the SDK, the command line,
//! the conformance harness and the benchmarks all come this way.
//!
//! **Invariant.** No phase is left out and none can be entered from the side: each takes the type that only the phase
//! before it makes. Pure: the same sources give the same bytes.
//!
//! ```
//! use rego_build::{Options, Source, build};
//!
//! let source = Source::new("hello.rego", "package hello\n\nallow if input.user == \"ada\"\n");
//! let module = build(&[source], &["hello/allow"], &Options::default())?;
//! assert_eq!(module.manifest.entrypoints, ["hello/allow"]);
//! # Ok::<(), rego_build::BuildError>(())
//! ```

mod error;

use rego_compiler::plan::{self, Query};
use rego_compiler::{CheckedProgram, CheckedQuery};
use rego_ir::{Policy, VerifiedPlan};
use rego_syntax::ast::{Module, RegoVersion};
use rego_syntax::{ParserOptions, SourceMap};

pub use error::{BuildError, Diagnostics};
pub use rego_wasm::{CompiledModule, Options as PlanOptions};

/// The largest source, in bytes. OPA has no such limit; a policy of this size is a mistake or an attack.
pub const MAX_SOURCE_BYTES: usize = 16 << 20;

/// A source file: its name, as diagnostics show it, and its bytes.
#[derive(Clone, Debug)]
pub struct Source {
    name: String,
    bytes: Vec<u8>,
}

impl Source {
    /// A source from memory.
    pub fn new(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), bytes: bytes.into() }
    }
}

/// How to build.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How sources are read.
    pub parser: ParserOptions,
    /// How the program is checked.
    pub check: rego_compiler::Options,
    /// How the plan is compiled.
    pub wasm: PlanOptions,
}

impl Options {
    /// The options for sources in an older version of the language.
    #[must_use]
    pub fn for_version(version: RegoVersion) -> Self {
        Self { parser: ParserOptions::for_version(version), ..Self::default() }
    }
}

/// Builds a module that offers the entrypoints (`a/b` for `data.a.b`).
///
/// # Errors
/// All diagnostics of the first phase that has any; see [`BuildError`].
pub fn build(
    sources: &[Source],
    entrypoints: &[&str],
    options: &Options,
) -> Result<CompiledModule, BuildError> {
    let program = check(sources, options)?;
    let queries: Vec<Query> = entrypoints.iter().map(|path| Query::entrypoint(path)).collect();
    assemble(&program, &queries, options)
}

/// Builds a module of which the entrypoint `eval` answers a query: an object from variables to values per answer.
///
/// # Errors
/// As [`build`]; diagnostics of the query name the file `<query>`.
pub fn build_query(sources: &[Source], query: &str, options: &Options) -> Result<CompiledModule, BuildError> {
    let program = check(sources, options)?;
    let mut files = program.sources().clone();
    let file = files.add("<query>", query);
    let failed = |list| BuildError::Diagnostics(Diagnostics::new(list, files.clone()));
    let body = rego_syntax::parse_query(&file, &options.parser).into_result().map_err(failed)?;
    let checked: CheckedQuery = program.compile_query(body).map_err(failed)?;
    assemble(&program, &[Query::new("eval", &checked)], options)
}

/// Parses and checks, and stops there.
///
/// # Errors
/// All diagnostics of all sources.
pub fn check(sources: &[Source], options: &Options) -> Result<CheckedProgram, BuildError> {
    let mut files = SourceMap::new();
    let mut diagnostics = Vec::new();
    let mut modules: Vec<Module> = Vec::new();
    for source in sources {
        if source.bytes.len() > MAX_SOURCE_BYTES {
            let (name, bytes) = (source.name.clone(), source.bytes.len());
            return Err(BuildError::TooLarge { name, bytes });
        }
        let file = files.add_bytes(source.name.as_str(), &source.bytes)?;
        match rego_syntax::parse_module(&file, &options.parser).into_result() {
            Ok(module) => modules.push(module),
            Err(found) => diagnostics.extend(found),
        }
    }
    if !diagnostics.is_empty() {
        return Err(BuildError::Diagnostics(Diagnostics::new(diagnostics, files)));
    }
    rego_compiler::check(modules, &files, &options.check)
        .map_err(|list| BuildError::Diagnostics(Diagnostics::new(list, files)))
}

/// Verifies and compiles a plan that came from elsewhere (`opa build -t plan`).
///
/// # Errors
/// A plan that is not well formed, or that cannot be compiled.
pub fn assemble_plan(policy: Policy, options: &PlanOptions) -> Result<CompiledModule, BuildError> {
    let verified: VerifiedPlan = rego_ir::verify(policy).map_err(BuildError::Malformed)?;
    Ok(rego_wasm::compile(&verified, options)?)
}

fn assemble(
    program: &CheckedProgram,
    queries: &[Query],
    options: &Options,
) -> Result<CompiledModule, BuildError> {
    let policy = plan::plan(program, queries).map_err(|error| {
        BuildError::Diagnostics(Diagnostics::new(vec![error.into()], program.sources().clone()))
    })?;
    assemble_plan(policy, &options.wasm)
}
