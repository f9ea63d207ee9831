//! The file: its version, its tables, and how entries get into it.

use std::path::Path;
use std::time::Duration;

use rusqlite::types::Value;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior, params_from_iter};

use crate::entry::{COLUMNS, Cell, NUMBERS, VERSION, hash};
use crate::error::{StoreError, told};

/// `HXGA`, by which SQLite's header tells our files from others'.
const APPLICATION: i64 = 0x4858_4741;
const SCHEMA: i64 = 1;

/// Opens the file to write, and makes it where there is none. `synced` transactions are on the disk when they end.
pub(crate) fn connect(path: &Path, name: &str, synced: bool) -> Result<Connection, StoreError> {
    let failed = |error: rusqlite::Error| told(name, &error);
    let unusable = |detail: String| StoreError::Unusable { store: name.to_owned(), detail };
    make_private(path).map_err(|error| unusable(error.to_string()))?;
    let mut connection = Connection::open(path).map_err(failed)?;
    connection.execute_batch("PRAGMA busy_timeout = 10000; PRAGMA trusted_schema = OFF;").map_err(failed)?;
    // Before anything is written: the file may be another program's. All at one moment: another process may just make it.
    let looking = connection.transaction().map_err(failed)?;
    let made = is_ours(&looking, name)?;
    if !made {
        let tables = number(&looking, "SELECT count(*) FROM sqlite_schema").map_err(failed)?;
        let marked = number(&looking, "PRAGMA application_id").map_err(failed)?;
        if tables != 0 || marked != 0 {
            return Err(unusable("it is a database of another program".to_owned()));
        }
    }
    looking.finish().map_err(failed)?;
    let mode = write_ahead(&connection).map_err(failed)?;
    if mode != "wal" {
        return Err(unusable(format!("it cannot be kept with a write-ahead log (journal mode `{mode}`)")));
    }
    let synchronous = if synced { "FULL" } else { "NORMAL" };
    connection.execute_batch(&format!("PRAGMA synchronous = {synchronous};")).map_err(failed)?;
    // One that is made already is opened without waiting for whoever writes it.
    if !made {
        make_tables(&mut connection).map_err(failed)?;
    }
    Ok(connection)
}

/// Has the file kept with a write-ahead log, if it can be: its journal mode afterwards.
fn write_ahead(connection: &Connection) -> rusqlite::Result<String> {
    let is_busy = |error: &rusqlite::Error| error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy);
    guard_pool::patiently(Duration::from_secs(10), is_busy, || {
        connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))
    })
}

/// Opens the file to read.
pub(crate) fn connect_to_read(path: &Path, name: &str) -> Result<Connection, StoreError> {
    if path.is_dir() {
        let detail = "it is a directory".to_owned();
        return Err(StoreError::Unusable { store: name.to_owned(), detail });
    }
    let failed = |error: rusqlite::Error| told(name, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.execute_batch("PRAGMA busy_timeout = 10000; PRAGMA trusted_schema = OFF;").map_err(failed)?;
    if !is_ours(&connection, name)? {
        let detail = "it is no audit log".to_owned();
        return Err(StoreError::Unusable { store: name.to_owned(), detail });
    }
    Ok(connection)
}

/// Whether it is an audit log of a version that is known here.
fn is_ours(connection: &Connection, name: &str) -> Result<bool, StoreError> {
    let failed = |error: rusqlite::Error| told(name, &error);
    if number(connection, "PRAGMA application_id").map_err(failed)? != APPLICATION {
        return Ok(false);
    }
    let version = number(connection, "PRAGMA user_version").map_err(failed)?;
    if version > SCHEMA {
        let detail = format!(
            "it is of version {version}, and this program knows versions up to {SCHEMA}; use a newer program, or \
             another file"
        );
        return Err(StoreError::Unusable { store: name.to_owned(), detail });
    }
    Ok(true)
}

fn number(connection: &Connection, query: &str) -> rusqlite::Result<i64> {
    connection.query_row(query, [], |row| row.get(0))
}

/// What a log says is not for everybody: SQLite gives the files beside it the same mode.
#[cfg(unix)]
fn make_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;

    std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path).map(drop)
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the signature is that of Unix")]
fn make_private(_: &Path) -> std::io::Result<()> {
    Ok(())
}

fn make_tables(connection: &mut Connection) -> rusqlite::Result<()> {
    // Another process may do so at the same time: who comes second finds it done.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if number(&transaction, "PRAGMA application_id")? != APPLICATION {
        let columns: Vec<String> = COLUMNS
            .iter()
            .map(|name| format!("{name} {}", if NUMBERS.contains(name) { "INTEGER" } else { "TEXT" }))
            .collect();
        transaction.execute_batch(&format!(
            "CREATE TABLE entries (
                sequence INTEGER PRIMARY KEY, version INTEGER NOT NULL, before BLOB NOT NULL, hash BLOB NOT NULL,
                {}
             ) STRICT;
             CREATE INDEX entries_decision ON entries (decision, sequence);
             CREATE INDEX entries_policy ON entries (policy_id, sequence);
             CREATE TABLE head (sequence INTEGER NOT NULL, hash BLOB NOT NULL) STRICT;
             INSERT INTO head VALUES (0, zeroblob(32));
             PRAGMA user_version = {SCHEMA}; PRAGMA application_id = {APPLICATION};",
            columns.join(", ")
        ))?;
    }
    transaction.commit()
}

/// Adds entries to the chain, all or none: the head is read in the transaction that moves it, so that writers in other
/// processes wait and the chain never forks.
pub(crate) fn append<'c>(
    connection: &mut Connection,
    entries: impl Iterator<Item = &'c [Cell]>,
) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let (mut sequence, mut before): (i64, Vec<u8>) =
        transaction.query_row("SELECT sequence, hash FROM head", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    {
        let holes: Vec<String> = (1..=COLUMNS.len() + 4).map(|hole| format!("?{hole}")).collect();
        let insert = format!(
            "INSERT INTO entries (sequence, version, before, hash, {}) VALUES ({})",
            COLUMNS.join(", "),
            holes.join(", ")
        );
        let mut insert = transaction.prepare(&insert)?;
        for cells in entries {
            sequence += 1;
            let hashed = hash(VERSION, sequence, &before, cells);
            let fixed = [
                Value::Integer(sequence),
                Value::Integer(VERSION),
                Value::Blob(before),
                Value::Blob(hashed.to_vec()),
            ];
            insert.execute(params_from_iter(fixed.into_iter().chain(cells.iter().map(value))))?;
            before = hashed.to_vec();
        }
        transaction.prepare("UPDATE head SET sequence = ?1, hash = ?2")?.execute((sequence, before))?;
    }
    transaction.commit()
}

fn value(cell: &Cell) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Integer(number) => Value::Integer(*number),
        Cell::Text(text) => Value::Text(text.clone()),
    }
}
