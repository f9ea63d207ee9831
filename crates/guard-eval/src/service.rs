//! A decision service: anything that answers `check_policy(policy_id, context)` over HTTP.

use guard_core::{Decision, EngineFailed, EvalError, Evaluated, Evaluator, Question, Reply};
use guard_opa::{Config, ConfigError, OpaError, Refused, Service};
use thiserror::Error;

/// Asks a decision service: `POST {"policy_id": "…", "context": {…}}`, where the context is what a policy has as its
/// input. It answers with a decision, `{"allowed": true, "action": "allow", "reason": "…"}`, which may hold what else
/// decisions hold. What is not exactly a decision is a denial, and so are another status than success, an answer that is
/// too long, and one that is too late. No redirect is followed.
pub struct DecisionService {
    service: Service,
}

/// Not the address of a service that can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the decision service cannot be asked: {detail}")]
pub struct ServiceConfigError {
    /// Why not.
    pub detail: String,
}

impl DecisionService {
    /// The service at this address, asked with a bearer token if there is one, and with answers of up to 64 KiB.
    ///
    /// # Errors
    /// When the address or the token is not one.
    pub fn new(url: impl Into<String>, token: Option<String>) -> Result<Self, ServiceConfigError> {
        let config = Config { token, max_reply: 64 << 10, ..Config::new(url) };
        let service = Service::new(&config).map_err(|error| ServiceConfigError {
            detail: match error {
                ConfigError::Url { url, reason } => format!("`{url}`: {reason}"),
                error @ ConfigError::Certificates { .. } => error.to_string(),
                ConfigError::Token => "its token cannot be sent in a header".to_owned(),
                ConfigError::Start(why) => why,
            },
        })?;
        Ok(Self { service })
    }
}

impl Evaluator for DecisionService {
    fn name(&self) -> &'static str {
        "service"
    }

    fn evaluate<'a>(&'a self, question: Question<'a>) -> Reply<'a, Result<Evaluated, EvalError>> {
        let Question { request, deadline } = question;
        Reply::later(async move {
            // A text in JSON, whatever it holds.
            let policy = serde_json::Value::from(request.policy_id.as_str());
            let body = format!("{{\"policy_id\":{policy},\"context\":{}}}", request.to_input());
            let answer = self.service.post(body, deadline).await.map_err(failure)?;
            let decision = Decision::from_json(&answer)?;
            Ok(Evaluated {
                decision: Box::new(decision),
                engine: self.name(),
                module_digest: None,
                data_revision: None,
            })
        })
    }
}

fn failure(error: OpaError) -> EvalError {
    let detail = match error {
        OpaError::Unreachable { detail } => format!("the decision service cannot be reached: {detail}"),
        OpaError::Refused(Refused { status, message, .. }) => {
            format!("the decision service answered with status {status}: {message}")
        }
        OpaError::TooLarge { cap } => format!("the decision service's answer is longer than {cap} bytes"),
        other => return other.into(),
    };
    EngineFailed { detail }.into()
}
