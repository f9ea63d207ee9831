//! `opa.health_check_interval`: the sidecar's health is asked for beside the calls, and only where there is one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::io::Write as _;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hexarch_guardrails::{BreakerConfig, Guardian};
use test_support::{OpaServer, free_port, opa};

fn guardian(port: u16, keys: &str) -> Guardian {
    let text = format!(
        "opa: {{url: \"http://127.0.0.1:{port}\", {keys}}}\npolicies:\n  - id: p\n    rules:\n      - action: warn\n"
    );
    // Calls alone would never open the breaker, and never close it.
    let breaker = BreakerConfig { failures: u32::MAX, pause: Duration::from_secs(600) };
    Guardian::builder().policy_text("hexarch.yaml", text).breaker(breaker).build().unwrap()
}

/// What a call is told, asked for until it is this; the last where it never is.
fn told_until(guardian: &Guardian, wanted: &str) -> String {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let reason = guardian.check("p").unwrap().decide().unwrap().decision.reason;
        if reason.contains(wanted) || Instant::now() > end {
            return reason;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_a_sidecar_that_goes_is_left_alone_and_asked_again_when_it_is_back() {
    let port = free_port();
    let mut server = OpaServer::start_with(opa(), port, &[]).unwrap();
    let guardian = guardian(port, "order: sidecar, health_check_interval: 0.05");
    assert_eq!(told_until(&guardian, "warning"), "every call is allowed with a warning");
    server.kill();
    // Nothing has been asked to decide meanwhile: it is the health that was asked for.
    let left_alone = told_until(&guardian, "left alone");
    assert!(left_alone.contains("is left alone"), "{left_alone}");
    let _again = OpaServer::start_with(opa(), port, &[]).unwrap();
    assert_eq!(told_until(&guardian, "warning"), "every call is allowed with a warning");
}

/// A server that says that it is well, and how often it has been asked.
fn counting() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, asked) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            count.fetch_add(1, Ordering::SeqCst);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}");
        }
    });
    (port, asked)
}

#[test]
fn it_is_asked_in_the_background_and_by_nobody_who_does_not_ask_it_to_decide() {
    let (port, asked) = counting();
    let guardian_with_interval = guardian(port, "order: wasm-then-sidecar, health_check_interval: 0.01");
    let end = Instant::now() + Duration::from_secs(60);
    while asked.load(Ordering::SeqCst) < 3 {
        assert!(Instant::now() < end, "it was asked {} times", asked.load(Ordering::SeqCst));
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(guardian_with_interval);
    // What goes with a Guardian is over with it.
    let (other, unasked) = counting();
    let _without = guardian(other, "order: wasm-then-sidecar");
    let _never = guardian(other, "order: wasm, health_check_interval: 0.01");
    std::thread::sleep(Duration::from_millis(300));
    let before = asked.load(Ordering::SeqCst);
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(asked.load(Ordering::SeqCst), before);
    assert_eq!(unasked.load(Ordering::SeqCst), 0);
}
