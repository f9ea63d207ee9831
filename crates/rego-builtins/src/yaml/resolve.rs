//! What a scalar is: YAML 1.2's core schema with what go-yaml keeps of 1.1 (underscores, octals, timestamps).

use crate::gotime;

/// The tags that make a difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    None,
    Null,
    Bool,
    Str,
    Int,
    Float,
    Timestamp,
    Seq,
    Map,
    Binary,
    Merge,
    /// Any other, which says nothing to us.
    Other(String),
}

const LONG_PREFIX: &str = "tag:yaml.org,2002:";

impl Tag {
    pub(super) fn from_long(text: &str) -> Self {
        match text.strip_prefix(LONG_PREFIX) {
            Some("null") => Tag::Null,
            Some("bool") => Tag::Bool,
            Some("str") => Tag::Str,
            Some("int") => Tag::Int,
            Some("float") => Tag::Float,
            Some("timestamp") => Tag::Timestamp,
            Some("seq") => Tag::Seq,
            Some("map") => Tag::Map,
            Some("binary") => Tag::Binary,
            Some("merge") => Tag::Merge,
            Some(other) => Tag::Other(format!("!!{other}")),
            None => Tag::Other(text.to_owned()),
        }
    }

    fn short(&self) -> &str {
        match self {
            Tag::None => "",
            Tag::Null => "!!null",
            Tag::Bool => "!!bool",
            Tag::Str => "!!str",
            Tag::Int => "!!int",
            Tag::Float => "!!float",
            Tag::Timestamp => "!!timestamp",
            Tag::Seq => "!!seq",
            Tag::Map => "!!map",
            Tag::Binary => "!!binary",
            Tag::Merge => "!!merge",
            Tag::Other(text) => text,
        }
    }
}

/// A scalar's value, typed as Go types it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    /// What is too large for `Int`.
    Uint(u64),
    Float(f64),
    Str(String),
    /// A timestamp as JSON shows it.
    Time(String),
}

/// The tag of a plain scalar.
pub(super) fn implicit_tag(text: &str) -> Tag {
    if text == "<<" { Tag::Merge } else { tag_of(&plain(text, true)) }
}

fn tag_of(scalar: &Scalar) -> Tag {
    match scalar {
        Scalar::Null => Tag::Null,
        Scalar::Bool(_) => Tag::Bool,
        Scalar::Int(_) | Scalar::Uint(_) => Tag::Int,
        Scalar::Float(_) => Tag::Float,
        Scalar::Str(_) => Tag::Str,
        Scalar::Time(_) => Tag::Timestamp,
    }
}

/// The value of a scalar with a tag that is not `!!str`.
///
/// # Errors
/// The text is none of that type.
pub(super) fn tagged(tag: &Tag, text: &str) -> Result<Scalar, String> {
    let resolvable =
        matches!(tag, Tag::None | Tag::Bool | Tag::Int | Tag::Float | Tag::Null | Tag::Timestamp);
    if !resolvable {
        return Ok(Scalar::Str(text.to_owned()));
    }
    let scalar = plain(text, matches!(tag, Tag::None | Tag::Timestamp));
    let found = tag_of(&scalar);
    match (tag, scalar) {
        (Tag::None, scalar) => Ok(scalar),
        (tag, scalar) if *tag == found => Ok(scalar),
        #[expect(clippy::cast_precision_loss, reason = "a float was asked for")]
        (Tag::Float, Scalar::Int(int)) => Ok(Scalar::Float(int as f64)),
        _ => Err(format!("cannot decode {} `{text}` as a {}", found.short(), tag.short())),
    }
}

fn plain(text: &str, with_timestamps: bool) -> Scalar {
    match text {
        "true" | "True" | "TRUE" => return Scalar::Bool(true),
        "false" | "False" | "FALSE" => return Scalar::Bool(false),
        "" | "~" | "null" | "Null" | "NULL" => return Scalar::Null,
        ".nan" | ".NaN" | ".NAN" => return Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Scalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Scalar::Float(f64::NEG_INFINITY),
        _ => {}
    }
    let found = match text.as_bytes().first() {
        Some(b'.') => float(text),
        Some(b'0'..=b'9' | b'+' | b'-') => {
            let time = if with_timestamps { timestamp(text) } else { None };
            time.map(Scalar::Time).or_else(|| number(&text.replace('_', "")))
        }
        _ => None,
    };
    found.unwrap_or_else(|| Scalar::Str(text.to_owned()))
}

fn number(text: &str) -> Option<Scalar> {
    if let Some(integer) = integer(text) {
        return Some(integer);
    }
    if let Some(float) = float(text) {
        return Some(float);
    }
    // What the prefix hides may have a sign of its own.
    let (sign, rest) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (radix, digits) = match rest.as_bytes() {
        [b'0', b'b', ..] => (2, rest.get(2..)?),
        [b'0', b'o', ..] => (8, rest.get(2..)?),
        _ => return None,
    };
    i64::from_str_radix(&format!("{sign}{digits}"), radix).ok().map(Scalar::Int)
}

/// An integer as Go reads it where the prefix gives the base: `0x`, `0o`, `0b`, and `0` for octal.
fn integer(text: &str) -> Option<Scalar> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, digits.get(2..)?),
        [b'0', b'o' | b'O', ..] => (8, digits.get(2..)?),
        [b'0', b'b' | b'B', ..] => (2, digits.get(2..)?),
        [b'0', _, ..] => (8, digits.get(1..)?),
        _ => (10, digits),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    match (negative, i64::try_from(magnitude)) {
        (false, Ok(int)) => Some(Scalar::Int(int)),
        // An explicit plus is for signed integers only.
        (false, Err(_)) => (!text.starts_with('+')).then_some(Scalar::Uint(magnitude)),
        (true, Ok(int)) => Some(Scalar::Int(-int)),
        (true, Err(_)) => (magnitude == i64::MIN.unsigned_abs()).then_some(Scalar::Int(i64::MIN)),
    }
}

/// Digits with at most one point and at most one exponent; none if it is beyond the largest float.
fn float(text: &str) -> Option<Scalar> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (unsigned.get(..at)?, unsigned.get(at + 1..)),
        None => (unsigned, None),
    };
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let has_digits = !whole.is_empty() || !fraction.is_empty();
    if !has_digits || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    if let Some(exponent) = exponent {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        if digits.is_empty() || !all_digits(digits) {
            return None;
        }
    }
    text.parse::<f64>().ok().filter(|value| value.is_finite()).map(Scalar::Float)
}

const LAYOUTS: [&str; 4] = [
    "2006-1-2T15:4:5.999999999Z07:00",
    "2006-1-2t15:4:5.999999999Z07:00",
    "2006-1-2 15:4:5.999999999",
    "2006-1-2",
];

/// A timestamp as Go's JSON shows it.
fn timestamp(text: &str) -> Option<String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if digits != 4 || text.as_bytes().get(4) != Some(&b'-') {
        return None;
    }
    let (layout, (seconds, nanoseconds)) =
        LAYOUTS.into_iter().find_map(|layout| Some((layout, gotime::parse(layout, text).ok()?)))?;
    let offset = if layout.contains('Z') { offset_of(text) } else { 0 };
    let civil = gotime::Civil::from_unix(seconds.saturating_add(offset), nanoseconds);
    Some(gotime::format(civil, offset, "", "2006-01-02T15:04:05.999999999Z07:00"))
}

/// The offset that a timestamp ends with, in seconds.
fn offset_of(text: &str) -> i64 {
    let Some(zone) = text.len().checked_sub(6).and_then(|at| text.get(at..)) else { return 0 };
    let sign = match zone.as_bytes().first() {
        Some(b'+') => 1,
        Some(b'-') => -1,
        _ => return 0,
    };
    let field = |from: usize| zone.get(from..from + 2).and_then(|text| text.parse::<i64>().ok()).unwrap_or(0);
    sign * (field(1) * 3600 + field(4) * 60)
}

/// Whether a string can stand without quotes and be read as the same string, by readers of YAML 1.1 as well.
pub(super) fn is_plain_string(text: &str) -> bool {
    matches!(plain(text, true), Scalar::Str(_)) && !is_old_bool(text) && !is_base_60(text)
}

fn is_old_bool(text: &str) -> bool {
    const OLD: [&str; 16] =
        ["y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "n", "N", "no", "No", "NO", "off", "Off", "OFF"];
    OLD.contains(&text)
}

/// `1:20:30.5`, a number to base 60 in YAML 1.1.
fn is_base_60(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let mut groups = whole.split(':');
    let first = groups.next().unwrap_or_default();
    let is_digit = |byte: u8| byte.is_ascii_digit() || byte == b'_';
    let is_sixtieth = |group: &str| match group.as_bytes() {
        [digit] => digit.is_ascii_digit(),
        [tens, digit] => (b'0'..=b'5').contains(tens) && digit.is_ascii_digit(),
        _ => false,
    };
    let rest: Vec<&str> = groups.collect();
    first.starts_with(|c: char| c.is_ascii_digit())
        && first.bytes().all(is_digit)
        && !rest.is_empty()
        && rest.into_iter().all(is_sixtieth)
        && fraction.bytes().all(is_digit)
}
