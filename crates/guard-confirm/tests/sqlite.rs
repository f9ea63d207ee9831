//! The SQLite store against the suite, and what it does with files that are not its own.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[macro_use]
mod suite;

use guard_confirm::{SqliteStore, StoreError};
use test_support::Folder;

fn fresh() -> (SqliteStore, Folder) {
    let folder = Folder::new("confirm-sqlite");
    (SqliteStore::open(folder.path().join("confirm.db")).unwrap(), folder)
}

confirm_suite!(suite_on_sqlite, fresh);

#[test]
fn what_is_not_its_file_is_left_alone() {
    let folder = Folder::new("confirm-sqlite-others");
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("text"), "not a database, but long enough to have been one ".repeat(100)).unwrap();
    let other = rusqlite::Connection::open(path("other")).unwrap();
    other.execute_batch("CREATE TABLE things (thing TEXT)").unwrap();
    let newer = rusqlite::Connection::open(path("newer")).unwrap();
    newer.execute_batch("PRAGMA application_id = 1213744963; PRAGMA user_version = 9").unwrap();
    for name in ["text", "other", "newer", "no/such/folder"] {
        let opened = SqliteStore::open(path(name));
        assert!(matches!(opened, Err(StoreError::Unusable { .. })), "{name}: {:?}", opened.err());
    }
}

/// The processes of a program that is started for the first time.
#[test]
fn a_new_file_may_be_opened_by_many_at_once() {
    let folder = Folder::new("confirm-sqlite-new");
    for round in 0..20 {
        let path = folder.path().join(format!("{round}.db"));
        let begin = std::sync::Barrier::new(6);
        std::thread::scope(|scope| {
            for _ in 0..6 {
                let (path, begin) = (&path, &begin);
                scope.spawn(move || {
                    begin.wait();
                    SqliteStore::open(path).unwrap_or_else(|error| panic!("round {round}: {error}"));
                });
            }
        });
    }
}
