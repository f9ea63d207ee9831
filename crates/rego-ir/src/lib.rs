//! The plan IR: what the compiler makes of a policy and what the code generator reads.
//!
//! The shape is OPA's (`v1/ir`, written by `opa build -t plan`): a plan of OPA's can be compiled by our back end, and
//! our plans can be read by other tools. There are two written forms, OPA's JSON ([`from_json`], [`to_json`]) and a
//! text for people and tests ([`parse_text`], [`print_text`]).
//!
//! **Job**: the data types, their two written forms, and the [verifier](verify()).
//!
//! **Invariant**: a [`VerifiedPlan`] comes from [`verify()`] only, so whoever holds one need not check again.
//!
//! **What must be true**, and how it is shown: no text makes a reader panic or overflow the stack, and nesting ends at
//! [`Block::MAX_DEPTH`] (`tests/forms.rs`); every plan of the conformance corpus is read, verified, and written again to
//! equal JSON and through the text form to an equal policy (`tests/corpus.rs`); each error of the verifier has a case
//! (`tests/verify.rs`).

mod ir;
mod json;
pub mod reads;
pub mod scopes;
mod text;
mod verify;
mod visit;

pub use ir::{
    Block, BuiltinFunc, Func, Local, Location, Operand, Plan, Policy, Static, Stmt, StmtKind, StringIndex,
    UnplannedRule,
};
pub use json::{ReadError, from_json, from_json_value, to_json};
pub use text::{ParseError, parse_text, print_text};
pub use verify::{CALL_DYNAMIC_LEVELS, VerifiedPlan, VerifyError, VerifyErrorKind, verify};
pub use visit::next_local;
