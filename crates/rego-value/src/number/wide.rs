//! Numbers beyond 64 bits, as they take part in a computation: one description for modules that carry it out themselves
//! and for our engine, which does so for those that leave it to their host.

use super::{BigInt, Decimal, Float, int_operand, plain_i64};
use alloc::borrow::Cow;
use alloc::string::String;
use core::cmp::Ordering;

/// What a number is made of.
#[derive(Clone, Copy, Debug)]
pub enum Num<'a> {
    /// An integer of 64 bits.
    Int(i64),
    /// What arithmetic gave.
    Float(Float),
    /// Anything else: its text.
    Text(&'a str),
}

/// What can be computed. The number of one is what a module gives to its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// The sum.
    Plus = 0,
    /// The difference.
    Minus = 1,
    /// The product.
    Times = 2,
    /// The quotient of floats.
    Quotient = 3,
    /// The remainder of integers, with the dividend's sign.
    Remainder = 4,
    /// The first operand without its sign, rounded to a float.
    Abs = 5,
    /// The first operand to the nearest integer, halves away from zero.
    Round = 6,
    /// The first operand to the integer above. As in OPA, what lies between -1 and 0 gives 1: what truncates to zero
    /// counts as positive.
    Ceil = 7,
    /// The first operand to the integer below. As in OPA, what lies between -1 and 0 gives 0.
    Floor = 8,
    /// The first operand as an integer of 64 bits, if it is written as one: `1.0`, not `1e0`.
    Integer = 9,
}

impl Operation {
    /// The operation of a number.
    #[must_use]
    pub fn by_number(number: u32) -> Option<Operation> {
        use Operation::{Abs, Ceil, Floor, Integer, Minus, Plus, Quotient, Remainder, Round, Times};
        let all = [Plus, Minus, Times, Quotient, Remainder, Abs, Round, Ceil, Floor, Integer];
        all.into_iter().find(|operation| *operation as u32 == number)
    }

    /// The built-in function whose it is; [`Operation::Integer`] is no function's.
    #[must_use]
    pub fn builtin(self) -> &'static str {
        match self {
            Operation::Plus => "plus",
            Operation::Minus => "minus",
            Operation::Times => "mul",
            Operation::Quotient => "div",
            Operation::Remainder => "rem",
            Operation::Abs => "abs",
            Operation::Round => "round",
            Operation::Ceil => "ceil",
            Operation::Floor => "floor",
            Operation::Integer => "",
        }
    }

    /// Whether it has a second operand.
    #[must_use]
    pub fn is_binary(self) -> bool {
        use Operation::{Minus, Plus, Quotient, Remainder, Times};
        matches!(self, Plus | Minus | Times | Quotient | Remainder)
    }
}

/// What a computation comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Computed {
    /// An integer of 64 bits.
    Int(i64),
    /// A float that is kept as one: [`Float::is_kept`] holds.
    Float(Float),
    /// The text of any other number.
    Text(String),
}

/// Why a computation has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incomputable {
    /// An operand has to be an integer and is none.
    NotInteger,
    /// The divisor is zero.
    DivisionByZero,
}

impl Incomputable {
    /// What OPA says of it, behind the function's name.
    #[must_use]
    pub fn message(self, operation: Operation) -> &'static str {
        match (self, operation) {
            (Self::DivisionByZero, Operation::Quotient) => "divide by zero",
            (Self::DivisionByZero, _) => "modulo by zero",
            (Self::NotInteger, _) => "modulo on floating-point number",
        }
    }
}

impl<'a> Num<'a> {
    /// The number as OPA computes with it where it is no integer.
    #[must_use]
    pub fn to_float(self) -> Float {
        match self {
            Num::Int(int) => Float::from_i64(int),
            Num::Float(float) => float,
            Num::Text(text) => {
                Decimal::parse(text).map_or(Float::ZERO, |decimal| Float::from_decimal(&decimal))
            }
        }
    }

    /// The integer, if it is one.
    #[must_use]
    pub fn to_big(self) -> Option<BigInt> {
        match self {
            Num::Int(int) => Some(BigInt::from(int)),
            // Never an integer.
            Num::Float(_) => None,
            Num::Text(text) => Decimal::parse(text)?.to_bigint(),
        }
    }

    /// The integer of 64 bits, if it is written as one: `1.0`, not `1e0`.
    fn to_i64(self) -> Option<i64> {
        match self {
            Num::Int(int) => Some(int),
            // Never an integer.
            Num::Float(_) => None,
            Num::Text(text) => int_operand(text),
        }
    }

    /// Whether it is an integer.
    fn is_integer(self) -> bool {
        match self {
            Num::Int(_) => true,
            Num::Float(_) => false,
            Num::Text(text) => Decimal::parse(text).is_some_and(|decimal| decimal.is_integer()),
        }
    }

    /// The text as OPA writes it.
    #[must_use]
    pub fn text(self) -> Cow<'a, str> {
        match self {
            Num::Int(int) => Cow::Owned(BigInt::from(int).to_radix(10)),
            Num::Float(float) => Cow::Owned(float.text(64)),
            Num::Text(text) => Cow::Borrowed(text),
        }
    }

    /// The order by value.
    #[must_use]
    pub fn compare(self, other: Num<'_>) -> Ordering {
        match (self, other) {
            (Num::Int(a), Num::Int(b)) => a.cmp(&b),
            // The decimal number that a float stands for lies nearer to it than to any other float, and no integer is
            // between the two: so the floats' order is the numbers'.
            (Num::Float(a), Num::Float(b)) => a.compare(&b),
            (Num::Float(a), Num::Int(b)) => a.compare(&Float::from_i64(b)),
            (Num::Int(a), Num::Float(b)) => Float::from_i64(a).compare(&b),
            _ => {
                let (a, b) = (self.text(), other.text());
                decimal(&a).compare(&decimal(&b))
            }
        }
    }

    /// The hash that [`crate::abi`] gives to it.
    #[must_use]
    pub fn hash32(self) -> u32 {
        match self {
            Num::Int(int) => crate::abi::hash_int(int),
            _ => decimal(&self.text()).hash32(),
        }
    }

    /// At most so many decimal places, and zeros before and behind the point, has the exact value.
    #[must_use]
    pub fn places(self) -> u64 {
        match self {
            Num::Int(_) => 20,
            Num::Float(float) => float.parts().1.unsigned_abs().saturating_add(64),
            Num::Text(text) => {
                let scale = Decimal::parse(text).map_or(0, |decimal| decimal.scale().unsigned_abs());
                scale.saturating_add(text.len() as u64)
            }
        }
    }
}

fn decimal(text: &str) -> Decimal<'_> {
    Decimal::parse(text).unwrap_or(Decimal::ZERO)
}

impl Computed {
    /// An integer of any size.
    #[must_use]
    pub fn integer(int: &BigInt) -> Computed {
        Computed::number(int.to_radix(10))
    }

    /// A number from a text that is one.
    #[must_use]
    pub fn number(text: String) -> Computed {
        match plain_i64(text.as_bytes()) {
            Some(int) => Computed::Int(int),
            None => Computed::Text(text),
        }
    }

    /// What arithmetic gave; where it can be kept, its text waits until somebody asks for it.
    #[must_use]
    pub fn float(float: Float) -> Computed {
        if float.is_kept() { Computed::Float(float) } else { Computed::rounded(float, 64) }
    }

    /// The number that OPA writes for a float, rounded to so many bits before.
    #[cold]
    #[must_use]
    pub fn rounded(float: Float, bits: u32) -> Computed {
        // An integer of more bits than are looked at is written with zeros at its end.
        if float.is_integer()
            && let (Some(int), false) = (float.truncated_i64(), float.is_zero() && float.is_negative())
            && int.unsigned_abs().checked_shr(bits).is_none_or(|rest| rest == 0)
        {
            return Computed::Int(int);
        }
        Computed::number(float.text(bits))
    }
}

/// Carries out an operation on numbers, whatever their size. Operations on one number do not look at the second.
///
/// # Errors
/// See [`Incomputable`].
pub fn compute(operation: Operation, x: Num<'_>, y: Num<'_>) -> Result<Computed, Incomputable> {
    let integer = || Ok((big(x)?, big(y)?));
    match operation {
        Operation::Plus if are_integers(x, y) => integer().map(|(x, y)| Computed::integer(&x.plus(&y))),
        Operation::Minus if are_integers(x, y) => integer().map(|(x, y)| Computed::integer(&x.minus(&y))),
        Operation::Times if are_integers(x, y) => integer().map(|(x, y)| Computed::integer(&x.times(&y))),
        Operation::Plus => Ok(Computed::float(x.to_float().sum(y.to_float()))),
        Operation::Minus => Ok(Computed::float(x.to_float().difference(y.to_float()))),
        Operation::Times => Ok(Computed::float(x.to_float().product(y.to_float()))),
        Operation::Quotient => {
            let divisor = y.to_float();
            if divisor.is_zero() {
                return Err(Incomputable::DivisionByZero);
            }
            Ok(Computed::float(x.to_float().quotient(divisor)))
        }
        Operation::Remainder => {
            let (x, y) = integer()?;
            if y.is_zero() {
                return Err(Incomputable::DivisionByZero);
            }
            Ok(Computed::integer(&x.remainder(&y)))
        }
        Operation::Abs => Ok(match x.to_i64().and_then(i64::checked_abs) {
            Some(int) => Computed::Int(int),
            None => Computed::float(x.to_float().abs()),
        }),
        Operation::Round | Operation::Ceil | Operation::Floor if let Some(int) = x.to_i64() => {
            Ok(Computed::Int(int))
        }
        Operation::Round => Ok(stepped(x.to_float().half_further(), 0)),
        Operation::Ceil => {
            let float = x.to_float();
            let up = !float.is_integer() && (!float.is_negative() || float.truncated_i64() == Some(0));
            Ok(stepped(float, i64::from(up)))
        }
        Operation::Floor => {
            let float = x.to_float();
            let down = !float.is_integer() && float.is_negative() && float.truncated_i64() != Some(0);
            Ok(stepped(float, -i64::from(down)))
        }
        Operation::Integer => x.to_i64().map(Computed::Int).ok_or(Incomputable::NotInteger),
    }
}

fn are_integers(x: Num<'_>, y: Num<'_>) -> bool {
    x.is_integer() && y.is_integer()
}

fn big(number: Num<'_>) -> Result<BigInt, Incomputable> {
    number.to_big().ok_or(Incomputable::NotInteger)
}

/// The integer part, and a step from it.
fn stepped(float: Float, step: i64) -> Computed {
    match float.truncated_i64().and_then(|int| int.checked_add(step)) {
        Some(int) => Computed::Int(int),
        None => Computed::integer(&float.truncated().plus(&BigInt::from(step))),
    }
}
