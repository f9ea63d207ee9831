//! What a policy said.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;
use thiserror::Error;

use crate::amount::{Amount, Quantity, shorten};
use crate::charge::{CellId, Charge, ChargeKind};
use crate::json::Json;
use crate::malformed::{
    Contradiction, DuplicateField, MalformedDecision, MissingField, NotAnObject, NotJson, OutOfRange,
    UnknownAction, UnknownField, WrongType,
};

/// What is to be done about a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Let it run.
    Allow,
    /// Let it run, and say that something is near its end or unusual.
    Warn,
    /// Do not run it now; try again later.
    Throttle,
    /// Do not run it.
    Block,
    /// Do not run it before a person has confirmed it.
    RequireConfirmation,
}

const ACTIONS: &str = "`allow`, `warn`, `throttle`, `block`, `require_confirmation`";

impl Action {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Warn => "warn",
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
#[error("`{0}` is none of the actions `allow`, `warn`, `throttle`, `block`, `require_confirmation`")]
pub struct UnknownActionName(pub String);

impl FromStr for Action {
    type Err = UnknownActionName;

    fn from_str(text: &str) -> Result<Self, UnknownActionName> {
        Ok(match text {
            "allow" => Self::Allow,
            "warn" => Self::Warn,
            "throttle" => Self::Throttle,
            "block" => Self::Block,
            "require_confirmation" => Self::RequireConfirmation,
            _ => return Err(UnknownActionName(shorten(text))),
        })
    }
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
    pub charges: Vec<Charge>,
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
            charges: Vec::new(),
        }
    }

    /// Reads a decision from its JSON text: what `data.guardrails.evaluate` is, in a module and on OPA's
    /// wire. `allowed`, `action` and `reason` must be there; nothing may be there that is not known.
    ///
    /// # Errors
    /// Whatever is not exactly a decision is a [`MalformedDecision`], which the caller turns into a denial.
    pub fn from_json(text: &[u8]) -> Result<Self, MalformedDecision> {
        let root: &RawValue =
            serde_json::from_slice(text).map_err(|error| NotJson { detail: error.to_string() })?;
        let mut fields = Fields::of("the decision", root)?;
        let allowed = fields.require("allowed", bool_of)?;
        let action = fields.require("action", action_of)?;
        let decision = Self {
            allowed,
            action,
            reason: fields.require("reason", string_of)?,
            severity: fields.optional("severity", string_of)?.map(Severity),
            limit: fields.optional("limit", string_of)?,
            remaining: fields.optional("remaining", amount_of)?,
            retry_after: fields.optional("retry_after_ms", millis_of)?,
            confirm: fields.optional("confirm", object_of)?,
            metadata: fields.optional("metadata", object_of)?,
            charges: fields.optional("charges", charges_of)?.unwrap_or_default(),
        };
        fields.finish()?;
        if allowed != action.lets_run() {
            return Err(Contradiction { allowed, action }.into());
        }
        Ok(decision)
    }
}

/// The fields of an object that have not been read yet.
struct Fields<'a> {
    place: String,
    rest: Vec<(String, &'a RawValue)>,
}

/// A field and the object it stands in, for messages.
struct At<'a> {
    place: &'a str,
    field: &'static str,
}

impl At<'_> {
    fn wrong(&self, expected: &'static str, value: &RawValue) -> MalformedDecision {
        WrongType {
            place: self.place.to_owned(),
            field: self.field.to_owned(),
            expected,
            found: describe(value),
        }
        .into()
    }

    fn out_of_range(&self, value: &RawValue) -> MalformedDecision {
        OutOfRange { place: self.place.to_owned(), field: self.field.to_owned(), found: describe(value) }
            .into()
    }
}

impl<'a> Fields<'a> {
    fn of(place: &str, value: &'a RawValue) -> Result<Self, MalformedDecision> {
        let Members(rest) = serde_json::from_str(value.get())
            .map_err(|_| NotAnObject { place: place.to_owned(), found: describe(value) })?;
        let mut names: Vec<&str> = rest.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        if let Some(name) = names.windows(2).find_map(|pair| match pair {
            [one, two] if one == two => Some(*one),
            _ => None,
        }) {
            return Err(DuplicateField { place: place.to_owned(), field: shorten(name) }.into());
        }
        Ok(Self { place: place.to_owned(), rest })
    }

    fn optional<T>(
        &mut self,
        field: &'static str,
        read: impl FnOnce(&At<'_>, &'a RawValue) -> Result<T, MalformedDecision>,
    ) -> Result<Option<T>, MalformedDecision> {
        let Some(position) = self.rest.iter().position(|(name, _)| name == field) else {
            return Ok(None);
        };
        let (_, value) = self.rest.swap_remove(position);
        read(&At { place: &self.place, field }, value).map(Some)
    }

    fn require<T>(
        &mut self,
        field: &'static str,
        read: impl FnOnce(&At<'_>, &'a RawValue) -> Result<T, MalformedDecision>,
    ) -> Result<T, MalformedDecision> {
        match self.optional(field, read)? {
            Some(value) => Ok(value),
            None => Err(MissingField { place: self.place.clone(), field }.into()),
        }
    }

    fn finish(self) -> Result<(), MalformedDecision> {
        match self.rest.iter().map(|(name, _)| name).min() {
            None => Ok(()),
            Some(field) => Err(UnknownField { place: self.place, field: shorten(field) }.into()),
        }
    }
}

/// An object's members in the order they stand in, duplicates included.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> serde::Deserialize<'de> for Members<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

/// What stands there, for a message: its type, and itself when it is short.
fn describe(value: &RawValue) -> String {
    let text = value.get();
    let kind = match text.as_bytes().first() {
        Some(b'"') => "the string",
        Some(b'{') => "the object",
        Some(b'[') => "the array",
        Some(b't' | b'f') => "the boolean",
        Some(b'n') => return "null".to_owned(),
        _ => "the number",
    };
    format!("{kind} `{}`", shorten(text))
}

fn bool_of(at: &At<'_>, value: &RawValue) -> Result<bool, MalformedDecision> {
    match value.get() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(at.wrong("true or false", value)),
    }
}

fn string_of(at: &At<'_>, value: &RawValue) -> Result<String, MalformedDecision> {
    serde_json::from_str(value.get()).map_err(|_| at.wrong("a string", value))
}

fn action_of(at: &At<'_>, value: &RawValue) -> Result<Action, MalformedDecision> {
    string_of(at, value)?.parse().map_err(|unknown: UnknownActionName| {
        UnknownAction { place: at.place.to_owned(), field: at.field, found: unknown.0, known: ACTIONS }.into()
    })
}

fn kind_of(at: &At<'_>, value: &RawValue) -> Result<ChargeKind, MalformedDecision> {
    match string_of(at, value)?.as_str() {
        "budget" => Ok(ChargeKind::Budget),
        "rate" => Ok(ChargeKind::Rate),
        other => Err(UnknownAction {
            place: at.place.to_owned(),
            field: at.field,
            found: shorten(other),
            known: "`budget`, `rate`",
        }
        .into()),
    }
}

fn amount_of(at: &At<'_>, value: &RawValue) -> Result<Amount, MalformedDecision> {
    if !value.get().starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
        return Err(at.wrong("a number", value));
    }
    value.get().parse().map_err(|_| at.out_of_range(value))
}

/// A whole number of units that is not negative, however it is written: `5`, `5.0` and `5e0` are the same.
fn units_of(at: &At<'_>, value: &RawValue) -> Result<Quantity, MalformedDecision> {
    let amount = amount_of(at, value)?;
    match amount.to_integer() {
        Some(units) if units >= 0 => Ok(Quantity::new(units)),
        Some(_) => Err(at.out_of_range(value)),
        None => Err(at.wrong("a whole number of units within 64 bits", value)),
    }
}

fn millis_of(at: &At<'_>, value: &RawValue) -> Result<Duration, MalformedDecision> {
    let units = units_of(at, value)?.units();
    u64::try_from(units).map(Duration::from_millis).map_err(|_| at.out_of_range(value))
}

fn object_of(at: &At<'_>, value: &RawValue) -> Result<Json, MalformedDecision> {
    if !value.get().starts_with('{') {
        return Err(at.wrong("an object", value));
    }
    Json::from_text(value.get()).map_err(|error| NotJson { detail: error.reason }.into())
}

fn charges_of(at: &At<'_>, value: &RawValue) -> Result<Vec<Charge>, MalformedDecision> {
    let items: Vec<&RawValue> =
        serde_json::from_str(value.get()).map_err(|_| at.wrong("an array of charges", value))?;
    items.into_iter().enumerate().map(|(position, item)| charge_of(position, item)).collect()
}

fn charge_of(position: usize, value: &RawValue) -> Result<Charge, MalformedDecision> {
    let mut fields = Fields::of(&format!("`charges[{position}]`"), value)?;
    let charge = Charge {
        cell: Arc::new(CellId {
            limit: fields.require("limit", string_of)?,
            key: fields.require("key", string_of)?,
            window: fields.require("window", string_of)?,
        }),
        amount: fields.require("amount", units_of)?,
        max: fields.require("max", units_of)?,
        kind: fields.optional("kind", kind_of)?.unwrap_or_default(),
        resets_in: fields.optional("reset_ms", millis_of)?,
    };
    fields.finish()?;
    Ok(charge)
}
