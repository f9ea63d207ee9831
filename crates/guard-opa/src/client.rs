//! The calls.

use std::fmt;
use std::time::Duration;

use guard_core::Deadline;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, IF_NONE_MATCH};
use reqwest::{ClientBuilder, Method, RequestBuilder, Response, Url, redirect};
use serde_json::value::RawValue;

use crate::error::{ConfigError, OpaError, Refused};
use crate::patch::{Patch, body};
use crate::path::DataPath;
#[cfg(feature = "__tls")]
use crate::tls;
use crate::tls::Tls;
use crate::worker::Worker;

/// How much of an answer with a bad status is shown.
const SHOWN_BYTES: usize = 500;

/// Which OPA, and how to talk to it.
#[derive(Clone)]
pub struct Config {
    /// Its address, such as `http://127.0.0.1:8181`.
    pub url: String,
    /// Sent as a bearer token with every call.
    pub token: Option<String>,
    /// Certificates for https.
    pub tls: Tls,
    /// The most that is read of an answer, in bytes.
    pub max_reply: usize,
    /// How long a pooled connection is kept while nobody uses it.
    pub idle: Duration,
}

impl Config {
    /// The OPA at this address, answers of up to 1 MiB.
    pub fn new(url: impl Into<String>) -> Self {
        let idle = Duration::from_secs(60);
        Self { url: url.into(), token: None, tls: Tls::default(), max_reply: 1 << 20, idle }
    }
}

impl fmt::Debug for Config {
    /// Without the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = self.token.as_ref().map(|_| "…");
        f.debug_struct("Config")
            .field("url", &self.url)
            .field("token", &token)
            .field("tls", &self.tls)
            .field("max_reply", &self.max_reply)
            .field("idle", &self.idle)
            .finish()
    }
}

/// A connection pool to one OPA.
#[derive(Debug)]
pub struct Client {
    worker: Worker,
    http: reqwest::Client,
    /// Ends with a slash.
    base: Url,
    health: Url,
    max_reply: usize,
}

pub(crate) const JSON: &str = "application/json";
const REGO: &str = "text/plain";

impl Client {
    /// A client for this OPA. Nothing is sent yet.
    ///
    /// # Errors
    /// When the address or the token is not one, or the client's thread cannot be started.
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        let base = base_url(&config.url)?;
        let wrong = |reason: String| ConfigError::Url { url: config.url.clone(), reason };
        let health = base.join("health").map_err(|error| wrong(error.to_string()))?;
        Ok(Self { worker: Worker::start()?, http: http(config)?, base, health, max_reply: config.max_reply })
    }

    /// The address.
    pub fn url(&self) -> &str {
        self.base.as_str()
    }

    /// Runs several calls, and what is between them, within one deadline on the client's thread.
    ///
    /// # Errors
    /// [`OpaError::Timeout`] when the deadline passes first; else what the work gives.
    pub async fn within<T, E>(
        &self,
        deadline: Deadline,
        work: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<OpaError> + Send + 'static,
    {
        let bounded = async move {
            match tokio::time::timeout(deadline.remaining(), work).await {
                Ok(done) => Ok(done),
                Err(_) => Err(OpaError::Timeout { after: deadline.allowed() }),
            }
        };
        self.worker.run(bounded).await?
    }

    /// Whether OPA answers that it is well.
    ///
    /// # Errors
    /// As every call: see [`OpaError`].
    pub async fn health(&self, deadline: Deadline) -> Result<(), OpaError> {
        self.send(Method::GET, "health", None, deadline).await.map(|_| ())
    }

    /// Asks for its health again and again, from now on and a while after each answer, on the client's thread. Ends when
    /// the client is gone, or `tell` says `false`.
    pub fn watch_health(
        &self,
        every: Duration,
        timeout: Duration,
        mut tell: impl FnMut(Result<(), OpaError>) -> bool + Send + 'static,
    ) {
        let (http, url, cap) = (self.http.clone(), self.health.clone(), self.max_reply);
        self.worker.start_work(async move {
            loop {
                let answer = tokio::time::timeout(timeout, exchange(http.get(url.clone()), cap)).await;
                let answer = answer.unwrap_or(Err(OpaError::Timeout { after: timeout }));
                if !tell(answer.map(drop)) {
                    return;
                }
                tokio::time::sleep(every).await;
            }
        });
    }

    /// Creates or replaces a policy.
    ///
    /// # Errors
    /// [`OpaError::Refused`] with OPA's messages when the policy does not compile there.
    pub async fn put_policy(&self, id: &str, rego: &str, deadline: Deadline) -> Result<(), OpaError> {
        let path = format!("v1/policies/{}", DataPath::of([id])?.as_str());
        self.send(Method::PUT, &path, Some(Body::new(REGO, rego)), deadline).await.map(|_| ())
    }

    /// Removes a policy. One that is not there counts as removed.
    ///
    /// # Errors
    /// As every call.
    pub async fn delete_policy(&self, id: &str, deadline: Deadline) -> Result<(), OpaError> {
        let path = format!("v1/policies/{}", DataPath::of([id])?.as_str());
        match self.send(Method::DELETE, &path, None, deadline).await {
            Err(error) if error.is_not_found() => Ok(()),
            other => other.map(|_| ()),
        }
    }

    /// Sets a document, and creates those above it that are missing.
    ///
    /// # Errors
    /// As every call.
    pub async fn put_data(&self, path: &DataPath, json: &str, deadline: Deadline) -> Result<(), OpaError> {
        let path = data_url(path);
        self.send(Method::PUT, &path, Some(Body::new(JSON, json)), deadline).await.map(|_| ())
    }

    /// Sets a document unless there is one already; says whether it was set.
    ///
    /// # Errors
    /// As every call.
    pub async fn create_data(
        &self,
        path: &DataPath,
        json: &str,
        deadline: Deadline,
    ) -> Result<bool, OpaError> {
        let path = data_url(path);
        let body = Body { only_if_absent: true, ..Body::new(JSON, json) };
        match self.send(Method::PUT, &path, Some(body), deadline).await {
            Ok(_) => Ok(true),
            Err(OpaError::Refused(Refused { status: 304, .. })) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Changes the document at `root`: all changes, or none.
    ///
    /// # Errors
    /// [`OpaError::is_not_found`] when something that has to be there is not.
    pub async fn patch_data(
        &self,
        root: &DataPath,
        patches: &[Patch],
        deadline: Deadline,
    ) -> Result<(), OpaError> {
        let text = body(patches);
        let path = data_url(root);
        self.send(Method::PATCH, &path, Some(Body::new("application/json-patch+json", &text)), deadline)
            .await
            .map(|_| ())
    }

    /// Removes a document.
    ///
    /// # Errors
    /// [`OpaError::is_not_found`] when it is not there.
    pub async fn delete_data(&self, path: &DataPath, deadline: Deadline) -> Result<(), OpaError> {
        self.send(Method::DELETE, &data_url(path), None, deadline).await.map(|_| ())
    }

    /// The JSON text of a document.
    ///
    /// # Errors
    /// [`OpaError::Undefined`] when it is undefined.
    pub async fn get_data(&self, path: &DataPath, deadline: Deadline) -> Result<String, OpaError> {
        let reply = self.send(Method::GET, &data_url(path), None, deadline).await?;
        result_of(&reply, path)
    }

    /// The JSON text of a document, evaluated with this JSON text as `input`.
    ///
    /// # Errors
    /// [`OpaError::Undefined`] when it is undefined.
    pub async fn ask(&self, path: &DataPath, input: &str, deadline: Deadline) -> Result<String, OpaError> {
        let text = format!("{{\"input\":{input}}}");
        let reply = self.send(Method::POST, &data_url(path), Some(Body::new(JSON, &text)), deadline).await?;
        result_of(&reply, path)
    }

    /// Sends a call on the worker's thread, and gives back what came with a status of success.
    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Body<'_>>,
        deadline: Deadline,
    ) -> Result<Vec<u8>, OpaError> {
        let url = self.base.join(path).map_err(|error| OpaError::Garbled { detail: error.to_string() })?;
        let mut request = self.http.request(method, url);
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, body.kind).body(body.text.to_owned());
            if body.only_if_absent {
                request = request.header::<HeaderName, _>(IF_NONE_MATCH, "*");
            }
        }
        let cap = self.max_reply;
        let timeout = OpaError::Timeout { after: deadline.allowed() };
        self.worker
            .run(async move {
                match tokio::time::timeout(deadline.remaining(), exchange(request, cap)).await {
                    Ok(done) => done,
                    Err(_) => Err(timeout),
                }
            })
            .await
    }
}

/// What is sent along.
struct Body<'a> {
    kind: &'static str,
    text: &'a str,
    only_if_absent: bool,
}

impl<'a> Body<'a> {
    fn new(kind: &'static str, text: &'a str) -> Self {
        Self { kind, text, only_if_absent: false }
    }
}

/// A pool that sends the token to nobody but the address it is for.
pub(crate) fn http(config: &Config) -> Result<reqwest::Client, ConfigError> {
    let mut headers = HeaderMap::new();
    if let Some(token) = &config.token {
        let mut value = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| ConfigError::Token)?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    let builder = reqwest::Client::builder()
        .default_headers(headers)
        .redirect(redirect::Policy::none())
        .no_proxy()
        .pool_idle_timeout(config.idle)
        .tcp_nodelay(true);
    let builder = with_tls(builder, config)?;
    builder.build().map_err(|error| ConfigError::Start(chain(&error)))
}

/// Certificates, where the address is one of https; an address of http that has some is a mistake.
fn with_tls(builder: ClientBuilder, config: &Config) -> Result<ClientBuilder, ConfigError> {
    let https = url(&config.url)?.scheme() == "https";
    if !https && config.tls != Tls::default() {
        let reason = "it has certificates, which are for https://".to_owned();
        return Err(ConfigError::Url { url: config.url.clone(), reason });
    }
    // A client of http as well wants to know how to speak TLS, where that is built in.
    #[cfg(feature = "__tls")]
    let builder =
        builder.tls_backend_preconfigured(if https { tls::client(&config.tls)? } else { tls::nobody()? });
    Ok(builder)
}

fn base_url(text: &str) -> Result<Url, ConfigError> {
    let mut url = url(text)?;
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
}

/// An address that this build can speak to.
pub(crate) fn url(text: &str) -> Result<Url, ConfigError> {
    let wrong = |reason: &str| ConfigError::Url { url: text.to_owned(), reason: reason.to_owned() };
    let url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
    match url.scheme() {
        "http" => {}
        "https" if cfg!(feature = "__tls") => {}
        "https" => return Err(wrong("this build speaks http only (the feature `tls` is off)")),
        _ => return Err(wrong("it must begin with http:// or https://")),
    }
    Ok(url)
}

fn data_url(path: &DataPath) -> String {
    format!("v1/data/{}", path.as_str())
}

pub(crate) async fn exchange(request: RequestBuilder, cap: usize) -> Result<Vec<u8>, OpaError> {
    let unreachable = |error: reqwest::Error| OpaError::Unreachable { detail: chain(&error.without_url()) };
    let response = request.send().await.map_err(unreachable)?;
    let status = response.status();
    if status.is_success() {
        return read(response, cap).await;
    }
    let reply = read(response, cap).await.unwrap_or_default();
    Err(OpaError::Refused(refusal(status.as_u16(), &reply)))
}

async fn read(mut response: Response, cap: usize) -> Result<Vec<u8>, OpaError> {
    let announced = response.content_length().unwrap_or(0);
    if usize::try_from(announced).is_ok_and(|announced| announced > cap) {
        return Err(OpaError::TooLarge { cap });
    }
    let mut reply = Vec::new();
    loop {
        match response.chunk().await {
            Err(error) => return Err(OpaError::Unreachable { detail: chain(&error.without_url()) }),
            Ok(None) => return Ok(reply),
            Ok(Some(chunk)) if reply.len() + chunk.len() > cap => return Err(OpaError::TooLarge { cap }),
            Ok(Some(chunk)) => reply.extend_from_slice(&chunk),
        }
    }
}

/// What OPA says in `code`, `message` and `errors`, or else the beginning of what was sent.
fn refusal(status: u16, reply: &[u8]) -> Refused {
    let parsed: Option<serde_json::Value> = serde_json::from_slice(reply).ok();
    let text = |value: &serde_json::Value, name: &str| value.get(name)?.as_str().map(str::to_owned);
    let Some((value, message)) = parsed.as_ref().and_then(|value| Some((value, text(value, "message")?)))
    else {
        let shown = reply.get(..SHOWN_BYTES).unwrap_or(reply);
        return Refused { status, code: None, message: String::from_utf8_lossy(shown).trim().to_owned() };
    };
    let errors =
        value.get("errors").and_then(serde_json::Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let errors: Vec<String> = errors.iter().take(3).filter_map(|error| text(error, "message")).collect();
    let message = match errors.is_empty() {
        true => message,
        false => format!("{message}: {}", errors.join("; ")),
    };
    Refused { status, code: text(value, "code"), message }
}

/// The text under `result` in OPA's answer.
fn result_of(reply: &[u8], path: &DataPath) -> Result<String, OpaError> {
    #[derive(serde::Deserialize)]
    struct Answer<'a> {
        #[serde(borrow)]
        result: Option<&'a RawValue>,
    }
    let garbled = |detail: String| OpaError::Garbled { detail };
    let answer: Answer<'_> = serde_json::from_slice(reply).map_err(|error| garbled(error.to_string()))?;
    match answer.result {
        Some(result) => Ok(result.get().to_owned()),
        None => Err(OpaError::Undefined { path: format!("data/{}", path.as_str()) }),
    }
}

/// An error with those it came from, since reqwest's own text names only the outermost.
fn chain(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
