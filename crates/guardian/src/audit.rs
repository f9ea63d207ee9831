//! Records as tracing events.

use guard_core::{AuditError, AuditSink, Record, RecordKind, Recorded, Reply};

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

impl AuditSink for TracingAudit {
    fn record<'a>(&'a self, record: &'a Record) -> Reply<'a, Result<(), AuditError>> {
        match (record.kind, record.decision) {
            (RecordKind::Decision, Recorded::Error) => event!(error, record),
            (RecordKind::Decision, Recorded::Blocked | Recorded::Pending | Recorded::Warned) => {
                event!(warn, record)
            }
            (RecordKind::LeaseExpired | RecordKind::ThresholdReached, _) => event!(warn, record),
            _ => event!(info, record),
        }
        Reply::Now(Ok(()))
    }
}
