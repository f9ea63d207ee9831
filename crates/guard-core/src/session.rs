//! The session that a call belongs to.

use std::fmt::Write as _;

use crate::json::write_string;
use crate::time::Timestamp;

/// A run of calls that belong together, such as one task of an agent: loops are counted and timed by it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Session {
    /// Names it; an empty name is none.
    pub id: String,
    /// When it began.
    pub started: Timestamp,
}

impl Session {
    /// Its member of a policy's `input`, with the comma before it.
    pub(crate) fn write(&self, out: &mut String) {
        out.push_str(",\"session\":{\"id\":");
        write_string(out, &self.id);
        // Writing to a string cannot fail.
        let _ = write!(out, ",\"started_ns\":{}}}", self.started.as_nanos());
    }
}
