//! Finds, runs and reports the tests of policies, as `opa test` does.

pub mod output;
