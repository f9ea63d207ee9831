//! What can go wrong with a store.

use thiserror::Error;

/// Why the state could not be read or charged.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StateError {
    /// The store does not answer.
    #[error(transparent)]
    Unavailable(#[from] StateUnavailable),
    /// A charge goes to a window that has ended.
    #[error(transparent)]
    WindowClosed(#[from] WindowClosed),
    /// A cell would hold more than [`Quantity::LARGEST`](crate::Quantity::LARGEST).
    #[error(transparent)]
    Overflow(#[from] StoreOverflow),
    /// A settlement that would pay back more than it took.
    #[error(transparent)]
    NegativeSettlement(#[from] NegativeSettlement),
    /// Nobody knows this reservation.
    #[error(transparent)]
    UnknownReservation(#[from] UnknownReservation),
    /// A charge or an operator's amount is not one.
    #[error(transparent)]
    BadAmount(#[from] BadAmount),
    /// A name is too long to be kept.
    #[error(transparent)]
    NameTooLong(#[from] NameTooLong),
    /// Two callers mean different limits by one name.
    #[error(transparent)]
    Disagreement(#[from] Disagreement),
    /// A reservation's name, or an idempotency key, is used for another batch.
    #[error(transparent)]
    KeyReused(#[from] KeyReused),
    /// What is stored cannot be used as it is; trying again does not help.
    #[error(transparent)]
    Unusable(#[from] Unusable),
    /// The store cannot do that.
    #[error(transparent)]
    Unsupported(#[from] Unsupported),
}

/// See [`StateError::Unavailable`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the state store `{store}` is not available: {detail}")]
pub struct StateUnavailable {
    /// Which store.
    pub store: String,
    /// What it said.
    pub detail: String,
}

/// See [`StateError::WindowClosed`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("window `{window}` of limit `{limit}` has already ended")]
pub struct WindowClosed {
    /// The limit.
    pub limit: String,
    /// The window.
    pub window: String,
}

/// See [`StateError::Overflow`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("limit `{limit}` would hold more than can be counted exactly (2^53 - 1 units)")]
pub struct StoreOverflow {
    /// The limit.
    pub limit: String,
}

/// See [`StateError::NegativeSettlement`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("limit `{limit}` cannot be settled with a negative quantity")]
pub struct NegativeSettlement {
    /// The limit.
    pub limit: String,
}

/// See [`StateError::UnknownReservation`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("reservation {id} is unknown; it was never made, or it ended long ago")]
pub struct UnknownReservation {
    /// The reservation.
    pub id: String,
}

/// See [`StateError::BadAmount`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("limit `{limit}` cannot be charged {units} units: {reason}")]
pub struct BadAmount {
    /// The limit.
    pub limit: String,
    /// The amount, or the maximum.
    pub units: i64,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// See [`StateError::NameTooLong`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the {what} `{beginning}` is {length} bytes long, and {most} is the most")]
pub struct NameTooLong {
    /// Limit, key or window.
    pub what: &'static str,
    /// How it begins.
    pub beginning: String,
    /// Its length in bytes.
    pub length: usize,
    /// The longest that is kept, in bytes.
    pub most: usize,
}

/// See [`StateError::Disagreement`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "two configurations disagree on limit `{limit}` in window `{window}`: {detail}; give one of them another name"
)]
pub struct Disagreement {
    /// The limit.
    pub limit: String,
    /// The window.
    pub window: String,
    /// On what.
    pub detail: String,
}

/// See [`StateError::KeyReused`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("reservation {id} was made for other charges: an idempotency key names one call only")]
pub struct KeyReused {
    /// The reservation.
    pub id: String,
}

/// See [`StateError::Unusable`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the state in `{store}` cannot be used: {detail}")]
pub struct Unusable {
    /// Which store.
    pub store: String,
    /// What is wrong, and what to do.
    pub detail: String,
}

/// See [`StateError::Unsupported`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the store `{store}` does not have {what}")]
pub struct Unsupported {
    /// Which store.
    pub store: String,
    /// What was asked for.
    pub what: &'static str,
}
