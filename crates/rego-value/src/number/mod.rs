//! Exact numbers.
//!
//! OPA keeps a number as the text it was written as, compares by value, and computes on the narrowest of an integer,
//! a big integer and a binary float of 64 mantissa bits. So does this: [`Number`] is an `i64` where the text is the
//! plain decimal form of one, and the text itself otherwise. What is computed with, [`BigInt`] and [`Float`], is made for
//! modules: of little code, and without the standard library's formatting.

mod big;
mod decimal;
mod float;
mod shortest;
mod wide;

pub use big::BigInt;
pub use decimal::Decimal;
pub use float::Float;
pub use wide::{Computed, Incomputable, Num, Operation, compute};

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};

/// OPA's limit on the binary exponent of a number: beyond it, it is refused.
pub const MAX_BINARY_EXPONENT: i64 = 100_000;

/// An exact number that keeps the text it was written as.
#[derive(Clone)]
pub struct Number(Repr);

#[derive(Clone)]
enum Repr {
    /// Written as the plain decimal form of an `i64`.
    Int(i64),
    /// Anything else; the text has been checked by [`Decimal::parse`].
    Text(Arc<str>),
}

/// Why a text is not a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberError {
    /// It does not have the form of a decimal number.
    Syntax,
    /// Its exponent is beyond [`MAX_BINARY_EXPONENT`].
    TooBig,
}

impl fmt::Display for NumberError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NumberError::Syntax => "invalid float",
            NumberError::TooBig => "number too big",
        })
    }
}

impl core::error::Error for NumberError {}

impl Number {
    /// Reads `[sign] digits [. digits] [e [sign] digits]`, where one side of the point may be empty.
    ///
    /// # Errors
    /// Another form; or an exponent form beyond [`MAX_BINARY_EXPONENT`]. As in OPA, a plain row of digits may be as
    /// long as it likes here.
    pub fn parse(text: &str) -> Result<Number, NumberError> {
        if let Some(int) = plain_i64(text.as_bytes()) {
            return Ok(Number(Repr::Int(int)));
        }
        Number::check_text(text)?;
        Ok(Number(Repr::Text(Arc::from(text))))
    }

    /// The same for a number in a policy's text, where OPA refuses a long row of digits as well.
    ///
    /// # Errors
    /// Another form, or a magnitude beyond [`MAX_BINARY_EXPONENT`].
    pub fn parse_literal(text: &str) -> Result<Number, NumberError> {
        let number = Number::parse(text)?;
        number.decimal_with(|decimal| decimal.check_magnitude())?;
        Ok(number)
    }

    /// The number as OPA prints it.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        match &self.0 {
            Repr::Int(int) => Cow::Owned(int.to_string()),
            Repr::Text(text) => Cow::Borrowed(text),
        }
    }

    /// The integer, if the number is one by value (`1.0` and `1e2` are) and fits.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match &self.0 {
            Repr::Int(int) => Some(*int),
            Repr::Text(text) => Decimal::parse(text)?.to_i64(),
        }
    }

    /// The integer, if the number is written plainly as one.
    #[must_use]
    pub fn as_plain_int(&self) -> Option<i64> {
        match self.0 {
            Repr::Int(int) => Some(int),
            Repr::Text(_) => None,
        }
    }

    /// The integer as OPA's operands of integer type read it: `1` and `1.0`, but not `1e0`.
    #[must_use]
    pub fn as_int_operand(&self) -> Option<i64> {
        match &self.0 {
            Repr::Int(int) => Some(*int),
            Repr::Text(text) => int_operand(text),
        }
    }

    /// The nearest double; infinite where it is out of range.
    #[must_use]
    pub fn as_f64(&self) -> f64 {
        match &self.0 {
            #[expect(clippy::cast_precision_loss, reason = "the nearest double is what is asked for")]
            Repr::Int(int) => *int as f64,
            Repr::Text(text) => text.parse().unwrap_or(f64::NAN),
        }
    }

    /// Whether the value is an integer.
    #[must_use]
    pub fn is_integer(&self) -> bool {
        matches!(self.0, Repr::Int(_)) || self.decimal_with(|decimal| decimal.is_integer())
    }

    /// The value as a big integer, if it is an integer.
    #[must_use]
    pub fn to_bigint(&self) -> Option<BigInt> {
        match &self.0 {
            Repr::Int(int) => Some(BigInt::from(*int)),
            Repr::Text(text) => Decimal::parse(text)?.to_bigint(),
        }
    }

    /// The value as OPA's binary float of 64 mantissa bits.
    #[must_use]
    pub fn to_float(&self) -> Float {
        match &self.0 {
            Repr::Int(int) => Float::from_i64(*int),
            Repr::Text(text) => {
                Decimal::parse(text).map_or(Float::ZERO, |decimal| Float::from_decimal(&decimal))
            }
        }
    }

    /// A double as OPA turns it into a number: the shortest digits that read back as it, in Go's `%g`.
    ///
    /// # Errors
    /// Infinities and NaN.
    pub fn from_f64(value: f64) -> Result<Number, NumberError> {
        if !value.is_finite() {
            return Err(NumberError::TooBig);
        }
        Number::parse(&shortest::format_f64(value))
    }

    /// Checks a text as [`Number::parse`] does, and gives its parts without keeping it.
    ///
    /// # Errors
    /// As [`Number::parse`].
    pub fn check_text(text: &str) -> Result<Decimal<'_>, NumberError> {
        let decimal = Decimal::parse(text).ok_or(NumberError::Syntax)?;
        if decimal.has_exponent() {
            decimal.check_magnitude()?;
        }
        Ok(decimal)
    }

    /// A number out of a module: of any magnitude, as arithmetic may give one beyond the limit for texts.
    #[must_use]
    pub fn from_module(text: &str) -> Option<Number> {
        Decimal::parse(text)?;
        Some(Number::from_checked_text(String::from(text)))
    }

    /// A number whose text is known to have the right form: what arithmetic produces.
    pub(crate) fn from_checked_text(text: String) -> Number {
        match plain_i64(text.as_bytes()) {
            Some(int) => Number(Repr::Int(int)),
            None => Number(Repr::Text(Arc::from(text))),
        }
    }

    fn decimal_with<R>(&self, read: impl FnOnce(&Decimal<'_>) -> R) -> R {
        match &self.0 {
            Repr::Int(int) => read(&Decimal::parse(&int.to_string()).unwrap_or(Decimal::ZERO)),
            Repr::Text(text) => read(&Decimal::parse(text).unwrap_or(Decimal::ZERO)),
        }
    }

    /// The hash that [`crate::abi`] gives to the number: equal numbers have equal ones.
    #[must_use]
    pub fn hash32(&self) -> u32 {
        match &self.0 {
            Repr::Int(int) => crate::abi::hash_int(*int),
            Repr::Text(text) => Decimal::parse(text).unwrap_or(Decimal::ZERO).hash32(),
        }
    }
}

/// [`Number::as_int_operand`] of a text.
#[must_use]
pub fn int_operand(text: &str) -> Option<i64> {
    let decimal = Decimal::parse(text)?;
    let significant = text.strip_prefix(['+', '-']).unwrap_or(text).len();
    if decimal.has_exponent() || significant > 19 { None } else { decimal.to_i64() }
}

/// The text of an `i64` in the form in which we would print it; anything else is kept as text.
pub fn plain_i64(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    match digits {
        [b'0'] => return if negative { None } else { Some(0) },
        [b'1'..=b'9', ..] if digits.len() <= 19 => {}
        _ => return None,
    }
    let mut magnitude: u64 = 0;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        // Nineteen digits fit a u64.
        magnitude = magnitude.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
    }
    if negative { 0i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
}

impl From<i64> for Number {
    fn from(int: i64) -> Self {
        Number(Repr::Int(int))
    }
}

impl From<&BigInt> for Number {
    fn from(int: &BigInt) -> Self {
        Number::from_checked_text(int.to_radix(10))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number {}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            (Repr::Int(a), Repr::Int(b)) => a.cmp(b),
            (Repr::Text(a), Repr::Text(b)) if a == b => Ordering::Equal,
            _ => self.decimal_with(|a| other.decimal_with(|b| a.compare(b))),
        }
    }
}

impl Hash for Number {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u32(self.hash32());
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Int(int) => int.fmt(f),
            Repr::Text(text) => f.write_str(text),
        }
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
