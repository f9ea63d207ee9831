//! What happens when there is no decision.

use std::collections::BTreeMap;

/// What becomes of a call about which nobody could decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum FailMode {
    /// It is denied.
    #[default]
    Closed,
    /// It runs, and the record says that it did without a decision.
    Open,
}

/// The fail mode of each class of actions. A class is the request's `operation`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FailModes {
    default: FailMode,
    by_operation: BTreeMap<String, FailMode>,
}

impl FailModes {
    /// The same mode for everything that is not named otherwise.
    pub fn all(default: FailMode) -> Self {
        Self { default, by_operation: BTreeMap::new() }
    }

    /// Another mode for one operation.
    #[must_use]
    pub fn with(mut self, operation: impl Into<String>, mode: FailMode) -> Self {
        self.by_operation.insert(operation.into(), mode);
        self
    }

    /// The mode of an operation.
    pub fn of(&self, operation: &str) -> FailMode {
        self.by_operation.get(operation).copied().unwrap_or(self.default)
    }
}
