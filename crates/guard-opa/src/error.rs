//! What can go wrong with a call to OPA.

use std::time::Duration;

use guard_core::{
    DeadlinePassed, EngineFailed, EvalError, NoResult, ReplyTooLarge, Undeliverable, UnexpectedStatus,
};
use thiserror::Error;

use crate::path::UnpushableName;

/// Why a client could not be made.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// The address is not one.
    #[error("`{url}` is not the address of an OPA server: {reason}")]
    Url {
        /// The address.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The token cannot be sent.
    #[error("the OPA token contains characters that cannot be sent in a header")]
    Token,
    /// A certificate or a key that is none, or does not fit.
    #[error("the certificates of `{name}` cannot be used: {reason}")]
    Certificates {
        /// The file.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The client's thread could not be started.
    #[error("the OPA client could not be started: {0}")]
    Start(String),
}

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OpaError {
    /// No connection, or it broke.
    #[error("OPA cannot be reached: {detail}")]
    Unreachable {
        /// What the connection said.
        detail: String,
    },
    /// No complete answer by the deadline.
    #[error("OPA did not answer within {} ms", .after.as_millis())]
    Timeout {
        /// How long the call was given.
        after: Duration,
    },
    /// An answer with another status than success.
    #[error("OPA answered with status {}: {}", .0.status, .0.message)]
    Refused(Refused),
    /// An answer longer than it may be.
    #[error("OPA's answer is longer than {cap} bytes")]
    TooLarge {
        /// The most that is read, in bytes.
        cap: usize,
    },
    /// An answer that is not what OPA sends.
    #[error("OPA's answer cannot be read: {detail}")]
    Garbled {
        /// What is wrong with it.
        detail: String,
    },
    /// The document that was asked for does not exist.
    #[error("`{path}` is undefined")]
    Undefined {
        /// The document.
        path: String,
    },
    /// A name that OPA's paths cannot carry.
    #[error(transparent)]
    Name(#[from] UnpushableName),
    /// The client's thread has ended.
    #[error("the OPA client has been stopped")]
    Stopped,
}

/// An answer with another status than success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The HTTP status.
    pub status: u16,
    /// OPA's own code, such as `resource_not_found`, where it gave one.
    pub code: Option<String>,
    /// OPA's message, its first errors included, or the beginning of the answer.
    pub message: String,
}

impl OpaError {
    /// Whether OPA answered that something is not there.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused(Refused { status: 404, .. }))
    }
}

impl From<OpaError> for EvalError {
    fn from(error: OpaError) -> Self {
        match error {
            OpaError::Unreachable { detail } => Undeliverable { detail }.into(),
            OpaError::Timeout { after } => DeadlinePassed { allowed: after }.into(),
            OpaError::Refused(Refused { status, message, .. }) => {
                UnexpectedStatus { status, detail: message }.into()
            }
            OpaError::TooLarge { cap } => ReplyTooLarge { cap }.into(),
            OpaError::Undefined { path } => NoResult { path }.into(),
            OpaError::Garbled { .. } | OpaError::Name(_) | OpaError::Stopped => {
                EngineFailed { detail: error.to_string() }.into()
            }
        }
    }
}
