//! Which responses are kept between evaluations, and for how long.

use rego_value::{Object, Value};

use super::request::Parameters;
use super::{Failure, headers};
use crate::gotime;

/// What a request says about the cache between evaluations.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caching {
    cache: bool,
    /// How long to keep a response whatever its headers say, in seconds.
    forced: Option<i32>,
    /// Whether `caching_mode` is one of those that there are. Both keep the same thing here.
    pub(super) mode: Result<(), WrongMode>,
}

/// A `caching_mode` that there is not.
#[derive(Clone, Copy, Debug)]
pub(super) enum WrongMode {
    Type,
    Value,
}

impl From<WrongMode> for Failure {
    fn from(wrong: WrongMode) -> Self {
        Failure::new(match wrong {
            WrongMode::Type => "invalid value for \"caching_mode\" field",
            WrongMode::Value => "invalid value specified for \"caching_mode\" field",
        })
    }
}

impl Caching {
    pub(super) fn of(operand: &Object) -> Result<Self, Failure> {
        let parameters = Parameters { object: operand };
        let cache = parameters.flag("cache")?;
        let forced = if parameters.flag("force_cache")? { Some(duration(&parameters)?) } else { None };
        let mode = match parameters.get("caching_mode") {
            None => Ok(()),
            Some(Value::String(mode)) if ["serialized", "deserialized"].contains(&&**mode) => Ok(()),
            Some(Value::String(_)) => Err(WrongMode::Value),
            Some(_) => Err(WrongMode::Type),
        };
        Ok(Self { cache: cache || forced.is_some(), forced, mode })
    }

    pub(super) fn between_evaluations(&self) -> bool {
        self.cache
    }

    pub(super) fn forced(&self) -> bool {
        self.forced.is_some_and(|seconds| seconds > 0)
    }

    /// When a response with these headers expires.
    pub(super) fn expiry(&self, headers: &[(String, String)], now_ns: i64) -> Result<i128, Failure> {
        const SECOND: i128 = 1_000_000_000;
        if let Some(seconds) = self.forced.filter(|seconds| *seconds > 0) {
            return Ok(i128::from(now_ns) + i128::from(seconds) * SECOND);
        }
        let date =
            |name: &str| parse_date(headers::get(headers, name)).map(|seconds| i128::from(seconds) * SECOND);
        match max_age(headers)? {
            Some(age) => {
                let created = date("Date").ok_or_else(|| Failure::new("no date header"))?;
                Ok(created + i128::from(age) * SECOND)
            }
            None => Ok(date("Expires").unwrap_or(i128::MIN)),
        }
    }
}

/// `force_cache_duration_seconds`, which `force_cache` asks for.
fn duration(parameters: &Parameters<'_>) -> Result<i32, Failure> {
    let missing = "'force_cache' set but 'force_cache_duration_seconds' parameter is missing";
    let value = parameters.get("force_cache_duration_seconds").ok_or_else(|| Failure::refused(missing))?;
    let text = value.to_string();
    text.parse().map_err(|_| Failure::refused(format!("strconv.ParseInt: parsing {text:?}: invalid syntax")))
}

/// What stands for a request in the caches: the request without the headers that it says to ignore.
pub(super) fn key(operand: &Object) -> Result<Value, Failure> {
    let parameters = Parameters { object: operand };
    let mut key = operand.clone();
    let members = key.make_mut();
    members.insert(Value::from("cache_ignored_headers"), Value::Null);
    let (ignored, headers) = (parameters.get("cache_ignored_headers"), parameters.get("headers"));
    let (Some(ignored), Some(Value::Object(headers))) = (ignored, headers) else {
        return Ok(Value::Object(key));
    };
    let names = match ignored {
        Value::Array(names) if names.iter().all(|name| matches!(name, Value::String(_))) => names,
        _ => return Err(Failure::new("cache_ignored_headers must be an array of strings")),
    };
    let counted = headers.iter().filter(|(name, _)| !names.iter().any(|ignored| ignored == *name));
    let counted: Object = counted.map(|(name, value)| (name.clone(), value.clone())).collect();
    members.insert(Value::from("headers"), Value::Object(counted));
    Ok(Value::Object(key))
}

/// The directives of `Cache-Control`: name and value, which is empty where there is none.
fn directives(headers: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    let parts = headers::get(headers, "Cache-Control").split(',').map(|part| part.trim_matches(' '));
    parts.filter(|part| !part.is_empty()).filter_map(|part| match part.split_once('=') {
        None => Some((part, "")),
        Some((_, value)) if value.contains('=') => None,
        Some((name, value)) => Some((name.trim_matches(' '), value)),
    })
}

/// Whether the response says that nobody may keep it.
pub(super) fn forbids_storing(headers: &[(String, String)]) -> bool {
    directives(headers).any(|(name, _)| name == "no-store")
}

/// `max-age` in seconds.
fn max_age(headers: &[(String, String)]) -> Result<Option<i32>, Failure> {
    let Some((_, text)) = directives(headers).filter(|(name, _)| *name == "max-age").last() else {
        return Ok(None);
    };
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Failure::new(format!("strconv.ParseUint: parsing {text:?}: invalid syntax")));
    }
    // More digits than a number holds are as good as for ever.
    Ok(Some(text.parse().unwrap_or(i32::MAX)))
}

/// A date as HTTP writes it, in one of three forms, as seconds since 1970-01-01 UTC.
fn parse_date(text: &str) -> Option<i64> {
    const LAYOUTS: [&str; 3] =
        ["Mon, 02 Jan 2006 15:04:05 GMT", "Monday, 02-Jan-06 15:04:05 MST", "Mon Jan _2 15:04:05 2006"];
    let parsed = LAYOUTS.iter().find_map(|layout| gotime::parse(layout, text).ok());
    parsed.map(|(seconds, _)| seconds)
}
