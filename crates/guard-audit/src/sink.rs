//! The sink: records are handed to a thread, which writes all that are waiting in one transaction.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use guard_core::{Action, AuditError, AuditSink, Clock, DecisionId, Record, RecordKind, Recorded, Reply};
use guard_pool::later::{Giver, pair};
use rusqlite::Connection;

use crate::entry::{Cell, cells};
use crate::error::StoreError;
use crate::file::{append, connect};

/// The most records that one transaction writes.
const MOST_TOGETHER: usize = 512;

/// When a record is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Durability {
    /// Before the call runs, or is denied: its record is on the disk then. A record that cannot be kept is an error, and
    /// the Guardian does as its fail mode says.
    BeforeOutcome,
    /// As soon as the disk has taken the records before it; the call does not wait. A process that is killed loses those
    /// that were handed over last.
    #[default]
    Grouped,
    /// The same, and the system says when the disk is written: a machine that loses its power may lose the last seconds.
    Async,
}

/// Where and how records are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The file. It is made when it is not there; its folder has to be.
    pub path: PathBuf,
    /// When a record is kept.
    pub durability: Durability,
    /// The most records that may wait for the disk. Further ones are dropped, and counted; under
    /// [`Durability::BeforeOutcome`] they are errors.
    pub queue: usize,
}

impl Config {
    /// A file, grouped, with up to 10 000 records that wait.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), durability: Durability::default(), queue: 10_000 }
    }
}

/// Keeps records in a file. What waits is written before this is gone.
pub struct AuditLog {
    shared: Arc<Shared>,
    durability: Durability,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    name: String,
    most: usize,
    queue: Mutex<Queue>,
    arrived: Condvar,
    dropped: AtomicU64,
    clock: Arc<dyn Clock>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    /// How many were dropped that no entry tells of yet.
    untold: u64,
    closed: bool,
}

struct Waiting {
    cells: Vec<Cell>,
    giver: Option<Giver<Result<(), AuditError>>>,
}

impl AuditLog {
    /// Opens the file and starts the thread that writes it.
    ///
    /// # Errors
    /// When the file cannot be opened or written, is another program's, or is of a newer version.
    pub fn open(config: &Config, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let name = config.path.display().to_string();
        let mut connection = connect(&config.path, &name, config.durability != Durability::Async)?;
        let shared = Arc::new(Shared {
            name: name.clone(),
            most: config.queue,
            queue: Mutex::default(),
            arrived: Condvar::new(),
            dropped: AtomicU64::new(0),
            clock,
        });
        let working = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("hexarch-audit".to_owned())
            .spawn(move || working.run(&mut connection))
            .map_err(|error| StoreError::Unavailable { store: name, detail: error.to_string() })?;
        Ok(Self { shared, durability: config.durability, thread: Some(thread) })
    }

    /// How many records were not kept since this was opened.
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }
}

impl AuditSink for AuditLog {
    fn record<'a>(&'a self, record: &'a Record) -> Reply<'a, Result<(), AuditError>> {
        let cells = cells(record);
        if self.durability != Durability::BeforeOutcome {
            if !self.shared.hand_over(Waiting { cells, giver: None }) {
                self.shared.count_dropped(1, "too many records wait for the disk");
            }
            return Reply::Now(Ok(()));
        }
        let (giver, waiter) = pair();
        if !self.shared.hand_over(Waiting { cells, giver: Some(giver) }) {
            return Reply::Now(Err(self.shared.failed("too many records wait for the disk")));
        }
        let gone = self.shared.failed("the thread that writes it has ended");
        Reply::later(async move { waiter.await.unwrap_or(Err(gone)) })
    }
}

impl Drop for AuditLog {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.arrived.notify_all();
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has nothing left to write.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, why: &str) -> AuditError {
        AuditError { detail: format!("`{}`: {why}", self.name) }
    }

    /// Whether there was room.
    fn hand_over(&self, waiting: Waiting) -> bool {
        let mut queue = self.lock();
        if queue.waiting.len() >= self.most {
            return false;
        }
        queue.waiting.push_back(waiting);
        drop(queue);
        self.arrived.notify_one();
        true
    }

    fn count_dropped(&self, count: u64, why: &str) {
        self.dropped.fetch_add(count, Ordering::Relaxed);
        let mut queue = self.lock();
        let first = queue.untold == 0;
        queue.untold = queue.untold.saturating_add(count);
        drop(queue);
        // The first is told at once, and all of them by an entry when the file takes entries again.
        if first {
            tracing::error!(target: "hexarch::audit", store = %self.name, "records are not kept: {why}");
        }
    }

    fn run(&self, connection: &mut Connection) {
        while let Some((batch, untold)) = self.next() {
            let about_drops = (untold > 0).then(|| cells(&self.told_of(untold)));
            let entries = about_drops.iter().map(Vec::as_slice);
            let entries = entries.chain(batch.iter().map(|waiting| waiting.cells.as_slice()));
            let written = append(connection, entries);
            let unwritten = batch.iter().filter(|waiting| waiting.giver.is_none()).count() as u64;
            match written {
                Ok(()) if untold > 0 => {
                    tracing::warn!(target: "hexarch::audit", store = %self.name, "{untold} records were not kept");
                }
                Ok(()) => {}
                // It is closed, and nothing else is left to write: the log has been told.
                Err(_) if batch.is_empty() => return,
                Err(ref error) => {
                    self.lock().untold += untold;
                    if unwritten > 0 {
                        self.count_dropped(unwritten, &error.to_string());
                    }
                }
            }
            for giver in batch.into_iter().filter_map(|waiting| waiting.giver) {
                giver.give(written.as_ref().map(|_| ()).map_err(|error| self.failed(&error.to_string())));
            }
        }
    }

    /// What is to be written next, and how many records no entry tells of; none when all is done.
    fn next(&self) -> Option<(Vec<Waiting>, u64)> {
        let mut queue = self.lock();
        while queue.waiting.is_empty() && !queue.closed {
            queue = self.arrived.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        let count = queue.waiting.len().min(MOST_TOGETHER);
        let batch: Vec<Waiting> = queue.waiting.drain(..count).collect();
        let untold = std::mem::take(&mut queue.untold);
        (!batch.is_empty() || untold > 0).then_some((batch, untold))
    }

    /// The entry that stands for records that were not kept.
    fn told_of(&self, count: u64) -> Record {
        Record::beside_calls(
            RecordKind::RecordsDropped,
            DecisionId::random(),
            self.clock.now(),
            (Recorded::Error, Action::Warn),
            format!("{count} records were not kept"),
        )
    }
}
