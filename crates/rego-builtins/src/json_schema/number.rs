//! Numbers as the library compares and prints them: exact decimals, Go's doubles, and Go's big floats.

use num_bigint::BigInt;
use rego_value::json::{Escape, write_string};
use rego_value::{Number, Value};

/// A number as an integer times a power of ten; none where the exponent is beyond anything sensible.
fn decimal(number: &Number) -> Option<(BigInt, i64)> {
    let text = number.text();
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((&text, "0"));
    let exponent: i64 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: BigInt = format!("{whole}{fraction}").parse().ok()?;
    let exponent = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?;
    (exponent.unsigned_abs() < 1_000_000).then_some((digits, exponent))
}

/// Whether a number is a whole multiple of another one, which is greater than zero.
pub(super) fn is_multiple(number: &Number, of: &Number) -> bool {
    let (Some((ours, our_exponent)), Some((theirs, their_exponent))) = (decimal(number), decimal(of)) else {
        return false;
    };
    let zero = BigInt::from(0);
    if ours == zero || theirs == zero {
        return ours == zero;
    }
    let ten = BigInt::from(10);
    match our_exponent - their_exponent {
        shift @ 0.. => (ours * ten.modpow(&BigInt::from(shift), &theirs)) % theirs == zero,
        // A number with fewer digits than there are zeros to divide by is no multiple.
        shift if shift.unsigned_abs() > ours.bits() => false,
        shift => {
            let power = u32::try_from(shift.unsigned_abs()).unwrap_or(u32::MAX);
            ours % (theirs * ten.pow(power)) == zero
        }
    }
}

/// The number as Go prints a big float of it: the shortest digits, with an exponent from a million on.
pub(super) fn big_float_text(number: &Number) -> String {
    let Some((digits, exponent)) = decimal(number) else { return number.text().into_owned() };
    let text = digits.to_string();
    let (sign, all) = text.strip_prefix('-').map_or(("", text.as_str()), |digits| ("-", digits));
    let significant = all.trim_end_matches('0');
    if significant.is_empty() {
        return "0".to_owned();
    }
    // The position of the point, counted from the first digit.
    let point = exponent + i64::try_from(all.len()).unwrap_or(i64::MAX);
    let scientific = point - 1;
    if !(-4..6).contains(&scientific) {
        let (first, rest) = significant.split_at(1);
        let rest = if rest.is_empty() { String::new() } else { format!(".{rest}") };
        let (mark, size) = if scientific < 0 { ('-', -scientific) } else { ('+', scientific) };
        return format!("{sign}{first}{rest}e{mark}{size:02}");
    }
    let count = i64::try_from(significant.len()).unwrap_or(i64::MAX);
    let zeros = |count: i64| "0".repeat(usize::try_from(count).unwrap_or_default());
    if point <= 0 {
        return format!("{sign}0.{}{significant}", zeros(-point));
    }
    if point >= count {
        return format!("{sign}{significant}{}", zeros(point - count));
    }
    let (whole, fraction) = significant.split_at(usize::try_from(point).unwrap_or_default());
    format!("{sign}{whole}.{fraction}")
}

/// A value's JSON text with numbers as doubles, by which the library tells whether two values are equal: `1.0` is `1`,
/// and integers beyond 2^53 run together.
pub(super) fn canonical(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

/// INVARIANT: values are no deeper than [`super::MOST_NESTED`].
fn write(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&double_text(number)),
        Value::String(text) => write_string(text, Escape::Html, out),
        Value::Array(items) => {
            out.push('[');
            for (position, item) in items.iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            for (position, (key, member)) in members.iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                write_string(key.as_str().unwrap_or_default(), Escape::Html, out);
                out.push(':');
                write(member, out);
            }
            out.push('}');
        }
        Value::Set(_) => {}
    }
}

/// The nearest double as Go's `encoding/json` writes it.
fn double_text(number: &Number) -> String {
    let double = number.as_f64();
    if !double.is_finite() {
        return number.text().into_owned();
    }
    if double != 0.0 && !(1e-6..1e21).contains(&double.abs()) {
        let text = format!("{double:e}");
        return match text.split_once("e-") {
            Some(_) => text,
            None => text.replace('e', "e+"),
        };
    }
    format!("{double}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::parse(text).unwrap()
    }

    #[test]
    fn multiples_are_exact() {
        for (value, of, expected) in [
            ("0.3", "0.1", true),
            ("1e30", "7", false),
            ("1e20", "5", true),
            ("-9", "3", true),
            ("0.35", "0.1", false),
            ("0", "0.01", true),
        ] {
            assert_eq!(is_multiple(&number(value), &number(of)), expected, "{value} {of}");
        }
    }

    #[test]
    fn numbers_are_printed_as_go_does() {
        for (value, big, double) in [
            ("1000000", "1e+06", "1000000"),
            ("100000", "100000", "100000"),
            ("0.1", "0.1", "0.1"),
            ("-12.50", "-12.5", "-12.5"),
            ("0.00001", "1e-05", "0.00001"),
            ("1e21", "1e+21", "1e+21"),
            ("1.5e-7", "1.5e-07", "1.5e-7"),
            ("0.0", "0", "0"),
        ] {
            assert_eq!(big_float_text(&number(value)), big);
            assert_eq!(double_text(&number(value)), double);
        }
    }
}
