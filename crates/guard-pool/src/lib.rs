//! Threads that hold connections, and answers that arrive from them.
//!
//! **Job.** What every store has that is reached over a network, or that must not be waited for on a caller's thread:
//! [`Pool`] runs operations on connections, by threads of its own or on the thread that waits for the answer anyway,
//! [`later`] carries an answer to whoever waits for it, in whatever runtime or none, and [`patiently`] tries again what
//! passes.
//!
//! **Invariant.** An operation that was handed over is carried out or answered with an error; a caller that went away
//! stops nothing and blocks nobody.
//!
//! **Shown by** the tests of `later` and `pool`, and by the suites of the stores that are built on it.

pub mod later;
mod patience;
mod pool;

pub use patience::patiently;
pub use pool::{Failure, Pool, Tried};
