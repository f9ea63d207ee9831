//! The part that does things.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use guard_core::{
    AuditSink, Batch, ChargeOutcome, Clock, Confirmer, Deadline, DecisionId, EvalError, Evaluated, Evaluator,
    FailModes, Question, Record, Reply, Request, StateStore, Violation, block_on,
};

use tracing::Instrument as _;

use crate::active::Active;
use crate::line::{Lines, NoTurn, Place, QueueTerms};
use crate::machine::{Event, Machine, Mode, Note, Step};
use crate::permit::Permit;
use crate::phases::{Outcome, Verdict};
use crate::told;

/// The outside world.
#[derive(Clone)]
pub struct Ports {
    /// Decides.
    pub evaluator: Arc<dyn Evaluator>,
    /// Keeps what is spent.
    pub store: Arc<dyn StateStore>,
    /// Keeps the records.
    pub audit: Arc<dyn AuditSink>,
    /// Asks people.
    pub confirmer: Arc<dyn Confirmer>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

/// How requests are treated.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whether denials are carried out; otherwise they are recorded, and the calls run.
    pub enforce: bool,
    /// What happens when there is no decision.
    pub fail_modes: FailModes,
    /// How long one evaluation may take.
    pub deadline: Duration,
    /// How long a call may run before what it has reserved is given back.
    pub lease: Duration,
    /// How calls stand in line for a limit whose action is `queue`; the default where a limit is not named.
    pub queues: HashMap<String, QueueTerms>,
}

impl Default for Settings {
    /// Enforced, closed when in doubt, two seconds for a decision, ten minutes for a call.
    fn default() -> Self {
        Self {
            enforce: true,
            fail_modes: FailModes::default(),
            deadline: Duration::from_secs(2),
            lease: Duration::from_secs(600),
            queues: HashMap::new(),
        }
    }
}

/// Drives decision machines.
#[derive(Clone)]
pub struct Driver {
    pub(crate) ports: Ports,
    pub(crate) settings: Settings,
    lines: Arc<Lines>,
}

/// What a [`Reply`] has, where it is there already with nothing moved into a future and out of it again.
macro_rules! arrived {
    ($reply:expr) => {
        match $reply {
            Reply::Now(answer) => answer,
            Reply::Later(answer) => answer.await,
        }
    };
}

/// Where a machine has stopped to wait for its caller.
pub(crate) enum Rest {
    /// The call is to be run.
    Run,
    /// It is over.
    Over(Outcome),
}

impl Driver {
    /// A driver for these ports.
    pub fn new(ports: Ports, settings: Settings) -> Self {
        Self { ports, settings, lines: Arc::default() }
    }

    /// The store behind this driver.
    pub fn store(&self) -> &Arc<dyn StateStore> {
        &self.ports.store
    }

    /// The clock behind this driver.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.ports.clock
    }

    /// Who asks people.
    pub fn confirmer(&self) -> &Arc<dyn Confirmer> {
        &self.ports.confirmer
    }

    /// Asks whether a call may run and charges it. The call then runs under the permit.
    ///
    /// # Errors
    /// The violation, when it may not.
    pub async fn authorize(
        self: &Arc<Self>,
        request: impl Into<Box<Request>>,
    ) -> Result<Permit, Box<Violation>> {
        let machine = self.machine(request.into(), true);
        self.authorized(machine).await
    }

    /// The same on this thread, without a runtime.
    ///
    /// # Errors
    /// The violation, when it may not.
    pub fn authorize_now(
        self: &Arc<Self>,
        request: impl Into<Box<Request>>,
    ) -> Result<Permit, Box<Violation>> {
        // Pinned where it is made: the future has room for all steps, and moving it is no small part of them.
        block_on(pin!(self.authorized(self.machine(request.into(), true))))
    }

    async fn authorized(self: &Arc<Self>, machine: Box<Machine>) -> Result<Permit, Box<Violation>> {
        let mut active = Active::new(Arc::clone(self), machine);
        let span = told::span(active.machine());
        let rest = {
            // Pinned here: what is large is not moved into what the span is entered by.
            let steps = pin!(active.advance(Event::Start));
            steps.instrument(span.clone()).await
        };
        let authorized = match rest {
            Rest::Run => Ok(Permit::new(active)),
            Rest::Over(Outcome::Denied(violation)) => Err(violation),
            // A machine that runs calls rests before the call or denies it; anything else is no permit.
            Rest::Over(_) => Err(no_permit(active.machine())),
        };
        told::authorized(&span, &authorized);
        authorized
    }

    /// Asks for the decision alone: nothing is charged, nobody is asked to confirm, nothing runs.
    pub async fn decide(&self, request: impl Into<Box<Request>>) -> Verdict {
        let mut machine = self.machine(request.into(), false);
        let span = told::span(&machine);
        let rest = {
            let steps = pin!(self.advance(&mut machine, Event::Start));
            steps.instrument(span.clone()).await
        };
        let verdict = match rest {
            Rest::Over(Outcome::Decided(verdict)) => *verdict,
            // As above: a machine that only decides ends with a verdict.
            _ => Verdict {
                decision_id: machine.id(),
                decision: guard_core::Decision::new(guard_core::Action::Block, no_permit(&machine).reason),
                error: None,
                engine: None,
            },
        };
        told::decided(&span, &verdict);
        verdict
    }

    /// The same on this thread, without a runtime.
    pub fn decide_now(&self, request: impl Into<Box<Request>>) -> Verdict {
        block_on(pin!(self.decide(request)))
    }

    /// A machine for a request that is asked now.
    fn machine(&self, mut request: Box<Request>, runs: bool) -> Box<Machine> {
        let fail = self.settings.fail_modes.of(&request.operation);
        let mode = Mode { enforce: self.settings.enforce, fail, runs };
        request.time = self.ports.clock.now();
        Box::new(Machine::new(DecisionId::unique(request.time), request, mode))
    }

    /// Does steps until the machine rests.
    pub(crate) async fn advance(&self, machine: &mut Machine, event: Event) -> Rest {
        let step = machine.next(event);
        self.carry_on(machine, step).await
    }

    /// The same, from a step that the machine has already named.
    pub(crate) async fn carry_on(&self, machine: &mut Machine, mut step: Step) -> Rest {
        // Left with this function, by whatever way: as soon as the call may run.
        let mut place: Option<Place> = None;
        loop {
            let event = match step {
                Step::Run => return Rest::Run,
                Step::Done(outcome) => return Rest::Over(outcome),
                Step::Evaluate => Event::Evaluated(arrived!(self.evaluate(machine))),
                Step::Confirm(request) => {
                    // Nobody waits in line for a person to answer about somebody else.
                    place = None;
                    Event::Confirmed(arrived!(self.ports.confirmer.confirm(&request)))
                }
                Step::Queue(limit, retry_after) => {
                    Event::Turn(self.turn(&mut place, &limit, retry_after).await)
                }
                Step::Charge(batch) => match self.ahead(&batch, &place) {
                    Some(limit) => Event::Behind(limit),
                    None => {
                        let answer = arrived!(self.ports.store.reserve(&batch, self.settings.lease));
                        // Whoever is next may ask while this one is being recorded.
                        place = place.filter(|_| !matches!(answer, Ok(ChargeOutcome::Charged(_))));
                        Event::Charged(answer)
                    }
                },
                Step::Record(note) => match self.wanted(machine, note) {
                    Some(record) => Event::Recorded(arrived!(self.ports.audit.record(&record))),
                    None => Event::Recorded(Ok(())),
                },
                Step::Settle(id, settlement) => {
                    Event::Settled(arrived!(self.ports.store.settle(id, &settlement)))
                }
                Step::Refund(id) => Event::Refunded(arrived!(self.ports.store.refund(id))),
            };
            if matches!(event, Event::Settled(_) | Event::Refunded(_)) {
                self.given_back();
            }
            tell_failures(machine, &event);
            step = machine.next(event);
        }
    }

    /// Those who wait in line look again.
    pub(crate) fn given_back(&self) {
        self.lines.poke();
    }

    /// For which of its limits others wait that came before.
    fn ahead(&self, batch: &Batch, place: &Option<Place>) -> Option<String> {
        if place.is_some() || !self.settings.enforce {
            return None;
        }
        let limits = batch.charges.iter().map(|charge| charge.cell.limit.as_str());
        self.lines.ahead(limits).map(str::to_owned)
    }

    async fn turn(
        &self,
        place: &mut Option<Place>,
        limit: &str,
        retry_after: Option<Duration>,
    ) -> Result<(), NoTurn> {
        let place = match place {
            Some(place) => place,
            None => {
                let terms = self.settings.queues.get(limit).copied().unwrap_or_default();
                place.insert(self.lines.join(limit, terms)?)
            }
        };
        place.turn(retry_after).await
    }

    fn evaluate<'a>(&'a self, machine: &'a mut Machine) -> Reply<'a, Result<Evaluated, EvalError>> {
        // It is asked first as soon as it is made.
        let now = if machine.was_asked() { self.ports.clock.now() } else { machine.request().time };
        machine.ask_at(now);
        let request = machine.request();
        let question = Question { request, deadline: Deadline::after(self.settings.deadline) };
        self.ports.evaluator.evaluate(question)
    }

    /// The record of a note, if anybody wants it.
    pub(crate) fn wanted(&self, machine: &Machine, note: Note) -> Option<Box<Record>> {
        self.ports.audit.wants(note.kind, note.decision).then(|| {
            let mut record = Box::new(machine.record(note));
            record.duration = self.ports.clock.now().since(record.timestamp);
            record
        })
    }
}

/// What the caller is not told about is logged.
pub(crate) fn tell_failures(machine: &Machine, event: &Event) {
    match event {
        Event::Recorded(Err(error)) => {
            tracing::error!(target: "hexarch::guardian", decision_id = %machine.id(), "{error}");
        }
        Event::Settled(Err(error)) | Event::Refunded(Err(error)) => {
            tracing::error!(target: "hexarch::guardian", decision_id = %machine.id(), "{error}");
        }
        _ => {}
    }
}

fn no_permit(machine: &Machine) -> Box<Violation> {
    Box::new(Violation {
        policy: machine.request().policy_id.clone(),
        action: guard_core::Action::Block,
        reason: "internal error: the decision ended without a permit".into(),
        limit: None,
        remaining: None,
        retry_after: None,
        decision_id: machine.id(),
        severity: None,
        confirmation: None,
        metadata: None,
    })
}
