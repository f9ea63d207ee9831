//! Evaluators behind the port: in this process, in a sidecar, and one after the other.
//!
//! **Job.** Turn a question into a decision, with what is at hand: [`Wasm`] runs the compiled policies in
//! this process; [`Sidecar`] publishes them to an OPA, keeps its copy of the state current, and asks it;
//! [`DecisionService`] asks any service that speaks its contract;
//! [`Fallback`] tries several in order, and [`Breaker`] leaves one alone for a while that keeps failing.
//!
//! **Invariants.**
//! - Whatever goes wrong is an error within the deadline of the question, never a decision: an engine that
//!   traps, a policy that runs too long, a sidecar that hangs, lies or floods.
//! - Every evaluator reads the state at the revision of the store at which the question was asked, or a
//!   later one, and applies only what has changed since its last question.
//! - Which of several evaluators decided is part of the answer.
//!
//! **Shown by** `tests/wasm.rs`, `tests/sidecar.rs` (against a real OPA, which is also killed in the
//! middle) and `tests/hostile.rs` (against a server that misbehaves in every way we could think of).

mod answer;
mod asked;
mod breaker;
mod calendar;
mod cells;
mod fallback;
mod pushed;
mod service;
mod sidecar;
mod wasm;

pub use breaker::{Breaker, BreakerConfig};
pub use fallback::Fallback;
pub use service::{DecisionService, ServiceConfigError};
pub use sidecar::{PolicyText, Sidecar};
pub use wasm::{LoadError, Wasm, WasmConfig};
