//! The store in PostgreSQL, for processes of several machines. A step reads first without a lock, since most of what is
//! asked is refused; what changes something is one transaction, which locks one row.

use std::error::Error as _;
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use guard_core::Timestamp;
use guard_pool::{Pool, Tried};
use postgres::types::Type;
use postgres::{Client, Config, GenericClient, NoTls, Transaction};

use crate::entry::{Entry, Step, to_micros};
use crate::error::StoreError;
use crate::rows::{body_of, read_body};
use crate::store::{Due, Filter, Stepped, Store, Stored};

/// The version of the tables.
const VERSION: i64 = 1;

/// Making an index waits for whoever works with the table, even where there is one: so it is only done with the tables.
const TABLES: &str = "
    DO $$ BEGIN
        IF NOT EXISTS (
            SELECT 1 FROM pg_catalog.pg_tables
            WHERE schemaname = current_schema() AND tablename = 'confirm_version'
        ) THEN
            CREATE TABLE confirm_version (version bigint NOT NULL);
            INSERT INTO confirm_version VALUES (1);
            CREATE TABLE confirmations (
                id text PRIMARY KEY, asked bigint NOT NULL, expires bigint NOT NULL, state text NOT NULL,
                body text NOT NULL
            );
            CREATE INDEX confirmations_open ON confirmations (expires) WHERE state IN ('pending', 'approved');
            CREATE INDEX confirmations_asked ON confirmations (asked);
            CREATE TABLE confirm_outbox (id text PRIMARY KEY, due bigint NOT NULL, tries integer NOT NULL);
            CREATE INDEX confirm_outbox_due ON confirm_outbox (due);
        END IF;
    END $$;
";

/// Which PostgreSQL, and how to use it.
#[derive(Clone)]
pub struct PostgresConfig {
    /// Its address, such as `postgres://user:password@host:5432/database`.
    pub url: String,
    /// The schema that the tables are in, made when it is not there.
    pub schema: String,
    /// How many connections.
    pub connections: usize,
    /// How long a connection, and a statement, may take.
    pub timeout: Duration,
}

impl PostgresConfig {
    /// The PostgreSQL at this address, two connections, five seconds for an answer.
    pub fn new(url: impl Into<String>) -> Self {
        let schema = "hexarch".to_owned();
        Self { url: url.into(), schema, connections: 2, timeout: Duration::from_secs(5) }
    }
}

/// Keeps confirmations in PostgreSQL.
pub struct PostgresStore {
    pool: Pool<Client, StoreError>,
}

impl PostgresStore {
    /// Connects, and makes the tables where there are none.
    ///
    /// # Errors
    /// When the address is not one, PostgreSQL does not answer, or the tables are of another version.
    pub fn connect(config: &PostgresConfig) -> Result<Self, StoreError> {
        let mut server = Config::from_str(&config.url).map_err(|error| told(&error))?;
        let milliseconds = config.timeout.as_millis();
        server.connect_timeout(config.timeout).options(&format!("-c statement_timeout={milliseconds}"));
        let schema = config.schema.clone();
        let pool = Pool::start(Arc::from("postgres"), config.connections, move || open(&server, &schema))?;
        let store = Self { pool };
        store.run(|_| Ok(())).wait()?;
        Ok(store)
    }

    fn run<T: Send + 'static>(
        &self,
        mut operation: impl FnMut(&mut Client) -> Result<T, Failed> + Send + 'static,
    ) -> Stored<'static, T> {
        self.pool.submit(move |client| match operation(client) {
            Ok(done) => Tried::Done(Ok(done)),
            // The transaction may still be open on this connection. Each step may be repeated.
            Err(Failed::Server(error)) => Tried::Broken(told(&error)),
            Err(Failed::Garbled(detail)) => Tried::Done(Err(unusable(detail))),
        })
    }
}

enum Failed {
    Server(postgres::Error),
    Garbled(String),
}

impl From<postgres::Error> for Failed {
    fn from(error: postgres::Error) -> Self {
        Self::Server(error)
    }
}

impl From<serde_json::Error> for Failed {
    fn from(error: serde_json::Error) -> Self {
        Self::Garbled(format!("an entry is garbled: {error}"))
    }
}

fn told(error: &postgres::Error) -> StoreError {
    let cause = error.source().map(|source| format!("{error}: {source}"));
    let said = error.as_db_error().map(ToString::to_string);
    let detail = said.or(cause).unwrap_or_else(|| error.to_string());
    StoreError::Unavailable { store: "postgres".to_owned(), detail }
}

fn unusable(detail: String) -> StoreError {
    StoreError::Unusable { store: "postgres".to_owned(), detail }
}

fn open(server: &Config, schema: &str) -> Result<Client, StoreError> {
    let failed = |error: postgres::Error| told(&error);
    let mut client = server.connect(NoTls).map_err(failed)?;
    let schema = schema.replace('"', "\"\"");
    // Who comes first makes the schema and the tables, and who comes meanwhile waits for that: also the state, which is
    // kept in the same schema unless somebody says otherwise, and has the same lock.
    let made = format!(
        "BEGIN; SELECT pg_advisory_xact_lock(5211468170125926227); CREATE SCHEMA IF NOT EXISTS \"{schema}\";
         SET search_path TO \"{schema}\"; {TABLES} COMMIT;"
    );
    client.batch_execute(&made).map_err(failed)?;
    let row = client.query_one("SELECT version FROM confirm_version", &[]).map_err(failed)?;
    let version: i64 = row.try_get(0).map_err(failed)?;
    if version != VERSION {
        return Err(unusable(format!(
            "its tables are of version {version}, and this program knows {VERSION}"
        )));
    }
    Ok(client)
}

fn get(client: &mut impl GenericClient, text: &str, id: &str) -> Result<Option<Entry>, Failed> {
    // In one message there and back: with its type said, nothing has to be prepared first.
    let rows = client.query_typed(text, &[(&id, Type::TEXT)])?;
    let Some(row) = rows.first() else { return Ok(None) };
    Ok(Some(read_body(row.try_get(0)?)?))
}

const GET: &str = "SELECT body FROM confirmations WHERE id = $1";
const LOCK: &str = "SELECT body FROM confirmations WHERE id = $1 FOR UPDATE";
const BEGIN: &str = "INSERT INTO confirmations VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING";

fn insert(transaction: &mut Transaction<'_>, entry: &Entry) -> Result<(), Failed> {
    let (asked, expires) = (to_micros(entry.asked), to_micros(entry.expires));
    let body = body_of(entry)?;
    transaction.execute(BEGIN, &[&entry.id, &asked, &expires, &entry.state.as_str(), &body])?;
    Ok(())
}

fn update(transaction: &mut Transaction<'_>, entry: &Entry) -> Result<(), Failed> {
    let text = "UPDATE confirmations SET state = $2, body = $3 WHERE id = $1";
    transaction.execute(text, &[&entry.id, &entry.state.as_str(), &body_of(entry)?])?;
    Ok(())
}

fn bodies(rows: &[postgres::Row]) -> Result<Vec<Entry>, Failed> {
    rows.iter().map(|row| Ok(read_body(row.try_get(0)?)?)).collect()
}

fn step_of(
    client: &mut Client,
    id: &str,
    step: &Step,
    begin: Option<&Entry>,
    now: Timestamp,
) -> Result<Option<Stepped>, Failed> {
    // Most of what is asked is refused, and changes nothing: for that nobody has to wait for a lock.
    match get(client, GET, id)? {
        None if begin.is_none() => return Ok(None),
        None => {}
        Some(before) => {
            let stepped = stepped(&before, step, now);
            if stepped.entry == before {
                return Ok(Some(stepped));
            }
        }
    }
    let mut transaction = client.transaction()?;
    if let Some(begin) = begin {
        insert(&mut transaction, begin)?;
    }
    let Some(before) = get(&mut transaction, LOCK, id)? else { return Ok(None) };
    let stepped = stepped(&before, step, now);
    if stepped.entry != before {
        update(&mut transaction, &stepped.entry)?;
    }
    transaction.commit()?;
    Ok(Some(stepped))
}

fn stepped(before: &Entry, step: &Step, now: Timestamp) -> Stepped {
    let mut entry = before.clone();
    let refused = entry.step(step, now).err();
    Stepped { entry, refused }
}

impl Store for PostgresStore {
    fn insert(&self, entry: &Entry, announce: bool) -> Stored<'static, ()> {
        let entry = entry.clone();
        self.run(move |client| {
            let mut transaction = client.transaction()?;
            insert(&mut transaction, &entry)?;
            if announce {
                let text = "INSERT INTO confirm_outbox VALUES ($1, $2, 0) ON CONFLICT (id) DO NOTHING";
                transaction.execute(text, &[&entry.id, &to_micros(entry.asked)])?;
            }
            Ok(transaction.commit()?)
        })
    }

    fn get(&self, id: &str) -> Stored<'static, Option<Entry>> {
        let id = id.to_owned();
        self.run(move |client| get(client, GET, &id))
    }

    fn step(
        &self,
        id: &str,
        step: &Step,
        begin: Option<&Entry>,
        now: Timestamp,
    ) -> Stored<'static, Option<Stepped>> {
        let (id, step, begin) = (id.to_owned(), step.clone(), begin.cloned());
        self.run(move |client| step_of(client, &id, &step, begin.as_ref(), now))
    }

    fn list(&self, filter: &Filter, now: Timestamp) -> Stored<'static, Vec<Entry>> {
        let state = filter.state.map(|state| state.as_str());
        let limit = i64::try_from(filter.limit).unwrap_or(i64::MAX);
        self.run(move |client| {
            let text = "SELECT body FROM confirmations
                WHERE $1::text IS NULL
                   OR $1 = CASE WHEN state IN ('pending', 'approved') AND expires <= $2 THEN 'expired' ELSE state END
                ORDER BY asked DESC, id DESC LIMIT $3";
            bodies(&client.query(text, &[&state, &to_micros(now), &limit])?)
        })
    }

    fn sweep(&self, now: Timestamp, forget: Timestamp) -> Stored<'static, Vec<Entry>> {
        self.run(move |client| {
            let mut transaction = client.transaction()?;
            let text =
                "SELECT body FROM confirmations WHERE state IN ('pending', 'approved') AND expires <= $1
                ORDER BY id FOR UPDATE SKIP LOCKED";
            let mut expired = bodies(&transaction.query(text, &[&to_micros(now)])?)?;
            expired.retain_mut(|entry| entry.step(&Step::Expire, now).is_ok());
            expired.iter().try_for_each(|entry| update(&mut transaction, entry))?;
            transaction.execute("DELETE FROM confirmations WHERE expires < $1", &[&to_micros(forget)])?;
            transaction.commit()?;
            Ok(expired)
        })
    }

    fn claim(&self, now: Timestamp, until: Timestamp) -> Stored<'static, Option<Due>> {
        self.run(move |client| {
            let mut transaction = client.transaction()?;
            let stale = "DELETE FROM confirm_outbox WHERE id NOT IN (SELECT id FROM confirmations)";
            transaction.execute(stale, &[])?;
            let text = "UPDATE confirm_outbox SET due = $2, tries = tries + 1
                WHERE id = (SELECT id FROM confirm_outbox WHERE due <= $1 ORDER BY due LIMIT 1 FOR UPDATE SKIP LOCKED)
                RETURNING id, tries - 1";
            let row = transaction.query_opt(text, &[&to_micros(now), &to_micros(until)])?;
            let due = match row {
                None => None,
                Some(row) => {
                    let (id, tries): (String, i32) = (row.try_get(0)?, row.try_get(1)?);
                    let tries = u32::try_from(tries).unwrap_or(0);
                    get(&mut transaction, GET, &id)?.map(|entry| Due { entry, tries })
                }
            };
            transaction.commit()?;
            Ok(due)
        })
    }

    fn tell(&self, id: &str, again: Option<Timestamp>) -> Stored<'static, ()> {
        let (id, again) = (id.to_owned(), again.map(to_micros));
        self.run(move |client| {
            match again {
                None => client.execute("DELETE FROM confirm_outbox WHERE id = $1", &[&id])?,
                Some(due) => {
                    client.execute("UPDATE confirm_outbox SET due = $2 WHERE id = $1", &[&id, &due])?
                }
            };
            Ok(())
        })
    }
}
