//! Category providers.aws: requests signed with AWS Signature Version 4
//! (<https://docs.aws.amazon.com/general/latest/gr/sigv4_signing.html>).

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use rego_value::json::{self, Escape};
use rego_value::{Object, Value};
use sha2::{Digest, Sha256};

use crate::args::{Args, wrong_type};
use crate::context::Context;
use crate::encoding::hex;
use crate::error::BuiltinError;
use crate::gotime::Civil;
use crate::network::http;
use crate::url::Url;

const CREDENTIALS: [&str; 4] = ["aws_access_key", "aws_region", "aws_secret_access_key", "aws_service"];

/// Headers that others on the way may change, so that they are not signed.
const NOT_SIGNED: [&str; 3] = ["authorization", "user-agent", "x-amzn-trace-id"];

/// `providers.aws.sign_req`: the request with the headers that prove who sends it.
pub(crate) fn sign_req(_: &mut Context, args: &[Value]) -> Result<Option<Value>, BuiltinError> {
    let args = Args(args);
    let request = args.object(1)?;
    // OPA counts all operands as the first when their types are wrong.
    let config = args.value(2)?;
    let config = config.as_object().ok_or_else(|| wrong_type(1, config, &["object"]))?;
    let credentials = Credentials::of(config)?;
    let time = args.value(3)?;
    let time = time.as_number().ok_or_else(|| wrong_type(1, time, &["number"]))?;
    let time = time
        .as_plain_int()
        .ok_or_else(|| BuiltinError::operand(3, "could not convert time_ns value into a unix timestamp"))?;
    let content = Content::of(request)?;
    let unsigned_body = match config.get(&Value::from("disable_payload_signing")) {
        None => false,
        Some(Value::Bool(disabled)) => *disabled,
        Some(_) => {
            return Err(BuiltinError::operand(
                2,
                "invalid value for 'disable_payload_signing' in AWS config",
            ));
        }
    };
    let mut headers = content.headers.clone();
    headers.extend(credentials.headers(&content, time, unsigned_body));
    let headers = headers.into_iter().map(|(name, value)| (name.into(), value.into()));
    let mut signed = request.clone();
    signed.make_mut().insert("headers".into(), Value::object(headers));
    Ok(Some(Value::Object(signed)))
}

fn text(value: Option<&Value>) -> &str {
    value.and_then(Value::as_str).unwrap_or_default()
}

fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<Value> {
    let names: Vec<Value> = names.into_iter().map(Value::from).collect();
    (!names.is_empty()).then(|| Value::set(names))
}

struct Credentials<'a> {
    access_key: &'a str,
    secret_key: &'a str,
    region: &'a str,
    service: &'a str,
    session_token: &'a str,
}

impl<'a> Credentials<'a> {
    fn of(config: &'a Object) -> Result<Self, BuiltinError> {
        let member = |name: &str| config.get(&Value::from(name));
        let missing = CREDENTIALS.into_iter().filter(|name| member(name).is_none());
        if let Some(missing) = names(missing) {
            let what = format_args!("missing required AWS config parameters(s): {missing}");
            return Err(BuiltinError::operand(2, what));
        }
        let invalid = CREDENTIALS.into_iter().filter(|name| member(name).and_then(Value::as_str).is_none());
        if let Some(invalid) = names(invalid) {
            let what = format_args!("invalid values for required AWS config parameters(s): {invalid}");
            return Err(BuiltinError::operand(2, what));
        }
        Ok(Self {
            access_key: text(member("aws_access_key")),
            secret_key: text(member("aws_secret_access_key")),
            region: text(member("aws_region")),
            service: text(member("aws_service")),
            session_token: text(member("aws_session_token")),
        })
    }

    /// The headers that are added to a request.
    fn headers(&self, content: &Content, time_ns: i64, unsigned_body: bool) -> BTreeMap<String, String> {
        let Civil { year, month, day, hour, minute, second, .. } =
            Civil::from_unix(time_ns.div_euclid(1_000_000_000), 0);
        let date = format!("{year:04}{month:02}{day:02}");
        let time = format!("{date}T{hour:02}{minute:02}{second:02}Z");
        let body = if unsigned_body {
            "UNSIGNED-PAYLOAD".to_owned()
        } else {
            hex(&Sha256::digest(content.body.as_bytes()))
        };
        let host = String::from_utf8_lossy(&content.url.host).into_owned();
        let mut added = BTreeMap::from([("host".to_owned(), host), ("x-amz-date".to_owned(), time.clone())]);
        if matches!(self.service, "s3" | "glacier") {
            added.insert("x-amz-content-sha256".to_owned(), body.clone());
        }
        if !self.session_token.is_empty() {
            added.insert("x-amz-security-token".to_owned(), self.session_token.to_owned());
        }
        let mut signed = added.clone();
        for (name, value) in &content.headers {
            let name = name.to_lowercase();
            if !NOT_SIGNED.contains(&name.as_str()) {
                signed.insert(name, value.clone());
            }
        }
        let list = signed.keys().map(String::as_str).collect::<Vec<_>>().join(";");
        let lines: String = signed.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let canonical = format!(
            "{}\n{}\n{}\n{lines}\n{list}\n{body}",
            content.method,
            content.url.escaped_path(),
            content.url.query,
        );
        let scope = format!("{date}/{}/{}/aws4_request", self.region, self.service);
        let digest = hex(&Sha256::digest(canonical.as_bytes()));
        let signature = self.sign(&date, &format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{digest}"));
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope},SignedHeaders={list},Signature={signature}",
            self.access_key,
        );
        added.insert("Authorization".to_owned(), authorization);
        added
    }

    /// Signs with a key that is good for one day, region and service.
    fn sign(&self, date: &str, text: &str) -> String {
        let secret = format!("AWS4{}", self.secret_key);
        let steps = [date, self.region, self.service, "aws4_request", text];
        hex(&steps.into_iter().fold(secret.into_bytes(), |key, step| authenticated(&key, step)))
    }
}

fn authenticated(key: &[u8], message: &str) -> Vec<u8> {
    // Keys of any length are good for HMAC, so that there always is a code.
    let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(key) else { return Vec::new() };
    mac.update(message.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// What is signed of a request.
struct Content<'a> {
    method: &'a str,
    url: Url,
    headers: BTreeMap<String, String>,
    body: String,
}

impl<'a> Content<'a> {
    fn of(request: &'a Object) -> Result<Self, BuiltinError> {
        let member = |name: &str| request.get(&Value::from(name));
        let unknown =
            request.keys().filter(|key| !key.as_str().is_some_and(|key| http::NAMES.contains(&key)));
        let unknown: Vec<Value> = unknown.cloned().collect();
        if !unknown.is_empty() {
            let unknown = Value::set(unknown);
            return Err(BuiltinError::operand(1, format_args!("invalid request parameters(s): {unknown}")));
        }
        let required = || ["method", "url"].into_iter();
        if let Some(missing) = names(required().filter(|name| member(name).is_none())) {
            let what = format_args!("missing required request parameters(s): {missing}");
            return Err(BuiltinError::operand(1, what));
        }
        let headers = match member("headers") {
            None => BTreeMap::new(),
            Some(Value::Object(headers)) => headers
                .iter()
                .map(|(name, value)| (text(Some(name)).to_owned(), text(Some(value)).to_owned()))
                .collect(),
            Some(other) => return Err(wrong_type(0, other, &["object"])),
        };
        if let Some(invalid) = names(required().filter(|name| member(name).and_then(Value::as_str).is_none()))
        {
            let what = format_args!("invalid values for required request parameters(s): {invalid}");
            return Err(BuiltinError::operand(1, what));
        }
        let url = Url::parse(text(member("url"))).map_err(BuiltinError::new)?;
        let body = match (member("raw_body"), member("body")) {
            (Some(raw), _) => text(Some(raw)).to_owned(),
            (None, Some(body)) => json::to_string(body, Escape::Html),
            (None, None) => String::new(),
        };
        Ok(Self { method: text(member("method")), url, headers, body })
    }
}
