//! The record of an evaluation's first failed built-in function, which our own modules keep.

use rego_builtins::{BuiltinError, ErrorCode};
use rego_value::abi::View;
use rego_value::abi::error::{
    CODE, CODE_BUILTIN, CODE_CONFLICT, CODE_TYPE, LOCATION, MESSAGE, STATE, STATE_NONE, STATE_PENDING,
};

use crate::error::PolicyError;

fn word(memory: &[u8], address: u32) -> Option<u32> {
    let rest = memory.get(usize::try_from(address).ok()?..)?;
    rest.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

fn text(memory: &[u8], handle: u32) -> String {
    match View::new(memory, handle) {
        Ok(View::String(text)) => text.to_owned(),
        _ => String::new(),
    }
}

/// Reads the record at a slot, if there is one.
pub(crate) fn read(memory: &[u8], slot: u32) -> Option<PolicyError> {
    if word(memory, slot + STATE)? == STATE_NONE {
        return None;
    }
    let code = match word(memory, slot + CODE)? {
        CODE_BUILTIN => "eval_builtin_error",
        CODE_TYPE => "eval_type_error",
        CODE_CONFLICT => "eval_conflict_error",
        _ => "eval_internal_error",
    };
    Some(PolicyError {
        code: code.to_owned(),
        message: text(memory, word(memory, slot + MESSAGE)?),
        location: location(memory, word(memory, slot + LOCATION)?),
        abort_text: None,
    })
}

/// File, row and column of the call: three words, where the generated code left any.
fn location(memory: &[u8], address: u32) -> Option<(String, u32, u32)> {
    if address == 0 {
        return None;
    }
    let (file, row, column) =
        (word(memory, address)?, word(memory, address + 4)?, word(memory, address + 8)?);
    Some((text(memory, file), row, column))
}

/// Whether there is none yet.
pub(crate) fn is_free(memory: &[u8], slot: u32) -> bool {
    word(memory, slot + STATE) == Some(STATE_NONE)
}

/// Writes the failure of a host function; the generated code adds the place. `message` is the handle of
/// a string in the module.
pub(crate) fn write(memory: &mut [u8], slot: u32, error: &BuiltinError, message: u32) {
    let code = match error.code {
        ErrorCode::Type => CODE_TYPE,
        ErrorCode::Builtin | ErrorCode::Cancel => CODE_BUILTIN,
    };
    for (offset, value) in [(CODE, code), (MESSAGE, message), (LOCATION, 0), (STATE, STATE_PENDING)] {
        let target = usize::try_from(slot + offset).ok().and_then(|at| memory.get_mut(at..at + 4));
        if let Some(target) = target {
            target.copy_from_slice(&value.to_le_bytes());
        }
    }
}
