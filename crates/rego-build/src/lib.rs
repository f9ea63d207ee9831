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

mod cost;
mod error;

use rego_compiler::{CheckedProgram, CheckedQuery, QueryContext};
use rego_ir::{Policy, VerifiedPlan};
use rego_syntax::ast::{Module, RegoVersion};
use rego_syntax::{ParserOptions, SourceMap};

pub use cost::{Cost, RuleCost, cost};
pub use error::{BuildError, Diagnostics};
pub use rego_compiler::plan::{self, Marks, Query};
pub use rego_compiler::{Options as CheckOptions, PrintCalls};
pub use rego_opt::{Outline, Passes};
pub use rego_wasm::{CompiledModule, Options as PlanOptions, Target};

/// The largest source, in bytes. OPA has no such limit; a policy of this size is a mistake or an attack.
pub const MAX_SOURCE_BYTES: usize = 16 << 20;

/// A source file: its name, as diagnostics show it, and its bytes.
#[derive(Clone, Debug)]
pub struct Source {
    name: String,
    bytes: Vec<u8>,
    version: Option<RegoVersion>,
}

impl Source {
    /// A source from memory.
    pub fn new(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), bytes: bytes.into(), version: None }
    }

    /// The same, read in a version of the language of its own.
    #[must_use]
    pub fn in_version(self, version: RegoVersion) -> Self {
        Self { version: Some(version), ..self }
    }
}

/// How to build.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How sources are read.
    pub parser: ParserOptions,
    /// How the program is checked.
    pub check: rego_compiler::Options,
    /// Whether what is evaluated says so.
    pub marks: Marks,
    /// What is done to make the plan faster.
    pub passes: Passes,
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
    let (checked, _) = check_query(&program, "<query>", query, &QueryContext::default(), options)?;
    assemble(&program, &[Query::new("eval", &checked)], options)
}

/// Parses and checks a query against a program; gives it with the files that its spans and the program's point into.
///
/// # Errors
/// All diagnostics of the query; they name the file `name`.
pub fn check_query(
    program: &CheckedProgram,
    name: &str,
    query: &str,
    context: &QueryContext,
    options: &Options,
) -> Result<(CheckedQuery, SourceMap), BuildError> {
    let mut files = program.sources().clone();
    let file = files.add(name, query);
    let failed = |list| BuildError::Diagnostics(Diagnostics::new(list, files.clone()));
    let body = rego_syntax::parse_query(&file, &options.parser).into_result().map_err(failed)?;
    let checked = program.compile_query_in(body, context).map_err(failed)?;
    Ok((checked, files))
}

/// Parses and checks, and stops there.
///
/// # Errors
/// All diagnostics of all sources.
pub fn check(sources: &[Source], options: &Options) -> Result<CheckedProgram, BuildError> {
    let mut files = SourceMap::new();
    let mut diagnostics = Vec::new();
    let mut modules: Vec<Module> = Vec::new();
    let mut parser = options.parser.clone();
    if parser.builtin_names.is_empty() {
        parser.builtin_names = rego_compiler::builtin_names();
    }
    for source in sources {
        if source.bytes.len() > MAX_SOURCE_BYTES {
            let (name, bytes) = (source.name.clone(), source.bytes.len());
            return Err(BuildError::TooLarge { name, bytes });
        }
        let file = files.add_bytes(source.name.as_str(), &source.bytes)?;
        let parsed = match source.version {
            None => rego_syntax::parse_module(&file, &parser),
            Some(rego_version) => {
                let parser = ParserOptions { rego_version, ..parser.clone() };
                rego_syntax::parse_module(&file, &parser)
            }
        };
        match parsed.into_result() {
            Ok(module) => modules.push(module),
            Err(found) => diagnostics.extend(found),
        }
    }
    if !diagnostics.is_empty() {
        return Err(BuildError::Diagnostics(Diagnostics::new(diagnostics, files)));
    }
    check_modules(modules, files, options)
}

/// Checks modules that are parsed already, from these files.
///
/// # Errors
/// All diagnostics of the first phase that has any.
pub fn check_modules(
    modules: Vec<Module>,
    files: SourceMap,
    options: &Options,
) -> Result<CheckedProgram, BuildError> {
    rego_compiler::check(modules, &files, &options.check)
        .map_err(|list| BuildError::Diagnostics(Diagnostics::new(list, files)))
}

/// Verifies, optimises and compiles a plan that came from elsewhere (`opa build -t plan`).
///
/// # Errors
/// A plan that is not well formed, or that cannot be compiled.
pub fn assemble_plan(policy: Policy, options: &Options) -> Result<CompiledModule, BuildError> {
    let verified: VerifiedPlan = rego_ir::verify(policy).map_err(BuildError::Malformed)?;
    let verified = if options.passes == Passes::NONE {
        verified
    } else {
        let faster = rego_opt::optimise(verified.into_policy(), options.passes);
        rego_ir::verify(faster).map_err(BuildError::Malformed)?
    };
    Ok(rego_wasm::compile(&verified, &options.wasm)?)
}

/// Plans queries over a checked program and compiles them to one module.
///
/// # Errors
/// What cannot be planned or compiled.
pub fn assemble(
    program: &CheckedProgram,
    queries: &[Query],
    options: &Options,
) -> Result<CompiledModule, BuildError> {
    assemble_in(program, program.sources(), queries, options)
}

/// The same with more files than the program's: those that [`check_query`] gives.
///
/// # Errors
/// As [`assemble`].
pub fn assemble_in(
    program: &CheckedProgram,
    sources: &SourceMap,
    queries: &[Query],
    options: &Options,
) -> Result<CompiledModule, BuildError> {
    let policy = plan::plan_in(program, sources, queries, options.marks)
        .map_err(|error| BuildError::Diagnostics(Diagnostics::new(vec![error.into()], sources.clone())))?;
    assemble_plan(policy, options)
}
