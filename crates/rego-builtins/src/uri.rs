//! Category uri: URI references as Go's `net/url` takes them apart (Go 1.26), which is stricter in places and laxer
//! in others than RFC 3986.

mod address;

use rego_value::Value;

use crate::args::Args;
use crate::context::Context;
use crate::encoding::text;
use crate::error::BuiltinError;
use crate::gofmt::{quote, quote_bytes};

type Outcome = Result<Option<Value>, BuiltinError>;

/// The parts of a reference that policies see, unescaped where Go unescapes them; empty where absent.
#[derive(Default)]
pub(crate) struct Parts<'a> {
    pub(crate) scheme: String,
    /// What follows the scheme where that is no path; nothing else is there then but a query and a fragment.
    pub(crate) opaque: &'a str,
    /// What stands before the `@` of an authority, as it is written.
    pub(crate) user: Option<&'a str>,
    /// Host and port as they are written, unescaped.
    pub(crate) host: Vec<u8>,
    pub(crate) path: Vec<u8>,
    /// The path as it is written, if escaping `path` again gives something else.
    pub(crate) raw_path: Option<&'a str>,
    pub(crate) query: &'a str,
    /// The reference ends in the `?` of a query that is empty.
    pub(crate) empty_query: bool,
    pub(crate) fragment: Vec<u8>,
    /// The fragment as it is written.
    pub(crate) raw_fragment: &'a str,
    /// A scheme is followed by a path and no authority.
    pub(crate) no_authority: bool,
}

/// `uri.parse`
pub(crate) fn parse(_: &mut Context, args: &[Value]) -> Outcome {
    let source = Args(args).string(1)?;
    let parts = split(source).map_err(BuiltinError::new)?;
    let (hostname, port) = host_and_port(&parts.host);
    let raw_path = parts.raw_path.map_or_else(|| text(&parts.path), Value::from);
    let members = [
        ("scheme", Value::from(parts.scheme.as_str())),
        ("hostname", text(hostname)),
        ("port", text(port)),
        ("path", text(&parts.path)),
        ("raw_path", raw_path),
        ("raw_query", Value::from(parts.query)),
        ("fragment", text(&parts.fragment)),
    ];
    let present = members.into_iter().filter(|(_, value)| value.as_str() != Some(""));
    Ok(Some(Value::object(present.map(|(name, value)| (Value::from(name), value)))))
}

/// `uri.is_valid`: false for the empty text, though it is a reference, and for what is no string.
pub(crate) fn is_valid(_: &mut Context, args: &[Value]) -> Outcome {
    let source = Args(args).string(1).unwrap_or_default();
    Ok(Some((!source.is_empty() && split(source).is_ok()).into()))
}

/// The scheme of a reference, in lower case; empty where there is none.
///
/// # Errors
/// The text is no reference.
pub(crate) fn scheme(source: &str) -> Result<String, String> {
    split(source).map(|parts| parts.scheme)
}

/// The path of a reference, unescaped.
///
/// # Errors
/// The text is no reference.
pub(crate) fn path(source: &str) -> Result<Vec<u8>, String> {
    split(source).map(|parts| parts.path)
}

/// Takes a reference apart; an error quotes what Go quotes.
pub(crate) fn split(source: &str) -> Result<Parts<'_>, String> {
    let (rest, fragment) = source.split_once('#').unwrap_or((source, ""));
    let failed = |subject: &str, problem: String| format!("parse {}: {problem}", quote(subject));
    let mut parts = without_fragment(rest).map_err(|problem| failed(rest, problem))?;
    parts.raw_fragment = fragment;
    parts.fragment = unescape(fragment, Escaped::Other).map_err(|problem| failed(source, problem))?;
    Ok(parts)
}

fn without_fragment(source: &str) -> Result<Parts<'_>, String> {
    if source.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
        return Err("net/url: invalid control character in URL".to_owned());
    }
    let mut parts = Parts::default();
    if source == "*" {
        parts.path = b"*".to_vec();
        return Ok(parts);
    }
    let (scheme, rest) = scheme_of(source)?;
    parts.scheme = scheme.to_ascii_lowercase();
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    parts.query = query;
    parts.empty_query = query.is_empty() && source.ends_with('?');
    if !rest.starts_with('/') {
        if !scheme.is_empty() {
            parts.opaque = rest;
            return Ok(parts);
        }
        if rest.split('/').next().is_some_and(|segment| segment.contains(':')) {
            return Err("first path segment in URL cannot contain colon".to_owned());
        }
    }
    let mut path = rest;
    if let Some(after) = rest.strip_prefix("//")
        && (!scheme.is_empty() || !after.starts_with('/'))
    {
        let (authority, rest) = after.split_at(after.find('/').unwrap_or(after.len()));
        parts.host = host_of(&parts.scheme, authority)?;
        parts.user = authority.rsplit_once('@').map(|(user, _)| user);
        path = rest;
    } else {
        parts.no_authority = !scheme.is_empty() && rest.starts_with('/');
    }
    parts.path = unescape(path, Escaped::Other)?;
    parts.raw_path = (escape_path(&parts.path) != path).then_some(path);
    Ok(parts)
}

/// The scheme, if there is one, and the text behind its colon.
fn scheme_of(source: &str) -> Result<(&str, &str), String> {
    for (at, byte) in source.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if at > 0 => {}
            b':' if at == 0 => return Err("missing protocol scheme".to_owned()),
            b':' => return Ok(source.split_once(':').unwrap_or(("", source))),
            _ => break,
        }
    }
    Ok(("", source))
}

/// Host and port of an authority. What stands before the last `@` must be well formed, and is not asked for.
fn host_of(scheme: &str, authority: &str) -> Result<Vec<u8>, String> {
    let Some((user, host)) = authority.rsplit_once('@') else { return checked_host(scheme, authority) };
    let host = checked_host(scheme, host)?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&byte);
    if !user.bytes().all(allowed) {
        return Err("net/url: invalid userinfo".to_owned());
    }
    for part in user.splitn(2, ':') {
        unescape(part, Escaped::Other)?;
    }
    Ok(host)
}

fn checked_host(scheme: &str, host: &str) -> Result<Vec<u8>, String> {
    match host.rfind('[') {
        Some(0) => return literal_host(host),
        Some(_) => return Err("invalid IP-literal".to_owned()),
        None => {}
    }
    // Lists of hosts, each with a port, stand in the addresses of databases; the web knows one host.
    let is_web = matches!(scheme, "http" | "https");
    if let Some(colon) = if is_web { host.find(':') } else { host.rfind(':') } {
        check_port(host.get(colon..).unwrap_or_default())?;
    }
    unescape(host, Escaped::Host)
}

/// `[address]` or `[address%25zone]`, with or without a port.
fn literal_host(host: &str) -> Result<Vec<u8>, String> {
    let Some((inner, port)) = host.strip_prefix('[').and_then(|rest| rest.rsplit_once(']')) else {
        return Err("missing ']' in host".to_owned());
    };
    check_port(port)?;
    let (address, zone) = inner.split_at(inner.find("%25").unwrap_or(inner.len()));
    let mut literal = unescape(address, Escaped::Host)?;
    literal.extend(unescape(zone, Escaped::Zone)?);
    let is_v4 = address::check(&literal).map_err(|problem| format!("invalid host: {problem}"))?;
    if is_v4 {
        return Err("invalid IP-literal".to_owned());
    }
    Ok([b"[", literal.as_slice(), b"]", port.as_bytes()].concat())
}

fn is_port(text: &[u8]) -> bool {
    match text.split_first() {
        None => true,
        Some((colon, digits)) => *colon == b':' && digits.iter().all(u8::is_ascii_digit),
    }
}

fn check_port(text: &str) -> Result<(), String> {
    if is_port(text.as_bytes()) { Ok(()) } else { Err(format!("invalid port {} after host", quote(text))) }
}

/// The host without its port and brackets, and the port.
fn host_and_port(host: &[u8]) -> (&[u8], &[u8]) {
    let (mut name, mut port): (&[u8], &[u8]) = (host, &[]);
    if let Some(colon) = host.iter().rposition(|byte| *byte == b':') {
        let (before, after) = host.split_at(colon);
        if is_port(after) {
            (name, port) = (before, after.get(1..).unwrap_or_default());
        }
    }
    if let [b'[', inner @ .., b']'] = name {
        name = inner;
    }
    (name, port)
}

/// Where an escape stands, which decides what it may hide.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Escaped {
    Host,
    Zone,
    Other,
}

/// Bytes that a host has as they are.
pub(crate) fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:[]<>\"".contains(&byte)
}

pub(crate) fn unescape(source: &str, place: Escaped) -> Result<Vec<u8>, String> {
    let bytes = source.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if *byte != b'%' {
            if place != Escaped::Other && byte.is_ascii() && !is_host_byte(*byte) {
                let shown = quote(&char::from(*byte).to_string());
                return Err(format!("invalid character {shown} in host name"));
            }
            out.push(*byte);
            at += 1;
            continue;
        }
        let escape = bytes.get(at..bytes.len().min(at + 3)).unwrap_or_default();
        let value = value_of(escape).filter(|value| match place {
            Escaped::Other => true,
            // Only what is no ASCII may be hidden, but for the `%` of a zone.
            Escaped::Host => *value >= 0x80 || escape == b"%25",
            Escaped::Zone => escape == b"%25" || *value == b' ' || is_host_byte(*value),
        });
        let shown = || quote_bytes(escape);
        out.push(value.ok_or_else(|| format!("invalid URL escape {}", shown()))?);
        at += 3;
    }
    Ok(out)
}

/// The byte that `%xy` stands for.
fn value_of(escape: &[u8]) -> Option<u8> {
    let [b'%', high, low] = escape else { return None };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(*high)? << 4 | digit(*low)?).ok()
}

/// A path with everything escaped that Go escapes in one.
pub(crate) fn escape_path(path: &[u8]) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path {
        if byte.is_ascii_alphanumeric() || b"-_.~$&+,/:;=@".contains(byte) {
            out.push(char::from(*byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
