//! hexarch.yaml: discovery, schema, validation, translation to Rego.
//!
//! **Job.** Find the file ([`discover`]), read it ([`load`], [`parse`]) into a typed [`PolicyFile`] or into all
//! of its [`Problems`] at once, and [`translate`] it to Rego that a person would have written. A decision table
//! ([`Table`]) says what a pack decides, a [`Script`] is a run of calls.
//!
//! **Invariants.**
//! - Nothing in a file is ignored. A key is enforced, or it is a problem. The
//!   tables in `schema.rs` are the only list of keys. (`tests/problems`)
//!   `docs/hexarch-yaml.md` is made of them, and so is the JSON
//!   Schema. (`tests/schema.rs`, and a row for each key in `tests/keys`)
//! - A [`PolicyFile`] exists only without a problem, so that [`translate`] cannot fail, and what it writes
//!   passes `opa check --strict` and `opa fmt --fail`, whatever names and texts an author chose.
//!   (`tests/translate.rs`, with the real OPA)
//! - What a policy decides is in its table, and the tables hold on the real OPA for the translated file and
//!   for each policy's export. (`tests/packs.rs`, `tests/demo.rs`)
//! - A guard that cannot see is not passed: a missing field, cost, time or a malformed state denies.
//!   (`rego/*_test.rego`)
//! - No file is read that another user can write, that is too large, or that unfolds to more than it holds.
//!   (`file.rs`, `yaml/build.rs`)
//!
//! **The YAML reader** is `saphyr-parser`, for its events carry line and column. Readers built on serde
//! (`serde_yaml` and its successor `yaml_serde`) give no position for a value, stop at the first error and let
//! the last of two equal keys win; all three are what this file format promises not to do.
//!
//! **The reader of the text knows no clock and asks no machine**: timezones are those of the database built in
//! (`jiff`), so that a file means the same everywhere. Only [`discover`] and [`load`] touch the file system.
//!
//! # What the generated Rego reads
//! `input`, as the contract of the decision service has it, with these two points that the types alone
//! would not say:
//!
//! - **Money** comes in as `input.cost`, a decimal number of dollars, zero or more, and as `input.cost_micros`,
//!   the same in whole micro-dollars (1 000 000 = one dollar), what lies below one rounded *up*. Where only the
//!   dollars are said, the library turns them into micro-dollars; every sum and comparison is of integers. A call
//!   without `cost` under a budget is denied ("the call does not say its cost"); `0` is a cost.
//! - **What was not said is left out** (or is an empty string): `operation`, `resource`, `model`. A policy
//!   with a rule that reads one of them denies a call that does not say it.
//!
//! `confirmed` counts only as the boolean `true`. `time_ns` is an integer.
//!
//! # What it gives back
//! The decision of the contract. `remaining`, and a charge's `amount` and `max`, are integers of the
//! limit's unit: micro-dollars of a budget, tokens, calls. `reset_ms` and
//! `retry_after_ms` are milliseconds from `input.time_ns`. A limit that only warns, or one that a
//! confirmation has lifted for this call, is charged with the `max` 9007199254740991 (2^53 - 1), so that the
//! store counts it and never refuses it; a charge without `reset_ms` has a window that never ends (`total`).
//!
//! The key of a limit is `"all"`, or the session's id for `max_iterations`; its id is `<policy>.<rule>.<yaml key>`, such as
//! `api_budget.rule_1.monthly_budget`; `data.hexarch.state[limit][key][window][replica]` holds its cells.

mod beside;
mod call;
mod discover;
mod export;
mod file;
mod library;
mod model;
mod nearest;
mod problem;
mod read;
mod rego;
mod ruleset;
mod schema;
mod table;
mod translate;
mod warnings;
mod yaml;

pub use call::{Call, Script, Step};
pub use discover::{DiscoverError, FILE_NAMES, discover};
pub use export::{export_json, export_rego, export_yaml};
pub use file::{FileError, LoadError, LoadOptions, load};
pub use library::{RegoModule, library};
pub use model::{
    Ask, Audit, AuditDurability, AuditStore, ConfirmationSettings, Enforcement, EvaluatorOrder, FailMode,
    FailModes, KeyMaterial, Limit, LimitKind, LogLevel, Logging, Opa, OpaTls, Period, Policy, PolicyFile,
    Prices, Queue, RateAlgorithm, Rule, RuleAction, Secret, Settings, SigningKey, State, StateStore, Webhook,
};
pub use problem::{Place, Problem, ProblemCode, Problems};
pub use ruleset::{
    Condition, ConditionRule, Conditions, Field, NewCondition, NewRule, Operand, Otherwise, RuleSet,
    RuleSetBuilder, Rules, TRACE_ENTRYPOINT, load_rules, trace_modules,
};
pub use table::{Row, Table, Totals};
pub use translate::{LimitInfo, PolicyInfo, RegoPackage, translate, translate_sharing};
pub use warnings::{Warning, WarningCode};

/// The JSON Schema (draft 2020-12) of hexarch.yaml, for editors. It is generated from the tables that the
/// reader goes by, and committed as `docs/hexarch.schema.json`.
pub fn json_schema() -> serde_json::Value {
    schema::json_schema()
}

/// The JSON Schema (draft 2020-12) of a file of rules, for editors; committed as `docs/rules.schema.json`.
pub fn rules_json_schema() -> serde_json::Value {
    schema::rules_schema()
}

/// The keys of a file of rules, in Markdown: a part of `docs/rules.md`.
pub fn rules_key_reference() -> String {
    schema::conditions_reference()
}

/// Every key of hexarch.yaml, what it takes and what it does, in Markdown:
/// committed as `docs/hexarch-yaml.md`.
pub fn key_reference() -> String {
    schema::reference()
}

/// Reads and checks the text of a hexarch.yaml; `file` names it in messages and in generated comments. No file is opened:
/// a policy's `rego` is the text itself, and one that names a file is a problem.
///
/// # Errors
/// All problems of the text at once, in the order of its lines.
pub fn parse(file: &str, text: &str) -> Result<PolicyFile, Problems> {
    read::read(file, text, &beside::Beside::none(file))
}
