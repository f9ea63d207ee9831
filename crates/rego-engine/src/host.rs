//! What a module finds in its host: the limits, the built-in functions, and the way to stop.

use std::sync::Arc;

use rego_builtins::{BuiltinError, Context, HostFn};
use wasmtime::{Caller, Linker, Memory, ResourceLimiter};

use crate::abi::{Abi, read_string};
use crate::error::PolicyError;
use crate::record;

/// A built-in function that a module calls by number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HostBuiltin {
    pub(crate) name: &'static str,
    pub(crate) function: HostFn,
}

/// The state that belongs to one instance.
pub(crate) struct Host {
    pub(crate) limits: Limits,
    pub(crate) builtins: Arc<[Option<HostBuiltin>]>,
    /// Set for each evaluation.
    pub(crate) context: Context,
    /// Failures matter to the evaluation at hand.
    pub(crate) strict: bool,
    /// The first failure of a host function in the evaluation at hand; our own modules keep it
    /// themselves, together with those of their own functions.
    pub(crate) first_failure: Option<PolicyError>,
    pub(crate) memory: Option<Memory>,
    pub(crate) abi: Option<Arc<Abi>>,
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
    #[error("a value that is no value was passed to `{0}`")]
    Operand(&'static str),
    #[error("the module has no memory")]
    NoMemory,
}

/// All functions that the ABI lets a module import.
pub(crate) fn linker(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<Host>> {
    let mut linker = Linker::new(engine);
    linker.func_wrap("env", "opa_abort", |mut caller: Caller<'_, Host>, text: i32| {
        let text = message(&mut caller, text);
        Err::<(), _>(wasmtime::Error::new(Stopped(PolicyError::parse(&text))))
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
    Ok(linker)
}

fn message(caller: &mut Caller<'_, Host>, address: i32) -> String {
    // An imported memory is known from the start; one of the module's own only after it started.
    let memory = caller.data().memory.or_else(|| caller.get_export("memory")?.into_memory());
    let text = memory.and_then(|memory| read_string(memory.data(&caller), address));
    text.map_or_else(|| "aborted".to_owned(), |bytes| String::from_utf8_lossy(bytes).into_owned())
}

/// Carries out a built-in function. 0 is undefined.
fn call(mut caller: Caller<'_, Host>, id: i32, operands: &[i32]) -> wasmtime::Result<i32> {
    let builtin = usize::try_from(id)
        .ok()
        .and_then(|id| caller.data().builtins.get(id).copied().flatten())
        .ok_or(Misuse::UnknownBuiltin(id))?;
    let abi = caller.data().abi.clone().ok_or(Misuse::NoMemory)?;
    let mut values = Vec::with_capacity(operands.len());
    for operand in operands {
        values.push(abi.read_value(&mut caller, *operand)?.ok_or(Misuse::Operand(builtin.name))?);
    }
    match (builtin.function)(&mut caller.data_mut().context, &values) {
        Ok(Some(value)) => abi.write_value(&mut caller, &value),
        Ok(None) => Ok(0),
        Err(error) => {
            failed(&mut caller, &abi, builtin.name, &error)?;
            Ok(0)
        }
    }
}

/// Notes the failure of a function, or stops the evaluation because of it.
fn failed(
    caller: &mut Caller<'_, Host>,
    abi: &Abi,
    name: &str,
    error: &BuiltinError,
) -> wasmtime::Result<()> {
    let message = format!("{name}: {}", error.message);
    if error.halt {
        let code = error.code.as_str().to_owned();
        return Err(wasmtime::Error::new(Stopped(PolicyError { code, message, location: None })));
    }
    if !caller.data().strict {
        return Ok(());
    }
    let Some(native) = &abi.native else {
        let code = error.code.as_str().to_owned();
        caller.data_mut().first_failure.get_or_insert(PolicyError { code, message, location: None });
        return Ok(());
    };
    if record::is_free(abi.memory.data(&*caller), native.error_slot) {
        let message = abi.write_value(&mut *caller, &message.into())?.cast_unsigned();
        record::write(abi.memory.data_mut(&mut *caller), native.error_slot, error, message);
    }
    Ok(())
}

/// The operands of a call, for tests of functions that are not in the table.
pub(crate) fn resolve(name: &str, extra: &dyn Fn(&str) -> Option<HostFn>) -> Option<HostBuiltin> {
    if let Some(row) = rego_builtins::by_name(name)
        && let Some(function) = row.implementation.host()
    {
        return Some(HostBuiltin { name: row.name, function });
    }
    // A name lives as long as the process: the set of names in a module is small and fixed.
    extra(name).map(|function| HostBuiltin { name: Box::leak(name.to_owned().into_boxed_str()), function })
}
