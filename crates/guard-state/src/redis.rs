//! The store in Redis, for processes of several machines: one script per operation, loaded by hash.
//!
//! All keys of a namespace have it in braces, so that a cluster keeps them in one slot, which a batch over many cells
//! needs; tenants that share nothing take namespaces of their own, and so spread over a cluster. The time is the server's.
//! What is acknowledged survives a crash of the server as far as the server writes it down: `appendfsync always`.

mod answers;
mod keys;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use guard_core::{
    Adjusted, Batch, CellFilter, CellView, Changes, ChargeOutcome, Clock, NoListener, Quantity, Reply,
    ReservationId, Revision, Settled, Settlement, Snapshot, StateError, StateEvent, StateListener,
    StateOperator, StateStore, StateUnavailable, Timestamp,
};
use redis::{Client, Connection, Script, Value};

use crate::books;
use crate::cell::micros;
use crate::pool::{Pool, Tried};
use answers::Told;

macro_rules! script {
    ($file:literal) => {
        LazyLock::new(|| Script::new(concat!(include_str!("redis/prelude.lua"), include_str!($file))))
    };
}

static RESERVE: LazyLock<Script> = script!("redis/reserve.lua");
static CLOSE: LazyLock<Script> = script!("redis/close.lua");
static LOOK: LazyLock<Script> = script!("redis/look.lua");

/// How old what is known of other processes' changes may be.
const FRESH: Duration = Duration::from_millis(20);

/// Which Redis, and how to use it.
#[derive(Clone)]
pub struct RedisConfig {
    /// Its address, such as `redis://127.0.0.1:6379/0`.
    pub url: String,
    /// What the keys begin with, in braces.
    pub namespace: String,
    /// Under which name its numbers stand in the state document.
    pub replica: String,
    /// How many connections.
    pub connections: usize,
    /// How long a connection, and an answer, may take.
    pub timeout: Duration,
    /// Where the time comes from in place of the server's clock. For tests and replays.
    pub clock: Option<Arc<dyn Clock>>,
}

impl RedisConfig {
    /// The Redis at this address, four connections, two seconds for an answer.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            namespace: "hexarch".to_owned(),
            replica: "redis".to_owned(),
            connections: 4,
            timeout: Duration::from_secs(2),
            clock: None,
        }
    }
}

/// Keeps the state in Redis.
pub struct RedisStore {
    pool: Pool<Connection>,
    shared: Arc<Shared>,
}

struct Shared {
    name: Arc<str>,
    prefix: String,
    clock_key: String,
    replica: Arc<str>,
    clock: Option<Arc<dyn Clock>>,
    listener: Arc<dyn StateListener>,
    revision: AtomicU64,
    /// The latest time given: a clock that is set back is not followed.
    given: Mutex<Timestamp>,
    looked: Mutex<Instant>,
    looking: AtomicBool,
}

impl RedisStore {
    /// Connects and sees that the scripts run.
    ///
    /// # Errors
    /// When the address is not one, or Redis does not answer.
    pub fn connect(config: &RedisConfig) -> Result<Self, StateError> {
        Self::connect_with(config, Arc::new(NoListener))
    }

    /// The same, and tells this listener what happens.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub fn connect_with(config: &RedisConfig, listener: Arc<dyn StateListener>) -> Result<Self, StateError> {
        // A password in the address is nobody's to read in a log.
        let client = Client::open(config.url.as_str())
            .map_err(|error| StateUnavailable { store: "redis".to_owned(), detail: error.to_string() })?;
        let name: Arc<str> = format!("redis {}", client.get_connection_info().addr()).into();
        let prefix = keys::prefix(&config.namespace);
        let shared = Arc::new(Shared {
            name: Arc::clone(&name),
            clock_key: keys::clock_key(&prefix),
            prefix,
            replica: config.replica.as_str().into(),
            clock: config.clock.clone(),
            listener,
            revision: AtomicU64::new(0),
            given: Mutex::new(Timestamp::from_nanos(i64::MIN)),
            looked: Mutex::new(Instant::now()),
            looking: AtomicBool::new(false),
        });
        let timeout = config.timeout;
        let pool = Pool::start(Arc::clone(&name), config.connections, move || {
            open(&client, timeout).map_err(|error| unavailable(&name, &error))
        })?;
        let store = Self { pool, shared };
        store.look_up(vec!["revision".to_owned()], |_| Ok(())).wait()?;
        Ok(store)
    }

    /// Runs a script with these keys after the clock, and these arguments after the prefix and the time.
    fn run<T: Send + 'static>(
        &self,
        script: &'static LazyLock<Script>,
        keys: Vec<String>,
        arguments: Vec<Vec<u8>>,
        read: impl Fn(&Shared, Told) -> Result<T, StateError> + Send + 'static,
    ) -> Reply<'static, Result<T, StateError>> {
        let shared = Arc::clone(&self.shared);
        self.pool.ask(move |connection| shared.run(connection, script, &keys, &arguments, &read))
    }

    fn look_up<T: Send + 'static>(
        &self,
        arguments: Vec<String>,
        read: impl Fn(Told) -> Result<T, StateError> + Send + 'static,
    ) -> Reply<'static, Result<T, StateError>> {
        self.run(&LOOK, Vec::new(), keys::bytes(arguments), move |shared, told| {
            shared.seen(&told);
            read(told)
        })
    }

    fn reserve_or_charge(
        &self,
        batch: &Batch,
        lease: Option<Duration>,
    ) -> Reply<'static, Result<ChargeOutcome, StateError>> {
        if let Err(error) = books::check_charges(batch) {
            return Reply::Now(Err(error));
        }
        let batch = batch.clone();
        let keys = keys::reserve_keys(&self.shared.prefix, &batch);
        let arguments = vec![keys::reserve_arguments(&batch, lease)];
        self.run(&RESERVE, keys, arguments, move |shared, told| {
            let outcome = told.outcome(&batch, &shared.replica)?;
            if let ChargeOutcome::Charged(charged) = &outcome {
                shared.revision.fetch_max(charged.snapshot.revision.0, Ordering::AcqRel);
                let warned = charged.warnings.iter().cloned().map(StateEvent::Warned);
                warned.for_each(|event| shared.listener.tell(&event));
            }
            Ok(outcome)
        })
    }

    fn close(
        &self,
        id: ReservationId,
        arguments: Vec<Vec<u8>>,
    ) -> Reply<'static, Result<Settled, StateError>> {
        let keys = vec![keys::reservation_key(&self.shared.prefix, id)];
        self.run(&CLOSE, keys, arguments, move |_, told| told.settled(id))
    }

    /// Looks for what other processes have changed, unless somebody has just done so. Nobody waits for it.
    fn look(&self) {
        let mut looked = self.shared.looked.lock().unwrap_or_else(PoisonError::into_inner);
        if looked.elapsed() < FRESH || self.shared.looking.swap(true, Ordering::AcqRel) {
            return;
        }
        *looked = Instant::now();
        drop(looked);
        let looking = Looking(Arc::clone(&self.shared));
        let arguments = keys::bytes(vec!["revision".to_owned()]);
        let reply = self.pool.submit(move |connection| {
            looking.0.run(connection, &LOOK, &[], &arguments, &|shared: &Shared, told| {
                shared.seen(&told);
                Ok(())
            })
        });
        drop(reply);
    }
}

/// Somebody looks for changes, until it is dropped: with an answer, or where Redis gave none.
struct Looking(Arc<Shared>);

impl Drop for Looking {
    fn drop(&mut self) {
        self.0.looking.store(false, Ordering::Release);
    }
}

fn open(client: &Client, timeout: Duration) -> redis::RedisResult<Connection> {
    let connection = client.get_connection_with_timeout(timeout)?;
    connection.set_read_timeout(Some(timeout))?;
    connection.set_write_timeout(Some(timeout))?;
    Ok(connection)
}

fn unavailable(name: &str, error: &redis::RedisError) -> StateError {
    StateUnavailable { store: name.to_owned(), detail: error.to_string() }.into()
}

impl Shared {
    /// One round trip.
    fn run<T>(
        &self,
        connection: &mut Connection,
        script: &Script,
        keys: &[String],
        arguments: &[Vec<u8>],
        read: &impl Fn(&Self, Told) -> Result<T, StateError>,
    ) -> Tried<T> {
        let mut call = script.prepare_invoke();
        call.key(&self.clock_key).key(keys).arg(&self.prefix).arg(self.time()).arg(arguments);
        match call.invoke::<Value>(connection) {
            Err(error) if error.is_io_error() || error.is_timeout() || error.is_unrecoverable_error() => {
                Tried::Broken(unavailable(&self.name, &error))
            }
            Err(error) => Tried::Done(Err(unavailable(&self.name, &error))),
            Ok(value) => Tried::Done(self.hear(value).and_then(|told| read(self, told))),
        }
    }

    fn seen(&self, told: &Told) {
        if let Some(revision) = told.revision() {
            self.revision.fetch_max(revision.0, Ordering::AcqRel);
        }
    }

    /// The time as the scripts want it: microseconds, or nothing where the server's clock counts.
    fn time(&self) -> String {
        let Some(clock) = &self.clock else { return String::new() };
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        *given = clock.now().max(*given);
        micros(*given).to_string()
    }

    /// Tells what expired meanwhile, and gives the rest of the answer.
    fn hear(&self, value: Value) -> Result<Told, StateError> {
        let (expired, told) = Told::of(value, &self.name)?;
        expired.iter().for_each(|event| self.listener.tell(event));
        Ok(told)
    }
}

impl StateStore for RedisStore {
    fn reserve<'a>(
        &'a self,
        batch: &'a Batch,
        lease: Duration,
    ) -> Reply<'a, Result<ChargeOutcome, StateError>> {
        self.reserve_or_charge(batch, Some(lease))
    }

    fn settle<'a>(
        &'a self,
        id: ReservationId,
        actual: &'a Settlement,
    ) -> Reply<'a, Result<Settled, StateError>> {
        if let Err(error) = books::check_settlement(actual) {
            return Reply::Now(Err(error));
        }
        self.close(id, keys::settle_arguments(id, actual))
    }

    fn refund(&self, id: ReservationId) -> Reply<'_, Result<Settled, StateError>> {
        self.close(id, keys::bytes(vec![keys::reservation(id), "refund".to_owned()]))
    }

    fn charge<'a>(&'a self, batch: &'a Batch) -> Reply<'a, Result<ChargeOutcome, StateError>> {
        self.reserve_or_charge(batch, None)
    }

    /// What other processes have changed is seen a moment later.
    fn revision(&self) -> Revision {
        self.look();
        Revision(self.shared.revision.load(Ordering::Acquire))
    }

    fn snapshot(&self) -> Reply<'_, Result<Snapshot, StateError>> {
        let replica = Arc::clone(&self.shared.replica);
        self.look_up(vec!["snapshot".to_owned()], move |told| told.snapshot(&replica))
    }

    fn changes_since(&self, revision: Revision) -> Reply<'_, Result<Changes, StateError>> {
        let replica = Arc::clone(&self.shared.replica);
        // A float would round what is beyond: no revision of ours is.
        let after = revision.0.min(Quantity::LARGEST.units().unsigned_abs());
        let arguments = vec!["changes".to_owned(), after.to_string()];
        self.look_up(arguments, move |told| told.changes(&replica))
    }
}

impl StateOperator for RedisStore {
    fn list<'a>(&'a self, filter: &'a CellFilter) -> Reply<'a, Result<Vec<CellView>, StateError>> {
        self.look_up(keys::filter_arguments("list", filter), |told| told.views())
    }

    fn set<'a>(
        &'a self,
        filter: &'a CellFilter,
        spent: Quantity,
    ) -> Reply<'a, Result<Vec<Adjusted>, StateError>> {
        if let Err(error) = books::check_set(filter, spent) {
            return Reply::Now(Err(error));
        }
        let mut arguments = keys::filter_arguments("set", filter);
        arguments.push(spent.to_string());
        self.run(&LOOK, Vec::new(), keys::bytes(arguments), move |shared, told| {
            let adjusted: Vec<Adjusted> = told
                .views()?
                .into_iter()
                .map(|view| Adjusted { cell: view.cell, before: view.spent, after: spent })
                .collect();
            let events = adjusted.iter().cloned().map(StateEvent::Adjusted);
            events.for_each(|event| shared.listener.tell(&event));
            Ok(adjusted)
        })
    }
}
