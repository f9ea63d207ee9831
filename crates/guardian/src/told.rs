//! A tracing span for each decision, `decision` under the target `hexarch::decision`: what was asked is in it from the
//! beginning, what came of it at its end.

use guard_core::{Decision, Violation};
use tracing::Span;
use tracing::field::Empty;

use crate::machine::Machine;
use crate::permit::Permit;
use crate::phases::Verdict;

/// The span of a decision that is asked for.
pub(crate) fn span(machine: &Machine) -> Span {
    let request = machine.request();
    tracing::info_span!(
        target: "hexarch::decision",
        "decision",
        decision_id = %machine.id(),
        policy = %request.policy_id,
        function = %request.function,
        operation = %request.operation,
        resource = %request.resource,
        user = request.user.as_ref().map(|user| user.id.as_str()),
        allowed = Empty,
        action = Empty,
        reason = Empty,
        limit = Empty,
        retry_after_ms = Empty,
        engine = Empty,
    )
}

pub(crate) fn authorized(span: &Span, authorized: &Result<Permit, Box<Violation>>) {
    if span.is_disabled() {
        return;
    }
    match authorized {
        Ok(permit) => {
            decision(span, permit.decision());
            // The call runs, also where the policy is against it and nothing is enforced.
            span.record("allowed", true);
            span.record("engine", permit.engine());
        }
        Err(violation) => {
            span.record("allowed", false);
            span.record("action", violation.action.as_str());
            span.record("reason", violation.reason.as_str());
            span.record("limit", violation.limit.as_deref());
            span.record("retry_after_ms", violation.retry_after.map(millis));
        }
    }
}

pub(crate) fn decided(span: &Span, verdict: &Verdict) {
    if span.is_disabled() {
        return;
    }
    decision(span, &verdict.decision);
    span.record("engine", verdict.engine);
}

fn decision(span: &Span, decision: &Decision) {
    span.record("allowed", decision.allowed);
    span.record("action", decision.action.as_str());
    span.record("reason", decision.reason.as_str());
    span.record("limit", decision.limit.as_deref());
    span.record("retry_after_ms", decision.retry_after.map(millis));
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
