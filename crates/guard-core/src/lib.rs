//! The vocabulary of the product, and the ports its adapters stand behind.
//!
//! **Job.** Say what a request, a decision, a charge, a reservation, a record and a violation *are*, once,
//! so that policies, evaluators, stores and the decision machine talk about the same things; and name the
//! five things the outside world has to provide: [`Evaluator`], [`StateStore`], [`AuditSink`],
//! [`Confirmer`] and [`Clock`].
//!
//! **Invariants.**
//! - A [`Decision`] exists only if it was well formed: [`Decision::from_document`] is its one door from the
//!   outside, and whatever does not fit (a missing `allowed`, a string in place of a boolean, `allowed`
//!   beside an action that blocks, a field nobody knows) is a [`MalformedDecision`] that says what was
//!   wrong. Undefined is not false and an error is never an allow.
//! - Quantities are exact: [`Quantity`] counts whole units of a limit's smallest unit, [`Amount`] is a
//!   decimal with every digit the caller gave. No binary float is stored or compared.
//! - Ports are written once, not in a sync and an async twin: an adapter answers with a [`Reply`] that is
//!   there now or arrives later, and both drivers understand it.
//!
//! **Shown by** the tests beside each module and by `tests/decisions.rs`, the table of decision texts and
//! what must become of each.
//!
//! This crate does no I/O. The system clock is the one thing it reads from the outside, behind [`Clock`].

mod amount;
mod charge;
mod confirm;
mod decision;
mod document;
mod error;
mod fail;
mod fields;
mod http;
mod json;
mod malformed;
mod names;
mod operator;
mod ports;
mod record;
mod reply;
mod request;
mod secrets;
mod session;
mod state;
mod state_error;
mod time;
mod violation;

pub use amount::{Amount, AmountError, Quantity};
pub use charge::{Algorithm, Batch, CellId, Charge, ChargeKind, ReservationId};
pub use confirm::{
    ConfirmRequest, Confirmation, ConfirmationToken, Confirmer, NoConfirmer, PendingConfirmation,
};
pub use decision::{Action, Decision, Severity, UnknownActionName};
pub use document::{Document, Named, Names, Shape};
pub use error::{
    AuditError, BreakerOpen, ConfirmError, DeadlinePassed, EngineFailed, EvalError, Exhausted, FailedAttempt,
    MemoryExceeded, NoResult, PoolExhausted, ReplyTooLarge, Undeliverable, UnexpectedStatus,
};
pub use fail::{FailMode, FailModes};
pub use http::LimitFields;
pub use json::{Json, JsonError};
pub use malformed::{
    Contradiction, DuplicateField, MalformedDecision, MissingField, NotAnObject, NotJson, OutOfRange,
    UnknownAction, UnknownField, WrongType,
};
pub use names::CellNames;
pub use operator::{Adjusted, CellFilter, CellView, NoListener, StateEvent, StateListener, StateOperator};
pub use ports::{AuditSink, Deadline, Evaluated, Evaluator, NullAudit, Question, StateStore};
pub use record::{DecisionId, Record, RecordKind, Recorded};
pub use reply::{Arriving, Reply, block_on, blocks, wake};
pub use request::{Request, User};
pub use secrets::is_secret_name;
pub use session::Session;
pub use state::{
    CellChange, CellPath, Changes, ChargeOutcome, Charged, Closed, Exceeded, Revision, Settled, Settlement,
    Snapshot, Warning,
};
pub use state_error::{
    BadAmount, Disagreement, KeyReused, NameTooLong, NegativeSettlement, StateError, StateUnavailable,
    StoreOverflow, UnknownReservation, Unsupported, Unusable, WindowClosed,
};
pub use time::{Clock, FixedClock, SystemClock, Timestamp};
pub use violation::Violation;
