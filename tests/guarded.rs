//! `#[guarded]`: functions and methods, with and without a runtime, into denials, panics and cancellation.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hexarch_guardrails::{
    AuditError, AuditSink, Check, FixedClock, GuardError, GuardedReturn, Guardian, Record, RecordKind, Reply,
    Timestamp, guarded,
};

const POLICIES: &str = r#"
policies:
  - id: api_budget
    rules:
      - resource: openai
        monthly_budget: 10.00
  - id: safe_delete
    rules:
      - operation: delete
        resource: "production/*"
        action: block
  - id: amounts
    rules:
      - parameter: amount
        max: 100
"#;

#[derive(Default)]
struct Kept(Mutex<Vec<Record>>);

impl Kept {
    fn last(&self) -> Record {
        let kept = self.0.lock().unwrap();
        kept.iter().rfind(|record| record.kind == RecordKind::Decision).unwrap().clone()
    }

    fn context(&self, name: &str) -> Option<String> {
        self.last().context.get(name).map(|value| value.as_str().to_owned())
    }
}

impl AuditSink for Kept {
    fn record<'a>(&'a self, record: &'a Record) -> Reply<'a, Result<(), AuditError>> {
        self.0.lock().unwrap().push(record.clone());
        Reply::Now(Ok(()))
    }
}

fn kept() -> (Guardian, Arc<Kept>) {
    let kept = Arc::new(Kept::default());
    let clock = FixedClock::at(Timestamp::from_seconds(1_772_466_000));
    let builder = Guardian::builder().policy_text("hexarch.yaml", POLICIES).clock(clock);
    (builder.audit(Arc::clone(&kept) as _).build().unwrap(), kept)
}

fn counted(guardian: &Guardian) -> i64 {
    guardian.state().unwrap().cells.iter().map(|(_, value)| value.units()).sum()
}

/// An error of a program's own.
#[derive(Debug)]
enum Failure {
    Guard(GuardError),
    Parse,
}

impl From<GuardError> for Failure {
    fn from(error: GuardError) -> Self {
        Self::Guard(error)
    }
}

impl From<std::num::ParseIntError> for Failure {
    fn from(_: std::num::ParseIntError) -> Self {
        Self::Parse
    }
}

struct Connection(u32);

// Names that the expansion uses itself, on purpose.
#[guarded("safe_delete", guardian = guardian, operation = "delete", resource = check, skip(guardian, permit), secret(result))]
fn delete(
    guardian: &Guardian,
    check: String,
    permit: Connection,
    error: u8,
    result: &str,
    (left, right): (u8, u8),
) -> Result<String, Failure> {
    if error == 1 {
        return Ok(check);
    }
    let parsed: u32 = result.parse()?;
    Ok(format!("{check} {} {parsed} {}", permit.0, left + right))
}

#[test]
fn arguments_reach_the_policy_and_the_record() {
    let (guardian, kept) = kept();
    let call = |resource: &str, number: &str| {
        delete(&guardian, resource.to_owned(), Connection(7), 0, number, (1, 2))
    };
    assert_eq!(call("drafts/1", "12").unwrap(), "drafts/1 7 12 3");
    let record = kept.last();
    assert_eq!(record.function, "guarded::delete");
    let names: Vec<&String> = record.context.keys().collect();
    assert_eq!(names, ["check", "error", "result"]);
    assert_eq!(kept.context("check").unwrap(), "\"drafts/1\"");
    assert!(matches!(call("drafts/1", "x"), Err(Failure::Parse)));
    assert!(matches!(call("production/1", "12"), Err(Failure::Guard(GuardError::Denied(_)))));
    assert_eq!(delete(&guardian, "d".into(), Connection(7), 1, "x", (1, 2)).unwrap(), "d");
}

struct Shop {
    guardian: Guardian,
    sold: u32,
}

impl Shop {
    #[guarded("amounts", guardian = self.guardian, user = buyer, role = "customer", role = "guest")]
    fn sell(&mut self, buyer: &str, mut amount: u32) -> Result<u32, GuardError> {
        amount += 1;
        self.sold += amount;
        Ok(self.sold)
    }

    /// Sells.
    #[guarded("api_budget", guardian = self.guardian, resource = "openai", cost = dollars, skip_all, wrap,
              context(shop = self.sold), with = |check: Check| check.metadata("why", 7))]
    async fn spend<T: Clone>(&self, dollars: f64, what: T, wait: Duration) -> (T, f64) {
        tokio::time::sleep(wait).await;
        (what.clone(), dollars)
    }

    #[guarded("api_budget", guardian = &self.guardian, resource = "openai", cost = "1", within = Duration::ZERO, wrap)]
    fn fail(&self, message: &str) -> impl std::fmt::Display + use<'_> {
        if message.is_empty() {
            return "nothing".to_owned();
        }
        panic!("{message}")
    }
}

#[test]
fn methods_are_guarded_by_their_own_guardian() {
    let (guardian, kept) = kept();
    let mut shop = Shop { guardian, sold: 0 };
    assert_eq!(shop.sell("ada", 100).unwrap(), 101);
    assert_eq!(kept.last().user_id.as_deref(), Some("ada"));
    assert!(matches!(shop.sell("ada", 101), Err(GuardError::Denied(_))));
    assert_eq!(shop.sold, 101);
}

#[test]
fn a_panic_gives_back() {
    let shop = Shop { guardian: kept().0, sold: 0 };
    assert!(catch_unwind(AssertUnwindSafe(|| shop.fail("the body fails").map(drop))).is_err());
    assert_eq!(counted(&shop.guardian), 0);
    assert_eq!(shop.fail("").unwrap().to_string(), "nothing");
    assert_eq!(counted(&shop.guardian), 1_000_000);
}

/// Runtimes with several threads want it.
fn sendable<F: Future + Send>(future: F) -> F {
    future
}

#[test]
fn a_dropped_future_gives_back() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let (guardian, kept) = kept();
    let shop = Shop { guardian, sold: 3 };
    let cut = runtime.block_on(async {
        let call = sendable(shop.spend(6.0, "it", Duration::from_secs(3_600)));
        tokio::time::timeout(Duration::from_millis(20), call).await
    });
    assert!(cut.is_err());
    assert_eq!(counted(&shop.guardian), 0);
    let spend = || runtime.block_on(shop.spend(6.0, "it", Duration::ZERO));
    assert_eq!(spend().unwrap(), ("it", 6.0));
    assert_eq!(counted(&shop.guardian), 6_000_000);
    assert!(spend().is_err());
    let names: Vec<String> = kept.last().context.into_keys().collect();
    assert_eq!(names, ["shop"]);
    assert!(kept.last().metadata.contains_key("why"));
}

/// A response, as web frameworks have them.
struct Response(u16);

impl GuardedReturn for Response {
    fn denied(_: GuardError) -> Self {
        Self(403)
    }
}

const POLICY: &str = "no_such_policy";

#[guarded("safe_delete", operation = "read", resource = name)]
fn by_default(name: &str) -> Result<usize, GuardError> {
    Ok(name.len())
}

#[guarded(POLICY)]
async fn unknown(r#type: u8) -> Response {
    Response(u16::from(r#type))
}

#[test]
fn without_a_guardian_nothing_runs() {
    assert!(matches!(by_default("four"), Err(GuardError::NoGuardian(_))));
    let (guardian, _) = kept();
    guardian.clone().install().unwrap();
    assert_eq!(by_default("four").unwrap(), 4);
    assert!(guardian.install().is_err());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(unknown(200)).0, 403);
}
