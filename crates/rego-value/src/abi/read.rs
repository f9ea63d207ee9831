//! Reading values out of a module's memory. Every access is checked: the memory belongs to code that we do not trust.

use super::{
    ENTRY_KEY, ENTRY_VALUE, FALSE, FLAG_NEGATIVE, FLAGS, FLOAT_EXPONENT, FLOAT_MANTISSA, INT_VALUE, ITEMS,
    KIND_ARRAY, KIND_DECIMAL, KIND_FLOAT, KIND_INT, KIND_OBJECT, KIND_SET, KIND_STRING, LEN, NULL,
    OBJECT_ENTRY, SET_ENTRY, TEXT_BYTES, TRUE, small_int_value,
};
use crate::number::Float;
use crate::{Kind, Number, Value};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// Why a handle cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadError {
    /// The handle is [`super::UNDEFINED`], here or inside.
    Undefined,
    /// An address outside the memory.
    OutOfBounds,
    /// A kind, an immediate or a number text that does not exist.
    Malformed,
    /// More values than the memory could hold: they contain themselves, or are shared without end.
    TooLarge,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ReadError::Undefined => "the value is undefined",
            ReadError::OutOfBounds => "the value points outside the module's memory",
            ReadError::Malformed => "the value has no known form",
            ReadError::TooLarge => "the value expands to more than the module's memory holds",
        })
    }
}

impl core::error::Error for ReadError {}

/// One level of a value in a module's memory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum View<'a> {
    /// `null`.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer of 64 bits.
    Int(i64),
    /// The text of any other number.
    Decimal(&'a str),
    /// What arithmetic gave: [`super::KIND_FLOAT`].
    Float(Float),
    /// A string.
    String(&'a str),
    /// So many elements.
    Array(Table<'a>),
    /// So many members.
    Object(Table<'a>),
    /// So many elements.
    Set(Table<'a>),
}

impl View<'_> {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            View::Null => Kind::Null,
            View::Bool(_) => Kind::Bool,
            View::Int(_) | View::Decimal(_) | View::Float(_) => Kind::Number,
            View::String(_) => Kind::String,
            View::Array(_) => Kind::Array,
            View::Object(_) => Kind::Object,
            View::Set(_) => Kind::Set,
        }
    }
}

/// The elements or members of a collection: `(key, value)` handles; an array's and a set's keys are their elements.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Table<'a> {
    words: &'a [u8],
    entry: usize,
    key: usize,
    value: usize,
}

impl<'a> Table<'a> {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.words.len() / self.entry
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The handles, in the order in which they stand in memory.
    pub fn iter(self) -> impl DoubleEndedIterator<Item = (u32, u32)> + 'a {
        let Table { words, entry, key, value } = self;
        words.chunks_exact(entry).map(move |bytes| (word(bytes, key), word(bytes, value)))
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |word| u32::from_le_bytes(*word))
}

impl<'a> View<'a> {
    /// Looks at a value.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn new(memory: &'a [u8], handle: u32) -> Result<View<'a>, ReadError> {
        match handle {
            super::UNDEFINED => return Err(ReadError::Undefined),
            NULL => return Ok(View::Null),
            FALSE => return Ok(View::Bool(false)),
            TRUE => return Ok(View::Bool(true)),
            _ => {}
        }
        if handle & 1 == 1 {
            return Ok(View::Int(small_int_value(handle)));
        }
        if handle & 7 != 0 {
            return Err(ReadError::Malformed);
        }
        let header = memory.get(handle as usize..).ok_or(ReadError::OutOfBounds)?;
        match header.first().copied().ok_or(ReadError::OutOfBounds)? {
            KIND_INT => {
                let value = header.get(INT_VALUE as usize..).and_then(|rest| rest.first_chunk());
                Ok(View::Int(i64::from_le_bytes(*value.ok_or(ReadError::OutOfBounds)?)))
            }
            KIND_STRING => Ok(View::String(text(header)?)),
            KIND_DECIMAL => Ok(View::Decimal(text(header)?)),
            KIND_FLOAT => Ok(View::Float(float(header)?)),
            KIND_ARRAY => Ok(View::Array(table(memory, header, 4, 0, 0)?)),
            KIND_OBJECT => Ok(View::Object(table(memory, header, OBJECT_ENTRY, ENTRY_KEY, ENTRY_VALUE)?)),
            KIND_SET => Ok(View::Set(table(memory, header, SET_ENTRY, ENTRY_KEY, ENTRY_KEY)?)),
            _ => Err(ReadError::Malformed),
        }
    }

    /// The handle of an object's member with a string key, found by comparing each.
    #[must_use]
    pub fn member(&self, memory: &[u8], name: &str) -> Option<u32> {
        let View::Object(table) = self else { return None };
        table
            .iter()
            .find(|(key, _)| View::new(memory, *key) == Ok(View::String(name)))
            .map(|(_, value)| value)
    }
}

fn text(header: &[u8]) -> Result<&str, ReadError> {
    let start = TEXT_BYTES as usize;
    let end = start.checked_add(checked_word(header, LEN)? as usize).ok_or(ReadError::OutOfBounds)?;
    core::str::from_utf8(header.get(start..end).ok_or(ReadError::OutOfBounds)?)
        .map_err(|_| ReadError::Malformed)
}

fn float(header: &[u8]) -> Result<Float, ReadError> {
    let mantissa = header.get(FLOAT_MANTISSA as usize..).and_then(|rest| rest.first_chunk());
    let mantissa = u64::from_le_bytes(*mantissa.ok_or(ReadError::OutOfBounds)?);
    let exponent = i64::from(checked_word(header, FLOAT_EXPONENT)? as i32);
    let negative = header.get(FLAGS as usize).is_some_and(|flags| flags & FLAG_NEGATIVE != 0);
    let float = Float::from_parts(negative, mantissa, exponent);
    // Any other would be text; and a text of a billion digits is not what memory that we do not trust shall ask for.
    if float.is_kept() { Ok(float) } else { Err(ReadError::Malformed) }
}

fn table<'a>(
    memory: &'a [u8],
    header: &[u8],
    entry: u32,
    key: u32,
    value: u32,
) -> Result<Table<'a>, ReadError> {
    let (len, start) = (checked_word(header, LEN)? as usize, checked_word(header, ITEMS)? as usize);
    let entry = entry as usize;
    if len == 0 {
        return Ok(Table { words: &[], entry, key: 0, value: 0 });
    }
    let size = len.checked_mul(entry).ok_or(ReadError::OutOfBounds)?;
    let end = start.checked_add(size).ok_or(ReadError::OutOfBounds)?;
    let words = memory.get(start..end).ok_or(ReadError::OutOfBounds)?;
    Ok(Table { words, entry, key: key as usize, value: value as usize })
}

fn checked_word(bytes: &[u8], at: u32) -> Result<u32, ReadError> {
    let rest = bytes.get(at as usize..).and_then(|rest| rest.first_chunk());
    Ok(u32::from_le_bytes(*rest.ok_or(ReadError::OutOfBounds)?))
}

/// Reads a whole value.
///
/// # Errors
/// See [`ReadError`].
pub fn read(memory: &[u8], handle: u32) -> Result<Value, ReadError> {
    enum Step {
        Visit(u32),
        Array(usize),
        Object(usize),
        Set(usize),
    }
    // Values share parts, so that a small memory can describe a huge value; whoever does that gets an error.
    let mut budget = memory.len().saturating_add(1024);
    let mut steps = Vec::new();
    let mut values: Vec<Value> = Vec::new();
    steps.push(Step::Visit(handle));
    while let Some(step) = steps.pop() {
        match step {
            Step::Visit(handle) => {
                let view = View::new(memory, handle)?;
                let cost = match &view {
                    View::String(text) | View::Decimal(text) => 1 + text.len() / 8,
                    View::Array(table) | View::Object(table) | View::Set(table) => 1 + table.len(),
                    _ => 1,
                };
                budget = budget.checked_sub(cost).ok_or(ReadError::TooLarge)?;
                match view {
                    View::Array(table) => {
                        steps.push(Step::Array(values.len()));
                        steps.extend(table.iter().rev().map(|(item, _)| Step::Visit(item)));
                    }
                    View::Set(table) => {
                        steps.push(Step::Set(values.len()));
                        steps.extend(table.iter().rev().map(|(item, _)| Step::Visit(item)));
                    }
                    View::Object(table) => {
                        steps.push(Step::Object(values.len()));
                        let pairs = table.iter().rev();
                        steps.extend(pairs.flat_map(|(key, value)| [Step::Visit(value), Step::Visit(key)]));
                    }
                    scalar => values.push(scalar_value(&scalar)?),
                }
            }
            Step::Array(start) => {
                let items: Vec<Value> = values.drain(start.min(values.len())..).collect();
                values.push(Value::array(items));
            }
            Step::Set(start) => {
                let items: Vec<Value> = values.drain(start.min(values.len())..).collect();
                values.push(Value::set(items));
            }
            Step::Object(start) => {
                let mut parts = values.drain(start.min(values.len())..);
                let mut members = Vec::with_capacity(parts.len() / 2);
                while let (Some(key), Some(value)) = (parts.next(), parts.next()) {
                    members.push((key, value));
                }
                drop(parts);
                values.push(Value::object(members));
            }
        }
    }
    values.pop().ok_or(ReadError::Malformed)
}

fn scalar_value(view: &View<'_>) -> Result<Value, ReadError> {
    Ok(match view {
        View::Bool(truth) => Value::Bool(*truth),
        View::Int(int) => Value::from(*int),
        View::Decimal(text) => Value::Number(Number::from_module(text).ok_or(ReadError::Malformed)?),
        View::Float(float) => Value::Number(float.to_number()),
        View::String(text) => Value::from(String::from(*text)),
        _ => Value::Null,
    })
}
