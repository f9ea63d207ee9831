//! Decisions of an OPA server.

use std::sync::Arc;
use std::time::Duration;

use guard_core::{
    Deadline, Decision, EvalError, Evaluated, Evaluator, Question, Reply, Revision, StateStore,
};
use guard_opa::{Client, DataPath, OpaError};
use tokio::sync::{Mutex, MutexGuard};

use crate::breaker::Breaker;
use crate::pushed::Pushed;

/// Where the decision is in OPA's data.
const DECISION: [&str; 2] = ["guardrails", "evaluate"];

/// A policy as it is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyText {
    /// Its id in OPA.
    pub id: String,
    /// Its Rego.
    pub rego: String,
}

/// Asks an OPA server, after it has been given the policies and the state.
///
/// With its first question it publishes the policies; an OPA that has been started anew, and therefore
/// knows nothing, is given everything again when it says that the decision is undefined.
pub struct Sidecar {
    shared: Arc<Shared>,
}

struct Shared {
    client: Client,
    policies: Vec<PolicyText>,
    store: Arc<dyn StateStore>,
    there: Mutex<There>,
}

/// What the sidecar has. Held by one question at a time, so that pushes arrive in order.
#[derive(Debug, Default)]
struct There {
    published: bool,
    state: Pushed,
}

impl Sidecar {
    /// An evaluator that asks the decision at `data.guardrails.evaluate` of this OPA. Without `policies` it
    /// publishes none, and OPA is expected to have them from somewhere else.
    pub fn new(client: Client, policies: Vec<PolicyText>, store: Arc<dyn StateStore>) -> Self {
        let there = Mutex::new(There::default());
        Self { shared: Arc::new(Shared { client, policies, store, there }) }
    }

    /// Asks for OPA's health in the background, now and a while after each answer, and tells the breaker before this
    /// evaluator. Ends with either of the two.
    pub fn watch_health(&self, every: Duration, timeout: Duration, breaker: &Arc<Breaker>) {
        // The breaker holds the sidecar: the one who watches it must not hold the breaker.
        let breaker = Arc::downgrade(breaker);
        let mut before = true;
        self.shared.client.watch_health(every, timeout, move |answer| {
            let Some(breaker) = breaker.upgrade() else { return false };
            let well = answer.is_ok();
            match answer {
                Err(error) if before => {
                    tracing::warn!(target: "hexarch::opa", "the sidecar is not well, and is not asked: {error}");
                }
                Ok(()) if !before => tracing::info!(target: "hexarch::opa", "the sidecar is well again"),
                _ => {}
            }
            before = well;
            breaker.note_health(well, every);
            true
        });
    }

    /// Publishes the policies and pushes the state now rather than with the first question.
    ///
    /// # Errors
    /// When OPA cannot be reached in time or refuses something.
    pub fn prepare(&self, deadline: Deadline) -> Reply<'_, Result<(), EvalError>> {
        Reply::later(async move {
            let shared = Arc::clone(&self.shared);
            let work = async move { shared.ready(deadline).await.map_err(Failure) };
            self.shared.client.within(deadline, work).await.map(|_| ()).map_err(|failure| failure.0)
        })
    }
}

/// Carries an evaluation error through the client, which knows only its own.
struct Failure(EvalError);

impl From<OpaError> for Failure {
    fn from(error: OpaError) -> Self {
        Self(error.into())
    }
}

impl Shared {
    /// The decision. Runs on the client's thread, as a whole within the deadline.
    async fn decide(&self, input: &str, deadline: Deadline) -> Result<(String, Revision), EvalError> {
        let revision = self.ready(deadline).await?;
        let decision = DataPath::of(DECISION).map_err(OpaError::from)?;
        match self.client.ask(&decision, input, deadline).await {
            Ok(text) => Ok((text, revision)),
            Err(OpaError::Undefined { .. }) if !self.policies.is_empty() => {
                self.forget().await;
                let revision = self.ready(deadline).await?;
                Ok((self.client.ask(&decision, input, deadline).await?, revision))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Makes sure that the sidecar has the policies and the state of this moment.
    async fn ready(&self, deadline: Deadline) -> Result<Revision, EvalError> {
        let mut there = self.there.lock().await;
        if !there.published {
            self.publish(deadline).await?;
            there.published = true;
        }
        match self.push_state(&mut there, deadline).await {
            // What we thought was there is not: it has been started anew, or somebody has tidied up.
            Err(EvalError::UnexpectedStatus(refused)) if refused.status == 404 => {
                there.state.forget();
                self.push_state(&mut there, deadline).await
            }
            other => other,
        }
    }

    async fn push_state(
        &self,
        there: &mut MutexGuard<'_, There>,
        deadline: Deadline,
    ) -> Result<Revision, EvalError> {
        if let Some(pushed) = there.state.revision
            && pushed >= self.store.revision()
        {
            return Ok(pushed);
        }
        let changes = match there.state.revision {
            Some(pushed) => self.store.changes_since(pushed).await?,
            None => guard_core::Changes::All(self.store.snapshot().await?),
        };
        let revision = changes.revision();
        there.state.push(&self.client, changes, deadline).await?;
        Ok(revision)
    }

    async fn forget(&self) {
        let mut there = self.there.lock().await;
        there.published = false;
        there.state.forget();
    }

    /// Publishes the policies. OPA compiles all that it has with each of them, and refuses one that calls
    /// a function it does not know yet; so those that it refuses are tried again after the others.
    async fn publish(&self, deadline: Deadline) -> Result<(), EvalError> {
        let mut waiting: Vec<&PolicyText> = self.policies.iter().collect();
        while !waiting.is_empty() {
            let before = waiting.len();
            let mut refused = Vec::new();
            let mut reason = None;
            for policy in waiting {
                match self.client.put_policy(&policy.id, &policy.rego, deadline).await {
                    Ok(()) => {}
                    Err(OpaError::Refused(why)) if why.status == 400 => {
                        refused.push(policy);
                        reason = Some(OpaError::Refused(why));
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            match reason {
                Some(error) if refused.len() == before => return Err(error.into()),
                _ => waiting = refused,
            }
        }
        Ok(())
    }
}

impl Evaluator for Sidecar {
    fn name(&self) -> &'static str {
        "sidecar"
    }

    fn evaluate<'a>(&'a self, question: Question<'a>) -> Reply<'a, Result<Evaluated, EvalError>> {
        let Question { request, deadline } = question;
        Reply::later(async move {
            let shared = Arc::clone(&self.shared);
            let input = request.to_input();
            let work = async move { shared.decide(&input, deadline).await.map_err(Failure) };
            let (text, revision) =
                self.shared.client.within(deadline, work).await.map_err(|failure| failure.0)?;
            let decision = Box::new(Decision::from_json(text.as_bytes())?);
            Ok(Evaluated {
                decision,
                engine: self.name(),
                module_digest: None,
                data_revision: Some(revision),
            })
        })
    }
}
