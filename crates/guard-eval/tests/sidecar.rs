//! The sidecar evaluator against a real OPA.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use guard_core::{Deadline, EvalError, Evaluator, StateStore};
use guard_eval::{PolicyText, Sidecar};
use guard_opa::{Client, Config};
use support::{POLICY, ask, ask_and_charge, request, store};
use test_support::OpaServer;

const LONG: Duration = Duration::from_secs(10);

fn sidecar(opa: &OpaServer, store: Arc<dyn StateStore>) -> Sidecar {
    let policies = vec![
        // In the wrong order: the first calls a function of the second.
        PolicyText { id: "user".into(), rego: "package user\n\nx := data.lib.double(2)".into() },
        PolicyText { id: "lib".into(), rego: "package lib\n\ndouble(n) := n * 2".into() },
        PolicyText { id: "guardrails/evaluate".into(), rego: POLICY.into() },
    ];
    Sidecar::new(Client::new(&Config::new(opa.url())).unwrap(), policies, store)
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_publish_push_ask() {
    let opa = OpaServer::start();
    let (store, clock) = store("r1");
    let sidecar = sidecar(&opa, Arc::clone(&store) as _);
    let ask = |resource: &str, id: u128| ask_and_charge(&sidecar, &*store, resource, id);
    assert_eq!(
        [ask("a", 1), ask("a", 2), ask("a", 3), ask("a", 4)],
        ["1 of 3", "2 of 3", "3 of 3", "three is enough"]
    );
    assert_eq!(ask("b/c d", 5), "1 of 3");
    // The windows end, and the sidecar is told.
    clock.advance(Duration::from_secs(61));
    store.snapshot().wait().unwrap();
    let decided = support::ask(&sidecar, &request("call", "a"), LONG).unwrap();
    assert_eq!(decided.decision.reason, "1 of 3");
    assert_eq!((decided.engine, decided.data_revision), ("sidecar", Some(store.revision())));
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_replicas_share_a_sidecar() {
    let opa = OpaServer::start();
    let (one, _) = store("r1");
    let (two, _) = store("r2");
    let first = sidecar(&opa, Arc::clone(&one) as _);
    let second = sidecar(&opa, Arc::clone(&two) as _);
    assert_eq!(ask_and_charge(&first, &*one, "a", 1), "1 of 3");
    // The second starts on a sidecar that the first has written to, and neither wipes out the other's cell.
    assert_eq!(ask_and_charge(&second, &*two, "b", 1), "1 of 3");
    assert_eq!(ask_and_charge(&first, &*one, "a", 2), "2 of 3");
    // What a replica has charged is there with its next question.
    ask(&first, &request("call", "b"), LONG).unwrap();
    assert_eq!(ask_and_charge(&second, &*two, "a", 2), "3 of 3");
    ask(&second, &request("call", "b"), LONG).unwrap();
    assert_eq!(ask_and_charge(&first, &*one, "a", 3), "three is enough");
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_killed_and_started_anew() {
    let mut opa = OpaServer::start();
    let (store, _) = store("r1");
    let sidecar = sidecar(&opa, Arc::clone(&store) as _);
    sidecar.prepare(Deadline::after(LONG)).wait().unwrap();
    assert_eq!(ask_and_charge(&sidecar, &*store, "a", 1), "1 of 3");
    opa.kill();
    let error = ask(&sidecar, &request("call", "a"), LONG).unwrap_err();
    assert!(matches!(error, EvalError::Undeliverable(_)), "{error}");
    // The new one knows nothing; it is told before it is trusted.
    let opa = OpaServer::start_with(test_support::opa(), opa.port(), &[]).unwrap();
    assert_eq!(ask_and_charge(&sidecar, &*store, "a", 2), "2 of 3");
    drop(opa);
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_restarted_without_a_call_in_between() {
    let mut opa = OpaServer::start();
    let (store, _) = store("r1");
    let sidecar = sidecar(&opa, Arc::clone(&store) as _);
    assert_eq!(ask_and_charge(&sidecar, &*store, "a", 1), "1 of 3");
    ask(&sidecar, &request("call", "a"), LONG).unwrap();
    opa.kill();
    let opa = OpaServer::start_with(test_support::opa(), opa.port(), &[]).unwrap();
    assert_eq!(ask_and_charge(&sidecar, &*store, "a", 2), "2 of 3");
    drop(opa);
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_what_is_no_decision_is_an_error() {
    let opa = OpaServer::start();
    let (store, _) = store("r1");
    let sidecar = sidecar(&opa, Arc::clone(&store) as _);
    let error = ask(&sidecar, &request("garbage", "a"), LONG).unwrap_err();
    assert_eq!(error.to_string(), "the decision must be an object, found the string `\"yes\"`");
    let error = ask(&sidecar, &request("unheard of", "a"), LONG).unwrap_err();
    assert_eq!(error.to_string(), "the policy gave no decision: `data/guardrails/evaluate` is undefined");
    let error = ask(&sidecar, &request("loop", "a"), Duration::from_millis(300)).unwrap_err();
    assert_eq!(error.to_string(), "no decision within the deadline of 300 ms");
    assert_eq!(ask_and_charge(&sidecar, &*store, "a", 1), "1 of 3");
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_a_policy_that_opa_refuses_is_an_error() {
    let opa = OpaServer::start();
    let (store, _) = store("r1");
    let policies = vec![PolicyText { id: "p".into(), rego: "package guardrails\n\nevaluate := x".into() }];
    let sidecar = Sidecar::new(Client::new(&Config::new(opa.url())).unwrap(), policies, store);
    let error = ask(&sidecar, &request("call", "a"), LONG).unwrap_err().to_string();
    assert!(
        error.starts_with("the sidecar answered with status 400") && error.contains("var x is unsafe"),
        "{error}"
    );
}

/// A key that HTTP paths cannot carry is refused rather than written to another document.
#[test]
#[ignore = "needs OPA"]
fn needs_opa_keys_that_paths_cannot_carry_are_refused() {
    let opa = OpaServer::start();
    let (store, _) = store("r1");
    let sidecar = sidecar(&opa, Arc::clone(&store) as _);
    assert_eq!(ask_and_charge(&sidecar, &*store, "../../x", 1), "1 of 3");
    let error = ask(&sidecar, &request("call", "a"), LONG).unwrap_err().to_string();
    assert!(error.contains("`../../x` cannot be part of a path"), "{error}");
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_eight_threads_ask_at_once() {
    let opa = OpaServer::start();
    let (store, _) = store("r1");
    let sidecar = sidecar(&opa, Arc::clone(&store) as _);
    std::thread::scope(|scope| {
        for thread in 0..8_u128 {
            let (sidecar, store) = (&sidecar, &store);
            scope.spawn(move || {
                for turn in 1..=3_u128 {
                    let reason = ask_and_charge(sidecar, &**store, &format!("r{thread}"), thread * 10 + turn);
                    assert_eq!(reason, format!("{turn} of 3"));
                }
            });
        }
    });
    assert_eq!(sidecar.name(), "sidecar");
}
