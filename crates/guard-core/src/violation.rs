//! What a caller is told when the call may not run.

use std::time::Duration;

use thiserror::Error;

use crate::amount::Amount;
use crate::confirm::PendingConfirmation;
use crate::decision::{Action, Severity};
use crate::json::Json;
use crate::record::DecisionId;

/// A call that was not run.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("policy `{policy}` says {action}: {reason}")]
pub struct Violation {
    /// The policy that was asked.
    pub policy: String,
    /// What it wanted done.
    pub action: Action,
    /// Why.
    pub reason: String,
    /// The limit that decided, where one did.
    pub limit: Option<String>,
    /// What that limit has left, in its own unit.
    pub remaining: Option<Amount>,
    /// When to try again, where that is known.
    pub retry_after: Option<Duration>,
    /// Names the decision in the audit log.
    pub decision_id: DecisionId,
    /// How much it matters.
    pub severity: Option<Severity>,
    /// The pending confirmation, when a person has been asked and has not answered yet.
    pub confirmation: Option<Box<PendingConfirmation>>,
    /// What the policy carried along.
    pub metadata: Option<Json>,
}
