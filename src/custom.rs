//! Evaluators of the program's own.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use guard_core::{
    Deadline, DeadlinePassed, Decision, EngineFailed, EvalError, Evaluated, Evaluator, Question, Reply,
    Request,
};
use guardian::Sleep;

type Answer = Reply<'static, Result<Decision, EvalError>>;

/// An evaluator that is a function.
///
/// ```
/// use hexarch_guardrails::{Action, DecideFn, Decision, Guardian};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let evaluator = DecideFn::new("rooms", |request| {
///     let action = if request.resource == "cellar" { Action::Block } else { Action::Allow };
///     Ok(Decision::new(action, "only the cellar is closed"))
/// });
/// // Without a policy file every policy's id is known.
/// let guardian = Guardian::builder().evaluator(evaluator).build()?;
/// assert!(guardian.check("doors")?.resource("attic").run(|| ()).is_ok());
/// assert!(guardian.check("doors")?.resource("cellar").run(|| ()).is_err());
/// # Ok(())
/// # }
/// ```
pub struct DecideFn {
    name: &'static str,
    decide: Box<dyn Fn(&Request) -> Answer + Send + Sync>,
}

impl DecideFn {
    /// Decides at once. The name is what records say.
    pub fn new(
        name: &'static str,
        decide: impl Fn(&Request) -> Result<Decision, EvalError> + Send + Sync + 'static,
    ) -> Self {
        Self { name, decide: Box::new(move |request| Reply::Now(decide(request))) }
    }

    /// Decides later. Whoever polls the future has to be enough for it: a future that needs a certain runtime works only in
    /// checks that are awaited there.
    pub fn later<F>(name: &'static str, decide: impl Fn(Request) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Decision, EvalError>> + Send + 'static,
    {
        Self { name, decide: Box::new(move |request| Reply::later(decide(request.clone()))) }
    }
}

impl Evaluator for DecideFn {
    fn name(&self) -> &'static str {
        self.name
    }

    fn evaluate<'a>(&'a self, question: Question<'a>) -> Reply<'a, Result<Evaluated, EvalError>> {
        let evaluated = |decision| Evaluated {
            decision: Box::new(decision),
            engine: self.name,
            module_digest: None,
            data_revision: None,
        };
        match (self.decide)(question.request) {
            Reply::Now(decided) => Reply::Now(decided.map(evaluated)),
            Reply::Later(deciding) => Reply::later(async move { deciding.await.map(evaluated) }),
        }
    }
}

/// Holds an evaluator to its deadline, and takes a panic in it for the want of a decision.
pub(crate) struct Bounded(pub(crate) Arc<dyn Evaluator>);

impl Evaluator for Bounded {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn evaluate<'a>(&'a self, question: Question<'a>) -> Reply<'a, Result<Evaluated, EvalError>> {
        let deadline = question.deadline;
        match catch_unwind(AssertUnwindSafe(|| self.0.evaluate(question))) {
            Err(_) => Reply::Now(Err(self.panicked())),
            // An answer that took too long is none, as it is with every other evaluator.
            Ok(Reply::Now(_)) if deadline.has_passed() => Reply::Now(Err(late(deadline))),
            Ok(Reply::Now(answer)) => Reply::Now(answer),
            Ok(Reply::Later(answer)) => Reply::later(self.bounded(answer, deadline)),
        }
    }
}

impl Bounded {
    async fn bounded(
        &self,
        answer: impl Future<Output = Result<Evaluated, EvalError>>,
        deadline: Deadline,
    ) -> Result<Evaluated, EvalError> {
        let (mut answer, mut over) = (pin!(answer), pin!(Sleep::new(deadline.remaining())));
        std::future::poll_fn(|context| {
            match catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(context))) {
                Err(_) => Poll::Ready(Err(self.panicked())),
                Ok(Poll::Ready(answer)) => Poll::Ready(answer),
                Ok(Poll::Pending) => over.as_mut().poll(context).map(|()| Err(late(deadline))),
            }
        })
        .await
    }

    fn panicked(&self) -> EvalError {
        EngineFailed { detail: format!("the evaluator `{}` panicked", self.name()) }.into()
    }
}

fn late(deadline: Deadline) -> EvalError {
    DeadlinePassed { allowed: deadline.allowed() }.into()
}
