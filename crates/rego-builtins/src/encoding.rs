//! Category encoding: hex, base64url without padding, URL queries, JSON with options.

use rego_value::json::{self, Escape};
use rego_value::{Array, Value};
use std::collections::BTreeMap;

use crate::args::{Args, wrong_type};
use crate::base64::URL_RAW;
use crate::bounds::{MOST_BYTES, too_long};
use crate::context::Context;
use crate::error::BuiltinError;

type Outcome = Result<Option<Value>, BuiltinError>;

/// Bytes as lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bytes as a string value.
pub(crate) fn text(bytes: &[u8]) -> Value {
    Value::from(lossy(bytes))
}

/// Bytes as text. Rego's strings are text: each byte that is no UTF-8 becomes U+FFFD, as it does in OPA once it is
/// written out.
pub(crate) fn lossy(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        out.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    out
}

/// `hex.encode`
pub(crate) fn hex_encode(_: &mut Context, args: &[Value]) -> Outcome {
    Ok(Some(hex(Args(args).string(1)?.as_bytes()).into()))
}

/// `hex.decode`
pub(crate) fn hex_decode(_: &mut Context, args: &[Value]) -> Outcome {
    let source = Args(args).string(1)?.as_bytes();
    let mut bytes = Vec::with_capacity(source.len() / 2);
    for pair in source.chunks(2) {
        let mut byte = 0;
        for digit in pair {
            let value = char::from(*digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
            byte = byte << 4 | value.ok_or_else(|| invalid_hex(*digit))?;
        }
        if pair.len() == 1 {
            return Err(BuiltinError::new("encoding/hex: odd length hex string"));
        }
        bytes.push(byte);
    }
    Ok(Some(text(&bytes)))
}

/// The byte as a Go rune, code point and quoted.
fn invalid_hex(byte: u8) -> BuiltinError {
    let shown = crate::gofmt::sprintf("%#U", &[crate::gofmt::Arg::Int(i64::from(byte))]);
    BuiltinError::new(format!("encoding/hex: invalid byte: {shown}"))
}

/// `base64url.encode_no_pad`
pub(crate) fn base64url_encode_no_pad(_: &mut Context, args: &[Value]) -> Outcome {
    Ok(Some(URL_RAW.encode(Args(args).string(1)?.as_bytes()).into()))
}

/// Escapes a text for a query, as Go's `url.QueryEscape`.
pub(crate) fn query_escape(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    for byte in source.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Undoes the escapes of a text; `plus` turns `+` into a space. Fails with the escape at fault.
pub(crate) fn unescape(source: &str, plus: bool) -> Result<Vec<u8>, String> {
    let bytes = source.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'+' if plus => out.push(b' '),
            b'%' => {
                let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
                let (Some(high), Some(low)) = (digit(at), digit(at + 1)) else {
                    let end = bytes.len().min(at + 2);
                    let shown = crate::gofmt::quote_bytes(bytes.get(at - 1..end).unwrap_or_default());
                    return Err(format!("invalid URL escape {shown}"));
                };
                out.push(u8::try_from(high << 4 | low).unwrap_or_default());
                at += 2;
            }
            other => out.push(*other),
        }
    }
    Ok(out)
}

/// `urlquery.encode`
pub(crate) fn urlquery_encode(_: &mut Context, args: &[Value]) -> Outcome {
    Ok(Some(query_escape(Args(args).string(1)?).into()))
}

/// `urlquery.decode`
pub(crate) fn urlquery_decode(_: &mut Context, args: &[Value]) -> Outcome {
    let bytes = unescape(Args(args).string(1)?, true).map_err(BuiltinError::new)?;
    Ok(Some(text(&bytes)))
}

/// `urlquery.encode_object`: sorted by key, a value of several once for each.
pub(crate) fn urlquery_encode_object(_: &mut Context, args: &[Value]) -> Outcome {
    let value = Args(args).value(1)?;
    let members = value.as_object().ok_or_else(|| wrong_type(1, value, &["object"]))?;
    let wrong = || BuiltinError::operand(1, "values must be string, array[string], or set[string]");
    let mut pairs: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (key, value) in members.iter() {
        let key = match key {
            Value::String(key) => key.to_string(),
            other => json::to_string(other, Escape::Plain),
        };
        let values = match value {
            Value::String(value) => vec![&**value],
            other => crate::args::elements(other)
                .ok_or_else(wrong)?
                .into_iter()
                .map(|item| item.as_str().ok_or_else(wrong))
                .collect::<Result<_, _>>()?,
        };
        pairs.insert(key, values);
    }
    let pairs: Vec<String> = pairs
        .iter()
        .flat_map(|(key, values)| values.iter().map(move |value| (key, value)))
        .map(|(key, value)| format!("{}={}", query_escape(key), query_escape(value)))
        .collect();
    Ok(Some(pairs.join("&").into()))
}

/// `urlquery.decode_object`
pub(crate) fn urlquery_decode_object(_: &mut Context, args: &[Value]) -> Outcome {
    let query = Args(args).string(1)?;
    let mut members: BTreeMap<Value, Vec<Value>> = BTreeMap::new();
    let mut first_error = None;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let parsed = if pair.contains(';') {
            Err("invalid semicolon separator in query".to_owned())
        } else {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            unescape(key, true).and_then(|key| Ok((key, unescape(value, true)?)))
        };
        match parsed {
            Ok((key, value)) => members.entry(text(&key)).or_default().push(text(&value)),
            Err(error) => {
                first_error.get_or_insert(error);
            }
        }
    }
    match first_error {
        Some(error) => Err(BuiltinError::new(error)),
        None => Ok(Some(Value::object(members.into_iter().map(|(key, values)| (key, Value::array(values)))))),
    }
}

/// `json.marshal_with_options`
pub(crate) fn json_marshal_with_options(_: &mut Context, args: &[Value]) -> Outcome {
    let args = Args(args);
    let compact = json::to_string(args.value(1)?, Escape::Html);
    let (mut indent, mut prefix, mut pretty, mut implied) = ("\t", "", None, false);
    for (key, value) in args.object(2)?.iter() {
        let key = key
            .as_str()
            .ok_or_else(|| BuiltinError::operand(2, format_args!("failed to stringify key {key}")))?;
        let shown = crate::gofmt::quote(key);
        let string = || {
            value.as_str().ok_or_else(|| {
                let got = value.kind().name();
                let what =
                    format!("key {shown} failed cast to string: operand 0 must be string but got {got}");
                BuiltinError::operand(2, what)
            })
        };
        match key {
            "prefix" => (prefix, implied) = (string()?, true),
            "indent" => (indent, implied) = (string()?, true),
            "pretty" => {
                let truth = value.as_bool();
                pretty = Some(truth.ok_or_else(|| {
                    BuiltinError::operand(2, format_args!("key {shown} failed cast to bool"))
                })?);
            }
            _ => return Err(BuiltinError::operand(2, format_args!("object contained unknown key {shown}"))),
        }
    }
    if !pretty.unwrap_or(implied) {
        return Ok(Some(compact.into()));
    }
    Ok(Some((prefix.to_owned() + &indented(&compact, prefix, indent)?).into()))
}

/// Compact JSON on many lines, each after the first with `prefix` and as many `indent`s as it is deep.
fn indented(compact: &str, prefix: &str, indent: &str) -> Result<String, BuiltinError> {
    let mut out = String::with_capacity(compact.len() * 2);
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    let line = |out: &mut String, depth: usize| {
        let added = indent.len().saturating_mul(depth).saturating_add(prefix.len());
        if added > MOST_BYTES.saturating_sub(out.len()) {
            return Err(too_long());
        }
        out.push('\n');
        out.push_str(prefix);
        out.extend(std::iter::repeat_n(indent, depth));
        Ok(())
    };
    let mut chars = compact.chars().peekable();
    while let Some(c) = chars.next() {
        if in_string {
            out.push(c);
            (in_string, escaped) = (escaped || c != '"', !escaped && c == '\\');
            continue;
        }
        match c {
            '{' | '[' => {
                out.push(c);
                if let Some(close) = chars.next_if(|next| matches!(next, '}' | ']')) {
                    out.push(close);
                } else {
                    depth += 1;
                    line(&mut out, depth)?;
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth)?;
                out.push(c);
            }
            ',' => {
                out.push(c);
                line(&mut out, depth)?;
            }
            ':' => out.push_str(": "),
            _ => {
                in_string = c == '"';
                out.push(c);
            }
        }
    }
    Ok(out)
}

/// An array of strings.
pub(crate) fn strings<'a>(items: impl IntoIterator<Item = &'a str>) -> Value {
    Value::Array(items.into_iter().map(Value::from).collect::<Array>())
}
