//! Laying values out, as constants or to be copied into a module.

use super::{
    ALIGN, FALSE, FLAG_COLUMN, FLAG_CONSTANT, FLAG_SORTED, KIND_ARRAY, KIND_DECIMAL, KIND_INT, KIND_OBJECT,
    KIND_SET, KIND_STRING, Known, NULL, TRUE, align_up, column, hash_string, hash_value, index_slots,
    small_int,
};
use crate::{Number, Value};
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

/// Why a value cannot be laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayoutError {
    /// The addresses of 32 bits are used up.
    TooLarge,
}

impl fmt::Display for LayoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the values do not fit the module's address space")
    }
}

impl core::error::Error for LayoutError {}

/// Lays out values one after the other from an address on. Equal strings are stored once.
///
/// ```
/// use rego_value::{Value, abi};
/// let mut writer = abi::Writer::constants(1024);
/// let handle = writer.value(&Value::array([Value::from("a"), Value::from(7)]))?;
/// let mut memory = vec![0; 1024];
/// memory.extend(writer.into_bytes());
/// assert_eq!(abi::read(&memory, handle).ok(), Some(Value::array([Value::from("a"), Value::from(7)])));
/// # Ok::<(), abi::LayoutError>(())
/// ```
pub struct Writer<'k> {
    base: u32,
    bytes: Vec<u8>,
    flags: u8,
    known: Option<&'k Known>,
    strings: Strings,
}

/// Strings that lie somewhere already, by their text.
pub type Strings = BTreeMap<Arc<str>, u32>;

impl<'k> Writer<'k> {
    /// A writer of values that are never written to, for data segments; `base` is rounded up to [`ALIGN`].
    #[must_use]
    pub fn constants(base: u32) -> Self {
        Writer::new(base, FLAG_CONSTANT)
    }

    /// A writer of values for the module's heap.
    #[must_use]
    pub fn heap(base: u32) -> Self {
        Writer::new(base, 0)
    }

    /// As [`Writer::heap`]; strings that are known are not laid out again. So a module finds a member by comparing
    /// handles, as long as the keys of its data are its own constants; arrays get the columns that it asks for.
    #[must_use]
    pub fn heap_beside(base: u32, known: &'k Known) -> Self {
        Writer { known: Some(known), ..Writer::new(base, 0) }
    }

    fn new(base: u32, flags: u8) -> Self {
        Writer { base: align_up(base), bytes: Vec::new(), flags, known: None, strings: BTreeMap::new() }
    }

    /// The address of the first byte.
    #[must_use]
    pub fn base(&self) -> u32 {
        self.base
    }

    /// The bytes so far; their length is a multiple of [`ALIGN`].
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// How many bytes there are so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing has been laid out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Raw bytes, aligned to [`ALIGN`]: what is no value, such as a table of the code generator's own.
    ///
    /// # Errors
    /// No room.
    pub fn raw(&mut self, bytes: &[u8]) -> Result<u32, LayoutError> {
        let address = self.reserve(bytes.len())?;
        self.patch(address, bytes);
        Ok(address)
    }

    /// A string.
    ///
    /// # Errors
    /// No room.
    pub fn string(&mut self, text: &str) -> Result<u32, LayoutError> {
        let known = self.known.and_then(|known| known.strings.get(text)).or_else(|| self.strings.get(text));
        if let Some(handle) = known {
            return Ok(*handle);
        }
        let handle = self.text(KIND_STRING, hash_string(text.as_bytes()), text)?;
        self.strings.insert(Arc::from(text), handle);
        Ok(handle)
    }

    /// A number.
    ///
    /// # Errors
    /// No room.
    pub fn number(&mut self, number: &Number) -> Result<u32, LayoutError> {
        match crate::number::plain_i64(number.text().as_bytes()) {
            Some(int) => self.int(int),
            None => self.text(KIND_DECIMAL, number.hash32(), &number.text()),
        }
    }

    fn int(&mut self, int: i64) -> Result<u32, LayoutError> {
        if let Some(handle) = small_int(int) {
            return Ok(handle);
        }
        let address = self.reserve(super::INT_SIZE as usize)?;
        self.patch(address, &[KIND_INT, self.flags]);
        self.patch(address + super::INT_VALUE, &int.to_le_bytes());
        Ok(address)
    }

    fn text(&mut self, kind: u8, hash: u32, text: &str) -> Result<u32, LayoutError> {
        let address = self.reserve(super::TEXT_BYTES as usize + text.len() + 1)?;
        self.patch(address, &[kind, self.flags]);
        self.patch_u32(address + super::LEN, length(text.len())?);
        self.patch_u32(address + super::TEXT_HASH, hash);
        self.patch(address + super::TEXT_BYTES, text.as_bytes());
        Ok(address)
    }

    /// Any value.
    ///
    /// # Errors
    /// No room.
    pub fn value(&mut self, value: &Value) -> Result<u32, LayoutError> {
        enum Step<'a> {
            Visit(&'a Value),
            Close(&'a Value, usize),
        }
        let mut steps = Vec::new();
        let mut handles: Vec<u32> = Vec::new();
        steps.push(Step::Visit(value));
        while let Some(step) = steps.pop() {
            match step {
                Step::Visit(Value::Null) => handles.push(NULL),
                Step::Visit(Value::Bool(truth)) => handles.push(if *truth { TRUE } else { FALSE }),
                Step::Visit(Value::Number(number)) => handles.push(self.number(number)?),
                Step::Visit(Value::String(text)) => handles.push(self.string(text)?),
                Step::Visit(composite) => {
                    steps.push(Step::Close(composite, handles.len()));
                    match composite {
                        Value::Array(items) => steps.extend(items.iter().rev().map(Step::Visit)),
                        Value::Set(items) => steps.extend(items.iter().rev().map(Step::Visit)),
                        Value::Object(members) => steps.extend(
                            members
                                .iter()
                                .rev()
                                .flat_map(|(key, value)| [Step::Visit(value), Step::Visit(key)]),
                        ),
                        _ => {}
                    }
                }
                Step::Close(composite, start) => {
                    let handle = self.collection(composite, handles.get(start..).unwrap_or_default())?;
                    handles.truncate(start);
                    handles.push(handle);
                }
            }
        }
        Ok(handles.pop().unwrap_or(NULL))
    }

    fn collection(&mut self, value: &Value, handles: &[u32]) -> Result<u32, LayoutError> {
        match value {
            Value::Object(members) => {
                let hashes: Vec<u32> = members.keys().map(hash_value).collect();
                let entries = hashes.iter().zip(handles.as_chunks::<2>().0);
                let words = entries.flat_map(|(hash, [key, value])| [*hash, *key, *value]).collect();
                self.table(KIND_OBJECT, &hashes, words)
            }
            Value::Set(items) => {
                let hashes: Vec<u32> = items.iter().map(hash_value).collect();
                let words = hashes.iter().zip(handles).flat_map(|(hash, key)| [*hash, *key]).collect();
                self.table(KIND_SET, &hashes, words)
            }
            _ => {
                let column = match value {
                    Value::Array(items) => self.known.and_then(|known| column(items, &known.columns)),
                    _ => None,
                };
                let (items, flags) = match column {
                    Some(column) => (self.words(&[handles, &column].concat())?, self.flags | FLAG_COLUMN),
                    None => (self.words(handles)?, self.flags),
                };
                let address = self.reserve(super::ARRAY_SIZE as usize)?;
                self.patch(address, &[KIND_ARRAY, flags]);
                let count = length(handles.len())?;
                self.patch_u32(address + super::LEN, count);
                self.patch_u32(address + super::CAPACITY, count);
                self.patch_u32(address + super::ITEMS, items);
                Ok(address)
            }
        }
    }

    fn table(&mut self, kind: u8, hashes: &[u32], words: Vec<u32>) -> Result<u32, LayoutError> {
        let count = length(hashes.len())?;
        let entries = self.words(&words)?;
        let slots = index_slots(count);
        let mut index = alloc::vec![0u32; slots as usize];
        let mask = slots.saturating_sub(1);
        if slots > 0 {
            for (position, hash) in (1u32..).zip(hashes) {
                let mut at = hash & mask;
                while index.get(at as usize).is_some_and(|slot| *slot != 0) {
                    at = (at + 1) & mask;
                }
                if let Some(slot) = index.get_mut(at as usize) {
                    *slot = position;
                }
            }
        }
        let index = if slots > 0 { self.words(&index)? } else { 0 };
        let address = self.reserve(super::TABLE_SIZE as usize)?;
        self.patch(address, &[kind, self.flags | FLAG_SORTED]);
        self.patch_u32(address + super::LEN, count);
        self.patch_u32(address + super::CAPACITY, count);
        self.patch_u32(address + super::ITEMS, entries);
        self.patch_u32(address + super::INDEX, index);
        self.patch_u32(address + super::INDEX_MASK, mask);
        Ok(address)
    }

    fn words(&mut self, words: &[u32]) -> Result<u32, LayoutError> {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        self.raw(&bytes)
    }

    /// Room for `size` zero bytes, aligned.
    fn reserve(&mut self, size: usize) -> Result<u32, LayoutError> {
        let offset = length(self.bytes.len())?;
        let address = self.base.checked_add(offset).ok_or(LayoutError::TooLarge)?;
        let padded = size.checked_next_multiple_of(ALIGN as usize).ok_or(LayoutError::TooLarge)?;
        let end = self.bytes.len().checked_add(padded).ok_or(LayoutError::TooLarge)?;
        address.checked_add(length(padded)?).ok_or(LayoutError::TooLarge)?;
        self.bytes.resize(end, 0);
        Ok(address)
    }

    fn patch(&mut self, address: u32, bytes: &[u8]) {
        let at = (address - self.base) as usize;
        if let Some(target) = self.bytes.get_mut(at..at + bytes.len()) {
            target.copy_from_slice(bytes);
        }
    }

    fn patch_u32(&mut self, address: u32, word: u32) {
        self.patch(address, &word.to_le_bytes());
    }
}

fn length(len: usize) -> Result<u32, LayoutError> {
    u32::try_from(len).ok().filter(|len| *len <= u32::MAX / 4).ok_or(LayoutError::TooLarge)
}
