//! The durable audit log.
//!
//! **Job.** Keep records in a file that the processes of one machine share ([`AuditLog`], behind the port
//! [`AuditSink`](guard_core::AuditSink)); read them back ([`Reader`]); and tell whether somebody has changed them
//! ([`Reader::verify`]).
//!
//! **Invariants.**
//! - Entries are one chain, however many processes write: each holds the hash of the one before it, and both are read and
//!   written in one transaction. (`tests/chain.rs`, several processes at once in `tests/crash.rs`)
//! - The hash of an entry covers its version, its sequence, the hash before it and every column of it. (`entry.rs`)
//! - A record whose sink has answered under [`Durability::BeforeOutcome`] is on the disk. (`tests/crash.rs` kills writers)
//! - What is not kept is counted, logged, and told by an entry of its own once the file takes entries again.
//! - What a caller or a name says is a secret does not reach the file. (`hide.rs`)
//!
//! **What it does not show.** Whoever can write the file can also compute a whole new chain, or cut off its end and the
//! head with it: that takes signatures that are kept elsewhere, which this crate does not make. Nothing is deleted by age,
//! and nothing is kept elsewhere while the file cannot be written.

mod entry;
mod error;
mod export;
mod file;
mod hide;
mod reader;
mod sink;

pub use entry::{COLUMNS, Cell, Entry};
pub use error::StoreError;
pub use export::{csv_head, csv_row, json_row};
pub use reader::{Broken, Filter, Reader, Verified};
pub use sink::{AuditLog, Config, Durability};
