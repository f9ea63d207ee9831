//! The store that a configuration names, and what callers learn from it.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use guard_core::CellFilter;
use hexarch_guardrails::{
    AuditError, AuditSink, BuildError, FixedClock, GuardError, Guardian, Quantity, Record, RecordKind, Reply,
    Timestamp, open_state,
};
use test_support::Folder;

const POLICIES: &str = r#"
policies:
  - id: spending
    rules:
      - id: money
        monthly_budget: 10.00
        warn_at_percentage: 80
      - id: calls
        requests_per_minute: 5
"#;

fn yaml(folder: &Folder) -> String {
    format!("state: {{store: sqlite, path: '{}'}}\n{POLICIES}", folder.path().join("state.db").display())
}

/// Keeps the records.
#[derive(Default, Clone)]
struct Kept(Arc<Mutex<Vec<Record>>>);

impl AuditSink for Kept {
    fn record<'a>(&'a self, record: &'a Record) -> Reply<'a, Result<(), AuditError>> {
        self.0.lock().unwrap().push(record.clone());
        Reply::Now(Ok(()))
    }
}

fn guardian(folder: &Folder, clock: &Arc<FixedClock>, kept: &Kept) -> Guardian {
    Guardian::builder()
        .policy_text("hexarch.yaml", yaml(folder))
        .shared_clock(Arc::clone(clock) as _)
        .audit(Arc::new(kept.clone()))
        .lease(Duration::from_secs(30))
        .build()
        .unwrap()
}

fn clock() -> Arc<FixedClock> {
    Arc::new(FixedClock::at(Timestamp::from_seconds(1_800_000_000)))
}

#[test]
fn what_is_spent_outlives_the_process() {
    let (folder, clock, kept) = (Folder::new("sdk-state"), clock(), Kept::default());
    let first = guardian(&folder, &clock, &kept);
    first.check("spending").unwrap().cost("9.50").run(|| ()).unwrap();
    drop(first);
    let second = guardian(&folder, &clock, &kept);
    let error = second.check("spending").unwrap().cost("0.60").run(|| ()).unwrap_err();
    assert!(matches!(error, GuardError::Denied(_)), "{error}");
    // Two at a time, as two processes: what one spends, the other knows.
    let third = guardian(&folder, &clock, &kept);
    third.check("spending").unwrap().cost("0.50").run(|| ()).unwrap();
    assert!(second.check("spending").unwrap().cost("0.01").run(|| ()).is_err());
}

#[test]
fn a_call_that_comes_again_is_charged_once() {
    let (folder, clock, kept) = (Folder::new("sdk-idempotent"), clock(), Kept::default());
    let guardian = guardian(&folder, &clock, &kept);
    let call = || guardian.check("spending").unwrap().cost("4.00").idempotency_key("order 7");
    for _ in 0..3 {
        call().run(|| ()).unwrap();
    }
    let mut permit = guardian.check("spending").unwrap().cost("1.00").authorize().unwrap();
    let spent: i64 = permit
        .charged()
        .unwrap()
        .snapshot
        .cells
        .iter()
        .filter(|(path, _)| path.cell.limit.contains("monthly"))
        .map(|(_, used)| used.units())
        .sum();
    assert_eq!(spent, 5_000_000);
    let fields = permit.limits();
    let told = fields.rate_limit().unwrap();
    assert!(told.contains(";r=5000000;t="), "{told}");
    assert!(fields.rate_limit_policy().unwrap().contains(";q=10000000"), "{fields:?}");
    assert_eq!(fields.retry_after(), None);
    permit.spent("nothing", Quantity::ZERO);
    permit.complete_now();
    let other = guardian.check("spending").unwrap().cost("5.00").idempotency_key("order 7");
    assert!(other.run(|| ()).unwrap_err().to_string().contains("idempotency key"));
}

/// Calls that are denied because of a lease charge nothing, and still find out that it has run out.
#[test]
fn a_call_that_was_denied_runs_once_the_lease_has_run_out() {
    let clock = clock();
    let policy = "policies:\n  - id: spending\n    rules: [{id: total, total_budget: 10}]\n";
    let builder =
        Guardian::builder().policy_text("hexarch.yaml", policy).shared_clock(Arc::clone(&clock) as _);
    let guardian = builder.lease(Duration::from_secs(30)).build().unwrap();
    let call = || guardian.check("spending").unwrap().cost("6.00").run(|| ());
    std::mem::forget(guardian.check("spending").unwrap().cost("6.00").authorize().unwrap());
    assert!(call().unwrap_err().to_string().contains("exceeded"));
    clock.advance(Duration::from_secs(31));
    call().unwrap();
}

#[test]
fn leases_that_run_out_and_operators_are_recorded() {
    let (folder, clock, kept) = (Folder::new("sdk-audited"), clock(), Kept::default());
    let guardian = guardian(&folder, &clock, &kept);
    let permit = guardian.check("spending").unwrap().cost("4.00").authorize().unwrap();
    let id = permit.decision_id();
    // Its process is gone, as far as the store knows.
    std::mem::forget(permit);
    clock.advance(Duration::from_secs(31));
    guardian.check("spending").unwrap().cost("1.00").run(|| ()).unwrap();
    let records = kept.0.lock().unwrap().clone();
    let expired: Vec<_> = records.iter().filter(|one| one.kind == RecordKind::LeaseExpired).collect();
    assert_eq!(expired.len(), 1, "{records:?}");
    assert_eq!(expired[0].decision_id, id);
    assert!(expired[0].reason.contains("4000000"), "{}", expired[0].reason);
    assert_eq!(expired[0].timestamp, Timestamp::from_seconds(1_800_000_031));
    assert!(expired[0].limit.is_some());

    let log = folder.path().join("audit.jsonl");
    let text = format!("logging: {{file: '{}'}}\n{}", log.display(), yaml(&folder));
    let file = guard_policy::parse("hexarch.yaml", &text).unwrap();
    let store = open_state(&file, clock as _).unwrap();
    assert!(!store.reset(&CellFilter::default()).wait().unwrap().is_empty());
    drop(store);
    let told = std::fs::read_to_string(&log).unwrap();
    assert!(told.contains(r#""timestamp_ns":1800000031000000000"#), "{told}");
    assert!(told.contains(r#""kind":"limit_adjusted""#) && told.contains("an operator set"), "{told}");
}

#[test]
fn a_store_that_cannot_be_opened_is_told_with_its_line() {
    let folder = Folder::new("sdk-bad-state");
    let text = folder.write("text.db", "budgets: none\n".repeat(100));
    let yaml = format!("\nstate:\n  store: sqlite\n  path: '{}'\n{POLICIES}", text.display());
    let error = match Guardian::builder().policy_text("hexarch.yaml", yaml).build() {
        Ok(_) => panic!("a text is a store"),
        Err(error) => error,
    };
    assert!(matches!(error, BuildError::State { .. }), "{error}");
    let told = error.to_string();
    assert!(told.starts_with("hexarch.yaml:3:10: ") && told.contains("not a state file"), "{told}");
}
