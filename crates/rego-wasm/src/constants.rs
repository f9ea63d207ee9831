//! Constants of a module: values, messages and tables, laid out once at compile time.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use rego_regex::Expression;
use rego_value::abi::{self, LayoutError, Writer};
use rego_value::{Number, Value};

use crate::codegen::Pattern;

/// How many parts of a collection are looked at for strings that hosts are told of.
const MOST_PARTS: usize = 64;

/// The static memory of a module behind the runtime's own: first cells that evaluation writes, then constants.
pub(crate) struct Constants {
    writer: Writer<'static>,
    /// By text, since numbers that are equal may be written differently.
    numbers: HashMap<String, u32>,
    /// The texts of strings, by their handles.
    strings: HashMap<u32, Box<str>>,
    /// The numbers among the heap objects.
    boxed_numbers: HashSet<u32>,
    messages: HashMap<String, u32>,
    records: HashMap<Box<[u32]>, u32>,
    /// Regular expressions, and whether groups are asked for.
    patterns: HashMap<(String, bool), Pattern>,
}

impl Constants {
    /// Lays out constants from `base` on.
    pub(crate) fn new(base: u32) -> Self {
        Self {
            writer: Writer::constants(base),
            numbers: HashMap::new(),
            strings: HashMap::new(),
            boxed_numbers: HashSet::new(),
            messages: HashMap::new(),
            records: HashMap::new(),
            patterns: HashMap::new(),
        }
    }

    /// The handle of a string.
    pub(crate) fn string(&mut self, text: &str) -> Result<u32, LayoutError> {
        let handle = self.writer.string(text)?;
        self.strings.entry(handle).or_insert_with(|| text.into());
        Ok(handle)
    }

    /// Whether a handle is one that [`Constants::string`] gave.
    pub(crate) fn is_string(&self, handle: u32) -> bool {
        self.strings.contains_key(&handle)
    }

    /// The text of a string by its handle.
    pub(crate) fn text(&self, handle: u32) -> Option<&str> {
        self.strings.get(&handle).map(|text| &**text)
    }

    /// The handles of all strings, ascending.
    pub(crate) fn string_handles(&self) -> Vec<u32> {
        let mut handles: Vec<u32> = self.strings.keys().copied().collect();
        handles.sort_unstable();
        handles
    }

    /// A regular expression, compiled: a length and as many bytes.
    pub(crate) fn pattern(
        &mut self,
        text: &str,
        expression: &Expression,
        groups: bool,
    ) -> Result<Pattern, LayoutError> {
        let key = (text.to_owned(), groups);
        if let Some(known) = self.patterns.get(&key) {
            return Ok(*known);
        }
        let table = if groups { None } else { expression.table() };
        let bytes = table.as_deref().map_or_else(|| Cow::Owned(expression.program()), Cow::Borrowed);
        let length = u32::try_from(bytes.len()).map_err(|_| LayoutError::TooLarge)?;
        let address = self.writer.raw(&[&length.to_le_bytes(), &*bytes].concat())?;
        let pattern = if table.is_some() { Pattern::Table(address) } else { Pattern::Program(address) };
        self.patterns.insert(key, pattern);
        Ok(pattern)
    }

    /// The handle of a number.
    pub(crate) fn number(&mut self, number: &Number) -> Result<u32, LayoutError> {
        let text = number.text();
        if let Some(handle) = self.numbers.get(text.as_ref()) {
            return Ok(*handle);
        }
        let handle = self.writer.number(number)?;
        self.numbers.insert(text.into_owned(), handle);
        if handle.is_multiple_of(abi::ALIGN) {
            self.boxed_numbers.insert(handle);
        }
        Ok(handle)
    }

    /// Whether a handle that [`Constants::number`] gave is the address of a number.
    pub(crate) fn is_boxed_number(&self, handle: u32) -> bool {
        self.boxed_numbers.contains(&handle)
    }

    /// Lays out the strings in a small collection, such as a decision, so that hosts know them; those of a table would
    /// make its module slow to load.
    fn strings_of(&mut self, value: &Value, parts: &mut usize) -> Result<(), LayoutError> {
        let Some(left) = parts.checked_sub(1) else { return Ok(()) };
        *parts = left;
        match value {
            Value::String(text) => drop(self.string(text)?),
            Value::Array(items) => items.iter().try_for_each(|item| self.strings_of(item, parts))?,
            Value::Set(items) => items.iter().try_for_each(|item| self.strings_of(item, parts))?,
            Value::Object(members) => members.iter().try_for_each(|(key, value)| {
                self.strings_of(key, parts).and_then(|()| self.strings_of(value, parts))
            })?,
            _ => {}
        }
        Ok(())
    }

    /// The handle of any value.
    pub(crate) fn value(&mut self, value: &Value) -> Result<u32, LayoutError> {
        match value {
            Value::String(text) => self.string(text),
            Value::Number(number) => self.number(number),
            _ => {
                self.strings_of(value, &mut { MOST_PARTS })?;
                self.writer.value(value)
            }
        }
    }

    /// The address of a text that ends with a zero byte, for the host.
    pub(crate) fn message(&mut self, text: &str) -> Result<u32, LayoutError> {
        if let Some(address) = self.messages.get(text) {
            return Ok(*address);
        }
        let mut bytes = text.as_bytes().to_vec();
        bytes.push(0);
        let address = self.writer.raw(&bytes)?;
        self.messages.insert(text.to_owned(), address);
        Ok(address)
    }

    /// The address of four words that code keeps something in from one evaluation to the next; 0 at first.
    pub(crate) fn cell(&mut self) -> Result<u32, LayoutError> {
        self.writer.raw(&[0; 16])
    }

    /// The address of words of the code generator's own.
    pub(crate) fn words(&mut self, words: &[u32]) -> Result<u32, LayoutError> {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        self.writer.raw(&bytes)
    }

    /// The same for words that others may have asked for as well.
    pub(crate) fn record(&mut self, words: &[u32]) -> Result<u32, LayoutError> {
        if let Some(address) = self.records.get(words) {
            return Ok(*address);
        }
        let address = self.words(words)?;
        self.records.insert(words.into(), address);
        Ok(address)
    }

    /// The address of the first constant, their bytes, and the first address behind them.
    pub(crate) fn finish(self) -> Result<(u32, Vec<u8>, u32), LayoutError> {
        let base = self.writer.base();
        let bytes = self.writer.into_bytes();
        let length = u32::try_from(bytes.len()).map_err(|_| LayoutError::TooLarge)?;
        let end = base.checked_add(length).ok_or(LayoutError::TooLarge)?;
        Ok((base, bytes, end))
    }
}
