//! What can be in the way.

use guard_core::ConfirmError;
use guard_pool::Failure;
use thiserror::Error;

/// Why a step was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refused {
    /// Nobody knows it: it never was, or it ended long ago.
    #[error("there is no such confirmation")]
    Unknown,
    /// Nobody has answered yet, or not enough people.
    #[error("it is not approved yet")]
    Pending,
    /// It is approved already.
    #[error("it is approved already")]
    Approved,
    /// Somebody said no.
    #[error("`{by}` has rejected it{}", said(.note))]
    Rejected {
        /// Who.
        by: String,
        /// What they said to it.
        note: String,
    },
    /// Its time ran out.
    #[error("it has expired")]
    Expired,
    /// It was used.
    #[error("it has been used already")]
    Consumed,
    /// The link was used.
    #[error("the link has been used already, or is not this confirmation's")]
    LinkUsed,
    /// It is for another call.
    #[error(
        "it confirms another call than this one: policy, operation, user and arguments have to be the same"
    )]
    OtherCall,
    /// This person may not.
    #[error("not allowed: {why}")]
    NotAllowed {
        /// What is in the way.
        why: String,
    },
    /// What was handed over is no token of ours.
    #[error("that is no confirmation token: {why}")]
    NoToken {
        /// What is wrong with it.
        why: &'static str,
    },
}

fn said(note: &str) -> String {
    if note.is_empty() { String::new() } else { format!(": {note}") }
}

/// Why a store did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StoreError {
    /// It does not answer; it may later.
    #[error("the confirmations' store {store} does not answer: {detail}")]
    Unavailable {
        /// Which one.
        store: String,
        /// What went wrong.
        detail: String,
    },
    /// It cannot be used as it is.
    #[error("the confirmations' store {store} cannot be used: {detail}")]
    Unusable {
        /// Which one.
        store: String,
        /// What is wrong.
        detail: String,
    },
    /// It holds as many as it may.
    #[error("{pending} confirmations are pending, and no more are taken")]
    Full {
        /// How many.
        pending: usize,
    },
}

impl Failure for StoreError {
    fn unavailable(store: &str, detail: String) -> Self {
        Self::Unavailable { store: store.to_owned(), detail }
    }
}

/// Why the desk did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DeskError {
    /// The confirmation is not in a state for it, or the person may not.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system gives no random numbers.
    #[error("no random numbers: {0}")]
    Random(String),
    /// What the policy says about how to ask is not understood, or cannot be.
    #[error("the policy's `confirm` cannot be followed: {0}")]
    Rules(String),
    /// The call cannot be written down.
    #[error("the call cannot be written down: {0}")]
    Call(String),
}

impl From<DeskError> for ConfirmError {
    fn from(error: DeskError) -> Self {
        Self { detail: error.to_string() }
    }
}
