//! The pure part: which step is next.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use guard_core::{
    Action, AuditError, Batch, ChargeKind, ChargeOutcome, Charged, ConfirmError, ConfirmRequest,
    Confirmation, Decision, DecisionId, EvalError, Evaluated, Exceeded, FailMode, Record, RecordKind,
    Recorded, Request, ReservationId, Revision, Settled, Settlement, StateError, Timestamp, Violation,
};

use crate::line::NoTurn;
use crate::phases::{AfterRefund, Held, Outcome, Phase, Verdict};

/// How often a request is evaluated anew because the store refused what the policy had allowed. Once: with
/// the state of that moment the policy itself says why not; if it still disagrees, the store decides.
const FURTHER_EVALUATIONS: u8 = 1;

/// What is to be done with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mode {
    /// Whether a denial is carried out. Otherwise it is recorded, and the call runs.
    pub enforce: bool,
    /// What happens when there is no decision.
    pub fail: FailMode,
    /// Whether there is a call to run, or only a decision to make.
    pub runs: bool,
}

/// What the driver is to do next.
#[derive(Debug)]
pub enum Step {
    /// Ask the policy about [`Machine::request`].
    Evaluate,
    /// Ask a person.
    Confirm(Box<ConfirmRequest>),
    /// Stand in line for this limit, and wait for the turn: as first in line no longer than the policy says that it takes.
    Queue(String, Option<Duration>),
    /// Reserve a batch.
    Charge(Batch),
    /// Keep a record, if anybody wants it: [`Machine::record`] makes it.
    Record(Note),
    /// Run the call.
    Run,
    /// Settle a reservation.
    Settle(ReservationId, Settlement),
    /// Give a reservation back.
    Refund(ReservationId),
    /// Nothing more.
    Done(Outcome),
}

/// What a record is to say besides what the machine knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Which moment it tells of.
    pub kind: RecordKind,
    /// What became of the decision.
    pub decision: Recorded,
    /// Whether the call runs.
    pub runs: bool,
    /// What was done and why, where that is not the decision's own.
    pub because: Option<(Action, Cow<'static, str>)>,
}

/// What came of a step.
#[derive(Debug)]
pub enum Event {
    /// The request is there.
    Start,
    /// The policy has answered.
    Evaluated(Result<Evaluated, EvalError>),
    /// The person has answered.
    Confirmed(Result<Confirmation, ConfirmError>),
    /// The call's turn has come, or will not.
    Turn(Result<(), NoTurn>),
    /// The policy allows it, and others stand in line for this limit.
    Behind(String),
    /// The store has answered.
    Charged(Result<ChargeOutcome, StateError>),
    /// The record is kept, or not.
    Recorded(Result<(), AuditError>),
    /// The call has ended.
    Ran(Ran),
    /// The reservation is settled, or not.
    Settled(Result<Settled, StateError>),
    /// The reservation is given back, or not.
    Refunded(Result<Settled, StateError>),
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ran {
    /// It returned.
    Completed(Settlement),
    /// It panicked, or its future was dropped.
    Aborted,
}

/// Takes one request from its question to its end.
#[derive(Debug)]
pub struct Machine {
    id: DecisionId,
    mode: Mode,
    /// Apart, since it is handed on from function to function until there is a machine.
    request: Box<Request>,
    /// When it was asked first, once it was.
    asked: Option<Timestamp>,
    phase: Phase,
    held: Held,
    /// What the store did for the call.
    charged: Option<Charged>,
    evaluations_left: u8,
    /// The limit that the call stands in line for.
    queued: Option<String>,
    /// None before the policy has been asked.
    decision: Option<Box<Decision>>,
    /// What stopped the call, or would have.
    objection: Option<Box<Violation>>,
    error: Option<EvalError>,
    source: Option<Source>,
    confirmed_by: Option<String>,
}

/// What the decision was made with.
#[derive(Debug)]
struct Source {
    engine: &'static str,
    module_digest: Option<Arc<str>>,
    data_revision: Option<Revision>,
}

impl Machine {
    /// A machine for one request.
    pub fn new(id: DecisionId, request: impl Into<Box<Request>>, mode: Mode) -> Self {
        Self {
            id,
            mode,
            asked: None,
            request: request.into(),
            phase: Phase::Start,
            held: None,
            charged: None,
            evaluations_left: FURTHER_EVALUATIONS,
            queued: None,
            decision: None,
            objection: None,
            error: None,
            source: None,
            confirmed_by: None,
        }
    }

    /// A machine that has nothing more to do.
    pub(crate) fn over() -> Self {
        let mode = Mode { enforce: true, fail: FailMode::Closed, runs: false };
        Self { phase: Phase::Done, ..Self::new(DecisionId::from_u128(0), Request::default(), mode) }
    }

    /// Names the decision.
    pub fn id(&self) -> DecisionId {
        self.id
    }

    /// What the policy is asked, the confirmation included once there is one.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Sets the moment at which the policy is asked, before each evaluation.
    pub fn ask_at(&mut self, now: Timestamp) {
        self.asked.get_or_insert(now);
        self.request.time = now;
    }

    /// Whether the policy has been asked.
    pub(crate) const fn was_asked(&self) -> bool {
        self.asked.is_some()
    }

    /// When the request was asked first.
    pub fn asked(&self) -> Timestamp {
        self.asked.unwrap_or(self.request.time)
    }

    /// The decision so far.
    pub fn decision(&self) -> &Decision {
        static NONE_YET: LazyLock<Decision> =
            LazyLock::new(|| Decision::new(Action::Block, "the policy has not been asked yet"));
        match &self.decision {
            Some(decision) => decision,
            None => &NONE_YET,
        }
    }

    /// What would have stopped the call if it had been enforced.
    pub fn objection(&self) -> Option<&Violation> {
        self.objection.as_deref()
    }

    /// What was charged for the call, once it was.
    pub fn charged(&self) -> Option<&Charged> {
        self.charged.as_ref()
    }

    /// Which evaluator decided.
    pub fn engine(&self) -> Option<&'static str> {
        self.source.as_ref().map(|source| source.engine)
    }

    /// What is to be done, now that this has happened.
    pub fn next(&mut self, event: Event) -> Step {
        let phase = std::mem::replace(&mut self.phase, Phase::Done);
        match (phase, event) {
            (Phase::Start, Event::Start) => self.evaluate(),
            (Phase::Evaluating, Event::Evaluated(Ok(evaluated))) => self.on_evaluated(evaluated),
            (Phase::Evaluating, Event::Evaluated(Err(error))) => self.on_no_decision(error),
            (Phase::Confirming, Event::Confirmed(answer)) => self.on_confirmed(answer),
            (Phase::Queueing, Event::Turn(Ok(()))) => {
                self.evaluations_left = FURTHER_EVALUATIONS;
                self.evaluate()
            }
            (Phase::Queueing, Event::Turn(Err(why))) => self.on_no_turn(why),
            (Phase::Charging, Event::Behind(limit)) => self.queue(limit, None),
            (Phase::Charging, Event::Charged(Ok(ChargeOutcome::Charged(charged)))) => {
                self.held = Some(charged.reservation);
                self.charged = Some(charged);
                self.grant()
            }
            (Phase::Charging, Event::Charged(Ok(ChargeOutcome::Exceeded(exceeded)))) => {
                self.on_exceeded(&exceeded)
            }
            (Phase::Charging, Event::Charged(Err(StateError::WindowClosed(_))))
                if self.evaluations_left > 0 =>
            {
                self.evaluate_again()
            }
            (Phase::Charging, Event::Charged(Err(error))) => self.on_no_decision(error.into()),
            (Phase::RecordingDenial(violation), Event::Recorded(_)) => self.carry_out(violation),
            (Phase::RecordingGrant, Event::Recorded(kept)) => self.on_grant_recorded(kept),
            (Phase::RecordingVerdict(verdict), Event::Recorded(kept)) => {
                self.on_verdict_recorded(verdict, kept)
            }
            (Phase::Running, Event::Ran(ran)) => self.on_ran(ran),
            (Phase::Settling(_), Event::Settled(settled)) => self.on_settled(settled),
            (Phase::Refunding(AfterRefund::Deny(violation)), Event::Refunded(_)) => {
                Step::Done(Outcome::Denied(violation))
            }
            (Phase::Refunding(AfterRefund::Release), Event::Refunded(refunded)) => self.on_released(refunded),
            (Phase::RecordingEnd(outcome), Event::Recorded(_)) => Step::Done(outcome),
            (phase, event) => self.out_of_order(&phase, &event),
        }
    }

    /// What is to be done when the caller has gone away, in whatever phase: what is reserved is given back,
    /// and what has been spent is settled.
    pub fn cut_off(&mut self) -> Step {
        match std::mem::replace(&mut self.phase, Phase::Done) {
            Phase::Running => self.on_ran(Ran::Aborted),
            Phase::Settling(settlement) => {
                let reservation = self.reservation();
                self.phase = Phase::Settling(settlement.clone());
                Step::Settle(reservation, settlement)
            }
            // The store may have charged it, or not given it back yet: the answer was on its way.
            Phase::Charging | Phase::Refunding(_) => self.give_back(self.reservation()),
            Phase::RecordingEnd(outcome) => Step::Done(outcome),
            _ => match self.held {
                Some(reservation) => self.give_back(reservation),
                None => Step::Done(Outcome::Released),
            },
        }
    }

    /// Under which name the call's charges are made.
    fn reservation(&self) -> ReservationId {
        match &self.request.idempotency_key {
            Some(key) => ReservationId::of_key(&self.request.policy_id, key),
            None => ReservationId(self.id.as_u128()),
        }
    }

    fn give_back(&mut self, reservation: ReservationId) -> Step {
        self.phase = Phase::Refunding(AfterRefund::Release);
        Step::Refund(reservation)
    }

    fn evaluate(&mut self) -> Step {
        self.phase = Phase::Evaluating;
        Step::Evaluate
    }

    fn evaluate_again(&mut self) -> Step {
        self.evaluations_left = self.evaluations_left.saturating_sub(1);
        self.evaluate()
    }

    fn on_evaluated(&mut self, evaluated: Evaluated) -> Step {
        let Evaluated { decision, engine, module_digest, data_revision } = evaluated;
        self.decision = Some(decision);
        self.source = Some(Source { engine, module_digest, data_revision });
        if !self.mode.runs {
            return self.verdict();
        }
        if self.decision().allowed {
            return self.charge();
        }
        if self.decision().action == Action::Queue && self.mode.enforce {
            let limit = self.decision().limit.clone().unwrap_or_else(|| self.request.policy_id.clone());
            return self.queue(limit, self.decision().retry_after);
        }
        if self.decision().action != Action::RequireConfirmation {
            return self.deny(Recorded::Blocked, self.violation());
        }
        if self.request.confirmed {
            let mut violation = self.violation();
            violation.reason =
                format!("the call is confirmed and the policy still wants it to be: {}", violation.reason);
            return self.deny(Recorded::Blocked, violation);
        }
        if !self.mode.enforce {
            // Nobody is asked about a call that runs either way.
            return self.deny(Recorded::Pending, self.violation());
        }
        self.phase = Phase::Confirming;
        Step::Confirm(Box::new(ConfirmRequest {
            decision_id: self.id,
            request: Request::clone(&self.request),
            reason: self.decision().reason.clone(),
            details: self.decision().confirm.clone(),
        }))
    }

    /// In one line at a time: a call that waits for two limits keeps the place that it has.
    fn queue(&mut self, limit: String, retry_after: Option<Duration>) -> Step {
        let limit = self.queued.get_or_insert(limit).clone();
        self.phase = Phase::Queueing;
        Step::Queue(limit, retry_after)
    }

    fn on_no_turn(&mut self, why: NoTurn) -> Step {
        let limit = self.queued.take().unwrap_or_default();
        // What allowed it was not the last word: others came before it.
        let reason = match self.decision().allowed {
            true => why.words(&limit),
            false => format!("{}: {}", why.words(&limit), self.decision().reason),
        };
        let Decision { retry_after, remaining, ref metadata, .. } = *self.decision();
        let metadata = metadata.clone();
        self.decision = Some(Box::new(Decision {
            limit: Some(limit),
            remaining,
            retry_after,
            metadata,
            ..Decision::new(Action::Queue, reason)
        }));
        self.deny(Recorded::Blocked, self.violation())
    }

    /// Nobody could decide: the fail mode does.
    fn on_no_decision(&mut self, error: EvalError) -> Step {
        let open = self.mode.fail == FailMode::Open;
        let (action, reason) = match open {
            true => (Action::Warn, format!("runs without a decision, since its class fails open: {error}")),
            false => (Action::Block, error.to_string()),
        };
        self.decision = Some(Box::new(Decision::new(action, reason)));
        self.error = Some(error);
        match (self.mode.runs, open) {
            (false, _) => self.verdict(),
            (true, true) => self.grant(),
            (true, false) => self.deny(Recorded::Error, self.violation()),
        }
    }

    fn on_confirmed(&mut self, answer: Result<Confirmation, ConfirmError>) -> Step {
        let mut violation = self.violation();
        let recorded = match answer {
            Ok(Confirmation::Approved { by }) => {
                self.confirmed_by = by;
                self.request.confirmed = true;
                return self.evaluate();
            }
            Ok(Confirmation::Rejected { reason }) => {
                violation.reason = reason;
                Recorded::Blocked
            }
            Ok(Confirmation::Pending(pending)) => {
                violation.confirmation = Some(pending);
                Recorded::Pending
            }
            // No fail mode opens this: a call that a person must confirm does not run because nobody could
            // be asked.
            Err(error) => {
                violation.reason = error.to_string();
                Recorded::Error
            }
        };
        self.deny(recorded, violation)
    }

    fn charge(&mut self) -> Step {
        if self.decision().charges.is_empty() {
            return self.grant();
        }
        self.phase = Phase::Charging;
        Step::Charge(Batch {
            charges: Arc::clone(&self.decision().charges),
            at: self.request.time,
            reservation: self.reservation(),
        })
    }

    /// The policy allowed it by a state that is no longer true.
    fn on_exceeded(&mut self, exceeded: &Exceeded) -> Step {
        if self.evaluations_left > 0 {
            return self.evaluate_again();
        }
        if let Some(limit) = self.queued.clone() {
            return self.queue(limit, exceeded.retry_after);
        }
        let action = match exceeded.kind {
            ChargeKind::Budget => Action::Block,
            ChargeKind::Rate | ChargeKind::Concurrency => Action::Throttle,
        };
        let Exceeded { cell, remaining, max, .. } = exceeded;
        let reason = format!("limit `{}` is reached: {remaining} of {max} left", cell.limit);
        self.decision = Some(Box::new(Decision {
            limit: Some(cell.limit.clone()),
            remaining: Some(remaining.units().into()),
            retry_after: exceeded.retry_after,
            ..Decision::new(action, reason)
        }));
        self.deny(Recorded::Blocked, self.violation())
    }

    fn grant(&mut self) -> Step {
        self.phase = Phase::RecordingGrant;
        let recorded = match (self.error.is_some(), self.decision().action) {
            (true, _) => Recorded::Error,
            (false, Action::Warn) => Recorded::Warned,
            (false, _) => Recorded::Allowed,
        };
        Step::Record(Note::of(RecordKind::Decision, recorded, true))
    }

    fn on_grant_recorded(&mut self, kept: Result<(), AuditError>) -> Step {
        let Err(error) = kept else { return self.run() };
        if self.mode.fail == FailMode::Open || !self.mode.enforce {
            return self.run();
        }
        let violation =
            Box::new(Violation { reason: error.to_string(), action: Action::Block, ..self.violation() });
        match self.held.take() {
            Some(reservation) => {
                self.phase = Phase::Refunding(AfterRefund::Deny(violation));
                Step::Refund(reservation)
            }
            None => Step::Done(Outcome::Denied(violation)),
        }
    }

    fn run(&mut self) -> Step {
        self.phase = Phase::Running;
        Step::Run
    }

    fn deny(&mut self, recorded: Recorded, violation: Violation) -> Step {
        let because = Some((violation.action, violation.reason.clone().into()));
        self.phase = Phase::RecordingDenial(Box::new(violation));
        Step::Record(Note { because, ..Note::of(RecordKind::Decision, recorded, !self.mode.enforce) })
    }

    fn carry_out(&mut self, violation: Box<Violation>) -> Step {
        if self.mode.enforce {
            return Step::Done(Outcome::Denied(violation));
        }
        self.objection = Some(violation);
        self.run()
    }

    fn verdict(&mut self) -> Step {
        let recorded = match (self.error.is_some(), self.decision().action) {
            (true, _) => Recorded::Error,
            (false, Action::Allow) => Recorded::Allowed,
            (false, Action::Warn) => Recorded::Warned,
            (false, Action::RequireConfirmation) => Recorded::Pending,
            (false, Action::Block | Action::Throttle | Action::Queue) => Recorded::Blocked,
        };
        self.phase = Phase::RecordingVerdict(Box::new(Verdict {
            decision_id: self.id,
            decision: self.decision().clone(),
            error: self.error.clone(),
            engine: self.engine(),
        }));
        Step::Record(Note::of(RecordKind::Decision, recorded, self.decision().allowed || !self.mode.enforce))
    }

    /// A decision that cannot be recorded is not given out as an allow either.
    fn on_verdict_recorded(&mut self, mut verdict: Box<Verdict>, kept: Result<(), AuditError>) -> Step {
        if let Err(error) = kept
            && verdict.decision.allowed
            && self.mode.fail == FailMode::Closed
        {
            verdict.decision = Decision::new(Action::Block, error.to_string());
        }
        Step::Done(Outcome::Decided(verdict))
    }

    fn on_ran(&mut self, ran: Ran) -> Step {
        match (ran, self.held) {
            (Ran::Completed(settlement), Some(reservation)) => {
                self.phase = Phase::Settling(settlement.clone());
                Step::Settle(reservation, settlement)
            }
            (Ran::Completed(_), None) => Step::Done(Outcome::Completed),
            (Ran::Aborted, Some(reservation)) => self.give_back(reservation),
            (Ran::Aborted, None) => self.record_end(RecordKind::Released, "the call was cut off".into()),
        }
    }

    fn on_settled(&mut self, settled: Result<Settled, StateError>) -> Step {
        let reason = match settled {
            Err(error) => format!("the call ran, and its charges could not be settled: {error}").into(),
            Ok(settled) if !settled.debt.is_empty() => {
                let each: Vec<_> =
                    settled.debt.iter().map(|(limit, over)| format!("`{limit}` by {over}")).collect();
                format!("the call ran, and took more than its limits had left: {}", each.join(", ")).into()
            }
            Ok(settled) if settled.before.is_some() => {
                "the call ran longer than its lease; it is charged".into()
            }
            Ok(_) => "the call ran, and its charges are settled".into(),
        };
        self.record_end(RecordKind::Completed, reason)
    }

    fn on_released(&mut self, refunded: Result<Settled, StateError>) -> Step {
        let reason = match refunded {
            Ok(_) => "the call was cut off, and what it had reserved is given back".into(),
            Err(error) => {
                format!("the call was cut off; its lease will give back what it had reserved: {error}").into()
            }
        };
        self.record_end(RecordKind::Released, reason)
    }

    fn record_end(&mut self, kind: RecordKind, reason: Cow<'static, str>) -> Step {
        let outcome = match kind {
            RecordKind::Completed => Outcome::Completed,
            _ => Outcome::Released,
        };
        let recorded = match (self.error.is_some(), self.objection.is_some(), self.decision().action) {
            (true, ..) => Recorded::Error,
            (_, true, _) => Recorded::Blocked,
            (_, _, Action::Warn) => Recorded::Warned,
            _ => Recorded::Allowed,
        };
        self.phase = Phase::RecordingEnd(outcome);
        let because = Some((self.decision().action, reason));
        Step::Record(Note { because, ..Note::of(kind, recorded, true) })
    }

    fn violation(&self) -> Violation {
        Violation {
            policy: self.request.policy_id.clone(),
            action: self.decision().action,
            reason: self.decision().reason.clone(),
            limit: self.decision().limit.clone(),
            remaining: self.decision().remaining,
            retry_after: self.decision().retry_after,
            decision_id: self.id,
            severity: self.decision().severity.clone(),
            confirmation: None,
            metadata: self.decision().metadata.clone(),
        }
    }

    /// The record of a note. The driver fills in the duration.
    pub fn record(&self, note: Note) -> Record {
        let Note { kind, decision, runs, because } = note;
        let (action, reason) = match because {
            Some((action, reason)) => (action, reason.into_owned()),
            None => (self.decision().action, self.decision().reason.clone()),
        };
        Record {
            kind,
            decision_id: self.id,
            timestamp: self.asked(),
            policy_id: self.request.policy_id.clone(),
            function: self.request.function.clone(),
            decision,
            action,
            reason,
            runs,
            limit: self.decision().limit.clone(),
            user_id: self.request.user.as_ref().map(|user| user.id.clone()),
            confirmed_by: self.confirmed_by.clone(),
            context: self.request.context.clone(),
            metadata: self.request.metadata.clone(),
            secrets: self.request.secrets.clone(),
            decision_metadata: self.decision().metadata.clone(),
            duration: Duration::ZERO,
            engine: self.engine(),
            module_digest: self.source.as_ref().and_then(|source| source.module_digest.clone()),
            data_revision: self.source.as_ref().and_then(|source| source.data_revision),
        }
    }

    /// The driver is wrong. Whatever it was about to do, the answer is no.
    fn out_of_order(&mut self, phase: &Phase, event: &Event) -> Step {
        let reason = format!("internal error: {} while {}", event_name(event), phase_name(phase));
        let violation = Box::new(Violation { reason, action: Action::Block, ..self.violation() });
        match self.held.take() {
            Some(reservation) => {
                self.phase = Phase::Refunding(AfterRefund::Deny(violation));
                Step::Refund(reservation)
            }
            None => Step::Done(Outcome::Denied(violation)),
        }
    }
}

impl Note {
    /// One that says nothing of its own.
    const fn of(kind: RecordKind, decision: Recorded, runs: bool) -> Self {
        Self { kind, decision, runs, because: None }
    }
}

fn event_name(event: &Event) -> &'static str {
    match event {
        Event::Start => "a start",
        Event::Evaluated(_) => "a decision",
        Event::Confirmed(_) => "a confirmation",
        Event::Turn(_) | Event::Behind(_) => "a turn in line",
        Event::Charged(_) => "a charge",
        Event::Recorded(_) => "a record",
        Event::Ran(_) => "the end of the call",
        Event::Settled(_) => "a settlement",
        Event::Refunded(_) => "a refund",
    }
}

fn phase_name(phase: &Phase) -> &'static str {
    match phase {
        Phase::Start => "nothing has been asked",
        Phase::Evaluating => "waiting for the decision",
        Phase::Confirming => "waiting for the confirmation",
        Phase::Queueing => "standing in line",
        Phase::Charging => "waiting for the charge",
        Phase::RecordingDenial(_)
        | Phase::RecordingGrant
        | Phase::RecordingVerdict(_)
        | Phase::RecordingEnd(_) => "waiting for the record",
        Phase::Running => "the call runs",
        Phase::Settling(_) => "waiting for the settlement",
        Phase::Refunding(_) => "waiting for the refund",
        Phase::Done => "everything is done",
    }
}
