//! A compiled module: checked against the ABI, and asked once for what it offers and needs.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use rego_value::abi::Known;
use wasmtime::{ExternType, Linker, MemoryType};

use crate::config::Engine;
use crate::environment::Environment;
use crate::error::ModuleError;
use crate::host::{Host, HostBuiltin, linker};
use crate::input::Node;
use crate::layout;
use crate::live::Live;
use crate::native::Verified;
use crate::patterns::Pattern;
use crate::texts::Texts;

/// The number of an entrypoint, for [`Instance::evaluate_id`](crate::Instance::evaluate_id).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntrypointId(pub(crate) i32);

pub(crate) struct Inner {
    pub(crate) engine: Engine,
    pub(crate) compiled: wasmtime::Module,
    pub(crate) linker: Linker<Host>,
    /// The memory that the module imports, unless it brings its own.
    pub(crate) memory: Option<MemoryType>,
    pub(crate) entrypoints: BTreeMap<String, EntrypointId>,
    pub(crate) needs: Vec<String>,
    pub(crate) missing: Vec<String>,
    pub(crate) environment: Environment,
    pub(crate) builtins: Arc<[Option<HostBuiltin>]>,
    pub(crate) patterns: Vec<Pattern>,
    /// Whether values lie in its memory as `rego_value::abi` says.
    pub(crate) known_layout: bool,
    /// Its constant strings and what it searches by, which data are laid out with.
    pub(crate) known: Arc<Known>,
    /// The texts of its constant strings.
    pub(crate) texts: Arc<Texts>,
    /// What it reads of its input; used where the layout is known.
    pub(crate) projection: Arc<Node>,
}

/// Modules number the functions of their host from 0 with few gaps; anything beyond this is broken.
const MOST_BUILTINS: usize = 1 << 16;

/// A policy in WebAssembly, ready to be instantiated. Cheap to clone.
#[derive(Clone)]
pub struct Module {
    pub(crate) inner: Arc<Inner>,
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Module").field("entrypoints", &self.inner.entrypoints.keys()).finish_non_exhaustive()
    }
}

impl Module {
    /// Compiles a module that our compiler or OPA (`opa build -t wasm`) made.
    ///
    /// # Errors
    /// Bytes that are no module, another ABI version, missing exports, unknown imports.
    #[cfg(feature = "compiler")]
    pub fn new(engine: &Engine, bytes: &[u8]) -> Result<Self, ModuleError> {
        Self::with_environment(engine, bytes, &Environment::default())
    }

    /// The same, with functions of its host's own and with the network.
    ///
    /// A function that the module calls and that nobody has is an error of each evaluation that calls it, as with OPA: a
    /// policy may replace it by `with`, or not come to it. Who wants to refuse such a module asks
    /// [`Module::require_functions`].
    ///
    /// # Errors
    /// As [`Module::new`].
    #[cfg(feature = "compiler")]
    pub fn with_environment(
        engine: &Engine,
        bytes: &[u8],
        environment: &Environment,
    ) -> Result<Self, ModuleError> {
        let compiled = wasmtime::Module::new(engine.wasmtime(), bytes).map_err(invalid)?;
        Self::assemble(engine, compiled, bytes, environment)
    }

    /// Loads a module that was compiled ahead of time.
    ///
    /// # Errors
    /// As [`Module::new`]; code that does not fit the engine.
    pub fn from_native(
        engine: &Engine,
        native: &Verified<'_>,
        environment: &Environment,
    ) -> Result<Self, ModuleError> {
        let compiled = native.instruct(engine.wasmtime())?;
        Self::assemble(engine, compiled, native.sections(), environment)
    }

    /// A compiled module, with the bytes that have its custom sections.
    fn assemble(
        engine: &Engine,
        compiled: wasmtime::Module,
        bytes: &[u8],
        environment: &Environment,
    ) -> Result<Self, ModuleError> {
        let memory = check_imports(&compiled)?;
        let inner = Inner {
            engine: engine.clone(),
            linker: linker(engine.wasmtime()).map_err(invalid)?,
            compiled,
            memory,
            entrypoints: BTreeMap::new(),
            needs: Vec::new(),
            missing: Vec::new(),
            environment: environment.clone(),
            builtins: Arc::new([]),
            patterns: layout::patterns(bytes)?,
            known_layout: layout::is_known(bytes)?,
            known: Arc::default(),
            texts: Arc::default(),
            projection: Arc::new(layout::projection(bytes)?),
        };
        let inner = describe(inner, &layout::strings(bytes), &layout::columns(bytes))?;
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Where the machine's code of each function lies: name, address, length in bytes. For profilers, which do not know
    /// code that is made at run time; `/tmp/perf-PID.map` is where `perf` looks for it.
    pub fn machine_code(&self) -> impl Iterator<Item = (String, usize, usize)> {
        let base = self.inner.compiled.text().as_ptr().addr();
        let functions = self.inner.compiled.functions();
        functions
            .map(move |function| (function.name.unwrap_or_default(), base + function.offset, function.len))
    }

    /// Whether they are the same: clones of each other.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    /// The engine that compiled it.
    pub fn engine(&self) -> &Engine {
        &self.inner.engine
    }

    /// The names of the entrypoints, such as `guardrails/evaluate`, sorted.
    pub fn entrypoints(&self) -> impl Iterator<Item = &str> {
        self.inner.entrypoints.keys().map(String::as_str)
    }

    /// The number of an entrypoint.
    pub fn entrypoint(&self, name: &str) -> Option<EntrypointId> {
        self.inner.entrypoints.get(name).copied()
    }

    /// The names of the built-in functions that it calls in its host, sorted.
    pub fn host_functions(&self) -> &[String] {
        &self.inner.needs
    }

    /// Refuses a module that calls functions that nobody has, instead of leaving that to an evaluation.
    ///
    /// # Errors
    /// [`ModuleError::MissingBuiltins`], with their names.
    pub fn require_functions(&self) -> Result<(), ModuleError> {
        match self.inner.missing.as_slice() {
            [] => Ok(()),
            names => Err(ModuleError::MissingBuiltins { names: names.to_vec() }),
        }
    }
}

fn invalid(error: wasmtime::Error) -> ModuleError {
    ModuleError::Invalid { message: format!("{error:#}") }
}

/// Checks that every import is one the ABI has, and gives the type of the memory.
fn check_imports(module: &wasmtime::Module) -> Result<Option<MemoryType>, ModuleError> {
    const FUNCTIONS: [&str; 14] = [
        "opa_abort",
        "opa_println",
        "opa_builtin0",
        "opa_builtin1",
        "opa_builtin2",
        "opa_builtin3",
        "opa_builtin4",
        "rego_failed",
        "rego_match",
        "rego_number",
        "rego_number_compare",
        "rego_number_hash",
        "rego_number_text",
        "rego_wrong_type",
    ];
    let mut memory = None;
    for import in module.imports() {
        match (import.module(), import.name(), import.ty()) {
            ("env", "memory", ExternType::Memory(ty)) => memory = Some(ty),
            ("env", name, ExternType::Func(_)) if FUNCTIONS.contains(&name) => {}
            (module, name, _) => {
                return Err(ModuleError::UnknownImport { module: module.to_owned(), name: name.to_owned() });
            }
        }
    }
    Ok(memory)
}

/// Instantiates the module once to read its version, entrypoints, built-in functions and constant strings.
fn describe(mut inner: Inner, strings: &[u32], columns: &[Vec<u32>]) -> Result<Inner, ModuleError> {
    let mut live = Live::start(&inner)?;
    let (major, minor) = live.abi_version();
    if major != 1 || !(2..=3).contains(&minor) {
        return Err(ModuleError::AbiVersion { major, minor });
    }
    inner.entrypoints = live.entrypoints()?.into_iter().map(|(name, id)| (name, EntrypointId(id))).collect();
    let builtins = live.builtins()?;
    let mut table: Vec<Option<HostBuiltin>> = Vec::new();
    for (name, id) in &builtins {
        let builtin = HostBuiltin::find(name, &inner.environment);
        if builtin.is_missing() {
            inner.missing.push(name.clone());
        }
        let id = usize::try_from(*id).ok().filter(|id| *id < MOST_BUILTINS);
        let id = id.ok_or(ModuleError::Start { source: crate::EvalError::MalformedResult })?;
        if table.len() <= id {
            table.resize(id + 1, None);
        }
        if let Some(slot) = table.get_mut(id) {
            *slot = Some(builtin);
        }
    }
    inner.known = Arc::new(live.known(strings, columns));
    inner.texts = Arc::new(Texts::new(&inner.known.strings));
    inner.needs = builtins.into_keys().collect();
    inner.builtins = table.into();
    Ok(inner)
}
