//! A layer for tower services: a policy is checked before a request is served.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use guard_core::{Action, ConfirmationToken, LimitFields, Violation};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use http::request::Parts;
use http::{HeaderMap, Request, Response, StatusCode};
use serde_json::json;
use tower_layer::Layer;
use tower_service::Service;

use crate::check::Check;
use crate::error::GuardError;
use crate::guardian::Guardian;
use crate::limits;

/// What a caller comes back with once its call has been confirmed, and what it is told that token in.
pub const CONFIRMATION_TOKEN: HeaderName = HeaderName::from_static("x-confirmation-token");

type Describe = dyn Fn(&Parts, Check) -> Check + Send + Sync;

/// Checks a policy before a request is served.
///
/// ```
/// use hexarch_guardrails::{Guardian, tower::GuardLayer};
/// use tower_layer::Layer;
/// # use std::{convert::Infallible, future::{Ready, ready}, task::{Context, Poll}};
/// # use http::{Request, Response};
/// # #[derive(Clone)] struct Delete;
/// # impl tower_service::Service<Request<String>> for Delete {
/// #     type Response = Response<String>;
/// #     type Error = Infallible;
/// #     type Future = Ready<Result<Response<String>, Infallible>>;
/// #     fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> { Poll::Ready(Ok(())) }
/// #     fn call(&mut self, _: Request<String>) -> Self::Future { ready(Ok(Response::new("gone".to_owned()))) }
/// # }
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let text = "policies: [{id: api, rules: [{operation: delete, resource: /users/*, action: block}]}]";
/// let guardian = Guardian::builder().policy_text("hexarch.yaml", text).build()?;
/// let layer = GuardLayer::new(guardian, "api")?
///     .describe(|parts, check| match parts.extensions.get::<String>() {
///         Some(user) => check.user(user),
///         None => check,
///     });
/// // With axum: `Router::new().route("/users/{id}", delete(handler)).layer(layer)`.
/// let service = layer.layer(Delete);
/// # Ok(())
/// # }
/// ```
///
/// **What the policy is told.** The method in lower case as the operation (`delete`), the path as the resource, as it
/// stands in the request: not decoded, and with the slashes that it has. The query is in the context as `query`, marked as a
/// secret. [`GuardLayer::describe`] says more, or something else: it alone knows who calls. The body is not read, so a
/// confirmation does not depend on it unless a digest of it is in the context.
///
/// **What a caller is told** of a request that is not served, as JSON with `error`, `policy`, `action`, `reason`,
/// `decision_id` and what else is known:
///
/// | status | when | with |
/// |---|---|---|
/// | 202 | a person has to confirm the request, and has been asked | `X-Confirmation-Token`, to come back with in the same header; `confirmation_id`, and `approval_url` where [`GuardLayer::approvals`] is set |
/// | 429 | a budget or a rate has no room, or the line for it is full | `Retry-After` where it is known, `RateLimit` and `RateLimit-Policy` |
/// | 403 | anything else that the policy has against it, and when there was no decision | |
/// | 500 | the check itself cannot be, such as a cost below zero | |
///
/// What was charged for a request that is served is told in `RateLimit` and `RateLimit-Policy` as well. The request is
/// over, and its place free, when the service has its response, and not only when the body is read to its end. If the
/// service fails, or the caller goes away before that, what was reserved is given back.
///
/// No thread is blocked. A response's body has to be one that a `String` can become, as axum's `Body` and
/// `http_body_util::Full` are.
#[derive(Clone)]
pub struct GuardLayer {
    shared: Arc<Shared>,
}

#[derive(Clone)]
struct Shared {
    guardian: Guardian,
    policy: String,
    describe: Arc<Describe>,
    approvals: Option<String>,
    within: Option<Duration>,
}

impl fmt::Debug for GuardLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardLayer").field("policy", &self.shared.policy).finish_non_exhaustive()
    }
}

impl GuardLayer {
    /// Checks this policy.
    ///
    /// # Errors
    /// When there is no such policy.
    pub fn new(guardian: Guardian, policy: impl Into<String>) -> Result<Self, GuardError> {
        let policy = policy.into();
        // Here, and not with the first request.
        let _ = guardian.check(&policy)?;
        let describe: Arc<Describe> = Arc::new(|_, check| check);
        Ok(Self { shared: Arc::new(Shared { guardian, policy, describe, approvals: None, within: None }) })
    }

    fn with(self, change: impl FnOnce(&mut Shared)) -> Self {
        let mut shared = Arc::unwrap_or_clone(self.shared);
        change(&mut shared);
        Self { shared: Arc::new(shared) }
    }

    /// Says more about a request than its method and path: the user, roles, a cost, or what the body's digest is. What it
    /// says takes the place of what is said already.
    #[must_use]
    pub fn describe(self, describe: impl Fn(&Parts, Check) -> Check + Send + Sync + 'static) -> Self {
        self.with(|shared| shared.describe = Arc::new(describe))
    }

    /// Where people approve: `approval_url` is this, a slash and the confirmation's id. The page has to know who is there.
    #[must_use]
    pub fn approvals(self, base: impl Into<String>) -> Self {
        self.with(|shared| shared.approvals = Some(base.into()))
    }

    /// Waits so long for a confirmation or for room before a request is refused: see
    /// [`Check::run_or_wait`](crate::Check::run_or_wait).
    #[must_use]
    pub fn within(self, within: Duration) -> Self {
        self.with(|shared| shared.within = Some(within))
    }
}

impl<S> Layer<S> for GuardLayer {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { inner, shared: Arc::clone(&self.shared) }
    }
}

/// A service behind a [`GuardLayer`].
#[derive(Clone)]
pub struct Guarded<S> {
    inner: S,
    shared: Arc<Shared>,
}

impl<S: fmt::Debug> fmt::Debug for Guarded<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let policy = &self.shared.policy;
        f.debug_struct("Guarded").field("inner", &self.inner).field("policy", policy).finish_non_exhaustive()
    }
}

impl<S, B, R> Service<Request<B>> for Guarded<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    R: From<String> + Send + 'static,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let shared = Arc::clone(&self.shared);
        // The one that is ready is the one that was polled.
        let ready = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, ready);
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let check = shared.check(&parts);
            let authorized = match (check, shared.within) {
                (Err(error), _) => Err(error),
                (Ok(check), None) => check.authorize_async().await,
                (Ok(check), Some(within)) => check.authorize_or_wait_async(within).await,
            };
            let permit = match authorized {
                Ok(permit) => permit,
                Err(error) => return Ok(shared.refusal(&error).map(R::from)),
            };
            let limits = permit.limits();
            let mut response = inner.call(Request::from_parts(parts, body)).await?;
            permit.complete().await;
            tell(&limits, response.headers_mut());
            Ok(response)
        })
    }
}

impl Shared {
    fn check(&self, parts: &Parts) -> Result<Check, GuardError> {
        let mut check = self
            .guardian
            .check(&self.policy)?
            .operation(parts.method.as_str().to_ascii_lowercase())
            .resource(parts.uri.path());
        if let Some(query) = parts.uri.query() {
            check = check.secret("query", query);
        }
        let token = parts.headers.get(CONFIRMATION_TOKEN).and_then(|value| value.to_str().ok());
        if let Some(token) = token {
            check = check.confirmation_token(ConfirmationToken::new(token));
        }
        Ok((self.describe)(parts, check))
    }

    /// What the caller of a request is told that is not served.
    fn refusal(&self, error: &GuardError) -> Response<String> {
        let GuardError::Denied(violation) = error else {
            let body = json!({"error": "invalid_check", "reason": error.to_string()});
            return answer(StatusCode::INTERNAL_SERVER_ERROR, &body);
        };
        let mut body = json!({
            "error": "denied",
            "policy": violation.policy,
            "action": violation.action.as_str(),
            "reason": violation.reason,
            "decision_id": violation.decision_id.to_string(),
        });
        let mut more = |name: &str, value: serde_json::Value| {
            if let Some(members) = body.as_object_mut() {
                members.insert(name.to_owned(), value);
            }
        };
        if let Some(limit) = &violation.limit {
            more("limit", limit.as_str().into());
        }
        if let Some(wait) = violation.retry_after {
            more("retry_after_ms", u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).into());
        }
        let Some(pending) = &violation.confirmation else {
            let limits = limits::of_violation(&self.guardian, violation);
            let status = if is_about_limits(violation) {
                StatusCode::TOO_MANY_REQUESTS
            } else {
                StatusCode::FORBIDDEN
            };
            if status == StatusCode::TOO_MANY_REQUESTS {
                more("error", "limited".into());
            }
            let mut response = answer(status, &body);
            tell(&limits, response.headers_mut());
            return response;
        };
        more("error", "confirmation_required".into());
        more("confirmation_id", pending.id.as_str().into());
        more("confirmation_token", pending.token.expose().into());
        if let Some(expires) = pending.expires {
            more("expires_ns", expires.as_nanos().into());
        }
        if let Some(base) = &self.approvals {
            more("approval_url", format!("{}/{}", base.trim_end_matches('/'), pending.id).into());
        }
        let mut response = answer(StatusCode::ACCEPTED, &body);
        if let Ok(mut token) = HeaderValue::try_from(pending.token.expose()) {
            token.set_sensitive(true);
            response.headers_mut().insert(CONFIRMATION_TOKEN, token);
        }
        response
    }
}

/// Whether coming again later, or having more, would help.
fn is_about_limits(violation: &Violation) -> bool {
    match violation.action {
        Action::Throttle | Action::Queue => true,
        Action::Block => violation.limit.is_some(),
        Action::Allow | Action::Warn | Action::RequireConfirmation => false,
    }
}

fn answer(status: StatusCode, body: &serde_json::Value) -> Response<String> {
    let mut response = Response::new(body.to_string());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Says what is left. A service that has said so itself knows better.
fn tell(limits: &LimitFields, headers: &mut HeaderMap) {
    for (name, value) in limits.fields() {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.entry(name).or_insert(value);
        }
    }
}
