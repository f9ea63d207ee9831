//! The tokens of a JSON text that is known to be UTF-8, one after the other.

use rego_value::abi::{FALSE, NULL, TRUE};
use rego_value::number::Decimal;

use super::Fault;
use super::scan::{digits, plain_end, word_at};

/// A place in a text. It is copied into a local variable wherever much is read, so that it stays in a register.
#[derive(Clone, Copy)]
pub(super) struct Tokens<'t> {
    text: &'t [u8],
    at: usize,
}

/// A string, without its quotes.
#[derive(Clone, Copy)]
pub(super) struct Literal {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) has_escapes: bool,
}

/// A number.
pub(super) enum Numeral<'t> {
    /// An integer written plainly.
    Int(i64),
    /// Anything else: its text.
    Other(&'t str),
}

impl<'t> Tokens<'t> {
    pub(super) const fn new(text: &'t [u8]) -> Self {
        Self { text, at: 0 }
    }

    /// The whole text.
    pub(super) const fn text(&self) -> &'t [u8] {
        self.text
    }

    /// The next byte that is no white space, which is not taken; 0, which begins nothing, at the end.
    #[inline(always)]
    pub(super) fn peek(&mut self) -> u8 {
        match self.text.get(self.at) {
            Some(byte) if *byte > b' ' => *byte,
            _ => self.peek_further(),
        }
    }

    #[inline]
    fn peek_further(&mut self) -> u8 {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.text.get(self.at) {
            self.at += 1;
        }
        self.text.get(self.at).copied().unwrap_or(0)
    }

    /// Takes the byte that was peeked.
    #[inline(always)]
    pub(super) const fn take(&mut self) {
        self.at += 1;
    }

    /// Whether nothing but white space follows.
    pub(super) fn is_done(&mut self) -> bool {
        self.peek();
        self.at == self.text.len()
    }

    /// Takes the colon behind a key, and peeks at the value.
    #[inline(always)]
    pub(super) fn colon(&mut self) -> Result<u8, Fault> {
        if self.peek() != b':' {
            return Err(Fault::Invalid);
        }
        self.take();
        Ok(self.peek())
    }

    /// Takes a string whose first quote is the byte at hand.
    #[inline(always)]
    pub(super) fn string(&mut self) -> Result<Literal, Fault> {
        let start = self.at + 1;
        let end = plain_end(self.text, start);
        if self.text.get(end) == Some(&b'"') {
            self.at = end + 1;
            return Ok(Literal { start, end, has_escapes: false });
        }
        let end = escaped_end(self.text, end).ok_or(Fault::Invalid)?;
        self.at = end + 1;
        Ok(Literal { start, end, has_escapes: true })
    }

    /// Takes `true`, `false` or `null`, which begins with `byte`: its handle.
    #[inline(always)]
    pub(super) fn constant(&mut self, byte: u8) -> Result<u32, Fault> {
        let (word, length, handle) = match byte {
            b't' => (u32::from_le_bytes(*b"true"), 4, TRUE),
            b'n' => (u32::from_le_bytes(*b"null"), 4, NULL),
            b'f' => (u32::from_le_bytes(*b"alse"), 5, FALSE),
            _ => return Err(Fault::Invalid),
        };
        let start = self.at + length - 4;
        let found = self.text.get(start..).and_then(|rest| rest.first_chunk());
        if found.is_none_or(|found| u32::from_le_bytes(*found) != word) {
            return Err(Fault::Invalid);
        }
        self.at += length;
        Ok(handle)
    }

    /// Takes a number whose first byte is the one at hand.
    #[inline(always)]
    pub(super) fn number(&mut self) -> Result<Numeral<'t>, Fault> {
        let negative = self.text.get(self.at) == Some(&b'-');
        let start = self.at + usize::from(negative);
        let first = word_at(self.text, start);
        let (mut count, mut magnitude) = digits(first);
        if count == 8 {
            let (more, low) = digits(word_at(self.text, start + 8));
            magnitude = magnitude * 10u64.pow(more) + low;
            count += more;
        }
        let end = start + count as usize;
        // Zeros in front, minus zero and what is longer are left to those who take their time.
        let is_plain = (1..16).contains(&count)
            && (first & 0xff != u64::from(b'0') || (count == 1 && !negative))
            && !matches!(self.text.get(end), Some(b'.' | b'e' | b'E'));
        if is_plain {
            self.at = end;
            let magnitude = magnitude.cast_signed();
            return Ok(Numeral::Int(if negative { -magnitude } else { magnitude }));
        }
        let (numeral, end) = long_number(self.text, self.at)?;
        self.at = end;
        Ok(numeral)
    }
}

/// The closing quote of a string of which everything before `at` is plain; none when it does not end, or ends badly.
#[cold]
fn escaped_end(text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at = match text.get(at)? {
            b'"' => return Some(at),
            b'\\' => plain_end(text, at + 1 + escape_length(text.get(at + 1..)?)?),
            _ => return None,
        };
    }
}

/// The length of an escape, behind its backslash.
fn escape_length(rest: &[u8]) -> Option<usize> {
    match rest {
        [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => Some(1),
        [b'u', a, b, c, d, ..] if [a, b, c, d].iter().all(|digit| digit.is_ascii_hexdigit()) => Some(5),
        _ => None,
    }
}

/// A number at `at`, and where it ends.
#[inline(never)]
fn long_number(text: &[u8], at: usize) -> Result<(Numeral<'_>, usize), Fault> {
    let rest = text.get(at..).unwrap_or_default();
    let length = numeral_length(rest).ok_or(Fault::Invalid)?;
    let bytes = rest.get(..length).unwrap_or_default();
    if let Some(int) = rego_value::number::plain_i64(bytes) {
        return Ok((Numeral::Int(int), at + length));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Fault::Invalid)?;
    let decimal = Decimal::parse(text).ok_or(Fault::Invalid)?;
    if decimal.has_exponent() {
        decimal.check_magnitude().map_err(|_| Fault::Invalid)?;
    }
    Ok((Numeral::Other(text), at + length))
}

/// The length of the number at the beginning: `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?`.
fn numeral_length(text: &[u8]) -> Option<usize> {
    let mut at = usize::from(text.first() == Some(&b'-'));
    let digits = |at: usize| {
        let rest = text.get(at..).unwrap_or_default();
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        (count > 0).then_some(at + count)
    };
    at = if text.get(at) == Some(&b'0') { at + 1 } else { digits(at)? };
    if text.get(at) == Some(&b'.') {
        at = digits(at + 1)?;
    }
    if let Some(b'e' | b'E') = text.get(at) {
        at += 1;
        at = digits(at + usize::from(matches!(text.get(at), Some(b'+' | b'-'))))?;
    }
    Some(at)
}
