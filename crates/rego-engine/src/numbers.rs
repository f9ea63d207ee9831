//! Numbers beyond 64 bits, which modules for this engine leave to it: few policies compute with any, and what does so is
//! half of a module. `rego_value::number` says what they come to, here as in the modules that hold it.

use rego_builtins::BuiltinError;
use rego_value::abi::{
    FLAG_NEGATIVE, FLOAT_EXPONENT, FLOAT_MANTISSA, FLOAT_SIZE, KIND_FLOAT, UNDEFINED, View, small_int,
};
use rego_value::number::{self, Computed, Float, Num, Operation};
use rego_value::{Number, Value};
use wasmtime::{Caller, Linker, Trap};

use crate::failures::failed;
use crate::host::{Host, Misuse};

type Result<T> = wasmtime::Result<T>;

/// What is computed without asking for the time: operands of so many decimal places take less than a tick.
const SHORT: u64 = 2_000;

/// Adds the functions that `rego_wasm` lets a module import.
pub(crate) fn define(linker: &mut Linker<Host>) -> Result<()> {
    linker.func_wrap("env", "rego_number", compute)?;
    linker.func_wrap("env", "rego_number_compare", |caller: Caller<'_, Host>, a: i32, b: i32| {
        Ok(known(&caller, a)?.compare(known(&caller, b)?) as i32)
    })?;
    linker.func_wrap("env", "rego_number_hash", |caller: Caller<'_, Host>, a: i32| {
        Ok(known(&caller, a)?.hash32().cast_signed())
    })?;
    linker.func_wrap("env", "rego_number_text", |mut caller: Caller<'_, Host>, a: i32| {
        let text = Value::from(known(&caller, a)?.text().into_owned());
        let abi = caller.data().abi.clone().ok_or(Misuse::NoMemory)?;
        abi.write_value(&mut caller, &text)
    })?;
    Ok(())
}

/// The number of a handle that is one.
fn known<'a>(caller: &'a Caller<'_, Host>, handle: i32) -> Result<Num<'a>> {
    operand(caller, 1, handle)?.map_err(|_| Misuse::Operand("a computation".to_owned()).into())
}

/// The number of an operand, or what is wrong with it.
fn operand<'a>(
    caller: &'a Caller<'_, Host>,
    position: usize,
    handle: i32,
) -> Result<std::result::Result<Num<'a>, BuiltinError>> {
    let memory = caller.data().memory.ok_or(Misuse::NoMemory)?;
    Ok(match View::new(memory.data(caller), handle.cast_unsigned()) {
        Ok(View::Int(int)) => Ok(Num::Int(int)),
        Ok(View::Float(float)) => Ok(Num::Float(float)),
        Ok(View::Decimal(text)) => Ok(Num::Text(text)),
        Ok(other) => Err(BuiltinError::wrong_type(position, "number", other.kind())),
        Err(_) => return Err(Misuse::Operand("a computation".to_owned()).into()),
    })
}

/// `rego_number(operation, a, b)`: undefined where there is no result, and why is noted as the failure of the operation's
/// function.
fn compute(mut caller: Caller<'_, Host>, operation: i32, a: i32, b: i32) -> Result<i32> {
    let number = operation.cast_unsigned();
    let operation = Operation::by_number(number).ok_or(Misuse::UnknownOperation(operation))?;
    let a = match operand(&caller, 1, a)? {
        Ok(number) => number,
        Err(error) => return undefined(&mut caller, operation, &error),
    };
    let b = match if operation.is_binary() { operand(&caller, 2, b)? } else { Ok(Num::Int(0)) } {
        Ok(number) => number,
        Err(error) => return undefined(&mut caller, operation, &error),
    };
    if operation != Operation::Integer && !(is_short(a) && is_short(b)) {
        let places = a.places().saturating_add(b.places());
        if places > SHORT {
            have_time(caller.data(), places)?;
        }
    }
    match number::compute(operation, a, b) {
        Ok(computed) => write(&mut caller, computed),
        Err(error) => undefined(&mut caller, operation, &BuiltinError::new(error.message(operation))),
    }
}

fn undefined(caller: &mut Caller<'_, Host>, operation: Operation, error: &BuiltinError) -> Result<i32> {
    // An operand that is asked for as an integer may be anything.
    if operation != Operation::Integer {
        let abi = caller.data().abi.clone().ok_or(Misuse::NoMemory)?;
        failed(caller, &abi, operation.builtin(), error)?;
    }
    Ok(UNDEFINED.cast_signed())
}

/// Whether a number has few places, as far as that is seen without reading it.
fn is_short(number: Num<'_>) -> bool {
    match number {
        Num::Int(_) => true,
        Num::Float(_) => false,
        Num::Text(text) => text.len() < 100 && !text.contains(['e', 'E']),
    }
}

/// Nothing interrupts a computation outside of the module: one that would not be done by the deadline is not begun.
fn have_time(host: &Host, places: u64) -> Result<()> {
    // Reading, multiplying and writing take the square of the length: some four nanoseconds for each pair of limbs, of
    // nine places each.
    let limbs = u128::from(places / 9);
    let needed = limbs.saturating_mul(limbs).saturating_mul(4);
    if needed > host.engine.clock().left(host.until).as_nanos() {
        return Err(Trap::Interrupt.into());
    }
    Ok(())
}

fn write(caller: &mut Caller<'_, Host>, computed: Computed) -> Result<i32> {
    let value = match computed {
        Computed::Int(int) => match small_int(int) {
            Some(handle) => return Ok(handle.cast_signed()),
            None => Number::from(int),
        },
        Computed::Text(text) => {
            Number::from_module(&text).ok_or_else(|| Misuse::Operand("a number's text".to_owned()))?
        }
        Computed::Float(float) => return write_float(caller, float),
    };
    let abi = caller.data().abi.clone().ok_or(Misuse::NoMemory)?;
    abi.write_value(caller, &Value::Number(value))
}

fn write_float(caller: &mut Caller<'_, Host>, float: Float) -> Result<i32> {
    let (mantissa, exponent) = float.parts();
    let flags = if float.is_negative() { FLAG_NEGATIVE } else { 0 };
    let mut bytes = [0; FLOAT_SIZE as usize];
    let parts: [(u32, &[u8]); 3] = [
        (0, &[KIND_FLOAT, flags]),
        // One that is kept has an exponent of few bits.
        (FLOAT_EXPONENT, &i32::try_from(exponent)?.to_le_bytes()),
        (FLOAT_MANTISSA, &mantissa.to_le_bytes()),
    ];
    for (at, part) in parts {
        let target = usize::try_from(at).ok().and_then(|at| bytes.get_mut(at..at + part.len()));
        if let Some(target) = target {
            target.copy_from_slice(part);
        }
    }
    let abi = caller.data().abi.clone().ok_or(Misuse::NoMemory)?;
    Ok(abi.copy_in(caller, &bytes)?.0)
}
