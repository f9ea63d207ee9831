//! The OPA and the hostile server that guard-opa is tested with, and what an evaluator is asked here.
#![allow(dead_code, reason = "each test file uses its part")]

#[path = "../../../guard-opa/tests/support/mod.rs"]
mod servers;

use std::sync::Arc;
use std::time::{Duration, Instant};

use guard_core::{
    Batch, ChargeOutcome, Deadline, EvalError, Evaluated, Evaluator, FixedClock, Question, Request,
    ReservationId, StateStore, Timestamp,
};
use guard_state::MemoryStore;

#[allow(unused_imports, reason = "each test file uses some of them")]
pub(crate) use servers::*;

pub(crate) const POLICY: &str = include_str!("policy.rego");

/// A store and the clock it reads.
pub(crate) fn store(replica: &str) -> (Arc<MemoryStore>, Arc<FixedClock>) {
    let clock = Arc::new(FixedClock::at(Timestamp::from_seconds(1_000)));
    (Arc::new(MemoryStore::with_replica(Arc::clone(&clock) as _, replica)), clock)
}

pub(crate) fn request(operation: &str, resource: &str) -> Request {
    Request { operation: operation.into(), resource: resource.into(), ..Request::new("p") }
}

/// Asks on this thread, and checks that the deadline was kept.
pub(crate) fn ask(
    evaluator: &dyn Evaluator,
    request: &Request,
    allowed: Duration,
) -> Result<Evaluated, EvalError> {
    let begin = Instant::now();
    let deadline = Deadline::after(allowed);
    let answer = evaluator.evaluate(Question { request, deadline }).wait();
    assert!(begin.elapsed() < allowed + Duration::from_millis(500), "{:?} for {answer:?}", begin.elapsed());
    answer
}

/// Asks, charges what the decision says, and gives its reason.
pub(crate) fn ask_and_charge(
    evaluator: &dyn Evaluator,
    store: &dyn StateStore,
    resource: &str,
    id: u128,
) -> String {
    let evaluated = ask(evaluator, &request("call", resource), Duration::from_secs(10)).unwrap();
    if !evaluated.decision.charges.is_empty() {
        let at = Timestamp::from_seconds(1_000);
        let batch = Batch { charges: evaluated.decision.charges, at, reservation: ReservationId(id) };
        assert!(matches!(store.charge(&batch).wait().unwrap(), ChargeOutcome::Charged(_)));
    }
    evaluated.decision.reason
}
