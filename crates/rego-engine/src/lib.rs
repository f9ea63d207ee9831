//! Runs compiled policies in wasmtime: warm instances, data documents, deadlines, memory caps.
//!
//! Job: turn the bytes of a module, data and an input into an answer or a typed error, fast and within
//! bounds. It runs the modules of our own compiler and those that OPA built, through ABI 1.2 and 1.3,
//! and carries out the built-in functions that modules leave to their host.
//!
//! Without the feature `compiler` (on by default) there is no compiler in it, and it runs precompiled modules only.
//!
//! Invariant: no evaluation is without a deadline, a memory cap and a stack limit; and after any error
//! the next call works. Nothing else in the project knows wasmtime.
//!
//! Shown by `tests/opa_modules.rs` (modules that a real OPA built, with expected decisions) and
//! `tests/limits.rs` (endless loops, memory bombs, broken input, traps, and what comes after).

mod abi;
mod answer;
mod area;
mod config;
mod data;
mod environment;
mod epoch;
mod error;
mod evaluation;
mod failures;
mod homes;
mod host;
mod input;
mod instance;
mod layout;
mod live;
mod module;
mod native;
mod numbers;
mod patterns;
mod pool;
mod record;
mod run;
mod shared;
mod texts;
mod typed;
mod wire;

pub use answer::{Answer, Key, Wanted};
pub use config::{Config, Engine};
pub use data::DataCell;
pub use environment::Environment;
pub use error::{EngineError, EvalError, ModuleError, PolicyError};
pub use evaluation::{EvalContext, Input, ResultSet, TypedInput};
pub use instance::Instance;
pub use module::{EntrypointId, Module};
#[cfg(feature = "compiler")]
pub use native::{Cpu, NativeOptions, Precompiled};
pub use native::{NativeError, NoPublicKey, PublicKey, Requirements, Verified};
pub use pool::{BorrowError, DataChanges, Pool, PoolConfig};
pub use rego_builtins::Output;
/// Lets a struct be the input of a policy, see [`PolicyInput`](trait@PolicyInput).
pub use rego_input_derive::PolicyInput;
pub use typed::{
    Binding, InputHandle, InputMisfit, InputObject, InputPlan, InputShape, InputWriter, JsonText, Misfit,
    PolicyInput, ShapeField, UnfitInput, WriteInput,
};
