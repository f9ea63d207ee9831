//! hexarch.yaml: discovery, schema, validation, translation to Rego.
//!
//! # What the generated Rego reads
//! `input`, as the contract of the decision service has it, with these two points that the types alone
//! would not say:
//!
//! - **Money is whole micro-dollars.** `input.cost_micros` is an integer (1 000 000 = one dollar). Whoever
//!   builds the input converts the caller's decimal dollars exactly and rounds what lies below a
//!   micro-dollar *up*. `input.cost`, a decimal number of dollars, may be there for policies written by
//!   hand; generated policies do not read it, since a decimal fraction summed in floats is not money. A
//!   call without `cost_micros` under a budget is denied ("the call does not say its cost").
//! - **What was not said is left out** (or is an empty string): `operation`, `resource`, `model`. A policy
//!   with a rule that reads one of them denies a call that does not say it.
//!
//! `confirmed` counts only as the boolean `true`. `time_ns` is an integer.
//!
//! # What it gives back
//! The decision of the contract. `remaining`, and a charge's `amount` and `max`, are integers of the
//! limit's unit: micro-dollars where `kind` is `"budget"`, calls where it is `"rate"`. `reset_ms` and
//! `retry_after_ms` are milliseconds from `input.time_ns`. A charge **without `max`** is counted and never
//! refused (a limit that only warns, or one that a confirmation has lifted for this call); a charge without
//! `reset_ms` has a window that never ends (`total`).
//!
//! The key of a limit is `"all"`; its id is `<policy>.<rule>.<yaml key>`, such as
//! `api_budget.rule_1.monthly_budget`; `data.hexarch.state[limit][key][window][replica]` holds its cells.
