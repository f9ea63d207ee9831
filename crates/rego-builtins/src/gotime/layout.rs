//! Layouts: a text in which parts of the reference time stand for fields.

/// A field of a layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    LongMonth,
    Month,
    NumMonth,
    ZeroMonth,
    LongWeekDay,
    WeekDay,
    Day,
    UnderDay,
    ZeroDay,
    UnderYearDay,
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    /// `PM` or, when `lower`, `pm`.
    Half {
        lower: bool,
    },
    /// `MST`
    ZoneName,
    /// A numeric offset.
    Zone(Zone),
    /// A fractional second: its digits and separator; with `trim`, trailing zeros are left out.
    Fraction {
        digits: usize,
        separator: u8,
        trim: bool,
    },
}

/// The form of a numeric zone offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Zone {
    /// `Z` stands for UTC.
    pub(super) z: bool,
    pub(super) colon: bool,
    pub(super) minutes: bool,
    pub(super) seconds: bool,
}

/// The text before the first field, the field, and where each of them ends.
pub(super) struct Chunk<'a> {
    pub(super) prefix: &'a [u8],
    /// None at the end of the layout.
    pub(super) field: Option<Field>,
    /// The field as the layout writes it.
    pub(super) text: &'a [u8],
    pub(super) rest: &'a [u8],
}

/// Finds the first field of a layout.
pub(super) fn next_chunk(layout: &[u8]) -> Chunk<'_> {
    for at in 0..layout.len() {
        let here = layout.get(at..).unwrap_or_default();
        if let Some((skip, length, field)) = field_at(here) {
            let (prefix, rest) = layout.split_at(at + skip);
            let (text, rest) = rest.split_at(length);
            return Chunk { prefix, field: Some(field), text, rest };
        }
    }
    Chunk { prefix: layout, field: None, text: &[], rest: &[] }
}

/// Fixed spellings, the longer ones before those they begin with.
const FIXED: [(&[u8], Field); 31] = [
    (b"January", Field::LongMonth),
    (b"Monday", Field::LongWeekDay),
    (b"MST", Field::ZoneName),
    (b"01", Field::ZeroMonth),
    (b"02", Field::ZeroDay),
    (b"03", Field::ZeroHour12),
    (b"04", Field::ZeroMinute),
    (b"05", Field::ZeroSecond),
    (b"06", Field::Year),
    (b"002", Field::ZeroYearDay),
    (b"15", Field::Hour),
    (b"1", Field::NumMonth),
    (b"2006", Field::LongYear),
    (b"2", Field::Day),
    (b"_2", Field::UnderDay),
    (b"__2", Field::UnderYearDay),
    (b"3", Field::Hour12),
    (b"4", Field::Minute),
    (b"5", Field::Second),
    (b"PM", Field::Half { lower: false }),
    (b"pm", Field::Half { lower: true }),
    (b"-070000", zone(false, false, true, true)),
    (b"-07:00:00", zone(false, true, true, true)),
    (b"-0700", zone(false, false, true, false)),
    (b"-07:00", zone(false, true, true, false)),
    (b"-07", zone(false, false, false, false)),
    (b"Z070000", zone(true, false, true, true)),
    (b"Z07:00:00", zone(true, true, true, true)),
    (b"Z0700", zone(true, false, true, false)),
    (b"Z07:00", zone(true, true, true, false)),
    (b"Z07", zone(true, false, false, false)),
];

const fn zone(z: bool, colon: bool, minutes: bool, seconds: bool) -> Field {
    Field::Zone(Zone { z, colon, minutes, seconds })
}

/// The field that begins here: bytes of literal text before it, its length, and which it is.
fn field_at(here: &[u8]) -> Option<(usize, usize, Field)> {
    // An underscore before a long year is no padding.
    if here.starts_with(b"_2006") {
        return Some((1, 4, Field::LongYear));
    }
    if let Some((text, field)) = FIXED.iter().find(|(text, _)| here.starts_with(text)) {
        return Some((0, text.len(), *field));
    }
    // `Month` is not `Mon` followed by `th`.
    let short = |name: &[u8]| here.starts_with(name) && !here.get(3).is_some_and(u8::is_ascii_lowercase);
    if short(b"Jan") {
        return Some((0, 3, Field::Month));
    }
    if short(b"Mon") {
        return Some((0, 3, Field::WeekDay));
    }
    fraction(here)
}

fn fraction(here: &[u8]) -> Option<(usize, usize, Field)> {
    let [separator @ (b'.' | b','), digit @ (b'0' | b'9'), ..] = here else { return None };
    let digits = here.iter().skip(1).take_while(|byte| *byte == digit).count();
    // Other digits after these make it something else than a fraction.
    if here.get(1 + digits).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    Some((0, 1 + digits, Field::Fraction { digits, separator: *separator, trim: *digit == b'9' }))
}
