//! Leaves an evaluator alone that keeps failing.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use guard_core::{BreakerOpen, EvalError, Evaluated, Evaluator, Question, Reply};

/// When a breaker opens, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerConfig {
    /// After this many failures in a row.
    pub failures: u32,
    /// For this long; then one question is let through, and its answer decides.
    pub pause: Duration,
}

impl Default for BreakerConfig {
    /// Five failures, two seconds.
    fn default() -> Self {
        Self { failures: 5, pause: Duration::from_secs(2) }
    }
}

/// An evaluator that is not asked for a while after it failed several times in a row, so that a dead
/// sidecar costs its deadline a few times and not at every call.
pub struct Breaker {
    inner: Arc<dyn Evaluator>,
    config: BreakerConfig,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    /// Not before this is anything let through.
    closed_until: Option<Instant>,
}

impl Breaker {
    /// A closed breaker before this evaluator.
    pub fn new(inner: Arc<dyn Evaluator>, config: BreakerConfig) -> Self {
        Self { inner, config, state: Mutex::new(State::default()) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a question may go through now. The first after a pause may; it moves the end of the pause
    /// on, so that the others keep waiting for its answer.
    fn admit(&self) -> Result<(), BreakerOpen> {
        let mut state = self.state();
        let now = Instant::now();
        match state.closed_until {
            Some(until) if until > now => {
                Err(BreakerOpen { failures: state.failures, retry_in: until - now })
            }
            Some(_) => {
                state.closed_until = now.checked_add(self.config.pause);
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn note(&self, result: &Result<Evaluated, EvalError>) {
        let mut state = self.state();
        match result {
            Err(error) if is_outage(error) => {
                state.failures = state.failures.saturating_add(1);
                if state.failures >= self.config.failures {
                    state.closed_until = Instant::now().checked_add(self.config.pause);
                }
            }
            // It answers, even if what it says is no decision.
            _ => *state = State::default(),
        }
    }
}

/// Whether an error says that the evaluator is out of order, rather than the policy.
fn is_outage(error: &EvalError) -> bool {
    match error {
        EvalError::Undeliverable(_)
        | EvalError::DeadlinePassed(_)
        | EvalError::UnexpectedStatus(_)
        | EvalError::ReplyTooLarge(_)
        | EvalError::EngineFailed(_)
        | EvalError::PoolExhausted(_)
        | EvalError::Exhausted(_) => true,
        EvalError::NoResult(_)
        | EvalError::Malformed(_)
        | EvalError::MemoryExceeded(_)
        | EvalError::BreakerOpen(_)
        | EvalError::State(_) => false,
    }
}

impl Evaluator for Breaker {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn evaluate<'a>(&'a self, question: Question<'a>) -> Reply<'a, Result<Evaluated, EvalError>> {
        if let Err(open) = self.admit() {
            return Reply::Now(Err(open.into()));
        }
        match self.inner.evaluate(question) {
            Reply::Now(result) => {
                self.note(&result);
                Reply::Now(result)
            }
            Reply::Later(later) => Reply::later(async move {
                let result = later.await;
                self.note(&result);
                result
            }),
        }
    }
}
