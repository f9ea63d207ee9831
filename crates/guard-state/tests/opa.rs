//! The store in OPA's documents against the suite, on a real OPA; and what happens between replicas.
#![cfg(feature = "opa")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod model;
mod suite;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, Weak};
use std::time::{Duration, Instant};

use guard_core::{
    Adjusted, Algorithm, Batch, CellFilter, CellView, Changes, Charge, ChargeKind, ChargeOutcome, FixedClock,
    Quantity, Reply, ReservationId, Revision, Settled, Settlement, Snapshot, StateError, StateOperator,
    StateStore,
};
use guard_state::{OpaConfig, OpaStore};
use suite::{LEASE, START, batch, charge};
use test_support::{Folder, OpaServer};

/// How many steps a round of the long histories has.
const STEPS: u128 = 2;
const GRACE: Duration = Duration::from_millis(200);

fn config(url: &str, root: &str) -> OpaConfig {
    OpaConfig { root: root.to_owned(), grace: GRACE, timeout: Duration::from_secs(5), ..OpaConfig::new(url) }
}

fn connect(config: &OpaConfig, clock: &Arc<FixedClock>) -> OpaStore {
    OpaStore::connect(config, Arc::clone(clock) as _).unwrap()
}

/// One OPA for all tests that leave it running, each with documents of its own.
fn shared() -> Arc<OpaServer> {
    static SERVER: Mutex<Weak<OpaServer>> = Mutex::new(Weak::new());
    let mut shared = SERVER.lock().unwrap();
    shared.upgrade().unwrap_or_else(|| {
        let server = Arc::new(OpaServer::start());
        *shared = Arc::downgrade(&server);
        server
    })
}

fn root() -> String {
    static MADE: AtomicU64 = AtomicU64::new(0);
    format!("test/ledger_{}", MADE.fetch_add(1, Ordering::Relaxed))
}

fn fresh(clock: Arc<FixedClock>) -> (OpaStore, Arc<OpaServer>) {
    let server = shared();
    (connect(&config(&server.url(), &root()), &clock), server)
}

fn used(store: &OpaStore, limit: &str) -> i64 {
    store.snapshot().wait().unwrap().total(&suite::cell(limit, "all", "w")).units()
}

fn admits(store: &OpaStore, id: u128, charge: Charge) -> bool {
    matches!(store.charge(&batch(id, vec![charge])).wait().unwrap(), ChargeOutcome::Charged(_))
}

/// Several replicas as one store: a reservation is always the same one's, and all of them see the same.
struct Replicas(Vec<OpaStore>);

impl Replicas {
    fn of(&self, id: ReservationId) -> &OpaStore {
        let count = u128::try_from(self.0.len()).unwrap();
        &self.0[usize::try_from(id.0 % count).unwrap()]
    }
}

impl StateStore for Replicas {
    fn reserve<'a>(
        &'a self,
        batch: &'a Batch,
        lease: Duration,
    ) -> Reply<'a, Result<ChargeOutcome, StateError>> {
        self.of(batch.reservation).reserve(batch, lease)
    }

    fn settle<'a>(
        &'a self,
        id: ReservationId,
        actual: &'a Settlement,
    ) -> Reply<'a, Result<Settled, StateError>> {
        self.of(id).settle(id, actual)
    }

    fn refund(&self, id: ReservationId) -> Reply<'_, Result<Settled, StateError>> {
        self.of(id).refund(id)
    }

    fn charge<'a>(&'a self, batch: &'a Batch) -> Reply<'a, Result<ChargeOutcome, StateError>> {
        self.of(batch.reservation).charge(batch)
    }

    fn revision(&self) -> Revision {
        self.0[0].revision()
    }

    fn snapshot(&self) -> Reply<'_, Result<Snapshot, StateError>> {
        self.0.iter().for_each(|store| drop(store.snapshot().wait().unwrap()));
        self.0[0].snapshot()
    }

    fn changes_since(&self, revision: Revision) -> Reply<'_, Result<Changes, StateError>> {
        self.0[0].changes_since(revision)
    }
}

impl StateOperator for Replicas {
    /// Twice, so that each has seen what the other lets go of.
    fn list<'a>(&'a self, filter: &'a CellFilter) -> Reply<'a, Result<Vec<CellView>, StateError>> {
        let look = || -> Vec<Vec<CellView>> {
            self.0.iter().map(|store| store.list(filter).wait().unwrap()).collect()
        };
        look();
        let seen = look();
        let numbers = |views: &[CellView]| -> Vec<_> {
            let used = views.iter().filter(|view| view.used() != Quantity::ZERO);
            used.map(|view| (Arc::clone(&view.cell), view.spent, view.reserved)).collect()
        };
        for other in &seen {
            assert_eq!(numbers(&seen[0]), numbers(other));
        }
        Reply::Now(Ok(seen[0].clone()))
    }

    fn set<'a>(
        &'a self,
        filter: &'a CellFilter,
        spent: Quantity,
    ) -> Reply<'a, Result<Vec<Adjusted>, StateError>> {
        self.0[self.0.len() - 1].set(filter, spent)
    }
}

fn clock() -> Arc<FixedClock> {
    Arc::new(FixedClock::at(START))
}

/// Asks until OPA is trusted again.
fn patiently<T>(mut ask: impl FnMut() -> Result<T, StateError>) -> T {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        match ask() {
            Ok(answer) => return answer,
            Err(error) => assert!(Instant::now() < end, "{error}"),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

mod needs_opa {
    use super::*;

    state_store_suite!(
        #[ignore = "needs OPA"]
        suite_on_opa,
        fresh;
    );

    /// Some histories; more are tried by `PROPTEST_CASES=40`, which takes ten minutes.
    fn histories(counts: model::Counts, step: i32, connect: impl Fn(&Arc<FixedClock>) -> Replicas) {
        // All limits but token buckets, which would leak once for each replica.
        let histories = model::history_of(&[0, 1, 2, 3, 4, 6], step);
        let cases = std::env::var("PROPTEST_CASES").map_or(4, |cases| cases.parse().unwrap());
        let config = proptest::test_runner::Config { cases, failure_persistence: None, ..Default::default() };
        proptest::test_runner::TestRunner::new(config)
            .run(&histories, |acts| {
                let clock = clock();
                model::check_as(counts, &acts, &connect(&clock), &clock);
                Ok(())
            })
            .unwrap();
    }

    #[test]
    #[ignore = "needs OPA"]
    fn every_history_ends_as_in_the_model() {
        let server = shared();
        histories(model::Counts::Exactly, 1, |clock| {
            Replicas(vec![connect(&config(&server.url(), &root()), clock)])
        });
    }

    /// Two replicas are one store to whoever looks. Others see a lease in whole seconds: so the time goes by in these.
    #[test]
    #[ignore = "needs OPA"]
    fn every_history_of_two_replicas_ends_as_in_the_model() {
        let server = shared();
        histories(model::Counts::InReplicas, 1_000, |clock| {
            let config = config(&server.url(), &root());
            Replicas(vec![connect(&config, clock), connect(&config, clock)])
        });
    }

    #[test]
    #[ignore = "needs OPA"]
    fn replicas_that_race_never_get_more_than_there_is() {
        let (server, clock, root) = (shared(), clock(), root());
        let stores: Vec<OpaStore> = (0..3).map(|_| connect(&config(&server.url(), &root), &clock)).collect();
        let admitted = AtomicI64::new(0);
        std::thread::scope(|scope| {
            for thread in 0..6_usize {
                let (store, admitted) = (&stores[thread % stores.len()], &admitted);
                scope.spawn(move || {
                    for attempt in 0..60 {
                        let id = u128::try_from(thread * 1_000 + attempt).unwrap();
                        let nested = vec![charge("team", 1, 100), charge("shared", 1, 90)];
                        let batch = batch(id, nested);
                        if let ChargeOutcome::Charged(_) = store.reserve(&batch, LEASE).wait().unwrap() {
                            admitted.fetch_add(1, Ordering::Relaxed);
                            store.settle(batch.reservation, &Settlement::AsReserved).wait().unwrap();
                        }
                    }
                });
            }
        });
        assert_eq!(admitted.load(Ordering::Relaxed), 90);
        for store in &stores {
            assert_eq!((used(store, "shared"), used(store, "team")), (90, 90));
        }
    }

    /// The last unit, again and again: one of two gets it, and hardly ever neither.
    #[test]
    #[ignore = "needs OPA"]
    fn of_two_that_race_for_the_last_unit_one_gets_it() {
        let (server, clock, root) = (shared(), clock(), root());
        let stores = [0, 1].map(|_| connect(&config(&server.url(), &root), &clock));
        let mut none = 0;
        for round in 0..60_u128 {
            let limit = format!("l{round}");
            let got: Vec<bool> = std::thread::scope(|scope| {
                let race = |(id, store)| {
                    let limit = limit.clone();
                    scope.spawn(move || admits(store, round * 10 + id, charge(&limit, 1, 1)))
                };
                let racing: Vec<_> = (0..).zip(&stores).map(race).collect();
                racing.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            let count = got.iter().filter(|got| **got).count();
            assert!(count <= 1, "round {round}: both");
            none += usize::from(count == 0);
            assert_eq!(usize::try_from(used(&stores[0], &limit)).unwrap(), count);
        }
        assert!(none <= 6, "in {none} of 60 races neither was admitted");
    }

    #[test]
    #[ignore = "needs OPA"]
    fn what_a_dead_replica_leaves_ages() {
        let (server, clock, root) = (shared(), clock(), root());
        let alive = connect(&config(&server.url(), &root), &clock);
        let dead = connect(&config(&server.url(), &root), &clock);
        dead.reserve(&batch(1, vec![charge("a", 4, 10)]), LEASE).wait().unwrap();
        assert!(admits(&dead, 2, charge("a", 3, 10)));
        let sliding = Charge {
            kind: ChargeKind::Rate,
            algorithm: Algorithm::Sliding(Duration::from_secs(64)),
            resets_in: None,
            ..charge("s", 2, 2)
        };
        assert!(admits(&dead, 3, sliding.clone()));
        drop(dead);
        assert_eq!(used(&alive, "a"), 7);
        assert!(!admits(&alive, 4, charge("a", 4, 10)));
        assert!(!admits(&alive, 5, sliding.clone()));
        // Its lease, and the second that leases are rounded to.
        clock.advance(LEASE + Duration::from_secs(1));
        assert_eq!(used(&alive, "a"), 3);
        assert!(!admits(&alive, 5, sliding.clone()));
        clock.advance(Duration::from_secs(40));
        assert_eq!(used(&alive, "a"), 0);
        assert!(admits(&alive, 6, sliding));
    }

    /// Leases are published in whole seconds: what is held counts with the others for at least as long as it is.
    #[test]
    #[ignore = "needs OPA"]
    fn a_lease_counts_with_others_until_its_end() {
        let (server, clock, root) = (shared(), clock(), root());
        let [one, other] = [0, 1].map(|_| connect(&config(&server.url(), &root), &clock));
        let everything = batch(1, vec![charge("a", 10, 10)]);
        one.reserve(&everything, Duration::from_millis(30_500)).wait().unwrap();
        clock.advance(Duration::from_millis(30_400));
        assert!(!admits(&other, 2, charge("a", 1, 10)));
        let settled = one.settle(ReservationId(1), &Settlement::AsReserved).wait().unwrap();
        assert_eq!((settled.before, used(&other, "a")), (None, 10));
    }

    #[test]
    #[ignore = "needs OPA"]
    fn a_replica_that_is_started_again_goes_on_with_its_copy() {
        let (server, clock, root, folder) = (shared(), clock(), root(), Folder::new("opa-copy"));
        let copy = Some(folder.path().join("copy.db"));
        let config = OpaConfig { copy, ..config(&server.url(), &root) };
        let first = connect(&config, &clock);
        first.reserve(&batch(1, vec![charge("a", 4, 10)]), LEASE).wait().unwrap();
        assert!(admits(&first, 2, charge("a", 3, 10)));
        let error = match OpaStore::connect(&config, Arc::clone(&clock) as _) {
            Ok(_) => panic!("two replicas with one copy"),
            Err(error) => error,
        };
        assert!(error.to_string().contains("another process holds it"), "{error}");
        drop(first);
        let second = connect(&config, &clock);
        assert_eq!(used(&second, "a"), 7);
        // The retry of a call whose answer was lost, and the end of one that ran.
        assert!(admits(&second, 2, charge("a", 3, 10)));
        second.settle(ReservationId(1), &Settlement::AsReserved).wait().unwrap();
        assert_eq!(used(&second, "a"), 7);
        let other = connect(&super::config(&server.url(), &root), &clock);
        assert_eq!(used(&other, "a"), 7);
        assert!(!admits(&other, 9, charge("a", 4, 10)));
    }

    /// What a replica had published before, and what is put there for it: it counts once.
    #[test]
    #[ignore = "needs OPA"]
    fn an_earlier_document_that_comes_late_counts_nothing() {
        let (server, clock, root, folder) = (shared(), clock(), root(), Folder::new("opa-late"));
        let copy = Some(folder.path().join("copy.db"));
        let store = connect(&OpaConfig { copy, ..config(&server.url(), &root) }, &clock);
        assert!(admits(&store, 1, charge("a", 4, 10)));
        let client = guard_opa::Client::new(&guard_opa::Config::new(server.url())).unwrap();
        let deadline = || guard_core::Deadline::after(Duration::from_secs(5));
        let names = |below: &[&str]| {
            let names: Vec<&str> = root.split('/').chain(["cells"]).chain(below.iter().copied()).collect();
            guard_opa::DataPath::of(names).unwrap()
        };
        let all = guard_core::block_on(client.get_data(&names(&[]), deadline())).unwrap();
        let all: serde_json::Value = serde_json::from_str(&all).unwrap();
        let (now, held) = all.as_object().unwrap().iter().next().unwrap();
        let (replica, _) = now.rsplit_once('.').unwrap();
        let late = names(&[&format!("{replica}.1")]);
        guard_core::block_on(client.put_data(&late, &held.to_string(), deadline())).unwrap();
        assert_eq!(used(&store, "a"), 4);
        assert!(admits(&store, 2, charge("a", 6, 10)));
        let other = connect(&config(&server.url(), &root), &clock);
        assert_eq!(used(&other, "a"), 10);
    }

    fn start(port: u16) -> OpaServer {
        OpaServer::start_with(test_support::opa(), port, &[]).unwrap()
    }

    #[test]
    #[ignore = "needs OPA"]
    fn an_opa_that_is_started_anew_gets_everything_back_before_it_is_trusted() {
        let (mut server, clock, root) = (OpaServer::start(), clock(), root());
        let folder = Folder::new("opa-restart");
        let with_copy = |name: &str| OpaConfig {
            copy: Some(folder.path().join(name)),
            grace: Duration::from_millis(1_500),
            ..config(&server.url(), &root)
        };
        let configs = [with_copy("one.db"), with_copy("two.db"), with_copy("three.db")];
        let [one, two, three] = configs.each_ref().map(|config| connect(config, &clock));
        assert!(admits(&one, 1, charge("a", 3, 10)) && admits(&two, 2, charge("a", 3, 10)));
        assert!(admits(&three, 3, charge("a", 3, 10)));
        // Everybody has seen what the third has spent; it and OPA are gone together.
        assert_eq!((used(&one, "a"), used(&two, "a")), (9, 9));
        drop(three);
        server.kill();
        let error = one.charge(&batch(4, vec![charge("a", 1, 10)])).wait().unwrap_err();
        assert!(matches!(error, StateError::Unavailable(_)), "{error}");
        let server = start(server.port());
        // Fail closed: the others may not have come back.
        let error = one.charge(&batch(5, vec![charge("a", 1, 10)])).wait().unwrap_err();
        assert!(error.to_string().contains("started anew"), "{error}");
        let sum = patiently(|| one.snapshot().wait()).total(&suite::cell("a", "all", "w"));
        assert_eq!(sum, Quantity::new(9));
        assert!(!admits(&one, 6, charge("a", 2, 10)));
        let last = patiently(|| two.charge(&batch(7, vec![charge("a", 1, 10)])).wait());
        assert!(matches!(last, ChargeOutcome::Charged(_)), "{last:?}");
        assert_eq!(used(&one, "a"), 10);
        // The third comes back, and is not counted twice.
        let third = connect(&configs[2], &clock);
        assert_eq!(used(&third, "a"), 10);
        assert_eq!(used(&one, "a"), 10);
        drop(server);
    }

    /// Of a replica that does not come back each of the others has seen another part. What counts is the newest that anybody
    /// saw, whoever is the first to give it back.
    #[test]
    #[ignore = "needs OPA"]
    fn the_newest_that_anybody_saw_of_a_dead_replica_is_given_back() {
        let (mut server, clock, root) = (OpaServer::start(), clock(), root());
        // What the first gives back stands before what the last does.
        let with_grace = |replica: &str, seconds| OpaConfig {
            replica: replica.to_owned(),
            grace: Duration::from_secs(seconds),
            ..config(&server.url(), &root)
        };
        let configs = [with_grace("1", 2), with_grace("2", 5), config(&server.url(), &root)];
        let [first, last, dead] = configs.each_ref().map(|config| connect(config, &clock));
        assert!(admits(&dead, 1, charge("a", 3, 10)));
        assert_eq!(used(&first, "a"), 3);
        assert!(admits(&dead, 2, charge("a", 4, 10)));
        assert_eq!(used(&last, "a"), 7);
        drop(dead);
        server.restart();
        // The first trusts OPA three seconds before the last does.
        let too_much = batch(3, vec![charge("a", 4, 10)]);
        let outcome = patiently(|| first.charge(&too_much).wait());
        assert!(matches!(outcome, ChargeOutcome::Exceeded(_)), "{outcome:?}");
        assert_eq!(used(&first, "a"), 7);
        let rest = patiently(|| last.charge(&batch(4, vec![charge("a", 3, 10)])).wait());
        assert!(matches!(rest, ChargeOutcome::Charged(_)), "{rest:?}");
        assert_eq!((used(&first, "a"), used(&last, "a")), (10, 10));
    }

    /// OPA is killed and started while replicas race: what was acknowledged is there, and is never too much.
    #[test]
    #[ignore = "needs OPA"]
    fn an_opa_that_dies_in_a_race_loses_nothing() {
        let (server, clock, root) = (OpaServer::start(), clock(), root());
        let folder = Folder::new("opa-race");
        let stores: Vec<OpaStore> = ["one.db", "two.db"]
            .map(|name| {
                let copy = Some(folder.path().join(name));
                connect(&OpaConfig { copy, ..config(&server.url(), &root) }, &clock)
            })
            .into();
        let acknowledged = AtomicI64::new(0);
        let over = std::sync::atomic::AtomicBool::new(false);
        let server = std::thread::scope(|scope| {
            for thread in 0..4_usize {
                let (store, acknowledged, over) = (&stores[thread % 2], &acknowledged, &over);
                scope.spawn(move || {
                    let mut id = u128::try_from(thread).unwrap() * 1_000_000;
                    while !over.load(Ordering::Relaxed) {
                        id += 1;
                        match store.charge(&batch(id, vec![charge("a", 1, 400)])).wait() {
                            Ok(ChargeOutcome::Charged(_)) => {
                                acknowledged.fetch_add(1, Ordering::Relaxed);
                            }
                            Ok(ChargeOutcome::Exceeded(_)) | Err(_) => {
                                std::thread::sleep(Duration::from_millis(10));
                            }
                        }
                    }
                });
            }
            let mut server = server;
            for _ in 0..3 {
                std::thread::sleep(Duration::from_millis(150));
                server.kill();
                server = start(server.port());
                std::thread::sleep(GRACE * 3);
            }
            let (end, enough) = (Instant::now() + Duration::from_secs(20), 20);
            while acknowledged.load(Ordering::Relaxed) <= enough && Instant::now() < end {
                std::thread::sleep(Duration::from_millis(500));
            }
            over.store(true, Ordering::Relaxed);
            server
        });
        let acknowledged = acknowledged.load(Ordering::Relaxed);
        let counted = patiently(|| stores[0].snapshot().wait()).total(&suite::cell("a", "all", "w")).units();
        assert!(acknowledged > 20, "{acknowledged}");
        assert!(acknowledged <= counted && counted <= 400, "{acknowledged} acknowledged, {counted} counted");
        drop(server);
    }

    #[test]
    #[ignore = "needs OPA"]
    fn what_cannot_be_is_refused() {
        let (server, clock) = (shared(), clock());
        let store = connect(&config(&server.url(), &root()), &clock);
        let bucket = Charge {
            algorithm: Algorithm::Bucket(Duration::from_secs(10)),
            resets_in: None,
            ..charge("b", 1, 5)
        };
        let batch = Batch { at: START, ..batch(1, vec![bucket]) };
        let error = store.charge(&batch).wait().unwrap_err();
        assert!(error.to_string().contains("token buckets"), "{error}");
        let refused = |config: OpaConfig| match OpaStore::connect(&config, Arc::clone(&clock) as _) {
            Ok(_) => panic!("{config:?}"),
            Err(error) => error.to_string(),
        };
        assert!(refused(config(&server.url(), "a/b c")).contains("no path of documents"));
        assert!(refused(config("nowhere", "a")).contains("not the address of an OPA server"));
        let folder = Folder::new("opa-bad-copy");
        let with_copy =
            |path: &Path| OpaConfig { copy: Some(path.to_owned()), ..config(&server.url(), "test/refused") };
        let text = folder.write("text.db", "budgets: none\n".repeat(100));
        assert!(refused(with_copy(&text)).contains("not a state file"));
        assert!(refused(with_copy(&folder.path().join("nowhere/copy.db"))).contains("cannot be opened"));
        let state = folder.path().join("state.db");
        let sqlite = guard_state::SqliteConfig::new(&state);
        drop(guard_state::SqliteStore::open(&sqlite, Arc::clone(&clock) as _).unwrap());
        assert!(refused(with_copy(&state)).contains("another kind"));
        let newer = folder.path().join("newer.db");
        drop(connect(
            &OpaConfig { copy: Some(newer.clone()), ..config(&server.url(), "test/newer") },
            &clock,
        ));
        rusqlite::Connection::open(&newer).unwrap().execute_batch("PRAGMA user_version = 9").unwrap();
        assert!(refused(with_copy(&newer)).contains("version 9"));
    }
}
