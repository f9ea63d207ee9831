//! Durations: `1h15m30.918s`, and with days, weeks and years, which Go does not have.

use super::{leading_int, quote};

const UNITS: [(&[u8], u64); 8] = [
    (b"ns", 1),
    (b"us", 1_000),
    ("µs".as_bytes(), 1_000),
    ("μs".as_bytes(), 1_000),
    (b"ms", 1_000_000),
    (b"s", 1_000_000_000),
    (b"m", 60_000_000_000),
    (b"h", 3_600_000_000_000),
];

/// Nanoseconds of a duration. Fails with Go's words.
pub(crate) fn parse_duration(text: &str) -> Result<i64, String> {
    if text.is_empty() || !text.contains(['d', 'w', 'y']) {
        return parse_standard(text.as_bytes());
    }
    let invalid = || format!("time: invalid duration {}", crate::gofmt::quote(text));
    let rewritten = in_hours(text).ok_or_else(invalid)?;
    parse_standard(rewritten.as_bytes()).map_err(|message| {
        // The text at fault is the author's, not ours.
        let words = message.rsplit_once(' ').map_or(message.as_str(), |(words, _)| words);
        format!("{words} {}", crate::gofmt::quote(text))
    })
}

/// The same duration with days, weeks and years as hours.
fn in_hours(text: &str) -> Option<String> {
    let (mut out, mut rest) = match text.strip_prefix(['+', '-']) {
        Some(rest) => (text.get(..1)?.to_owned(), rest),
        None => (String::new(), text),
    };
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (digits, after) = rest.split_at(end);
        if digits.is_empty() {
            return None;
        }
        let unit = ["ns", "us", "µs", "ms"]
            .into_iter()
            .find(|unit| after.starts_with(unit))
            .or_else(|| after.get(..1).filter(|unit| unit.bytes().all(|byte| byte.is_ascii_lowercase())))?;
        rest = after.get(unit.len()..)?;
        let hours = match unit {
            "d" => 24.0,
            "w" => 7.0 * 24.0,
            "y" => 365.0 * 24.0,
            _ => {
                out.push_str(digits);
                out.push_str(unit);
                continue;
            }
        };
        let value: f64 = digits.parse().ok()?;
        out.push_str(&format!("{}h", value * hours));
    }
    Some(out)
}

fn parse_standard(text: &[u8]) -> Result<i64, String> {
    let invalid = || format!("time: invalid duration {}", quote(text));
    let (negative, mut rest) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    if rest == b"0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (part, after) = segment(text, rest)?;
        rest = after;
        total = total.checked_add(part).filter(|total| *total <= 1 << 63).ok_or_else(invalid)?;
    }
    if negative {
        return 0i64.checked_sub_unsigned(total).ok_or_else(invalid);
    }
    i64::try_from(total).map_err(|_| invalid())
}

/// One number with its unit, in nanoseconds, and what follows.
fn segment<'a>(text: &[u8], rest: &'a [u8]) -> Result<(u64, &'a [u8]), String> {
    let invalid = || format!("time: invalid duration {}", quote(text));
    let (whole, count) = leading_int(rest).ok_or_else(invalid)?;
    let mut rest = rest.get(count..).unwrap_or_default();
    let mut fraction = (0, 1.0, 0);
    if let [b'.', after @ ..] = rest {
        fraction = leading_fraction(after);
        rest = after.get(fraction.2..).unwrap_or_default();
    }
    if count == 0 && fraction.2 == 0 {
        return Err(invalid());
    }
    let end = rest.iter().position(|byte| *byte == b'.' || byte.is_ascii_digit()).unwrap_or(rest.len());
    let (name, rest) = rest.split_at(end);
    if name.is_empty() {
        return Err(format!("time: missing unit in duration {}", quote(text)));
    }
    let unit = UNITS.iter().find(|(unit, _)| *unit == name).map(|(_, size)| *size);
    let unit =
        unit.ok_or_else(|| format!("time: unknown unit {} in duration {}", quote(name), quote(text)))?;
    if whole > (1 << 63) / unit {
        return Err(invalid());
    }
    let mut value = whole * unit;
    if fraction.0 > 0 {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a fraction of a unit, less than an hour, in Go's arithmetic"
        )]
        let part = (fraction.0 as f64 * (unit as f64 / fraction.1)) as u64;
        value += part;
        if value > 1 << 63 {
            return Err(invalid());
        }
    }
    Ok((value, rest))
}

/// Digits after a point: their number, its scale and how many there are. Digits too many are ignored.
fn leading_fraction(bytes: &[u8]) -> (u64, f64, usize) {
    let (mut value, mut scale, mut count, mut full) = (0u64, 1.0, 0, false);
    for byte in bytes.iter().take_while(|byte| byte.is_ascii_digit()) {
        count += 1;
        let digit = u64::from(byte - b'0');
        if full || value > (i64::MAX.unsigned_abs()) / 10 || value * 10 + digit > 1 << 63 {
            full = true;
            continue;
        }
        value = value * 10 + digit;
        scale *= 10.0;
    }
    (value, scale, count)
}
