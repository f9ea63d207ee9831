//! Errors of builtins, and aborts.

use crate::memory::{alloc, load_u32, set_state, state, store_u32};
use crate::value::Value;
use alloc::string::String;
use rego_value::abi::error::{
    CODE, CODE_BUILTIN, CODE_TYPE, LOCATION, MESSAGE, SIZE, STATE, STATE_NONE, STATE_PENDING, STATE_RECORDED,
};

/// Why a builtin has no result.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It has none for these operands, and that is no error; or its error is recorded already.
    Undefined,
    /// An operand is of another type than those expected.
    Type {
        /// Which operand, from 1.
        position: u8,
        /// What follows "must be".
        expected: &'static str,
        /// The operand.
        got: Value,
    },
    /// An operand is not of the form that it must be.
    Operand(String),
    /// Anything else: OPA's `eval_builtin_error`.
    Builtin(String),
}

/// What a builtin gives.
pub(crate) type Outcome = Result<Value, Failure>;

impl Failure {
    /// `operand N must be EXPECTED but got KIND`. Put into words only where it is recorded.
    pub(crate) fn operand(position: u8, expected: &'static str, got: Value) -> Failure {
        Failure::Type { position, expected, got }
    }

    /// `operand N TEXT`.
    #[cold]
    pub(crate) fn operand_text(position: u8, parts: &[&str]) -> Failure {
        let mut text = operand(position);
        append(&mut text, &[" "]);
        append(&mut text, parts);
        Failure::Operand(text)
    }

    /// A text of parts.
    #[cold]
    pub(crate) fn builtin(parts: &[&str]) -> Failure {
        let mut text = String::new();
        append(&mut text, parts);
        Failure::Builtin(text)
    }
}

/// `operand N`.
#[cold]
#[inline(never)]
fn operand(position: u8) -> String {
    let mut text = String::from("operand ");
    text.push(char::from(b'0' + position));
    text
}

/// Appends texts. A function of its own, since in place each would be some hundred bytes of every module.
#[cold]
#[inline(never)]
fn append(text: &mut String, parts: &[&str]) {
    for part in parts {
        text.push_str(part);
    }
}

/// The word of state that holds the address of the record.
const SLOT: usize = 0;

/// The address of the record of the first error; see [`rego_value::abi::error`].
pub(crate) fn slot() -> u32 {
    state(SLOT)
}

/// Makes the record, when the module starts.
pub(crate) fn init() {
    let record = alloc(SIZE);
    set_state(SLOT, record);
    clear();
}

/// Forgets the error, when an evaluation begins.
pub(crate) fn clear() {
    crate::builtins::forget();
    let record = slot();
    for word in (0..SIZE).step_by(4) {
        store_u32(record + word, 0);
    }
}

/// The handle of a builtin's result; its error is recorded, if it is the first.
#[inline]
pub(crate) fn settle(name: &str, outcome: Outcome) -> Value {
    match outcome {
        Ok(value) => value,
        Err(failure) => record(name, failure),
    }
}

#[cold]
#[inline(never)]
fn record(name: &str, failure: Failure) -> Value {
    match failure {
        Failure::Undefined => {}
        Failure::Type { position, expected, got } => {
            outward::wrong_type(name, position.into(), expected, got)
        }
        Failure::Operand(text) => outward::failed(name, CODE_TYPE, &text),
        Failure::Builtin(text) => outward::failed(name, CODE_BUILTIN, &text),
    }
    Value::UNDEFINED
}

/// An error's words and its record are a kilobyte and more of a module: they are behind two functions that a module for our
/// engine imports from it.
#[cfg(target_arch = "wasm32")]
mod outward {
    use crate::exports::{rt_failed, rt_wrong_type};
    use crate::value::Value;

    pub(super) fn wrong_type(name: &str, position: u32, expected: &str, got: Value) {
        rt_wrong_type(address(name), len(name), position, address(expected), len(expected), got);
    }

    pub(super) fn failed(name: &str, code: u32, text: &str) {
        rt_failed(address(name), len(name), code, address(text), len(text));
    }

    fn address(text: &str) -> u32 {
        text.as_ptr() as u32
    }

    fn len(text: &str) -> u32 {
        text.len() as u32
    }
}

/// Natively texts are no part of the arena, so that there is no address to call the symbols with.
#[cfg(not(target_arch = "wasm32"))]
mod outward {
    pub(super) use super::{failed, wrong_type};
}

/// What stands behind `rt_wrong_type`.
pub(crate) fn wrong_type(name: &str, position: u32, expected: &str, got: Value) {
    let mut text = operand(position as u8);
    append(&mut text, &[" must be ", expected, " but got ", got.kind().name()]);
    failed(name, CODE_TYPE, &text);
}

/// What stands behind `rt_failed`: the first error is kept.
pub(crate) fn failed(name: &str, code: u32, text: &str) {
    let record = slot();
    if load_u32(record + STATE) == STATE_NONE {
        let mut message = String::new();
        append(&mut message, &[name, ": ", text]);
        store_u32(record + CODE, code);
        store_u32(record + MESSAGE, Value::string(&message).0);
        store_u32(record + STATE, STATE_PENDING);
    }
}

/// Gives the pending error, if there is one, its location.
pub(crate) fn stamp(location: u32) {
    let record = slot();
    if load_u32(record + STATE) == STATE_PENDING {
        store_u32(record + LOCATION, location);
        store_u32(record + STATE, STATE_RECORDED);
    }
}
