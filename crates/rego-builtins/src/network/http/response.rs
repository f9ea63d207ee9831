//! A response as the policy sees it.

use std::collections::BTreeMap;

use rego_value::{Value, json};

use super::request::Parameters;
use super::{Failure, headers, member};
use crate::context::Context;
use crate::encoding::text;
use crate::network::HttpResponse;
use crate::table;

/// The codes of responses that may be kept, as RFC 7231 (6.1) has them.
pub(super) fn is_cacheable(code: u16) -> bool {
    matches!(code, 200 | 203 | 204 | 206 | 300 | 301 | 404 | 405 | 410 | 414 | 501)
}

/// The object of a response. A body that cannot be decoded is null.
pub(super) fn value(response: &HttpResponse, parameters: &Parameters<'_>) -> Result<Value, Failure> {
    let media = headers::get(&response.headers, "Content-Type");
    let body = if parameters.flag("force_json_decode")? || is_json(media) {
        first_json(&response.body)
    } else if parameters.flag("force_yaml_decode")?
        || ["application/yaml", "application/x-yaml"].iter().any(|kind| media.contains(kind))
    {
        yaml(&response.body)
    } else {
        None
    };
    let members = [
        ("status", Value::from(response.status.as_str())),
        ("status_code", Value::from(i64::from(response.status_code))),
        ("body", body.unwrap_or(Value::Null)),
        ("raw_body", text(&response.body)),
        ("headers", header_object(&response.headers)),
    ];
    Ok(Value::object(members.map(member)))
}

/// Whether a media type is `application/json` or one that is built on it.
fn is_json(media: &str) -> bool {
    let essence = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let Some(subtype) = essence.strip_prefix("application/") else { return false };
    subtype == "json" || subtype.ends_with("+json")
}

/// The JSON value of a body. Where something stands behind a value OPA has read that value when it finds out.
fn first_json(body: &[u8]) -> Option<Value> {
    json::parse(body).ok().or_else(|| json::parse(body.get(..end_of_first(body)?)?).ok())
}

/// Where the first value of a text ends.
fn end_of_first(text: &[u8]) -> Option<usize> {
    let start = text.iter().position(|byte| !byte.is_ascii_whitespace())?;
    let rest = text.iter().enumerate().skip(start);
    match text.get(start)? {
        b'{' | b'[' | b'"' => {}
        b't' | b'n' => return Some(start + 4),
        b'f' => return Some(start + 5),
        _ => {
            let is_digit = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
            return rest.into_iter().find(|(_, byte)| !is_digit(byte)).map(|(at, _)| at);
        }
    }
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for (at, byte) in rest {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 && !in_string {
            return Some(at + 1);
        }
    }
    None
}

/// YAML is what `yaml.unmarshal` makes of it.
fn yaml(body: &[u8]) -> Option<Value> {
    let unmarshal = table::by_name("yaml.unmarshal")?.implementation.host()?;
    unmarshal(&mut Context::default(), &[text(body)]).ok().flatten()
}

/// Names in lower case, each with the list of its values.
fn header_object(headers: &[(String, String)]) -> Value {
    let mut lists: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (name, value) in headers {
        lists.entry(name.to_ascii_lowercase()).or_default().push(Value::from(value.as_str()));
    }
    Value::object(lists.into_iter().map(|(name, values)| (Value::from(name), Value::array(values))))
}
