//! Rego modules to a verified plan: resolve, check, plan.
//!
//! Job: take the syntax trees of a program's modules, check everything that OPA's compiler checks and rewrite
//! them into the form that the planner takes ([`check`], then [`CheckedProgram::compile_query`]).
//!
//! Invariant: a [`CheckedProgram`] exists only if no stage found an error, and its bodies are in an order in
//! which every expression finds its variables bound. A construct that can not be translated is an error with
//! its place, never something else.
//!
//! The stages recurse with the nesting of the source, which the parser bounds; whatever else a policy's author
//! can make long (chains of rules, references, `else`) is walked in loops.
//!
//! Shown by `tests/check.rs`: OPA's verdict, with code, row and column, on thousands of modules.

mod annotations;
mod capabilities;
mod declarations;
mod errors;
mod fragment;
mod graph;
mod locals;
mod options;
pub mod plan;
mod program;
mod query;
mod rule_tree;
mod safety;
mod stage;
mod stages;
mod text;
mod typecheck;
pub mod types;
mod vars;
mod visit;
mod visit_mut;

pub use capabilities::{DeclarationError, declared_builtins};
pub use graph::Graph;
pub use options::{Options, PrintCalls};
pub use program::{CheckedProgram, check};
pub use query::{CheckedQuery, QueryContext};
pub use rego_builtins::names as builtin_names;
pub use rule_tree::{NodeId, RuleEntry, RuleId, RuleNode, RuleTree};
pub use stage::test_reference;
