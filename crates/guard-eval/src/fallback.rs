//! One evaluator after the other.

use std::sync::Arc;
use std::time::Duration;

use guard_core::{Deadline, EvalError, Evaluated, Evaluator, Exhausted, FailedAttempt, Question, Reply};

/// Asks each evaluator in order until one decides. All but the last get half of what is left of the
/// deadline, so that the next one has its chance.
///
/// Only the want of a decision goes on to the next: a denial is a decision.
pub struct Fallback {
    order: Vec<Arc<dyn Evaluator>>,
}

impl Fallback {
    /// These evaluators, in this order.
    pub fn new(order: Vec<Arc<dyn Evaluator>>) -> Self {
        Self { order }
    }

    fn given_up(&self, mut attempts: Vec<FailedAttempt>) -> EvalError {
        match (attempts.pop(), attempts.is_empty()) {
            // With one evaluator there is nothing to list.
            (Some(only), true) => only.error,
            (Some(last), false) => {
                attempts.push(last);
                Exhausted { attempts }.into()
            }
            (None, _) => Exhausted { attempts }.into(),
        }
    }

    fn share(&self, question: Question<'_>, position: usize) -> Deadline {
        if position + 1 == self.order.len() {
            return question.deadline;
        }
        // Never zero: a zero deadline would be reported as one that nobody set.
        Deadline::after((question.deadline.remaining() / 2).max(Duration::from_micros(1)))
    }
}

fn attempt(evaluator: &dyn Evaluator, error: EvalError) -> FailedAttempt {
    let engine = evaluator.name();
    tracing::warn!(target: "hexarch::eval", engine, "no decision: {error}");
    FailedAttempt { engine, error }
}

impl Evaluator for Fallback {
    fn name(&self) -> &'static str {
        "fallback"
    }

    fn evaluate<'a>(&'a self, question: Question<'a>) -> Reply<'a, Result<Evaluated, EvalError>> {
        let mut attempts = Vec::new();
        let mut rest = self.order.iter().enumerate();
        // As long as answers are there at once, nothing is boxed.
        for (position, evaluator) in rest.by_ref() {
            let share = self.share(question, position);
            match evaluator.evaluate(Question { deadline: share, ..question }) {
                Reply::Now(Ok(evaluated)) => return Reply::Now(Ok(evaluated)),
                Reply::Now(Err(error)) => attempts.push(attempt(&**evaluator, error)),
                Reply::Later(first) => {
                    return Reply::later(async move {
                        match first.await {
                            Ok(evaluated) => return Ok(evaluated),
                            Err(error) => attempts.push(attempt(&**evaluator, error)),
                        }
                        for (position, evaluator) in rest {
                            let share = self.share(question, position);
                            match evaluator.evaluate(Question { deadline: share, ..question }).await {
                                Ok(evaluated) => return Ok(evaluated),
                                Err(error) => attempts.push(attempt(&**evaluator, error)),
                            }
                        }
                        Err(self.given_up(attempts))
                    });
                }
            }
        }
        Reply::Now(Err(self.given_up(attempts)))
    }
}
