//! Files and disks that are not as they should be: each a clear error, nothing lost, nothing admitted.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

use guard_core::{
    Batch, CellId, Charge, ChargeOutcome, FixedClock, Quantity, ReservationId, Settlement, StateError,
    StateStore, Timestamp,
};
use guard_state::{SqliteConfig, SqliteStore};
use test_support::Folder;

const START: Timestamp = Timestamp::from_seconds(1_000_000);

fn open(path: &Path) -> Result<SqliteStore, StateError> {
    SqliteStore::open(&SqliteConfig::new(path), Arc::new(FixedClock::at(START)))
}

fn cell(key: &str) -> Arc<CellId> {
    Arc::new(CellId { limit: "a".to_owned(), key: key.to_owned(), window: "w".to_owned() })
}

fn batch(id: u128, key: &str, amount: i64) -> Batch {
    let charge = Charge::new(cell(key), Quantity::new(amount), Quantity::new(10));
    Batch { charges: [charge].into(), at: START, reservation: ReservationId(id) }
}

fn used(store: &SqliteStore, key: &str) -> i64 {
    store.snapshot().wait().unwrap().total(&cell(key)).units()
}

fn sql(path: &Path, text: &str) {
    rusqlite::Connection::open(path).unwrap().execute_batch(text).unwrap();
}

/// A file with 7 of 10 spent, and 2 reserved.
fn written(folder: &Folder) -> PathBuf {
    let path = folder.path().join("state.db");
    let store = open(&path).unwrap();
    store.charge(&batch(1, "all", 7)).wait().unwrap();
    store.reserve(&batch(2, "all", 2), Duration::from_secs(60)).wait().unwrap();
    path
}

/// The test of this name, in a process of its own behind other words.
fn elsewhere(words: &[&str], name: &str, path: &Path) -> Output {
    let mut command = Command::new(words.first().unwrap());
    command.args(words.iter().skip(1)).arg(std::env::current_exe().unwrap());
    command.args(["--exact", name, "--nocapture"]).env("STATE_FILE", path);
    command.output().unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn file() -> Option<PathBuf> {
    std::env::var_os("STATE_FILE").map(PathBuf::from)
}

#[test]
fn a_disk_that_is_full_fails_charges_and_loses_nothing() {
    let folder = Folder::new("sqlite-disk-full");
    let path = written(&folder);
    // No file may grow beyond 300 KB, and writes beyond fail instead of ending the process: as on a full disk.
    let limited = ["sh", "-c", "trap '' XFSZ; ulimit -f 600; exec \"$@\"", "sh"];
    let output = elsewhere(&limited, "child_that_spends_until_it_cannot", &path);
    let text = told(&output);
    assert!(output.status.success(), "{text}");
    let words = text.lines().find_map(|line| line.split_once("acknowledged ")).unwrap().1;
    let acknowledged: usize = words.split(' ').next().unwrap().parse().unwrap();
    assert!(acknowledged > 0, "{text}");
    assert!(text.contains("cannot be read or written") || text.contains("no room left"), "{text}");
    let store = open(&path).unwrap();
    let cells = store.snapshot().wait().unwrap().cells.len();
    // What was not acknowledged may be there or not; what was is.
    assert!((acknowledged + 1..=acknowledged + 2).contains(&cells), "{cells} cells of {acknowledged}");
    assert_eq!(used(&store, "all"), 9);
    store.charge(&batch(3, "all", 1)).wait().unwrap();
}

/// Started by the test above, which names its file; by itself it has none.
#[test]
fn child_that_spends_until_it_cannot() {
    let Some(file) = file() else { return };
    let store = open(&file).unwrap();
    for id in 0..5_000_u128 {
        let key = format!("{id:01000}");
        match store.charge(&batch(1_000 + id, &key, 1)).wait() {
            Ok(outcome) => assert!(matches!(outcome, ChargeOutcome::Charged(_))),
            Err(error) => {
                assert!(matches!(error, StateError::Unavailable(_)), "{error}");
                println!("\nacknowledged {id} then: {error}");
                return;
            }
        }
    }
    panic!("300 KB hold 5 MB");
}

/// Root may write everything, so that the file is opened as somebody else.
#[test]
fn a_file_that_is_another_users_is_refused() {
    let root = Command::new("id").arg("-u").output().unwrap().stdout.trim_ascii() == b"0";
    let folder = Folder::new("sqlite-foreign-user");
    let path = written(&folder);
    for (what, mode) in [(&path, "444"), (&folder.path().to_owned(), "555")] {
        assert!(Command::new("chmod").arg(mode).arg(what).status().unwrap().success());
    }
    let nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
    let words: &[&str] = if root { &nobody } else { &["env"] };
    let text = told(&elsewhere(words, "child_that_opens", &path));
    assert!(text.contains("refused: ") && text.contains("cannot be"), "{text}");
    for (what, mode) in [(folder.path().to_owned(), "755"), (path.clone(), "644")] {
        assert!(Command::new("chmod").arg(mode).arg(what).status().unwrap().success());
    }
    assert_eq!(used(&open(&path).unwrap(), "all"), 9);
}

/// Started by the test above, which names its file; by itself it has none.
#[test]
fn child_that_opens() {
    let Some(file) = file() else { return };
    match open(&file) {
        Ok(_) => panic!("it was opened"),
        Err(error) => println!("\nrefused: {error}"),
    }
}

/// What makes a file of the version before out of one of each version but the first, newest first.
const BACK: [&str; 2] = [
    "DROP TABLE changes;
     CREATE TABLE named (
        limit_name TEXT NOT NULL, key TEXT NOT NULL, window TEXT NOT NULL,
        spent INTEGER NOT NULL, reserved INTEGER NOT NULL, open INTEGER NOT NULL,
        warned INTEGER NOT NULL, max INTEGER NOT NULL, kind INTEGER NOT NULL,
        ends INTEGER, algorithm INTEGER NOT NULL, span INTEGER NOT NULL, meter TEXT NOT NULL,
        changed INTEGER NOT NULL,
        PRIMARY KEY (limit_name, key, window)
     ) STRICT;
     INSERT INTO named SELECT limit_name, key, window, spent, reserved, open, warned, max, kind, ends,
        algorithm, span, meter, 1 FROM cells;
     DROP TABLE cells;
     ALTER TABLE named RENAME TO cells;
     CREATE INDEX cells_ending ON cells (ends) WHERE ends IS NOT NULL AND open = 0;
     CREATE INDEX cells_changed ON cells (changed);",
    "DROP TABLE drops; ALTER TABLE clock DROP COLUMN followable;",
];

/// A file as each version left it, which eight processes open at a time.
#[test]
fn an_older_file_is_migrated_once_whoever_opens_it() {
    for back in 1..=BACK.len() {
        let folder = Folder::new("sqlite-older");
        let path = written(&folder);
        BACK.iter().take(back).for_each(|step| sql(&path, step));
        sql(&path, &format!("PRAGMA user_version = {}", BACK.len() + 1 - back));
        std::thread::scope(|scope| {
            for id in 0..8_u128 {
                let path = &path;
                scope.spawn(move || {
                    let store = open(path).unwrap();
                    assert_eq!(used(&store, "all"), 9);
                    store.charge(&batch(100 + id, &format!("key {id}"), 1)).wait().unwrap();
                });
            }
        });
        let store = open(&path).unwrap();
        // The same call again, from before the migration.
        store.charge(&batch(1, "all", 7)).wait().unwrap();
        store.settle(ReservationId(2), &Settlement::AsReserved).wait().unwrap();
        assert_eq!((used(&store, "all"), store.snapshot().wait().unwrap().cells.len()), (9, 9));
    }
}

#[test]
fn an_empty_file_is_a_new_one() {
    let folder = Folder::new("sqlite-empty");
    let path = folder.write("state.db", "");
    open(&path).unwrap().charge(&batch(1, "all", 7)).wait().unwrap();
    assert_eq!(used(&open(&path).unwrap(), "all"), 7);
}

#[test]
fn rows_that_were_never_written_are_refused_and_left_alone() {
    for (damage, repair) in [
        ("UPDATE cells SET kind = 9", "UPDATE cells SET kind = 0"),
        ("UPDATE cells SET algorithm = 1, span = -5", "UPDATE cells SET algorithm = 0, span = 0"),
        (
            "UPDATE cells SET algorithm = 1, span = 5, meter = 'x'",
            "UPDATE cells SET algorithm = 0, span = 0, meter = ''",
        ),
    ] {
        let folder = Folder::new("sqlite-rows");
        let path = written(&folder);
        sql(&path, damage);
        let store = open(&path).unwrap();
        let error = store.charge(&batch(3, "all", 1)).wait().unwrap_err();
        assert!(matches!(error, StateError::Unusable(_)), "{damage}: {error}");
        assert!(error.to_string().contains("never written"), "{damage}: {error}");
        sql(&path, repair);
        assert_eq!(used(&store, "all"), 9, "{damage}");
    }
    let folder = Folder::new("sqlite-rows");
    let path = written(&folder);
    sql(&path, "UPDATE reservations SET charges = '[[7]]' WHERE closed = 0");
    let store = open(&path).unwrap();
    let error = store.settle(ReservationId(2), &Settlement::AsReserved).wait().unwrap_err();
    assert!(matches!(error, StateError::Unusable(_)), "{error}");
    // A batch that does not touch it is charged all the same.
    store.charge(&batch(3, "all", 1)).wait().unwrap();
    assert_eq!(used(&store, "all"), 10);
}
