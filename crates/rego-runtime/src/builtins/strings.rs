//! Strings.

use super::operands::{element_failure, int, number, object, string};
use crate::array;
use crate::error::{Failure, Outcome};
use crate::json::{self, Format};
use crate::search::find;
use crate::table;
use crate::text::push_int;
use crate::value::{Num, Value, finish_text, put_text, start_text};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use rego_value::abi::{KIND_SET, TEXT_BYTES};
use rego_value::json::{Error, Escape, ParseError};

/// The text as a value; the operand itself where nothing has changed.
fn changed(operand: Value, text: &str) -> Outcome {
    if operand.as_str() == Some(text) { Ok(operand) } else { Ok(Value::string(text)) }
}

pub(super) fn contains(a: Value, b: Value) -> Outcome {
    Ok(Value::bool(find(string(a, 1)?, string(b, 2)?).is_some()))
}

pub(super) fn startswith(a: Value, b: Value) -> Outcome {
    Ok(Value::bool(string(a, 1)?.starts_with(string(b, 2)?)))
}

pub(super) fn endswith(a: Value, b: Value) -> Outcome {
    Ok(Value::bool(string(a, 1)?.ends_with(string(b, 2)?)))
}

pub(super) fn concat(separator: Value, parts: Value) -> Outcome {
    string(separator, 1)?;
    let is_set = parts.is_set();
    if is_set {
        table::sort(parts);
    } else if !parts.is_array() {
        return Err(Failure::operand(2, "one of {set, array}", parts));
    }
    let part = |position| match is_set {
        true => table::key_at(parts, KIND_SET, position),
        false => array::item(parts, position),
    };
    let mut len = u64::from(separator.len()) * u64::from(parts.len().saturating_sub(1));
    for position in 0..parts.len() {
        let part = part(position);
        string(part, 2).map_err(|_| element_failure(2, parts, part, "string"))?;
        len += u64::from(part.len());
    }
    if parts.len() == 1 {
        return Ok(part(0));
    }
    let Ok(len) = u32::try_from(len) else { crate::abort("string too large") };
    let joined = start_text(len);
    let mut at = joined.0 + TEXT_BYTES;
    for position in 0..parts.len() {
        if position > 0 {
            at = put_text(at, separator);
        }
        at = put_text(at, part(position));
    }
    finish_text(joined, len);
    Ok(joined)
}

pub(super) fn indexof(base: Value, search: Value) -> Outcome {
    let (base, search) = (string(base, 1)?, string(search, 2)?);
    if search.is_empty() {
        return Err(Failure::builtin(&["empty search character"]));
    }
    let before = find(base, search).and_then(|at| base.get(..at));
    Ok(Value::int(before.map_or(-1, |text| text.chars().count() as i64)))
}

pub(super) fn substring(base: Value, start: Value, length: Value) -> Outcome {
    let (text, start, length) = (string(base, 1)?, int(start, 2)?, int(length, 3)?);
    let Ok(start) = usize::try_from(start) else { return Err(Failure::builtin(&["negative offset"])) };
    let from = byte_offset(text, start);
    let rest = text.get(from..).unwrap_or_default();
    let end = usize::try_from(length).map_or(rest.len(), |length| byte_offset(rest, length));
    changed(base, rest.get(..end).unwrap_or_default())
}

/// Where so many characters end.
fn byte_offset(text: &str, characters: usize) -> usize {
    text.char_indices().nth(characters).map_or(text.len(), |(at, _)| at)
}

pub(super) fn lower(a: Value) -> Outcome {
    let text = string(a, 1)?;
    if text.is_ascii() {
        return if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Ok(Value::string(&text.to_ascii_lowercase()))
        } else {
            Ok(a)
        };
    }
    let lower: String = text.chars().map(simple_lower).collect();
    changed(a, &lower)
}

pub(super) fn upper(a: Value) -> Outcome {
    let text = string(a, 1)?;
    if text.is_ascii() {
        return if text.bytes().any(|byte| byte.is_ascii_lowercase()) {
            Ok(Value::string(&text.to_ascii_uppercase()))
        } else {
            Ok(a)
        };
    }
    let upper: String = text.chars().map(simple_upper).collect();
    changed(a, &upper)
}

/// Unicode's simple mapping, as Go has it: one character for one.
fn simple_lower(character: char) -> char {
    let mut mapped = character.to_lowercase();
    // The only full mapping of several characters is that of the dotted capital I, and begins with the simple one.
    mapped.next().unwrap_or(character)
}

fn simple_upper(character: char) -> char {
    let mut mapped = character.to_uppercase();
    match (mapped.next(), mapped.next()) {
        (Some(one), None) => one,
        _ => match character {
            // Greek with iota subscript: the full mapping has two letters, the simple one is the title case letter.
            '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => {
                char::from_u32(character as u32 + 8).unwrap_or(character)
            }
            '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => char::from_u32(character as u32 + 9).unwrap_or(character),
            _ => character,
        },
    }
}

pub(super) fn split(a: Value, delimiter: Value) -> Outcome {
    let (text, delimiter) = (string(a, 1)?, string(delimiter, 2)?);
    let parts = array::new(0);
    if delimiter.is_empty() {
        let mut buffer = [0; 4];
        text.chars().for_each(|one| array::push(parts, Value::string(one.encode_utf8(&mut buffer))));
        return Ok(parts);
    }
    let mut rest = text;
    while let Some((before, after)) = around(rest, delimiter) {
        array::push(parts, Value::string(before));
        rest = after;
    }
    array::push(parts, if rest.len() == text.len() { a } else { Value::string(rest) });
    Ok(parts)
}

/// What comes before the first occurrence, and what behind it.
fn around<'a>(text: &'a str, what: &str) -> Option<(&'a str, &'a str)> {
    let at = find(text, what)?;
    Some((text.get(..at)?, text.get(at + what.len()..)?))
}

pub(super) fn replace(a: Value, old: Value, new: Value) -> Outcome {
    let (text, old, new) = (string(a, 1)?, string(old, 2)?, string(new, 3)?);
    if old.is_empty() {
        return changed(a, &text.replace(old, new));
    }
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, after)) = around(rest, old) {
        out.push_str(before);
        out.push_str(new);
        rest = after;
    }
    if rest.len() == text.len() {
        return Ok(a);
    }
    out.push_str(rest);
    Ok(Value::string(&out))
}

/// Go's `strings.NewReplacer`: at each place the first pattern that fits, in the patterns' order, and an empty pattern
/// not twice in a row.
pub(super) fn replace_n(patterns: Value, a: Value) -> Outcome {
    object(patterns, 1)?;
    let text = string(a, 2)?;
    table::sort(patterns);
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    for (_, key, value) in table::members(patterns) {
        let key = key
            .as_str()
            .ok_or_else(|| Failure::operand_text(1, &["non-string key found in pattern object"]))?;
        let value = value
            .as_str()
            .ok_or_else(|| Failure::operand_text(1, &["non-string value found in pattern object"]))?;
        pairs.push((key, value));
    }
    let mut out = String::new();
    let mut rest = text;
    let mut was_empty = false;
    loop {
        let found = pairs.iter().find(|(key, _)| rest.starts_with(key) && !(was_empty && key.is_empty()));
        was_empty = found.is_some_and(|(key, _)| key.is_empty());
        if let Some((key, value)) = found {
            out.push_str(value);
            rest = rest.get(key.len()..).unwrap_or_default();
            continue;
        }
        let mut characters = rest.chars();
        let Some(one) = characters.next() else { break };
        out.push(one);
        rest = characters.as_str();
    }
    changed(a, &out)
}

pub(super) fn reverse(a: Value) -> Outcome {
    let reversed: String = string(a, 1)?.chars().rev().collect();
    changed(a, &reversed)
}

pub(super) fn trim(a: Value, cutset: Value) -> Outcome {
    let (text, cutset) = (string(a, 1)?, string(cutset, 2)?);
    changed(a, text.trim_matches(|character| cutset.contains(character)))
}

pub(super) fn trim_left(a: Value, cutset: Value) -> Outcome {
    let (text, cutset) = (string(a, 1)?, string(cutset, 2)?);
    changed(a, text.trim_start_matches(|character| cutset.contains(character)))
}

pub(super) fn trim_right(a: Value, cutset: Value) -> Outcome {
    let (text, cutset) = (string(a, 1)?, string(cutset, 2)?);
    changed(a, text.trim_end_matches(|character| cutset.contains(character)))
}

pub(super) fn trim_prefix(a: Value, prefix: Value) -> Outcome {
    let (text, prefix) = (string(a, 1)?, string(prefix, 2)?);
    changed(a, text.strip_prefix(prefix).unwrap_or(text))
}

pub(super) fn trim_suffix(a: Value, suffix: Value) -> Outcome {
    let (text, suffix) = (string(a, 1)?, string(suffix, 2)?);
    changed(a, text.strip_suffix(suffix).unwrap_or(text))
}

pub(super) fn trim_space(a: Value) -> Outcome {
    changed(a, string(a, 1)?.trim())
}

pub(super) fn format_int(a: Value, base: Value) -> Outcome {
    let value = number(a, 1)?;
    let radix = match number(base, 2)? {
        Num::Int(radix @ (2 | 8 | 10 | 16)) => radix as u32,
        _ => return Err(Failure::operand_text(2, &["must be one of {2, 8, 10, 16}"])),
    };
    let mut out = String::new();
    match (value, radix) {
        (Num::Int(int), 10) => push_int(&mut out, int),
        _ => {
            // What is written as an integer is exact; anything else goes through a float and loses its fraction.
            let exact = match value {
                Num::Text(text) => text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-'),
                _ => true,
            };
            let integer = if exact { value.to_big() } else { None };
            out = integer.unwrap_or_else(|| value.to_float().truncated()).to_radix(radix);
        }
    }
    Ok(Value::string(&out))
}

/// What a template string is made of: texts as they are, other values as Rego text, and a set of at most one value for
/// an expression.
pub(super) fn template_string(parts: Value) -> Outcome {
    super::operands::array(parts, 1)?;
    let mut out = String::new();
    for part in array::iter(parts) {
        if !part.is_set() {
            if part.is_array() || part.is_object() {
                return Err(Failure::builtin(&["illegal argument type: ", part.kind().name()]));
            }
            push_part(part, &mut out);
            continue;
        }
        match part.len() {
            0 => out.push_str("<undefined>"),
            1 => table::elements(part).for_each(|(_, value)| push_part(value, &mut out)),
            _ => return Err(Failure::builtin(&["template-strings must not produce multiple outputs"])),
        }
    }
    Ok(Value::string(&out))
}

fn push_part(part: Value, out: &mut String) {
    match part.as_str() {
        Some(text) => out.push_str(text),
        None => json::write(part, Format::Display, out),
    }
}

pub(super) fn to_number(a: Value) -> Outcome {
    if a.is_number() {
        return Ok(a);
    }
    if a == Value::NULL || a == Value::bool(false) {
        return Ok(Value::int(0));
    }
    if a == Value::bool(true) {
        return Ok(Value::int(1));
    }
    let Some(text) = a.as_str() else {
        return Err(Failure::operand(1, "one of {null, boolean, number, string}", a));
    };
    let bare = text.trim_start_matches(['+', '-']);
    if ["inf", "infinity", "nan"].iter().any(|word| bare.eq_ignore_ascii_case(word)) {
        return Err(Failure::operand(1, "valid number string", a));
    }
    let Some(decimal) = rego_value::number::Decimal::parse(text) else {
        let mut quoted = String::new();
        rego_value::text::quote(text, &mut quoted);
        return Err(Failure::builtin(&["strconv.ParseFloat: parsing ", &quoted, ": invalid syntax"]));
    };
    if rego_value::number::Float::from_decimal(&decimal).binary_exponent() > 1024 {
        let mut quoted = String::new();
        rego_value::text::quote(text, &mut quoted);
        return Err(Failure::builtin(&["strconv.ParseFloat: parsing ", &quoted, ": value out of range"]));
    }
    if decimal.has_exponent() && decimal.check_magnitude().is_err() {
        return Err(Failure::builtin(&["invalid number: number too big"]));
    }
    Ok(Value::number_text(text))
}

pub(super) fn json_marshal(a: Value) -> Outcome {
    let mut out = String::new();
    json::write(a, Format::Json(Escape::Html), &mut out);
    Ok(Value::string(&out))
}

pub(super) fn json_unmarshal(a: Value) -> Outcome {
    let text = string(a, 1)?;
    json::parse(text.as_bytes()).map_err(|error| Failure::Builtin(decoder_error(text, &error)))
}

/// The words of Go's streaming decoder, which OPA uses here: it reads one value, and then asks what follows.
fn decoder_error(text: &str, error: &ParseError) -> String {
    let rest = text.get(error.offset..).unwrap_or_default();
    let mut out = String::new();
    match error.kind {
        Error::UnexpectedEnd if text.trim().is_empty() => out.push_str("EOF"),
        Error::UnexpectedEnd => out.push_str("unexpected EOF"),
        Error::TrailingData => match token(rest) {
            Some(token) => {
                out.push_str("error: invalid character '");
                out.push_str(token);
                out.push_str("' after top-level value");
            }
            None => {
                let kind = Error::InvalidCharacter(
                    rest.bytes().next().unwrap_or(0),
                    "looking for beginning of value",
                );
                return ParseError { kind, offset: error.offset }.to_string();
            }
        },
        _ => return error.to_string(),
    }
    out
}

/// The token with which a text begins.
fn token(text: &str) -> Option<&str> {
    let number =
        |character: char| character.is_ascii_digit() || matches!(character, '-' | '+' | '.' | 'e' | 'E');
    match text.bytes().next()? {
        b'{' | b'[' => text.get(..1),
        b'"' => text.get(1..).and_then(|rest| rest.split_once('"')).map(|(inside, _)| inside),
        b'-' | b'0'..=b'9' => Some(text.split(|character| !number(character)).next().unwrap_or(text)),
        _ => ["true", "false"].into_iter().find(|word| text.starts_with(word)),
    }
}

pub(super) fn json_is_valid(a: Value) -> Outcome {
    Ok(Value::bool(a.as_str().is_some_and(|text| rego_value::json::is_valid(text.as_bytes()))))
}
