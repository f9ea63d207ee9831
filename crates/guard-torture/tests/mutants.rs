//! Stores from which one guard is taken away, of every kind: each has to be found out.
//!
//! What is taken away here is taken away around a store, as a caller would who does the guard's work by halves: the README
//! says what was taken out of the stores themselves.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use guard_core::{
    Adjusted, Batch, CellFilter, CellView, Changes, ChargeOutcome, Exceeded, Quantity, Reply, ReservationId,
    Revision, Settled, Settlement, Snapshot, StateError, StateOperator, StateStore, SystemClock,
};
use guard_state::Store;
use guard_torture::{Load, Verdict, judge, judge_replicas, spend};
use test_support::{Folder, OpaServer, PostgresServer, RedisServer};

/// Which guard is missing.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Missing {
    Nothing,
    /// Reads, decides and adds in three steps.
    Transaction,
    /// Charges a batch cell by cell, and leaves what it had done when one refuses.
    AllOrNothing,
    /// Leases do not run out.
    Lease,
    /// The same call again is another call.
    Idempotency,
}

struct Mutant {
    store: Box<dyn Store>,
    missing: Missing,
    fresh: AtomicU64,
}

impl Mutant {
    fn charge_as(&self, batch: &Batch, lease: Option<Duration>) -> Result<ChargeOutcome, StateError> {
        let make = |batch: &Batch| match lease {
            Some(_) if self.missing == Missing::Lease => {
                self.store.reserve(batch, Duration::from_secs(3_600)).wait()
            }
            Some(lease) => self.store.reserve(batch, lease).wait(),
            None => self.store.charge(batch).wait(),
        };
        match self.missing {
            Missing::Transaction => {
                let before = self.store.snapshot().wait()?;
                for charge in batch.charges.iter() {
                    let used = before.total(&charge.cell);
                    if used.plus(charge.amount).unwrap() > charge.max {
                        return Ok(ChargeOutcome::Exceeded(Exceeded {
                            cell: Arc::clone(&charge.cell),
                            kind: charge.kind,
                            max: charge.max,
                            remaining: Quantity::ZERO,
                            retry_after: None,
                        }));
                    }
                }
                // As long as a round trip to a server takes.
                std::thread::sleep(Duration::from_micros(200));
                let mut unchecked = batch.clone();
                std::sync::Arc::make_mut(&mut unchecked.charges)
                    .iter_mut()
                    .for_each(|charge| charge.max = Quantity::LARGEST);
                make(&unchecked)
            }
            Missing::AllOrNothing => {
                let mut last = None;
                for (number, charge) in batch.charges.iter().enumerate() {
                    let id = ReservationId(batch.reservation.0 ^ u128::try_from(number).unwrap());
                    let one = Batch { charges: [charge.clone()].into(), at: batch.at, reservation: id };
                    let outcome = self.store.charge(&one).wait()?;
                    if matches!(outcome, ChargeOutcome::Exceeded(_)) {
                        return Ok(outcome);
                    }
                    last = Some(outcome);
                }
                Ok(last.unwrap())
            }
            Missing::Idempotency if lease.is_none() => {
                let id = u128::from(self.fresh.fetch_add(1, Ordering::Relaxed));
                make(&Batch { reservation: ReservationId(id), ..batch.clone() })
            }
            _ => make(batch),
        }
    }
}

impl StateStore for Mutant {
    fn reserve<'a>(
        &'a self,
        batch: &'a Batch,
        lease: Duration,
    ) -> Reply<'a, Result<ChargeOutcome, StateError>> {
        Reply::Now(self.charge_as(batch, Some(lease)))
    }

    fn settle<'a>(
        &'a self,
        id: ReservationId,
        actual: &'a Settlement,
    ) -> Reply<'a, Result<Settled, StateError>> {
        self.store.settle(id, actual)
    }

    fn refund(&self, id: ReservationId) -> Reply<'_, Result<Settled, StateError>> {
        self.store.refund(id)
    }

    fn charge<'a>(&'a self, batch: &'a Batch) -> Reply<'a, Result<ChargeOutcome, StateError>> {
        Reply::Now(self.charge_as(batch, None))
    }

    fn revision(&self) -> Revision {
        self.store.revision()
    }

    fn snapshot(&self) -> Reply<'_, Result<Snapshot, StateError>> {
        self.store.snapshot()
    }

    fn changes_since(&self, revision: Revision) -> Reply<'_, Result<Changes, StateError>> {
        self.store.changes_since(revision)
    }
}

impl StateOperator for Mutant {
    fn list<'a>(&'a self, filter: &'a CellFilter) -> Reply<'a, Result<Vec<CellView>, StateError>> {
        self.store.list(filter)
    }

    fn set<'a>(
        &'a self,
        filter: &'a CellFilter,
        spent: Quantity,
    ) -> Reply<'a, Result<Vec<Adjusted>, StateError>> {
        self.store.set(filter, spent)
    }
}

/// Each store is tortured under limits of its own, so that one server serves all.
fn tortured(address: &str, missing: Missing, run: u64) -> Verdict {
    let folder = Folder::new("torture-mutant");
    let log = folder.path().join("log");
    let store = guard_state::open(address, Arc::new(SystemClock::new())).unwrap();
    let store = Mutant { store, missing, fresh: AtomicU64::new(1 + (run << 32)) };
    let load = Load { seed: missing as u64, run, threads: 8, calls: 40 };
    spend(&store, load, 0, 0, &log).unwrap();
    std::thread::sleep(Duration::from_millis(2_200));
    judge(&store, load, &[&log]).unwrap()
}

/// Each guard is missed, by what is told of its lack; and a store that has all of them holds.
fn every_guard_is_missed(address: &str) {
    assert_eq!(tortured(address, Missing::Nothing, 0).broken, Vec::<String>::new());
    for (missing, by) in [
        (Missing::Transaction, "was admitted"),
        (Missing::AllOrNothing, "is counted"),
        (Missing::Lease, "after"),
        (Missing::Idempotency, "is counted"),
    ] {
        // A race may be won by chance.
        let found = (0..10).any(|run| {
            let broken = tortured(address, missing, run).broken;
            broken.iter().any(|what| what.contains(by))
        });
        assert!(found, "{missing:?} was not noticed");
    }
}

#[test]
fn of_the_memory_store() {
    every_guard_is_missed("memory:");
}

#[test]
fn of_the_sqlite_store() {
    let folder = Folder::new("torture-mutant-sqlite");
    every_guard_is_missed(&format!("sqlite:{}", folder.path().join("state.db").display()));
}

#[test]
#[ignore = "needs Redis"]
fn needs_redis_of_the_redis_store() {
    every_guard_is_missed(&RedisServer::start().url());
}

#[test]
#[ignore = "needs PostgreSQL"]
fn needs_postgres_of_the_postgres_store() {
    every_guard_is_missed(&PostgresServer::start().url());
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_of_the_store_in_documents() {
    let server = OpaServer::start();
    every_guard_is_missed(&format!("opa:{}", server.url()));
}

/// Replicas that look first and publish afterwards: each sees what is left, and all of them take it.
#[test]
#[ignore = "needs OPA"]
fn needs_opa_replicas_that_publish_after_they_have_looked_are_found() {
    let (server, folder) = (OpaServer::start(), Folder::new("torture-mutant-replicas"));
    let broken = |missing: Missing, run: u64| {
        // Odd runs spend at once, and have no leases to wait for.
        let load = Load { seed: missing as u64, run: run * 2 + 1, threads: 4, calls: 30 };
        let stores = [0, 1].map(|_| {
            let store =
                guard_state::open(&format!("opa:{}", server.url()), Arc::new(SystemClock::new())).unwrap();
            Mutant { store, missing, fresh: AtomicU64::new(1 + (run << 32)) }
        });
        let logs = [0, 1].map(|replica| [folder.path().join(format!("{missing:?}-{run}-{replica}.log"))]);
        std::thread::scope(|scope| {
            for (process, (store, [log])) in (0..).zip(stores.iter().zip(&logs)) {
                scope.spawn(move || spend(store, load, process, 0, log).unwrap());
            }
        });
        let replicas: Vec<_> = stores.iter().zip(logs.iter().map(<[_; 1]>::as_slice)).collect();
        judge_replicas(&replicas, load).unwrap().broken
    };
    for run in 0..3 {
        assert_eq!(broken(Missing::Nothing, run), Vec::<String>::new());
    }
    let found =
        (0..10).any(|run| broken(Missing::Transaction, run).iter().any(|what| what.contains("was admitted")));
    assert!(found, "nobody noticed");
}

/// OPA is started anew while a replica is down: with its copy it gives all of it back, without one the judge misses it.
#[test]
#[ignore = "needs OPA"]
fn needs_opa_a_copy_that_is_lost_is_found() {
    let (mut server, folder) = (OpaServer::start(), Folder::new("torture-mutant-copy"));
    for (copy, run, expected) in [("first.db", 1, true), ("second.db", 3, false)] {
        let load = Load { seed: 9, run, threads: 4, calls: 20 };
        let log = folder.path().join(format!("{copy}.log"));
        let copy = folder.path().join(copy);
        let address = format!("opa:{}?copy={}", server.url(), copy.display());
        let open = || guard_state::open(&address, Arc::new(SystemClock::new())).unwrap();
        spend(&*open(), load, 0, 0, &log).unwrap();
        if !expected {
            std::fs::remove_file(&copy).unwrap();
        }
        server.restart();
        let store = open();
        let broken = judge(&*store, load, &[&log]).unwrap().broken;
        assert_eq!(broken.is_empty(), expected, "{broken:?}");
        let missed =
            |what: &String| what.contains("the cell is gone") || what.contains("was acknowledged, and only");
        assert!(broken.iter().all(missed), "{broken:?}");
    }
}

/// Two processes that spend what they have not taken from the store they share: each believes that all of the limit is its
/// slice. The judge of slices finds it, by the store of one of them.
#[test]
fn slices_that_nobody_was_asked_for_are_found() {
    let folder = Folder::new("torture-mutant-slices");
    let load = Load { seed: 1, run: 1, threads: 4, calls: 40 };
    let stores = [0, 1].map(|_| guard_state::open("memory:", Arc::new(SystemClock::new())).unwrap());
    let logs = [0, 1].map(|process| {
        let log = folder.path().join(format!("{process}.log"));
        spend(&*stores[process], load, u64::try_from(process).unwrap(), 0, &log).unwrap();
        log
    });
    for disturbed in [false, true] {
        let verdict = guard_torture::judge_slices(&*stores[0], load, &logs, disturbed).unwrap();
        let found = |what: &str| verdict.broken.iter().any(|broken| broken.contains(what));
        assert!(found("was admitted") && found("was acknowledged, and only"), "{:?}", verdict.broken);
        // One process alone held to the limit.
        let alone = guard_torture::judge_slices(&*stores[0], load, &logs[..1], disturbed).unwrap();
        assert_eq!(alone.broken, [""; 0]);
    }
}
