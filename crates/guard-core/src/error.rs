//! What can go wrong behind each port. None of it is ever an allow.

use std::time::Duration;

use thiserror::Error;

use crate::state_error::StateError;

use crate::malformed::MalformedDecision;

/// Why there is no decision.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EvalError {
    /// The policy's decision is undefined.
    #[error(transparent)]
    NoResult(#[from] NoResult),
    /// The policy answered something that is not a decision.
    #[error(transparent)]
    Malformed(#[from] MalformedDecision),
    /// The deadline passed first.
    #[error(transparent)]
    DeadlinePassed(#[from] DeadlinePassed),
    /// The policy wanted more memory than it may have.
    #[error(transparent)]
    MemoryExceeded(#[from] MemoryExceeded),
    /// Every instance was busy until the deadline.
    #[error(transparent)]
    PoolExhausted(#[from] PoolExhausted),
    /// The engine, or the policy inside it, failed.
    #[error(transparent)]
    EngineFailed(#[from] EngineFailed),
    /// The sidecar could not be reached, or the connection broke.
    #[error(transparent)]
    Undeliverable(#[from] Undeliverable),
    /// The sidecar answered with a status other than success.
    #[error(transparent)]
    UnexpectedStatus(#[from] UnexpectedStatus),
    /// The sidecar's answer is longer than it may be.
    #[error(transparent)]
    ReplyTooLarge(#[from] ReplyTooLarge),
    /// The sidecar failed so often that it is left alone for a while.
    #[error(transparent)]
    BreakerOpen(#[from] BreakerOpen),
    /// The state that the policy counts with could not be read or handed over.
    #[error(transparent)]
    State(#[from] StateError),
    /// Every evaluator that was tried failed.
    #[error(transparent)]
    Exhausted(#[from] Exhausted),
}

/// See [`EvalError::NoResult`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the policy gave no decision: `{path}` is undefined")]
pub struct NoResult {
    /// The document that is undefined.
    pub path: String,
}

/// See [`EvalError::DeadlinePassed`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("no decision within the deadline of {} ms", .allowed.as_millis())]
pub struct DeadlinePassed {
    /// How long the evaluation was given.
    pub allowed: Duration,
}

/// See [`EvalError::MemoryExceeded`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the policy needs more memory than its cap of {cap} bytes")]
pub struct MemoryExceeded {
    /// The cap, in bytes.
    pub cap: u64,
}

/// See [`EvalError::PoolExhausted`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("all {size} instances were busy until the deadline")]
pub struct PoolExhausted {
    /// How many instances there are.
    pub size: usize,
}

/// See [`EvalError::EngineFailed`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("evaluation failed: {detail}")]
pub struct EngineFailed {
    /// What the engine, or the sidecar, said.
    pub detail: String,
}

/// See [`EvalError::Undeliverable`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the sidecar cannot be reached: {detail}")]
pub struct Undeliverable {
    /// What the connection said.
    pub detail: String,
}

/// See [`EvalError::UnexpectedStatus`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the sidecar answered with status {status}: {detail}")]
pub struct UnexpectedStatus {
    /// The HTTP status.
    pub status: u16,
    /// The beginning of the answer.
    pub detail: String,
}

/// See [`EvalError::ReplyTooLarge`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the sidecar's answer is longer than {cap} bytes")]
pub struct ReplyTooLarge {
    /// The most that is read, in bytes.
    pub cap: usize,
}

/// See [`EvalError::BreakerOpen`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the sidecar failed {failures} times in a row and is left alone for {} ms more", .retry_in.as_millis())]
pub struct BreakerOpen {
    /// How many failures opened the breaker.
    pub failures: u32,
    /// When it is tried again.
    pub retry_in: Duration,
}

/// See [`EvalError::Exhausted`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("no evaluator gave a decision: {}", list(.attempts))]
pub struct Exhausted {
    /// What each one said, in the order they were tried.
    pub attempts: Vec<FailedAttempt>,
}

/// One evaluator's failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedAttempt {
    /// The evaluator's name.
    pub engine: &'static str,
    /// What it said.
    pub error: EvalError,
}

fn list(attempts: &[FailedAttempt]) -> String {
    let each: Vec<String> =
        attempts.iter().map(|attempt| format!("{}: {}", attempt.engine, attempt.error)).collect();
    each.join("; ")
}

/// Why a record could not be kept.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the decision could not be recorded: {detail}")]
pub struct AuditError {
    /// What the store said.
    pub detail: String,
}

/// Why nobody could be asked to confirm.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("confirmation could not be asked for: {detail}")]
pub struct ConfirmError {
    /// What went wrong.
    pub detail: String,
}
