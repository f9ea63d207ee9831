//! Sidecars that misbehave: no decision, within the deadline, and what comes after it in the order.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use guard_core::{Decision, EvalError, Evaluated, Evaluator, Question, Reply, Undeliverable};
use guard_eval::{Breaker, BreakerConfig, Fallback, PolicyText, Sidecar};
use guard_opa::{Client, Config};
use support::{Answer, ask, request, serve, store};
use test_support::free_port;

const DEADLINE: Duration = Duration::from_millis(400);

fn sidecar(url: &str, policies: Vec<PolicyText>) -> Arc<Sidecar> {
    let config = Config { max_reply: 50_000, ..Config::new(url) };
    Arc::new(Sidecar::new(Client::new(&config).unwrap(), policies, store("r1").0))
}

fn says(answer: Answer, policies: Vec<PolicyText>) -> Result<Evaluated, EvalError> {
    ask(&*sidecar(&serve(answer), policies), &request("call", "a"), DEADLINE)
}

#[test]
fn whatever_a_sidecar_says_is_a_decision_or_an_error() {
    let decision = r#"{"allowed":true,"action":"allow","reason":"really"}"#;
    let result = |decision: &str| Answer::ok(&format!("{{\"result\": {decision}}}"));
    let table = [
        (Answer::Hang, "no decision within the deadline of 400 ms"),
        (Answer::Drip, "no decision within the deadline of 400 ms"),
        (Answer::Flood, "the sidecar's answer is longer than 50000 bytes"),
        (Answer::Close, "the sidecar cannot be reached: "),
        (Answer::Bytes(b"\0\xff garbage".to_vec()), "the sidecar cannot be reached: "),
        (Answer::reply("500 Internal Server Error", decision), "the sidecar answered with status 500: "),
        (Answer::reply("401 Unauthorized", ""), "the sidecar answered with status 401: "),
        (Answer::ok("allowed"), "evaluation failed: OPA's answer cannot be read: "),
        (Answer::ok(decision), "the policy gave no decision: `data/guardrails/evaluate` is undefined"),
        (Answer::ok("{}"), "the policy gave no decision: `data/guardrails/evaluate` is undefined"),
        (Answer::ok("true"), "evaluation failed: OPA's answer cannot be read: "),
        (result("true"), "the decision must be an object, found the boolean `true`"),
        (result("{}"), "the decision has no `allowed`"),
        (
            result(r#"{"allowed": "false"}"#),
            "`allowed` of the decision must be true or false, found the string",
        ),
        (result(r#"{"allow": false}"#), "the decision has no `allowed`"),
        (
            result(r#"{"allowed": true, "action": "block", "reason": ""}"#),
            "the decision contradicts itself: `allowed` is true and `action` is `block`",
        ),
        (
            result(&format!(r#"{{"allowed":true,"action":"allow","reason":"{}"}}"#, "x".repeat(60_000))),
            "the sidecar's answer is longer than 50000 bytes",
        ),
    ];
    for (answer, expected) in table {
        let error = says(answer.clone(), vec![]).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{answer:?}: {error}");
    }
    assert_eq!(says(result(decision), vec![]).unwrap().decision.reason, "really");
    // The same while policies are published.
    let policy = || vec![PolicyText { id: "p".into(), rego: "package p".into() }];
    for answer in [Answer::Hang, Answer::Close, Answer::Flood, Answer::reply("500 No", "")] {
        assert!(says(answer, policy()).is_err());
    }
}

/// Says yes, and counts.
#[derive(Default)]
struct Yes(AtomicUsize);

impl Evaluator for Yes {
    fn name(&self) -> &'static str {
        "yes"
    }

    fn evaluate<'a>(&'a self, _question: Question<'a>) -> Reply<'a, Result<Evaluated, EvalError>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        let decision = Decision::new(guard_core::Action::Allow, "yes");
        Reply::Now(Ok(Evaluated {
            decision: Box::new(decision),
            engine: "yes",
            module_digest: None,
            data_revision: None,
        }))
    }
}

/// Fails, and counts.
#[derive(Default)]
struct No(AtomicUsize);

impl Evaluator for No {
    fn name(&self) -> &'static str {
        "no"
    }

    fn evaluate<'a>(&'a self, _question: Question<'a>) -> Reply<'a, Result<Evaluated, EvalError>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Reply::Now(Err(Undeliverable { detail: "refused".into() }.into()))
    }
}

#[test]
fn the_next_one_has_its_share_of_the_deadline() {
    for answer in
        [Answer::Hang, Answer::Close, Answer::ok("{}"), Answer::ok(r#"{"result": {"allowed": "false"}}"#)]
    {
        let order = Fallback::new(vec![sidecar(&serve(answer), vec![]), Arc::new(Yes::default())]);
        assert_eq!(ask(&order, &request("call", "a"), DEADLINE).unwrap().engine, "yes");
        let turned =
            Fallback::new(vec![Arc::new(No::default()), Arc::new(No::default()), Arc::new(Yes::default())]);
        assert_eq!(ask(&turned, &request("call", "a"), DEADLINE).unwrap().engine, "yes");
    }
}

#[test]
fn a_denial_is_a_decision_and_goes_no_further() {
    let block = Answer::ok(r#"{"result": {"allowed": false, "action": "block", "reason": "no"}}"#);
    let yes = Arc::new(Yes::default());
    let order = Fallback::new(vec![sidecar(&serve(block), vec![]), Arc::clone(&yes) as _]);
    assert!(!ask(&order, &request("call", "a"), DEADLINE).unwrap().decision.allowed);
    assert_eq!(yes.0.load(Ordering::Relaxed), 0);
}

#[test]
fn when_all_fail_each_says_why() {
    let order = Fallback::new(vec![Arc::new(No::default()), sidecar(&serve(Answer::ok("{}")), vec![])]);
    assert_eq!(
        ask(&order, &request("call", "a"), DEADLINE).unwrap_err().to_string(),
        "no evaluator gave a decision: no: the sidecar cannot be reached: refused; sidecar: the policy gave no \
         decision: `data/guardrails/evaluate` is undefined"
    );
    let nobody = Fallback::new(vec![]);
    assert!(ask(&nobody, &request("call", "a"), DEADLINE).is_err());
    let one = Fallback::new(vec![Arc::new(No::default())]);
    let error = ask(&one, &request("call", "a"), DEADLINE).unwrap_err();
    assert!(matches!(error, EvalError::Undeliverable(_)));
}

#[test]
fn a_breaker_leaves_a_dead_sidecar_alone_and_tries_again() {
    let no = Arc::new(No::default());
    let config = BreakerConfig { failures: 3, pause: Duration::from_millis(200) };
    let breaker = Breaker::new(Arc::clone(&no) as _, config);
    let ask = || ask(&breaker, &request("call", "a"), DEADLINE).unwrap_err();
    for _ in 0..3 {
        assert!(matches!(ask(), EvalError::Undeliverable(_)));
    }
    for _ in 0..5 {
        assert!(matches!(ask(), EvalError::BreakerOpen(_)));
    }
    assert_eq!(no.0.load(Ordering::Relaxed), 3);
    std::thread::sleep(Duration::from_millis(250));
    assert!(matches!(ask(), EvalError::Undeliverable(_)));
    assert!(matches!(ask(), EvalError::BreakerOpen(_)));
    assert_eq!(no.0.load(Ordering::Relaxed), 4);
}

#[test]
fn a_breaker_closes_when_it_is_answered() {
    let port = free_port();
    let down = sidecar(&format!("http://127.0.0.1:{port}"), vec![]);
    let config = BreakerConfig { failures: 1, pause: Duration::from_millis(50) };
    let breaker = Breaker::new(down, config);
    assert!(ask(&breaker, &request("call", "a"), DEADLINE).is_err());
    let good = br#"{"result": {"allowed": true, "action": "allow", "reason": "back"}}"#;
    let listener = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            use std::io::{Read, Write};
            let _ = stream.read(&mut [0; 4096]);
            let head =
                format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", good.len());
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(good));
        }
    });
    let end = Instant::now() + Duration::from_secs(5);
    let reason = loop {
        std::thread::sleep(Duration::from_millis(60));
        match ask(&breaker, &request("call", "a"), DEADLINE) {
            Ok(evaluated) => break evaluated.decision.reason,
            Err(error) => assert!(Instant::now() < end, "{error}"),
        }
    };
    assert_eq!(reason, "back");
}
