//! What a policy said.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;
use thiserror::Error;

use crate::amount::{Amount, shorten};
use crate::charge::Charge;
use crate::document::{Document, Named, Names};
use crate::fields::{Fields, action_of, amount_of, bool_of, charges_of, millis_of, object_of, string_of};
use crate::json::Json;
use crate::malformed::{Contradiction, MalformedDecision, NotJson};
use crate::names::CellNames;

/// What is to be done about a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Let it run.
    Allow,
    /// Let it run, and say that something is near its end or unusual.
    Warn,
    /// Do not run it now: let it stand in line until there is room.
    Queue,
    /// Do not run it now; try again later.
    Throttle,
    /// Do not run it.
    Block,
    /// Do not run it before a person has confirmed it.
    RequireConfirmation,
}

pub(crate) const ACTIONS: &str = "`allow`, `warn`, `queue`, `throttle`, `block`, `require_confirmation`";

impl Action {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Warn => "warn",
            Self::Queue => "queue",
            Self::Throttle => "throttle",
            Self::Block => "block",
            Self::RequireConfirmation => "require_confirmation",
        }
    }

    /// Whether a call with this action runs.
    pub const fn lets_run(self) -> bool {
        matches!(self, Self::Allow | Self::Warn)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text that names no action.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is none of the actions `allow`, `warn`, `queue`, `throttle`, `block`, `require_confirmation`")]
pub struct UnknownActionName(pub String);

impl FromStr for Action {
    type Err = UnknownActionName;

    fn from_str(text: &str) -> Result<Self, UnknownActionName> {
        Ok(match text {
            "allow" => Self::Allow,
            "warn" => Self::Warn,
            "queue" => Self::Queue,
            "throttle" => Self::Throttle,
            "block" => Self::Block,
            "require_confirmation" => Self::RequireConfirmation,
            _ => return Err(UnknownActionName(shorten(text))),
        })
    }
}

impl Names<10> {
    /// Everything that a decision may say.
    pub const DECISION: Self = Self {
        of: Named::Decision,
        names: [
            "allowed",
            "action",
            "reason",
            "severity",
            "limit",
            "remaining",
            "retry_after_ms",
            "confirm",
            "metadata",
            "charges",
        ],
    };
}

/// The positions of these names.
mod field {
    pub(super) const ALLOWED: usize = 0;
    pub(super) const ACTION: usize = 1;
    pub(super) const REASON: usize = 2;
    pub(super) const SEVERITY: usize = 3;
    pub(super) const LIMIT: usize = 4;
    pub(super) const REMAINING: usize = 5;
    pub(super) const RETRY_AFTER: usize = 6;
    pub(super) const CONFIRM: usize = 7;
    pub(super) const METADATA: usize = 8;
    pub(super) const CHARGES: usize = 9;
}

/// How much a violation matters, in the policy author's own word.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Severity(pub String);

/// What a policy said about a request: well formed, or it would not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Whether the call may run. Always agrees with `action`.
    pub allowed: bool,
    /// What is to be done.
    pub action: Action,
    /// Why, for a person.
    pub reason: String,
    /// How much it matters.
    pub severity: Option<Severity>,
    /// The limit that decided, where one did.
    pub limit: Option<String>,
    /// What that limit has left.
    pub remaining: Option<Amount>,
    /// When to try again.
    pub retry_after: Option<Duration>,
    /// What a person is asked to confirm: an object for the confirmer.
    pub confirm: Option<Json>,
    /// An object that is carried along to the record.
    pub metadata: Option<Json>,
    /// What is debited when the call runs. Those of a call that may not run are never made.
    pub charges: Arc<[Charge]>,
}

impl Decision {
    /// A decision with nothing but its action and reason.
    pub fn new(action: Action, reason: impl Into<String>) -> Self {
        Self {
            allowed: action.lets_run(),
            action,
            reason: reason.into(),
            severity: None,
            limit: None,
            remaining: None,
            retry_after: None,
            confirm: None,
            metadata: None,
            charges: Arc::default(),
        }
    }

    /// Reads a decision from its JSON text: what `data.guardrails.evaluate` is on OPA's wire. `allowed`,
    /// `action` and `reason` must be there; nothing may be there that is not known.
    ///
    /// # Errors
    /// Whatever is not exactly a decision is a [`MalformedDecision`], which the caller turns into a denial.
    pub fn from_json(text: &[u8]) -> Result<Self, MalformedDecision> {
        let root: &RawValue =
            serde_json::from_slice(text).map_err(|error| NotJson { detail: error.to_string() })?;
        Self::from_document(root)
    }

    /// The same from wherever an evaluator has it.
    ///
    /// # Errors
    /// As [`Decision::from_json`].
    pub fn from_document(root: impl Document) -> Result<Self, MalformedDecision> {
        Self::from_document_naming(root, &mut CellNames::default())
    }

    /// The same for an evaluator that remembers the names of the cells that its policies charge.
    ///
    /// # Errors
    /// As [`Decision::from_json`].
    pub fn from_document_naming(
        root: impl Document,
        names: &mut CellNames,
    ) -> Result<Self, MalformedDecision> {
        let mut fields = Fields::of(&"the decision", &Names::DECISION, root)?;
        let allowed = fields.require(field::ALLOWED, bool_of)?;
        let action = fields.require(field::ACTION, action_of)?;
        let decision = Self {
            allowed,
            action,
            reason: fields.require(field::REASON, string_of)?,
            severity: fields.optional(field::SEVERITY, string_of)?.map(Severity),
            limit: fields.optional(field::LIMIT, string_of)?,
            remaining: fields.optional(field::REMAINING, amount_of)?,
            retry_after: fields.optional(field::RETRY_AFTER, millis_of)?,
            confirm: fields.optional(field::CONFIRM, object_of)?,
            metadata: fields.optional(field::METADATA, object_of)?,
            charges: fields
                .optional(field::CHARGES, |at, value| charges_of(at, value, names))?
                .unwrap_or_default(),
        };
        fields.finish()?;
        if allowed != action.lets_run() {
            return Err(Contradiction { allowed, action }.into());
        }
        Ok(decision)
    }
}
