//! Finds, runs and reports the tests of policies, as `opa test` does.
//!
//! **Job.** Which rules of a program are tests ([`find`]), all of them as entrypoints of one module ([`Suite`]), what
//! became of each ([`Report`]), and the forms in which OPA prints that ([`report`], [`output`]).
//!
//! **Invariant.** A test passes only where its rule is `true` and so is each of its cases. Each test has a deadline of
//! its own, and after one that ended with an error the next is run as if it were the first.
//!
//! Shown by the group `cli` of the conformance harness, which runs OPA's own examples.

mod calls;
mod cases;
mod coverage;
mod explain;
mod find;
pub mod output;
pub mod report;
mod run;

pub use calls::Calls;
pub use cases::{Case, Cases};
pub use coverage::Coverage;
pub use explain::{Explainer, Telling, Why, place_error};
pub use find::{Test, find};
pub use run::{Host, Report, Suite, Verdict};
