//! Exact quantities: whole units for counting, decimals for what callers say a call costs.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A whole number of a limit's smallest unit: micro-dollars, tokens, requests. A limit's policy says which
/// unit; the stores only ever add, subtract and compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Quantity(i64);

impl Quantity {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The most that a cell may hold: 2^53 - 1, the largest number that every JSON reader, every policy and
    /// every store keeps exact.
    pub const LARGEST: Self = Self((1 << 53) - 1);

    /// A quantity of `units` smallest units.
    pub const fn new(units: i64) -> Self {
        Self(units)
    }

    /// The number of smallest units.
    pub const fn units(self) -> i64 {
        self.0
    }

    /// The sum, or `None` beyond 64 bits.
    pub fn plus(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference, or `None` beyond 64 bits.
    pub fn minus(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// Whether this is below zero.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An exact decimal number, such as the cost of a call. `0.10`, `0.1` and `1e-1` are the same amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Amount {
    negative: bool,
    digits: u128,
    /// How many of the digits stand after the point. Never more than needed.
    scale: u32,
}

/// Digits after the point that an [`Amount`] can hold.
const MAX_SCALE: i64 = 30;

/// So many digits fit 64 bits, whichever they are.
const SHORT: usize = 19;

/// Why a text is not an amount.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not an amount: {reason}")]
pub struct AmountError {
    /// The text, shortened when it is long.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl Amount {
    /// Zero.
    pub const ZERO: Self = Self { negative: false, digits: 0, scale: 0 };

    /// Whether the amount is below zero.
    pub const fn is_negative(self) -> bool {
        self.negative
    }

    /// The amount as a whole number, when it is one and fits 64 bits.
    pub fn to_integer(self) -> Option<i64> {
        if self.scale != 0 {
            return None;
        }
        let magnitude = i128::try_from(self.digits).ok()?;
        i64::try_from(if self.negative { -magnitude } else { magnitude }).ok()
    }

    /// The amount in units of which one is `places` digits after the point, rounded up, when that fits 64 bits.
    pub fn rounded_up(self, places: u32) -> Option<i64> {
        let digits = i128::try_from(self.digits).ok()?;
        let digits = if self.negative { -digits } else { digits };
        let units = match self.scale.checked_sub(places) {
            None | Some(0) => digits.checked_mul(10_i128.checked_pow(places - self.scale)?)?,
            Some(surplus) => {
                let unit = 10_i128.checked_pow(surplus)?;
                digits.div_euclid(unit) + i128::from(digits.rem_euclid(unit) != 0)
            }
        };
        i64::try_from(units).ok()
    }

    /// An amount of dollars in whole micro-dollars, rounded up; none below zero, however little, and beyond 64 bits.
    pub fn micro_dollars(self) -> Option<i64> {
        if self.negative { None } else { self.rounded_up(6) }
    }

    /// The length of the longest amount, in bytes: a sign, 39 digits and a point.
    pub const LONGEST: usize = 41;

    /// The amount in plain digits, a valid JSON number, in this room.
    pub fn digits(self, room: &mut [u8; Self::LONGEST]) -> &str {
        let mut at = room.len();
        let mut put = |byte: u8| {
            at = at.saturating_sub(1);
            if let Some(place) = room.get_mut(at) {
                *place = byte;
            }
        };
        let (mut digits, mut places) = (self.digits, self.scale);
        loop {
            // Most have no more than 64 bits, which are divided sooner.
            let (others, last) = match u64::try_from(digits) {
                Ok(short) => (u128::from(short / 10), u128::from(short % 10)),
                Err(_) => (digits / 10, digits % 10),
            };
            put(b'0' + u8::try_from(last).unwrap_or_default());
            digits = others;
            match places {
                0 if digits == 0 => break,
                0 => {}
                1 => put(b'.'),
                _ => {}
            }
            places = places.saturating_sub(1);
        }
        if self.negative {
            put(b'-');
        }
        room.get(at..).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default()
    }

    fn build(negative: bool, mut digits: u128, mut scale: i64) -> Result<Self, &'static str> {
        while scale > 0 && digits.is_multiple_of(10) {
            digits /= 10;
            scale -= 1;
        }
        while scale < 0 && digits != 0 {
            digits = digits.checked_mul(10).ok_or("it is too large")?;
            scale += 1;
        }
        if digits == 0 {
            return Ok(Self::ZERO);
        }
        if scale > MAX_SCALE {
            return Err("it has more than 30 decimal places");
        }
        let scale = u32::try_from(scale).map_err(|_| "it is too large")?;
        Ok(Self { negative, digits, scale })
    }

    /// Reads what most amounts are: a few digits, with or without a point. None for all else, which may be an amount too.
    fn scan_short(text: &str) -> Option<Self> {
        if text.len() > SHORT {
            return None;
        }
        let (mut digits, mut places, mut point, mut last) = (0_u64, 0, false, b'.');
        for byte in text.bytes() {
            match byte {
                b'0'..=b'9' => {
                    digits = digits * 10 + u64::from(byte - b'0');
                    places += u32::from(point);
                }
                b'.' if !point && last != b'.' => point = true,
                _ => return None,
            }
            last = byte;
        }
        if last == b'.' {
            return None;
        }
        while places > 0 && digits.is_multiple_of(10) {
            digits /= 10;
            places -= 1;
        }
        Some(Self { negative: false, digits: u128::from(digits), scale: places })
    }

    fn scan(text: &str) -> Result<Self, &'static str> {
        if let Some(short) = Self::scan_short(text) {
            return Ok(short);
        }
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (number, exponent) = match rest.split_once(['e', 'E']) {
            Some((number, exponent)) => {
                (number, exponent.parse::<i16>().map_err(|_| "its exponent is not a small number")?)
            }
            None => (rest, 0),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        if whole.is_empty() || fraction.is_empty() {
            return Err("it needs digits on both sides of the point");
        }
        let mut digits: u128 = 0;
        let mut scale: i64 = 0;
        let places =
            whole.bytes().map(|digit| (digit, false)).chain(fraction.bytes().map(|digit| (digit, true)));
        let mut held_zeros = 0u32;
        for (digit, after_point) in places {
            if !digit.is_ascii_digit() {
                return Err("it is not a decimal number");
            }
            scale += i64::from(after_point);
            // Zeros are only multiplied in when another digit follows, so that trailing ones cost no room.
            if digit == b'0' {
                held_zeros += 1;
                continue;
            }
            let shift =
                if digits == 0 { 1 } else { 10u128.checked_pow(held_zeros + 1).ok_or("it is too long")? };
            held_zeros = 0;
            digits = digits
                .checked_mul(shift)
                .and_then(|shifted| shifted.checked_add(u128::from(digit - b'0')))
                .ok_or("it has too many digits")?;
        }
        Self::build(negative, digits, scale - i64::from(held_zeros) - i64::from(exponent))
    }
}

impl FromStr for Amount {
    type Err = AmountError;

    /// Reads a decimal number, with or without a point and an exponent, without losing a digit.
    ///
    /// # Errors
    /// When the text is not a number, or has more digits than an amount holds (38, of which 30 after the
    /// point).
    fn from_str(text: &str) -> Result<Self, AmountError> {
        Self::scan(text).map_err(|reason| AmountError { text: shorten(text), reason })
    }
}

impl From<std::convert::Infallible> for AmountError {
    /// Lets callers take whatever becomes an amount, with or without a chance to fail.
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

impl TryFrom<&str> for Amount {
    type Error = AmountError;

    fn try_from(text: &str) -> Result<Self, AmountError> {
        text.parse()
    }
}

impl TryFrom<f64> for Amount {
    type Error = AmountError;

    /// The shortest decimal that denotes this float: `0.1` is exactly one tenth, as its author meant it.
    ///
    /// # Errors
    /// When the float is not finite, or too large or too precise for an amount.
    fn try_from(value: f64) -> Result<Self, AmountError> {
        format!("{value:e}").parse()
    }
}

impl From<u64> for Amount {
    fn from(value: u64) -> Self {
        Self { negative: false, digits: u128::from(value), scale: 0 }
    }
}

impl From<u32> for Amount {
    fn from(value: u32) -> Self {
        Self::from(u64::from(value))
    }
}

impl From<i64> for Amount {
    fn from(value: i64) -> Self {
        Self { negative: value < 0, digits: u128::from(value.unsigned_abs()), scale: 0 }
    }
}

impl From<i32> for Amount {
    fn from(value: i32) -> Self {
        Self::from(i64::from(value))
    }
}

impl fmt::Display for Amount {
    /// Plain digits, a valid JSON number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.digits(&mut [0; Self::LONGEST]))
    }
}

/// The beginning of a text that may be of any length, for use in messages.
pub(crate) fn shorten(text: &str) -> String {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        text.parse::<Amount>().unwrap().to_string()
    }

    #[test]
    fn every_digit_is_kept() {
        for (text, expected) in [
            ("0", "0"),
            ("-0", "0"),
            ("0.10", "0.1"),
            ("1e-1", "0.1"),
            ("12.340e2", "1234"),
            ("1e+06", "1000000"),
            ("100.00", "100"),
            ("0.000000000000000000000000000001", "0.000000000000000000000000000001"),
            ("-3.5", "-3.5"),
            ("1000000000000000000000000000000000000", "1000000000000000000000000000000000000"),
            ("10.01", "10.01"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_a_number_is_refused() {
        for text in [
            "", "-", ".5", "5.", "1,5", "NaN", "inf", "0x10", "1e", "1e999999", "1e300", "1e-300", " 1", "+1",
        ] {
            assert!(text.parse::<Amount>().is_err(), "{text}");
        }
        assert!("9".repeat(60).parse::<Amount>().is_err());
        assert!(Amount::try_from(f64::NAN).is_err());
        assert!(Amount::try_from(f64::INFINITY).is_err());
    }

    #[test]
    fn a_float_means_its_shortest_decimal() {
        assert_eq!(Amount::try_from(0.1).unwrap(), "0.1".parse().unwrap());
        assert_eq!(Amount::try_from(1e-7).unwrap().to_string(), "0.0000001");
        assert_eq!(Amount::try_from(250.0).unwrap().to_integer(), Some(250));
    }

    #[test]
    fn short_texts_are_read_as_all_are() {
        let pieces = ["", "0", "00", "7", "100", "."];
        for whole in pieces {
            for point in ["", "."] {
                for fraction in pieces {
                    let text = format!("{whole}{point}{fraction}");
                    // With an exponent it is read by the long way.
                    assert_eq!(Amount::scan(&text).ok(), Amount::scan(&format!("{text}e0")).ok(), "{text}");
                }
            }
        }
    }

    #[test]
    fn the_longest_amount_has_room() {
        let digits = u128::MAX;
        for (scale, expected) in [
            (0, "-340282366920938463463374607431768211455"),
            (30, "-340282366.920938463463374607431768211455"),
        ] {
            assert_eq!(Amount { negative: true, digits, scale }.to_string(), expected);
        }
    }

    #[test]
    fn integers_are_recognised_however_they_are_written() {
        for (text, expected) in [("1000.0", Some(1000)), ("1e3", Some(1000)), ("1.5", None), ("-7", Some(-7))]
        {
            assert_eq!(text.parse::<Amount>().unwrap().to_integer(), expected, "{text}");
        }
        assert_eq!("9223372036854775808".parse::<Amount>().unwrap().to_integer(), None);
        assert_eq!("-9223372036854775808".parse::<Amount>().unwrap().to_integer(), Some(i64::MIN));
    }
}
