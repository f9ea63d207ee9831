//! Budgets and counters behind the state port.
//!
//! **Job.** Keep what has been spent and decide whether more may be: [`MemoryStore`] for one process, and with
//! the feature `sqlite` a file that the processes of one machine share, and that outlives them;
//! with `redis` or `postgres` a server that the processes of several machines share; with `opa` the documents of an OPA
//! that the containers of a pod share (`OpaStore` says how that is sound).
//!
//! [`Leased`] takes slices of any of them and spends them in memory, for those who cannot wait for a server.
//!
//! # What a store does
//!
//! *Cells.* A limit counts in cells: one for each key (a user, a team, everybody) and each window, which the policy
//! names. A [`Charge`](guard_core::Charge) debits one cell, a [`Batch`](guard_core::Batch) many, all or none: so a call
//! is charged to its user, its team and the organisation in one step. A cell is opened by its first charge and dropped
//! when its window has ended and no call that began in it is open any more.
//!
//! *Kinds.* A budget is spent when it is settled and can be given back. A rate counts attempts, which stay counted
//! however the call ended. A concurrency is a number of places, free again whatever ends the reservation. The iterations
//! of a loop are a rate whose key names the loop and whose window is the time that it may take.
//!
//! *Algorithms.* A fixed window counts until it ends. A sliding window lets go of what was spent a span ago, in slots of
//! a 32nd of the span, late rather than early, so that no stretch of that length admits more than the maximum. A bucket
//! leaks evenly. What is reserved in either begins to slide or leak when it is settled.
//!
//! *Reservations.* `reserve` holds the amounts for a lease, `settle` turns them into what the call really took, `refund`
//! gives them back, `charge` reserves and settles in one. A lease that runs out gives back and says so; a call that
//! settles after that is charged all the same, since it did run. What is settled beyond the maximum is counted and told
//! as debt. Each is idempotent by the reservation's id, for a day after its end (in memory: and for the last 65,536
//! ends); an idempotency key of the caller's is such an id, [`ReservationId::of_key`](guard_core::ReservationId::of_key).
//! The same id for other charges is an error.
//!
//! *Time* comes from the store's clock and never runs backwards: a window that was seen to end is closed for good.
//!
//! *Quantities* are whole units, at most 2^53 - 1 in a cell, so that every store counts them exactly. A settlement that
//! would go beyond is refused and stays reserved.
//!
//! *Configurations* that mean different windows or algorithms by one limit's name are an error, told to whoever comes
//! second. A maximum may change at any time: below what is spent, nothing is left and the difference is debt.
//!
//! *Thresholds* are told once for a cell, by whichever charge reaches them first. *Operators* see and set what is spent
//! ([`StateOperator`](guard_core::StateOperator)); that, thresholds and expired leases are told to a
//! [`StateListener`](guard_core::StateListener).
//!
//! # How it is built
//!
//! `cell` is the arithmetic of one cell, `books` are the operations over whatever keeps the rows of one transaction. Redis
//! carries out the same in its scripts (`redis/*.lua`), which the suite and the model hold to it.
//!
//! **Invariant.** A batch is charged in one atomic step: all of it or nothing, and what all callers together are admitted
//! never exceeds a limit.
//!
//! **Shown by** `tests/suite`, the behaviour that every store has to have (a macro, so that each runs the same tests),
//! and in it 8 threads that race for the last units; by `tests/model`, a plain reference with which random histories are
//! compared, steps back in time included; and by `tests/schedules.rs`, the memory store under every schedule that shuttle
//! finds. `tests/memory.rs` also runs the race on a store that checks first and charges afterwards, and demands that it
//! admits too many: the race would notice if the lock were gone.

mod books;
mod cell;
#[cfg(any(feature = "sqlite", feature = "redis", feature = "postgres"))]
mod coded;
#[cfg(feature = "opa")]
mod documents;
mod leased;
mod memory;
mod open;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "sqlite")]
mod sqlite;
mod sync;

#[cfg(any(feature = "sqlite", feature = "redis", feature = "postgres"))]
use guard_pool::later;

/// Threads that each hold one connection. Operations are idempotent by their reservation.
#[cfg(any(feature = "redis", feature = "postgres"))]
mod pool {
    use guard_core::StateError;

    pub(crate) type Pool<C> = guard_pool::Pool<C, StateError>;
    pub(crate) type Tried<T> = guard_pool::Tried<T, StateError>;
}

#[cfg(feature = "opa")]
pub use documents::{OpaConfig, OpaStore};
pub use leased::{Leased, LeasedConfig};
pub use memory::MemoryStore;
pub use open::{Store, open};
#[cfg(feature = "postgres")]
pub use postgres::{PostgresConfig, PostgresStore};
#[cfg(feature = "redis")]
pub use redis::{RedisConfig, RedisStore};
#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteConfig, SqliteStore};
