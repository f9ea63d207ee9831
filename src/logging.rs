//! What `logging` says: from which level on decisions are told, and where.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use guard_core::{AuditError, AuditSink, NullAudit, Record, RecordKind, Recorded, Reply};
use guard_policy::{LogLevel, Logging};
use guardian::TracingAudit;
use serde::Serialize;

use crate::error::BuildError;

/// The sink that the configuration asks for.
pub(crate) fn sink(logging: &Logging) -> Result<Arc<dyn AuditSink>, BuildError> {
    let sink: Arc<dyn AuditSink> = match (logging.enabled(), logging.file()) {
        (false, _) => return Ok(Arc::new(NullAudit)),
        (true, None) => Arc::new(TracingAudit),
        (true, Some(file)) => Arc::new(LogFile::open(file)?),
    };
    Ok(Arc::new(FromLevel { level: logging.level(), sink }))
}

/// Passes on what is at least as grave as a level.
struct FromLevel {
    level: LogLevel,
    sink: Arc<dyn AuditSink>,
}

impl AuditSink for FromLevel {
    fn wants(&self, kind: RecordKind, decision: Recorded) -> bool {
        level_of(kind, decision) >= self.level && self.sink.wants(kind, decision)
    }

    fn record<'a>(&'a self, record: &'a Record) -> Reply<'a, Result<(), AuditError>> {
        match self.wants(record.kind, record.decision) {
            true => self.sink.record(record),
            false => Reply::Now(Ok(())),
        }
    }
}

/// As tracing events have it: what was denied is a warning, what could not be decided an error.
fn level_of(kind: RecordKind, decision: Recorded) -> LogLevel {
    match (kind, decision) {
        (RecordKind::Decision, Recorded::Error) => LogLevel::Error,
        (RecordKind::Decision, Recorded::Blocked | Recorded::Pending | Recorded::Warned) => LogLevel::Warning,
        (RecordKind::LeaseExpired | RecordKind::ThresholdReached, _) => LogLevel::Warning,
        _ => LogLevel::Info,
    }
}

/// Appends a line of JSON for each record, each with one write, so that processes that share the file do not tear
/// each other's lines.
struct LogFile {
    name: String,
    file: Mutex<File>,
}

/// What a line says. What a policy was told in its context stays out of it: it may hold secrets.
#[derive(Serialize)]
struct Line<'a> {
    timestamp_ns: i64,
    kind: &'static str,
    decision_id: String,
    policy: &'a str,
    function: &'a str,
    decision: &'static str,
    action: &'static str,
    reason: &'a str,
    runs: bool,
    limit: Option<&'a str>,
    user: Option<&'a str>,
    engine: Option<&'static str>,
    module_digest: Option<&'a str>,
    data_revision: Option<u64>,
    duration_us: u64,
}

impl LogFile {
    fn open(name: &str) -> Result<Self, BuildError> {
        let file = OpenOptions::new().create(true).append(true).open(name);
        let file = file.map_err(|source| BuildError::LogFile { file: name.to_owned(), source })?;
        Ok(Self { name: name.to_owned(), file: Mutex::new(file) })
    }

    fn append(&self, record: &Record) -> std::io::Result<()> {
        let line = Line {
            timestamp_ns: record.timestamp.as_nanos(),
            kind: record.kind.as_str(),
            decision_id: record.decision_id.to_string(),
            policy: &record.policy_id,
            function: &record.function,
            decision: record.decision.as_str(),
            action: record.action.as_str(),
            reason: &record.reason,
            runs: record.runs,
            limit: record.limit.as_deref(),
            user: record.user_id.as_deref(),
            engine: record.engine,
            module_digest: record.module_digest.as_deref(),
            data_revision: record.data_revision.map(|revision| revision.0),
            duration_us: u64::try_from(record.duration.as_micros()).unwrap_or(u64::MAX),
        };
        let mut bytes = serde_json::to_vec(&line)?;
        bytes.push(b'\n');
        self.file.lock().unwrap_or_else(PoisonError::into_inner).write_all(&bytes)
    }
}

impl AuditSink for LogFile {
    fn record<'a>(&'a self, record: &'a Record) -> Reply<'a, Result<(), AuditError>> {
        let kept = self.append(record);
        Reply::Now(kept.map_err(|error| AuditError { detail: format!("`{}`: {error}", self.name) }))
    }
}
