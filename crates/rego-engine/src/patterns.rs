//! The regular expressions that a module leaves to its engine: compiled when it is loaded, never in a decision.

use std::sync::Arc;

use rego_builtins::{BuiltinError, CompiledPattern};
use rego_value::Value;
use rego_value::abi::{FALSE, TRUE, View};
use wasmtime::Caller;

use crate::error::ModuleError;
use crate::failures::failed;
use crate::host::{Host, Misuse};

/// An expression and the function that it is matched for.
#[derive(Clone)]
pub(crate) struct Pattern {
    name: Arc<str>,
    expression: Arc<str>,
    compiled: CompiledPattern,
}

impl Pattern {
    pub(crate) fn compile(name: &str, expression: &str) -> Result<Self, ModuleError> {
        let compiled = CompiledPattern::new(expression)
            .map_err(|error| ModuleError::Invalid { message: error.message })?;
        Ok(Self { name: name.into(), expression: expression.into(), compiled })
    }

    /// What the function says of an operand that is no string.
    fn error(&self, operand: Value, host: &mut Host) -> BuiltinError {
        let function = rego_builtins::by_name(&self.name).and_then(|row| row.implementation.host());
        let operands = [Value::from(&*self.expression), operand];
        match function.map(|function| function(&mut host.context, &operands)) {
            Some(Err(error)) => error,
            _ => BuiltinError::new("the text is no string"),
        }
    }
}

/// `rego_match(number, text)`: whether an expression matches, as a boolean; undefined for what is no string.
pub(crate) fn matches(mut caller: Caller<'_, Host>, number: i32, text: i32) -> wasmtime::Result<i32> {
    let host = caller.data();
    let memory = host.memory.ok_or(Misuse::NoMemory)?;
    let pattern = usize::try_from(number).ok().and_then(|number| host.patterns.get(number));
    let pattern = pattern.ok_or(Misuse::UnknownPattern(number))?;
    if let Ok(View::String(text)) = View::new(memory.data(&caller), text.cast_unsigned()) {
        return Ok(if pattern.compiled.is_match(text) { TRUE } else { FALSE }.cast_signed());
    }
    let pattern = pattern.clone();
    refuse(&mut caller, &pattern, text)?;
    Ok(0)
}

#[cold]
fn refuse(caller: &mut Caller<'_, Host>, pattern: &Pattern, operand: i32) -> wasmtime::Result<()> {
    let abi = caller.data().abi.clone().ok_or(Misuse::NoMemory)?;
    let operand = abi.read_value(&mut *caller, operand)?;
    let operand = operand.ok_or_else(|| Misuse::Operand(pattern.name.to_string()))?;
    let error = pattern.error(operand, caller.data_mut());
    failed(caller, &abi, &pattern.name, &error)
}
