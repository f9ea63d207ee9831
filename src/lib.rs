//! Guardrails for code that can do damage: a policy is checked *before* a function runs, and blocks, warns,
//! throttles or asks for a confirmation.
//!
//! Policies are a `hexarch.yaml`. They are compiled to WebAssembly in this process and decided there, in
//! microseconds and without a server; an OPA sidecar can stand in, or come first.
//!
//! ```
//! use hexarch_guardrails::{Action, GuardError, Guardian};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let guardian = Guardian::builder()
//!     .policy_text(
//!         "hexarch.yaml",
//!         r#"
//! policies:
//!   - id: api_budget
//!     rules:
//!       - resource: openai
//!         monthly_budget: 1.00
//!   - id: safe_delete
//!     rules:
//!       - operation: delete
//!         resource: "production/*"
//!         action: block
//! "#,
//!     )
//!     .build()?;
//!
//! // A call within its budget runs, and is charged.
//! let call = || guardian.check("api_budget").map(|check| check.resource("openai").cost(0.60));
//! let answer = call()?.run(|| "42")?;
//! assert_eq!(answer, "42");
//!
//! // The next one would exceed it: it does not run.
//! let denied = call()?.run(|| unreachable!());
//! let Err(GuardError::Denied(violation)) = denied else { panic!("it ran") };
//! assert_eq!(violation.action, Action::Block);
//! assert!(violation.retry_after.is_some());
//!
//! // A decision alone charges nothing and runs nothing.
//! let verdict = guardian.check("safe_delete")?.operation("delete").resource("production/users").decide()?;
//! assert!(!verdict.decision.allowed);
//!
//! // A policy that does not exist is an error where the check is built.
//! assert!(guardian.check("safe_delte").is_err());
//! # Ok(())
//! # }
//! ```
//!
//! Asynchronous code uses [`Check::run_async`] and [`Check::decide_async`]; the synchronous methods need no
//! runtime, also with a sidecar. What a call really cost can be said while it runs: see
//! [`Check::authorize`] and [`Permit::spent`].
//!
//! Without the feature `compiler` (on by default) a program has no compiler in it. It runs modules that were compiled
//! ahead of time, to machine code: see [`GuardianBuilder::precompiled`].
//!
//! **Invariants.** A denied call's closure is not called and its future is not polled. Whatever goes wrong
//! on the way to a decision is a denial with a reason, unless the call's class fails open by configuration.
//! What a panicking or cancelled call had reserved of its budgets is given back.
//!
//! **Shown by** the tests of the crates this one wires together, and by `tests/sdk.rs`.

mod audit;
mod builder;
mod certificates;
mod check;
mod compile;
mod confirmation;
mod custom;
mod error;
#[doc(hidden)]
pub mod guarded;
mod guardian;
mod hooks;
mod installed;
#[cfg(feature = "tower")]
mod limits;
mod logging;
#[cfg(feature = "reqwest-middleware")]
pub mod outgoing;
mod packs;
mod permissive;
mod reload;
mod rules;
#[cfg(feature = "reqwest-middleware")]
mod spent;
mod state;
#[cfg(feature = "tower")]
pub mod tower;
mod wait;

pub use ::guardian::{Permit, TracingAudit, Verdict};
pub use builder::GuardianBuilder;
pub use check::Check;
pub use compile::{DECISION_ENTRYPOINT, sources_digest};
#[cfg(feature = "compiler")]
pub use compile::{compile_for_engine, compile_policies};
pub use custom::DecideFn;
pub use error::{AlreadyInstalled, BuildError, GuardError, NoGuardian, RequestError, UnknownPolicy};
pub use guard_confirm::{
    Desk, DeskConfig, DeskError, Entry as ConfirmationEntry, Filter as ConfirmationFilter, Person,
};
pub use guard_core::{
    Action, Amount, AmountError, AuditError, AuditSink, Batch, CellId, Charge, ChargeKind, ChargeOutcome,
    Clock, ConfirmError, ConfirmRequest, Confirmation, ConfirmationToken, Confirmer, Deadline, Decision,
    DecisionId, EvalError, Evaluated, Evaluator, FailMode, FailModes, FixedClock, Json, LimitFields,
    NoConfirmer, NullAudit, PendingConfirmation, Quantity, Question, Record, RecordKind, Recorded, Reply,
    Request, ReservationId, Revision, Session, Severity, Snapshot, StateError, StateStore, SystemClock,
    Timestamp, User, Violation,
};
pub use guard_eval::{Breaker, BreakerConfig, DecisionService, Fallback, ServiceConfigError};
pub use guard_policy::{EvaluatorOrder, LimitInfo, LoadOptions, PolicyInfo, RuleSet, Settings};
/// Rules with conditions in Rust.
pub mod conditions {
    pub use guard_policy::{Field, NewCondition, NewRule, Operand, Otherwise, RuleAction, RuleSetBuilder};
}
pub use confirmation::open_desk;
pub use guard_state::MemoryStore;
pub use guarded::GuardedReturn;
/// Checks a policy before a function or a method runs, synchronous or not, and tells the policy its named arguments.
///
/// ```
/// use hexarch_guardrails::{GuardError, Guardian, guarded};
///
/// #[guarded("api_budget", resource = "openai", cost = amount, skip(client), secret(key))]
/// fn complete(client: &str, prompt: &str, amount: &str, key: &str) -> Result<String, GuardError> {
///     Ok(format!("{client}: {prompt}"))
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // Without a Guardian nothing runs.
/// assert!(matches!(complete("c", "hi", "0.60", "k"), Err(GuardError::NoGuardian(_))));
/// let text = "policies: [{id: api_budget, rules: [{resource: openai, monthly_budget: 1.00}]}]";
/// Guardian::builder().policy_text("hexarch.yaml", text).build()?.install()?;
/// assert_eq!(complete("c", "hi", "0.60", "k")?, "c: hi");
/// assert!(matches!(complete("c", "hi", "0.60", "k"), Err(GuardError::Denied(_))));
/// # Ok(())
/// # }
/// ```
///
/// **The policy** comes first: a text, or an expression that is one. Then, in any order:
///
/// | option | |
/// |---|---|
/// | `guardian = expr` | the Guardian, or a reference to one, such as `self.guardian`; without it the one that [`Guardian::install`] has installed. When there is none the function does not run |
/// | `operation`, `resource`, `resource_type`, `model`, `feature`, `user`, `role`, `cost`, `tokens`, `confirm`, `confirmation_token`, `idempotency_key`, `function` `= expr` | the method of [`Check`] with that name. An argument's name alone is cloned, so that the body keeps it. `role` can stand there several times; `function` is the path of the function without it |
/// | `context(name = expr, …)` | further members of the context |
/// | `skip(name, …)`, `skip_all` | arguments that the policy is not told |
/// | `secret(name, …)` | arguments that it is told, and nobody is shown: [`Check::secret`] |
/// | `with = \|check\| expr` | anything else: a function from the check to the check |
/// | `within = expr` | waits so long, a `Duration`: [`Check::run_or_wait`] |
/// | `wrap` | the function returns `Result<T, GuardError>`, where `T` is what it says that it returns |
/// | `crate = path` | where this crate is, if not at `::hexarch_guardrails` |
///
/// **What the policy is told.** Every argument with a name of its own is in the context under that name, unless it is
/// skipped, and has to implement `Serialize`: one that does not is an error at the argument. Not told are `self`,
/// arguments that are patterns, such as `(a, b): (u8, u8)`, and those that are skipped; the function's documentation
/// lists both kinds. An argument with the name `confirm` that is `true` is the caller's word that the call is confirmed,
/// as in [`Check::context`].
///
/// **What it returns.** `Result<T, E>` with `E: From<GuardError>`, or a type for which you implement [`GuardedReturn`];
/// or anything with `wrap`. An `Err` of the body's own is a call that has run: its charges stay. A panic, or an
/// asynchronous function that is dropped before its end, gives back what was reserved.
///
/// ```compile_fail
/// # use hexarch_guardrails::guarded;
/// struct Connection;
/// #[guarded("p", wrap)] // `Connection` is not `Serialize`: `skip(connection)`
/// fn read(connection: Connection) -> u8 { 1 }
/// ```
pub use guarded_macro::guarded;
pub use guardian::Guardian;
pub use packs::{Pack, packs};
/// The engine itself, for policies of one's own whose input is a struct: derive `engine::PolicyInput` with
/// `#[policy(crate = "hexarch_guardrails::engine")]`.
#[doc(no_inline)]
pub use rego_engine as engine;
pub use rego_engine::{NativeError, PublicKey};
pub use reload::Reloadable;
#[cfg(feature = "reqwest-middleware")]
pub use spent::Spent;
pub use state::open_state;

/// The README's snippet, as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
