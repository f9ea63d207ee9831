//! Arithmetic with OPA's results: exact on integers of any size, binary floats of 64 mantissa bits otherwise.

use super::{Float, Number, Repr};
use core::fmt;
use num_bigint::BigInt;

/// Why an operation has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArithmeticError {
    /// Division by any form of zero.
    DivideByZero,
    /// Remainder by any form of zero.
    ModuloByZero,
    /// Remainder of something that is no integer.
    ModuloOnFloat,
}

impl ArithmeticError {
    /// OPA's text.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            ArithmeticError::DivideByZero => "divide by zero",
            ArithmeticError::ModuloByZero => "modulo by zero",
            ArithmeticError::ModuloOnFloat => "modulo on floating-point number",
        }
    }
}

impl fmt::Display for ArithmeticError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl core::error::Error for ArithmeticError {}

impl Number {
    /// The sum.
    #[must_use]
    pub fn plus(&self, other: &Number) -> Number {
        self.combine(other, i64::checked_add, |a, b| a + b, Float::sum)
    }

    /// The difference.
    #[must_use]
    pub fn minus(&self, other: &Number) -> Number {
        self.combine(other, i64::checked_sub, |a, b| a - b, Float::difference)
    }

    /// The product.
    #[must_use]
    pub fn times(&self, other: &Number) -> Number {
        self.combine(other, i64::checked_mul, |a, b| a * b, Float::product)
    }

    /// The quotient: exact where the divisor divides, a float otherwise.
    ///
    /// # Errors
    /// A zero divisor.
    pub fn divided_by(&self, other: &Number) -> Result<Number, ArithmeticError> {
        if let (Some(a), Some(b)) = (self.as_small_int(), other.as_small_int()) {
            // A zero dividend is left to the floats, whose zero has a sign.
            match a.checked_rem(b) {
                Some(0) if a != 0 => return Ok(Number::from(a / b)),
                None if b == 0 => return Err(ArithmeticError::DivideByZero),
                _ => {}
            }
        }
        let divisor = other.to_float();
        if divisor.is_zero() {
            return Err(ArithmeticError::DivideByZero);
        }
        Ok(self.to_float().quotient(divisor).to_number())
    }

    /// The remainder, with the dividend's sign.
    ///
    /// # Errors
    /// A zero divisor, or an operand that is no integer.
    pub fn remainder(&self, other: &Number) -> Result<Number, ArithmeticError> {
        if let (Some(a), Some(b)) = (self.as_i64(), other.as_i64()) {
            if b == 0 {
                return Err(ArithmeticError::ModuloByZero);
            }
            return Ok(Number::from(a.wrapping_rem(b)));
        }
        let (Some(a), Some(b)) = (self.to_bigint(), other.to_bigint()) else {
            return Err(ArithmeticError::ModuloOnFloat);
        };
        if b == BigInt::ZERO {
            return Err(ArithmeticError::ModuloByZero);
        }
        Ok(Number::from(&(a % b)))
    }

    /// Without the sign. As in OPA, what does not fit 64 bits is rounded to a float.
    #[must_use]
    pub fn abs(&self) -> Number {
        match self.as_small_int() {
            Some(int) => int.checked_abs().map_or_else(|| self.to_float().abs().to_number(), Number::from),
            None => self.to_float().abs().to_number(),
        }
    }

    /// To the nearest integer, halves away from zero.
    #[must_use]
    pub fn round(&self) -> Number {
        self.to_integer(|float| float.half_further().truncated())
    }

    /// To the integer above. As in OPA, a value between -1 and 0 gives 1.
    #[must_use]
    pub fn ceil(&self) -> Number {
        self.to_integer(|float| {
            let truncated = float.truncated();
            if truncated < BigInt::ZERO || float.is_integer() { truncated } else { truncated + 1 }
        })
    }

    /// To the integer below. As in OPA, a value between -1 and 0 gives 0.
    #[must_use]
    pub fn floor(&self) -> Number {
        self.to_integer(|float| {
            let truncated = float.truncated();
            if truncated >= BigInt::ZERO || float.is_integer() { truncated } else { truncated - 1 }
        })
    }

    /// The sum of many: exact where all are integers, a float's otherwise.
    #[must_use]
    pub fn sum(numbers: &[Number]) -> Number {
        match exact(numbers, BigInt::ZERO, |total, number| total + number) {
            Some(total) => Number::from(&total),
            None => {
                numbers.iter().fold(Float::ZERO, |total, number| total.sum(number.to_float())).to_number()
            }
        }
    }

    /// The product of many: exact where all are integers, otherwise that of floats, rounded to 53 bits as OPA does here.
    #[must_use]
    pub fn product(numbers: &[Number]) -> Number {
        match exact(numbers, BigInt::from(1), |total, number| total * number) {
            Some(total) => Number::from(&total),
            None => numbers
                .iter()
                .fold(Float::from_i64(1), |total, number| total.product_double(number.to_float()))
                .to_number_double(),
        }
    }

    fn to_integer(&self, through: impl FnOnce(Float) -> BigInt) -> Number {
        match self.as_small_int() {
            Some(int) => Number::from(int),
            None => Number::from(&through(self.to_float())),
        }
    }

    /// The integer of what is written as one, a point and zeros allowed: what OPA's fast path takes.
    fn as_small_int(&self) -> Option<i64> {
        match self.0 {
            Repr::Int(int) => Some(int),
            Repr::Text(_) => self.as_int_operand(),
        }
    }

    /// Generic, and not by pointers: a module without multiplication then need not hold it.
    fn combine(
        &self,
        other: &Number,
        small: impl FnOnce(i64, i64) -> Option<i64>,
        exact: impl FnOnce(BigInt, BigInt) -> BigInt,
        float: impl FnOnce(Float, Float) -> Float,
    ) -> Number {
        if let (Some(a), Some(b)) = (self.as_i64(), other.as_i64())
            && let Some(result) = small(a, b)
        {
            return Number::from(result);
        }
        if let (Some(a), Some(b)) = (self.to_bigint(), other.to_bigint()) {
            return Number::from(&exact(a, b));
        }
        float(self.to_float(), other.to_float()).to_number()
    }
}

/// Folds integers; `None` where one is none.
fn exact(numbers: &[Number], start: BigInt, combine: impl Fn(BigInt, BigInt) -> BigInt) -> Option<BigInt> {
    numbers.iter().try_fold(start, |total, number| Some(combine(total, number.to_bigint()?)))
}
