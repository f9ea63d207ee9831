//! The responses of one evaluation: equal requests have equal responses, and are sent once.

use std::collections::HashMap;

use rego_value::Value;

use super::Failure;

/// Responses and failures by request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Session(HashMap<Value, Result<Value, Failure>>);

impl Session {
    pub(crate) fn clear(&mut self) {
        if !self.0.is_empty() {
            self.0.clear();
        }
    }

    pub(super) fn get(&self, key: &Value) -> Option<Result<Value, Failure>> {
        self.0.get(key).cloned()
    }

    pub(super) fn put(&mut self, key: &Value, outcome: Result<Value, Failure>) {
        self.0.insert(key.clone(), outcome);
    }
}
