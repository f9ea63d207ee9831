//! hexarch.yaml: discovery, schema, validation, translation to Rego.
//!
//! # What the generated Rego reads
//! `input`, as the contract of the decision service has it, with these two points that the types alone
//! would not say:
//!
//! - **Money** comes in as `input.cost`, a decimal number of dollars, zero or more. The library turns it
//!   into whole micro-dollars (1 000 000 = one dollar), exactly, and rounds what lies below one *up*; every
//!   sum and comparison is of integers. A call without `cost` under a budget is denied ("the call does not
//!   say its cost"); `0` is a cost.
//! - **What was not said is left out** (or is an empty string): `operation`, `resource`, `model`. A policy
//!   with a rule that reads one of them denies a call that does not say it.
//!
//! `confirmed` counts only as the boolean `true`. `time_ns` is an integer.
//!
//! # What it gives back
//! The decision of the contract. `remaining`, and a charge's `amount` and `max`, are integers of the
//! limit's unit: micro-dollars where `kind` is `"budget"`, calls where it is `"rate"`. `reset_ms` and
//! `retry_after_ms` are milliseconds from `input.time_ns`. A limit that only warns, or one that a
//! confirmation has lifted for this call, is charged with the `max` 9007199254740991 (2^53 - 1), so that the
//! store counts it and never refuses it; a charge without `reset_ms` has a window that never ends (`total`).
//!
//! The key of a limit is `"all"`; its id is `<policy>.<rule>.<yaml key>`, such as
//! `api_budget.rule_1.monthly_budget`; `data.hexarch.state[limit][key][window][replica]` holds its cells.

mod discover;
mod export;
mod file;
mod library;
mod model;
mod nearest;
mod problem;
mod read;
mod schema;
mod translate;
mod yaml;

pub use discover::{DiscoverError, FILE_NAMES, discover};
pub use export::{export_json, export_rego, export_yaml};
pub use file::{FileError, LoadError, LoadOptions, load};
pub use library::{RegoModule, library};
pub use model::{
    Enforcement, EvaluatorOrder, FailMode, FailModes, Limit, LimitKind, LogLevel, Logging, Opa, OpaTls,
    Period, Policy, PolicyFile, Rule, RuleAction, Secret, Settings, StateStore,
};
pub use problem::{Place, Problem, ProblemCode, Problems};
pub use translate::{LimitInfo, PolicyInfo, RegoPackage, translate};

/// Reads and checks the text of a hexarch.yaml; `file` names it in messages and in generated comments.
///
/// # Errors
/// All problems of the text at once, in the order of its lines.
pub fn parse(file: &str, text: &str) -> Result<PolicyFile, Problems> {
    read::read(file, text)
}
