//! Category numbers, as far as the host does it.

use num_bigint::{BigInt, Sign};
use rego_value::{Number, Value};

use crate::args::Args;
use crate::bounds::{MOST_VALUES, Steps, too_many};
use crate::context::Context;
use crate::error::BuiltinError;

type Outcome = Result<Option<Value>, BuiltinError>;

/// The value of a number, if it is an integer.
pub(crate) fn to_big(number: &Number) -> Option<BigInt> {
    // Most are written as integers; the crate reads long ones faster than `rego-value`, which is made for modules.
    number.text().parse().ok().or_else(|| {
        let int = number.to_bigint()?;
        Some(BigInt::from_slice(if int.is_negative() { Sign::Minus } else { Sign::Plus }, int.limbs()))
    })
}

/// An integer as a number.
pub(crate) fn from_big(int: &BigInt) -> Value {
    Number::parse(&int.to_string()).map_or(Value::Null, Value::Number)
}

fn big(args: Args<'_>, position: usize) -> Result<BigInt, BuiltinError> {
    let value = args.value(position)?;
    let number = value.as_number().ok_or_else(|| crate::args::wrong_type(position, value, &["integer"]))?;
    to_big(number).ok_or_else(|| {
        BuiltinError::operand(position, "must be integer number but got floating-point number")
    })
}

/// `numbers.range_step`
pub(crate) fn range_step(context: &mut Context, args: &[Value]) -> Outcome {
    let args = Args(args);
    let (from, to, step) = (big(args, 1)?, big(args, 2)?, big(args, 3)?);
    if step.sign() != Sign::Plus {
        return Err(BuiltinError::new("numbers.range_step: step must be a positive integer"));
    }
    let down = from > to;
    let mut next = from;
    let (mut items, mut steps) = (Vec::new(), Steps::new(context));
    while if down { next >= to } else { next <= to } {
        if items.len() == MOST_VALUES {
            return Err(too_many());
        }
        steps.step()?;
        items.push(from_big(&next));
        if down {
            next -= &step;
        } else {
            next += &step;
        }
    }
    Ok(Some(Value::array(items)))
}

/// `rand.intn`: the same number for the same text and limit within one evaluation.
pub(crate) fn rand_intn(context: &mut Context, args: &[Value]) -> Outcome {
    let args = Args(args);
    let (text, limit) = (args.string(1)?, args.int(2)?.unsigned_abs());
    if limit == 0 {
        return Ok(Some(Value::from(0)));
    }
    let number = context.once(format!("rand.intn {text}-{limit}"), |context| {
        // The high half of a product is uniform but for one part in 2^64 / limit.
        let scaled = (u128::from(context.random()) * u128::from(limit)) >> 64;
        Value::from(i64::try_from(scaled).unwrap_or(i64::MAX))
    });
    Ok(Some(number))
}
