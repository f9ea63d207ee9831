//! `sprintf` of a constant format with nothing but `%s`, `%d` and `%v`, and of operands that these verbs suit.
//!
//! The code generator takes the format apart. Where it knows each operand, it writes the text between them itself, from
//! [`begin`] to [`end`], with a [`put`] for each operand; where all it has is an array, [`format`] does it all, and says how
//! the format is laid out. Whatever is not plain, such as a number for `%s`, is left to the host, which has all of Go's
//! verbs and its words for what does not fit.

use crate::array;
use crate::memory::{ensure, load_u32, set_heap_top, store_u8, store_u64};
use crate::value::{Value, end_text, put_text, start_text};
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
    // Nothing else is allocated until the text is complete, so that it can grow where it is.
    let text = start_text(0);
    let begin = text.0 + TEXT_BYTES;
    let Some(end) = put_parts(pieces, operands, begin) else {
        set_heap_top(text.0);
        return Value::UNDEFINED;
    };
    end_text(text, end - begin);
    text
}

/// Begins a text: where its first byte goes, with room for so many.
pub(crate) fn begin(room: u32) -> u32 {
    let begin = start_text(0).0 + TEXT_BYTES;
    ensure(begin.saturating_add(room).saturating_add(ROOM));
    begin
}

/// Writes an operand, and sees to it that there is room for so many bytes behind it; gives the address behind it, or 0
/// where it does not suit its verb.
pub(crate) fn put(address: u32, value: Value, verb: u32, room: u32) -> u32 {
    operand(verb, value).map_or(0, |part| part.put(address, room))
}

/// Ends a text: the string from the address that [`begin`] gave up to another.
pub(crate) fn end(begin: u32, end: u32) -> Value {
    let text = Value(begin - TEXT_BYTES);
    end_text(text, end - begin);
    text
}

/// A piece of the result.
enum Part {
    /// The text of a string.
    Text(Value),
    /// Up to eight bytes, and how many.
    Word(&'static [u8; 8], u32),
    Integer(i64),
}

/// The most bytes of an integer's text.
const LONGEST_INTEGER: u32 = 20;

impl Part {
    /// Writes it, and up to eight bytes behind it, which are written again or cleared, and sees to it that there is room for
    /// so many more; gives the address behind it.
    #[inline]
    fn put(&self, address: u32, room: u32) -> u32 {
        let len = match self {
            Self::Text(text) => text.len(),
            Self::Word(_, len) => *len,
            Self::Integer(_) => LONGEST_INTEGER,
        };
        // A text that does not fit an address any more does not fit the memory.
        let end = address.saturating_add(len);
        ensure(end.saturating_add(room).saturating_add(ROOM));
        match self {
            Self::Text(text) => put_text(address, *text),
            Self::Word(word, _) => {
                store_u64(address, u64::from_le_bytes(**word));
                end
            }
            Self::Integer(int) => put_integer(address, *int),
        }
    }
}

/// Room behind a text for the words that are written over its end.
const ROOM: u32 = 16;

/// Writes an integer's digits; gives the address behind them.
fn put_integer(address: u32, int: i64) -> u32 {
    let mut end = address + 1;
    if int < 0 {
        store_u8(address, b'-');
        end += 1;
    }
    let mut rest = int.unsigned_abs() / 10;
    while rest > 0 {
        end += 1;
        rest /= 10;
    }
    let (mut at, mut rest) = (end, int.unsigned_abs());
    loop {
        at -= 1;
        store_u8(at, b'0' + (rest % 10) as u8);
        rest /= 10;
        if rest == 0 {
            return end;
        }
    }
}

/// Writes the parts of the result from an address on, and gives the address behind them; none where an operand does not
/// suit its verb.
fn put_parts(pieces: u32, operands: Value, begin: u32) -> Option<u32> {
    let (mut next, mut at) = (0, begin);
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
        at = part.put(at, 0);
    }
    (next == operands.len()).then_some(at)
}

/// What a verb makes of an operand that suits it.
fn operand(verb: u32, operand: Value) -> Option<Part> {
    if operand.heap_kind() == KIND_STRING {
        return (verb != INTEGER).then_some(Part::Text(operand));
    }
    if let Some(int) = operand.as_int() {
        return (verb == INTEGER || verb == ANY).then_some(Part::Integer(int));
    }
    if verb == INTEGER {
        return None;
    }
    match operand.0 {
        TRUE => Some(Part::Word(b"true\0\0\0\0", 4)),
        FALSE => Some(Part::Word(b"false\0\0\0", 5)),
        NULL => Some(Part::Word(b"null\0\0\0\0", 4)),
        _ => None,
    }
}
