//! What is kept of every decision.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::decision::Action;
use crate::json::Json;
use crate::state::Revision;
use crate::time::Timestamp;

/// Names a decision: in the record, in the violation and in the logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DecisionId(u128);

impl DecisionId {
    /// A new one, random (UUID version 4).
    pub fn random() -> Self {
        Self(uuid::Uuid::new_v4().as_u128())
    }

    /// One that is known already.
    pub const fn from_u128(value: u128) -> Self {
        Self(value)
    }

    /// Its 128 bits.
    pub const fn as_u128(self) -> u128 {
        self.0
    }
}

impl fmt::Display for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        uuid::Uuid::from_u128(self.0).fmt(f)
    }
}

/// What a record says became of the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Recorded {
    /// It may run.
    Allowed,
    /// It may run, with a warning.
    Warned,
    /// It may not run.
    Blocked,
    /// It waits for a person.
    Pending,
    /// There was no decision; the fail mode decided.
    Error,
}

impl Recorded {
    /// The name in the record.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Warned => "warned",
            Self::Blocked => "blocked",
            Self::Pending => "pending",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Which moment of a call a record tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecordKind {
    /// The decision, before the call.
    Decision,
    /// The call's end: it completed and its reservation was settled.
    Completed,
    /// The call's end: it panicked or was cancelled, and its reservation was given back.
    Released,
    /// A store gave back what a call had reserved, since its lease ran out.
    LeaseExpired,
    /// A limit has reached a threshold.
    ThresholdReached,
    /// An operator has changed what is spent.
    LimitAdjusted,
}

impl RecordKind {
    /// The name in the record.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Decision => "decision",
            Self::Completed => "completed",
            Self::Released => "released",
            Self::LeaseExpired => "lease_expired",
            Self::ThresholdReached => "threshold_reached",
            Self::LimitAdjusted => "limit_adjusted",
        }
    }
}

/// One entry of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Which moment it tells of.
    pub kind: RecordKind,
    /// The decision.
    pub decision_id: DecisionId,
    /// When it was asked for.
    pub timestamp: Timestamp,
    /// The policy that was asked.
    pub policy_id: String,
    /// The function that wanted to run.
    pub function: String,
    /// What became of it.
    pub decision: Recorded,
    /// What the policy wanted done.
    pub action: Action,
    /// Why.
    pub reason: String,
    /// Whether the call ran, which in report-only mode it does whatever the decision.
    pub runs: bool,
    /// The limit that decided, where one did.
    pub limit: Option<String>,
    /// Who called.
    pub user_id: Option<String>,
    /// Who confirmed the call, where somebody did and it is known.
    pub confirmed_by: Option<String>,
    /// What the policy was told.
    pub context: BTreeMap<String, Json>,
    /// What was carried along.
    pub metadata: BTreeMap<String, Json>,
    /// What the policy itself carried along.
    pub decision_metadata: Option<Json>,
    /// How long the decision took, or for the call's end the time since the decision was asked for.
    pub duration: Duration,
    /// Which evaluator decided.
    pub engine: Option<&'static str>,
    /// The digest of the module that decided, where the evaluator knows it.
    pub module_digest: Option<Arc<str>>,
    /// The revision of the state that it read.
    pub data_revision: Option<Revision>,
}
