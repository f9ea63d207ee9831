//! The store in PostgreSQL, for processes of several machines: one transaction per operation.
//!
//! A transaction begins with the lock of one row, and so has its turn; what the server rolls back all the same, for a
//! deadlock or a conflict, is tried again within a bound. The time is the server's.

mod rows;

use std::error::Error as _;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use guard_core::{
    Adjusted, Batch, CellFilter, CellView, Changes, ChargeOutcome, Clock, NoListener, Quantity, Reply,
    ReservationId, Revision, Settled, Settlement, Snapshot, StateError, StateEvent, StateListener,
    StateOperator, StateStore, StateUnavailable, Timestamp, Unusable,
};
use postgres::error::SqlState;
use postgres::{Client, Config, GenericClient, NoTls};

use crate::books;
use crate::pool::{Pool, Tried};
use rows::{Connected, Failed, Turn};

/// How often a transaction that the server rolled back is made again.
const TRIES: usize = 8;

/// How old what is known of other processes' changes may be.
const FRESH: Duration = Duration::from_millis(20);

/// The version of the tables.
const VERSION: i64 = 1;

/// Which PostgreSQL, and how to use it.
#[derive(Clone)]
pub struct PostgresConfig {
    /// Its address, such as `postgres://user:password@host:5432/database`.
    pub url: String,
    /// The schema that the tables are in, made when it is not there.
    pub schema: String,
    /// Under which name its numbers stand in the state document.
    pub replica: String,
    /// How many connections.
    pub connections: usize,
    /// How long a connection, and a statement, may take.
    pub timeout: Duration,
    /// Where the time comes from in place of the server's clock. For tests and replays.
    pub clock: Option<Arc<dyn Clock>>,
}

impl PostgresConfig {
    /// The PostgreSQL at this address, four connections, five seconds for an answer.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            schema: "hexarch".to_owned(),
            replica: "postgres".to_owned(),
            connections: 4,
            timeout: Duration::from_secs(5),
            clock: None,
        }
    }
}

/// Keeps the state in PostgreSQL.
pub struct PostgresStore {
    pool: Pool<Connected>,
    shared: Arc<Shared>,
}

struct Shared {
    name: Arc<str>,
    replica: Arc<str>,
    clock: Option<Arc<dyn Clock>>,
    listener: Arc<dyn StateListener>,
    revision: AtomicU64,
    /// The latest time given: a clock that is set back is not followed.
    given: Mutex<Timestamp>,
    looked: Mutex<Instant>,
    looking: AtomicBool,
}

impl PostgresStore {
    /// Connects, and makes the tables where there are none.
    ///
    /// # Errors
    /// When the address is not one, PostgreSQL does not answer, or the tables are of a newer version.
    pub fn connect(config: &PostgresConfig) -> Result<Self, StateError> {
        Self::connect_with(config, Arc::new(NoListener))
    }

    /// The same, and tells this listener what happens.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub fn connect_with(
        config: &PostgresConfig,
        listener: Arc<dyn StateListener>,
    ) -> Result<Self, StateError> {
        let name: Arc<str> = "postgres".into();
        let mut server = Config::from_str(&config.url).map_err(|error| told(&name, &error))?;
        let milliseconds = config.timeout.as_millis();
        server.connect_timeout(config.timeout).options(&format!("-c statement_timeout={milliseconds}"));
        let shared = Arc::new(Shared {
            name: Arc::clone(&name),
            replica: config.replica.as_str().into(),
            clock: config.clock.clone(),
            listener,
            revision: AtomicU64::new(0),
            given: Mutex::new(Timestamp::from_nanos(i64::MIN)),
            looked: Mutex::new(Instant::now()),
            looking: AtomicBool::new(false),
        });
        let (schema, store) = (config.schema.clone(), Arc::clone(&name));
        let open = move || connect(&server, &schema, &store);
        let pool = Pool::start(name, config.connections, open)?;
        let store = Self { pool, shared };
        store.run(|turn, _, _| books::Rows::revision(turn)).wait()?;
        Ok(store)
    }

    fn run<T: Send + 'static>(
        &self,
        mut operation: impl FnMut(&mut Turn<'_>, Timestamp, &mut Vec<StateEvent>) -> Result<T, StateError>
        + Send
        + 'static,
    ) -> Reply<'static, Result<T, StateError>> {
        let shared = Arc::clone(&self.shared);
        self.pool.submit(move |connected| shared.carry_out(connected, &mut operation))
    }

    /// Looks for what other processes have changed, unless somebody has just done so. Nobody waits for it.
    fn look(&self) {
        let mut looked = self.shared.looked.lock().unwrap_or_else(PoisonError::into_inner);
        if looked.elapsed() < FRESH || self.shared.looking.swap(true, Ordering::AcqRel) {
            return;
        }
        *looked = Instant::now();
        drop(looked);
        let shared = Arc::clone(&self.shared);
        drop(self.run(move |_, _, _| {
            shared.looking.store(false, Ordering::Release);
            Ok(())
        }));
    }
}

fn connect(server: &Config, schema: &str, store: &Arc<str>) -> Result<Connected, StateError> {
    let failed = |error: postgres::Error| told(store, &error);
    let mut client = server.connect(NoTls).map_err(failed)?;
    let quoted = format!("\"{}\"", schema.replace('"', "\"\""));
    client.batch_execute(&format!("SET search_path TO {quoted}")).map_err(failed)?;
    if is_missing(&mut client, schema).map_err(failed)? {
        make(&mut client, schema, &quoted).map_err(failed)?;
    }
    let version: i64 = client
        .query_one("SELECT version FROM version", &[])
        .and_then(|row| row.try_get(0))
        .map_err(failed)?;
    if version != VERSION {
        let detail = format!("its tables are of version {version}, and this program knows {VERSION}");
        return Err(Unusable { store: store.to_string(), detail }.into());
    }
    Connected::new(client).map_err(failed)
}

/// Asked of the catalogue as it is now: what the search path leads to is remembered for a while.
fn is_missing(client: &mut impl GenericClient, schema: &str) -> Result<bool, postgres::Error> {
    let there = "SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = $1 AND tablename = 'version'";
    client.query_opt(there, &[&schema]).map(|there| there.is_none())
}

/// Who comes first makes the schema and the tables, and who comes meanwhile waits for that: also confirmations, which are kept
/// in the same schema unless somebody says otherwise, and have the same lock.
fn make(client: &mut Client, schema: &str, quoted: &str) -> Result<(), postgres::Error> {
    let mut making = client.transaction()?;
    making.batch_execute("SELECT pg_advisory_xact_lock(5211468170125926227)")?;
    // Who came first may work with them by now, and an index that is there would be waited for all the same.
    if is_missing(&mut making, schema)? {
        let tables = include_str!("postgres/schema.sql");
        making.batch_execute(&format!("CREATE SCHEMA IF NOT EXISTS {quoted}; {tables}"))?;
    }
    making.commit()
}

fn told(store: &str, error: &postgres::Error) -> StateError {
    let cause = error.source().map(|source| format!("{error}: {source}"));
    let said = error.as_db_error().map(ToString::to_string);
    let detail = said.or(cause).unwrap_or_else(|| error.to_string());
    StateUnavailable { store: store.to_owned(), detail }.into()
}

/// Whether the server rolled it back for the sake of another transaction.
fn is_conflict(error: &postgres::Error) -> bool {
    [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED]
        .iter()
        .any(|state| error.code() == Some(state))
}

impl Shared {
    fn time(&self) -> Option<Timestamp> {
        let clock = self.clock.as_ref()?;
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        *given = clock.now().max(*given);
        Some(*given)
    }

    fn carry_out<T>(
        &self,
        connected: &mut Connected,
        operation: &mut impl FnMut(&mut Turn<'_>, Timestamp, &mut Vec<StateEvent>) -> Result<T, StateError>,
    ) -> Tried<T> {
        for attempt in 1..=TRIES {
            match self.once(connected, operation) {
                Ok(result) => return Tried::Done(result),
                Err(Failed::Told(error)) => return Tried::Done(Err(error)),
                Err(Failed::Database(error)) if is_conflict(&error) && attempt < TRIES => {}
                // A transaction that failed half-way may still be open on this connection.
                Err(Failed::Database(error)) => return Tried::Broken(told(&self.name, &error)),
            }
        }
        Tried::Broken(
            StateUnavailable { store: self.name.to_string(), detail: "conflicts".to_owned() }.into(),
        )
    }

    fn once<T>(
        &self,
        connected: &mut Connected,
        operation: &mut impl FnMut(&mut Turn<'_>, Timestamp, &mut Vec<StateEvent>) -> Result<T, StateError>,
    ) -> Result<Result<T, StateError>, Failed> {
        let mut turn =
            Turn::begin(connected, &self.name, &self.replica, self.time()).map_err(Failed::Database)?;
        let now = turn.now();
        let mut events = Vec::new();
        let result = books::advance(&mut turn, now).and_then(|advanced| {
            events = advanced;
            operation(&mut turn, now, &mut events)
        });
        if let Some(failed) = turn.failed.take() {
            turn.roll_back().map_err(Failed::Database)?;
            return Err(failed);
        }
        let revision = turn.commit()?;
        self.revision.fetch_max(revision.0, Ordering::AcqRel);
        events.iter().for_each(|event| self.listener.tell(event));
        Ok(result)
    }
}

impl StateStore for PostgresStore {
    fn reserve<'a>(
        &'a self,
        batch: &'a Batch,
        lease: Duration,
    ) -> Reply<'a, Result<ChargeOutcome, StateError>> {
        let batch = batch.clone();
        self.run(move |turn, now, events| books::reserve(turn, &batch, Some(lease), now, events))
    }

    fn settle<'a>(
        &'a self,
        id: ReservationId,
        actual: &'a Settlement,
    ) -> Reply<'a, Result<Settled, StateError>> {
        let actual = actual.clone();
        self.run(move |turn, now, events| books::settle(turn, id, &actual, now, events))
    }

    fn refund(&self, id: ReservationId) -> Reply<'_, Result<Settled, StateError>> {
        self.run(move |turn, now, events| books::refund(turn, id, now, events))
    }

    fn charge<'a>(&'a self, batch: &'a Batch) -> Reply<'a, Result<ChargeOutcome, StateError>> {
        let batch = batch.clone();
        self.run(move |turn, now, events| books::reserve(turn, &batch, None, now, events))
    }

    /// What other processes have changed is seen a moment later.
    fn revision(&self) -> Revision {
        self.look();
        Revision(self.shared.revision.load(Ordering::Acquire))
    }

    fn snapshot(&self) -> Reply<'_, Result<Snapshot, StateError>> {
        self.run(|turn, _, _| turn.snapshot())
    }

    fn changes_since(&self, revision: Revision) -> Reply<'_, Result<Changes, StateError>> {
        self.run(move |turn, _, _| turn.changes_since(revision))
    }
}

impl StateOperator for PostgresStore {
    fn list<'a>(&'a self, filter: &'a CellFilter) -> Reply<'a, Result<Vec<CellView>, StateError>> {
        let filter = filter.clone();
        self.run(move |turn, now, _| books::list(turn, &filter, now))
    }

    fn set<'a>(
        &'a self,
        filter: &'a CellFilter,
        spent: Quantity,
    ) -> Reply<'a, Result<Vec<Adjusted>, StateError>> {
        let filter = filter.clone();
        self.run(move |turn, now, events| books::set(turn, &filter, spent, now, events))
    }
}
