//! Closures and futures, run to their end, into a panic and into cancellation.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use guard_core::{
    Action, AuditError, AuditSink, Batch, CellId, Changes, ChargeOutcome, ConfirmError, ConfirmRequest,
    Confirmation, Confirmer, Decision, EvalError, Evaluated, Evaluator, FixedClock, NoConfirmer, NullAudit,
    Quantity, Question, Record, RecordKind, Reply, Request, ReservationId, Revision, Settled, Settlement,
    Snapshot, StateError, StateStore, Timestamp,
};
use guard_state::MemoryStore;
use guardian::{Driver, Ports, Settings};

const CHARGE: &str = r#"{"allowed":true,"action":"allow","reason":"fine","charges":[
    {"limit":"l","key":"k","window":"w","amount":4,"max":10}]}"#;
const BLOCK: &str = r#"{"allowed":false,"action":"block","reason":"no"}"#;
const CONFIRM: &str = r#"{"allowed":false,"action":"require_confirmation","reason":"sure?"}"#;

/// Says the same every time, except that a confirmed request is charged.
struct Says(&'static str);

impl Evaluator for Says {
    fn name(&self) -> &'static str {
        "says"
    }

    fn evaluate<'a>(&'a self, question: Question<'a>) -> Reply<'a, Result<Evaluated, EvalError>> {
        let text = if question.request.confirmed { CHARGE } else { self.0 };
        let decision = Decision::from_json(text.as_bytes()).map_err(EvalError::from);
        Reply::Now(decision.map(|decision| Evaluated {
            decision: Box::new(decision),
            engine: "says",
            module_digest: None,
            data_revision: None,
        }))
    }
}

/// The memory store as one behind a network would answer: later.
struct Remote(MemoryStore);

async fn hop() {
    tokio::task::yield_now().await;
}

impl StateStore for Remote {
    fn reserve<'a>(
        &'a self,
        batch: &'a Batch,
        lease: Duration,
    ) -> Reply<'a, Result<ChargeOutcome, StateError>> {
        Reply::later(async move {
            hop().await;
            self.0.reserve(batch, lease).await
        })
    }

    fn settle<'a>(
        &'a self,
        id: ReservationId,
        actual: &'a Settlement,
    ) -> Reply<'a, Result<Settled, StateError>> {
        Reply::later(async move {
            hop().await;
            self.0.settle(id, actual).await
        })
    }

    fn refund(&self, id: ReservationId) -> Reply<'_, Result<Settled, StateError>> {
        Reply::later(async move {
            hop().await;
            self.0.refund(id).await
        })
    }

    fn charge<'a>(&'a self, batch: &'a Batch) -> Reply<'a, Result<ChargeOutcome, StateError>> {
        self.0.charge(batch)
    }

    fn revision(&self) -> Revision {
        self.0.revision()
    }

    fn snapshot(&self) -> Reply<'_, Result<Snapshot, StateError>> {
        self.0.snapshot()
    }

    fn changes_since(&self, revision: Revision) -> Reply<'_, Result<Changes, StateError>> {
        self.0.changes_since(revision)
    }
}

#[derive(Default)]
struct Kept(Mutex<Vec<Record>>);

impl AuditSink for Kept {
    fn record<'a>(&'a self, record: &'a Record) -> Reply<'a, Result<(), AuditError>> {
        self.0.lock().unwrap().push(record.clone());
        Reply::Now(Ok(()))
    }
}

struct Yes;

impl Confirmer for Yes {
    fn confirm<'a>(&'a self, request: &'a ConfirmRequest) -> Reply<'a, Result<Confirmation, ConfirmError>> {
        assert_eq!(request.reason, "sure?");
        Reply::later(async {
            hop().await;
            Ok(Confirmation::Approved { by: Some("ada".into()) })
        })
    }
}

fn ports(says: &'static str) -> Ports {
    let clock = Arc::new(FixedClock::at(Timestamp::from_seconds(1_000)));
    Ports {
        evaluator: Arc::new(Says(says)),
        store: Arc::new(MemoryStore::new(Arc::clone(&clock) as _)),
        audit: Arc::new(NullAudit),
        confirmer: Arc::new(NoConfirmer),
        clock,
    }
}

fn driver(ports: Ports) -> Arc<Driver> {
    Arc::new(Driver::new(ports, Settings::default()))
}

fn remote(says: &'static str) -> Arc<Driver> {
    let ports = ports(says);
    let store = Arc::new(Remote(MemoryStore::new(Arc::clone(&ports.clock))));
    driver(Ports { store, ..ports })
}

fn used(driver: &Driver) -> i64 {
    let cell = CellId { limit: "l".into(), key: "k".into(), window: "w".into() };
    driver.store().snapshot().wait().unwrap().total(&cell).units()
}

/// The release of a remote reservation happens on a thread of its own.
fn wait_until_unused(driver: &Driver) {
    for _ in 0..500 {
        if used(driver) == 0 {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("the reservation was never given back");
}

#[test]
fn a_call_is_charged_and_settled() {
    for driver in [driver(ports(CHARGE)), remote(CHARGE)] {
        let permit = driver.authorize_now(Request::new("p")).unwrap();
        assert_eq!((permit.decision().action, permit.engine()), (Action::Allow, Some("says")));
        assert_eq!(used(&driver), 4);
        permit.complete_now();
        assert_eq!(used(&driver), 4);
        let mut permit = driver.authorize_now(Request::new("p")).unwrap();
        permit.spent("l", Quantity::new(1));
        permit.complete_now();
        assert_eq!(used(&driver), 5);
        driver.authorize_now(Request::new("p")).unwrap().complete_now();
        let violation = driver.authorize_now(Request::new("p")).err().unwrap();
        assert_eq!(violation.reason, "limit `l` is reached: 1 of 10 left");
        assert_eq!(used(&driver), 9);
    }
}

#[test]
fn a_panic_gives_back() {
    for driver in [driver(ports(CHARGE)), remote(CHARGE)] {
        let caught = catch_unwind(AssertUnwindSafe(|| {
            let permit = driver.authorize_now(Request::new("p")).unwrap();
            assert_eq!(used(&driver), 4);
            if permit.decision().allowed {
                panic!("the call fails");
            }
            permit.complete_now();
        }));
        assert!(caught.is_err());
        wait_until_unused(&driver);
    }
}

#[tokio::test]
async fn a_cancelled_future_gives_back() {
    for driver in [driver(ports(CHARGE)), remote(CHARGE)] {
        let call = async {
            let permit = driver.authorize(Request::new("p")).await.unwrap();
            tokio::time::sleep(Duration::from_secs(3600)).await;
            permit.complete().await;
        };
        assert!(tokio::time::timeout(Duration::from_millis(50), call).await.is_err());
        wait_until_unused(&driver);
    }
}

/// Cancelled at each point at which the future can be dropped, a call leaves nothing reserved, or, once it
/// has run, everything settled.
#[test]
fn cancellation_at_every_point_leaves_nothing_behind() {
    let mut ran_once = false;
    for polls in 0..20 {
        let driver = remote(CHARGE);
        let ran = AtomicUsize::new(0);
        let mut call = Box::pin(async {
            let permit = driver.authorize(Request::new("p")).await.unwrap();
            ran.fetch_add(1, Ordering::Relaxed);
            permit.complete().await;
        });
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        for _ in 0..polls {
            if std::future::Future::poll(call.as_mut(), &mut context).is_ready() {
                break;
            }
        }
        drop(call);
        if ran.load(Ordering::Relaxed) == 0 {
            wait_until_unused(&driver);
        } else {
            ran_once = true;
            std::thread::sleep(Duration::from_millis(50));
            assert_eq!(used(&driver), 4, "after {polls} polls");
        }
    }
    assert!(ran_once);
}

#[test]
fn a_denied_call_gets_no_permit() {
    let driver = driver(ports(BLOCK));
    let violation = driver.authorize_now(Request::new("p")).err().unwrap();
    assert_eq!(
        (violation.policy.as_str(), violation.action, violation.reason.as_str()),
        ("p", Action::Block, "no")
    );
}

#[test]
fn report_only_runs_and_says_what_it_would_have_done() {
    let driver = Arc::new(Driver::new(ports(BLOCK), Settings { enforce: false, ..Settings::default() }));
    let permit = driver.authorize_now(Request::new("p")).unwrap();
    assert_eq!(permit.objection().unwrap().reason, "no");
    permit.complete_now();
}

#[test]
fn a_confirmed_call_runs() {
    let driver = driver(Ports { confirmer: Arc::new(Yes), ..ports(CONFIRM) });
    driver.authorize_now(Request::new("p")).unwrap().complete_now();
    assert_eq!(used(&driver), 4);
}

#[test]
fn everything_is_recorded() {
    let kept = Arc::new(Kept::default());
    let driver = driver(Ports { audit: Arc::clone(&kept) as _, ..ports(CHARGE) });
    let permit = driver.authorize_now(Request::new("p")).unwrap();
    let id = permit.decision_id();
    drop(permit);
    driver.authorize_now(Request::new("p")).unwrap().complete_now();
    let verdict = driver.decide_now(Request::new("p"));
    assert!(verdict.decision.allowed);
    assert_eq!(used(&driver), 4, "a decision alone charges nothing");
    let kinds: Vec<RecordKind> = kept.0.lock().unwrap().iter().map(|record| record.kind).collect();
    use RecordKind::{Completed, Decision, Released};
    assert_eq!(kinds, [Decision, Released, Decision, Completed, Decision]);
    assert!(kept.0.lock().unwrap().iter().take(2).all(|record| record.decision_id == id));
}
