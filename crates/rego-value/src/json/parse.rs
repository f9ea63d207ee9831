//! Reading JSON.
//!
//! One pass over the bytes, without recursion, into a [`Sink`]: the tree of [`Value`] here, the module's own layout in
//! `rego-runtime`. Strings are scanned in words of eight bytes, and hashed on the way ([`crate::abi::hash_string`]).

use super::MAX_DEPTH;
use crate::abi::Hash64;
use crate::number::plain_i64;
use crate::{Number, Value};
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// Why a text is not JSON, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// What is wrong.
    pub kind: Error,
    /// The offset of the byte at which it was seen.
    pub offset: usize,
}

/// What is wrong with a JSON text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The text ends in the middle of a value.
    UnexpectedEnd,
    /// A byte that cannot stand here; the text says what was being read, in Go's words.
    InvalidCharacter(u8, &'static str),
    /// A byte that is not the next one (the last) of `true`, `false` or `null`.
    InvalidLiteral(u8, &'static str, u8),
    /// Something follows the value.
    TrailingData,
    /// Nested deeper than [`MAX_DEPTH`].
    TooDeep,
    /// A number beyond OPA's limit.
    NumberTooBig,
    /// The sink has no room.
    Full,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Error::UnexpectedEnd => f.write_str("unexpected end of JSON input"),
            Error::InvalidCharacter(byte, context) => {
                f.write_str("invalid character ")?;
                write_byte(byte, f)?;
                write!(f, " {context}")
            }
            Error::InvalidLiteral(byte, literal, expected) => {
                f.write_str("invalid character ")?;
                write_byte(byte, f)?;
                write!(f, " in literal {literal} (expecting ")?;
                write_byte(expected, f)?;
                f.write_str(")")
            }
            Error::TrailingData => f.write_str("invalid character after top-level value"),
            Error::TooDeep => f.write_str("exceeded max depth"),
            Error::NumberTooBig => f.write_str("invalid number: number too big"),
            Error::Full => f.write_str("out of memory"),
        }
    }
}

impl core::error::Error for ParseError {}

/// A byte in quotes, as Go shows it.
fn write_byte(byte: u8, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match byte {
        b'\'' => f.write_str("'\\''"),
        b'"' => f.write_str("'\"'"),
        _ => {
            let mut quoted = String::new();
            crate::text::quote(char::from(byte).encode_utf8(&mut [0; 4]), &mut quoted);
            write!(f, "'{}'", quoted.trim_matches('"'))
        }
    }
}

/// What encloses the place at which reading goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parent {
    /// Nothing: the value is complete.
    Top,
    /// An array.
    Array,
    /// An object.
    Object,
}

/// A scalar or the beginning of a collection.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer written plainly.
    Int(i64),
    /// Any other number within OPA's limit: its text.
    Number(&'a str),
    /// The bytes of a string, which are UTF-8, and its hash.
    String(&'a [u8], u32),
}

/// Where the values go that a text describes, in the order of the text.
pub trait Sink {
    /// A scalar: an element, a member's value, or the whole.
    ///
    /// # Errors
    /// No room.
    fn scalar(&mut self, event: Event<'_>) -> Result<(), Error>;
    /// The key of the member that follows: UTF-8, and its hash.
    ///
    /// # Errors
    /// No room.
    fn key(&mut self, text: &[u8], hash: u32) -> Result<(), Error>;
    /// An array or object begins.
    ///
    /// # Errors
    /// No room.
    fn begin(&mut self, kind: Parent) -> Result<(), Error>;
    /// The innermost array or object ends; the answer is what encloses it.
    ///
    /// # Errors
    /// No room.
    fn end(&mut self) -> Result<Parent, Error>;
}

/// Reads a text that holds one value and nothing else but white space.
///
/// # Errors
/// Where the text is not JSON, nested too deep, or a number is beyond OPA's limit.
pub fn parse(text: &[u8]) -> Result<Value, ParseError> {
    let mut tree = Tree { values: Vec::new(), open: Vec::new() };
    parse_into(text, &mut tree)?;
    tree.values.pop().ok_or(ParseError { kind: Error::UnexpectedEnd, offset: text.len() })
}

/// Whether the text is JSON as Go's `json.Valid` says: of numbers, only the form counts.
#[must_use]
pub fn is_valid(text: &[u8]) -> bool {
    struct Nothing(Vec<Parent>);
    impl Sink for Nothing {
        fn scalar(&mut self, _: Event<'_>) -> Result<(), Error> {
            Ok(())
        }
        fn key(&mut self, _: &[u8], _: u32) -> Result<(), Error> {
            Ok(())
        }
        fn begin(&mut self, kind: Parent) -> Result<(), Error> {
            self.0.push(kind);
            Ok(())
        }
        fn end(&mut self) -> Result<Parent, Error> {
            self.0.pop();
            Ok(self.0.last().copied().unwrap_or(Parent::Top))
        }
    }
    let mut reader = Reader { text, at: 0, scratch: Vec::new(), check_magnitude: false };
    reader.document(&mut Nothing(Vec::new())).is_ok()
}

/// Reads a text into a sink.
///
/// # Errors
/// As [`parse`], and what the sink says.
#[inline]
pub fn parse_into(text: &[u8], sink: &mut impl Sink) -> Result<(), ParseError> {
    let mut reader = Reader { text, at: 0, scratch: Vec::new(), check_magnitude: true };
    reader.document(sink).map_err(|kind| ParseError { kind, offset: reader.at })
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    /// The text of the last string that had escapes or bytes that are not UTF-8.
    scratch: Vec<u8>,
    check_magnitude: bool,
}

const VALUE: &str = "looking for beginning of value";

impl<'a> Reader<'a> {
    fn document(&mut self, sink: &mut impl Sink) -> Result<(), Error> {
        let mut depth = 0u32;
        let mut parent = Parent::Top;
        let mut byte = self.next_token()?;
        loop {
            // INVARIANT: `byte` is the first byte of a value, and `at` is its offset.
            let opened = self.value(byte, sink)?;
            if let Some(kind) = opened {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(Error::TooDeep);
                }
                byte = self.next_token()?;
                let close = if kind == Parent::Array { b']' } else { b'}' };
                if byte != close {
                    parent = kind;
                    if kind == Parent::Object {
                        byte = self.key(byte, "looking for beginning of object key string", sink)?;
                    }
                    continue;
                }
                self.at += 1;
                depth -= 1;
                parent = sink.end()?;
            }
            // A value has ended: close what ends with it, and find the next one.
            loop {
                if parent == Parent::Top {
                    return self.finish();
                }
                byte = self.next_token()?;
                self.at += 1;
                match (parent, byte) {
                    (Parent::Array, b',') => {
                        byte = self.next_token()?;
                        break;
                    }
                    (Parent::Object, b',') => {
                        byte = self.next_token()?;
                        byte = self.key(byte, "looking for beginning of object key string", sink)?;
                        break;
                    }
                    (Parent::Array, b']') | (Parent::Object, b'}') => {
                        depth -= 1;
                        parent = sink.end()?;
                    }
                    (Parent::Array, _) => return Err(self.invalid(byte, "after array element")),
                    _ => return Err(self.invalid(byte, "after object key:value pair")),
                }
            }
        }
    }

    /// Reads a scalar, or the bracket that begins a collection.
    #[inline]
    fn value(&mut self, byte: u8, sink: &mut impl Sink) -> Result<Option<Parent>, Error> {
        match byte {
            b'"' => {
                self.at += 1;
                let (text, hash) = self.string()?;
                sink.scalar(Event::String(text, hash))?;
            }
            b'-' | b'0'..=b'9' => self.number(sink)?,
            b'{' => {
                self.at += 1;
                sink.begin(Parent::Object)?;
                return Ok(Some(Parent::Object));
            }
            b'[' => {
                self.at += 1;
                sink.begin(Parent::Array)?;
                return Ok(Some(Parent::Array));
            }
            b't' => self.literal("true", sink, Event::Bool(true))?,
            b'f' => self.literal("false", sink, Event::Bool(false))?,
            b'n' => self.literal("null", sink, Event::Null)?,
            _ => return Err(Error::InvalidCharacter(byte, VALUE)),
        }
        Ok(None)
    }

    /// Reads a key and the colon; the answer is the first byte of the value.
    #[inline]
    fn key(&mut self, byte: u8, context: &'static str, sink: &mut impl Sink) -> Result<u8, Error> {
        if byte != b'"' {
            return Err(Error::InvalidCharacter(byte, context));
        }
        self.at += 1;
        let (text, hash) = self.string()?;
        sink.key(text, hash)?;
        let byte = self.next_token()?;
        if byte != b':' {
            return Err(Error::InvalidCharacter(byte, "after object key"));
        }
        self.at += 1;
        self.next_token()
    }

    #[cold]
    fn invalid(&mut self, byte: u8, context: &'static str) -> Error {
        self.at -= 1;
        Error::InvalidCharacter(byte, context)
    }

    /// The next byte that is no white space; it is not taken.
    #[inline]
    fn next_token(&mut self) -> Result<u8, Error> {
        loop {
            match self.text.get(self.at) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                Some(byte) => return Ok(*byte),
                None => return Err(Error::UnexpectedEnd),
            }
        }
    }

    fn finish(&mut self) -> Result<(), Error> {
        match self.next_token() {
            Ok(_) => Err(Error::TrailingData),
            Err(_) => Ok(()),
        }
    }

    #[inline]
    fn literal(
        &mut self,
        literal: &'static str,
        sink: &mut impl Sink,
        event: Event<'_>,
    ) -> Result<(), Error> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if rest.starts_with(literal.as_bytes()) {
            self.at += literal.len();
            return sink.scalar(event);
        }
        for (expected, byte) in literal.bytes().zip(rest) {
            if expected != *byte {
                return Err(Error::InvalidLiteral(*byte, literal, expected));
            }
            self.at += 1;
        }
        Err(Error::UnexpectedEnd)
    }

    #[inline]
    fn number(&mut self, sink: &mut impl Sink) -> Result<(), Error> {
        let start = self.at;
        let rest = self.text.get(start..).unwrap_or_default();
        let (negative, mut length) = if rest.first() == Some(&b'-') { (true, 1) } else { (false, 0) };
        let mut magnitude = 0u64;
        let digits = length;
        while let Some(digit @ b'0'..=b'9') = rest.get(length) {
            magnitude = magnitude.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            length += 1;
        }
        let leading_zero = rest.get(digits) == Some(&b'0');
        let count = length - digits;
        if count == 0 || (leading_zero && count > 1) || matches!(rest.get(length), Some(b'.' | b'e' | b'E')) {
            return self.long_number(start, sink);
        }
        self.at = start + length;
        // Eighteen digits fit an i64.
        if count <= 18 && !(negative && leading_zero) {
            let magnitude = magnitude as i64;
            return sink.scalar(Event::Int(if negative { -magnitude } else { magnitude }));
        }
        self.number_text(start, sink)
    }

    #[cold]
    fn long_number(&mut self, start: usize, sink: &mut impl Sink) -> Result<(), Error> {
        let mut cursor = Cursor { text: self.text, at: start };
        let result = cursor.number();
        self.at = cursor.at;
        result?;
        self.number_text(start, sink)
    }

    fn number_text(&mut self, start: usize, sink: &mut impl Sink) -> Result<(), Error> {
        let bytes = self.text.get(start..self.at).unwrap_or_default();
        if let Some(int) = plain_i64(bytes) {
            return sink.scalar(Event::Int(int));
        }
        // The grammar allows ASCII only.
        let text = core::str::from_utf8(bytes).unwrap_or_default();
        if self.check_magnitude {
            Number::check_text(text).map_err(|_| Error::NumberTooBig)?;
        }
        sink.scalar(Event::Number(text))
    }

    /// Reads a string whose quote has been taken.
    #[inline]
    fn string(&mut self) -> Result<(&[u8], u32), Error> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let mut hash = Hash64::new(0);
        let (words, tail) = rest.as_chunks::<8>();
        let mut length = 0usize;
        for bytes in words {
            let word = u64::from_le_bytes(*bytes);
            let special = special_bytes(word);
            if special == 0 {
                hash.word(word);
                length += 8;
                continue;
            }
            let plain = special.trailing_zeros() / 8;
            if (word >> (plain * 8)) as u8 != b'"' {
                return self.slow_string(length);
            }
            return self.end_string(length, plain, word & ((1 << (plain * 8)) - 1), hash);
        }
        let mut word = 0u64;
        for (plain, byte) in (0u32..).zip(tail) {
            match byte {
                b'"' => return self.end_string(length, plain, word, hash),
                b'\\' | 0..0x20 | 0x80.. => return self.slow_string(length),
                _ => word |= u64::from(*byte) << (plain * 8),
            }
        }
        self.at = self.text.len();
        Err(Error::UnexpectedEnd)
    }

    #[inline]
    fn end_string(
        &mut self,
        length: usize,
        plain: u32,
        word: u64,
        mut hash: Hash64,
    ) -> Result<(&[u8], u32), Error> {
        let length = length + plain as usize;
        if plain > 0 {
            hash.word(word);
        }
        hash.word(length as u64);
        let bytes = self.text.get(self.at..self.at + length).unwrap_or_default();
        self.at += length + 1;
        // ASCII: nothing else was let through.
        Ok((bytes, hash.finish()))
    }

    /// Reads on from `plain` bytes after the beginning, where something other than plain ASCII stands.
    fn slow_string(&mut self, plain: usize) -> Result<(&[u8], u32), Error> {
        let start = self.at;
        let mut cursor = Cursor { text: self.text, at: start + plain };
        let result = cursor.string(start, &mut self.scratch);
        self.at = cursor.at;
        let bytes = match result? {
            Some((start, end)) => self.text.get(start..end).unwrap_or_default(),
            None => self.scratch.as_slice(),
        };
        Ok((bytes, crate::abi::hash_string(bytes)))
    }
}

/// A mask with the top bit of each byte set that is a quote, a backslash, a control character or not ASCII. The lowest
/// one is exact; a byte above one that is set may be set wrongly.
#[inline]
const fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const TOPS: u64 = 0x8080_8080_8080_8080;
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    let found = quote.wrapping_sub(ONES) & !quote
        | backslash.wrapping_sub(ONES) & !backslash
        | word.wrapping_sub(ONES * 0x20) & !word
        | word;
    found & TOPS
}

/// The parts of reading that are rare, apart from the sink so that they exist once.
struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn unexpected(&self, context: &'static str) -> Error {
        self.peek().map_or(Error::UnexpectedEnd, |byte| Error::InvalidCharacter(byte, context))
    }

    fn digits(&mut self, context: &'static str) -> Result<(), Error> {
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(self.unexpected(context));
        }
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), Error> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits("in numeric literal")?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits("after decimal point in numeric literal")?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits("in exponent of numeric literal")?;
        }
        Ok(())
    }

    /// Reads to the closing quote. The answer is the range of the text where it stands as it is; otherwise the text is
    /// in `scratch`.
    fn string(&mut self, start: usize, scratch: &mut Vec<u8>) -> Result<Option<(usize, usize)>, Error> {
        let mut changed = false;
        let mut copied = start;
        loop {
            match self.peek() {
                None => return Err(Error::UnexpectedEnd),
                Some(b'"') => break,
                Some(b'\\') => {
                    self.keep(&mut changed, copied, scratch);
                    self.at += 1;
                    self.escape(scratch)?;
                    copied = self.at;
                }
                Some(0..0x20) => return Err(self.unexpected("in string literal")),
                Some(0x20..0x80) => self.at += 1,
                Some(_) => {
                    let length = utf8_length(self.text.get(self.at..).unwrap_or_default());
                    if length == 0 {
                        self.keep(&mut changed, copied, scratch);
                        scratch.extend_from_slice("\u{fffd}".as_bytes());
                        self.at += 1;
                        copied = self.at;
                    }
                    self.at += length;
                }
            }
        }
        let end = self.at;
        let range = if changed {
            scratch.extend_from_slice(self.text.get(copied..end).unwrap_or_default());
            None
        } else {
            Some((start, end))
        };
        self.at += 1;
        Ok(range)
    }

    fn keep(&self, changed: &mut bool, from: usize, scratch: &mut Vec<u8>) {
        if !*changed {
            scratch.clear();
            *changed = true;
        }
        scratch.extend_from_slice(self.text.get(from..self.at).unwrap_or_default());
    }

    fn escape(&mut self, scratch: &mut Vec<u8>) -> Result<(), Error> {
        let byte = self.peek().ok_or(Error::UnexpectedEnd)?;
        let plain = match byte {
            b'"' | b'\\' | b'/' => byte,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                self.at += 1;
                return self.unicode_escape(scratch);
            }
            _ => return Err(self.unexpected("in string escape code")),
        };
        self.at += 1;
        scratch.push(plain);
        Ok(())
    }

    /// Half of a surrogate pair without the other is replaced by U+FFFD, as in Go.
    fn unicode_escape(&mut self, scratch: &mut Vec<u8>) -> Result<(), Error> {
        let first = self.hex4()?;
        let mut code = first;
        if (0xd800..0xdc00).contains(&first) && self.text.get(self.at..self.at + 2) == Some(b"\\u") {
            let back = self.at;
            self.at += 2;
            let second = self.hex4()?;
            if (0xdc00..0xe000).contains(&second) {
                code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
            } else {
                self.at = back;
            }
        }
        let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
        scratch.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        Ok(())
    }

    fn hex4(&mut self) -> Result<u32, Error> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            let digit = digit.ok_or_else(|| self.unexpected("in \\u hexadecimal character escape"))?;
            code = code << 4 | digit;
            self.at += 1;
        }
        Ok(code)
    }
}

/// The length of the character at the beginning, 0 where the bytes are none.
fn utf8_length(bytes: &[u8]) -> usize {
    let length = match bytes.first() {
        Some(0xc2..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf4) => 4,
        _ => return 0,
    };
    match bytes.get(..length).map(core::str::from_utf8) {
        Some(Ok(_)) => length,
        _ => 0,
    }
}

/// Builds the tree.
struct Tree {
    values: Vec<Value>,
    open: Vec<(Parent, usize)>,
}

impl Sink for Tree {
    fn scalar(&mut self, event: Event<'_>) -> Result<(), Error> {
        self.values.push(match event {
            Event::Null => Value::Null,
            Event::Bool(truth) => Value::Bool(truth),
            Event::Int(int) => Value::from(int),
            Event::Number(text) => Value::Number(Number::from_checked_text(String::from(text))),
            Event::String(text, _) => Value::from(core::str::from_utf8(text).unwrap_or_default()),
        });
        Ok(())
    }

    fn key(&mut self, text: &[u8], _: u32) -> Result<(), Error> {
        self.values.push(Value::from(core::str::from_utf8(text).unwrap_or_default()));
        Ok(())
    }

    fn begin(&mut self, kind: Parent) -> Result<(), Error> {
        self.open.push((kind, self.values.len()));
        Ok(())
    }

    fn end(&mut self) -> Result<Parent, Error> {
        let (kind, start) = self.open.pop().unwrap_or((Parent::Array, 0));
        let mut items = self.values.drain(start.min(self.values.len())..);
        let value = if kind == Parent::Object {
            let mut members = BTreeMap::new();
            while let (Some(key), Some(value)) = (items.next(), items.next()) {
                members.insert(key, value);
            }
            drop(items);
            Value::Object(members.into())
        } else {
            let items: Vec<Value> = items.collect();
            Value::Array(items.into())
        };
        self.values.push(value);
        Ok(self.open.last().map_or(Parent::Top, |(kind, _)| *kind))
    }
}
