//! The binary float in which OPA computes what is no integer: 64 mantissa bits, rounded to nearest even.
//!
//! It behaves as Go's `big.Float` of the default precision does, the way in which that one reads a decimal included
//! (the power of five is itself rounded, to 128 bits, beyond 5^27), so that results agree to the last digit.

use super::big::Magnitude;
use super::decimal::Decimal;
use super::{BigInt, Number, shortest};
use alloc::string::String;
use core::cmp::Ordering;

/// `± mantissa × 2^exponent`.
///
/// INVARIANT: the mantissa's top bit is set, or it and the exponent are 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Float {
    negative: bool,
    mantissa: u64,
    exponent: i64,
}

impl Float {
    /// Positive zero.
    pub const ZERO: Float = Float { negative: false, mantissa: 0, exponent: 0 };

    /// An integer, exactly.
    #[must_use]
    pub fn from_i64(int: i64) -> Float {
        Float::rounded(int < 0, u128::from(int.unsigned_abs()), 0, false)
    }

    /// Rounds `± magnitude × 2^exponent` to 64 bits; `sticky` says that something below the last bit was cut off.
    fn rounded(negative: bool, magnitude: u128, exponent: i64, sticky: bool) -> Float {
        Float::rounded_to(64, negative, magnitude, exponent, sticky)
    }

    /// The same for any number of bits up to 64.
    fn rounded_to(bits: u32, negative: bool, magnitude: u128, exponent: i64, sticky: bool) -> Float {
        if magnitude == 0 {
            return Float { negative, ..Float::ZERO };
        }
        let normal = magnitude << magnitude.leading_zeros();
        let exponent = exponent.saturating_sub(i64::from(magnitude.leading_zeros())).saturating_add(64);
        let dropped = 128 - bits;
        let (high, low) = (normal >> dropped, normal & ((1 << dropped) - 1));
        let half = 1u128 << (dropped - 1);
        let up = low > half || (low == half && (sticky || high & 1 == 1));
        let rounded = (high + u128::from(up)) << (64 - bits);
        match u64::try_from(rounded) {
            Ok(mantissa) => Float { negative, mantissa, exponent },
            // All bits were ones.
            Err(_) => Float { negative, mantissa: 1 << 63, exponent: exponent.saturating_add(1) },
        }
    }

    /// The nearest float, as Go reads it.
    #[must_use]
    pub fn from_decimal(decimal: &Decimal<'_>) -> Float {
        let negative = decimal.is_negative();
        if decimal.is_zero() {
            return Float { negative, ..Float::ZERO };
        }
        let scale = decimal.scale();
        if let (Some(mantissa), Some(power)) = (small_digits(decimal), power_of_five(scale.unsigned_abs())) {
            let float = Float::rounded(negative, u128::from(mantissa), scale, false);
            let power = Float::rounded(false, u128::from(power), 0, false);
            return if scale < 0 { float.quotient(power) } else { float.product(power) };
        }
        wide::from_digits(negative, Magnitude::from_digits(decimal.digits()), scale)
    }

    /// Whether the value is zero.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.mantissa == 0
    }

    /// Whether the sign is minus; zero has one too.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        self.negative
    }

    /// Whether the value is an integer.
    #[must_use]
    pub fn is_integer(&self) -> bool {
        self.mantissa == 0 || self.exponent >= -i64::from(self.mantissa.trailing_zeros())
    }

    /// `e` where the value is `m × 2^e` with `0.5 ≤ m < 1`.
    #[must_use]
    pub fn binary_exponent(&self) -> i64 {
        if self.mantissa == 0 { 0 } else { self.exponent.saturating_add(64) }
    }

    /// The mantissa, its top bit set, and the exponent.
    #[must_use]
    pub fn parts(&self) -> (u64, i64) {
        (self.mantissa, self.exponent)
    }

    /// `± mantissa × 2^exponent`, whatever bits are set.
    #[must_use]
    pub fn from_parts(negative: bool, mantissa: u64, exponent: i64) -> Float {
        Float::rounded(negative, u128::from(mantissa), exponent, false)
    }

    /// Whether the number that is written for this float reads back as it, and is no integer: then a module keeps the
    /// float ([`crate::abi::KIND_FLOAT`]) and writes the text when somebody asks for it.
    ///
    /// It does where no power of five beyond 5^27 is needed to read the text, since those are rounded.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        // At most 21 digits, of which the first stands at the 7th place after the point at the latest.
        self.exponent >= -83 && self.exponent < 0 && !self.is_integer()
    }

    /// The order by value; a zero's sign does not count.
    #[must_use]
    pub fn compare(&self, other: &Float) -> Ordering {
        match (self.mantissa, other.mantissa) {
            (0, 0) => Ordering::Equal,
            _ if self.is_zero() => {
                if other.negative {
                    Ordering::Greater
                } else {
                    Ordering::Less
                }
            }
            _ if other.is_zero() || self.negative != other.negative => {
                if self.negative {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
            _ if self.negative => other.compare_magnitude(self),
            _ => self.compare_magnitude(other),
        }
    }

    /// The integer part, towards zero, where it fits.
    #[must_use]
    pub fn truncated_i64(&self) -> Option<i64> {
        if self.exponent > 0 {
            return None;
        }
        let magnitude = self.truncated_small();
        if self.negative { 0i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
    }

    /// Without the sign.
    #[must_use]
    pub fn abs(self) -> Float {
        Float { negative: false, ..self }
    }

    /// With the other sign.
    #[must_use]
    pub fn negated(self) -> Float {
        Float { negative: !self.negative, ..self }
    }

    /// The product.
    #[must_use]
    pub fn product(self, other: Float) -> Float {
        let magnitude = u128::from(self.mantissa) * u128::from(other.mantissa);
        let exponent = self.exponent.saturating_add(other.exponent);
        Float::rounded(self.negative != other.negative, magnitude, exponent, false)
    }

    /// The product, rounded to the 53 bits of a double (but with any exponent).
    #[must_use]
    pub fn product_double(self, other: Float) -> Float {
        let magnitude = u128::from(self.mantissa) * u128::from(other.mantissa);
        let exponent = self.exponent.saturating_add(other.exponent);
        Float::rounded_to(53, self.negative != other.negative, magnitude, exponent, false)
    }

    /// The quotient; the divisor is not zero (a zero divisor gives zero).
    #[must_use]
    pub fn quotient(self, divisor: Float) -> Float {
        let negative = self.negative != divisor.negative;
        if self.mantissa == 0 || divisor.mantissa == 0 {
            return Float { negative, ..Float::ZERO };
        }
        // Both top bits are set, so that the quotient of the shifted mantissa has 64 or 65 bits and the remainder
        // decides the rounding: one more bit is taken by hand.
        let numerator = u128::from(self.mantissa) << 63;
        let divisor_wide = u128::from(divisor.mantissa);
        let (mut quotient, mut remainder) = (numerator / divisor_wide, numerator % divisor_wide);
        for _ in 0..3 {
            remainder <<= 1;
            let bit = u128::from(remainder >= divisor_wide);
            quotient = quotient << 1 | bit;
            remainder -= bit * divisor_wide;
        }
        let exponent = self.exponent.saturating_sub(divisor.exponent).saturating_sub(66);
        Float::rounded(negative, quotient << 1 | u128::from(remainder != 0), exponent - 1, false)
    }

    /// The sum.
    #[must_use]
    pub fn sum(self, other: Float) -> Float {
        match (self.mantissa, other.mantissa) {
            (0, 0) => return Float { negative: self.negative && other.negative, ..Float::ZERO },
            (_, 0) => return self,
            (0, _) => return other,
            _ => {}
        }
        let (big, small) =
            if self.compare_magnitude(&other) == Ordering::Less { (other, self) } else { (self, other) };
        let distance = big.exponent.saturating_sub(small.exponent);
        // Room for a carry above, and for guard bits below.
        let high = u128::from(big.mantissa) << 62;
        let wide = u128::from(small.mantissa) << 62;
        let (low, sticky) = match u32::try_from(distance) {
            Ok(shift @ 0..=127) => (wide >> shift, (wide >> shift) << shift != wide),
            _ => (0, true),
        };
        let exponent = big.exponent.saturating_sub(62);
        if big.negative == small.negative {
            return Float::rounded(big.negative, (high + low) << 1 | u128::from(sticky), exponent - 1, false);
        }
        // What was cut off makes the difference smaller: borrow one unit, and let the last bit say that it is not all.
        let difference = if sticky { ((high - low - 1) << 1) | 1 } else { (high - low) << 1 };
        if difference == 0 {
            return Float::ZERO;
        }
        Float::rounded(big.negative, difference, exponent - 1, false)
    }

    /// The difference.
    #[must_use]
    pub fn difference(self, other: Float) -> Float {
        self.sum(other.negated())
    }

    fn compare_magnitude(&self, other: &Float) -> Ordering {
        match (self.mantissa, other.mantissa) {
            (0, 0) => Ordering::Equal,
            (0, _) => Ordering::Less,
            (_, 0) => Ordering::Greater,
            (a, b) => self.exponent.cmp(&other.exponent).then(a.cmp(&b)),
        }
    }

    /// The integer part, towards zero.
    #[must_use]
    pub fn truncated(&self) -> BigInt {
        let magnitude = match u32::try_from(self.exponent) {
            Ok(shift) => Magnitude::new(u128::from(self.mantissa)).shift_left(u64::from(shift)),
            Err(_) => Magnitude::new(u128::from(self.truncated_small())),
        };
        BigInt::new(self.negative, magnitude)
    }

    /// The magnitude of the integer part of a value below 2^64.
    pub(super) fn truncated_small(&self) -> u64 {
        match u32::try_from(self.exponent.saturating_neg()) {
            Ok(shift @ 0..=63) => self.mantissa >> shift,
            _ => 0,
        }
    }

    /// To the nearest integer, halves away from zero, as `round` has it: what is to be truncated then.
    #[must_use]
    pub fn half_further(self) -> Float {
        let half = Float::from_parts(self.negative, 1, -1);
        self.sum(half)
    }

    /// The number as OPA writes it: all digits where it is an integer, Go's shortest `%g` otherwise.
    #[must_use]
    pub fn to_number(&self) -> Number {
        if self.is_integer()
            && let (Some(int), false) = (self.truncated_i64(), self.is_zero() && self.negative)
        {
            return Number::from(int);
        }
        Number::from_checked_text(self.text(64))
    }

    /// The text of [`Self::to_number`] for the float, rounded to so many bits before: the shortest digits that tell it from
    /// its neighbours of as many bits.
    #[must_use]
    pub fn text(&self, bits: u32) -> String {
        shortest::format(self, bits)
    }
}

fn small_digits(decimal: &Decimal<'_>) -> Option<u64> {
    let mut mantissa = 0u64;
    for digit in decimal.digits() {
        mantissa = mantissa.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    Some(mantissa)
}

/// 5^n where it fits 64 bits.
fn power_of_five(n: u64) -> Option<u64> {
    5u64.checked_pow(u32::try_from(n).ok()?)
}

/// What needs more than 128 bits.
mod wide {
    use super::super::big::Magnitude;
    use super::Float;

    /// `mantissa × 2^exponent`.
    struct Wide {
        mantissa: Magnitude,
        exponent: i64,
    }

    impl Wide {
        fn times(&self, other: &Wide) -> Wide {
            let mantissa = self.mantissa.times(&other.mantissa);
            Wide { mantissa, exponent: self.exponent.saturating_add(other.exponent) }
        }

        /// Rounds to nearest even.
        fn round(self, bits: u64) -> Wide {
            let excess = self.mantissa.bits().saturating_sub(bits);
            if excess == 0 {
                return self;
            }
            let (halves, lost) = self.mantissa.shift_right(excess - 1);
            let (mut mantissa, half) = halves.shift_right(1);
            if half && (lost || mantissa.low() & 1 == 1) {
                mantissa.multiply_add(1, 1);
            }
            Wide { mantissa, exponent: self.exponent.saturating_add_unsigned(excess) }
        }

        /// The float nearest to it; `sticky` says that something below the last bit was cut off.
        fn finish(self, negative: bool, sticky: bool) -> Float {
            let excess = self.mantissa.bits().saturating_sub(128);
            let (mantissa, lost) = self.mantissa.shift_right(excess);
            let exponent = self.exponent.saturating_add_unsigned(excess);
            Float::rounded(negative, mantissa.low(), exponent, lost || sticky)
        }
    }

    /// 5^n, rounded as Go's `big.Float` does: 128 bits for the power, 192 for the square.
    fn power_of_five(n: u64) -> Wide {
        const TABLE_END: u32 = 27;
        let mut square = Wide { mantissa: Magnitude::new(5), exponent: 0 };
        let mut left = n.saturating_sub(u64::from(TABLE_END));
        let exact = if left == 0 { n as u32 } else { TABLE_END };
        let mut power = Wide { mantissa: Magnitude::new(1).times_five_to(exact), exponent: 0 };
        while left > 0 {
            if left & 1 == 1 {
                power = power.times(&square).round(128);
            }
            square = square.times(&square).round(192);
            left >>= 1;
        }
        power
    }

    pub(super) fn from_digits(negative: bool, mantissa: Magnitude, scale: i64) -> Float {
        let value = Wide { mantissa, exponent: scale };
        let power = power_of_five(scale.unsigned_abs());
        if scale >= 0 {
            return value.times(&power).finish(negative, false);
        }
        let shift = (power.mantissa.bits() + 66).saturating_sub(value.mantissa.bits());
        let (mantissa, rest) = value.mantissa.shift_left(shift).divide(&power.mantissa);
        let exponent = value.exponent.saturating_sub_unsigned(shift).saturating_sub(power.exponent);
        Wide { mantissa, exponent }.finish(negative, !rest.is_zero())
    }
}
