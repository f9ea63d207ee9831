//! A verified plan and the runtime to one self-contained WebAssembly module.
//!
//! **Job.** [`compile`] turns a [`VerifiedPlan`] into instructions, lays its constants out in
//! data segments, and links both with the functions of `runtime.wasm` that they need.
//!
//! **Invariant.** The same plan gives the same bytes. A module speaks OPA's Wasm ABI 1.3, imports nothing but
//! `env.memory`, `env.opa_abort`, `env.opa_println` and `env.opa_builtin0` to `4`, and runs in any host of OPA's modules. One
//! for our engine alone may import `env.rego_match` besides ([`PATTERNS_SECTION`]), and what few evaluations come to:
//! what is computed with numbers beyond 64 bits, `env.rego_number`, `rego_number_compare`, `rego_number_hash` and
//! `rego_number_text` (`rt_wide` and its like of `rego-runtime`), and the words of a failure, `rego_failed` and
//! `rego_wrong_type` (`rt_failed`, `rt_wrong_type`).
//!
//! **Beyond OPA's ABI** a module exports, for hosts that know values' layout ([`rego_value::abi`]):
//!
//! | export | |
//! |---|---|
//! | `rego_eval(entrypoint, input, data, top) -> handle` | evaluates and gives the array of answers, without context or text; the heap goes on at the address `top` |
//! | `rego_value(entrypoint, input, data, top) -> handle` | the same for the value of the first answer's `result`, undefined without one |
//! | `rego_error_slot() -> address` | the record of the first error of a built-in function ([`rego_value::abi::error`]); its location is 0 or the address of three words: the handle of the file's name, row, column |
//!
//! and carries the custom sections [`LAYOUT_SECTION`], by which a host tells our modules from OPA's,
//! [`projection::SECTION`], the parts of the input that the policy can read, [`STRINGS_SECTION`], the handles of its
//! constant strings, and [`COLUMNS_SECTION`].
//!
//! **What must be true**, and how it is shown: whatever is compiled is valid WebAssembly (`src/tests.rs` validates it for
//! every plan of the conformance corpus), means what the plan means (the conformance harness runs those plans), and is
//! the code that we think it is (`tests/codegen` records it for small plans).
//!
//! The layers, each its own file: constants, folding of constant collections, code for statements, entries for the
//! host, linker. Passes over the plan come before (`rego-opt`).

mod codegen;
mod constants;
mod entry;
mod error;
mod flow;
mod fold;
mod hash;
mod link;
pub mod projection;
#[cfg(test)]
mod tests;

use rego_ir::VerifiedPlan;
use rego_value::abi;

pub use error::CompileError;

use codegen::Generator;

/// The name of the custom section that holds [`rego_value::abi::LAYOUT_VERSION`] as four bytes, little endian.
pub const LAYOUT_SECTION: &str = "rego-layout";

/// The exported globals between whose addresses a module for our engine keeps members of the data that it found by strings
/// of the data, if it does. Zeros mean none; whoever changes documents writes them.
pub const JOINS_GLOBALS: [&str; 2] = ["rego_joins", "rego_joins_end"];

/// The name of the custom section that holds the handles of constant strings, four bytes each, little endian. A host
/// that lays data out uses them for equal strings: members are then found by comparing handles.
pub const STRINGS_SECTION: &str = "rego-strings";

/// The name of the custom section that holds the regular expressions which the engine compiles when it loads the module
/// and matches in `env.rego_match(number, text) -> handle`; only modules for our engine ([`Target::Engine`]) have it. For
/// each: `u32` length of the function's name, which its errors begin with, the name, `u32` length of the expression, the
/// expression. Numbers are little endian.
pub const PATTERNS_SECTION: &str = "rego-patterns";

/// The name of the custom section that holds what arrays of the data are searched by
/// ([`rego_value::abi::Column`]): for each column the number of its keys and their handles, four bytes each, little
/// endian. Only modules for our engine have any.
pub const COLUMNS_SECTION: &str = "rego-columns";

/// Where a module aborts, `opa_abort` is given the text that OPA's modules have. Behind the zero byte that ends it may
/// stand this mark, followed by the text of OPA's evaluator, which names the error's code and the rule, and another
/// zero byte.
pub const ABORT_DETAIL: &str = "\u{1}rego:";

/// The most pages that a module asks of its host at the start, if its constants fit: other hosts give five by default.
pub const PORTABLE_PAGES: u64 = 5;

/// The functions that every module has: `crates/rego-runtime`, built to wasm32.
static RUNTIME: &[u8] = include_bytes!("../../rego-runtime/runtime.wasm");

/// How to compile.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Name the runtime's functions as well as the policy's, for profilers. Costs some kilobytes.
    pub name_runtime: bool,
    /// Whom the module is for.
    pub target: Target,
}

/// Whom a module is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Target {
    /// Any host of OPA's modules.
    #[default]
    Portable,
    /// `rego-engine` alone, which knows the layout of values: what only other hosts call is left out, and expressions
    /// that are not known before they are evaluated are matched by the host, which compiles each once and not once in
    /// every evaluation, and numbers beyond 64 bits are computed by the host. The module is about half the size.
    Engine,
}

/// A compiled module and what a host should know about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompiledModule {
    /// The module.
    pub bytes: Vec<u8>,
    /// What it offers and needs.
    pub manifest: Manifest,
}

/// What a module offers and needs. The module says the same itself (`entrypoints()`, `builtins()`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// The entrypoints; an id is a position.
    pub entrypoints: Vec<String>,
    /// The functions that the host has to provide, with their ids.
    pub host_builtins: Vec<(u32, String)>,
}

/// Compiles a plan.
///
/// # Errors
/// A call of a built-in function that nothing carries out, or that passes more arguments than OPA's ABI can; a plan
/// too large for a module.
pub fn compile(plan: &VerifiedPlan, options: &Options) -> Result<CompiledModule, CompileError> {
    compile_with(RUNTIME, plan, options)
}

fn compile_with(
    runtime: &[u8],
    plan: &VerifiedPlan,
    options: &Options,
) -> Result<CompiledModule, CompileError> {
    let policy = plan.policy();
    let runtime = link::Runtime::parse(runtime)?;
    let reads = rego_ir::reads::input_reads(policy);
    let mut generator =
        Generator::new(policy, &reads, &runtime, runtime.global_value("__heap_base")?, options.target);
    let mut functions = generator.functions()?;
    entry::entries(&mut generator, &mut functions)?;
    let reads = projection::encode(&reads, &mut generator.constants)?;
    let start = functions.len();
    let manifest = manifest(&generator);
    let patterns = patterns(&generator.engine_patterns);
    let strings = generator.constants.string_handles();
    let strings = strings.into_iter().flat_map(u32::to_le_bytes).collect();
    let columns = generator.columns.iter().flat_map(|keys| {
        let count = u32::try_from(keys.len()).unwrap_or(u32::MAX);
        core::iter::once(count).chain(keys.iter().copied())
    });
    let columns = columns.flat_map(u32::to_le_bytes).collect();
    // The start function is given the end of the constants, so that it is the last to be generated.
    let constants = core::mem::replace(&mut generator.constants, constants::Constants::new(0));
    let (base, bytes, heap_base) = constants.finish()?;
    functions.push(entry::start(&mut generator, heap_base));
    let helpers = functions.len();
    functions.extend(generator.helper_functions());
    let mut globals = vec![("opa_wasm_abi_version", 1), ("opa_wasm_abi_minor_version", 3)];
    if let (Some(joins), true) = (generator.joins, generator.uses_joins) {
        let addresses = [joins, joins.saturating_add(codegen::joins::SIZE)];
        globals.extend(JOINS_GLOBALS.into_iter().zip(addresses.map(u32::cast_signed)));
    }
    let input = link::Input {
        runtime: &runtime,
        symbols: &generator.symbols,
        functions: &functions,
        start,
        helpers,
        constants: (base, &bytes),
        heap_base,
        globals: &globals,
        name_runtime: options.name_runtime,
        target: options.target,
        custom: &[
            (LAYOUT_SECTION, abi::LAYOUT_VERSION.to_le_bytes().to_vec()),
            (projection::SECTION, reads),
            (STRINGS_SECTION, strings),
            (COLUMNS_SECTION, columns),
            (PATTERNS_SECTION, patterns),
        ],
    };
    Ok(CompiledModule { bytes: link::link(&input)?, manifest })
}

/// The content of [`PATTERNS_SECTION`].
fn patterns(patterns: &[(&'static str, String)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for text in patterns.iter().flat_map(|(name, pattern)| [*name, pattern]) {
        bytes.extend(u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend_from_slice(text.as_bytes());
    }
    bytes
}

fn manifest(generator: &Generator<'_>) -> Manifest {
    let builtins = &generator.policy.static_.builtin_funcs;
    let mut ids = generator.host_functions.clone();
    ids.sort_unstable();
    let host =
        ids.into_iter().filter_map(|id| Some((u32::try_from(id).ok()?, builtins.get(id)?.name.clone())));
    Manifest {
        entrypoints: generator.policy.plans.iter().map(|plan| plan.name.clone()).collect(),
        host_builtins: host.collect(),
    }
}
