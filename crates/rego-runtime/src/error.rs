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
    /// It has none for these operands, and that is no error.
    Undefined,
    /// An operand is not of the type or form that it must be: OPA's `eval_type_error`.
    Operand(String),
    /// Anything else: OPA's `eval_builtin_error`.
    Builtin(String),
}

/// What a builtin gives.
pub(crate) type Outcome = Result<Value, Failure>;

impl Failure {
    /// `operand N must be EXPECTED but got KIND`.
    #[cold]
    pub(crate) fn operand(position: u8, expected: &[&str], got: Value) -> Failure {
        let mut text = operand(position);
        match expected {
            [one] => append(&mut text, &[" must be ", one]),
            several => {
                append(&mut text, &[" must be one of {"]);
                for (at, name) in several.iter().enumerate() {
                    append(&mut text, &[if at > 0 { ", " } else { "" }, name]);
                }
                append(&mut text, &["}"]);
            }
        }
        append(&mut text, &[" but got ", got.kind().name()]);
        Failure::Operand(text)
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
    let (code, text) = match failure {
        Failure::Undefined => return Value::UNDEFINED,
        Failure::Operand(text) => (CODE_TYPE, text),
        Failure::Builtin(text) => (CODE_BUILTIN, text),
    };
    let record = slot();
    if load_u32(record + STATE) == STATE_NONE {
        let mut message = String::new();
        append(&mut message, &[name, ": ", &text]);
        store_u32(record + CODE, code);
        store_u32(record + MESSAGE, Value::string(&message).0);
        store_u32(record + STATE, STATE_PENDING);
    }
    Value::UNDEFINED
}

/// Gives the pending error, if there is one, its location.
pub(crate) fn stamp(location: u32) {
    let record = slot();
    if load_u32(record + STATE) == STATE_PENDING {
        store_u32(record + LOCATION, location);
        store_u32(record + STATE, STATE_RECORDED);
    }
}
