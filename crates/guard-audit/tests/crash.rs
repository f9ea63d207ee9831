//! Several processes write one log at once, and are killed in the middle of it: the chain does not fork, and no record that
//! was acknowledged before the outcome is lost. This program is its own writer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use guard_audit::{Durability, Filter, Reader};
use support::{keep, log, record};
use test_support::Folder;

/// How many processes write at a time, and how often they are killed.
const WRITERS: usize = 3;
const ROUNDS: usize = 4;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, mode, path, first] = arguments.as_slice()
        && mode == "write"
    {
        return write(Path::new(path), first.parse().unwrap());
    }
    no_acknowledged_record_is_lost();
    println!("ok: {WRITERS} writers were killed {ROUNDS} times");
}

/// Keeps records from several threads for ever, and prints the number of each once it is acknowledged.
fn write(path: &Path, first: u64) {
    let audit = log(path, Durability::BeforeOutcome, 100);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let audit = &audit;
            scope.spawn(move || {
                for number in (first + thread..).step_by(4) {
                    keep(audit, &record(number)).unwrap();
                    let mut out = std::io::stdout().lock();
                    // One line in one write: a killed process leaves whole lines or none.
                    out.write_all(format!("{number}\n").as_bytes()).unwrap();
                    out.flush().unwrap();
                }
            });
        }
    });
}

fn start(path: &Path, writer: usize, round: usize) -> Child {
    let first = (writer * ROUNDS + round + 1) * 100_000_000;
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg("write").arg(path).arg(first.to_string());
    command.stdout(Stdio::piped()).spawn().unwrap()
}

/// Every number that was printed as a whole line before the kill.
fn acknowledged(mut child: Child, wait: Duration) -> Vec<u64> {
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let reading = std::thread::spawn(move || {
        let (mut numbers, mut line) = (Vec::new(), String::new());
        while out.read_line(&mut line).is_ok_and(|read| read > 0) {
            if let Some(number) = line.strip_suffix('\n') {
                numbers.push(number.parse().unwrap());
            }
            line.clear();
        }
        numbers
    });
    std::thread::sleep(wait);
    // SIGKILL.
    child.kill().unwrap();
    child.wait().unwrap();
    reading.join().unwrap()
}

fn no_acknowledged_record_is_lost() {
    let folder = Folder::new("guard-audit-crash");
    let path = folder.path().join("audit.db");
    let mut expected = BTreeSet::new();
    for round in 0..ROUNDS {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (child, wait) =
                    (start(&path, writer, round), Duration::from_millis(700 + 130 * writer as u64));
                std::thread::spawn(move || acknowledged(child, wait))
            })
            .collect();
        for writer in writers {
            expected.extend(writer.join().unwrap());
        }
        let reader = Reader::open(&path).unwrap();
        let mut found = BTreeSet::new();
        let mut entries = 0;
        reader
            .entries(&Filter::default(), |entry| {
                entries += 1;
                found.insert(entry.text("reason").unwrap()["number ".len()..].parse::<u64>().unwrap());
                true
            })
            .unwrap();
        let lost: Vec<_> = expected.difference(&found).collect();
        assert!(lost.is_empty(), "round {round}: {} of {} are lost: {lost:?}", lost.len(), expected.len());
        assert_eq!(entries, found.len(), "an entry is there twice");
        let verified = reader.verify().unwrap();
        assert_eq!(verified.expect("the chain is whole").count, i64::try_from(entries).unwrap());
    }
    assert!(expected.len() > 50, "only {} records were acknowledged", expected.len());
}
