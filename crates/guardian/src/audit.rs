//! Records as tracing events.

use guard_core::{AuditError, AuditSink, Record, RecordKind, Recorded, Reply};
use tracing::Level;
use tracing::level_filters::LevelFilter;

/// Writes every record as one tracing event under the target `hexarch::audit`. What was denied is a
/// warning, what could not be decided an error.
#[derive(Debug, Clone, Copy, Default)]
pub struct TracingAudit;

macro_rules! event {
    ($level:ident, $record:expr) => {
        tracing::$level!(
            target: "hexarch::audit",
            kind = $record.kind.as_str(),
            decision_id = %$record.decision_id,
            policy = %$record.policy_id,
            function = %$record.function,
            decision = %$record.decision,
            action = %$record.action,
            runs = $record.runs,
            limit = $record.limit.as_deref(),
            user = $record.user_id.as_deref(),
            confirmed_by = $record.confirmed_by.as_deref(),
            engine = $record.engine,
            module_digest = $record.module_digest.as_deref(),
            data_revision = $record.data_revision.map(|revision| revision.0),
            duration_us = u64::try_from($record.duration.as_micros()).unwrap_or(u64::MAX),
            "{}",
            $record.reason
        )
    };
}

fn level(kind: RecordKind, decision: Recorded) -> Level {
    match (kind, decision) {
        (RecordKind::Decision, Recorded::Error) => Level::ERROR,
        (RecordKind::Decision, Recorded::Blocked | Recorded::Pending | Recorded::Warned) => Level::WARN,
        (RecordKind::LeaseExpired | RecordKind::ThresholdReached, _) => Level::WARN,
        _ => Level::INFO,
    }
}

impl AuditSink for TracingAudit {
    /// Whether anybody may be listening: what a filter says of the fields is asked with the event.
    fn wants(&self, kind: RecordKind, decision: Recorded) -> bool {
        level(kind, decision) <= LevelFilter::current()
    }

    fn record<'a>(&'a self, record: &'a Record) -> Reply<'a, Result<(), AuditError>> {
        match level(record.kind, record.decision) {
            Level::ERROR => event!(error, record),
            Level::WARN => event!(warn, record),
            _ => event!(info, record),
        }
        Reply::Now(Ok(()))
    }
}
