//! The way in for native code: tests, fuzzers, and whoever wants the module's semantics without a module.

use crate::error;
use crate::json::{self, Format};
use crate::memory;
use crate::value::Value;
use alloc::string::String;
use alloc::vec::Vec;
use rego_value::abi::error::{CODE, MESSAGE, STATE, STATE_NONE};
use rego_value::json::Escape;

/// Empties the thread's arena: every handle of it is void.
#[cfg(not(target_arch = "wasm32"))]
pub fn reset() {
    memory::init(1024);
    error::init();
}

/// Reads a value that is JSON, or JSON with sets.
#[must_use]
pub fn parse(text: &str) -> Option<Value> {
    json::parse(text.as_bytes()).ok().or_else(|| crate::value_text::parse(text.as_bytes()))
}

/// A value as JSON.
#[must_use]
pub fn json(value: Value) -> String {
    let mut out = String::new();
    json::write(value, Format::Json(Escape::Plain), &mut out);
    out
}

/// A value as Rego text.
#[must_use]
pub fn rego(value: Value) -> String {
    let mut out = String::new();
    json::write(value, Format::Rego, &mut out);
    out
}

/// Calls a builtin: its value, or undefined with the error's code and text if there is one. `None` for a name or a number
/// of arguments that the runtime does not have.
#[must_use]
pub fn call(name: &str, arguments: &[Value]) -> Option<(Value, Option<(u32, String)>)> {
    error::clear();
    let (_, function) = crate::builtins::BUILTINS.iter().find(|(candidate, _)| *candidate == name)?;
    let value = function.call(arguments)?;
    let slot = error::slot();
    let failure = (memory::load_u32(slot + STATE) != STATE_NONE).then(|| {
        let message = Value(memory::load_u32(slot + MESSAGE));
        (memory::load_u32(slot + CODE), String::from(message.as_str().unwrap_or_default()))
    });
    Some((value, failure))
}

/// Whether two values are equal.
#[must_use]
pub fn equal(a: Value, b: Value) -> bool {
    crate::order::equal(a, b)
}

/// The order of two values.
#[must_use]
pub fn compare(a: Value, b: Value) -> core::cmp::Ordering {
    crate::order::compare(a, b)
}

/// The hash of a value.
#[must_use]
pub fn hash(value: Value) -> u32 {
    crate::order::hash(value)
}

/// The keys and values in the order of iteration.
#[must_use]
pub fn entries(value: Value) -> Vec<(Value, Value)> {
    (0..crate::rt::iter_len(value))
        .map(|at| (crate::rt::iter_key(value, at), crate::rt::iter_value(value, at)))
        .collect()
}

/// The member of a collection.
#[must_use]
pub fn get(value: Value, key: Value) -> Value {
    crate::rt::get(value, key)
}

/// The copy that `with` makes.
#[must_use]
pub fn upsert(base: Value, path: Value, value: Value) -> Value {
    crate::rt::upsert(base, path, value)
}

/// OPA's merge of two objects.
#[must_use]
pub fn merge(a: Value, b: Value) -> Value {
    crate::rt::merge(a, b)
}
