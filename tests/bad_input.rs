//! Policies and inputs that are broken, endless or huge, through the public API: a clear error each time, and the
//! next decision works.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::time::{Duration, Instant};

use hexarch_guardrails::Guardian;
use rego_build::{BuildError, MAX_SOURCE_BYTES, Options, Source, build};
use rego_engine::{Config, Engine, EvalContext, EvalError, Input, Instance, Module};

/// What the compiler says about a policy that it refuses.
fn refused(text: impl Into<Vec<u8>>) -> String {
    let begun = Instant::now();
    let error = build(&[Source::new("bad.rego", text)], &["t/p"], &Options::default()).unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    if let BuildError::TooLarge { bytes, .. } = &error {
        assert!(*bytes > MAX_SOURCE_BYTES);
    }
    error.to_string()
}

#[test]
fn a_policy_that_is_none_is_refused_with_its_place() {
    assert!(refused("").contains("bad.rego:1:1"), "{}", refused(""));
    assert!(refused(b"package t\n\np := \"caf\xe9\"\n").contains("bad.rego"), "invalid UTF-8");
    let told = refused(format!("package t\n\np := {}", "[".repeat(10_000)));
    assert!(told.contains("bad.rego:3:"), "{told}");
    let told = refused("package t\n\np := q\n\nq := p\n");
    assert!(told.contains("rego_recursion_error") && told.contains("bad.rego:3:1"), "{told}");
    let told = refused(vec![b' '; 50_000_000]);
    assert!(told.contains("bad.rego") && told.contains("50000000"), "{told}");
}

#[test]
fn an_endless_policy_and_a_broken_input_leave_the_next_decision_alone() {
    let policy = r"package t

p := input.x

range := numbers.range(1, 5000)

endless := count([1 |
	some a in range
	some b in range
	some c in range
	a + b + c == 0
])
";
    let module =
        build(&[Source::new("t.rego", policy)], &["t/p", "t/endless"], &Options::default()).unwrap().bytes;
    let engine = Engine::new(Config::default()).unwrap();
    let mut instance = Instance::new(&Module::new(&engine, &module).unwrap()).unwrap();
    let deadline = Duration::from_millis(100);
    let context = EvalContext { deadline: Some(deadline), ..EvalContext::default() };
    let huge = format!("{{\"x\": \"{}\"}}", "x".repeat(100_000_000));
    let cases: [(&str, Input<'_>, EvalError); 4] = [
        ("t/endless", Input::Undefined, EvalError::Deadline { deadline }),
        ("t/p", "not JSON".into(), EvalError::InvalidInput),
        ("t/p", Input::Json(b"{\"x\": \"\xff\"}"), EvalError::InvalidInput),
        ("t/p", huge.as_str().into(), EvalError::TooLarge { size: huge.len(), limit: 64 << 20 }),
    ];
    for (entrypoint, input, expected) in cases {
        let begun = Instant::now();
        assert_eq!(instance.evaluate(entrypoint, input, &context).unwrap_err(), expected);
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
        let next = instance.evaluate("t/p", r#"{"x": 7}"#.into(), &EvalContext::default()).unwrap();
        assert_eq!(next.result().and_then(|value| value.as_i64()), Some(7));
    }
}

#[test]
fn a_huge_request_is_denied_with_its_reason_and_the_next_one_is_not() {
    // A policy that has to be told two parts of a call is given all of them.
    let text = "policies:\n  - id: notes\n    rules:\n      - operation: delete\n        resource: notes/*\n        action: block\n";
    let guardian = Guardian::builder().policy_text("hexarch.yaml", text).build().unwrap();
    let check = || guardian.check("notes").unwrap().operation("read").resource("notes/1");
    let verdict = check().context("body", "x".repeat(100_000_000)).decide().unwrap();
    assert!(!verdict.decision.allowed);
    assert!(verdict.decision.reason.contains("bytes"), "{}", verdict.decision.reason);
    let mut ran = false;
    let denied = check().context("body", "x".repeat(100_000_000)).run(|| ran = true);
    assert!(denied.is_err() && !ran);
    assert!(check().decide().unwrap().decision.allowed);
}
