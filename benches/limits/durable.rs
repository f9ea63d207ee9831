//! SQLite: charges that are on the disk when they are acknowledged, by 16 callers at a time, many to a transaction and
//! each in its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use guard_core::{
    Batch, ChargeOutcome, Clock, DecisionId, ReservationId, StateStore, SystemClock, Timestamp,
};
use guard_state::{SqliteConfig, SqliteStore};
use test_support::Folder;

use crate::load::Load;

const TASKS: u128 = 16;
/// How a call is named: by the Guardian, in the order of time, or by a caller's key, which is anywhere among the others.
#[derive(Clone, Copy)]
enum Named {
    ByGuardian,
    ByKey,
}

const ROUND: Duration = Duration::from_millis(500);

pub(crate) fn run(rounds: usize) {
    let folder = Folder::new("bench-limits");
    let open = |name: &str, one_by_one: bool| {
        let config = SqliteConfig { one_by_one, ..SqliteConfig::new(folder.path().join(name)) };
        SqliteStore::open(&config, Arc::new(SystemClock::new())).unwrap()
    };
    let (group, single, keys) = (open("group.db", false), open("single.db", true), open("keys.db", false));
    let start = SystemClock::new().now();
    let (mut together, mut alone, mut by_key, mut syncs) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds.div_ceil(20).max(3) {
        let round = u128::try_from(round).unwrap();
        together.push(spent(&group, Named::ByGuardian, start, round));
        alone.push(spent(&single, Named::ByGuardian, start, round));
        by_key.push(spent(&keys, Named::ByKey, start, round));
        syncs.push(sync(&folder));
    }
    for rates in [&mut together, &mut alone, &mut by_key, &mut syncs] {
        rates.sort_by(f64::total_cmp);
    }
    let median = |rates: &[f64]| rates.get(rates.len() / 2).copied().unwrap();
    println!("  one sync of one page: {:.0} µs", median(&syncs));
    println!("  16 callers, group commit: {:.0} acknowledged a second", median(&together));
    println!("  16 callers, a transaction each: {:.0}", median(&alone));
    println!("  ratio: {:.1}", median(&together) / median(&alone));
    println!("  16 callers, group commit, calls named by keys: {:.0}", median(&by_key));
}

/// Acknowledged charges in a second.
fn spent(store: &SqliteStore, named: Named, start: Timestamp, round: u128) -> f64 {
    let acknowledged = AtomicU64::new(0);
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for task in 0..TASKS {
            let acknowledged = &acknowledged;
            scope.spawn(move || {
                let clock = SystemClock::new();
                let mut load = Load::new(start, 1 + round * TASKS + task);
                while begun.elapsed() < ROUND {
                    let batch = match named {
                        Named::ByGuardian => {
                            let reservation = ReservationId(DecisionId::unique(clock.now()).as_u128());
                            Batch { reservation, ..load.three() }
                        }
                        Named::ByKey => load.three(),
                    };
                    let outcome = store.charge(&batch).wait().unwrap();
                    assert!(matches!(outcome, ChargeOutcome::Charged(_)));
                    acknowledged.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    acknowledged.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64()
}

/// How long the disk takes for what SQLite does at least: append a page to a log and wait for it, in microseconds.
fn sync(folder: &Folder) -> f64 {
    use std::io::Write;
    let mut file = std::fs::File::create(folder.path().join("sync")).unwrap();
    let mut took: Vec<f64> = (0..30)
        .map(|_| {
            let begun = Instant::now();
            file.write_all(&[7; 4_096]).unwrap();
            file.sync_data().unwrap();
            begun.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    took.sort_by(f64::total_cmp);
    took.get(took.len() / 2).copied().unwrap()
}
