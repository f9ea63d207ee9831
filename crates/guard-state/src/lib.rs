//! Budgets and counters behind the state port.
//!
//! **Job.** Keep what has been spent and decide whether more may be. One store so far: [`MemoryStore`],
//! for one process.
//!
//! **Invariant.** A batch is charged in one atomic step: all of it or nothing, and what all callers
//! together are admitted never exceeds a limit. Settling and refunding count once, however often they are
//! called; a reservation that nobody ends is given back when its lease runs out.
//!
//! **Shown by** `tests/suite`, the behaviour that every store has to have (a macro, so that later stores
//! run the same tests), and in it 8 threads that race for the last units. `tests/memory.rs` also runs that
//! race on a store that checks first and charges afterwards, and demands that it admits too many: the race
//! would notice if the lock were gone.

mod ledger;
mod memory;

pub use memory::MemoryStore;
