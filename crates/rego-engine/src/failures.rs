//! The failures of built-in functions: of those that this host has, and of those in modules for this engine, which leave
//! their words and their record to it.

use rego_builtins::{BuiltinError, ErrorCode};
use rego_value::abi::View;
use rego_value::abi::error::CODE_TYPE;
use wasmtime::{Caller, Linker, Trap};

use crate::abi::Abi;
use crate::error::PolicyError;
use crate::host::{Host, Misuse, Stopped};
use crate::record;

/// Adds the functions that `rego_wasm` lets a module import.
pub(crate) fn define(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    linker.func_wrap(
        "env",
        "rego_failed",
        |mut caller: Caller<'_, Host>, name: i32, name_len: i32, code: i32, text: i32, text_len: i32| {
            note(&mut caller, |memory| {
                let message = slice(memory, text, text_len)?.to_owned();
                let code =
                    if code.cast_unsigned() == CODE_TYPE { ErrorCode::Type } else { ErrorCode::Builtin };
                Some((slice(memory, name, name_len)?, BuiltinError { code, message, halt: false }))
            })
        },
    )?;
    linker.func_wrap(
        "env",
        "rego_wrong_type",
        |mut caller: Caller<'_, Host>,
         name: i32,
         name_len: i32,
         position: i32,
         text: i32,
         text_len: i32,
         got: i32| {
            note(&mut caller, |memory| {
                let expected = slice(memory, text, text_len)?;
                let got = View::new(memory, got.cast_unsigned()).ok()?.kind();
                let error = BuiltinError::wrong_type(usize::try_from(position).ok()?, expected, got);
                Some((slice(memory, name, name_len)?, error))
            })
        },
    )?;
    Ok(())
}

/// A text of the module's memory.
fn slice(memory: &[u8], address: i32, len: i32) -> Option<&str> {
    let address = usize::try_from(address.cast_unsigned()).ok()?;
    let len = usize::try_from(len.cast_unsigned()).ok()?;
    str::from_utf8(memory.get(address..address.checked_add(len)?)?).ok()
}

/// Notes what a function of the module itself failed with, where anybody asks.
fn note(
    caller: &mut Caller<'_, Host>,
    read: impl for<'m> FnOnce(&'m [u8]) -> Option<(&'m str, BuiltinError)>,
) -> wasmtime::Result<()> {
    if !caller.data().strict {
        return Ok(());
    }
    let abi = caller.data().abi.clone().ok_or(Misuse::NoMemory)?;
    let (name, error) =
        read(abi.memory.data(&*caller)).ok_or_else(|| Misuse::Operand("a failure".to_owned()))?;
    let name = name.to_owned();
    failed(caller, &abi, &name, &error)
}

/// Notes the failure of a function, or stops the evaluation because of it.
pub(crate) fn failed(
    caller: &mut Caller<'_, Host>,
    abi: &Abi,
    name: &str,
    error: &BuiltinError,
) -> wasmtime::Result<()> {
    if !error.halt && error.code != ErrorCode::Cancel && !caller.data().strict {
        return Ok(());
    }
    let message = format!("{name}: {}", error.message);
    if error.code == ErrorCode::Cancel {
        // As if the deadline had passed inside of the module.
        return Err(wasmtime::Error::from(Trap::Interrupt));
    }
    let policy_error = |message: String| PolicyError {
        code: error.code.as_str().to_owned(),
        message,
        ..PolicyError::default()
    };
    if error.halt {
        return Err(wasmtime::Error::new(Stopped(policy_error(message))));
    }
    let Some(native) = abi.native() else {
        caller.data_mut().first_failure.get_or_insert(policy_error(message));
        return Ok(());
    };
    if record::is_free(abi.memory.data(&*caller), native.error_slot) {
        let message = abi.write_value(&mut *caller, &message.into())?.cast_unsigned();
        record::write(abi.memory.data_mut(&mut *caller), native.error_slot, error, message);
    }
    Ok(())
}
