//! Functions of the program that hear of each decision.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use guard_core::{AuditError, AuditSink, Record, RecordKind, Recorded, Reply};

/// What is called for each decision.
pub(crate) type Hook = Arc<dyn Fn(&Record) + Send + Sync>;

/// Passes records on, and tells the hooks of decisions.
pub(crate) struct Hooked {
    sink: Arc<dyn AuditSink>,
    hooks: Vec<Hook>,
}

/// A sink that tells these hooks as well.
pub(crate) fn hooked(sink: Arc<dyn AuditSink>, hooks: Vec<Hook>) -> Arc<dyn AuditSink> {
    if hooks.is_empty() { sink } else { Arc::new(Hooked { sink, hooks }) }
}

impl Hooked {
    fn tell(&self, record: &Record) {
        if record.kind != RecordKind::Decision {
            return;
        }
        for hook in &self.hooks {
            // A hook is a guest: what it breaks is not the call.
            if catch_unwind(AssertUnwindSafe(|| hook(record))).is_err() {
                tracing::error!(
                    target: "hexarch::guardian",
                    decision_id = %record.decision_id,
                    policy = %record.policy_id,
                    "a decision hook panicked; the call goes on without it"
                );
            }
        }
    }
}

impl AuditSink for Hooked {
    fn wants(&self, kind: RecordKind, decision: Recorded) -> bool {
        kind == RecordKind::Decision || self.sink.wants(kind, decision)
    }

    fn record<'a>(&'a self, record: &'a Record) -> Reply<'a, Result<(), AuditError>> {
        match self.sink.record(record) {
            Reply::Now(kept) => {
                self.tell(record);
                Reply::Now(kept)
            }
            Reply::Later(keeping) => Reply::later(async move {
                let kept = keeping.await;
                self.tell(record);
                kept
            }),
        }
    }
}
