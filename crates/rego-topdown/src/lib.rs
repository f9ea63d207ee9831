//! Evaluates a query step by step over the checked tree, and tells what it does.
//!
//! **Job.** Two things cannot come from a compiled module. [`explain`] says *how* an answer came about: the events of
//! OPA's traces, in OPA's order, and the expressions that were being evaluated when an error ended it. [`partial`]
//! evaluates what can be evaluated although a part of the documents is not known, and gives back what is left as
//! queries and rules.
//!
//! **Invariant.** Nothing is decided here: what a policy answers is what its compiled module answers. Functions are
//! carried out by whoever calls ([`Functions`]), that is, by the engine. An evaluation ends after a number of steps, and
//! nests to a depth that the thread's stack has to hold (about 100 MiB in builds without optimisation).
//!
//! The order of evaluation is OPA's: expressions from left to right, each answer of one followed to the end before the
//! next is looked for, the rules of a document where something refers to it, once.
//!
//! Shown by the group `cli` of the conformance harness.

mod conflict;
mod copy;
mod error;
mod explain;
mod index;
mod machine;
mod negation;
mod partial;
mod partially;
mod picture;
mod print;
mod rules;
mod saving;
mod select;
mod stack;
mod step;
mod term;
mod trace;
mod unify;
mod vars;

pub use error::{Failure, Place};
pub use explain::{Explained, Functions, Question, Unanswered, explain};
pub use partially::{Left, Unknowns, partial};
pub use picture::failure_text;
pub use print::trace_text;
pub use trace::{Event, Explain, Op, filter};
