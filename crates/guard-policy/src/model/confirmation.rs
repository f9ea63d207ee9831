//! `confirmation`: how people are asked.

use std::time::Duration;

use crate::model::Secret;

/// What `confirmation` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfirmationSettings {
    pub(crate) ask: Ask,
    pub(crate) store: String,
    pub(crate) approvers: Vec<String>,
    pub(crate) four_eyes: bool,
    pub(crate) approvals: u32,
    pub(crate) expires: Duration,
    pub(crate) flag: bool,
    pub(crate) webhook: Option<Webhook>,
    pub(crate) signed: Vec<SigningKey>,
}

/// An item of `confirmation.signed`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKey {
    /// Names the key in tokens.
    pub id: String,
    /// The key itself.
    pub key: KeyMaterial,
}

/// What tokens are signed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyMaterial {
    /// HMAC-SHA256 with these bytes.
    Hmac(Secret),
    /// Ed25519 with this seed of 32 bytes, in hexadecimal.
    Ed25519(Secret),
}

/// `confirmation.ask`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Ask {
    /// The call is denied with a token, and tried again once somebody has approved it.
    #[default]
    Token,
    /// The person at the terminal is asked, and the call waits.
    Terminal,
}

/// `confirmation.webhook`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    pub(crate) url: String,
    pub(crate) secret: Secret,
    pub(crate) link: Option<String>,
}

impl ConfirmationSettings {
    /// Whom to ask.
    pub const fn ask(&self) -> Ask {
        self.ask
    }

    /// The address of the store that keeps what is pending; `memory:` where the file does not say.
    pub fn store(&self) -> &str {
        &self.store
    }

    /// Who may approve: ids and `@role`s; anybody where the file does not say.
    pub fn approvers(&self) -> &[String] {
        &self.approvers
    }

    /// Whether the one who asks may not approve.
    pub const fn four_eyes(&self) -> bool {
        self.four_eyes
    }

    /// How many people have to approve; one where the file does not say.
    pub const fn approvals(&self) -> u32 {
        self.approvals
    }

    /// How long a confirmation lives; fifteen minutes where the file does not say.
    pub const fn expires(&self) -> Duration {
        self.expires
    }

    /// Whether a caller's own `confirm: true` counts; not where the file does not say.
    pub const fn flag(&self) -> bool {
        self.flag
    }

    /// The keys of signed tokens, of which the first signs; none where tokens are random.
    pub fn signed(&self) -> &[SigningKey] {
        &self.signed
    }

    /// Who is told of each confirmation.
    pub const fn webhook(&self) -> Option<&Webhook> {
        self.webhook.as_ref()
    }
}

impl Webhook {
    /// Where messages are posted.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What messages are signed with.
    pub const fn secret(&self) -> &Secret {
        &self.secret
    }

    /// What the links to answer by begin with.
    pub fn link(&self) -> Option<&str> {
        self.link.as_deref()
    }
}

/// Who has to approve the calls of a rule, or of all rules of a policy, where it is not as `confirmation` has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Approval {
    pub(crate) approvers: Option<Vec<String>>,
    pub(crate) four_eyes: Option<bool>,
    pub(crate) approvals: Option<u64>,
}

impl Approval {
    /// What a rule says, and the policy where it says nothing.
    pub(crate) fn or(&self, policy: &Self) -> Self {
        Self {
            approvers: self.approvers.clone().or_else(|| policy.approvers.clone()),
            four_eyes: self.four_eyes.or(policy.four_eyes),
            approvals: self.approvals.or(policy.approvals),
        }
    }
}
