//! Races callers and crashes on a state store, and judges what is left.
//!
//! **Job.** Each run spends a small budget of three nested limits (user, team, organisation) from threads of several
//! processes, which are killed at random instants and begin again. Every process writes a log of its own: what it tries
//! before it asks the store, and what was acknowledged after. When all have ended and all leases have run out, [`judge`]
//! compares the store with the logs.
//!
//! **Invariants checked.** What was admitted never exceeds a limit, but for calls that settled after their lease, which
//! are counted all the same. Every acknowledged charge is there, nothing is counted twice, and nothing is counted in a
//! part of its batch. What was in doubt when a process died is asked of the store by its reservation, and then known.
//! After all leases have run out nothing is reserved. Of slices ([`judge_slices`]): what was acknowledged never exceeds a
//! limit and is always covered by what the store counts, which is exact where no process was killed.
//!
//! Of replicas that share an OPA ([`judge_replicas`]): each is asked for its own reservations, with its own copy, and each
//! has to see the same sums.
//!
//! **Shown by** `tests/mutants.rs`: a store without its lock, its lease check, its idempotency or its all-or-nothing is
//! found out, and replicas that publish after they have looked, and a copy that is lost; and by `tests/stores.rs`, which
//! tortures each store with kills, server restarts and cut connections.

mod journal;
mod judge;
mod load;
mod parent;
mod proxy;
mod random;
mod slices;

pub use judge::{Verdict, judge, judge_replicas};
pub use load::{Load, spend, worker, worker_of};
pub use parent::{Plan, Report, Trouble, torture};
pub use proxy::Proxy;
pub use slices::judge_slices;
