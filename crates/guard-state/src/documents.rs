//! The store in OPA's data documents, for the replicas that share a sidecar.
//!
//! OPA's Data API has no compare-and-swap, and the last write wins. So a replica writes nothing but cells of its own, and
//! what is used of a limit is the sum of all replicas' cells. A charge is asked for in three steps: the replica publishes
//! its cell with the amount in it, reads the cells of all, and where the sum is too much, takes the amount back.
//!
//! *Never more than there is.* Whoever is admitted has published before it read. Of two that are admitted, the one that
//! published later has read the other's amount. So whatever has been admitted was part of the sum that admitted the last
//! of it. Two that race for the last unit may both see it taken: the one whose name comes first then waits for the other,
//! which takes back and tries again a moment later; after 12 tries it is told to come again (`retry_after` of 100 ms).
//!
//! *Writes that come late.* A replica does not know what became of a write that was not answered. It publishes all it holds
//! as a document of a new name and removes the old one; a write that arrives after that finds no document, and before it
//! counts too much, never too little.
//!
//! *A replica that dies* leaves its cells. What it had reserved counts until its leases end, what it had spent until the
//! window ends: it may all have been spent. What it had asked for and never decided counts the same way. Started again
//! with its own copy it publishes the same and goes on.
//!
//! *An OPA that is started anew* has nothing. The first replica that notices marks the new life of its data; every replica
//! notices within a quarter of `grace`, gives back what it holds, and admits nothing until `grace` has passed since the
//! mark was made. A replica that has not come back is given back by all others, as each last saw it: of a cell the newest
//! counts. So what may be missing afterwards is what a replica spent between the last time that any other looked at the same
//! cell and its own end, where both it and OPA are gone and its copy does not come back.
//!
//! *The copy* ([`OpaConfig::copy`]) is a file of this replica's own, synchronised before a charge is acknowledged. Without
//! it a replica that ends leaves its cells to age.
//!
//! What this store does not have: token buckets, which would leak once for each replica, and idempotency keys across
//! replicas: a retry is recognised by the replica that it was first made at. A threshold that two replicas reach at one
//! moment may be told by both, and one that a replica has told stays told in its window when an operator sets what is spent
//! through another. Replicas share a clock, as containers of one pod do.

mod doc;
mod followed;
mod journal;
mod ledger;
mod own;
mod worker;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use guard_core::{
    Adjusted, Batch, CellFilter, CellId, CellView, Changes, ChargeOutcome, Clock, DecisionId, NoListener,
    Quantity, Reply, ReservationId, Revision, Settled, Settlement, Snapshot, StateError, StateListener,
    StateOperator, StateStore, StateUnavailable, Timestamp, Unusable,
};

use crate::later::{self, Giver};
use followed::Followed;
use journal::{Journal, Kept, Peers};
use ledger::Ledger;
use own::Own;
use worker::Worker;

/// How old what is known of other replicas' changes may be.
const FRESH: Duration = Duration::from_millis(20);
/// The most that is read of the documents, in bytes.
const LARGEST_REPLY: usize = 64 << 20;

/// Which OPA, and how its documents are used.
#[derive(Debug, Clone)]
pub struct OpaConfig {
    /// Which OPA, and how to talk to it.
    pub opa: guard_opa::Config,
    /// Below which path the documents stand: names of letters, digits and `_`, joined by slashes.
    pub root: String,
    /// What this replica's name begins with. The rest is drawn at random, and kept in its copy.
    pub replica: String,
    /// This replica's own copy of what it holds. Made when it is not there; its folder has to be.
    pub copy: Option<PathBuf>,
    /// How long an answer of OPA's may take.
    pub timeout: Duration,
    /// How long nothing is admitted after OPA was started anew, so that every replica gives back what it holds.
    pub grace: Duration,
}

impl OpaConfig {
    /// The OPA at this address, documents below `hexarch/ledger`, no copy, one second for an answer, two seconds of grace.
    pub fn new(url: impl Into<String>) -> Self {
        let opa = guard_opa::Config { max_reply: LARGEST_REPLY, ..guard_opa::Config::new(url) };
        Self {
            opa,
            root: "hexarch/ledger".to_owned(),
            replica: "replica".to_owned(),
            copy: None,
            timeout: Duration::from_secs(1),
            grace: Duration::from_secs(2),
        }
    }
}

/// What is asked of the thread.
enum Ask {
    Reserve { batch: Batch, lease: Option<Duration> },
    Settle { id: ReservationId, actual: Settlement },
    Refund { id: ReservationId },
    List { filter: CellFilter },
    Set { filter: CellFilter, spent: Quantity },
    Snapshot,
    Changes { since: Revision },
    Look,
}

impl Ask {
    /// The cells that it names.
    fn cells(&self) -> BTreeSet<&Arc<CellId>> {
        match self {
            Self::Reserve { batch, .. } => batch.charges.iter().map(|charge| &charge.cell).collect(),
            _ => BTreeSet::new(),
        }
    }

    /// Whether it needs all cells.
    fn is_about_all(&self) -> bool {
        !matches!(self, Self::Reserve { .. } | Self::Settle { .. } | Self::Refund { .. })
    }
}

/// What it answers.
enum Answer {
    Outcome(ChargeOutcome),
    Settled(Settled),
    List(Vec<CellView>),
    Adjusted(Vec<Adjusted>),
    Snapshot(Snapshot),
    Changes(Changes),
    Nothing,
}

/// An operation, until it is answered.
struct Op {
    ask: Ask,
    giver: Option<Giver<Result<Answer, StateError>>>,
    tries: u32,
}

impl Op {
    fn answer(&mut self, answer: Result<Answer, StateError>) {
        if let Some(giver) = self.giver.take() {
            giver.give(answer);
        }
    }
}

/// A name that nobody else draws: half of a random UUID.
fn random_name() -> String {
    format!("{:016x}", random())
}

fn random_below(limit: u64) -> u64 {
    random() % limit.max(1)
}

fn random() -> u64 {
    let all = DecisionId::random().as_u128();
    // The lower half: in the upper one stands the version.
    u64::try_from(all & u128::from(u64::MAX)).unwrap_or_default()
}

/// Keeps the state in OPA's documents.
pub struct OpaStore {
    name: Arc<str>,
    jobs: Option<Sender<Op>>,
    thread: Option<JoinHandle<()>>,
    revision: Arc<AtomicU64>,
    looked: Mutex<Instant>,
}

impl OpaStore {
    /// Connects, publishes what this replica holds, and waits until OPA can be trusted to have the others' part: for
    /// [`OpaConfig::grace`] and [`OpaConfig::timeout`] at most, in which OPA may also be starting.
    ///
    /// # Errors
    /// When the configuration or the copy is none, or OPA does not answer in that time.
    pub fn connect(config: &OpaConfig, clock: Arc<dyn Clock>) -> Result<Self, StateError> {
        Self::connect_with(config, clock, Arc::new(NoListener))
    }

    /// The same, and tells this listener what happens.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub fn connect_with(
        config: &OpaConfig,
        clock: Arc<dyn Clock>,
        listener: Arc<dyn StateListener>,
    ) -> Result<Self, StateError> {
        let name: Arc<str> = format!("OPA {}", config.opa.url).into();
        let unusable = |detail: String| Unusable { store: name.to_string(), detail };
        let client = guard_opa::Client::new(&config.opa).map_err(|error| unusable(error.to_string()))?;
        let ledger = Ledger::new(client, Arc::clone(&name), &config.root, config.timeout)?;
        let label: String = config
            .replica
            .chars()
            .filter(|one| one.is_ascii_alphanumeric() || *one == '-')
            .take(64)
            .collect();
        let (journal, kept) = kept(config, &format!("{label}-{}", random_name()))?;
        let (jobs, queue) = channel();
        let revision = Arc::new(AtomicU64::new(0));
        let worker = Worker {
            ledger,
            journal,
            own: kept.own,
            peers: kept.peers,
            peers_changed: BTreeSet::new(),
            known: kept.incarnation,
            trusted: false,
            joined: None,
            latest: kept.latest,
            clock,
            listener,
            followed: Followed::default(),
            revision: Arc::clone(&revision),
            grace: config.grace,
            tidied: Instant::now(),
        };
        let failed =
            |error: std::io::Error| StateUnavailable { store: name.to_string(), detail: error.to_string() };
        let thread = std::thread::Builder::new()
            .name("hexarch-ledger".to_owned())
            .spawn(move || worker.run(&queue))
            .map_err(failed)?;
        let looked = Mutex::new(Instant::now());
        let store = Self { name, jobs: Some(jobs), thread: Some(thread), revision, looked };
        let end = Instant::now() + config.grace + config.timeout;
        loop {
            match store.submit(Ask::Look, |_| Some(())).wait() {
                Ok(()) => return Ok(store),
                // It is being started, or was a moment ago.
                Err(StateError::Unavailable(_)) if Instant::now() < end => std::thread::sleep(FRESH),
                Err(error) => return Err(error),
            }
        }
    }

    /// Hands an operation to the thread.
    fn submit<T: Send + 'static>(
        &self,
        ask: Ask,
        take: impl FnOnce(Answer) -> Option<T> + Send + 'static,
    ) -> Reply<'static, Result<T, StateError>> {
        let (giver, waiter) = later::pair();
        let gone = StateUnavailable {
            store: self.name.to_string(),
            detail: "the thread that works on it has ended".to_owned(),
        };
        let op = Op { ask, giver: Some(giver), tries: 0 };
        match self.jobs.as_ref().map(|jobs| jobs.send(op)) {
            Some(Ok(())) => Reply::later(async move {
                match waiter.await {
                    Some(answer) => answer.and_then(|answer| take(answer).ok_or_else(|| gone.into())),
                    None => Err(gone.into()),
                }
            }),
            _ => Reply::Now(Err(gone.into())),
        }
    }

    /// Looks for what other replicas have changed, unless somebody has just done so. Nobody waits for it.
    fn look(&self) {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        if looked.elapsed() < FRESH {
            return;
        }
        *looked = Instant::now();
        drop(looked);
        let (giver, _) = later::pair();
        let op = Op { ask: Ask::Look, giver: Some(giver), tries: 0 };
        if let Some(jobs) = &self.jobs {
            // A thread that has ended is told to whoever asks for something.
            let _ = jobs.send(op);
        }
    }
}

/// What this replica held when it ended, and where it is written down.
fn kept(config: &OpaConfig, fresh: &str) -> Result<(Option<Journal>, Kept), StateError> {
    let Some(path) = &config.copy else {
        let (own, latest) = (Own::new(fresh), Timestamp::from_nanos(i64::MIN));
        return Ok((None, Kept { own, peers: Peers::new(), incarnation: None, latest }));
    };
    let mut journal = Journal::open(path)?;
    let kept = journal.read(fresh)?;
    // The name is written down before it is used.
    journal.keep(&kept.own, &[], kept.incarnation.as_deref(), kept.latest)?;
    Ok((Some(journal), kept))
}

impl Drop for OpaStore {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // What has been handed over is done; a thread that panicked has nothing left to do.
            let _ = thread.join();
        }
    }
}

fn outcome(answer: Answer) -> Option<ChargeOutcome> {
    if let Answer::Outcome(outcome) = answer { Some(outcome) } else { None }
}

fn settled(answer: Answer) -> Option<Settled> {
    if let Answer::Settled(settled) = answer { Some(settled) } else { None }
}

impl StateStore for OpaStore {
    fn reserve<'a>(
        &'a self,
        batch: &'a Batch,
        lease: Duration,
    ) -> Reply<'a, Result<ChargeOutcome, StateError>> {
        self.submit(Ask::Reserve { batch: batch.clone(), lease: Some(lease) }, outcome)
    }

    fn settle<'a>(
        &'a self,
        id: ReservationId,
        actual: &'a Settlement,
    ) -> Reply<'a, Result<Settled, StateError>> {
        self.submit(Ask::Settle { id, actual: actual.clone() }, settled)
    }

    fn refund(&self, id: ReservationId) -> Reply<'_, Result<Settled, StateError>> {
        self.submit(Ask::Refund { id }, settled)
    }

    fn charge<'a>(&'a self, batch: &'a Batch) -> Reply<'a, Result<ChargeOutcome, StateError>> {
        self.submit(Ask::Reserve { batch: batch.clone(), lease: None }, outcome)
    }

    /// What other replicas have changed is seen a moment later.
    fn revision(&self) -> Revision {
        self.look();
        Revision(self.revision.load(Ordering::Acquire))
    }

    fn snapshot(&self) -> Reply<'_, Result<Snapshot, StateError>> {
        self.submit(Ask::Snapshot, |answer| {
            if let Answer::Snapshot(snapshot) = answer { Some(snapshot) } else { None }
        })
    }

    fn changes_since(&self, revision: Revision) -> Reply<'_, Result<Changes, StateError>> {
        self.submit(Ask::Changes { since: revision }, |answer| {
            if let Answer::Changes(changes) = answer { Some(changes) } else { None }
        })
    }
}

impl StateOperator for OpaStore {
    fn list<'a>(&'a self, filter: &'a CellFilter) -> Reply<'a, Result<Vec<CellView>, StateError>> {
        self.submit(Ask::List { filter: filter.clone() }, |answer| {
            if let Answer::List(cells) = answer { Some(cells) } else { None }
        })
    }

    fn set<'a>(
        &'a self,
        filter: &'a CellFilter,
        spent: Quantity,
    ) -> Reply<'a, Result<Vec<Adjusted>, StateError>> {
        self.submit(Ask::Set { filter: filter.clone(), spent }, |answer| {
            if let Answer::Adjusted(adjusted) = answer { Some(adjusted) } else { None }
        })
    }
}
