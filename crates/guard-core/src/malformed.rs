//! Why a decision that came from outside is not one.

use thiserror::Error;

use crate::decision::Action;

/// What was wrong with a decision. Every one of these is a denial.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MalformedDecision {
    /// The bytes are not a JSON value.
    #[error(transparent)]
    NotJson(#[from] NotJson),
    /// The JSON value is not an object.
    #[error(transparent)]
    NotAnObject(#[from] NotAnObject),
    /// A field that must be there is not.
    #[error(transparent)]
    MissingField(#[from] MissingField),
    /// A field holds another type than it must.
    #[error(transparent)]
    WrongType(#[from] WrongType),
    /// A number is outside its range.
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),
    /// A field that decisions do not have.
    #[error(transparent)]
    UnknownField(#[from] UnknownField),
    /// A field that stands there twice.
    #[error(transparent)]
    DuplicateField(#[from] DuplicateField),
    /// An action, severity or kind that does not exist.
    #[error(transparent)]
    UnknownAction(#[from] UnknownAction),
    /// `allowed` says one thing and `action` the other.
    #[error(transparent)]
    Contradiction(#[from] Contradiction),
}

/// See [`MalformedDecision::NotJson`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the decision is not JSON: {detail}")]
pub struct NotJson {
    /// What the JSON reader said.
    pub detail: String,
}

/// See [`MalformedDecision::NotAnObject`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{place} must be an object, found {found}")]
pub struct NotAnObject {
    /// The decision or one of its fields.
    pub place: String,
    /// What stands there.
    pub found: String,
}

/// See [`MalformedDecision::MissingField`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{place} has no `{field}`")]
pub struct MissingField {
    /// The decision, or the charge, that lacks it.
    pub place: String,
    /// The field.
    pub field: &'static str,
}

/// See [`MalformedDecision::WrongType`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{field}` of {place} must be {expected}, found {found}")]
pub struct WrongType {
    /// The decision or one of its charges.
    pub place: String,
    /// The field.
    pub field: String,
    /// What it must hold.
    pub expected: &'static str,
    /// What it holds, shortened.
    pub found: String,
}

/// See [`MalformedDecision::OutOfRange`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{field}` of {place} is out of range: {found}")]
pub struct OutOfRange {
    /// The decision or one of its charges.
    pub place: String,
    /// The field.
    pub field: String,
    /// The number, shortened.
    pub found: String,
}

/// See [`MalformedDecision::UnknownField`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{place} has the unknown field `{field}`; what is only informative belongs under `metadata`")]
pub struct UnknownField {
    /// The decision or one of its charges.
    pub place: String,
    /// The field, shortened.
    pub field: String,
}

/// See [`MalformedDecision::DuplicateField`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{place} has the field `{field}` twice")]
pub struct DuplicateField {
    /// The decision or one of its charges.
    pub place: String,
    /// The field, shortened.
    pub field: String,
}

/// See [`MalformedDecision::UnknownAction`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{field}` of {place} is `{found}`, which is none of {known}")]
pub struct UnknownAction {
    /// The decision or one of its charges.
    pub place: String,
    /// The field.
    pub field: &'static str,
    /// What it holds, shortened.
    pub found: String,
    /// What it may hold.
    pub known: &'static str,
}

/// See [`MalformedDecision::Contradiction`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the decision contradicts itself: `allowed` is {allowed} and `action` is `{action}`")]
pub struct Contradiction {
    /// What `allowed` says.
    pub allowed: bool,
    /// What `action` says.
    pub action: Action,
}
