//! The file as somebody may find it, or leave it: entries by real SQL, read back and verified.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::sync::Arc;

use guard_audit::{
    AuditLog, Cell, Config, Durability, Filter, Reader, StoreError, csv_head, csv_row, json_row,
};
use guard_core::{AuditSink, FixedClock, Json, Recorded, Timestamp};
use rusqlite::Connection;
use support::{keep, log, record};
use test_support::Folder;

/// A log with five entries, and its file.
fn five() -> (Folder, std::path::PathBuf) {
    let folder = Folder::new("guard-audit");
    let path = folder.path().join("audit.db");
    let audit = log(&path, Durability::BeforeOutcome, 100);
    for number in 0..5 {
        keep(&audit, &record(number)).unwrap();
    }
    (folder, path)
}

/// What is told about a log in which this SQL was run.
fn told(sql: &str) -> String {
    let (_folder, path) = five();
    Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    match Reader::open(&path).unwrap().verify().unwrap() {
        Ok(verified) => format!("{} entries", verified.count),
        Err(broken) => format!("{}: {}", broken.sequence, broken.why),
    }
}

#[test]
fn a_log_that_nobody_touched_is_whole() {
    assert_eq!(told(""), "5 entries");
    assert_eq!(told("VACUUM"), "5 entries");
}

/// The processes of a program that is started for the first time.
#[test]
fn a_new_log_may_be_opened_by_many_at_once() {
    let folder = Folder::new("guard-audit-new");
    for round in 0..20 {
        let path = folder.path().join(format!("{round}.db"));
        let begin = std::sync::Barrier::new(6);
        std::thread::scope(|scope| {
            for number in 0..6 {
                let (path, begin) = (&path, &begin);
                scope.spawn(move || {
                    begin.wait();
                    keep(&log(path, Durability::BeforeOutcome, 100), &record(number)).unwrap();
                });
            }
        });
        assert_eq!(Reader::open(&path).unwrap().verify().unwrap().unwrap().count, 6);
    }
}

#[test]
fn an_edit_of_any_column_is_found() {
    let changed = "it does not say what was written";
    for column in guard_audit::COLUMNS {
        let number = ["timestamp_ns", "runs", "duration_us", "data_revision"].contains(&column);
        let value = if number { "12345" } else { "'x'" };
        assert_eq!(
            told(&format!("UPDATE entries SET {column} = {value} WHERE sequence = 3")),
            format!("3: {changed}")
        );
        assert!(!told(&format!("UPDATE entries SET {column} = NULL WHERE sequence = 3")).contains("4:"));
    }
    assert_eq!(told("UPDATE entries SET hash = zeroblob(32) WHERE sequence = 2"), format!("2: {changed}"));
    assert_eq!(
        told("UPDATE entries SET before = zeroblob(32) WHERE sequence = 2"),
        "2: it does not follow on the entry before it"
    );
    assert_eq!(
        told("UPDATE entries SET version = 2 WHERE sequence = 2"),
        "2: it is of a version that is not known"
    );
}

#[test]
fn what_is_deleted_is_found() {
    assert_eq!(told("DELETE FROM entries WHERE sequence = 1"), "1: the entry is not there");
    assert_eq!(told("DELETE FROM entries WHERE sequence IN (3, 4)"), "3: the entry is not there");
    let last = "5: the entry is not there, and the chain's head says that there are 5";
    assert_eq!(told("DELETE FROM entries WHERE sequence = 5"), last);
    assert_eq!(told("DELETE FROM entries"), last.replace("5: the", "1: the"));
    // Closing the gap does not hide it.
    let closed = "DELETE FROM entries WHERE sequence = 3; UPDATE entries SET sequence = sequence - 1 WHERE sequence > 3";
    assert_eq!(told(closed), "3: it does not follow on the entry before it");
}

#[test]
fn what_is_moved_is_found() {
    let swapped = "UPDATE entries SET sequence = -sequence WHERE sequence IN (2, 3);
        UPDATE entries SET sequence = 5 + sequence WHERE sequence IN (-2, -3)";
    assert_eq!(told(swapped), "2: it does not follow on the entry before it");
    // With the links mended the hashes still cover the places.
    let relinked = format!(
        "{swapped}; UPDATE entries SET before = (SELECT hash FROM entries AS other WHERE other.sequence = \
         entries.sequence - 1) WHERE sequence > 1"
    );
    assert_eq!(told(&relinked), "2: it does not say what was written");
}

#[test]
fn what_is_put_in_is_found() {
    let copy = |at: &str| {
        let columns = guard_audit::COLUMNS.join(", ");
        format!(
            "INSERT INTO entries SELECT {at}, version, before, hash, {columns} FROM entries WHERE sequence = 5"
        )
    };
    assert_eq!(told(&copy("6")), "6: it does not follow on the entry before it");
    assert_eq!(told(&copy("0")), "0: no entry has such a sequence");
    assert_eq!(told(&copy("-3")), "-3: no entry has such a sequence");
    assert_eq!(told("UPDATE head SET sequence = 4"), "5: the chain's head does not know the entry");
    assert_eq!(told("UPDATE head SET hash = zeroblob(32)"), "5: the chain's head does not know the entry");
}

#[test]
fn entries_are_read_as_they_were_recorded_and_chosen() {
    let (_folder, path) = five();
    let reader = Reader::open(&path).unwrap();
    let sequences = |filter: Filter| {
        let mut found = Vec::new();
        reader
            .entries(&filter, |entry| {
                found.push(entry.sequence);
                true
            })
            .unwrap();
        found
    };
    assert_eq!(sequences(Filter::default()), [1, 2, 3, 4, 5]);
    assert_eq!(sequences(Filter { latest: Some(2), ..Filter::default() }), [4, 5]);
    assert_eq!(sequences(Filter { decisions: vec!["blocked".into()], ..Filter::default() }), [2, 4]);
    assert_eq!(sequences(Filter { policy: Some("p0".into()), ..Filter::default() }), [1, 3, 5]);
    assert_eq!(sequences(Filter { user: Some("nobody' OR 1".into()), ..Filter::default() }), [0_i64; 0]);
    assert_eq!(sequences(Filter { since_ns: Some(3_000_000_000), ..Filter::default() }), [4, 5]);
    let mut first = None;
    reader
        .entries(&Filter::default(), |entry| {
            first = Some(entry);
            false
        })
        .unwrap();
    let first = first.unwrap();
    assert_eq!(first.text("reason"), Some("number 0"));
    assert_eq!((first.number("runs"), first.cell("limit_id")), (Some(1), Some(&Cell::Null)));
    let json = json_row(&first);
    assert_eq!(json["context"], serde_json::json!({"amount": 0, "password": "(hidden)", "plan": "(hidden)"}));
    assert_eq!((json["runs"].as_bool(), json["sequence"].as_i64()), (Some(true), Some(1)));
    assert_eq!(csv_head().matches(',').count(), 19);
    assert!(csv_row(&first).starts_with("1,decision,"), "{}", csv_row(&first));
}

#[test]
fn no_secret_is_in_the_file() {
    let (folder, _) = five();
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("hunter2") && !text.contains("secret plan"));
    }
}

#[test]
#[cfg(unix)]
fn the_file_is_its_owner_s() {
    use std::os::unix::fs::PermissionsExt as _;

    let (_folder, path) = five();
    assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn what_is_no_log_is_refused_and_left_alone() {
    let folder = Folder::new("guard-audit-other");
    let path = folder.path().join("other.db");
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    let clock = || Arc::new(FixedClock::at(Timestamp::from_seconds(0)));
    let opened = |path: &std::path::Path| AuditLog::open(&Config::new(path), clock()).map(drop).unwrap_err();
    assert!(matches!(opened(&path), StoreError::Unusable { .. }), "{}", opened(&path));
    assert!(matches!(Reader::open(&path).unwrap_err(), StoreError::Unusable { .. }));
    let text = folder.write("text.db", "no database at all, but long enough to be taken for one".repeat(20));
    assert!(matches!(opened(&text), StoreError::Unusable { .. }));
    let newer = folder.path().join("newer.db");
    drop(log(&newer, Durability::Grouped, 1));
    Connection::open(&newer).unwrap().execute_batch("PRAGMA user_version = 7").unwrap();
    assert!(opened(&newer).to_string().contains("it is of version 7"), "{}", opened(&newer));
    assert!(Reader::open(folder.path().join("none.db")).is_err());
    assert!(!folder.path().join("none.db").exists());
}

#[test]
fn what_waits_is_written_before_it_is_gone_and_what_is_dropped_is_told() {
    let folder = Folder::new("guard-audit-queue");
    let path = folder.path().join("audit.db");
    let audit = log(&path, Durability::Grouped, 1_000_000);
    for number in 0..3_000 {
        keep(&audit, &record(number)).unwrap();
    }
    drop(audit);
    assert_eq!(Reader::open(&path).unwrap().verify().unwrap().unwrap().count, 3_000);
    // Nobody else can write while this holds the file: what waits has no room, and what has none is counted.
    let holder = Connection::open(&path).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let audit = log(&path, Durability::Async, 10);
    let (mut kept, before) = (0, audit.dropped());
    for number in 0..5_000 {
        keep(&audit, &record(number)).unwrap();
        kept += 1;
    }
    assert!(audit.dropped() > before, "none was dropped");
    holder.execute_batch("ROLLBACK").unwrap();
    drop(holder);
    let dropped = audit.dropped();
    drop(audit);
    let reader = Reader::open(&path).unwrap();
    let mut told = Vec::new();
    let mut new = 0_u64;
    reader
        .entries(&Filter::default(), |entry| {
            match entry.text("kind") {
                Some("records_dropped") => told.push(entry.text("reason").unwrap().to_owned()),
                _ => new += 1,
            }
            true
        })
        .unwrap();
    assert_eq!(new, 3_000 + kept - dropped);
    assert_eq!(
        told.iter().map(|told| told.split(' ').next().unwrap().parse::<u64>().unwrap()).sum::<u64>(),
        dropped
    );
    assert!(reader.verify().unwrap().is_ok());
}

#[test]
fn a_record_that_cannot_be_kept_before_the_outcome_is_an_error() {
    let folder = Folder::new("guard-audit-full");
    let path = folder.path().join("audit.db");
    let audit = log(&path, Durability::BeforeOutcome, 100);
    keep(&audit, &record(0)).unwrap();
    Connection::open(&path).unwrap().execute_batch("DROP TABLE head").unwrap();
    let told = keep(&audit, &record(1)).unwrap_err().to_string();
    assert!(told.contains("no such table: head"), "{told}");
    assert_eq!(audit.dropped(), 0);
    let none = log(&folder.path().join("other.db"), Durability::BeforeOutcome, 0);
    assert!(keep(&none, &record(1)).unwrap_err().to_string().contains("too many records wait"));
}

#[test]
fn columns_that_are_empty_are_not_the_same_as_texts_that_are() {
    let folder = Folder::new("guard-audit-null");
    let path = folder.path().join("audit.db");
    let audit = log(&path, Durability::BeforeOutcome, 10);
    let mut one = record(0);
    one.user_id = None;
    one.decision = Recorded::Blocked;
    one.decision_metadata = Some(Json::of(&serde_json::json!({"rule": "r"})).unwrap());
    audit.record(&one).wait().unwrap();
    drop(audit);
    Connection::open(&path).unwrap().execute_batch("UPDATE entries SET user_id = ''").unwrap();
    assert_eq!(Reader::open(&path).unwrap().verify().unwrap().unwrap_err().sequence, 1);
}
