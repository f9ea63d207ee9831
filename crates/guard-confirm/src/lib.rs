//! Asks people first: pending confirmations, and the ways to answer them.
//!
//! **Job.** A policy says `require_confirmation`; the [`Desk`] holds the call, gives the caller a token, lets people
//! approve or reject it, and lets the caller go on once, with exactly the call that was approved. It stands behind
//! [`Confirmer`](guard_core::Confirmer), and keeps what is pending in a [`Store`]: [`MemoryStore`] for one process, a
//! SQLite file for those of one machine, Redis or PostgreSQL for those of several.
//!
//! # What a confirmation is
//!
//! *Token.* 192 random bits. What is kept of it is hashes: whoever reads the store can use no confirmation and make
//! none up. Signed tokens ([`Desk::signed`]) carry the confirmation in themselves, and nothing is kept until somebody
//! decides; that they are used once is kept in the same stores.
//!
//! *Binding.* To everything that the caller chooses and the policy decides by: policy, function, operation, resource,
//! user, roles, cost, tokens and context, in canonical JSON under a SHA-256 that is keyed with the token. A retry with
//! another argument is refused, and leaves the confirmation as it is.
//!
//! *States.* `pending` becomes `approved`, `rejected` or `expired`; `approved` becomes `consumed`, or `expired` when
//! nobody comes for it. Each is one atomic step of the store, and exactly one of those who try it wins.
//!
//! *People.* `approvers` are ids and `@role`s; with `four_eyes` it is never the one who asked; `approvals` says how many
//! different people it takes. One rejection is enough. Who and when is recorded.
//!
//! *Secrets* among the arguments are neither shown nor stored: by their names ([`is_secret_name`]) and where the caller
//! marks them.
//!
//! *Time* comes from the clock port, in whole microseconds.
//!
//! # The ways to answer
//!
//! A person at the terminal ([`TerminalConfirmer`]); the command line, or whatever else calls [`Desk::approve`]; and a
//! webhook, told of each confirmation by a courier (the feature `webhook`), with a link that answers it once
//! ([`Desk::answer_link`]), on a page that the feature `page` has (`hexarch-ctl confirm serve` serves it). Whoever asked
//! polls, waits ([`Desk::wait`]) or hears of it ([`ConfirmListener`]).
//!
//! **Invariant.** A confirmation is consumed at most once, never after it was rejected or expired, and only by the call
//! it was asked for. Whatever goes wrong is a denial.
//!
//! **Shown by** `tests/suite`, which every store passes, with random and with signed tokens; `tests/race.rs`, in which
//! four processes of sixteen threads each fight for the same tokens, and a store that checks before it acts is found
//! out; `tests/tokens.rs`, in which every byte of a ticket is tampered with; and `tests/courier`, in which processes are
//! killed before and while they tell a webhook.

#[cfg(feature = "webhook")]
mod courier;
mod desk;
mod entry;
mod error;
mod event;
mod link;
mod memory;
mod open;
#[cfg(feature = "page")]
pub mod page;
#[cfg(feature = "postgres")]
mod postgres;
mod redact;
#[cfg(feature = "redis")]
mod redis;
#[cfg(any(feature = "sqlite", feature = "redis", feature = "postgres"))]
mod rows;
mod signed;
#[cfg(feature = "sqlite")]
mod sqlite;
mod store;
mod terminal;
mod token;
mod wait;

#[cfg(feature = "webhook")]
pub use courier::{Courier, CourierConfig, signature};
pub use desk::{Answer, Asked, Desk, DeskConfig};
pub use entry::{Entry, Person, Rules, State, Step, Vote};
pub use error::{DeskError, Refused, StoreError};
pub use event::{ConfirmEvent, ConfirmListener, Happened, NoListener};
pub use guard_core::is_secret_name;
pub use link::Linked;
pub use memory::MemoryStore;
pub use open::open;
#[cfg(feature = "postgres")]
pub use postgres::{PostgresConfig, PostgresStore};
#[cfg(feature = "redis")]
pub use redis::{RedisConfig, RedisStore};
pub use signed::{Key, KeyError, Keyring};
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;
pub use store::{Due, Filter, Stepped, Store, Stored};
pub use terminal::{StandardTerminal, Terminal, TerminalConfirmer, visible};
