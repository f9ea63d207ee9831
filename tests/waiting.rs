//! Calls that wait: throttled ones that are told to, and those that stand in line.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::time::{Duration, Instant};

use hexarch_guardrails::{Action, Check, FixedClock, GuardError, Guardian, Timestamp, Violation};

const POLICIES: &str = r#"
policies:
  - id: throttled
    rules:
      - {resource: second, requests_per_second: 1, action: throttle}
      - {resource: hour, requests_per_hour: 1, action: throttle}
      - {resource: place, concurrent_limit: 1, action: throttle}
  - id: queued
    rules:
      - {id: place, resource: place, concurrent_limit: 1, action: queue, queue_limit: 4}
      - {id: second, resource: second, requests_per_second: 2, action: queue, queue_timeout_seconds: 20}
      - {id: short, resource: short, concurrent_limit: 1, action: queue, queue_timeout_seconds: 0.05}
      - {id: hour, resource: hour, requests_per_hour: 1, action: queue, queue_timeout_seconds: 0.2}
"#;

const LONG: Duration = Duration::from_secs(30);

fn guardian() -> Guardian {
    Guardian::builder().policy_text("hexarch.yaml", POLICIES).build().unwrap()
}

/// One whose hour does not end.
fn amid_an_hour() -> Guardian {
    let clock = FixedClock::at(Timestamp::from_seconds(1_772_466_000));
    Guardian::builder().policy_text("hexarch.yaml", POLICIES).clock(clock).build().unwrap()
}

fn check(guardian: &Guardian, policy: &str, resource: &str) -> Check {
    guardian.check(policy).unwrap().resource(resource)
}

fn denied<T>(result: Result<T, GuardError>) -> Violation {
    match result {
        Err(GuardError::Denied(violation)) => *violation,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it ran"),
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
}

#[test]
fn a_throttled_call_waits_for_its_window() {
    let guardian = guardian();
    let begin = Instant::now();
    for call in 0..3 {
        assert_eq!(check(&guardian, "throttled", "second").run_or_wait(LONG, || call).unwrap(), call);
    }
    // Three calls in three seconds' windows.
    assert!(begin.elapsed() > Duration::from_secs(1), "{:?}", begin.elapsed());
}

#[test]
fn who_would_wait_too_long_is_denied_at_once() {
    let guardian = amid_an_hour();
    check(&guardian, "throttled", "hour").run(|| ()).unwrap();
    let begin = Instant::now();
    let violation = denied(
        check(&guardian, "throttled", "hour").run_or_wait(Duration::from_secs(20), || panic!("it ran")),
    );
    assert_eq!(violation.action, Action::Throttle);
    assert!(begin.elapsed() < Duration::from_secs(5));
}

#[test]
fn waiting_blocks_no_thread() {
    let guardian = guardian();
    let held = check(&guardian, "throttled", "place").authorize().unwrap();
    let ticks = AtomicUsize::new(0);
    // One thread: the one that waits is the one that gives back.
    let ran = runtime().block_on(async {
        let give_back = async {
            for _ in 0..10 {
                tokio::time::sleep(Duration::from_millis(10)).await;
                ticks.fetch_add(1, Ordering::Relaxed);
            }
            held.complete().await;
        };
        let waiting = check(&guardian, "throttled", "place")
            .run_or_wait_async(LONG, async { ticks.load(Ordering::Relaxed) });
        tokio::join!(waiting, give_back).0
    });
    assert_eq!(ran.unwrap(), 10);
}

#[test]
fn a_throttled_call_stops_waiting_in_time() {
    let guardian = guardian();
    let _held = check(&guardian, "throttled", "place").authorize().unwrap();
    let begin = Instant::now();
    denied(check(&guardian, "throttled", "place").run_or_wait(Duration::from_millis(100), || ()));
    assert!(begin.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_line_is_first_come_first_served() {
    let guardian = guardian();
    let held = check(&guardian, "queued", "place").authorize().unwrap();
    let order = Arc::new(Mutex::new(Vec::new()));
    let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for number in 0..4 {
            let (guardian, order) = (&guardian, Arc::clone(&order));
            let (running, most) = (&running, &most);
            scope.spawn(move || {
                check(guardian, "queued", "place")
                    .run(|| {
                        most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        order.lock().unwrap().push(number);
                        std::thread::sleep(Duration::from_millis(5));
                        running.fetch_sub(1, Ordering::SeqCst);
                    })
                    .unwrap();
            });
            // Each stands in line before the next one comes.
            std::thread::sleep(Duration::from_millis(150));
        }
        let violation = denied(check(&guardian, "queued", "place").run(|| panic!("it ran")));
        assert_eq!(violation.action, Action::Queue);
        assert!(
            violation.reason.contains("the line for `queued.place.concurrent_limit` is full, 4 calls wait")
        );
        assert!(order.lock().unwrap().is_empty());
        held.complete_now();
    });
    assert_eq!(*order.lock().unwrap(), [0, 1, 2, 3]);
    assert_eq!(most.load(Ordering::SeqCst), 1);
}

#[test]
fn a_rate_is_kept_by_those_who_stand_in_line() {
    let guardian = guardian();
    let together = Barrier::new(6);
    let begin = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                together.wait();
                check(&guardian, "queued", "second").run(|| ()).unwrap();
            });
        }
    });
    // Six calls, two in a second.
    assert!(begin.elapsed() > Duration::from_secs(1), "{:?}", begin.elapsed());
}

#[test]
fn nobody_stands_in_line_for_ever() {
    let guardian = guardian();
    let _held = check(&guardian, "queued", "short").authorize().unwrap();
    let violation = denied(check(&guardian, "queued", "short").run(|| panic!("it ran")));
    assert!(violation.reason.contains("has stood in line for `queued.short.concurrent_limit` for 0.05 s"));
    let asynchronous =
        runtime().block_on(check(&guardian, "queued", "short").run_async(async { panic!("it ran") }));
    assert_eq!(denied::<()>(asynchronous).action, Action::Queue);
}

#[test]
fn nobody_stands_in_line_for_what_comes_too_late() {
    let guardian = amid_an_hour();
    check(&guardian, "queued", "hour").run(|| ()).unwrap();
    let violation = denied(check(&guardian, "queued", "hour").run(|| panic!("it ran")));
    assert!(violation.reason.contains("there is no room"), "{}", violation.reason);
    assert!(violation.retry_after.is_some());
}

#[test]
fn who_goes_away_leaves_the_line() {
    let guardian = guardian();
    let runtime = runtime();
    let held = check(&guardian, "queued", "place").authorize().unwrap();
    let gone = runtime.block_on(async {
        let waiting = check(&guardian, "queued", "place").run_async(async { panic!("it ran") });
        tokio::time::timeout(Duration::from_millis(50), waiting).await
    });
    assert!(gone.map(denied::<()>).is_err());
    held.complete_now();
    let begin = Instant::now();
    check(&guardian, "queued", "place").run(|| ()).unwrap();
    assert!(begin.elapsed() < Duration::from_secs(5));
}

#[test]
fn nobody_is_let_in_before_those_who_wait() {
    let guardian = guardian();
    let runtime = runtime();
    let held = check(&guardian, "queued", "place").authorize().unwrap();
    let order = Mutex::new(Vec::new());
    runtime.block_on(async {
        let call = |name: &'static str| {
            let order = &order;
            check(&guardian, "queued", "place").run_async(async move { order.lock().unwrap().push(name) })
        };
        let late = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            // The place is free from here on, and the first in line does not know it yet.
            held.complete().await;
            call("late").await
        };
        let (early, late) = tokio::join!(call("early"), late);
        early.unwrap();
        late.unwrap();
    });
    assert_eq!(*order.lock().unwrap(), ["early", "late"]);
}
