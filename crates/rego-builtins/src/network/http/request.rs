//! The operand of `http.send` as a request.

use std::time::Duration;

use rego_value::json::{self, Escape};
use rego_value::{Object, Value};

use super::{Failure, headers};
use crate::args::wrong_type;
use crate::error::BuiltinError;
use crate::gotime::parse_duration;
use crate::network::{HttpRequest, PemSource, TlsOptions};

/// What a request may name.
pub(crate) const NAMES: [&str; 28] = [
    "body",
    "cache",
    "cache_ignored_headers",
    "caching_mode",
    "enable_redirect",
    "force_cache",
    "force_cache_duration_seconds",
    "force_json_decode",
    "force_yaml_decode",
    "headers",
    "max_retry_attempts",
    "method",
    "raise_error",
    "raw_body",
    "timeout",
    "tls_ca_cert",
    "tls_ca_cert_env_variable",
    "tls_ca_cert_file",
    "tls_client_cert",
    "tls_client_cert_env_variable",
    "tls_client_cert_file",
    "tls_client_key",
    "tls_client_key_env_variable",
    "tls_client_key_file",
    "tls_insecure_skip_verify",
    "tls_server_name",
    "tls_use_system_certs",
    "url",
];

/// What a request must name.
const REQUIRED: [&str; 2] = ["method", "url"];

/// The parameters that must be strings.
const TEXTS: [&str; 13] = [
    "method",
    "raw_body",
    "tls_ca_cert",
    "tls_ca_cert_env_variable",
    "tls_ca_cert_file",
    "tls_client_cert",
    "tls_client_cert_env_variable",
    "tls_client_cert_file",
    "tls_client_key",
    "tls_client_key_env_variable",
    "tls_client_key_file",
    "tls_server_name",
    "url",
];

/// How long a request may take that does not say.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

/// Whether all names are known and those that must be there are.
pub(super) fn check_names(operand: &Object) -> Result<(), BuiltinError> {
    let known = |name: &Value| name.as_str().is_some_and(|name| NAMES.contains(&name));
    let invalid: Vec<Value> = operand.keys().filter(|name| !known(name)).cloned().collect();
    if !invalid.is_empty() {
        let what = format!("invalid request parameters(s): {}", Value::set(invalid));
        return Err(BuiltinError::operand(1, what));
    }
    let missing: Vec<Value> =
        REQUIRED.into_iter().map(Value::from).filter(|name| !operand.contains_key(name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(BuiltinError::operand(1, format!("missing required request parameters(s): {}", Value::set(missing))))
}

/// The members of the operand.
pub(super) struct Parameters<'a> {
    pub(super) object: &'a Object,
}

impl<'a> Parameters<'a> {
    pub(super) fn get(&self, name: &str) -> Option<&'a Value> {
        self.object.get(&Value::from(name))
    }

    /// A text, without quotes around it.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        self.get(name).and_then(Value::as_str).map(|text| text.trim_matches('"'))
    }

    /// A text that says something.
    fn filled(&self, name: &str) -> Option<String> {
        self.text(name).filter(|text| !text.is_empty()).map(ToOwned::to_owned)
    }

    /// A switch that is a boolean or absent.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Failure> {
        match self.get(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(Failure::refused(format!("invalid value for {name:?} field"))),
        }
    }

    /// A switch that OPA reads from the value's text, so that numbers will do.
    fn switch(&self, name: &str) -> Result<bool, Failure> {
        let Some(value) = self.get(name) else { return Ok(false) };
        match value.to_string().as_str() {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            other => Err(Failure::refused(format!("strconv.ParseBool: parsing {other:?}: invalid syntax"))),
        }
    }

    /// The request, without what is known only when it is sent.
    pub(super) fn request(&self) -> Result<HttpRequest, Failure> {
        if let Some(name) =
            TEXTS.into_iter().find(|name| matches!(self.get(name), Some(value) if value.as_str().is_none()))
        {
            return Err(Failure::refused(format!("{name:?} must be a string")));
        }
        let headers = self.headers()?;
        let mut tls = self.tls()?;
        if tls.server_name.is_none() {
            tls.server_name = Some(headers::get(&headers, "Host").to_owned()).filter(|host| !host.is_empty());
        }
        let body = match (self.text("raw_body"), self.get("body")) {
            (Some(text), _) => text.as_bytes().to_vec(),
            (None, Some(body)) => json::to_string(body, Escape::Html).into_bytes(),
            (None, None) => Vec::new(),
        };
        Ok(HttpRequest {
            method: self.text("method").unwrap_or_default().to_uppercase(),
            url: self.text("url").unwrap_or_default().to_owned(),
            headers,
            body,
            follow_redirects: self.switch("enable_redirect")?,
            timeout: self.timeout()?,
            retries: self.retries()?,
            deadline: None,
            tls,
        })
    }

    fn headers(&self) -> Result<Vec<(String, String)>, Failure> {
        let Some(value) = self.get("headers") else { return Ok(Vec::new()) };
        let Value::Object(members) = value else {
            return Err(Failure::refused("invalid type for headers key"));
        };
        let mut headers = Vec::with_capacity(members.len());
        for (name, value) in members.iter() {
            let name = name.as_str().map_or_else(|| name.to_string(), ToOwned::to_owned);
            let Some(text) = value.as_str() else {
                return Err(Failure::refused(format!(
                    "invalid type for headers value {:?}",
                    value.to_string()
                )));
            };
            headers.push((headers::canonical(&name), text.to_owned()));
        }
        Ok(headers)
    }

    fn tls(&self) -> Result<TlsOptions, Failure> {
        // In the text of a certificate OPA takes `\n` for the end of a line.
        let text = self.filled("tls_ca_cert").map(|text| PemSource::Text(text.replace("\\n", "\n")));
        let file = self.filled("tls_ca_cert_file").map(PemSource::File);
        let variable = self.filled("tls_ca_cert_env_variable").map(PemSource::Variable);
        let pair = |cert: &str, key: &str, source: fn(String) -> PemSource| {
            Some((source(self.filled(cert)?), source(self.filled(key)?)))
        };
        let identities = [
            pair("tls_client_cert", "tls_client_key", PemSource::Text),
            pair("tls_client_cert_file", "tls_client_key_file", PemSource::File),
            pair("tls_client_cert_env_variable", "tls_client_key_env_variable", PemSource::Variable),
        ];
        Ok(TlsOptions {
            use_system_certs: self.switch("tls_use_system_certs")?,
            authorities: [text, file, variable].into_iter().flatten().collect(),
            identities: identities.into_iter().flatten().collect(),
            insecure_skip_verify: self.switch("tls_insecure_skip_verify")?,
            server_name: self.filled("tls_server_name"),
        })
    }

    /// A number of nanoseconds or a text such as `500ms`; zero is no limit but the evaluation's deadline.
    fn timeout(&self) -> Result<Duration, Failure> {
        let nanoseconds = match self.get("timeout") {
            None => return Ok(DEFAULT_TIMEOUT),
            Some(Value::Number(number)) => number.to_string().parse().map_err(|_| {
                Failure::refused(format!("invalid timeout number value {number}, must be int64"))
            })?,
            Some(Value::String(text)) => match text.parse::<i64>() {
                Ok(nanoseconds) => nanoseconds,
                Err(_) => parse_duration(text)
                    .map_err(|why| Failure::refused(format!("invalid timeout value {text:?}: {why}")))?,
            },
            Some(other) => {
                let error = wrong_type(1, other, &["string", "number"]);
                let message = error.message.replace("operand 1 ", "operand 1 'timeout' ");
                return Err(Failure::refused(BuiltinError { message, ..error }));
            }
        };
        Ok(Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(0)))
    }

    fn retries(&self) -> Result<u32, Failure> {
        let Some(value) = self.get("max_retry_attempts") else { return Ok(0) };
        let number = value.as_number().and_then(rego_value::Number::as_i64);
        number
            .and_then(|number| u32::try_from(number).ok())
            .ok_or_else(|| Failure::new(format!("invalid value {value} for field \"max_retry_attempts\"")))
    }
}

/// The host of a URL. The transport asks again for the host that it speaks with; this is for what is answered from the
/// cache.
pub(super) fn host_of(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let authority = rest.get(..end)?;
    let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
    if scheme.eq_ignore_ascii_case("unix") {
        return None;
    }
    let host = match place.strip_prefix('[') {
        Some(v6) => v6.split(']').next()?,
        None => place.split(':').next()?,
    };
    Some(host.to_ascii_lowercase())
}
