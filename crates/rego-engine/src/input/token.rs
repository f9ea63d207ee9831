//! The tokens of a JSON text that is known to be UTF-8.

use rego_value::abi::{Hash64, hash_string};
use rego_value::number::Decimal;
use rego_value::{Value, json};

use super::Fault;

/// A place in a text.
pub(super) struct Tokens<'t> {
    text: &'t [u8],
    at: usize,
}

/// A string's text.
pub(super) enum Text<'t> {
    /// As it stands, with its hash.
    Plain(&'t [u8], u32),
    /// It had escapes.
    Decoded(Value),
}

/// A number.
pub(super) enum Numeral<'t> {
    /// An integer written plainly.
    Int(i64),
    /// Anything else: its text.
    Other(&'t str),
}

impl<'t> Tokens<'t> {
    pub(super) const fn new(text: &'t str) -> Self {
        Self { text: text.as_bytes(), at: 0 }
    }

    /// The next byte that is no white space; it is not taken.
    #[inline]
    pub(super) fn peek(&mut self) -> Result<u8, Fault> {
        loop {
            match self.text.get(self.at) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                Some(byte) => return Ok(*byte),
                None => return Err(Fault::Invalid),
            }
        }
    }

    /// Takes the byte that was peeked.
    #[inline]
    pub(super) fn take(&mut self) {
        self.at += 1;
    }

    /// Whether nothing but white space follows.
    pub(super) fn is_done(&mut self) -> bool {
        self.peek().is_err()
    }

    /// Takes the colon behind a key, and peeks at the value.
    #[inline]
    pub(super) fn colon(&mut self) -> Result<u8, Fault> {
        if self.peek()? != b':' {
            return Err(Fault::Invalid);
        }
        self.at += 1;
        self.peek()
    }

    /// Takes `true`, `false` or `null`.
    #[inline]
    pub(super) fn literal(&mut self, literal: &[u8]) -> Result<(), Fault> {
        if !self.rest().starts_with(literal) {
            return Err(Fault::Invalid);
        }
        self.at += literal.len();
        Ok(())
    }

    #[inline]
    fn rest(&self) -> &'t [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Takes a string whose first quote is the byte at hand.
    #[inline]
    pub(super) fn string(&mut self) -> Result<Text<'t>, Fault> {
        let start = self.at + 1;
        let rest = self.text.get(start..).unwrap_or_default();
        let mut hash = Hash64::new(0);
        let mut length = 0usize;
        for bytes in rest.as_chunks::<8>().0 {
            let word = u64::from_le_bytes(*bytes);
            let stops = stops(word);
            if stops == 0 {
                hash.word(word);
                length += 8;
                continue;
            }
            let plain = stops.trailing_zeros() / 8;
            if plain > 0 {
                hash.word(word & ((1 << (plain * 8)) - 1));
            }
            length += plain as usize;
            if rest.get(length) != Some(&b'"') {
                return self.escaped();
            }
            hash.word(length as u64);
            self.at = start + length + 1;
            return Ok(Text::Plain(rest.get(..length).unwrap_or_default(), hash.finish()));
        }
        // The last few bytes of the text.
        let tail = rest.get(length..).unwrap_or_default();
        let plain = tail.iter().position(|byte| is_stop(*byte)).ok_or(Fault::Invalid)?;
        length += plain;
        if rest.get(length) != Some(&b'"') {
            return self.escaped();
        }
        self.at = start + length + 1;
        let text = rest.get(..length).unwrap_or_default();
        Ok(Text::Plain(text, hash_string(text)))
    }

    #[cold]
    fn escaped(&mut self) -> Result<Text<'t>, Fault> {
        let start = self.at;
        self.skip_string()?;
        let literal = self.text.get(start..self.at).unwrap_or_default();
        json::parse(literal).map(Text::Decoded).map_err(|_| Fault::Invalid)
    }

    /// Takes a string of which only the form matters.
    #[inline]
    pub(super) fn skip_string(&mut self) -> Result<(), Fault> {
        self.at += 1;
        loop {
            let rest = self.rest();
            let mut plain = 0;
            let mut found = false;
            for bytes in rest.as_chunks::<8>().0 {
                let stops = stops(u64::from_le_bytes(*bytes));
                if stops != 0 {
                    plain += (stops.trailing_zeros() / 8) as usize;
                    found = true;
                    break;
                }
                plain += 8;
            }
            if !found {
                let tail = rest.get(plain..).unwrap_or_default();
                plain += tail.iter().position(|byte| is_stop(*byte)).ok_or(Fault::Invalid)?;
            }
            self.at += plain + 1;
            match rest.get(plain) {
                Some(b'"') => return Ok(()),
                Some(b'\\') => self.skip_escape()?,
                _ => return Err(Fault::Invalid),
            }
        }
    }

    /// Takes what follows a backslash.
    fn skip_escape(&mut self) -> Result<(), Fault> {
        let length = match self.rest() {
            [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => 1,
            [b'u', a, b, c, d, ..] if [a, b, c, d].iter().all(|digit| digit.is_ascii_hexdigit()) => 5,
            _ => return Err(Fault::Invalid),
        };
        self.at += length;
        Ok(())
    }

    /// Takes a number whose first byte is the one at hand.
    #[inline]
    pub(super) fn number(&mut self) -> Result<Numeral<'t>, Fault> {
        let rest = self.rest();
        let (negative, digits) = match rest {
            [b'-', digits @ ..] => (true, digits),
            digits => (false, digits),
        };
        let mut magnitude = 0i64;
        let mut count = 0;
        // Eighteen digits fit.
        while let Some(digit @ b'0'..=b'9') = digits.get(count)
            && count < 19
        {
            magnitude = magnitude.wrapping_mul(10).wrapping_add(i64::from(digit - b'0'));
            count += 1;
        }
        let is_plain = (1..19).contains(&count)
            && !matches!(digits.get(count), Some(b'.' | b'e' | b'E'))
            && (digits.first() != Some(&b'0') || (count == 1 && !negative));
        if !is_plain {
            return self.long_number();
        }
        self.at += count + usize::from(negative);
        Ok(Numeral::Int(if negative { -magnitude } else { magnitude }))
    }

    fn long_number(&mut self) -> Result<Numeral<'t>, Fault> {
        let rest = self.rest();
        let length = numeral_length(rest).ok_or(Fault::Invalid)?;
        self.at += length;
        let bytes = rest.get(..length).unwrap_or_default();
        if let Some(int) = rego_value::number::plain_i64(bytes) {
            return Ok(Numeral::Int(int));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| Fault::Invalid)?;
        let decimal = Decimal::parse(text).ok_or(Fault::Invalid)?;
        if decimal.has_exponent() {
            decimal.check_magnitude().map_err(|_| Fault::Invalid)?;
        }
        Ok(Numeral::Other(text))
    }
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

/// Whether a string's run of plain bytes ends here.
const fn is_stop(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | 0..0x20)
}

/// The bytes of a word that [`is_stop`], as their top bits; those behind the first are not reliable.
const fn stops(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const TOPS: u64 = 0x8080_8080_8080_8080;
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    let found = quote.wrapping_sub(ONES) & !quote
        | backslash.wrapping_sub(ONES) & !backslash
        | word.wrapping_sub(ONES * 0x20) & !word;
    found & TOPS
}
