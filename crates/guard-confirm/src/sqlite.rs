//! The store of one machine: a file that its processes share, and that outlives them.
//!
//! A step reads first without a lock, since most of what is asked is refused; what changes something does so in a
//! transaction that reads again. What was acknowledged is on the disk.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use guard_core::Timestamp;
use guard_pool::{Pool, Tried};
use rusqlite::{Connection, ErrorCode, OptionalExtension as _, Transaction, TransactionBehavior, params};

use crate::entry::{Entry, Step, to_micros};
use crate::error::StoreError;
use crate::rows::{body_of, read_body};
use crate::store::{Due, Filter, Stepped, Store, Stored};

/// `HXGC`, by which SQLite's header tells our files from others'.
const APPLICATION: i64 = 0x4858_4743;
const VERSION: i64 = 1;

/// How long others may be in the way.
const PATIENCE: Duration = Duration::from_secs(10);

const TABLES: &str = "
    CREATE TABLE confirmations (
        id TEXT PRIMARY KEY, asked INTEGER NOT NULL, expires INTEGER NOT NULL, state TEXT NOT NULL,
        body TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX confirmations_open ON confirmations (expires) WHERE state IN ('pending', 'approved');
    CREATE INDEX confirmations_asked ON confirmations (asked);
    CREATE TABLE outbox (
        id TEXT PRIMARY KEY, due INTEGER NOT NULL, tries INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX outbox_due ON outbox (due);
";

/// Keeps confirmations in a file.
pub struct SqliteStore {
    pool: Pool<Connection, StoreError>,
    name: Arc<str>,
}

impl SqliteStore {
    /// Opens the file, or makes it; its folder has to be there.
    ///
    /// # Errors
    /// When the file cannot be opened or written, is another program's, or is of a newer version.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let path = path.into();
        let name: Arc<str> = path.display().to_string().into();
        let shown = Arc::clone(&name);
        let pool = Pool::start(Arc::clone(&name), 1, move || connect(&path, &shown))?;
        let store = Self { pool, name };
        store.run(|_| Ok(())).wait()?;
        Ok(store)
    }

    fn run<T: Send + 'static>(
        &self,
        mut operation: impl FnMut(&mut Connection) -> Result<T, Failed> + Send + 'static,
    ) -> Stored<'static, T> {
        let name = Arc::clone(&self.name);
        self.pool.submit(move |connection| {
            Tried::Done(operation(connection).map_err(|failed| match failed {
                Failed::Sqlite(error) => told(&name, &error),
                Failed::Garbled(detail) => StoreError::Unusable { store: name.to_string(), detail },
            }))
        })
    }
}

enum Failed {
    Sqlite(rusqlite::Error),
    Garbled(String),
}

impl From<rusqlite::Error> for Failed {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<serde_json::Error> for Failed {
    fn from(error: serde_json::Error) -> Self {
        Self::Garbled(format!("an entry is garbled: {error}"))
    }
}

fn told(store: &str, error: &rusqlite::Error) -> StoreError {
    let store = store.to_owned();
    let detail = error.to_string();
    let lasting = [
        ErrorCode::NotADatabase,
        ErrorCode::DatabaseCorrupt,
        ErrorCode::ReadOnly,
        ErrorCode::CannotOpen,
        ErrorCode::PermissionDenied,
    ];
    match error.sqlite_error_code() {
        Some(code) if lasting.contains(&code) => StoreError::Unusable { store, detail },
        _ => StoreError::Unavailable { store, detail },
    }
}

fn connect(path: &Path, name: &str) -> Result<Connection, StoreError> {
    let failed = |error: rusqlite::Error| told(name, &error);
    let unusable = |detail: String| StoreError::Unusable { store: name.to_owned(), detail };
    let mut connection = Connection::open(path).map_err(failed)?;
    connection.execute_batch("PRAGMA busy_timeout = 10000; PRAGMA trusted_schema = OFF;").map_err(failed)?;
    // Before anything is written: the file may be another program's.
    let made = |connection: &Connection| -> rusqlite::Result<(i64, i64, i64)> {
        let number = |text: &str| connection.query_row(text, [], |row| row.get(0));
        Ok((
            number("PRAGMA application_id")?,
            number("PRAGMA user_version")?,
            number("SELECT count(*) FROM sqlite_schema")?,
        ))
    };
    // All at one moment: another process may just make the tables.
    let (owner, version, tables) = connection
        .transaction()
        .and_then(|looking| made(&looking).and_then(|found| looking.finish().map(|()| found)))
        .map_err(failed)?;
    if owner != APPLICATION && (owner != 0 || version != 0 || tables != 0) {
        return Err(unusable("it is a database of another program".to_owned()));
    }
    if version > VERSION {
        return Err(unusable(format!("it is of version {version}, and this program knows {VERSION}")));
    }
    let is_busy = |error: &rusqlite::Error| error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy);
    let write_ahead = || connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()));
    guard_pool::patiently(PATIENCE, is_busy, write_ahead)
        .and_then(|()| connection.execute_batch("PRAGMA synchronous = FULL;"))
        .map_err(failed)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    // Somebody else may just have made them.
    if made(&transaction).map_err(failed)?.1 == 0 {
        let header = format!("PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION};");
        transaction.execute_batch(&format!("{TABLES}{header}")).map_err(failed)?;
    }
    transaction.commit().map_err(failed)?;
    Ok(connection)
}

fn get(connection: &Connection, id: &str) -> Result<Option<Entry>, Failed> {
    let mut statement = connection.prepare("SELECT body FROM confirmations WHERE id = ?1")?;
    let body: Option<String> = statement.query_row([id], |row| row.get(0)).optional()?;
    Ok(body.as_deref().map(read_body).transpose()?)
}

fn put(connection: &Connection, entry: &Entry) -> Result<(), Failed> {
    let mut statement =
        connection.prepare("INSERT OR REPLACE INTO confirmations VALUES (?1, ?2, ?3, ?4, ?5)")?;
    let (asked, expires) = (to_micros(entry.asked), to_micros(entry.expires));
    statement.execute(params![entry.id, asked, expires, entry.state.as_str(), body_of(entry)?])?;
    Ok(())
}

fn begin(connection: &mut Connection) -> Result<Transaction<'_>, Failed> {
    Ok(connection.transaction_with_behavior(TransactionBehavior::Immediate)?)
}

/// The entry that is there, or begins, after the step; and whether it changed.
fn stepped(before: Entry, is_new: bool, step: &Step, now: Timestamp) -> (Stepped, bool) {
    let mut entry = before.clone();
    let refused = entry.step(step, now).err();
    let changed = is_new || entry != before;
    (Stepped { entry, refused }, changed)
}

fn step_of(
    connection: &mut Connection,
    id: &str,
    step: &Step,
    begins: Option<&Entry>,
    now: Timestamp,
) -> Result<Option<Stepped>, Failed> {
    match get(connection, id)? {
        None if begins.is_none() => return Ok(None),
        None => {}
        Some(entry) => {
            let (stepped, changed) = stepped(entry, false, step, now);
            if !changed {
                return Ok(Some(stepped));
            }
        }
    }
    let transaction = begin(connection)?;
    let there = get(&transaction, id)?;
    let is_new = there.is_none();
    let Some(entry) = there.or_else(|| begins.cloned()) else { return Ok(None) };
    let (stepped, changed) = stepped(entry, is_new, step, now);
    if changed {
        put(&transaction, &stepped.entry)?;
    }
    transaction.commit()?;
    Ok(Some(stepped))
}

fn bodies(connection: &Connection, text: &str, values: impl rusqlite::Params) -> Result<Vec<Entry>, Failed> {
    let mut statement = connection.prepare(text)?;
    let rows = statement.query_map(values, |row| row.get::<_, String>(0))?;
    let bodies: Vec<String> = rows.collect::<Result<_, _>>()?;
    bodies.iter().map(|body| Ok(read_body(body)?)).collect()
}

impl Store for SqliteStore {
    fn insert(&self, entry: &Entry, announce: bool) -> Stored<'static, ()> {
        let entry = entry.clone();
        self.run(move |connection| {
            let transaction = begin(connection)?;
            put(&transaction, &entry)?;
            if announce {
                let asked = to_micros(entry.asked);
                transaction
                    .execute("INSERT OR IGNORE INTO outbox VALUES (?1, ?2, 0)", params![entry.id, asked])?;
            }
            Ok(transaction.commit()?)
        })
    }

    fn get(&self, id: &str) -> Stored<'static, Option<Entry>> {
        let id = id.to_owned();
        self.run(move |connection| get(connection, &id))
    }

    fn step(
        &self,
        id: &str,
        step: &Step,
        begin: Option<&Entry>,
        now: Timestamp,
    ) -> Stored<'static, Option<Stepped>> {
        let (id, step, begin) = (id.to_owned(), step.clone(), begin.cloned());
        self.run(move |connection| step_of(connection, &id, &step, begin.as_ref(), now))
    }

    fn list(&self, filter: &Filter, now: Timestamp) -> Stored<'static, Vec<Entry>> {
        let state = filter.state.map(|state| state.as_str());
        let limit = i64::try_from(filter.limit).unwrap_or(i64::MAX);
        self.run(move |connection| {
            let text = "SELECT body FROM confirmations
                WHERE ?1 IS NULL
                   OR ?1 = CASE WHEN state IN ('pending', 'approved') AND expires <= ?2 THEN 'expired' ELSE state END
                ORDER BY asked DESC, id DESC LIMIT ?3";
            bodies(connection, text, params![state, to_micros(now), limit])
        })
    }

    fn sweep(&self, now: Timestamp, forget: Timestamp) -> Stored<'static, Vec<Entry>> {
        self.run(move |connection| {
            let transaction = begin(connection)?;
            let text =
                "SELECT body FROM confirmations WHERE state IN ('pending', 'approved') AND expires <= ?1";
            let mut expired = bodies(&transaction, text, [to_micros(now)])?;
            expired.retain_mut(|entry| entry.step(&Step::Expire, now).is_ok());
            expired.iter().try_for_each(|entry| put(&transaction, entry))?;
            transaction.execute("DELETE FROM confirmations WHERE expires < ?1", [to_micros(forget)])?;
            transaction.commit()?;
            Ok(expired)
        })
    }

    fn claim(&self, now: Timestamp, until: Timestamp) -> Stored<'static, Option<Due>> {
        self.run(move |connection| {
            let transaction = begin(connection)?;
            transaction.execute("DELETE FROM outbox WHERE id NOT IN (SELECT id FROM confirmations)", [])?;
            let text = "SELECT id, tries FROM outbox WHERE due <= ?1 ORDER BY due LIMIT 1";
            let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, u32>(1)?));
            let due = transaction.query_row(text, [to_micros(now)], read).optional()?;
            let Some((id, tries)) = due else {
                transaction.commit()?;
                return Ok(None);
            };
            let values = params![id, to_micros(until)];
            transaction.execute("UPDATE outbox SET due = ?2, tries = tries + 1 WHERE id = ?1", values)?;
            let entry = get(&transaction, &id)?;
            transaction.commit()?;
            Ok(entry.map(|entry| Due { entry, tries }))
        })
    }

    fn tell(&self, id: &str, again: Option<Timestamp>) -> Stored<'static, ()> {
        let (id, again) = (id.to_owned(), again.map(to_micros));
        self.run(move |connection| {
            match again {
                None => connection.execute("DELETE FROM outbox WHERE id = ?1", [&id])?,
                Some(due) => {
                    connection.execute("UPDATE outbox SET due = ?2 WHERE id = ?1", params![id, due])?
                }
            };
            Ok(())
        })
    }
}
