//! Reading a time by a layout.

use super::calendar::{Civil, days_in_month, is_leap};
use super::layout::{Field, Zone, next_chunk};
use super::{LONG_DAYS, LONG_MONTHS, SHORT_DAYS, SHORT_MONTHS, leading_int, quote};

/// What has been read so far.
#[derive(Default)]
struct Reading {
    year: i64,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    nanosecond: i64,
    afternoon: Option<bool>,
    /// Seconds east of UTC.
    offset: Option<i64>,
}

/// Why a field could not be read.
enum Bad {
    /// The text does not have the field's form.
    Form,
    /// The named part is out of its range.
    Range(&'static str),
}

type Rest<'a> = Result<&'a [u8], Bad>;

/// Reads a time, as seconds and nanoseconds since 1970 began in UTC. Fails with Go's words.
pub(crate) fn parse(layout: &str, value: &str) -> Result<(i64, i64), String> {
    let (whole_layout, whole) = (layout.as_bytes(), value.as_bytes());
    let cannot = |value: &[u8], element: &[u8]| {
        format!(
            "parsing time {} as {}: cannot parse {} as {}",
            quote(whole),
            quote(whole_layout),
            quote(value),
            quote(element)
        )
    };
    let out_of = |message: String| format!("parsing time {}: {message}", quote(whole));
    let mut reading = Reading::default();
    let (mut layout, mut value) = (whole_layout, whole);
    loop {
        let chunk = next_chunk(layout);
        value = skip(value, chunk.prefix).map_err(|rest| cannot(rest, chunk.prefix))?;
        let Some(field) = chunk.field else { break };
        layout = chunk.rest;
        let (rest, outcome) = reading.field(field, value, layout);
        match outcome {
            Ok(()) => value = rest,
            Err(Bad::Form) => return Err(cannot(value, chunk.text)),
            Err(Bad::Range(what)) => return Err(out_of(format!("{what} out of range"))),
        }
    }
    if !value.is_empty() {
        return Err(out_of(format!("extra text: {}", quote(value))));
    }
    reading.finish().map_err(|what| out_of(what.to_owned()))
}

/// Skips literal text, in which a run of spaces matches any other, or none at the end.
fn skip<'a>(mut value: &'a [u8], mut prefix: &[u8]) -> Result<&'a [u8], &'a [u8]> {
    while let Some((first, after)) = prefix.split_first() {
        if *first == b' ' {
            if value.first().is_some_and(|byte| *byte != b' ') {
                return Err(value);
            }
            prefix = prefix.trim_ascii_start_spaces();
            value = value.trim_ascii_start_spaces();
            continue;
        }
        match value.split_first() {
            Some((byte, rest)) if byte == first => value = rest,
            _ => return Err(value),
        }
        prefix = after;
    }
    Ok(value)
}

trait TrimSpaces {
    fn trim_ascii_start_spaces(&self) -> &Self;
}

impl TrimSpaces for [u8] {
    /// Without leading spaces, and only those.
    fn trim_ascii_start_spaces(&self) -> &Self {
        let count = self.iter().take_while(|byte| **byte == b' ').count();
        self.get(count..).unwrap_or_default()
    }
}

/// One or two digits; exactly two when `fixed`.
fn number(value: &[u8], fixed: bool) -> Result<(i64, &[u8]), Bad> {
    let digit =
        |at: usize| value.get(at).filter(|byte| byte.is_ascii_digit()).map(|byte| i64::from(byte - b'0'));
    match (digit(0), digit(1)) {
        (Some(tens), Some(ones)) => Ok((tens * 10 + ones, tail(value, 2))),
        (Some(ones), None) if !fixed => Ok((ones, tail(value, 1))),
        _ => Err(Bad::Form),
    }
}

fn tail(value: &[u8], from: usize) -> &[u8] {
    value.get(from..).unwrap_or_default()
}

/// The number of the name that a text begins with, in any case.
fn lookup<'a>(names: &[&str], value: &'a [u8]) -> Result<(i64, &'a [u8]), Bad> {
    (0i64..)
        .zip(names)
        .find(|(_, name)| {
            value.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name.as_bytes()))
        })
        .map(|(index, name)| (index, tail(value, name.len())))
        .ok_or(Bad::Form)
}

fn in_range(value: i64, limit: i64, what: &'static str) -> Result<i64, Bad> {
    if (0..limit).contains(&value) { Ok(value) } else { Err(Bad::Range(what)) }
}

/// A signed integer that takes the whole text.
fn integer(text: &[u8]) -> Result<i64, Bad> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    let (value, count) = leading_int(digits).ok_or(Bad::Form)?;
    if count < digits.len() {
        return Err(Bad::Form);
    }
    let value = i64::try_from(value).map_err(|_| Bad::Form)?;
    Ok(if negative { -value } else { value })
}

/// A separator and digits, of which nine count.
fn nanoseconds(text: &[u8]) -> Result<i64, Bad> {
    if !matches!(text.first(), Some(b'.' | b',')) {
        return Err(Bad::Form);
    }
    let text = text.get(..10).unwrap_or(text);
    let value = integer(tail(text, 1))?;
    if value < 0 {
        return Err(Bad::Range("fractional second"));
    }
    let missing = u32::try_from(10 - text.len()).unwrap_or(0);
    Ok(value * 10i64.pow(missing))
}

impl Reading {
    /// Reads one field; the rest is what follows it. `layout` is what follows the field in the layout.
    fn field<'a>(&mut self, field: Field, value: &'a [u8], layout: &[u8]) -> (&'a [u8], Result<(), Bad>) {
        match self.try_field(field, value, layout) {
            Ok(rest) => (rest, Ok(())),
            Err(bad) => (value, Err(bad)),
        }
    }

    fn try_field<'a>(&mut self, field: Field, value: &'a [u8], layout: &[u8]) -> Rest<'a> {
        match field {
            Field::Year | Field::LongYear => self.year(value, field == Field::LongYear),
            Field::Month => self.month_name(&SHORT_MONTHS, value),
            Field::LongMonth => self.month_name(&LONG_MONTHS, value),
            Field::NumMonth | Field::ZeroMonth => {
                let (month, rest) = number(value, field == Field::ZeroMonth)?;
                if !(1..=12).contains(&month) {
                    return Err(Bad::Range("month"));
                }
                self.month = Some(month);
                Ok(rest)
            }
            Field::WeekDay => lookup(&SHORT_DAYS, value).map(|(_, rest)| rest),
            Field::LongWeekDay => lookup(&LONG_DAYS, value).map(|(_, rest)| rest),
            Field::Day | Field::UnderDay | Field::ZeroDay => {
                let spaces = usize::from(field == Field::UnderDay && value.first() == Some(&b' '));
                let (day, rest) = number(tail(value, spaces), field == Field::ZeroDay)?;
                self.day = Some(day);
                Ok(rest)
            }
            Field::UnderYearDay | Field::ZeroYearDay => self.year_day(field, value),
            Field::Hour => self.set_hour(number(value, false)?, 24),
            Field::Hour12 | Field::ZeroHour12 => {
                self.set_hour(number(value, field == Field::ZeroHour12)?, 13)
            }
            Field::Minute | Field::ZeroMinute => {
                let (minute, rest) = number(value, field == Field::ZeroMinute)?;
                self.minute = in_range(minute, 60, "minute")?;
                Ok(rest)
            }
            Field::Second | Field::ZeroSecond => self.seconds(value, field == Field::ZeroSecond, layout),
            Field::Half { lower } => self.half(value, lower),
            Field::ZoneName => self.zone_name(value),
            Field::Zone(form) => self.zone(value, form),
            Field::Fraction { digits, trim: false, .. } => {
                self.nanosecond = nanoseconds(value.get(..=digits).ok_or(Bad::Form)?)?;
                Ok(tail(value, digits + 1))
            }
            Field::Fraction { trim: true, .. } => match fraction_length(value) {
                Some(length) => self.fraction(value, length),
                None => Ok(value),
            },
        }
    }

    fn year<'a>(&mut self, value: &'a [u8], long: bool) -> Rest<'a> {
        let length = if long { 4 } else { 2 };
        let text = value.get(..length).ok_or(Bad::Form)?;
        if long && !text.first().is_some_and(u8::is_ascii_digit) {
            return Err(Bad::Form);
        }
        let year = integer(text)?;
        self.year = match year {
            year if long => year,
            69.. => year + 1900,
            year => year + 2000,
        };
        Ok(tail(value, length))
    }

    fn month_name<'a>(&mut self, names: &[&str], value: &'a [u8]) -> Rest<'a> {
        let (index, rest) = lookup(names, value)?;
        self.month = Some(index + 1);
        Ok(rest)
    }

    fn year_day<'a>(&mut self, field: Field, value: &'a [u8]) -> Rest<'a> {
        let fixed = field == Field::ZeroYearDay;
        let spaces = value.iter().take(2).take_while(|byte| **byte == b' ').count();
        let value = if fixed { value } else { tail(value, spaces) };
        let count = value.iter().take(3).take_while(|byte| byte.is_ascii_digit()).count();
        if count == 0 || (fixed && count != 3) {
            return Err(Bad::Form);
        }
        self.day_of_year = Some(integer(value.get(..count).unwrap_or_default())?);
        Ok(tail(value, count))
    }

    fn set_hour<'a>(&mut self, (hour, rest): (i64, &'a [u8]), limit: i64) -> Rest<'a> {
        self.hour = in_range(hour, limit, "hour")?;
        Ok(rest)
    }

    fn seconds<'a>(&mut self, value: &'a [u8], fixed: bool, layout: &[u8]) -> Rest<'a> {
        let (second, rest) = number(value, fixed)?;
        self.second = in_range(second, 60, "second")?;
        // A fraction may follow even where the layout has none.
        match fraction_length(rest) {
            Some(length) if !matches!(next_chunk(layout).field, Some(Field::Fraction { .. })) => {
                self.fraction(rest, length)
            }
            _ => Ok(rest),
        }
    }

    fn fraction<'a>(&mut self, value: &'a [u8], length: usize) -> Rest<'a> {
        self.nanosecond = nanoseconds(value.get(..length).unwrap_or_default())?;
        Ok(tail(value, length))
    }

    fn half<'a>(&mut self, value: &'a [u8], lower: bool) -> Rest<'a> {
        self.afternoon = match (value.get(..2), lower) {
            (Some(b"PM"), false) | (Some(b"pm"), true) => Some(true),
            (Some(b"AM"), false) | (Some(b"am"), true) => Some(false),
            _ => return Err(Bad::Form),
        };
        Ok(tail(value, 2))
    }

    /// An abbreviation says nothing about the offset, except for UTC; so it counts as UTC.
    fn zone_name<'a>(&mut self, value: &'a [u8]) -> Rest<'a> {
        if value.starts_with(b"UTC") {
            self.offset = Some(0);
            return Ok(tail(value, 3));
        }
        zone_name_length(value).map(|length| tail(value, length)).ok_or(Bad::Form)
    }

    fn zone<'a>(&mut self, value: &'a [u8], form: Zone) -> Rest<'a> {
        if form.z && value.first() == Some(&b'Z') {
            self.offset = Some(0);
            return Ok(tail(value, 1));
        }
        let colon = usize::from(form.colon);
        let mut at = 3;
        let mut part = |present: bool| -> Result<&'a [u8], Bad> {
            if !present {
                return Ok(b"00");
            }
            if form.colon && value.get(at) != Some(&b':') {
                return Err(Bad::Form);
            }
            let text = value.get(at + colon..at + colon + 2).ok_or(Bad::Form)?;
            at += colon + 2;
            Ok(text)
        };
        let (minutes, seconds) = (part(form.minutes)?, part(form.seconds)?);
        let hours = value.get(1..3).ok_or(Bad::Form)?;
        // A part out of range is the error even when a later part, or the sign, is no number. An offset
        // of 24 hours, 60 minutes or 60 seconds is written by some, and read by Go.
        let limits = [
            (hours, 25, "time zone offset hour"),
            (minutes, 61, "time zone offset minute"),
            (seconds, 61, "time zone offset second"),
        ];
        let mut parts = [0; 3];
        for ((text, limit, what), part) in limits.into_iter().zip(&mut parts) {
            *part = in_range(number(text, true)?.0, limit, what)?;
        }
        let [hours, minutes, seconds] = parts;
        let offset = (hours * 60 + minutes) * 60 + seconds;
        self.offset = Some(match value.first() {
            Some(b'+') => offset,
            Some(b'-') => -offset,
            _ => return Err(Bad::Form),
        });
        Ok(tail(value, at))
    }

    fn finish(self) -> Result<(i64, i64), &'static str> {
        let hour = match self.afternoon {
            Some(true) if self.hour < 12 => self.hour + 12,
            Some(false) if self.hour == 12 => 0,
            _ => self.hour,
        };
        let (month, day) = match self.day_of_year {
            Some(day_of_year) => self.date_of_day(day_of_year)?,
            None => (self.month.unwrap_or(1), self.day.unwrap_or(1)),
        };
        if day < 1 || day > days_in_month(self.year, month) {
            return Err("day out of range");
        }
        let civil = Civil {
            year: self.year,
            month,
            day,
            hour,
            minute: self.minute,
            second: self.second,
            nanosecond: self.nanosecond,
        };
        // An offset of -1 second is Go's mark for none.
        let offset = self.offset.filter(|offset| *offset != -1).unwrap_or(0);
        Ok((civil.to_unix() - offset, self.nanosecond))
    }

    fn date_of_day(&self, day_of_year: i64) -> Result<(i64, i64), &'static str> {
        if day_of_year < 1 || day_of_year > 365 + i64::from(is_leap(self.year)) {
            return Err("day-of-year out of range");
        }
        let (mut month, mut day) = (1, day_of_year);
        while day > days_in_month(self.year, month) {
            day -= days_in_month(self.year, month);
            month += 1;
        }
        if self.month.is_some_and(|seen| seen != month) {
            return Err("day-of-year does not match month");
        }
        if self.day.is_some_and(|seen| seen != day) {
            return Err("day-of-year does not match day");
        }
        Ok((month, day))
    }
}

/// The length of a separator with at least one digit after it.
fn fraction_length(value: &[u8]) -> Option<usize> {
    let [b'.' | b',', digits @ ..] = value else { return None };
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (count > 0).then_some(count + 1)
}

/// The length of what looks like the abbreviation of a time zone.
fn zone_name_length(value: &[u8]) -> Option<usize> {
    if value.len() < 3 {
        return None;
    }
    if value.starts_with(b"ChST") || value.starts_with(b"MeST") {
        return Some(4);
    }
    if value.starts_with(b"GMT") {
        return Some(3 + signed_hours_length(tail(value, 3)).unwrap_or(0));
    }
    if matches!(value.first(), Some(b'+' | b'-')) {
        return signed_hours_length(value);
    }
    let upper = value.iter().take(6).take_while(|byte| byte.is_ascii_uppercase()).count();
    match upper {
        3 => Some(3),
        4 if value.get(3) == Some(&b'T') || value.starts_with(b"WITA") => Some(4),
        5 if value.get(4) == Some(&b'T') => Some(5),
        _ => None,
    }
}

/// The length of a sign and a number of hours up to 23.
fn signed_hours_length(value: &[u8]) -> Option<usize> {
    let [b'+' | b'-', digits @ ..] = value else { return None };
    let (hours, count) = leading_int(digits)?;
    (count > 0 && hours <= 23).then_some(count + 1)
}
