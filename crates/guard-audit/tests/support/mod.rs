//! Records, and logs that keep them.
#![allow(dead_code, reason = "each test uses what it needs")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use guard_audit::{AuditLog, Config, Durability};
use guard_core::{
    Action, AuditError, AuditSink, DecisionId, FixedClock, Json, Record, RecordKind, Recorded, Timestamp,
};

/// A log in a file, with room for so many records that wait.
pub(crate) fn log(path: &Path, durability: Durability, queue: usize) -> AuditLog {
    let clock = Arc::new(FixedClock::at(Timestamp::from_seconds(0)));
    AuditLog::open(&Config { durability, queue, ..Config::new(path) }, clock).unwrap()
}

pub(crate) fn keep(audit: &AuditLog, record: &Record) -> Result<(), AuditError> {
    audit.record(record).wait()
}

/// A record that says its number; every other one is of a blocked call of another policy.
pub(crate) fn record(number: u64) -> Record {
    let odd = number % 2 == 1;
    let context = [
        ("amount".to_owned(), Json::of(&number).unwrap()),
        ("password".to_owned(), Json::of(&"hunter2").unwrap()),
        ("plan".to_owned(), Json::of(&"the secret plan").unwrap()),
    ];
    Record {
        kind: RecordKind::Decision,
        decision_id: DecisionId::from_u128(u128::from(number)),
        timestamp: Timestamp::from_seconds(i64::try_from(number).unwrap()),
        policy_id: format!("p{}", number % 2),
        function: "f".to_owned(),
        decision: if odd { Recorded::Blocked } else { Recorded::Allowed },
        action: if odd { Action::Block } else { Action::Allow },
        reason: format!("number {number}"),
        runs: !odd,
        limit: None,
        user_id: Some("ann".to_owned()),
        confirmed_by: None,
        context: context.into(),
        metadata: Default::default(),
        secrets: ["plan".to_owned()].into(),
        decision_metadata: None,
        duration: Duration::from_micros(7),
        engine: Some("wasm"),
        module_digest: None,
        data_revision: None,
    }
}
