//! The tower layer: what services behind it are asked, and what callers are told.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::convert::Infallible;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use hexarch_guardrails::tower::{CONFIRMATION_TOKEN, GuardLayer};
use hexarch_guardrails::{FixedClock, GuardError, Guardian, Person, Timestamp};
use http::{Request, Response, StatusCode};
use tower_layer::Layer as _;
use tower_service::Service;

const POLICIES: &str = r#"
confirmation: {expires_seconds: 600}
policies:
  - id: api
    rules:
      - {operation: delete, resource: "/users/*", action: block}
      - {operation: delete, resource: "/drafts/*", action: require_confirmation}
      - {id: minute, operation: get, requests_per_minute: 2, action: throttle}
      - {id: budget, operation: post, monthly_budget: 1.00}
      - {id: place, operation: put, concurrent_limit: 1, action: throttle}
"#;

fn guardian() -> Guardian {
    let clock = FixedClock::at(Timestamp::from_seconds(1_772_466_015));
    Guardian::builder().policy_text("hexarch.yaml", POLICIES).clock(clock).build().unwrap()
}

fn counted(guardian: &Guardian) -> i64 {
    guardian.state().unwrap().cells.iter().map(|(_, value)| value.units()).sum()
}

/// Does what the path says, and counts.
#[derive(Clone, Default)]
struct Inner(Arc<AtomicU32>);

impl Service<Request<String>> for Inner {
    type Response = Response<String>;
    type Error = String;
    type Future = Pin<Box<dyn Future<Output = Result<Response<String>, String>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), String>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<String>) -> Self::Future {
        self.0.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            match request.uri().path() {
                "/fails" => Err("it failed".to_owned()),
                "/panics" => panic!("it panicked"),
                "/hangs" => std::future::pending().await,
                _ => Ok(Response::new(request.into_body())),
            }
        })
    }
}

fn request(method: &str, uri: &str) -> Request<String> {
    Request::builder().method(method).uri(uri).body("body".to_owned()).unwrap()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
}

struct Side {
    guardian: Guardian,
    layer: GuardLayer,
    inner: Inner,
}

impl Side {
    fn new() -> Self {
        let guardian = guardian();
        let layer = GuardLayer::new(guardian.clone(), "api").unwrap();
        let layer = layer.approvals("https://app.example.com/approve/").describe(|parts, check| {
            let check = if parts.method == "POST" { check.cost("0.75") } else { check };
            match parts.headers.get("x-user") {
                Some(user) => check.user(user.to_str().unwrap()),
                None => check,
            }
        });
        Self { guardian, layer, inner: Inner::default() }
    }

    fn call(&self, request: Request<String>) -> Result<Response<String>, String> {
        runtime().block_on(self.layer.layer(self.inner.clone()).call(request))
    }

    fn answer(&self, method: &str, uri: &str) -> Response<String> {
        self.call(request(method, uri)).unwrap()
    }

    fn served(&self) -> u32 {
        self.inner.0.load(Ordering::Relaxed)
    }
}

fn header<'a>(response: &'a Response<String>, name: &str) -> &'a str {
    response.headers().get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
}

fn body(response: &Response<String>) -> serde_json::Value {
    serde_json::from_str(response.body()).unwrap()
}

#[test]
fn a_denied_request_is_not_served() {
    let side = Side::new();
    let response = side.answer("DELETE", "/users/1");
    assert_eq!((response.status(), side.served()), (StatusCode::FORBIDDEN, 0));
    assert_eq!(header(&response, "content-type"), "application/json");
    let body = body(&response);
    assert_eq!(
        (&body["error"], &body["policy"], &body["action"]),
        (&"denied".into(), &"api".into(), &"block".into())
    );
    assert!(body["decision_id"].is_string());
    let response = side.answer("PATCH", "/users/1");
    assert_eq!((response.status(), response.body().as_str(), side.served()), (StatusCode::OK, "body", 1));
}

#[test]
fn limits_are_told_in_headers() {
    let side = Side::new();
    let response = side.answer("GET", "/a");
    assert_eq!(header(&response, "ratelimit"), r#""api.minute.requests_per_minute";r=1;t=45"#);
    side.answer("GET", "/b");
    let response = side.answer("GET", "/c");
    assert_eq!((response.status(), side.served()), (StatusCode::TOO_MANY_REQUESTS, 2));
    assert_eq!(header(&response, "retry-after"), "45");
    assert_eq!(header(&response, "ratelimit"), r#""api.minute.requests_per_minute";r=0;t=45"#);
    assert_eq!(header(&response, "ratelimit-policy"), r#""api.minute.requests_per_minute";q=2;w=60"#);
    assert_eq!(body(&response)["error"], "limited");
    assert_eq!(side.answer("POST", "/a").status(), StatusCode::OK);
    let response = side.answer("POST", "/a");
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(header(&response, "ratelimit").starts_with(r#""api.budget.monthly_budget";r=250000;t="#));
}

#[test]
fn a_request_that_has_to_be_confirmed_comes_again_with_its_token() {
    let side = Side::new();
    let ask = |token: Option<&str>| {
        let mut request = request("DELETE", "/drafts/1?really=yes");
        request.headers_mut().insert("x-user", "ada".parse().unwrap());
        if let Some(token) = token {
            request.headers_mut().insert(CONFIRMATION_TOKEN, token.parse().unwrap());
        }
        side.call(request).unwrap()
    };
    let held = ask(None);
    assert_eq!((held.status(), side.served()), (StatusCode::ACCEPTED, 0));
    let token = header(&held, "x-confirmation-token").to_owned();
    let told = body(&held);
    assert_eq!(
        (&told["error"], &told["confirmation_token"]),
        (&"confirmation_required".into(), &token.as_str().into())
    );
    let id = told["confirmation_id"].as_str().unwrap();
    assert_eq!(told["approval_url"], format!("https://app.example.com/approve/{id}"));
    assert_eq!(ask(Some(&token)).status(), StatusCode::ACCEPTED);
    side.guardian.confirmations().unwrap().approve(id, &Person::new("grace"), "").wait().unwrap();
    assert_eq!((ask(Some(&token)).status(), side.served()), (StatusCode::OK, 1));
    // Once.
    assert_eq!((ask(Some(&token)).status(), side.served()), (StatusCode::FORBIDDEN, 1));
    assert_eq!(ask(Some("no such token")).status(), StatusCode::FORBIDDEN);
}

#[test]
fn what_is_cut_off_is_given_back() {
    let side = Side::new();
    assert_eq!(side.call(request("POST", "/fails")).unwrap_err(), "it failed");
    assert_eq!(counted(&side.guardian), 0);
    assert!(catch_unwind(AssertUnwindSafe(|| side.call(request("POST", "/panics")))).is_err());
    assert_eq!(counted(&side.guardian), 0);
    let cut = runtime().block_on(async {
        let call = side.layer.layer(side.inner.clone()).call(request("POST", "/hangs"));
        tokio::time::timeout(Duration::from_millis(20), call).await
    });
    assert!(cut.is_err());
    assert_eq!((counted(&side.guardian), side.served()), (0, 3));
    assert_eq!(side.answer("POST", "/").status(), StatusCode::OK);
    assert_eq!(counted(&side.guardian), 750_000);
}

#[test]
fn a_request_may_wait_for_room() {
    let side = Side::new();
    let layer = side.layer.clone().within(Duration::from_secs(20));
    let held = side.guardian.check("api").unwrap().operation("put").resource("/a").authorize().unwrap();
    let response = runtime().block_on(async {
        let waiting = layer.layer(side.inner.clone()).call(request("PUT", "/a"));
        let give_back = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            held.complete().await;
        };
        tokio::join!(waiting, give_back).0
    });
    assert_eq!(response.unwrap().status(), StatusCode::OK);
}

#[test]
fn what_cannot_be_is_said_early_or_is_an_error_of_the_server() {
    assert!(matches!(GuardLayer::new(guardian(), "no_such"), Err(GuardError::Unknown(_))));
    let layer = GuardLayer::new(guardian(), "api").unwrap().describe(|_, check| check.cost("-1"));
    let inner = Inner::default();
    let response = runtime().block_on(layer.layer(inner.clone()).call(request("POST", "/"))).unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(inner.0.load(Ordering::Relaxed), 0);
}

/// A service that cannot fail stays one: what routers want.
#[test]
fn services_that_cannot_fail_stay_such() {
    #[derive(Clone)]
    struct Never;
    impl Service<Request<()>> for Never {
        type Response = Response<String>;
        type Error = Infallible;
        type Future = std::future::Ready<Result<Response<String>, Infallible>>;
        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Ready(Ok(()))
        }
        fn call(&mut self, _: Request<()>) -> Self::Future {
            std::future::ready(Ok(Response::new(String::new())))
        }
    }
    fn infallible<S: Service<Request<()>, Error = Infallible>>(_: S) {}
    infallible(GuardLayer::new(guardian(), "api").unwrap().layer(Never));
}
