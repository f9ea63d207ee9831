//! What a limit that has stopped a call has left.

use std::sync::Arc;
use std::time::Duration;

use guard_core::{CellId, ChargeKind, Exceeded, LimitFields, Quantity, Violation};
use guard_policy::{LimitKind, Period};

use crate::guardian::Guardian;

/// The response fields for a call that was not let through: of its limit, where one stopped it that the Guardian knows.
pub(crate) fn of_violation(guardian: &Guardian, violation: &Violation) -> LimitFields {
    let policy = guardian.policy(&violation.policy);
    let limits = policy.map(|policy| policy.limits()).unwrap_or_default();
    let known = violation.limit.as_ref().and_then(|id| limits.iter().find(|limit| limit.id == *id));
    let Some(limit) = known else { return LimitFields::of_violation(violation) };
    let remaining = violation.remaining.and_then(|amount| amount.to_string().parse().ok()).unwrap_or(0);
    let fields = LimitFields::of_exceeded(&Exceeded {
        cell: Arc::new(CellId { limit: limit.id.clone(), key: String::new(), window: String::new() }),
        kind: match limit.kind {
            LimitKind::Budget | LimitKind::Tokens => ChargeKind::Budget,
            LimitKind::Rate | LimitKind::Iterations => ChargeKind::Rate,
            LimitKind::Concurrency => ChargeKind::Concurrency,
        },
        max: Quantity::new(i64::try_from(limit.max).unwrap_or(i64::MAX)),
        remaining: Quantity::new(remaining),
        retry_after: violation.retry_after,
    });
    match length(limit.period) {
        Some(length) => fields.window(&limit.id, length),
        None => fields,
    }
}

/// How long a window is, where all of a kind are equally long: those of a calendar are not.
fn length(period: Period) -> Option<Duration> {
    let seconds = match period {
        Period::Second => 1,
        Period::Minute => 60,
        Period::Hour => 3_600,
        Period::Day | Period::Week | Period::Month | Period::Total | Period::Session | Period::Running => {
            return None;
        }
    };
    Some(Duration::from_secs(seconds))
}
