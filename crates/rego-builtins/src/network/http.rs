//! `http.send`.

mod caching;
mod headers;
mod request;
mod response;
pub(crate) mod session;

use rego_value::{Object, Value};

use super::response_cache::Kept;
use super::{HttpFailure, HttpRequest, HttpResponse, Network, closed};
use crate::args::{Args, wrong_type};
use crate::context::Context;
use crate::error::{BuiltinError, ErrorCode};
use caching::Caching;
pub(crate) use request::NAMES;
use request::Parameters;

/// Why a call has no response: the error as OPA's `error` member has it.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    /// Whether the network is to blame, and not the request.
    network: bool,
    /// What is said where errors are not raised.
    message: String,
    /// What is said where they are, when that is something else.
    raised: Option<String>,
    code: ErrorCode,
    /// The evaluation ends.
    halt: bool,
}

impl Failure {
    fn new(message: impl Into<String>) -> Self {
        Self { network: false, message: message.into(), raised: None, code: ErrorCode::Builtin, halt: false }
    }

    /// A request that cannot be sent as it is. Where errors are not raised it is described as OPA prints its errors,
    /// without the place of the call, which only the module knows.
    fn refused(error: impl Into<BuiltinError>) -> Self {
        let BuiltinError { code, message, halt } = error.into();
        let described = format!("{}: http.send: {message}", code.as_str());
        Self { network: false, message: described, raised: Some(message), code, halt }
    }

    /// What a transport reports, with the words of Go's client: `Get "http://…": what`.
    fn of(failure: HttpFailure, request: &HttpRequest) -> Self {
        let operation = title(&request.method);
        let quoted = |what: &str| format!("{operation} {:?}: {what}", request.url);
        let network = |message| Self { network: true, ..Self::new(message) };
        match failure {
            HttpFailure::Invalid(message) => Self::refused(message),
            HttpFailure::Network(message) => network(quoted(&message)),
            HttpFailure::TimedOut(message) => Self {
                raised: Some(format!("{operation} {}: request timed out", request.url)),
                ..network(quoted(&message))
            },
            HttpFailure::Deadline => Self {
                code: ErrorCode::Cancel,
                halt: true,
                ..network("timed out (context deadline exceeded)".to_owned())
            },
        }
    }

    fn raise(self) -> BuiltinError {
        BuiltinError { code: self.code, message: self.raised.unwrap_or(self.message), halt: self.halt }
    }

    /// The response that stands for an error that is not raised.
    fn into_value(self) -> Value {
        let code =
            if self.network { "eval_http_send_network_error" } else { "eval_http_send_internal_error" };
        let error = Value::object([("code", code.into()), ("message", self.message.into())].map(member));
        Value::object([("status_code", 0.into()), ("error", error)].map(member))
    }
}

fn member((name, value): (&str, Value)) -> (Value, Value) {
    (Value::from(name), value)
}

/// `GET` as Go's errors write it: `Get`.
fn title(method: &str) -> String {
    let (first, rest) = method.split_at_checked(1).unwrap_or((method, ""));
    format!("{first}{}", rest.to_ascii_lowercase())
}

/// `http.send`
pub(crate) fn send(context: &mut Context, args: &[Value]) -> Result<Option<Value>, BuiltinError> {
    let operand = Args(args).value(1)?;
    let Value::Object(object) = operand else { return Err(wrong_type(1, operand, &["object"])) };
    let raise = match operand.get_str("raise_error") {
        None => true,
        Some(Value::Bool(raise)) => *raise,
        Some(_) => return Err(BuiltinError::new("invalid value for raise_error field")),
    };
    let outcome = match request::check_names(object) {
        Err(error) => Err(Failure::refused(error)),
        Ok(()) => {
            // That there is no network is for the author to know, whatever the request says about errors.
            let network = context.network.clone().ok_or_else(closed)?;
            respond(context, &network, object)
        }
    };
    match outcome {
        Ok(response) => Ok(Some(response)),
        Err(failure) if raise || failure.halt => Err(failure.raise()),
        Err(failure) => Ok(Some(failure.into_value())),
    }
}

/// The response to a request, from a cache or from the network.
fn respond(context: &mut Context, network: &Network, operand: &Object) -> Result<Value, Failure> {
    let key = caching::key(operand)?;
    let caching = Caching::of(operand)?;
    if let Some(known) = context.http.get(&key) {
        return known;
    }
    let parameters = Parameters { object: operand };
    if let Some(host) = request::host_of(parameters.text("url").unwrap_or_default())
        && !network.allows(&host)
    {
        return Err(Failure::refused(format!("disallowed host: {host}")));
    }
    let call = Call { network, operand, caching, now_ns: context.now_ns, deadline: context.deadline };
    if caching.between_evaluations() {
        let kept = call.kept(&key);
        // Whatever the cache says holds for the rest of the evaluation.
        match &kept {
            Ok(None) => {}
            Ok(Some(response)) => context.http.put(&key, Ok(response.clone())),
            Err(failure) => context.http.put(&key, Err(failure.clone())),
        }
        if let Some(response) = kept? {
            return Ok(response);
        }
    }
    let sent = call.send(operand, None).inspect_err(|failure| {
        context.http.put(&key, Err(failure.clone()));
    })?;
    let value = response::value(&sent, &parameters)?;
    if caching.between_evaluations() || response::is_cacheable(sent.status_code) {
        context.http.put(&key, Ok(value.clone()));
    }
    if caching.between_evaluations() {
        // What cannot be kept is an answer none the less.
        let _ = call.keep(&key, sent);
    }
    Ok(value)
}

/// A call of `http.send` that has to leave the evaluation.
struct Call<'a> {
    network: &'a Network,
    operand: &'a Object,
    caching: Caching,
    now_ns: i64,
    deadline: Option<std::time::Instant>,
}

/// What makes a request conditional.
#[derive(Default)]
struct Validators {
    etag: String,
    last_modified: String,
}

impl Call<'_> {
    /// Sends the request of an operand, conditionally if there are validators.
    fn send(&self, operand: &Object, validators: Option<&Validators>) -> Result<HttpResponse, Failure> {
        let parameters = Parameters { object: operand };
        let mut request = parameters.request()?;
        request.deadline = self.deadline;
        if let Some(validators) = validators {
            headers::set(&mut request.headers, "If-None-Match", &validators.etag);
            headers::set(&mut request.headers, "If-Modified-Since", &validators.last_modified);
        }
        let allows = |host: &str| self.network.allows(host);
        self.network.transport().send(&request, &allows).map_err(|failure| Failure::of(failure, &request))
    }

    /// The response that is kept for the key, if it is still good or the server says so.
    fn kept(&self, key: &Value) -> Result<Option<Value>, Failure> {
        let Value::Object(operand) = key else { return Ok(None) };
        let parameters = Parameters { object: self.operand };
        parameters.flag("force_json_decode")?;
        parameters.flag("force_yaml_decode")?;
        let cache = self.network.cache();
        let Some(mut kept) = cache.get(key) else { return Ok(None) };
        if i128::from(self.now_ns) < kept.expires_ns {
            return response::value(&kept.response, &parameters).map(Some);
        }
        let validators = Validators {
            etag: headers::get(&kept.response.headers, "ETag").to_owned(),
            last_modified: headers::get(&kept.response.headers, "Last-Modified").to_owned(),
        };
        let can_ask = !(validators.etag.is_empty() && validators.last_modified.is_empty());
        let answer = if can_ask { Some(self.send(operand, Some(&validators))) } else { None };
        cache.remove(key);
        match answer.transpose()? {
            Some(fresh) if fresh.status_code == 200 => {
                let value = response::value(&fresh, &parameters)?;
                self.keep(key, fresh)?;
                Ok(Some(value))
            }
            Some(unchanged) if unchanged.status_code == 304 => {
                kept.expires_ns = self.caching.expiry(&unchanged.headers, self.now_ns)?;
                headers::replace(&mut kept.response.headers, unchanged.headers);
                self.caching.mode?;
                let value = response::value(&kept.response, &parameters)?;
                cache.insert(key.clone(), kept);
                Ok(Some(value))
            }
            _ => Ok(None),
        }
    }

    /// Keeps a response for later evaluations if it may be.
    fn keep(&self, key: &Value, response: HttpResponse) -> Result<(), Failure> {
        let forbidden = !self.caching.forced() && caching::forbids_storing(&response.headers);
        if forbidden || !response::is_cacheable(response.status_code) {
            return Ok(());
        }
        self.caching.mode?;
        let expires_ns = self.caching.expiry(&response.headers, self.now_ns)?;
        self.network.cache().insert(key.clone(), Kept { response, expires_ns });
        Ok(())
    }
}
