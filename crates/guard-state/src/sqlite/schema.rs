//! The file: its version, and how an older one becomes one of this version.

use std::time::Duration;

use guard_core::{StateError, Unusable};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, TransactionBehavior};

use crate::sqlite::errors::told;

/// `HXGS`, by which SQLite's header tells our files from others'.
const APPLICATION: i64 = 0x4858_4753;

/// How long others may be in the way.
const PATIENCE: Duration = Duration::from_secs(10);

/// What makes each version out of the one before; the first out of an empty file. Never changed once released.
const VERSIONS: [&str; 3] = [
    "
    CREATE TABLE cells (
        limit_name TEXT NOT NULL, key TEXT NOT NULL, window TEXT NOT NULL,
        spent INTEGER NOT NULL, reserved INTEGER NOT NULL, open INTEGER NOT NULL,
        warned INTEGER NOT NULL, max INTEGER NOT NULL, kind INTEGER NOT NULL,
        ends INTEGER, algorithm INTEGER NOT NULL, span INTEGER NOT NULL, meter TEXT NOT NULL,
        changed INTEGER NOT NULL,
        PRIMARY KEY (limit_name, key, window)
    ) STRICT;
    CREATE INDEX cells_ending ON cells (ends) WHERE ends IS NOT NULL AND open = 0;
    CREATE INDEX cells_changed ON cells (changed);
    CREATE TABLE reservations (
        id BLOB PRIMARY KEY, digest INTEGER NOT NULL, lease_ends INTEGER NOT NULL,
        closed INTEGER NOT NULL, ended INTEGER NOT NULL, charges TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX reservations_open ON reservations (lease_ends) WHERE closed = 0;
    CREATE INDEX reservations_ended ON reservations (ended) WHERE closed <> 0;
    CREATE TABLE clock (latest INTEGER NOT NULL, revision INTEGER NOT NULL) STRICT;
    INSERT INTO clock VALUES (-9223372036854775808, 0);
    ",
    // Evaluators follow drops instead of taking the whole state anew.
    "
    CREATE TABLE drops (
        revision INTEGER PRIMARY KEY,
        limit_name TEXT NOT NULL, key TEXT NOT NULL, window TEXT NOT NULL
    ) STRICT;
    ALTER TABLE clock ADD COLUMN followable INTEGER NOT NULL DEFAULT 0;
    UPDATE clock SET followable = revision;
    ",
    // Cells have numbers by which they are written, and a log says which of them have changed: an index of that was
    // written at two places for every change.
    "
    CREATE TABLE numbered (
        number INTEGER PRIMARY KEY,
        limit_name TEXT NOT NULL, key TEXT NOT NULL, window TEXT NOT NULL,
        spent INTEGER NOT NULL, reserved INTEGER NOT NULL, open INTEGER NOT NULL,
        warned INTEGER NOT NULL, max INTEGER NOT NULL, kind INTEGER NOT NULL,
        ends INTEGER, algorithm INTEGER NOT NULL, span INTEGER NOT NULL, meter TEXT NOT NULL,
        UNIQUE (limit_name, key, window)
    ) STRICT;
    INSERT INTO numbered (limit_name, key, window, spent, reserved, open, warned, max, kind, ends, algorithm, span, meter)
        SELECT limit_name, key, window, spent, reserved, open, warned, max, kind, ends, algorithm, span, meter FROM cells;
    DROP TABLE cells;
    ALTER TABLE numbered RENAME TO cells;
    CREATE INDEX cells_ending ON cells (ends) WHERE ends IS NOT NULL AND open = 0;
    CREATE TABLE changes (revision INTEGER PRIMARY KEY, cells TEXT NOT NULL) STRICT;
    DELETE FROM drops;
    UPDATE clock SET followable = revision;
    ",
];

/// Makes the file one of this version.
pub(super) fn prepare(connection: &mut Connection, store: &str) -> Result<(), StateError> {
    let failed = |error: rusqlite::Error| told(store, &error);
    let unusable = |detail: String| Unusable { store: store.to_owned(), detail };
    connection.execute_batch("PRAGMA busy_timeout = 10000; PRAGMA trusted_schema = OFF;").map_err(failed)?;
    // Before anything is written: the file may be another program's.
    let (owner, version, tables) = made(connection).map_err(failed)?;
    let newest = i64::try_from(VERSIONS.len()).unwrap_or(i64::MAX);
    if owner != APPLICATION && (owner != 0 || version != 0 || tables != 0) {
        return Err(unusable("it is a database of another program".to_owned()).into());
    }
    if version > newest {
        let detail = format!(
            "it is of version {version}, and this program knows versions up to {newest}; use a newer program, \
             or another file"
        );
        return Err(unusable(detail).into());
    }
    let is_busy = |error: &rusqlite::Error| error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy);
    let mode: String = guard_pool::patiently(PATIENCE, is_busy, || {
        connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))
    })
    .map_err(failed)?;
    if mode != "wal" {
        let detail = format!("it cannot be kept with a write-ahead log (journal mode `{mode}`)");
        return Err(unusable(detail).into());
    }
    // A plan depends on no value: statements would be prepared anew for every time that they are asked with.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(failed)?;
    // FULL: a transaction that was acknowledged is on the disk.
    connection.execute_batch("PRAGMA synchronous = FULL;").map_err(failed)?;
    let report: String =
        connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(failed)?;
    if report != "ok" {
        return Err(unusable(format!("it is damaged ({report}); restore it from a back-up")).into());
    }
    migrate(connection).map_err(failed)
}

/// Whose file it is, of which version, and how many tables it has: all at one moment, since another process may just make it.
fn made(connection: &mut Connection) -> rusqlite::Result<(i64, i64, i64)> {
    let transaction = connection.transaction()?;
    let number = |text: &str| transaction.query_row(text, [], |row| row.get(0));
    let found = (
        number("PRAGMA application_id")?,
        number("PRAGMA user_version")?,
        number("SELECT count(*) FROM sqlite_schema")?,
    );
    transaction.finish()?;
    Ok(found)
}

fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    // Another process may migrate at the same time: who comes second finds it done.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let done = usize::try_from(version).unwrap_or(usize::MAX);
    if done < VERSIONS.len() {
        for step in VERSIONS.iter().skip(done) {
            transaction.execute_batch(step)?;
        }
        let newest = VERSIONS.len();
        transaction.execute_batch(&format!(
            "PRAGMA user_version = {newest}; PRAGMA application_id = {APPLICATION};"
        ))?;
    }
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No kill of a process tells: only a machine that goes down loses what was not synchronised.
    #[test]
    fn what_is_acknowledged_is_on_the_disk() {
        let folder = test_support::Folder::new("sqlite-synchronised");
        let mut connection = Connection::open(folder.path().join("state.db")).unwrap();
        prepare(&mut connection, "s").unwrap();
        let full: i64 = connection.query_row("PRAGMA synchronous", [], |row| row.get(0)).unwrap();
        assert_eq!(full, 2);
    }

    /// A file as each version left it, with a cell, reservations and a revision in it.
    #[test]
    fn older_files_become_ones_of_this_version_with_all_that_they_hold() {
        for older in 1..VERSIONS.len() {
            let folder = test_support::Folder::new("sqlite-migration");
            let path = folder.path().join("state.db");
            let first = Connection::open(&path).unwrap();
            VERSIONS.iter().take(older).for_each(|step| first.execute_batch(step).unwrap());
            let rows = "INSERT INTO cells VALUES ('l', 'k', 'w', 7, 2, 1, 0, 9, 0, 11, 1, 5, '1:7', 3);
                INSERT INTO reservations VALUES (x'01', 1, 2, 0, 2, '[]'), (x'02', 1, 2, 1, 2, '[]');
                UPDATE clock SET latest = 5, revision = 3;";
            first.execute_batch(rows).unwrap();
            let owner = format!("PRAGMA user_version = {older}; PRAGMA application_id = {APPLICATION};");
            first.execute_batch(&owner).unwrap();
            drop(first);
            let mut connection = Connection::open(&path).unwrap();
            for _ in 0..2 {
                prepare(&mut connection, "s").unwrap();
                let cell = "SELECT limit_name || '/' || key || '/' || window, spent, reserved, max, ends, meter,
                    (SELECT latest FROM clock), (SELECT revision FROM clock), (SELECT followable FROM clock),
                    (SELECT count(*) FROM reservations), (SELECT sum(closed = 0) FROM reservations) FROM cells";
                let found = connection.query_row(cell, [], |row| {
                    let numbers = [row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?];
                    let kept = [row.get(6)?, row.get(7)?, row.get(8)?, row.get(9)?, row.get(10)?];
                    Ok((row.get(0)?, numbers, row.get(5)?, kept))
                });
                let found: (String, [i64; 4], String, [i64; 5]) = found.unwrap();
                let kept = ("l/k/w".to_owned(), [7, 2, 9, 11], "1:7".to_owned(), [5, 3, 3, 2, 1]);
                assert_eq!(found, kept, "from version {older}");
            }
        }
    }
}
