//! What the outside world provides.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::charge::{Batch, ReservationId};
use crate::decision::Decision;
use crate::error::{AuditError, EvalError};
use crate::record::{Record, RecordKind, Recorded};
use crate::reply::Reply;
use crate::request::Request;
use crate::state::{Changes, ChargeOutcome, Revision, Settled, Settlement, Snapshot};
use crate::state_error::StateError;

/// The moment by which an answer has to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline {
    end: Instant,
    allowed: Duration,
}

impl Deadline {
    /// A deadline `allowed` from now.
    pub fn after(allowed: Duration) -> Self {
        let now = Instant::now();
        // A duration beyond the clock's range is as good as a day.
        let end = now.checked_add(allowed).unwrap_or_else(|| now + Duration::from_secs(86_400));
        Self { end, allowed }
    }

    /// What is left; zero when it has passed.
    pub fn remaining(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }

    /// Whether it has passed.
    pub fn has_passed(&self) -> bool {
        self.remaining().is_zero()
    }

    /// How long it was from the beginning.
    pub fn allowed(&self) -> Duration {
        self.allowed
    }
}

/// What an evaluator is asked.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The request; [`Request::to_input`] has it as a policy's `input`.
    pub request: &'a Request,
    /// By when the answer has to be there.
    pub deadline: Deadline,
}

/// A decision, and what it was made with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluated {
    /// The decision. Apart, since answers are handed on from function to function.
    pub decision: Box<Decision>,
    /// The evaluator that made it.
    pub engine: &'static str,
    /// The digest of the module, where the evaluator knows it.
    pub module_digest: Option<Arc<str>>,
    /// The revision of the state it was made with, where the evaluator knows it.
    pub data_revision: Option<Revision>,
}

/// Decides about requests by a policy.
pub trait Evaluator: Send + Sync {
    /// A word for logs and records: `wasm`, `sidecar`.
    fn name(&self) -> &'static str;

    /// The policy's decision. Answers by the deadline, with an error when there is no decision by then.
    fn evaluate<'a>(&'a self, question: Question<'a>) -> Reply<'a, Result<Evaluated, EvalError>>;
}

/// Keeps what has been spent, and decides whether more may be.
///
/// A store applies a batch in one atomic step: everything in it, or nothing. Two callers never both get
/// the last unit.
pub trait StateStore: Send + Sync {
    /// Makes all charges of the batch, or none when one of them would exceed its maximum. What is made is
    /// held for `lease`; unless it is settled by then, it is given back.
    fn reserve<'a>(
        &'a self,
        batch: &'a Batch,
        lease: Duration,
    ) -> Reply<'a, Result<ChargeOutcome, StateError>>;

    /// Turns a reservation into spending. Idempotent by the reservation's id.
    fn settle<'a>(
        &'a self,
        id: ReservationId,
        actual: &'a Settlement,
    ) -> Reply<'a, Result<Settled, StateError>>;

    /// Gives back what a reservation holds of budgets; attempts counted by rates stay counted. Idempotent
    /// by the reservation's id.
    fn refund(&self, id: ReservationId) -> Reply<'_, Result<Settled, StateError>>;

    /// Makes all charges for good, or none: reserves and settles in one step.
    fn charge<'a>(&'a self, batch: &'a Batch) -> Reply<'a, Result<ChargeOutcome, StateError>>;

    /// The revision that the store is at: cheap, for asking whether anything has changed.
    fn revision(&self) -> Revision;

    /// The whole state: the document `data.hexarch.state`.
    fn snapshot(&self) -> Reply<'_, Result<Snapshot, StateError>>;

    /// What has changed since `revision`, so that an evaluator applies only that.
    fn changes_since(&self, revision: Revision) -> Reply<'_, Result<Changes, StateError>>;
}

/// Keeps the records.
pub trait AuditSink: Send + Sync {
    /// Whether a record of this kind would be kept, or told to anybody. One that would not is not made, and counts as
    /// taken.
    fn wants(&self, kind: RecordKind, decision: Recorded) -> bool {
        let _ = (kind, decision);
        true
    }

    /// Takes a record. An error here, before a call runs, is treated like any other failure: the call is
    /// denied unless its class fails open.
    fn record<'a>(&'a self, record: &'a Record) -> Reply<'a, Result<(), AuditError>>;
}

/// Keeps nothing, and costs nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NullAudit;

impl AuditSink for NullAudit {
    fn wants(&self, _kind: RecordKind, _decision: Recorded) -> bool {
        false
    }

    fn record<'a>(&'a self, _record: &'a Record) -> Reply<'a, Result<(), AuditError>> {
        Reply::Now(Ok(()))
    }
}
