//! The durable store of one machine: a file that several processes share.
//!
//! SQLite with a write-ahead log and full synchronisation: what was acknowledged is on the disk. One thread of the store
//! does the work. What arrives while it waits for the disk is done in the next transaction, all of it (group commit), so
//! that the disk is waited for once for many callers and not once for each.

pub(crate) mod errors;
mod known;
mod rows;
mod schema;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use guard_core::{
    Adjusted, Batch, CellFilter, CellView, Changes, ChargeOutcome, Clock, NoListener, Quantity, Reply,
    ReservationId, Revision, Settled, Settlement, Snapshot, StateError, StateEvent, StateListener,
    StateOperator, StateStore, StateUnavailable, Timestamp,
};
use rusqlite::Connection;

use crate::{books, later};
use errors::told;
use known::Known;
use rows::{Statements, Transaction};

/// The most operations that one transaction does.
const MOST_TOGETHER: usize = 256;

/// How old what is known of other processes' changes may be.
const FRESH: Duration = Duration::from_millis(20);

/// Does one operation in a transaction, or hears why there is none; and says how to answer once it is durable.
type Job = Box<dyn FnOnce(Result<Work<'_, '_, '_>, StateError>) -> Answer + Send>;
type Answer = Box<dyn FnOnce(Result<(), StateError>) + Send>;

/// What an operation works with.
struct Work<'w, 's, 'c> {
    transaction: &'w mut Transaction<'s, 'c>,
    now: Timestamp,
    events: &'w mut Vec<StateEvent>,
}

/// How the file is used.
#[derive(Clone)]
pub struct SqliteConfig {
    /// The file. It is made when it is not there; its folder has to be.
    pub path: PathBuf,
    /// Under which name its numbers stand in the state document.
    pub replica: String,
    /// The most that the file may grow to, in bytes; beyond that charges fail as they do on a full disk.
    pub max_bytes: Option<u64>,
    /// Whether every operation gets a transaction of its own. For comparison.
    pub one_by_one: bool,
}

impl SqliteConfig {
    /// A file, without a limit of its own.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), replica: "sqlite".to_owned(), max_bytes: None, one_by_one: false }
    }
}

/// Keeps the state in a file.
pub struct SqliteStore {
    name: Arc<str>,
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    revision: Arc<AtomicU64>,
    /// When somebody last looked for other processes' changes, and whether somebody does now.
    looked: Mutex<Instant>,
    looking: Arc<AtomicBool>,
}

impl SqliteStore {
    /// Opens the file, makes it one of this version, and starts the thread that works on it.
    ///
    /// # Errors
    /// When the file cannot be opened or written, is damaged, is another program's, or is of a newer version.
    pub fn open(config: &SqliteConfig, clock: Arc<dyn Clock>) -> Result<Self, StateError> {
        Self::open_with(config, clock, Arc::new(NoListener))
    }

    /// The same, and tells this listener what happens.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_with(
        config: &SqliteConfig,
        clock: Arc<dyn Clock>,
        listener: Arc<dyn StateListener>,
    ) -> Result<Self, StateError> {
        let name: Arc<str> = config.path.display().to_string().into();
        let connection = connect(&config.path, config.max_bytes, &name)?;
        let (jobs, queue) = channel();
        let revision = Arc::new(AtomicU64::new(0));
        let worker = Worker {
            name: Arc::clone(&name),
            replica: config.replica.as_str().into(),
            clock,
            listener,
            revision: Arc::clone(&revision),
            together: if config.one_by_one { 1 } else { MOST_TOGETHER },
        };
        let thread = std::thread::Builder::new()
            .name("hexarch-sqlite".to_owned())
            .spawn(move || worker.run(&connection, &queue))
            .map_err(|error| StateUnavailable { store: name.to_string(), detail: error.to_string() })?;
        let (looked, looking) = (Mutex::new(Instant::now()), Arc::new(AtomicBool::new(false)));
        let (jobs, thread) = (Some(jobs), Some(thread));
        let store = Self { name, jobs, thread, revision, looked, looking };
        // The first answer tells that the statements fit the file, and at which revision it is.
        store.submit(|transaction, _, _| books::Rows::revision(transaction)).wait()?;
        Ok(store)
    }

    /// Hands an operation to the thread.
    fn submit<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&mut Transaction<'_, '_>, Timestamp, &mut Vec<StateEvent>) -> Result<T, StateError>
        + Send
        + 'static,
    ) -> Reply<'static, Result<T, StateError>> {
        let (giver, waiter) = later::pair();
        let job: Job = Box::new(move |work| {
            let result = work.and_then(|work| operation(work.transaction, work.now, work.events));
            Box::new(move |kept: Result<(), StateError>| giver.give(kept.and(result)))
        });
        let gone = StateUnavailable {
            store: self.name.to_string(),
            detail: "the thread that works on it has ended".to_owned(),
        };
        match self.jobs.as_ref().map(|jobs| jobs.send(job)) {
            Some(Ok(())) => Reply::later(async move { waiter.await.unwrap_or_else(|| Err(gone.into())) }),
            _ => Reply::Now(Err(gone.into())),
        }
    }

    /// Looks for what other processes have changed, unless somebody has just done so. Nobody waits for it.
    fn look(&self) {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        if looked.elapsed() < FRESH || self.looking.swap(true, Ordering::AcqRel) {
            return;
        }
        *looked = Instant::now();
        drop(looked);
        let looking = Arc::clone(&self.looking);
        let job: Job = Box::new(move |_| Box::new(move |_| looking.store(false, Ordering::Release)));
        if let Some(jobs) = &self.jobs {
            // A thread that has ended is told to whoever asks for something.
            let _ = jobs.send(job);
        }
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // What has been handed over is done; a thread that panicked has nothing left to do.
            let _ = thread.join();
        }
    }
}

fn connect(path: &Path, max_bytes: Option<u64>, name: &str) -> Result<Connection, StateError> {
    let failed = |error| told(name, &error);
    let mut connection = Connection::open(path).map_err(failed)?;
    schema::prepare(&mut connection, name)?;
    if let Some(bytes) = max_bytes {
        let page: u32 = connection.query_row("PRAGMA page_size", [], |row| row.get(0)).map_err(failed)?;
        let pages = (bytes / u64::from(page.max(1))).max(1);
        connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(())).map_err(failed)?;
    }
    Ok(connection)
}

/// The thread's part.
struct Worker {
    name: Arc<str>,
    replica: Arc<str>,
    clock: Arc<dyn Clock>,
    listener: Arc<dyn StateListener>,
    revision: Arc<AtomicU64>,
    together: usize,
}

impl Worker {
    /// Works until every sender is gone.
    fn run(&self, connection: &Connection, queue: &Receiver<Job>) {
        let mut statements = Statements::prepare(connection).map_err(|error| told(&self.name, &error));
        let (mut known, mut latest) = (Known::default(), Timestamp::from_nanos(i64::MIN));
        while let Ok(first) = queue.recv() {
            let more = queue.try_iter().take(self.together - 1);
            let jobs = std::iter::once(first).chain(more);
            match &mut statements {
                Ok(statements) => self.carry_out(statements, &mut known, jobs, &mut latest),
                Err(error) => refuse(jobs, error),
            }
        }
    }

    fn carry_out(
        &self,
        statements: &mut Statements<'_>,
        known: &mut Known,
        jobs: impl Iterator<Item = Job>,
        latest: &mut Timestamp,
    ) {
        *latest = self.clock.now().max(*latest);
        let mut transaction = match Transaction::begin(statements, known, &self.name, &self.replica, *latest)
        {
            Ok(transaction) => transaction,
            Err(error) => return refuse(jobs, &error),
        };
        *latest = transaction.now();
        let advanced = books::advance(&mut transaction, *latest);
        let mut events = advanced.unwrap_or_default();
        let answers: Vec<Answer> = jobs
            .map(|job| {
                *latest = self.clock.now().max(*latest);
                job(Ok(Work { transaction: &mut transaction, now: *latest, events: &mut events }))
            })
            .collect();
        let kept = transaction.commit();
        if let Ok(revision) = &kept {
            self.revision.store(revision.0, Ordering::Release);
            events.iter().for_each(|event| self.listener.tell(event));
        }
        let kept = kept.map(|_| ());
        answers.into_iter().for_each(|answer| answer(kept.clone()));
    }
}

/// Answers that nothing was done.
fn refuse(jobs: impl Iterator<Item = Job>, error: &StateError) {
    jobs.for_each(|job| job(Err(error.clone()))(Err(error.clone())));
}

impl StateStore for SqliteStore {
    fn reserve<'a>(
        &'a self,
        batch: &'a Batch,
        lease: Duration,
    ) -> Reply<'a, Result<ChargeOutcome, StateError>> {
        let batch = batch.clone();
        self.submit(move |transaction, now, events| {
            books::reserve(transaction, &batch, Some(lease), now, events)
        })
    }

    fn settle<'a>(
        &'a self,
        id: ReservationId,
        actual: &'a Settlement,
    ) -> Reply<'a, Result<Settled, StateError>> {
        let actual = actual.clone();
        self.submit(move |transaction, now, events| books::settle(transaction, id, &actual, now, events))
    }

    fn refund(&self, id: ReservationId) -> Reply<'_, Result<Settled, StateError>> {
        self.submit(move |transaction, now, events| books::refund(transaction, id, now, events))
    }

    fn charge<'a>(&'a self, batch: &'a Batch) -> Reply<'a, Result<ChargeOutcome, StateError>> {
        let batch = batch.clone();
        self.submit(move |transaction, now, events| books::reserve(transaction, &batch, None, now, events))
    }

    /// What other processes have changed is seen a moment later.
    fn revision(&self) -> Revision {
        self.look();
        Revision(self.revision.load(Ordering::Acquire))
    }

    fn snapshot(&self) -> Reply<'_, Result<Snapshot, StateError>> {
        self.submit(|transaction, _, _| transaction.snapshot())
    }

    fn changes_since(&self, revision: Revision) -> Reply<'_, Result<Changes, StateError>> {
        self.submit(move |transaction, _, _| transaction.changes_since(revision))
    }
}

impl StateOperator for SqliteStore {
    fn list<'a>(&'a self, filter: &'a CellFilter) -> Reply<'a, Result<Vec<CellView>, StateError>> {
        let filter = filter.clone();
        self.submit(move |transaction, now, _| books::list(transaction, &filter, now))
    }

    fn set<'a>(
        &'a self,
        filter: &'a CellFilter,
        spent: Quantity,
    ) -> Reply<'a, Result<Vec<Adjusted>, StateError>> {
        let filter = filter.clone();
        self.submit(move |transaction, now, events| books::set(transaction, &filter, spent, now, events))
    }
}
