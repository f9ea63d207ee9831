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
    /// It has been found to be out of order, and is to be asked for its health again by then. Nothing is let through
    /// until it is found to be well.
    unwell_until: Option<Instant>,
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
        if let Some(until) = state.unwell_until {
            return Err(BreakerOpen {
                failures: state.failures,
                retry_in: until.saturating_duration_since(now),
            });
        }
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
            _ => *state = State { unwell_until: state.unwell_until, ..State::default() },
        }
    }

    /// What asking for its health has found, and when it will be asked for again. While it is not well nothing is let
    /// through. Once it is, a question is at once, and its answer decides, as after a pause.
    pub fn note_health(&self, well: bool, again_in: Duration) {
        let mut state = self.state();
        let now = Instant::now();
        if !well {
            state.failures = state.failures.saturating_add(1);
            state.unwell_until = now.checked_add(again_in);
        } else if state.unwell_until.take().is_some() {
            *state = State::default();
        } else if state.closed_until.is_some() {
            state.closed_until = Some(now);
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use guard_core::{Action, Deadline, Decision, Request, Undeliverable};

    use super::*;

    /// Answers or fails, as it is told.
    struct Switch(Mutex<bool>);

    impl Evaluator for Switch {
        fn name(&self) -> &'static str {
            "switch"
        }

        fn evaluate<'a>(&'a self, _: Question<'a>) -> Reply<'a, Result<Evaluated, EvalError>> {
            Reply::Now(match *self.0.lock().unwrap() {
                true => Ok(Evaluated {
                    decision: Box::new(Decision::new(Action::Allow, "r")),
                    engine: "switch",
                    module_digest: None,
                    data_revision: None,
                }),
                false => Err(Undeliverable { detail: "off".to_owned() }.into()),
            })
        }
    }

    fn ask(breaker: &Breaker) -> &'static str {
        let request = Request::default();
        let question = Question { request: &request, deadline: Deadline::after(Duration::from_secs(1)) };
        match breaker.evaluate(question).wait() {
            Ok(_) => "answered",
            Err(EvalError::BreakerOpen(_)) => "left alone",
            Err(_) => "failed",
        }
    }

    #[test]
    fn health_opens_and_closes_it() {
        let switch = Arc::new(Switch(Mutex::new(true)));
        let config = BreakerConfig { failures: 2, pause: Duration::from_secs(600) };
        let breaker = Breaker::new(Arc::clone(&switch) as _, config);
        let again = Duration::from_secs(1);
        assert_eq!(ask(&breaker), "answered");
        breaker.note_health(true, again);
        assert_eq!(ask(&breaker), "answered");
        breaker.note_health(false, again);
        assert_eq!([ask(&breaker), ask(&breaker)], ["left alone"; 2]);
        breaker.note_health(true, again);
        assert_eq!(ask(&breaker), "answered");
        // It says that it is well, and answers nothing: one question in each interval finds that out, not every one.
        *switch.0.lock().unwrap() = false;
        assert_eq!([ask(&breaker), ask(&breaker), ask(&breaker)], ["failed", "failed", "left alone"]);
        breaker.note_health(true, again);
        assert_eq!([ask(&breaker), ask(&breaker)], ["failed", "left alone"]);
        *switch.0.lock().unwrap() = true;
        breaker.note_health(true, again);
        assert_eq!([ask(&breaker), ask(&breaker)], ["answered", "answered"]);
    }
}
