//! Asking a person first.

use std::fmt;
use std::time::Duration;

use crate::error::ConfirmError;
use crate::json::Json;
use crate::record::DecisionId;
use crate::reply::Reply;
use crate::request::Request;
use crate::time::Timestamp;

/// What a person is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfirmRequest {
    /// The decision that asks for it.
    pub decision_id: DecisionId,
    /// The request that waits; with the token, if its caller comes back with one.
    pub request: Request,
    /// Why the policy wants a confirmation.
    pub reason: String,
    /// What the policy says about how to ask.
    pub details: Option<Json>,
}

/// What a caller comes back with once a person has answered. Whoever has it can make the call that it is bound to, so
/// it is not shown in debug output.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ConfirmationToken(Box<str>);

impl ConfirmationToken {
    /// A token by its text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into().into_boxed_str())
    }

    /// Its text.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ConfirmationToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConfirmationToken(…)")
    }
}

/// A confirmation that nobody has given yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingConfirmation {
    /// What to come back with.
    pub token: ConfirmationToken,
    /// What people approve or reject it by. It opens nothing.
    pub id: String,
    /// From when on it is too late.
    pub expires: Option<Timestamp>,
}

/// What came of asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Confirmation {
    /// A person said yes to this very call.
    Approved {
        /// Who, where it is known.
        by: Option<String>,
    },
    /// A person said no.
    Rejected {
        /// What they said.
        reason: String,
    },
    /// Nobody has answered yet; the call is denied, and can be tried again with the token once somebody has.
    Pending(Box<PendingConfirmation>),
}

/// Asks people.
pub trait Confirmer: Send + Sync {
    /// Asks about one call, or hears what became of asking where the request comes with a token. Only
    /// [`Confirmation::Approved`] lets it run, once.
    fn confirm<'a>(&'a self, request: &'a ConfirmRequest) -> Reply<'a, Result<Confirmation, ConfirmError>>;

    /// Waits until the confirmation that this token stands for is decided, and no longer than `within`. What was
    /// decided is heard by asking again with the token. Where nothing is ever pending there is nothing to wait for.
    fn decided<'a>(
        &'a self,
        _token: &'a ConfirmationToken,
        _within: Duration,
    ) -> Reply<'a, Result<(), ConfirmError>> {
        Reply::Now(Ok(()))
    }
}

/// Asks nobody: what needs a confirmation is denied.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoConfirmer;

impl Confirmer for NoConfirmer {
    fn confirm<'a>(&'a self, _request: &'a ConfirmRequest) -> Reply<'a, Result<Confirmation, ConfirmError>> {
        Reply::Now(Ok(Confirmation::Rejected {
            reason: "confirmation is required and nobody is there to ask".into(),
        }))
    }
}
