//! Where a machine is, and where it can end.

use guard_core::{Decision, DecisionId, EvalError, ReservationId, Settlement, Violation};

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Only the decision was asked for.
    Decided(Box<Verdict>),
    /// The call did not run.
    Denied(Box<Violation>),
    /// The call ran to its end.
    Completed,
    /// The call began and did not end: it panicked, or its future was dropped.
    Released,
}

/// A decision that was asked for alone, without a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Names it in the record.
    pub decision_id: DecisionId,
    /// What the policy said; a denial with the error as its reason when it said nothing.
    pub decision: Decision,
    /// Why there was no decision, when there was none.
    pub error: Option<EvalError>,
    /// Which evaluator decided.
    pub engine: Option<&'static str>,
}

/// What the machine waits for.
#[derive(Debug)]
pub(crate) enum Phase {
    /// The first event.
    Start,
    /// The policy's decision.
    Evaluating,
    /// A person's answer.
    Confirming,
    /// Its turn in line.
    Queueing,
    /// The store's answer.
    Charging,
    /// The record of a denial.
    RecordingDenial(Box<Violation>),
    /// The record of a call that may run.
    RecordingGrant,
    /// The record of a decision that was asked for alone.
    RecordingVerdict(Box<Verdict>),
    /// The end of the call.
    Running,
    /// The store's answer to the settlement.
    Settling(Settlement),
    /// The store's answer to giving back, after which the call is denied or has been released.
    Refunding(AfterRefund),
    /// The record of the call's end.
    RecordingEnd(Outcome),
    /// Nothing.
    Done,
}

/// Why something is given back.
#[derive(Debug)]
pub(crate) enum AfterRefund {
    /// The call did not run after all.
    Deny(Box<Violation>),
    /// The call was cut off.
    Release,
}

/// What has been reserved, if anything.
pub(crate) type Held = Option<ReservationId>;
