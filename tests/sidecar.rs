//! The demonstration's calls, decided by the module in this process and by a real OPA: the same decisions,
//! also when OPA is killed in the middle.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "../crates/guard-opa/tests/support/mod.rs"]
mod support;

use std::sync::Arc;
use std::time::Duration;

use guard_policy::{Script, Step};
use hexarch_guardrails::{BreakerConfig, EvaluatorOrder, FixedClock, Guardian, Timestamp, Verdict};
use test_support::OpaServer;

const POLICIES: &str = include_str!("../policies/demo/hexarch.yaml");
const CALLS: &str = include_str!("../policies/demo/calls.yaml");

/// A Guardian with the demonstration's policies, and the clock it reads.
struct Side {
    guardian: Guardian,
    clock: Arc<FixedClock>,
}

impl Side {
    fn new(order: EvaluatorOrder, opa: Option<&OpaServer>) -> Self {
        let clock = Arc::new(FixedClock::at(Timestamp::from_seconds(0)));
        let mut builder = Guardian::builder()
            .policy_text("policies/demo/hexarch.yaml", POLICIES)
            .shared_clock(Arc::clone(&clock) as _)
            .order(order)
            .breaker(BreakerConfig { failures: 3, pause: Duration::from_secs(600) })
            .deadline(Duration::from_secs(60));
        if let Some(opa) = opa {
            builder = builder.opa_url(opa.url());
        }
        Self { guardian: builder.build().unwrap(), clock }
    }

    /// What the policies say to a call; if it may run it runs, so that it counts.
    fn perform(&self, script: &Script, step: &Step) -> Verdict {
        self.clock.set(Timestamp::from_nanos(script.clock_ns() + step.after_ns));
        let check = || {
            let call = &step.call;
            let mut check = self.guardian.check(&call.policy).unwrap();
            check = check.function(&call.function).operation(&call.operation).resource(&call.resource);
            check = check.confirm(call.confirm);
            if let Some(model) = &call.model {
                check = check.model(model);
            }
            if let Some(user) = &call.user {
                check = check.user(user);
            }
            if let Some(cost) = &call.cost {
                check = check.cost(cost.as_str());
            }
            if let Some(tokens) = call.tokens {
                check = check.tokens(tokens);
            }
            check
        };
        let verdict = check().decide().unwrap();
        assert_eq!(check().run(|| ()).is_ok(), verdict.decision.allowed, "{}", verdict.decision.reason);
        verdict
    }
}

fn script() -> Script {
    Script::parse("policies/demo/calls.yaml", CALLS).unwrap()
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_opa_and_the_module_decide_alike() {
    let opa = OpaServer::start();
    let (ours, theirs) =
        (Side::new(EvaluatorOrder::Wasm, None), Side::new(EvaluatorOrder::Sidecar, Some(&opa)));
    let script = script();
    assert!(script.steps().len() >= 25);
    for (number, step) in script.steps().iter().enumerate() {
        let (wasm, sidecar) = (ours.perform(&script, step), theirs.perform(&script, step));
        assert_eq!((wasm.engine, sidecar.engine), (Some("wasm"), Some("sidecar")));
        assert_eq!(wasm.decision, sidecar.decision, "call {number}");
        if let Some(expected) = &step.expect {
            assert_eq!(wasm.decision.action.as_str(), expected, "call {number}: {}", wasm.decision.reason);
        }
    }
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_opa_is_killed_in_the_middle() {
    // One each: replicas on one sidecar would see each other's spending.
    let start = || OpaServer::start();
    let (mut opa, mut other) = (start(), start());
    let alone = Side::new(EvaluatorOrder::Wasm, None);
    let fallback = Side::new(EvaluatorOrder::SidecarThenWasm, Some(&opa));
    let only = Side::new(EvaluatorOrder::Sidecar, Some(&other));
    let script = script();
    for (number, step) in script.steps().iter().enumerate() {
        if number == script.steps().len() / 2 {
            opa.kill();
            other.kill();
        }
        let alive = number < script.steps().len() / 2;
        let (expected, decided) = (alone.perform(&script, step), fallback.perform(&script, step));
        assert_eq!(expected.decision, decided.decision, "call {number}");
        assert_eq!(decided.engine, Some(if alive { "sidecar" } else { "wasm" }), "call {number}");
        let verdict = only.perform(&script, step);
        assert_eq!(verdict.error.is_none(), alive, "call {number}: {}", verdict.decision.reason);
        assert!(alive || !verdict.decision.allowed, "call {number}");
    }
}
