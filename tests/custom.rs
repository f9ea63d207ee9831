//! Evaluators of a program's own, and decision services.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use hexarch_guardrails::{Action, DecideFn, Decision, FailMode, FailModes, GuardError, Guardian, Violation};

fn denied<T>(result: Result<T, GuardError>) -> Violation {
    match result {
        Err(GuardError::Denied(violation)) => *violation,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it ran"),
    }
}

fn by_operation(operation: &str) -> Decision {
    let action = if operation == "delete" { Action::Block } else { Action::Allow };
    Decision::new(action, "by operation")
}

#[test]
fn a_function_decides_at_once_or_later() {
    let at_once = DecideFn::new("mine", |request| Ok(by_operation(&request.operation)));
    let later = DecideFn::later("mine", |request| async move {
        tokio::task::yield_now().await;
        Ok(by_operation(&request.operation))
    });
    for guardian in [Guardian::builder().evaluator(at_once), Guardian::builder().evaluator(later)] {
        let guardian = guardian.build().unwrap();
        let check = |operation: &str| guardian.check("any").unwrap().operation(operation);
        let permit = check("read").authorize().unwrap();
        assert_eq!(permit.engine(), Some("mine"));
        permit.complete_now();
        assert_eq!(denied(check("delete").run(|| panic!("it ran"))).reason, "by operation");
    }
}

#[test]
fn with_policies_only_theirs_are_known() {
    let text = "policies: [{id: p, requires_confirmation: true}]";
    let evaluator = DecideFn::new("mine", |_| Ok(Decision::new(Action::Allow, "fine")));
    let guardian = Guardian::builder().policy_text("h", text).evaluator(evaluator).build().unwrap();
    guardian.check("p").unwrap().run(|| ()).unwrap();
    assert!(guardian.check("q").is_err());
}

#[test]
fn one_that_hangs_or_panics_gives_no_decision() {
    let deadline = Duration::from_millis(50);
    let build = |evaluator| Guardian::builder().evaluator(evaluator).deadline(deadline).build().unwrap();
    let run = |guardian: &Guardian| denied(guardian.check("p").unwrap().run(|| panic!("it ran"))).reason;
    let begin = Instant::now();
    let hangs = build(DecideFn::later("mine", |_| std::future::pending()));
    assert_eq!(run(&hangs), "no decision within the deadline of 50 ms");
    assert!(begin.elapsed() < Duration::from_secs(5));
    let slow = build(DecideFn::new("mine", |_| {
        std::thread::sleep(Duration::from_millis(80));
        Ok(Decision::new(Action::Allow, "too late"))
    }));
    assert!(run(&slow).starts_with("no decision within"));
    let panics = "evaluation failed: the evaluator `mine` panicked";
    assert_eq!(run(&build(DecideFn::new("mine", |_| panic!("at once")))), panics);
    assert_eq!(run(&build(DecideFn::later("mine", |_| async { panic!("later") }))), panics);
    let open = FailModes::default().with("read", FailMode::Open);
    let guardian =
        Guardian::builder().evaluator(DecideFn::new("mine", |_| panic!("at once"))).fail_modes(open);
    let guardian = guardian.build().unwrap();
    assert!(guardian.check("p").unwrap().operation("read").run(|| ()).is_ok());
    assert!(guardian.check("p").unwrap().operation("write").run(|| ()).is_err());
}

/// Answers each request with the next of these, whole responses; the last one again and again. Tells what it was sent.
fn serve(answers: Vec<Vec<u8>>) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/decide?v=1", listener.local_addr().unwrap());
    let (sent, received) = channel();
    std::thread::spawn(move || {
        let mut answers = answers.into_iter();
        let mut answer = Vec::new();
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            answer = answers.next().unwrap_or(answer);
            let mut request = Vec::new();
            let mut chunk = [0; 4096];
            while !request.windows(2).any(|end| end == b"}}") {
                match stream.read(&mut chunk) {
                    Ok(read @ 1..) => request.extend(chunk.iter().take(read)),
                    _ => break,
                }
            }
            let _ = stream.write_all(&answer);
            if sent.send(String::from_utf8_lossy(&request).into_owned()).is_err() {
                return;
            }
            // An empty answer is one that does not come.
            if answer.is_empty() {
                std::thread::sleep(Duration::from_secs(2));
            }
        }
    });
    (url, received)
}

fn http(status: &str, body: &str) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n", body.len());
    format!("{head}location: http://127.0.0.1:1/\r\n\r\n{body}").into_bytes()
}

#[test]
fn a_decision_service_is_asked() {
    let (url, sent) = serve(vec![
        http("200 OK", r#"{"allowed": true, "action": "warn", "reason": "watch out"}"#),
        http(
            "200 OK",
            r#"{"allowed": false, "action": "throttle", "reason": "slowly", "retry_after_ms": 50}"#,
        ),
    ]);
    let guardian = Guardian::builder().decision_service(&url, Some("s3cret")).unwrap().build().unwrap();
    let check = || guardian.check("safe \"delete\"").unwrap().operation("delete").context("n", 7);
    let permit = check().user("ada").authorize().unwrap();
    assert_eq!((permit.decision().action, permit.engine()), (Action::Warn, Some("service")));
    permit.complete_now();
    let sent = sent.recv().unwrap();
    assert!(sent.starts_with("POST /decide?v=1 HTTP/1.1\r\n"), "{sent}");
    assert!(sent.contains("authorization: Bearer s3cret\r\n"));
    let (_, body) = sent.split_once("\r\n\r\n").unwrap();
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["policy_id"], "safe \"delete\"");
    assert_eq!(body["context"]["operation"], "delete");
    assert_eq!(body["context"]["context"]["n"], 7);
    assert_eq!(body["context"]["user"]["id"], "ada");
    let violation = denied(check().run(|| panic!("it ran")));
    assert_eq!(
        (violation.action, violation.retry_after),
        (Action::Throttle, Some(Duration::from_millis(50)))
    );
}

#[test]
fn whatever_is_not_a_decision_denies() {
    let ok = |body: &str| http("200 OK", body);
    let allow = r#"{"allowed": true, "action": "allow", "reason": ""}"#;
    let cases = [
        (ok("{}"), "the decision has no `allowed`"),
        (ok("null"), "must be an object"),
        (ok("allowed"), "is not JSON"),
        (ok(&format!("{allow} {allow}")), "is not JSON"),
        (ok(r#"{"allowed": "true", "action": "allow", "reason": ""}"#), "`allowed` of the decision must be"),
        (ok(r#"{"allowed": true, "action": "block", "reason": ""}"#), "contradicts itself"),
        (ok(r#"{"allowed": true, "action": "shrug", "reason": ""}"#), "which is none of"),
        (http("500 Oops", allow), "answered with status 500"),
        (http("302 Found", allow), "answered with status 302"),
        (http("204 No Content", ""), "is not JSON"),
        (ok(&format!("{allow}{}", " ".repeat(70_000))), "longer than 65536 bytes"),
        (
            b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\nconnection: close\r\n\r\n{".to_vec(),
            "cannot be reached",
        ),
        (b"nonsense\r\n\r\n".to_vec(), "cannot be reached"),
        (Vec::new(), "no decision within the deadline"),
    ];
    for (answer, expected) in cases {
        let (url, _sent) = serve(vec![answer.clone()]);
        let builder = Guardian::builder().decision_service(&url, None).unwrap();
        let guardian = builder.deadline(Duration::from_millis(500)).build().unwrap();
        let begin = Instant::now();
        let reason = denied(guardian.check("p").unwrap().run(|| panic!("it ran"))).reason;
        let shown = String::from_utf8_lossy(&answer).chars().take(200).collect::<String>();
        assert!(reason.contains(expected), "{shown}: {reason}");
        assert!(begin.elapsed() < Duration::from_secs(5));
    }
    for url in ["ftp://x", "nowhere", ""] {
        let error = Guardian::builder().decision_service(url, None).err().unwrap().to_string();
        assert!(error.starts_with("the decision service cannot be asked"), "{error}");
    }
}
