//! Writing a time by a layout.

use super::calendar::Civil;
use super::layout::{Field, Zone, next_chunk};
use super::{LONG_DAYS, LONG_MONTHS, SHORT_DAYS, SHORT_MONTHS, name};

/// Writes a local time, whose zone has an offset in seconds and an abbreviation.
pub(crate) fn format(time: Civil, offset: i64, zone: &str, layout: &str) -> String {
    let mut out = Vec::with_capacity(layout.len() + 10);
    let mut rest = layout.as_bytes();
    loop {
        let chunk = next_chunk(rest);
        out.extend_from_slice(chunk.prefix);
        let Some(field) = chunk.field else { break };
        rest = chunk.rest;
        out.extend_from_slice(field_text(time, offset, zone, field).as_bytes());
    }
    // Only whole fields, all ASCII, were taken out of the layout.
    String::from_utf8_lossy(&out).into_owned()
}

fn field_text(time: Civil, offset: i64, zone: &str, field: Field) -> String {
    let hour12 = match time.hour % 12 {
        0 => 12,
        hour => hour,
    };
    match field {
        Field::Year => format!("{:02}", time.year.abs() % 100),
        Field::LongYear if time.year < 0 => format!("-{:04}", -time.year),
        Field::LongYear => format!("{:04}", time.year),
        Field::Month => name(&SHORT_MONTHS, time.month - 1).to_owned(),
        Field::LongMonth => name(&LONG_MONTHS, time.month - 1).to_owned(),
        Field::NumMonth => time.month.to_string(),
        Field::ZeroMonth => format!("{:02}", time.month),
        Field::WeekDay => name(&SHORT_DAYS, time.weekday()).to_owned(),
        Field::LongWeekDay => name(&LONG_DAYS, time.weekday()).to_owned(),
        Field::Day => time.day.to_string(),
        Field::UnderDay => format!("{:2}", time.day),
        Field::ZeroDay => format!("{:02}", time.day),
        Field::UnderYearDay => format!("{:3}", time.day_of_year()),
        Field::ZeroYearDay => format!("{:03}", time.day_of_year()),
        Field::Hour => format!("{:02}", time.hour),
        Field::Hour12 => hour12.to_string(),
        Field::ZeroHour12 => format!("{hour12:02}"),
        Field::Minute => time.minute.to_string(),
        Field::ZeroMinute => format!("{:02}", time.minute),
        Field::Second => time.second.to_string(),
        Field::ZeroSecond => format!("{:02}", time.second),
        Field::Half { lower } => half(time.hour >= 12, lower).to_owned(),
        Field::ZoneName if zone.is_empty() => {
            zone_text(offset, Zone { z: false, colon: false, minutes: true, seconds: false })
        }
        Field::ZoneName => zone.to_owned(),
        Field::Zone(form) if form.z && offset == 0 => "Z".to_owned(),
        Field::Zone(form) => zone_text(offset, form),
        Field::Fraction { digits, separator, trim } => fraction(time.nanosecond, digits, separator, trim),
    }
}

fn half(afternoon: bool, lower: bool) -> &'static str {
    match (afternoon, lower) {
        (false, false) => "AM",
        (false, true) => "am",
        (true, false) => "PM",
        (true, true) => "pm",
    }
}

fn zone_text(offset: i64, form: Zone) -> String {
    let minutes = (offset / 60).abs();
    // An offset of less than a minute has no sign, though it may be negative.
    let sign = if offset / 60 < 0 { '-' } else { '+' };
    let colon = if form.colon { ":" } else { "" };
    let mut out = format!("{sign}{:02}", minutes / 60);
    if form.minutes {
        out.push_str(&format!("{colon}{:02}", minutes % 60));
    }
    if form.seconds {
        out.push_str(&format!("{colon}{:02}", offset.abs() % 60));
    }
    out
}

fn fraction(nanosecond: i64, digits: usize, separator: u8, trim: bool) -> String {
    if trim && nanosecond == 0 {
        return String::new();
    }
    let mut out = format!("{nanosecond:09}");
    out.truncate(digits.min(9));
    if trim {
        out.truncate(out.trim_end_matches('0').len());
        if out.is_empty() {
            return out;
        }
    }
    out.insert(0, char::from(separator));
    out
}
