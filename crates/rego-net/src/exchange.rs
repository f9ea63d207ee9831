//! One attempt: a request, its redirects, and the response.

use std::str::FromStr as _;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::ext::ReasonPhrase;
use hyper::header::{
    CONNECTION, HOST, HeaderMap, HeaderName, HeaderValue, LOCATION, TRAILER, TRANSFER_ENCODING, USER_AGENT,
};
use hyper::{Method, Request, Response, Uri, Version};
use rego_builtins::network::{HttpFailure, HttpRequest, HttpResponse};
use url::Url;

use crate::Allows;
use crate::connect::{self, Target};
use crate::redirect::{MOST_REDIRECTS, Step};

/// Who asks, where the policy does not say.
const AGENT: &str = concat!("hexarch-guardrails/", env!("CARGO_PKG_VERSION"));

/// Headers that the client itself answers for.
const OWN: [&str; 4] = ["Host", "Content-Length", "Transfer-Encoding", "Trailer"];

/// An attempt, which may be dropped at any time.
pub(crate) struct Exchange<'a> {
    request: &'a HttpRequest,
    allows: Allows<'a>,
    max_body: usize,
    has_response: bool,
}

fn network(error: impl std::fmt::Display) -> HttpFailure {
    HttpFailure::Network(error.to_string())
}

/// The whole of hyper's error: its own text says only which step failed.
fn hyper_failure(error: &hyper::Error) -> HttpFailure {
    if error.is_incomplete_message() {
        return network("EOF");
    }
    match std::error::Error::source(error) {
        Some(source) => network(format_args!("{error}: {source}")),
        None => network(error),
    }
}

impl<'a> Exchange<'a> {
    pub(crate) fn new(request: &'a HttpRequest, allows: Allows<'a>, max_body: usize) -> Self {
        Self { request, allows, max_body, has_response: false }
    }

    /// Whether the head of the last response has come.
    pub(crate) fn has_response(&self) -> bool {
        self.has_response
    }

    pub(crate) async fn run(&mut self) -> Result<HttpResponse, HttpFailure> {
        let url = Url::parse(&self.request.url)
            .map_err(|error| HttpFailure::Invalid(format!("parse {:?}: {error}", self.request.url)))?;
        let is_web = matches!(url.scheme(), "http" | "https");
        if is_web && self.request.url.split_once("://").is_none_or(|(_, rest)| rest.starts_with(['/', '\\']))
        {
            // The library would take the first part of the path for the host.
            return Err(network("http: no Host in request URL"));
        }
        let mut step = Step::first(self.request, url.clone());
        for _ in 0..=MOST_REDIRECTS {
            let response = self.send(&step).await?;
            let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            let next = match self.request.follow_redirects {
                true => step.next(&url, response.status().as_u16(), location),
                false => Ok(None),
            };
            match next {
                Ok(Some(next)) => step = next,
                Ok(None) => {
                    self.has_response = true;
                    return self.read(response).await;
                }
                Err(location) => {
                    return Err(network(format_args!("failed to parse Location header {location:?}")));
                }
            }
        }
        Err(network(format_args!("stopped after {MOST_REDIRECTS} redirects")))
    }

    /// Sends one step and waits for the head of the response.
    async fn send(&self, step: &Step) -> Result<Response<Incoming>, HttpFailure> {
        let target = Target::of(&step.url)?;
        if !(self.allows)(&target.permission()) {
            return Err(HttpFailure::Invalid(format!("disallowed host: {}", target.permission())));
        }
        let message = message(step, &target)?;
        let stream = connect::open(&target, &self.request.tls).await?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(stream).await.map_err(|error| hyper_failure(&error))?;
        tokio::spawn(connection);
        sender.send_request(message).await.map_err(|error| hyper_failure(&error))
    }

    async fn read(&self, response: Response<Incoming>) -> Result<HttpResponse, HttpFailure> {
        let (head, body) = response.into_parts();
        let code = head.status.as_u16();
        let reason = match head.extensions.get::<ReasonPhrase>() {
            Some(reason) => String::from_utf8_lossy(reason.as_bytes()).into_owned(),
            None => head.status.canonical_reason().unwrap_or_default().to_owned(),
        };
        // They are about the message and not about what it says.
        let framing = [TRANSFER_ENCODING, TRAILER];
        let ends = head.version == Version::HTTP_11 && ends_connection(&head.headers);
        let dropped = |name: &HeaderName| framing.contains(name) || (ends && name == CONNECTION);
        let headers = head.headers.iter().filter(|(name, _)| !dropped(name)).map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        });
        let headers = headers.collect();
        let body = Limited::new(body, self.max_body).collect().await;
        let body = body.map_err(|error| match error.downcast_ref::<hyper::Error>() {
            Some(error) if error.is_incomplete_message() => HttpFailure::Invalid("unexpected EOF".to_owned()),
            Some(error) => HttpFailure::Invalid(error.to_string()),
            None => HttpFailure::Invalid(format!("the body has more than {} bytes", self.max_body)),
        })?;
        Ok(HttpResponse {
            status: format!("{code} {reason}"),
            status_code: code,
            headers,
            body: body.to_bytes().to_vec(),
        })
    }
}

/// A step as a message.
fn message(step: &Step, target: &Target) -> Result<Request<Full<Bytes>>, HttpFailure> {
    let invalid = |what: String| HttpFailure::Invalid(what);
    let method = Method::from_bytes(step.method.as_bytes())
        .map_err(|_| invalid(format!("net/http: invalid method {:?}", step.method)))?;
    let uri = Uri::from_str(target.path())
        .map_err(|error| invalid(format!("parse {:?}: {error}", step.url.as_str())))?;
    let mut message = Request::new(Full::new(Bytes::from(step.body.clone())));
    *message.method_mut() = method;
    *message.uri_mut() = uri;
    let value = |name: &str, text: &str| {
        HeaderValue::from_str(text)
            .map_err(|_| network(format_args!("net/http: invalid header field value for {name:?}")))
    };
    let own_host = step.headers.iter().find(|(name, _)| name == "Host").map(|(_, host)| host.as_str());
    let headers = message.headers_mut();
    headers.insert(HOST, value("Host", own_host.unwrap_or(target.authority()))?);
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    for (name, text) in &step.headers {
        if OWN.contains(&name.as_str()) {
            continue;
        }
        let known = HeaderName::from_str(name)
            .map_err(|_| network(format_args!("net/http: invalid header field name {name:?}")))?;
        headers.insert(known, value(name, text)?);
    }
    Ok(message)
}

/// Whether the server says that it closes the connection, which Go's client keeps to itself.
fn ends_connection(headers: &HeaderMap) -> bool {
    let values = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|token| token.trim().eq_ignore_ascii_case("close"))
}
