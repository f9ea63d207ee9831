//! The memory store against the suite.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[macro_use]
mod suite;

fn fresh() -> (guard_confirm::MemoryStore, ()) {
    (guard_confirm::MemoryStore::new(), ())
}

confirm_suite!(suite_in_memory, fresh);
