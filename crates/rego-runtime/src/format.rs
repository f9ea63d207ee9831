//! `sprintf` of a constant format with nothing but `%s`, `%d` and `%v`, and of operands that these verbs suit.
//!
//! The code generator takes the format apart ([`format`] says how it is laid out). Whatever is not plain, such as a
//! number for `%s`, is left to the host, which has all of Go's verbs and its words for what does not fit.

use crate::array;
use crate::memory::{load_u32, load_u64, store_u64, write};
use crate::text::int_digits;
use crate::value::{Value, finish_text, start_text};
use rego_value::abi::{FALSE, KIND_STRING, NULL, TEXT_BYTES, TRUE};

/// A verb that takes anything.
const ANY: u32 = b'v' as u32;
/// The verb for integers.
const INTEGER: u32 = b'd' as u32;

/// The text of a format and its operands; undefined when the host has to make it.
///
/// At the address lie the number of pieces and, for each, a word that is 0 for text and otherwise the verb's letter, and
/// the handle of the text.
pub(crate) fn format(pieces: u32, operands: Value) -> Value {
    if !operands.is_array() {
        return Value::UNDEFINED;
    }
    let Some(len) = each_part(pieces, operands, |part| part.len()) else { return Value::UNDEFINED };
    let text = start_text(len);
    let mut at = text.0 + TEXT_BYTES;
    each_part(pieces, operands, |part| {
        let len = part.len();
        part.put(at);
        at += len;
        len
    });
    finish_text(text, len);
    text
}

/// A piece of the result.
enum Part {
    /// The text of a string.
    Text(Value),
    Word(&'static str),
    Integer(i64),
}

impl Part {
    fn len(&self) -> u32 {
        match self {
            Self::Text(text) => text.len(),
            Self::Word(word) => word.len() as u32,
            Self::Integer(int) => int_digits(*int, &mut [0; 20]).len() as u32,
        }
    }

    /// Writes it, and up to seven bytes behind it, which are written again or cleared.
    fn put(&self, address: u32) {
        match self {
            // Zeros fill a text's last word.
            Self::Text(text) => (0..text.len())
                .step_by(8)
                .for_each(|at| store_u64(address + at, load_u64(text.0 + TEXT_BYTES + at))),
            Self::Word(word) => write(address, word.as_bytes()),
            Self::Integer(int) => write(address, int_digits(*int, &mut [0; 20])),
        }
    }
}

/// Calls `f` with each part of the result, and adds up what it gives; none where an operand does not suit its verb.
fn each_part(pieces: u32, operands: Value, mut f: impl FnMut(Part) -> u32) -> Option<u32> {
    let (mut next, mut sum) = (0, 0u32);
    for position in 0..load_u32(pieces) {
        let piece = pieces + 4 + position * 8;
        let verb = load_u32(piece);
        let part = if verb == 0 {
            Part::Text(Value(load_u32(piece + 4)))
        } else if next < operands.len() {
            next += 1;
            operand(verb, array::item(operands, next - 1))?
        } else {
            return None;
        };
        sum = sum.checked_add(f(part))?;
    }
    (next == operands.len()).then_some(sum)
}

/// What a verb makes of an operand that suits it.
fn operand(verb: u32, operand: Value) -> Option<Part> {
    if let Some(int) = operand.as_int() {
        return (verb == INTEGER || verb == ANY).then_some(Part::Integer(int));
    }
    if verb == INTEGER {
        return None;
    }
    if operand.heap_kind() == KIND_STRING {
        return Some(Part::Text(operand));
    }
    match operand.0 {
        TRUE => Some(Part::Word("true")),
        FALSE => Some(Part::Word("false")),
        NULL => Some(Part::Word("null")),
        _ => None,
    }
}
