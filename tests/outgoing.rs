//! The middleware for `reqwest` clients: what is sent, what it cost, and what is given back.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use hexarch_guardrails::outgoing::{GuardMiddleware, TooLong};
use hexarch_guardrails::{Action, GuardError, Guardian, Spent};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Error, Middleware, Next};

const POLICIES: &str = r#"
policies:
  - id: api
    rules:
      - {operation: delete, action: block}
      - {resource: "127.0.0.1*", monthly_budget: 1.00}
"#;

fn guardian() -> Guardian {
    Guardian::builder().policy_text("hexarch.yaml", POLICIES).build().unwrap()
}

fn counted(guardian: &Guardian) -> i64 {
    guardian.state().unwrap().cells.iter().map(|(_, value)| value.units()).sum()
}

fn client(middleware: GuardMiddleware) -> ClientWithMiddleware {
    ClientBuilder::new(reqwest::Client::builder().no_proxy().build().unwrap()).with(middleware).build()
}

fn middleware(guardian: &Guardian) -> GuardMiddleware {
    let middleware = GuardMiddleware::new(guardian.clone(), "api").unwrap();
    middleware.describe(|_, check| check.cost("0.50"))
}

/// A server that answers as the path says, and how often it was asked.
fn server() -> (String, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            count.fetch_add(1, Ordering::Relaxed);
            let mut request = [0; 4096];
            let read = stream.read(&mut request).unwrap_or(0);
            let head = String::from_utf8_lossy(request.get(..read).unwrap_or_default()).into_owned();
            let body = r#"{"usage":{"cents":12}}"#;
            let length = body.len();
            let close = "connection: close\r\n";
            let answer = match head.split(' ').nth(1).unwrap_or_default() {
                "/broken" => String::new(),
                "/hangs" => {
                    std::thread::sleep(Duration::from_secs(1));
                    String::new()
                }
                "/free" => format!("HTTP/1.1 503 No\r\n{close}content-length: 0\r\n\r\n"),
                // Without its length.
                "/stream" => format!("HTTP/1.1 200 OK\r\n{close}\r\n{body}"),
                "/long" => format!("HTTP/1.1 200 OK\r\n{close}\r\n{}", "x".repeat(10_000)),
                "/large" => {
                    format!("HTTP/1.1 200 OK\r\n{close}content-length: 10000\r\n\r\n{}", "x".repeat(10_000))
                }
                _ => format!(
                    "HTTP/1.1 200 OK\r\n{close}x-kind: usage\r\ncontent-length: {length}\r\n\r\n{body}"
                ),
            };
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    (url, asked)
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn guard_error(error: &Error) -> &GuardError {
    match error {
        Error::Middleware(error) => error.downcast_ref().unwrap(),
        Error::Reqwest(error) => panic!("{error}"),
    }
}

#[test]
fn a_denied_request_is_not_sent() {
    let (url, asked) = server();
    let guardian = guardian();
    let client = client(middleware(&guardian));
    let send = |request: reqwest_middleware::RequestBuilder| runtime().block_on(request.send());
    let error = send(client.delete(format!("{url}/a"))).unwrap_err();
    assert_eq!(guard_error(&error).violation().unwrap().action, Action::Block);
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    assert_eq!(send(client.get(format!("{url}/a"))).unwrap().status(), 200);
    assert_eq!(send(client.get(format!("{url}/a"))).unwrap().status(), 200);
    let error = send(client.get(format!("{url}/a"))).unwrap_err();
    assert!(guard_error(&error).violation().unwrap().limit.is_some());
    assert_eq!((asked.load(Ordering::Relaxed), counted(&guardian)), (2, 1_000_000));
    assert!(matches!(GuardMiddleware::new(guardian, "no_such"), Err(GuardError::Unknown(_))));
}

#[test]
fn what_a_request_really_cost_is_settled() {
    let (url, _) = server();
    let guardian = guardian();
    let by_body = middleware(&guardian).spent_of_body(1_000, |answer| {
        if answer.status.is_server_error() {
            return Spent::nothing();
        }
        let body: serde_json::Value = serde_json::from_slice(answer.body).unwrap();
        let cents = body["usage"]["cents"].as_f64().unwrap();
        Spent::default().cost((cents / 100.0).try_into().unwrap())
    });
    let client = client(by_body);
    let get = |path: &str| runtime().block_on(client.get(format!("{url}{path}")).send());
    let response = get("/usage").unwrap();
    assert_eq!(counted(&guardian), 120_000);
    // As it came.
    assert_eq!((response.status().as_u16(), response.url().path()), (200, "/usage"));
    assert_eq!(response.headers().get("x-kind").unwrap(), "usage");
    assert_eq!(runtime().block_on(response.text()).unwrap(), r#"{"usage":{"cents":12}}"#);
    assert_eq!(get("/free").unwrap().status(), 503);
    assert_eq!(counted(&guardian), 120_000);
    get("/stream").unwrap();
    assert_eq!(counted(&guardian), 240_000);
    // It says that it is long, and is left alone.
    let large = get("/large").unwrap();
    assert_eq!((large.content_length(), counted(&guardian)), (Some(10_000), 740_000));
}

#[test]
fn a_body_that_turns_out_too_long_is_charged_as_reserved() {
    let (url, _) = server();
    let guardian = guardian();
    let client = client(middleware(&guardian).spent_of_body(1_000, |_| Spent::nothing()));
    match runtime().block_on(client.get(format!("{url}/long")).send()).unwrap_err() {
        Error::Middleware(error) => assert_eq!(error.downcast_ref(), Some(&TooLong { most: 1_000 })),
        Error::Reqwest(error) => panic!("{error}"),
    }
    assert_eq!(counted(&guardian), 500_000);
}

#[test]
fn what_was_not_sent_or_is_cut_off_is_given_back() {
    let (url, _) = server();
    let guardian = guardian();
    let client = client(middleware(&guardian));
    assert!(runtime().block_on(client.get(format!("{url}/broken")).send()).is_err());
    assert_eq!(counted(&guardian), 0);
    let cut = runtime().block_on(async {
        tokio::time::timeout(Duration::from_millis(50), client.get(format!("{url}/hangs")).send()).await
    });
    assert!(cut.is_err());
    assert_eq!(counted(&guardian), 0);
}

struct Panics;

#[async_trait::async_trait]
impl Middleware for Panics {
    async fn handle(
        &self,
        _: reqwest::Request,
        _: &mut http::Extensions,
        _: Next<'_>,
    ) -> reqwest_middleware::Result<reqwest::Response> {
        panic!("it panicked")
    }
}

#[test]
fn a_panic_behind_it_gives_back() {
    let guardian = guardian();
    let client = ClientBuilder::new(reqwest::Client::new()).with(middleware(&guardian)).with(Panics).build();
    let sent = catch_unwind(AssertUnwindSafe(|| runtime().block_on(client.get("http://127.0.0.1/").send())));
    assert!(sent.is_err());
    assert_eq!(counted(&guardian), 0);
}
