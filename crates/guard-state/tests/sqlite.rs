//! The SQLite store against the suite and the model, and with files that are not as they should be.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod model;
mod suite;

/// How many steps a round of the long histories has.
const STEPS: u128 = 20;

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::time::Duration;

use guard_core::{
    Changes, ChargeOutcome, Clock, FixedClock, Quantity, ReservationId, Settlement, StateError, StateStore,
    Timestamp,
};
use guard_state::{SqliteConfig, SqliteStore};
use suite::{LEASE, START, batch, charge};
use test_support::Folder;

fn fresh(clock: Arc<FixedClock>) -> (SqliteStore, Folder) {
    let folder = Folder::new("sqlite-suite");
    let store = SqliteStore::open(&SqliteConfig::new(folder.path().join("state.db")), clock).unwrap();
    (store, folder)
}

state_store_suite!(sqlite, fresh);

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config {
        cases: 60,
        failure_persistence: None,
        ..Default::default()
    })]

    #[test]
    fn every_history_ends_as_in_the_model(acts in model::history()) {
        let clock = Arc::new(FixedClock::at(suite::START));
        let (store, _folder) = fresh(Arc::clone(&clock));
        model::check(&acts, &store, &clock);
    }
}

fn open(path: &Path) -> Result<SqliteStore, StateError> {
    SqliteStore::open(&SqliteConfig::new(path), Arc::new(FixedClock::at(START)))
}

fn refusal(path: &Path) -> String {
    match open(path) {
        Ok(_) => panic!("{} was opened", path.display()),
        Err(error) => error.to_string(),
    }
}

fn used(store: &SqliteStore, limit: &str) -> i64 {
    store.snapshot().wait().unwrap().total(&suite::cell(limit, "all", "w")).units()
}

/// A file with 7 spent of `a`.
fn written(folder: &Folder) -> std::path::PathBuf {
    let path = folder.path().join("state.db");
    open(&path).unwrap().charge(&batch(1, vec![charge("a", 7, 10)])).wait().unwrap();
    path
}

#[test]
fn what_was_acknowledged_is_there_when_the_file_is_opened_again() {
    let folder = Folder::new("sqlite-again");
    let path = written(&folder);
    let store = open(&path).unwrap();
    assert_eq!(used(&store, "a"), 7);
    // The same call again, from a process that did not hear the answer.
    store.charge(&batch(1, vec![charge("a", 7, 10)])).wait().unwrap();
    assert_eq!(used(&store, "a"), 7);
    store.reserve(&batch(2, vec![charge("a", 2, 10)]), LEASE).wait().unwrap();
    let other = open(&path).unwrap();
    assert_eq!(used(&other, "a"), 9);
    other.settle(ReservationId(2), &Settlement::AsReserved).wait().unwrap();
    let outcome = store.charge(&batch(3, vec![charge("a", 2, 10)])).wait().unwrap();
    assert!(matches!(outcome, ChargeOutcome::Exceeded(_)), "{outcome:?}");
}

/// Another process is in the middle of its transaction when a charge comes: the charge is decided on what that has left. A
/// store that reads before it has the file to itself would see seven spent, and write eight over the ten.
#[test]
fn a_charge_is_decided_on_what_the_transaction_before_it_left() {
    let folder = Folder::new("sqlite-between");
    let path = written(&folder);
    let store = open(&path).unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other
        .execute_batch("BEGIN IMMEDIATE; UPDATE cells SET spent = 10; UPDATE clock SET revision = 9;")
        .unwrap();
    std::thread::scope(|scope| {
        let charge = scope.spawn(|| store.charge(&batch(2, vec![charge("a", 1, 10)])).wait());
        // Long enough for all that the store can do before it has to wait.
        std::thread::sleep(Duration::from_millis(300));
        other.execute_batch("COMMIT").unwrap();
        let outcome = charge.join().unwrap().unwrap();
        assert!(matches!(outcome, ChargeOutcome::Exceeded(_)), "{outcome:?}");
    });
    assert_eq!(used(&store, "a"), 10);
}

/// A clock that makes another process write while the store is between two charges of one transaction.
struct Between {
    other: Mutex<rusqlite::Connection>,
    /// How often it was asked since the charges were handed over; before that, it is not counted.
    asked: AtomicUsize,
    both: Barrier,
    written: Mutex<Option<rusqlite::Result<()>>>,
}

const NOT_YET: usize = 1_000;

impl Clock for Between {
    fn now(&self) -> Timestamp {
        match self.asked.load(Ordering::Acquire) {
            NOT_YET => return START,
            // Before the transaction: the second charge is handed over, and so shares it.
            0 => {
                self.both.wait();
            }
            // The first of them is decided, and nothing is committed.
            2 => {
                let written = self.other.lock().unwrap().execute_batch("UPDATE cells SET spent = 10");
                *self.written.lock().unwrap() = Some(written);
            }
            _ => {}
        }
        self.asked.fetch_add(1, Ordering::AcqRel);
        START
    }
}

/// Nobody writes between what a transaction reads and what it writes: it would be overwritten.
#[test]
fn nobody_else_writes_while_charges_are_decided() {
    let folder = Folder::new("sqlite-alone");
    let path = written(&folder);
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("PRAGMA busy_timeout = 0").unwrap();
    let clock = Arc::new(Between {
        other: Mutex::new(other),
        asked: AtomicUsize::new(NOT_YET),
        both: Barrier::new(2),
        written: Mutex::new(None),
    });
    let store = SqliteStore::open(&SqliteConfig::new(&path), Arc::clone(&clock) as _).unwrap();
    clock.asked.store(0, Ordering::Release);
    let batches = [batch(2, vec![charge("a", 1, 10)]), batch(3, vec![charge("a", 1, 10)])];
    let answers = batches.each_ref().map(|batch| store.charge(batch));
    clock.both.wait();
    for answer in answers {
        let outcome = answer.wait().unwrap();
        assert!(matches!(outcome, ChargeOutcome::Charged(_)), "{outcome:?}");
    }
    let written = clock.written.lock().unwrap().take().expect("somebody was to write");
    assert!(written.is_err(), "another process has written meanwhile");
    clock.asked.store(NOT_YET, Ordering::Release);
    assert_eq!(used(&store, "a"), 9);
}

/// A clock that is twenty seconds further whenever somebody looks at it.
struct Hasty(AtomicUsize);

impl Clock for Hasty {
    fn now(&self) -> Timestamp {
        START.plus(Duration::from_secs(20) * u32::try_from(self.0.fetch_add(1, Ordering::AcqRel)).unwrap())
    }
}

/// The time is read for a transaction and for each operation in it: between the two a lease may run out.
#[test]
fn a_lease_may_run_out_while_a_transaction_is_under_way() {
    let folder = Folder::new("sqlite-hasty");
    let config = SqliteConfig::new(folder.path().join("state.db"));
    let store = SqliteStore::open(&config, Arc::new(Hasty(AtomicUsize::new(0)))).unwrap();
    let ever = guard_core::Charge { resets_in: None, ..charge("a", 4, 10) };
    store.reserve(&batch(1, vec![ever]), LEASE).wait().unwrap();
    let settled = store.settle(ReservationId(1), &Settlement::AsReserved).wait().unwrap();
    assert_eq!(settled.before, Some(guard_core::Closed::Expired));
    assert_eq!(used(&store, "a"), 4);
}

/// Of two processes one may have the wrong time. A window that has ended for the one that is ahead does not offer its budget
/// again to the other.
#[test]
fn a_process_whose_clock_is_behind_goes_by_the_files_time() {
    let folder = Folder::new("sqlite-behind");
    let path = written(&folder);
    let late = Arc::new(FixedClock::at(START.plus(Duration::from_secs(120))));
    let ahead = SqliteStore::open(&SqliteConfig::new(&path), late).unwrap();
    let ever = guard_core::Charge { resets_in: None, ..charge("b", 1, 10) };
    ahead.charge(&batch(2, vec![ever])).wait().unwrap();
    let behind = open(&path).unwrap();
    let error = behind.charge(&batch(3, vec![charge("a", 1, 10)])).wait().unwrap_err();
    assert!(matches!(error, StateError::WindowClosed(_)), "{error}");
    assert_eq!(used(&behind, "a"), 0);
}

/// The processes of a program that is started for the first time.
#[test]
fn a_new_file_may_be_opened_by_many_at_once() {
    let folder = Folder::new("sqlite-new");
    for round in 0..20 {
        let path = folder.path().join(format!("{round}.db"));
        let begin = Barrier::new(6);
        std::thread::scope(|scope| {
            for id in 0..6 {
                let (path, begin) = (&path, &begin);
                scope.spawn(move || {
                    begin.wait();
                    let store = open(path).unwrap_or_else(|error| panic!("round {round}: {error}"));
                    store.charge(&batch(id, vec![charge("a", 1, 10)])).wait().unwrap();
                });
            }
        });
        assert_eq!(used(&open(&path).unwrap(), "a"), 6);
    }
}

/// Another process is just about to write to the file, which is no log yet: SQLite says so at once, and it is waited for.
#[test]
fn a_new_file_that_another_process_writes_to_is_waited_for() {
    let folder = Folder::new("sqlite-held");
    let path = folder.path().join("state.db");
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    std::thread::scope(|scope| {
        let opened = scope.spawn(|| open(&path).map(|store| used(&store, "a")));
        std::thread::sleep(Duration::from_millis(300));
        other.execute_batch("ROLLBACK").unwrap();
        assert_eq!(opened.join().unwrap().unwrap(), 0);
    });
}

#[test]
fn another_processes_changes_are_followed() {
    let folder = Folder::new("sqlite-follow");
    let path = written(&folder);
    let (one, two) = (open(&path).unwrap(), open(&path).unwrap());
    let seen = one.snapshot().wait().unwrap().revision;
    two.charge(&batch(2, vec![charge("a", 1, 10)])).wait().unwrap();
    let end = std::time::Instant::now() + Duration::from_secs(10);
    while one.revision() == seen {
        assert!(std::time::Instant::now() < end, "the other process' change is not seen");
        std::thread::sleep(Duration::from_millis(5));
    }
    let Changes::Cells { cells, .. } = one.changes_since(seen).wait().unwrap() else { panic!("all of it") };
    assert_eq!(cells[0].value, Some(Quantity::new(8)));
}

/// What a transaction knew of a cell holds for the next one unless somebody else has written, whatever it was.
#[test]
fn what_is_known_of_a_cell_is_forgotten_when_somebody_else_writes() {
    let folder = Folder::new("sqlite-known");
    let path = written(&folder);
    let (store, other) = (open(&path).unwrap(), rusqlite::Connection::open(&path).unwrap());
    let charged = |id| store.charge(&batch(id, vec![charge("a", 1, 10)])).wait().unwrap();
    assert!(matches!(charged(2), ChargeOutcome::Charged(_)));
    other.execute_batch("UPDATE cells SET spent = 10").unwrap();
    assert!(matches!(charged(3), ChargeOutcome::Exceeded(_)));
    // Its row is another one's now.
    other.execute_batch("UPDATE cells SET number = number + 1, spent = 9").unwrap();
    assert!(matches!(charged(4), ChargeOutcome::Charged(_)));
    other.execute_batch("DELETE FROM cells").unwrap();
    assert!(matches!(charged(5), ChargeOutcome::Charged(_)));
    assert_eq!(used(&store, "a"), 1);
}

/// More cells than are known at a time, many to a transaction; and the log of changes does not grow for ever.
#[test]
fn changes_are_followed_for_a_while_and_then_forgotten() {
    let folder = Folder::new("sqlite-log");
    let path = written(&folder);
    let store = open(&path).unwrap();
    let mut behind = store.snapshot().wait().unwrap();
    for round in 0..3_u128 {
        let batches = (0..9_000_u128).map(|id| {
            let mut one = charge("many", 1, 10);
            one.cell = suite::cell("many", &format!("{id}"), "w");
            batch(10 + id + round * 10_000, vec![one])
        });
        let batches: Vec<_> = batches.collect();
        let answers: Vec<_> = batches.iter().map(|batch| store.charge(batch)).collect();
        answers
            .into_iter()
            .for_each(|answer| assert!(matches!(answer.wait(), Ok(ChargeOutcome::Charged(_)))));
        let Changes::All(now) = store.changes_since(behind.revision).wait().unwrap() else {
            panic!("9,000 changes are remembered");
        };
        assert_eq!(now.cells.len(), 9_001);
        let total: i64 = now.cells.iter().map(|(_, used)| used.units()).sum();
        assert_eq!(total, 7 + 9_000 * i64::try_from(round + 1).unwrap());
        let near = guard_core::Revision(now.revision.0 - 1_000);
        let Changes::Cells { cells, .. } = store.changes_since(near).wait().unwrap() else {
            panic!("1,000 changes are forgotten");
        };
        assert!((1_000..9_000).contains(&cells.len()), "{}", cells.len());
        behind = now;
    }
    drop(store);
    let rows: i64 = rusqlite::Connection::open(&path)
        .unwrap()
        .query_row("SELECT max(revision) - min(revision) FROM changes", [], |row| row.get(0))
        .unwrap();
    assert!(rows < 3 << 12, "{rows} revisions");
}

#[test]
fn files_of_another_kind_are_refused() {
    let folder = Folder::new("sqlite-refused");
    let newer = written(&folder);
    rusqlite::Connection::open(&newer).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();
    let told = refusal(&newer);
    assert!(told.contains("version 99") && told.contains("newer program"), "{told}");

    let foreign = folder.path().join("foreign.db");
    rusqlite::Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    assert!(refusal(&foreign).contains("another program"));
    // And left as it was.
    let mode: String = rusqlite::Connection::open(&foreign)
        .unwrap()
        .query_row("PRAGMA journal_mode", [], |row| row.get(0))
        .unwrap();
    assert_eq!(mode, "delete");

    let text = folder.write("text.db", "budgets: none\n".repeat(100));
    assert!(refusal(&text).contains("not a state file"), "{}", refusal(&text));
    assert!(refusal(&folder.path().join("nowhere/state.db")).contains("cannot be opened"));
    assert!(refusal(folder.path()).contains("cannot be opened"));
}

#[test]
fn damaged_files_are_refused_and_left_alone() {
    let folder = Folder::new("sqlite-damaged");
    let path = written(&folder);
    let store = open(&path).unwrap();
    for id in 0..200_u128 {
        let mut one = charge("a", 1, 1_000);
        one.cell = suite::cell("a", &format!("key {id}"), "w");
        store.charge(&batch(10 + id, vec![one])).wait().unwrap();
    }
    drop(store);
    let whole = std::fs::read(&path).unwrap();
    assert!(whole.len() > 20_000, "{}", whole.len());
    for cut in [whole.len() / 2, 5_000, 90] {
        let truncated = folder.write("truncated.db", &whole[..cut]);
        let told = refusal(&truncated);
        assert!(told.contains("damaged") || told.contains("not a state file"), "{cut}: {told}");
        assert_eq!(std::fs::read(&truncated).unwrap().len(), cut, "a damaged file was written to");
    }
    // Whichever page it is, also where nothing would be read before a call needs it: the file is looked through when it is
    // opened.
    for page in 1..whole.len() / 4_096 {
        let mut garbled = whole.clone();
        garbled[page * 4_096..][..4_096].fill(0xa5);
        let told = refusal(&folder.write(&format!("garbled {page}.db"), garbled));
        assert!(told.contains("damaged"), "page {page}: {told}");
    }
}

#[test]
fn a_full_disk_fails_charges_and_loses_nothing() {
    let folder = Folder::new("sqlite-full");
    let path = written(&folder);
    let config = SqliteConfig { max_bytes: Some(200 << 10), ..SqliteConfig::new(&path) };
    let store = SqliteStore::open(&config, Arc::new(FixedClock::at(START))).unwrap();
    let mut acknowledged = 0;
    let error = loop {
        let mut one = charge("many", 1, 1_000);
        one.cell = suite::cell("many", &format!("{acknowledged:01000}"), "w");
        match store.charge(&batch(100 + acknowledged, vec![one])).wait() {
            Ok(_) => acknowledged += 1,
            Err(error) => break error,
        }
        assert!(acknowledged < 1_000, "200 KiB hold a megabyte");
    };
    assert!(matches!(&error, StateError::Unavailable(_)), "{error}");
    assert!(error.to_string().contains("no room left"), "{error}");
    assert_eq!(store.snapshot().wait().unwrap().cells.len(), usize::try_from(acknowledged).unwrap() + 1);
    drop(store);
    let store = open(&path).unwrap();
    assert_eq!(store.snapshot().wait().unwrap().cells.len(), usize::try_from(acknowledged).unwrap() + 1);
    store.charge(&batch(9_999, vec![charge("a", 3, 10)])).wait().unwrap();
}

/// What a transaction that could not be kept had counted is not counted.
#[test]
fn a_full_disk_leaves_nothing_behind_that_was_not_kept() {
    let folder = Folder::new("sqlite-full-known");
    let path = written(&folder);
    let config = SqliteConfig { max_bytes: Some(100 << 10), ..SqliteConfig::new(&path) };
    let store = SqliteStore::open(&config, Arc::new(FixedClock::at(START))).unwrap();
    let charged =
        |id: u128, amount| store.charge(&batch(100 + id, vec![charge("a", amount, 1 << 20)])).wait();
    let kept = (0..100_000).find(|id| charged(*id, 1).is_err()).expect("100 KiB hold 100,000 calls");
    for _ in 0..3 {
        assert!(charged(kept, 1).is_err());
    }
    // Refused without a write.
    let Ok(ChargeOutcome::Exceeded(exceeded)) = charged(kept, 1 << 20) else { panic!("it fits") };
    let counted = 7 + i64::try_from(kept).unwrap();
    assert_eq!(exceeded.remaining.units(), (1 << 20) - counted);
    assert_eq!(used(&store, "a"), counted);
}

/// As root every file can be written: the kernel's read-only flag holds root back, but not every file system has it.
#[test]
fn a_file_that_cannot_be_written_is_refused() {
    let folder = Folder::new("sqlite-read-only");
    let path = written(&folder);
    let uri = format!("file:{}?mode=ro", path.display());
    let told = refusal(Path::new(&uri));
    assert!(told.contains("read-only") || told.contains("cannot be"), "{told}");
}
