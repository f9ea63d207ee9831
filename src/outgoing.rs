//! A middleware for `reqwest` clients: a policy is checked before a request is sent.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::Extensions;
use reqwest::header::HeaderMap;
use reqwest::{Request, Response, ResponseBuilderExt as _, StatusCode};
use reqwest_middleware::{Error, Middleware, Next, Result};

use crate::check::Check;
use crate::error::GuardError;
use crate::guardian::Guardian;
use crate::spent::{Spent, settle};
use ::guardian::Permit;

type Describe = dyn Fn(&Request, Check) -> Check + Send + Sync;
type Settle = dyn Fn(&Answer<'_>) -> Spent + Send + Sync;

/// What came back, as far as it was asked for.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Answer<'a> {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Its body, where it is read: see [`GuardMiddleware::spent_of_body`]. Else it is empty.
    pub body: &'a [u8],
}

/// Checks a policy before a request is sent, and settles what it cost when its response is there.
///
/// ```no_run
/// use hexarch_guardrails::outgoing::GuardMiddleware;
/// use hexarch_guardrails::{Guardian, Spent};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let guardian = Guardian::discover()?;
/// let middleware = GuardMiddleware::new(guardian, "api_budget")?
///     .describe(|_, check| check.resource("openai").cost("0.05"))
///     .spent_of_body(1 << 20, |answer| match serde_json::from_slice::<serde_json::Value>(answer.body) {
///         Ok(body) => Spent::default().tokens(body["usage"]["total_tokens"].as_u64().unwrap_or(0)),
///         Err(_) => Spent::default(),
///     });
/// let client = reqwest_middleware::ClientBuilder::new(reqwest::Client::new()).with(middleware).build();
/// # let _ = client; Ok(())
/// # }
/// ```
///
/// **What the policy is told.** The method in lower case as the operation, and host and path as the resource
/// (`api.example.com/v1/chat`, with the port where it is not the scheme's own). The query is in the context as `query`,
/// marked as a secret. [`GuardMiddleware::describe`] says more, or something else. The body is not read.
///
/// A request that is not sent is an error `Middleware` that holds a [`GuardError`]: `error.downcast_ref()` on it. What was
/// reserved is given back when the request cannot be sent, or the future is dropped. When a response is there the request
/// is charged, whatever its status: as reserved, or as [`GuardMiddleware::spent`] says.
#[derive(Clone)]
pub struct GuardMiddleware {
    guardian: Guardian,
    policy: String,
    describe: Arc<Describe>,
    settle: Option<Arc<Settle>>,
    /// How much of a body is read for that, in bytes.
    body: Option<usize>,
    within: Option<Duration>,
}

impl fmt::Debug for GuardMiddleware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardMiddleware").field("policy", &self.policy).finish_non_exhaustive()
    }
}

impl GuardMiddleware {
    /// Checks this policy.
    ///
    /// # Errors
    /// When there is no such policy.
    pub fn new(guardian: Guardian, policy: impl Into<String>) -> std::result::Result<Self, GuardError> {
        let policy = policy.into();
        let _ = guardian.check(&policy)?;
        let describe: Arc<Describe> = Arc::new(|_, check| check);
        Ok(Self { guardian, policy, describe, settle: None, body: None, within: None })
    }

    /// Says more about a request than its method and address. What it says takes the place of what is said already.
    #[must_use]
    pub fn describe(mut self, describe: impl Fn(&Request, Check) -> Check + Send + Sync + 'static) -> Self {
        self.describe = Arc::new(describe);
        self
    }

    /// Says what a request really took, by the status and the headers of its response. A failure that costs nothing is
    /// `Spent::nothing()`.
    #[must_use]
    pub fn spent(mut self, spent: impl Fn(&Answer<'_>) -> Spent + Send + Sync + 'static) -> Self {
        self.settle = Some(Arc::new(spent));
        self
    }

    /// The same by the body, which is read to its end first if it is no longer than this, in bytes. One that announces that
    /// it is longer is left alone, and charged as reserved. One that turns out to be longer is an error, since what has been
    /// read of it cannot be put back.
    #[must_use]
    pub fn spent_of_body(
        mut self,
        most: usize,
        spent: impl Fn(&Answer<'_>) -> Spent + Send + Sync + 'static,
    ) -> Self {
        self.body = Some(most);
        self.spent(spent)
    }

    /// Waits so long for a confirmation or for room before a request is refused: see [`Check::run_or_wait`].
    #[must_use]
    pub fn within(mut self, within: Duration) -> Self {
        self.within = Some(within);
        self
    }

    async fn permit(&self, request: &Request) -> std::result::Result<Permit, GuardError> {
        let url = request.url();
        let mut resource = url.host_str().unwrap_or_default().to_owned();
        if let Some(port) = url.port() {
            resource.push_str(&format!(":{port}"));
        }
        resource.push_str(url.path());
        let operation = request.method().as_str().to_ascii_lowercase();
        let mut check = self.guardian.check(&self.policy)?.operation(operation).resource(resource);
        if let Some(query) = url.query() {
            check = check.secret("query", query);
        }
        let check = (self.describe)(request, check);
        match self.within {
            None => check.authorize_async().await,
            Some(within) => check.authorize_or_wait_async(within).await,
        }
    }

    /// Settles, and gives the response on, put together anew where its body was read.
    async fn settled(&self, mut permit: Permit, response: Response) -> Result<Response> {
        let most = self.body.filter(|most| {
            response
                .content_length()
                .is_none_or(|length| usize::try_from(length).is_ok_and(|length| length <= *most))
        });
        let (response, body) = match most {
            None => (response, Vec::new()),
            Some(most) => match read(response, most).await {
                Ok(read) => read,
                Err(error) => {
                    // It was sent and answered: it is charged.
                    permit.complete().await;
                    return Err(error);
                }
            },
        };
        // A body that was left alone says nothing.
        let unread = self.body.is_some() && most.is_none();
        if let Some(spent) = self.settle.as_ref().filter(|_| !unread) {
            let answer = Answer { status: response.status(), headers: response.headers(), body: &body };
            settle(&self.guardian, &mut permit, spent(&answer));
        }
        permit.complete().await;
        Ok(response)
    }
}

/// The body, and the response as it was.
async fn read(mut response: Response, most: usize) -> Result<(Response, Vec<u8>)> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > most {
            return Err(Error::middleware(TooLong { most }));
        }
        body.extend_from_slice(&chunk);
    }
    let mut again = http::Response::builder().status(response.status()).version(response.version());
    again = again.url(response.url().clone());
    if let Some(headers) = again.headers_mut() {
        *headers = response.headers().clone();
    }
    let again = again.body(body.clone()).map_err(Error::middleware)?;
    Ok((Response::from(again), body))
}

/// A response's body that is longer than [`GuardMiddleware::spent_of_body`] reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the response is longer than the {most} bytes that are read to settle what it cost")]
pub struct TooLong {
    /// How much is read, in bytes.
    pub most: usize,
}

#[async_trait::async_trait]
impl Middleware for GuardMiddleware {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        let permit = self.permit(&request).await.map_err(Error::middleware)?;
        let response = next.run(request, extensions).await?;
        self.settled(permit, response).await
    }
}
