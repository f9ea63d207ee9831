//! How long a call counts against a rate: by the calendar, for a while from the call on, or in a bucket.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::sync::Arc;
use std::time::Duration;

use hexarch_guardrails::{Action, FixedClock, GuardError, Guardian, Timestamp, Violation};

fn guardian(algorithm: &str, clock: &Arc<FixedClock>) -> Guardian {
    let text = format!(
        "policies: [{{id: p, rules: [{{id: calls, requests_per_minute: 6, algorithm: {algorithm}}}]}}]"
    );
    Guardian::builder()
        .policy_text("hexarch.yaml", text)
        .shared_clock(Arc::clone(clock) as _)
        .build()
        .unwrap()
}

/// How many of these calls run, and the denial of the last.
fn calls(guardian: &Guardian, count: usize) -> (usize, Option<Box<Violation>>) {
    let mut last = None;
    let admitted = (0..count).filter(|_| match guardian.check("p").unwrap().run(|| ()) {
        Ok(()) => true,
        Err(GuardError::Denied(violation)) => {
            last = Some(violation);
            false
        }
        Err(other) => panic!("{other}"),
    });
    (admitted.count(), last)
}

/// A second before a minute begins.
fn clock() -> Arc<FixedClock> {
    Arc::new(FixedClock::at(Timestamp::from_seconds(1_800_000_059)))
}

#[test]
fn a_fixed_window_lets_twice_as_many_through_around_its_end() {
    let clock = clock();
    let guardian = guardian("fixed_window", &clock);
    assert_eq!(calls(&guardian, 9).0, 6);
    clock.advance(Duration::from_secs(1));
    assert_eq!(calls(&guardian, 9).0, 6);
}

#[test]
fn no_stretch_of_a_sliding_window_has_more() {
    let clock = clock();
    let guardian = guardian("sliding_window", &clock);
    let (admitted, denied) = calls(&guardian, 9);
    assert_eq!(admitted, 6);
    let denied = denied.unwrap();
    assert_eq!(
        (denied.action, denied.limit.as_deref()),
        (Action::Throttle, Some("p.calls.requests_per_minute"))
    );
    let wait = denied.retry_after.unwrap();
    // A slot late at most, and never early.
    assert!(wait > Duration::from_secs(59) && wait <= Duration::from_secs(62), "{wait:?}");
    clock.advance(Duration::from_secs(1));
    assert_eq!(calls(&guardian, 9).0, 0);
    clock.advance(wait - Duration::from_secs(2));
    assert_eq!(calls(&guardian, 9).0, 0);
    clock.advance(Duration::from_secs(1));
    assert_eq!(calls(&guardian, 9).0, 6);
}

#[test]
fn a_bucket_lets_as_many_through_at_once_and_then_evenly() {
    let clock = clock();
    let guardian = guardian("token_bucket", &clock);
    let (admitted, denied) = calls(&guardian, 9);
    assert_eq!(admitted, 6);
    assert_eq!(denied.unwrap().retry_after, Some(Duration::from_secs(10)));
    clock.advance(Duration::from_secs(9));
    assert_eq!(calls(&guardian, 9).0, 0);
    clock.advance(Duration::from_secs(1));
    assert_eq!(calls(&guardian, 9).0, 1);
    clock.advance(Duration::from_secs(30));
    assert_eq!(calls(&guardian, 9).0, 3);
}
