//! A client of OPA's REST API.
//!
//! **Job.** Publish policies, push data and ask for decisions, over pooled connections, each call within a
//! deadline of its own.
//!
//! **Invariants.**
//! - Every call ends by its deadline, the connection included, and reads no more than a cap of bytes.
//!   Redirects are not followed and proxies of the environment are not used: a token goes to the address
//!   that was configured and nowhere else.
//! - What is not plainly an answer is a typed error. In particular a document that is undefined is
//!   [`OpaError::Undefined`], not an empty value.
//! - **No runtime is needed.** The client keeps one small thread with a runtime of its own, and its
//!   futures only wait for that thread. They can be awaited on any executor, and waited for without one by
//!   [`guard_core::block_on`].
//!
//! **Shown by** `tests/real_opa.rs` against a real OPA process, and `tests/hostile.rs` against a server
//! that hangs, lies and floods.

mod client;
mod error;
mod patch;
mod path;
mod service;
mod tls;
mod worker;

pub use client::{Client, Config};
pub use error::{ConfigError, OpaError, Refused};
pub use patch::{Patch, PatchOp};
pub use path::{DataPath, UnpushableName};
pub use service::Service;
pub use tls::{Identity, Pem, Tls};
