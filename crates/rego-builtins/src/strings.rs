//! Category strings.

use rego_value::{Number, Value};

use crate::args::{Args, elements, wrong_element, wrong_type};
use crate::context::Context;
use crate::error::BuiltinError;
use crate::gofmt::{self, Arg};

type Outcome = Result<Option<Value>, BuiltinError>;

/// `sprintf`: Go's verbs, over strings, integers and floats; anything else is a string of its text.
pub(crate) fn sprintf(_: &mut Context, args: &[Value]) -> Outcome {
    let args = Args(args);
    let format = args.string(1)?;
    let operands: Vec<Arg> = args.array(2)?.iter().map(format_operand).collect();
    Ok(Some(gofmt::sprintf(format, &operands).into()))
}

fn format_operand(value: &Value) -> Arg {
    match value {
        Value::Number(number) => number_operand(number),
        Value::String(text) => Arg::Str(text.to_string()),
        other => Arg::Str(other.to_string()),
    }
}

/// The text of a number, not its value, decides between integer and float: `1.0` is a float.
fn number_operand(number: &Number) -> Arg {
    let text = number.text();
    if text.contains(['.', 'e', 'E']) {
        return match number.as_f64() {
            float if float.is_finite() => Arg::Float(float),
            _ => Arg::Str(text.into_owned()),
        };
    }
    match (text.parse(), crate::numbers::to_big(number)) {
        (Ok(int), _) => Arg::Int(int),
        (Err(_), Some(int)) => Arg::Big(int),
        (Err(_), None) => Arg::Str(text.into_owned()),
    }
}

/// `indexof_n`: where a text begins, in characters; occurrences may overlap.
pub(crate) fn indexof_n(_: &mut Context, args: &[Value]) -> Outcome {
    let args = Args(args);
    let (base, search) = (args.string(1)?, args.string(2)?);
    if search.is_empty() {
        return Err(BuiltinError::new("empty search character"));
    }
    let found = base
        .char_indices()
        .zip(0i64..)
        .filter(|((at, _), _)| base.get(*at..).is_some_and(|rest| rest.starts_with(search)))
        .map(|(_, position)| Value::from(position));
    Ok(Some(Value::array(found)))
}

/// `strings.count`: occurrences that do not overlap; of the empty text, one more than characters.
pub(crate) fn count(_: &mut Context, args: &[Value]) -> Outcome {
    let args = Args(args);
    let (text, search) = (args.string(1)?, args.string(2)?);
    let count = if search.is_empty() { text.chars().count() + 1 } else { text.matches(search).count() };
    Ok(Some(int(count)))
}

/// `strings.split_n`: the first n parts, or with a negative n the last ones.
pub(crate) fn split_n(_: &mut Context, args: &[Value]) -> Outcome {
    let args = Args(args);
    let (text, delimiter, limit) = (args.string(1)?, args.string(2)?, args.int(3)?);
    let parts: Vec<&str> = split(text, delimiter);
    let count = usize::try_from(limit.unsigned_abs()).unwrap_or(usize::MAX);
    let kept = if limit >= 0 {
        parts.get(..count.min(parts.len()))
    } else {
        parts.get(parts.len().saturating_sub(count)..)
    };
    Ok(Some(Value::array(kept.unwrap_or_default().iter().map(|part| Value::from(*part)))))
}

/// The parts between delimiters; the characters when the delimiter is empty.
fn split<'a>(text: &'a str, delimiter: &'a str) -> Vec<&'a str> {
    if delimiter.is_empty() {
        return text.char_indices().filter_map(|(at, c)| text.get(at..at + c.len_utf8())).collect();
    }
    text.split(delimiter).collect()
}

/// `strings.any_prefix_match`.
pub(crate) fn any_prefix_match(_: &mut Context, args: &[Value]) -> Outcome {
    any_affix(args, |text, affix| text.starts_with(affix))
}

/// `strings.any_suffix_match`.
pub(crate) fn any_suffix_match(_: &mut Context, args: &[Value]) -> Outcome {
    any_affix(args, |text, affix| text.ends_with(affix))
}

fn any_affix(args: &[Value], matches: fn(&str, &str) -> bool) -> Outcome {
    let args = Args(args);
    let texts = one_or_many(args, 1)?;
    let affixes = one_or_many(args, 2)?;
    let found = texts.iter().any(|text| affixes.iter().any(|affix| matches(text, affix)));
    Ok(Some(found.into()))
}

/// A string, or the strings of an array or a set.
fn one_or_many(args: Args<'_>, position: usize) -> Result<Vec<&str>, BuiltinError> {
    let value = args.value(position)?;
    if let Some(text) = value.as_str() {
        return Ok(vec![text]);
    }
    let items = elements(value).ok_or_else(|| wrong_type(position, value, &["string", "set", "array"]))?;
    items
        .into_iter()
        .map(|item| item.as_str().ok_or_else(|| wrong_element(position, value, item, &["string"])))
        .collect()
}

/// A length as a value.
pub(crate) fn int(count: usize) -> Value {
    Value::from(i64::try_from(count).unwrap_or(i64::MAX))
}
