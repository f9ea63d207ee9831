//! A decimal text seen as digits and a point, without allocation: comparison and hashing by exact value.

use super::big::Magnitude;
use super::{BigInt, Float, MAX_BINARY_EXPONENT, NumberError};
use core::cmp::Ordering;

/// A decimal number as its text shows it.
#[derive(Clone, Copy, Debug)]
pub struct Decimal<'a> {
    negative: bool,
    integer: &'a [u8],
    fraction: &'a [u8],
    exponent: Option<i64>,
}

/// The same without the zeros at either end: `0.d₁d₂… × 10^point`, the digits being `head` and then `tail`.
#[derive(Clone, Copy)]
struct Significant<'a> {
    head: &'a [u8],
    tail: &'a [u8],
    point: i64,
}

impl<'a> Decimal<'a> {
    /// Zero.
    pub const ZERO: Decimal<'static> =
        Decimal { negative: false, integer: b"0", fraction: b"", exponent: None };

    /// Reads the form that [`super::Number::parse`] documents; `None` for any other.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Decimal<'a>> {
        let bytes = text.as_bytes();
        let (negative, rest) = match bytes {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        let (integer, rest) = split_digits(rest);
        let (fraction, rest) = match rest {
            [b'.', rest @ ..] => split_digits(rest),
            rest => (&[][..], rest),
        };
        if integer.is_empty() && fraction.is_empty() {
            return None;
        }
        let exponent = match rest {
            [] => None,
            [b'e' | b'E', rest @ ..] => Some(parse_exponent(rest)?),
            _ => return None,
        };
        Some(Decimal { negative, integer, fraction, exponent })
    }

    /// Whether the text has an exponent.
    #[must_use]
    pub fn has_exponent(&self) -> bool {
        self.exponent.is_some()
    }

    /// Whether the text begins with a minus, zero included.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        self.negative
    }

    /// All digits, in order, as they stand in the text.
    pub(super) fn digits(&self) -> impl Iterator<Item = u8> + 'a {
        self.integer.iter().chain(self.fraction).map(|digit| digit - b'0')
    }

    /// The power of ten by which [`Self::digits`], read as an integer, is to be multiplied.
    pub(super) fn scale(&self) -> i64 {
        self.exponent.unwrap_or(0).saturating_sub(length(self.fraction))
    }

    fn significant(&self) -> Significant<'a> {
        let exponent = self.exponent.unwrap_or(0);
        let integer = trim_start_zeros(self.integer);
        if integer.is_empty() {
            let fraction = trim_start_zeros(self.fraction);
            let skipped = length(self.fraction) - length(fraction);
            return Significant {
                head: b"",
                tail: trim_end_zeros(fraction),
                point: exponent.saturating_sub(skipped),
            };
        }
        let tail = trim_end_zeros(self.fraction);
        let head = if tail.is_empty() { trim_end_zeros(integer) } else { integer };
        Significant { head, tail, point: exponent.saturating_add(length(integer)) }
    }

    /// Whether the value is zero, whatever its sign.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.significant().is_empty()
    }

    /// Whether the value is an integer.
    #[must_use]
    pub fn is_integer(&self) -> bool {
        let significant = self.significant();
        significant.is_empty() || significant.len() <= significant.point
    }

    /// The value, if it is an integer that fits.
    #[must_use]
    pub fn to_i64(&self) -> Option<i64> {
        let significant = self.significant();
        if significant.is_empty() {
            return Some(0);
        }
        if significant.len() > significant.point || significant.point > 19 {
            return None;
        }
        let mut magnitude = 0u64;
        for digit in significant.digits() {
            magnitude = magnitude * 10 + u64::from(digit);
        }
        for _ in significant.len()..significant.point {
            magnitude *= 10;
        }
        if self.negative { 0i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
    }

    /// The value as a big integer, if it is an integer.
    #[must_use]
    pub fn to_bigint(&self) -> Option<BigInt> {
        let significant = self.significant();
        if significant.is_empty() {
            return Some(BigInt::ZERO);
        }
        let zeros = u32::try_from(significant.point - significant.len()).ok()?;
        let magnitude = Magnitude::from_digits(significant.digits()).times_ten_to(zeros);
        Some(BigInt::new(self.negative, magnitude))
    }

    /// Compares by value.
    #[must_use]
    pub fn compare(&self, other: &Decimal<'_>) -> Ordering {
        let (a, b) = (self.significant(), other.significant());
        match (a.is_empty(), b.is_empty()) {
            (true, true) => return Ordering::Equal,
            (true, false) => return if other.negative { Ordering::Greater } else { Ordering::Less },
            (false, true) => return if self.negative { Ordering::Less } else { Ordering::Greater },
            (false, false) => {}
        }
        match (self.negative, other.negative) {
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (negative, _) => {
                let magnitude = a.point.cmp(&b.point).then_with(|| a.digits().cmp(b.digits()));
                if negative { magnitude.reverse() } else { magnitude }
            }
        }
    }

    /// A hash by value, equal to [`crate::abi::hash_int`] where the value is an `i64`.
    #[must_use]
    pub fn hash32(&self) -> u32 {
        if let Some(int) = self.to_i64() {
            return crate::abi::hash_int(int);
        }
        let significant = self.significant();
        let mut hash = crate::abi::Hash64::new(if self.negative { 3 } else { 5 });
        hash.word(significant.point.unsigned_abs());
        for digit in significant.digits() {
            hash.word(u64::from(digit));
        }
        hash.finish()
    }

    /// OPA's limit on magnitude.
    ///
    /// # Errors
    /// A binary exponent beyond [`MAX_BINARY_EXPONENT`], either way.
    pub fn check_magnitude(&self) -> Result<(), NumberError> {
        let significant = self.significant();
        // 10^30000 is below 2^100000, and 10^31000 is above.
        if significant.is_empty() || significant.point.abs() <= 30_000 {
            return Ok(());
        }
        if significant.point.abs() > 31_000 {
            return Err(NumberError::TooBig);
        }
        let exponent = Float::from_decimal(self).binary_exponent();
        if exponent.abs() > MAX_BINARY_EXPONENT { Err(NumberError::TooBig) } else { Ok(()) }
    }
}

impl<'a> Significant<'a> {
    fn is_empty(&self) -> bool {
        self.head.is_empty() && self.tail.is_empty()
    }

    fn len(&self) -> i64 {
        length(self.head) + length(self.tail)
    }

    fn digits(&self) -> impl Iterator<Item = u8> + 'a {
        self.head.iter().chain(self.tail).map(|digit| digit - b'0')
    }
}

fn length(bytes: &[u8]) -> i64 {
    i64::try_from(bytes.len()).unwrap_or(i64::MAX)
}

fn split_digits(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(bytes.len());
    bytes.split_at(end)
}

fn parse_exponent(bytes: &[u8]) -> Option<i64> {
    let (negative, digits) = match bytes {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() {
        return None;
    }
    let mut exponent = 0i64;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        exponent = exponent.saturating_mul(10).saturating_add(i64::from(digit - b'0'));
    }
    // Far beyond every limit, and far from the ends of i64.
    exponent = exponent.min(1 << 40);
    Some(if negative { -exponent } else { exponent })
}

fn trim_start_zeros(mut bytes: &[u8]) -> &[u8] {
    while let [b'0', rest @ ..] = bytes {
        bytes = rest;
    }
    bytes
}

fn trim_end_zeros(mut bytes: &[u8]) -> &[u8] {
    while let [rest @ .., b'0'] = bytes {
        bytes = rest;
    }
    bytes
}
