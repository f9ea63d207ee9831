//! Category units: amounts with SI and binary prefixes.

use num_bigint::{BigInt, BigUint};
use rego_value::{Number, NumberError, Value};

use crate::args::Args;
use crate::context::Context;
use crate::error::BuiltinError;

type Outcome = Result<Option<Value>, BuiltinError>;

/// The number at the beginning of a text and the unit after it. None when an exponent is too long.
fn split(text: &str) -> Option<(&str, &str)> {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'e' | b'E' => {
                let sign = matches!(bytes.get(at + 1), Some(b'+' | b'-'));
                if !sign && !digit(at + 1) {
                    break;
                }
                at += usize::from(sign);
                let length = bytes.iter().skip(at + 1).take_while(|byte| byte.is_ascii_digit()).count();
                if length > 6 {
                    return None;
                }
            }
            b'0'..=b'9' | b'.' | b'+' | b'-' => {}
            _ => break,
        }
        at += 1;
    }
    // A unit may begin in the middle of a character only if the text does.
    Some(text.split_at_checked(at).unwrap_or((text, "")))
}

/// What both functions check first: `name` is in every message.
fn amount<'a>(text: &'a str, name: &str) -> Result<(&'a str, &'a str), BuiltinError> {
    let error = |message: &str| BuiltinError::new(format!("{name}: {message}"));
    if text.contains(' ') {
        return Err(error("spaces not allowed in resource strings"));
    }
    let (number, unit) = split(text).ok_or_else(|| error("exponent too large"))?;
    if number.is_empty() {
        let missing = if name == "units.parse" { "no amount provided" } else { "no byte amount provided" };
        return Err(error(missing));
    }
    Ok((number, unit))
}

/// `units.parse_bytes`: whole bytes, in any case, `10MB`, `10MiB`, `10m`.
pub(crate) fn parse_bytes(_: &mut Context, args: &[Value]) -> Outcome {
    const NAME: &str = "units.parse_bytes";
    let text = Args(args).string(1)?.to_lowercase().replace('"', "");
    let (number, unit) = amount(&text, NAME)?;
    let (prefix, binary) = match unit.strip_suffix("ib").or_else(|| unit.strip_suffix('i')) {
        Some(prefix) => (prefix, true),
        None => (unit.strip_suffix('b').filter(|rest| !rest.is_empty()).unwrap_or(unit), false),
    };
    let power = ["k", "m", "g", "t", "p", "e"].iter().position(|known| *known == prefix);
    let factor: i64 = match power.and_then(|power| u32::try_from(power).ok()) {
        _ if unit.is_empty() => 1,
        Some(power) if binary => 1 << (10 * (power + 1)),
        Some(power) => 1000i64.pow(power + 1),
        None => return Err(BuiltinError::new(format!("{NAME}: byte unit {unit} not recognized"))),
    };
    let total = match Number::parse(number) {
        Ok(number) => Number::from(&number.to_float().product(Number::from(factor).to_float()).truncated()),
        Err(NumberError::TooBig) => beyond(number, factor)
            .ok_or_else(|| BuiltinError::new(format!("{NAME}: could not parse byte amount to a number")))?,
        Err(_) => return Err(BuiltinError::new(format!("{NAME}: could not parse byte amount to a number"))),
    };
    Ok(Some(Value::Number(total)))
}

/// Bytes of an amount whose exponent no number may have, but an amount may: as if of 64 bits and any exponent.
fn beyond(number: &str, factor: i64) -> Option<Number> {
    let (mantissa, scale) = decimal(number)?;
    // What is too small for a number is less than one byte.
    let Ok(scale) = u32::try_from(scale) else { return Some(Number::from(0)) };
    let amount = rounded(mantissa * BigInt::from(10).pow(scale));
    Number::parse(&rounded(amount * factor).to_string()).ok()
}

/// The nearest integer of which 64 bits are not zero in a row, halves to the even one.
fn rounded(exact: BigInt) -> BigInt {
    let Some(shift) = exact.bits().checked_sub(64).filter(|shift| *shift > 0) else { return exact };
    let (sign, magnitude) = exact.into_parts();
    let mut kept = &magnitude >> shift;
    let half = BigUint::from(1u8) << (shift - 1);
    let rest = magnitude - (&kept << shift);
    if rest > half || (rest == half && kept.bit(0)) {
        kept += 1u8;
    }
    BigInt::from_biguint(sign, kept << shift)
}

/// `units.parse`: `m` is milli and `M` mega; beyond the first letter case does not matter.
pub(crate) fn parse(_: &mut Context, args: &[Value]) -> Outcome {
    const NAME: &str = "units.parse";
    let text = Args(args).string(1)?.replace('"', "");
    let (number, unit) = amount(&text, NAME)?;
    let mut letters = unit.chars();
    // OPA parts the unit behind its first byte, which shows in its error.
    let first = match letters.next() {
        Some(letter) if !letter.is_ascii() => "\u{fffd}".repeat(letter.len_utf8()),
        letter => letter.into_iter().collect(),
    };
    let unit = first + &letters.as_str().to_lowercase();
    let (numerator, denominator) =
        factor(&unit).ok_or_else(|| BuiltinError::new(format!("{NAME}: unit {unit} not recognized")))?;
    let (mantissa, scale) = decimal(number)
        .ok_or_else(|| BuiltinError::new(format!("{NAME}: could not parse amount to a number")))?;
    let ten = BigInt::from(10);
    let exponent = u32::try_from(scale.unsigned_abs()).unwrap_or(u32::MAX);
    let (mut numerator, mut denominator) = (mantissa * numerator, denominator);
    if scale < 0 {
        denominator *= ten.pow(exponent);
    } else {
        numerator *= ten.pow(exponent);
    }
    let (whole, rest) = (&numerator / &denominator, &numerator % &denominator);
    if rest == BigInt::ZERO {
        return Ok(Some(crate::numbers::from_big(&whole)));
    }
    let text = ten_digits(&numerator, &denominator);
    let number = Number::parse(&text).map_err(|error| BuiltinError::new(error.to_string()))?;
    Ok(Some(Value::Number(number)))
}

/// A fraction with ten digits after the point, rounded half away from zero.
fn ten_digits(numerator: &BigInt, denominator: &BigInt) -> String {
    let negative = numerator < &BigInt::ZERO;
    let scaled = BigInt::from(numerator.magnitude().clone()) * BigInt::from(10_000_000_000i64);
    let rounded: BigInt = (scaled * 2 + denominator) / (denominator * 2);
    let digits = format!("{:0>11}", rounded.to_string());
    let (whole, fraction) = digits.split_at(digits.len() - 10);
    format!("{}{whole}.{fraction}", if negative { "-" } else { "" })
}

/// A prefix as a fraction. A thousandth is the nearest double, as in OPA.
fn factor(unit: &str) -> Option<(BigInt, BigInt)> {
    if unit == "m" {
        // 0.001 is 1152921504606847 / 2^60.
        return Some((BigInt::from(1_152_921_504_606_847i64), BigInt::from(1i64 << 60)));
    }
    let lower = unit.to_lowercase();
    let (prefix, binary) = match lower.strip_suffix('i') {
        Some(prefix) => (prefix, true),
        None => (lower.as_str(), false),
    };
    if unit.is_empty() {
        return Some((BigInt::from(1), BigInt::from(1)));
    }
    let power =
        u32::try_from(["k", "m", "g", "t", "p", "e"].iter().position(|known| *known == prefix)?).ok()?;
    let size: i64 = if binary { 1 << (10 * (power + 1)) } else { 1000i64.pow(power + 1) };
    Some((BigInt::from(size), BigInt::from(1)))
}

/// A decimal number as an integer and a power of ten.
fn decimal(text: &str) -> Option<(BigInt, i64)> {
    // The form; an exponent has six digits at most, which `split` saw to.
    if let Err(NumberError::Syntax) = Number::parse(text) {
        return None;
    }
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: BigInt = format!("{whole}{fraction}").parse().ok()?;
    let exponent: i64 = exponent.parse().ok()?;
    Some((digits, exponent - i64::try_from(fraction.len()).ok()?))
}
