//! What a module finds in its host: the limits, the built-in functions, and the way to stop.

use std::sync::Arc;

use rego_builtins::{BuiltinError, Context, HostFn};
use rego_value::Value;
use wasmtime::{Caller, Linker, Memory, ResourceLimiter};

use crate::abi::{Abi, read_string};
use crate::config::Engine;
use crate::environment::{Environment, Function};
use crate::error::PolicyError;
use crate::failures::{self, failed};
use crate::numbers;
use crate::patterns::{self, Pattern};

/// A built-in function that a module calls by number.
#[derive(Clone)]
pub(crate) enum HostBuiltin {
    /// One of Rego's.
    Table { name: &'static str, function: HostFn },
    /// One of the embedding program's own.
    Own { name: Arc<str>, function: Arc<Function> },
    /// One that was declared to the compiler and that nobody has.
    Missing { name: Arc<str> },
}

impl HostBuiltin {
    /// Whoever carries out a function: the embedding program, or else the table.
    pub(crate) fn find(name: &str, environment: &Environment) -> Self {
        if let Some(function) = environment.function(name) {
            return Self::Own { name: name.into(), function };
        }
        let row = rego_builtins::by_name(name);
        match row.and_then(|row| Some((row.name, row.implementation.host()?))) {
            Some((name, function)) => Self::Table { name, function },
            None => Self::Missing { name: name.into() },
        }
    }

    /// Whether a call looks at the deadline while it computes.
    pub(crate) fn may_take_long(&self) -> bool {
        matches!(self, Self::Table { name, .. } if rego_builtins::may_take_long(name))
    }

    pub(crate) fn is_missing(&self) -> bool {
        matches!(self, Self::Missing { .. })
    }

    fn name(&self) -> &str {
        match self {
            Self::Table { name, .. } => name,
            Self::Own { name, .. } | Self::Missing { name } => name,
        }
    }

    fn call(&self, context: &mut Context, operands: &[Value]) -> Result<Option<Value>, BuiltinError> {
        match self {
            Self::Table { function, .. } => function(context, operands),
            Self::Own { function, .. } => function(context, operands),
            // Not reached: such a call stops the evaluation.
            Self::Missing { .. } => Ok(None),
        }
    }
}

/// The state that belongs to one instance.
pub(crate) struct Host {
    pub(crate) limits: Limits,
    pub(crate) builtins: Arc<[Option<HostBuiltin>]>,
    /// The module's regular expressions, copied for the instance: each copy has memory of its own to match with.
    pub(crate) patterns: Box<[Pattern]>,
    /// Set for each evaluation.
    pub(crate) context: Context,
    /// Functions may wait for something, and have to know for how long.
    pub(crate) waits: bool,
    /// Failures matter to the evaluation at hand.
    pub(crate) strict: bool,
    /// The first failure of a host function in the evaluation at hand; our own modules keep it
    /// themselves, together with those of their own functions.
    pub(crate) first_failure: Option<PolicyError>,
    pub(crate) memory: Option<Memory>,
    pub(crate) abi: Option<Arc<Abi>>,
    pub(crate) engine: Engine,
    /// The clock's tick at which the evaluation at hand is over time.
    pub(crate) until: u64,
}

/// The cap on an instance's memory.
#[derive(Debug)]
pub(crate) struct Limits {
    pub(crate) memory: usize,
    /// Whether growth was refused since this was last reset.
    pub(crate) refused: bool,
}

/// Policies call through a table of functions at most this large.
const TABLE_LIMIT: usize = 100_000;

impl ResourceLimiter for Limits {
    fn memory_growing(&mut self, _now: usize, wanted: usize, _max: Option<usize>) -> wasmtime::Result<bool> {
        let fits = wanted <= self.memory;
        self.refused |= !fits;
        Ok(fits)
    }

    fn table_growing(&mut self, _now: usize, wanted: usize, _max: Option<usize>) -> wasmtime::Result<bool> {
        Ok(wanted <= TABLE_LIMIT)
    }
}

/// The module called `opa_abort`, or a host function halted the evaluation.
#[derive(Debug)]
pub(crate) struct Stopped(pub(crate) PolicyError);

impl std::fmt::Display for Stopped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Stopped {}

/// The module broke the ABI while it called a host function.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Misuse {
    #[error("unknown built-in function number {0}")]
    UnknownBuiltin(i32),
    #[error("unknown operation number {0}")]
    UnknownOperation(i32),
    #[error("unknown regular expression number {0}")]
    UnknownPattern(i32),
    #[error("a value that is no value was passed to `{0}`")]
    Operand(String),
    #[error("the module has no memory")]
    NoMemory,
}

/// All functions that the ABI lets a module import, and those that our own modules may import besides.
pub(crate) fn linker(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<Host>> {
    let mut linker = Linker::new(engine);
    linker.func_wrap("env", "opa_abort", |mut caller: Caller<'_, Host>, text: i32| {
        Err::<(), _>(wasmtime::Error::new(Stopped(aborted(&mut caller, text))))
    })?;
    // Print statements are not part of a decision; a module that was compiled with them still runs.
    linker.func_wrap("env", "opa_println", |_: Caller<'_, Host>, _: i32| {})?;
    linker.func_wrap("env", "opa_builtin0", |c: Caller<'_, Host>, id: i32, _: i32| call(c, id, &[]))?;
    linker
        .func_wrap("env", "opa_builtin1", |c: Caller<'_, Host>, id: i32, _: i32, x: i32| call(c, id, &[x]))?;
    linker.func_wrap("env", "opa_builtin2", |c: Caller<'_, Host>, id: i32, _: i32, x: i32, y: i32| {
        call(c, id, &[x, y])
    })?;
    linker.func_wrap(
        "env",
        "opa_builtin3",
        |c: Caller<'_, Host>, id: i32, _: i32, x: i32, y: i32, z: i32| call(c, id, &[x, y, z]),
    )?;
    linker.func_wrap(
        "env",
        "opa_builtin4",
        |c: Caller<'_, Host>, id: i32, _: i32, x: i32, y: i32, z: i32, w: i32| call(c, id, &[x, y, z, w]),
    )?;
    linker.func_wrap("env", "rego_match", patterns::matches)?;
    failures::define(&mut linker)?;
    numbers::define(&mut linker)?;
    Ok(linker)
}

/// What stands behind the text of an abort in our own modules, before what OPA's evaluator says of the error
/// (`rego_wasm::ABORT_DETAIL`).
const ABORT_DETAIL: &[u8] = b"\x01rego:";

/// The error that a module aborts with.
fn aborted(caller: &mut Caller<'_, Host>, address: i32) -> PolicyError {
    // An imported memory is known from the start; one of the module's own only after it started.
    let memory = caller.data().memory.or_else(|| caller.get_export("memory")?.into_memory());
    let memory = memory.map(|memory| memory.data(&*caller)).unwrap_or_default();
    let Some(text) = read_string(memory, address) else { return PolicyError::parse("aborted") };
    let rest = usize::try_from(address.cast_unsigned()).ok().and_then(|at| memory.get(at + text.len() + 1..));
    let detail = rest.and_then(|rest| read_string(rest.strip_prefix(ABORT_DETAIL)?, 0));
    let (text, detail) = (String::from_utf8_lossy(text), detail.map(String::from_utf8_lossy));
    let error = PolicyError::parse(detail.as_deref().unwrap_or(&text));
    // OPA's modules name no code.
    let is_conflict = ["var assignment conflict", "object insert conflict"].contains(&error.message.as_str());
    let code = if is_conflict { "eval_conflict_error".to_owned() } else { error.code };
    PolicyError { code, abort_text: Some(text.into_owned()), ..error }
}

/// Carries out a built-in function. 0 is undefined.
fn call(mut caller: Caller<'_, Host>, id: i32, operands: &[i32]) -> wasmtime::Result<i32> {
    let builtin = usize::try_from(id)
        .ok()
        .and_then(|id| caller.data().builtins.get(id).cloned().flatten())
        .ok_or(Misuse::UnknownBuiltin(id))?;
    if let HostBuiltin::Missing { name } = &builtin {
        return Err(wasmtime::Error::new(Stopped(unsupported(name))));
    }
    let abi = caller.data().abi.clone().ok_or(Misuse::NoMemory)?;
    let mut values = Vec::with_capacity(operands.len());
    for operand in operands {
        values.push(
            abi.read_value(&mut caller, *operand)?
                .ok_or_else(|| Misuse::Operand(builtin.name().to_owned()))?,
        );
    }
    match builtin.call(&mut caller.data_mut().context, &values) {
        Ok(Some(value)) => abi.write_value(&mut caller, &value),
        Ok(None) => Ok(0),
        Err(error) => {
            failed(&mut caller, &abi, builtin.name(), &error)?;
            Ok(0)
        }
    }
}

/// The error of a call of a function that was declared and that nobody has.
fn unsupported(name: &str) -> PolicyError {
    let message = format!(
        "unsupported built-in: {name}: it is declared, and this host has no function of that name \
         (`Environment::with_function`)"
    );
    PolicyError { code: "eval_internal_error".to_owned(), message, ..PolicyError::default() }
}
