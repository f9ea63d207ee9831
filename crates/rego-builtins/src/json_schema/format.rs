//! The values of `format` that are checked, as Go's standard library reads them. Others accept everything.

use std::net::IpAddr;

use super::email;
use crate::context::Context;
use crate::gotime;
use crate::regex::compiled;
use crate::uri;

/// Whether a text is of a format.
pub(super) fn is_format(context: &mut Context, format: &str, text: &str) -> bool {
    match format {
        "date" => is_time(text, &["2006-01-02"]),
        "time" => is_time(text, &["15:04:05Z07:00", "15:04:05"]),
        "date-time" => {
            is_time(text, &["15:04:05", "15:04:05Z07:00", "2006-01-02", "2006-01-02T15:04:05Z07:00"])
        }
        "hostname" => is_hostname(text),
        "email" | "idn-email" => email::is_address(text),
        "ipv4" => is_address(text, '.'),
        "ipv6" => is_address(text, ':'),
        "uri" | "iri" => uri::scheme(text).is_ok_and(|scheme| !scheme.is_empty()) && !text.contains('\\'),
        "uri-reference" | "iri-reference" => uri::scheme(text).is_ok() && !text.contains('\\'),
        "uri-template" => is_template(text),
        "uuid" => is_uuid(text),
        "regex" => text.is_empty() || compiled(context, text).is_ok(),
        "json-pointer" => is_pointer(text),
        "relative-json-pointer" => is_relative_pointer(text),
        _ => true,
    }
}

fn is_time(text: &str, layouts: &[&str]) -> bool {
    layouts.iter().any(|layout| gotime::parse(layout, text).is_ok())
}

/// Any address with such a character: one of version 6 may have dots.
fn is_address(text: &str, with: char) -> bool {
    text.contains(with) && text.parse::<IpAddr>().is_ok()
}

fn is_hostname(text: &str) -> bool {
    let is_label = |label: &str| {
        let edges = [label.bytes().next(), label.bytes().last()];
        label.len() <= 63
            && edges.iter().all(|byte| byte.is_some_and(|byte| byte.is_ascii_alphanumeric()))
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    text.len() < 256 && text.split('.').all(is_label)
}

/// Every brace that is opened in the path must be closed.
fn is_template(text: &str) -> bool {
    let Some(path) = uri::path(text).ok().filter(|_| !text.contains('\\')) else { return false };
    let mut rest = path.as_slice();
    while let Some(open) = rest.iter().position(|byte| *byte == b'{') {
        rest = rest.get(open + 1..).unwrap_or_default();
        let Some(close) = rest.iter().position(|byte| *byte == b'}') else { return false };
        rest = rest.get(close + 1..).unwrap_or_default();
    }
    true
}

fn is_uuid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths = [8, 4, 4, 4, 12];
    parts.len() == lengths.len()
        && parts
            .iter()
            .zip(lengths)
            .all(|(part, length)| part.len() == length && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// `/token/token`, where `~` stands before `0` or `1` only.
fn is_pointer(text: &str) -> bool {
    let escapes = text.split('~').skip(1).all(|after| after.starts_with(['0', '1']));
    (text.is_empty() || text.starts_with('/')) && escapes
}

/// A number without leading zeros, then `#` or a pointer.
fn is_relative_pointer(text: &str) -> bool {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at(digits);
    let well_formed = number == "0" || (!number.is_empty() && !number.starts_with('0'));
    well_formed && (rest == "#" || is_pointer(rest))
}
