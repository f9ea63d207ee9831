//! Times as Go reads and writes them: layouts made of a reference time, durations, and the calendar.
//!
//! Rego's `time.*` promise Go's layouts; nothing but Go's own rules reads `Mon Jan _2 15:04:05 2006`.

mod calendar;
mod duration;
mod format;
mod layout;
mod parse;

pub(crate) use calendar::{Civil, days_in_month};
pub(crate) use duration::parse_duration;
pub(crate) use format::format;
pub(crate) use parse::parse;

const LONG_MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const SHORT_MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const SHORT_DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/// The days of the week, from Sunday.
pub(crate) const LONG_DAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// The name of a month or day by its number from 0.
fn name(names: &'static [&'static str], index: i64) -> &'static str {
    usize::try_from(index).ok().and_then(|index| names.get(index)).copied().unwrap_or("")
}

/// The day of the week by its number from Sunday, 0.
pub(crate) fn weekday_name(index: i64) -> &'static str {
    name(&LONG_DAYS, index)
}

/// Bytes in quotes; all but printable ASCII as hexadecimal escapes, as in the errors of Go's `time`.
fn quote(bytes: &[u8]) -> String {
    let mut out = String::from("\"");
    for byte in bytes {
        match byte {
            b'"' | b'\\' => {
                out.push('\\');
                out.push(char::from(*byte));
            }
            b' '..=0x7f => out.push(char::from(*byte)),
            _ => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out.push('"');
    out
}

/// The digits at the beginning as a number, and how many there are; none when they are too many.
fn leading_int(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value: u64 = 0;
    let mut count = 0;
    for byte in bytes.iter().take_while(|byte| byte.is_ascii_digit()) {
        if value > (1 << 63) / 10 {
            return None;
        }
        value = value * 10 + u64::from(byte - b'0');
        if value > 1 << 63 {
            return None;
        }
        count += 1;
    }
    Some((value, count))
}
