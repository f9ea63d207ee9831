//! What `audit` says: where records are kept beside the log.

use std::sync::Arc;

use guard_core::{AuditError, AuditSink, Clock, Record, Reply};
use guard_policy::{Audit, AuditStore, PolicyFile};

use crate::error::BuildError;
use crate::logging;

/// The sink that a file asks for: its log, and its store where it names one.
pub(crate) fn sink(file: &PolicyFile, clock: &Arc<dyn Clock>) -> Result<Arc<dyn AuditSink>, BuildError> {
    let log = logging::sink(file.settings().logging())?;
    match file.settings().audit().map(|audit| (audit, audit.store())) {
        Some((audit, AuditStore::Sqlite { path })) => {
            Ok(Arc::new(Both { log, kept: sqlite(file, audit, path, clock)? }))
        }
        _ => Ok(log),
    }
}

/// Tells one, and keeps in the other.
struct Both {
    log: Arc<dyn AuditSink>,
    kept: Arc<dyn AuditSink>,
}

impl AuditSink for Both {
    fn record<'a>(&'a self, record: &'a Record) -> Reply<'a, Result<(), AuditError>> {
        match (self.kept.record(record), self.log.record(record)) {
            (Reply::Now(kept), Reply::Now(told)) => Reply::Now(kept.and(told)),
            (kept, told) => Reply::later(async move {
                let (kept, told) = (kept.await, told.await);
                kept.and(told)
            }),
        }
    }
}

#[cfg(feature = "sqlite")]
fn sqlite(
    file: &PolicyFile,
    audit: &Audit,
    path: &str,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<dyn AuditSink>, BuildError> {
    use guard_audit::{AuditLog, Config, Durability};
    use guard_policy::AuditDurability;

    let durability = match audit.durability() {
        AuditDurability::BeforeOutcome => Durability::BeforeOutcome,
        AuditDurability::Grouped => Durability::Grouped,
        AuditDurability::Async => Durability::Async,
    };
    let queue = usize::try_from(audit.queue()).unwrap_or(usize::MAX);
    let config = Config { durability, queue, ..Config::new(path) };
    let opened = AuditLog::open(&config, Arc::clone(clock));
    Ok(Arc::new(opened.map_err(|source| BuildError::Audit { place: place(file, audit), source })?))
}

#[cfg(not(feature = "sqlite"))]
fn sqlite(
    file: &PolicyFile,
    audit: &Audit,
    _: &str,
    _: &Arc<dyn Clock>,
) -> Result<Arc<dyn AuditSink>, BuildError> {
    Err(BuildError::StoreNotBuiltIn { place: place(file, audit), feature: "sqlite" })
}

/// File and line of `audit.store`.
fn place(file: &PolicyFile, audit: &Audit) -> String {
    let place = audit.place();
    format!("{}:{}:{}", file.file(), place.line, place.column)
}
