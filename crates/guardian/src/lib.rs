//! The decision machine, and the driver that does its I/O.
//!
//! **Job.** Take a request from its question to its end: evaluate, ask for a confirmation, charge, record,
//! run, settle or give back. [`Machine`] says what is to be done next and knows nothing of threads,
//! clocks, stores or networks; [`Driver`] does it through the ports of `guard-core` and feeds back what
//! came of it.
//!
//! **Invariants.**
//! - A call runs only after [`Step::Run`], and every path to it goes through an allowing decision, unless
//!   the request's class fails open or nothing is enforced at all, and the record says which.
//! - What was reserved is settled or given back exactly once on every path: also when the closure panics,
//!   when the future that runs it is dropped, and when the record cannot be kept.
//! - A call that stands in line for a limit is let in only after those that came before it, and waits no longer than the
//!   line's terms say.
//! - An event that does not fit the machine's phase is a denial, not a panic and not an allow.
//!
//! **Shown by** `tests/transcripts/`: one readable text for every path, events in and steps out, checked
//! word by word; and `tests/driver.rs`, which runs closures and futures to their end, into a panic and
//! into cancellation.

mod active;
mod audit;
mod driver;
mod line;
mod machine;
mod permit;
mod phases;
mod timer;
mod told;

pub use audit::TracingAudit;
pub use driver::{Driver, Ports, Settings};
pub use line::{NoTurn, QueueTerms};
pub use machine::{Event, Machine, Mode, Note, Ran, Step};
pub use permit::Permit;
pub use phases::{Outcome, Verdict};
pub use timer::Sleep;
