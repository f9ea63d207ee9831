//! The benchmark policies, and every engine that decides them: ours, Rust written by hand, and named peers.
//!
//! All engines answer the same question, "JSON text in, an owned [`Decision`] out", and every answer is compared with
//! the expected one before anything is timed. Peers live here, outside the default members, so that nobody who builds
//! the product builds them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a benchmark stops at the first surprise"
)]

pub mod compute;
pub mod dynamic;
pub mod engines;
pub mod opa;
pub mod policy;
pub mod structs;
pub mod typed;
pub mod varied;

use serde::Deserialize;

/// What every benchmark policy decides.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Decision {
    /// Whether the call may go on.
    pub allowed: bool,
    /// Why, for a person.
    pub reason: String,
    /// What is done: `allow`, `deny`, `warn`, ….
    pub action: String,
}

impl Decision {
    /// A decision from borrowed words.
    #[must_use]
    pub fn new(allowed: bool, reason: impl Into<String>, action: &str) -> Self {
        Self { allowed, reason: reason.into(), action: action.to_owned() }
    }
}
