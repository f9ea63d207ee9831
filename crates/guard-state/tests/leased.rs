//! Leased quota against the suite, in races, and when a process is killed.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod model;
#[allow(dead_code, reason = "what does not apply is not run")]
mod suite;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use guard_core::{
    Adjusted, Batch, CellFilter, CellView, Changes, Charge, ChargeKind, ChargeOutcome, FixedClock, Quantity,
    Reply, ReservationId, Revision, Settled, Settlement, Snapshot, StateError, StateOperator, StateStore,
};
use guard_state::{Leased, LeasedConfig, MemoryStore, SqliteConfig, SqliteStore, Store};
use suite::{LEASE, START, batch, charge};
use test_support::Folder;

/// One store that several processes lease from.
#[derive(Clone)]
struct Pool {
    store: Arc<dyn Store>,
}

macro_rules! hand_on {
    ($type:ty, $inner:ident, $before:expr) => {
        impl StateStore for $type {
            fn reserve<'a>(
                &'a self,
                batch: &'a Batch,
                lease: Duration,
            ) -> Reply<'a, Result<ChargeOutcome, StateError>> {
                self.$inner.reserve(batch, lease)
            }
            fn settle<'a>(
                &'a self,
                id: ReservationId,
                actual: &'a Settlement,
            ) -> Reply<'a, Result<Settled, StateError>> {
                self.$inner.settle(id, actual)
            }
            fn refund(&self, id: ReservationId) -> Reply<'_, Result<Settled, StateError>> {
                self.$inner.refund(id)
            }
            fn charge<'a>(&'a self, batch: &'a Batch) -> Reply<'a, Result<ChargeOutcome, StateError>> {
                self.$inner.charge(batch)
            }
            fn revision(&self) -> Revision {
                self.$inner.revision()
            }
            fn snapshot(&self) -> Reply<'_, Result<Snapshot, StateError>> {
                $before(self);
                self.$inner.snapshot()
            }
            fn changes_since(&self, revision: Revision) -> Reply<'_, Result<Changes, StateError>> {
                $before(self);
                self.$inner.changes_since(revision)
            }
        }
        impl StateOperator for $type {
            fn list<'a>(&'a self, filter: &'a CellFilter) -> Reply<'a, Result<Vec<CellView>, StateError>> {
                $before(self);
                self.$inner.list(filter)
            }
            fn set<'a>(
                &'a self,
                filter: &'a CellFilter,
                spent: Quantity,
            ) -> Reply<'a, Result<Vec<Adjusted>, StateError>> {
                $before(self);
                self.$inner.set(filter, spent)
            }
        }
    };
}

hand_on!(Pool, store, |_: &Pool| {});

/// A process that gives back what it has in hand whenever it is looked at, so that the numbers are its own.
struct Process {
    leased: Leased<Pool>,
}

hand_on!(Process, leased, |process: &Process| {
    // It sees the time, as the store does that is looked at.
    process.leased.refund(ReservationId(u128::MAX)).wait().unwrap_err();
    process.leased.give_back().unwrap();
});

fn memory(clock: &Arc<FixedClock>) -> Pool {
    Pool { store: Arc::new(MemoryStore::new(Arc::clone(clock) as _)) }
}

fn leased(pool: &Pool, clock: &Arc<FixedClock>) -> Leased<Pool> {
    let config = LeasedConfig { lease: LEASE, ..LeasedConfig::default() };
    Leased::new(pool.clone(), config, Arc::clone(clock) as _).unwrap()
}

fn fresh(clock: Arc<FixedClock>) -> (Process, ()) {
    let pool = memory(&clock);
    (Process { leased: leased(&pool, &clock) }, ())
}

/// What is in hand while a call runs is reserved at the store as a slice, and a lease that runs out here is settled there:
/// so the tests of reservations and of thresholds as the store itself shows them are left out.
mod suite_on_leased {
    use super::*;

    state_store_suite!(@each [] fresh;
        all_or_nothing
        a_cell_twice_in_a_batch_counts_twice
        keys_and_windows_are_apart
        the_limit_that_stops_longest_is_named
        ending_twice_counts_once
        the_same_reservation_is_charged_once
        a_charge_is_for_good
        settling_with_the_real_cost
        a_settlement_cannot_pay_back_more_than_it_took
        a_lease_that_runs_out_gives_back
        what_has_run_out_is_free_for_the_next_call
        attempts_stay_counted
        windows_end
        a_window_opens_once
        a_call_may_outlive_its_window
        nonsense_is_refused
        a_place_is_free_again_however_the_call_ended
        a_sliding_window_admits_no_double_burst
        a_bucket_leaks_evenly
        an_idempotency_key_names_one_call
        amounts_that_are_none_are_refused
        names_of_any_kind_are_kept
        configurations_must_agree
        a_limit_may_be_lowered_below_what_is_spent
        operators_see_and_set_what_is_spent
        a_late_settlement_still_shows_its_debt
        eight_threads_never_get_more_than_there_is
    );
}

fn histories(cases: u32, pool: impl Fn(&Arc<FixedClock>) -> Pool) {
    let config = proptest::test_runner::Config { cases, failure_persistence: None, ..Default::default() };
    proptest::test_runner::TestRunner::new(config)
        .run(&model::history(), |mut acts| {
            // A slice opens its cell also where the rest of the batch is refused: an operator would set it.
            acts.retain(|act| !matches!(act, model::Act::Set { .. }));
            let clock = Arc::new(FixedClock::at(START));
            let pool = pool(&clock);
            let process = Process { leased: leased(&pool, &clock) };
            model::check_as(model::Counts::InSlices, &acts, &process, &clock);
            // The end of the process gives back what no call holds.
            drop(process);
            Ok(())
        })
        .unwrap();
}

fn cases() -> u32 {
    u32::try_from(test_support::setting("HISTORIES", 200)).unwrap()
}

#[test]
fn every_history_ends_as_in_the_model() {
    histories(cases(), memory);
}

#[test]
#[cfg(feature = "redis")]
#[ignore = "needs Redis"]
fn needs_redis_every_history_ends_as_in_the_model() {
    let (server, made) = (test_support::RedisServer::start(), AtomicU64::new(0));
    histories(40, |clock| {
        let config = guard_state::RedisConfig {
            namespace: format!("leased {}", made.fetch_add(1, Ordering::Relaxed)),
            clock: Some(Arc::clone(clock) as _),
            ..guard_state::RedisConfig::new(server.url())
        };
        Pool { store: Arc::new(guard_state::RedisStore::connect(&config).unwrap()) }
    });
}

#[test]
#[cfg(feature = "postgres")]
#[ignore = "needs PostgreSQL"]
fn needs_postgres_every_history_ends_as_in_the_model() {
    let (server, made) = (test_support::PostgresServer::start(), AtomicU64::new(0));
    histories(8, |clock| {
        let config = guard_state::PostgresConfig {
            schema: format!("leased {}", made.fetch_add(1, Ordering::Relaxed)),
            clock: Some(Arc::clone(clock) as _),
            ..guard_state::PostgresConfig::new(server.url())
        };
        Pool { store: Arc::new(guard_state::PostgresStore::connect(&config).unwrap()) }
    });
}

/// How many steps a round of the long histories has.
#[allow(dead_code, reason = "they are about changes, which are the store's")]
const STEPS: u128 = 1;

fn used(store: &impl StateStore, limit: &str) -> i64 {
    store.snapshot().wait().unwrap().total(&suite::cell(limit, "all", "w")).units()
}

fn admits(store: &impl StateStore, charge: Charge) -> bool {
    static MADE: AtomicU64 = AtomicU64::new(1);
    let id = u128::from(MADE.fetch_add(1, Ordering::Relaxed)) << 64;
    matches!(store.charge(&batch(id, vec![charge])).wait().unwrap(), ChargeOutcome::Charged(_))
}

fn pools(clock: &Arc<FixedClock>) -> (Vec<Pool>, Folder) {
    let folder = Folder::new("leased");
    let sqlite = SqliteConfig::new(folder.path().join("state.db"));
    let memory = memory(clock);
    let sqlite = Pool { store: Arc::new(SqliteStore::open(&sqlite, Arc::clone(clock) as _).unwrap()) };
    (vec![memory, sqlite], folder)
}

#[test]
fn processes_that_race_never_get_more_than_there_is() {
    let clock = Arc::new(FixedClock::at(START));
    let (pools, _folder) = pools(&clock);
    for pool in pools {
        let processes: Vec<_> = (0..4).map(|_| leased(&pool, &clock)).collect();
        let (calls, spent) = (AtomicI64::new(0), AtomicI64::new(0));
        std::thread::scope(|scope| {
            for thread in 0..8_usize {
                let (process, calls, spent) = (&processes[thread % 4], &calls, &spent);
                scope.spawn(move || {
                    for attempt in 0..600 {
                        let id = u128::try_from(thread * 10_000 + attempt).unwrap();
                        let rate = Charge { kind: ChargeKind::Rate, ..charge("calls", 1, 2_000) };
                        let batch = batch(id, vec![rate, charge("money", 10, 19_000)]);
                        if let ChargeOutcome::Charged(_) = process.reserve(&batch, LEASE).wait().unwrap() {
                            calls.fetch_add(1, Ordering::Relaxed);
                            let actual = 10 - i64::try_from(attempt % 3).unwrap();
                            spent.fetch_add(actual, Ordering::Relaxed);
                            let by_limit = BTreeMap::from([("money".to_owned(), Quantity::new(actual))]);
                            process.settle(batch.reservation, &Settlement::Actual(by_limit)).wait().unwrap();
                        }
                    }
                });
            }
        });
        let (calls, spent) = (calls.into_inner(), spent.into_inner());
        assert!((1_800..=2_000).contains(&calls), "{calls}");
        // Before anything is given back nobody counts too little.
        assert!(used(&pool, "money") >= spent && used(&pool, "calls") >= calls);
        assert!(used(&pool, "money") <= 19_000 && used(&pool, "calls") <= 2_000);
        drop(processes);
        assert_eq!((used(&pool, "calls"), used(&pool, "money")), (calls, spent));
        let views = pool.list(&CellFilter::default()).wait().unwrap();
        assert!(views.iter().all(|view| view.reserved == Quantity::ZERO && view.open == 0), "{views:?}");
    }
}

/// A process that is killed does nothing any more: it is forgotten without its end being run.
#[test]
fn a_process_that_is_killed_strands_no_more_than_its_slices() {
    let clock = Arc::new(FixedClock::at(START));
    let pool = memory(&clock);
    let ever = |amount| Charge { resets_in: None, ..charge("a", amount, 6_400) };
    let killed = leased(&pool, &clock);
    let mut acknowledged = 0;
    for _ in 0..1_000 {
        acknowledged += i64::from(admits(&killed, ever(1)));
    }
    assert_eq!(acknowledged, 1_000);
    // The thread has fetched ahead, and holds the reserve.
    std::thread::sleep(Duration::from_millis(100));
    std::mem::forget(killed);
    let counted = used(&pool, "a");
    assert!(counted >= acknowledged);
    clock.advance(LEASE + Duration::from_secs(1));
    let after = used(&pool, "a");
    assert!(after >= acknowledged, "{after} of {acknowledged} are left");
    assert!(after <= acknowledged + 2 * 100, "{after} for {acknowledged}");
    assert!(after < counted, "the reserve does not come back: {after}, {counted}");
    // All that it did not hold can be spent by others.
    let other = leased(&pool, &clock);
    let mut more = 0;
    while admits(&other, ever(1)) {
        more += 1;
    }
    assert_eq!(after + more, 6_400);
}

/// What a process had written down when it was killed, as another one finds it.
fn found(journal: &Folder) -> Folder {
    let found = Folder::new("leased-found");
    for file in std::fs::read_dir(journal.path()).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), found.path().join(file.file_name())).unwrap();
    }
    found
}

fn with_journal(pool: &Pool, clock: &Arc<FixedClock>, journal: &Folder) -> Leased<Pool> {
    let config = LeasedConfig { journal: Some(journal.path().to_owned()), ..LeasedConfig::default() };
    Leased::new(pool.clone(), config, Arc::clone(clock) as _).unwrap()
}

#[test]
fn with_a_journal_a_process_that_is_killed_strands_nothing() {
    let clock = Arc::new(FixedClock::at(START));
    let (pools, _folder) = pools(&clock);
    for pool in pools {
        let journal = Folder::new("leased-journal");
        let ever = |limit, amount| Charge { resets_in: None, ..charge(limit, amount, 6_400) };
        let killed = with_journal(&pool, &clock, &journal);
        for id in 0..500_u128 {
            let rate = Charge { kind: ChargeKind::Rate, ..ever("calls", 1) };
            let batch = batch(id, vec![ever("a", 3), rate]);
            assert!(matches!(killed.reserve(&batch, LEASE).wait().unwrap(), ChargeOutcome::Charged(_)));
            let by_limit = BTreeMap::from([("a".to_owned(), Quantity::new(i64::from(id % 2 == 0) + 1))]);
            if id < 499 {
                killed.settle(batch.reservation, &Settlement::Actual(by_limit)).wait().unwrap();
            }
        }
        // Beyond its reservation, which the store is told at once.
        let over = BTreeMap::from([("a".to_owned(), Quantity::new(20))]);
        killed.settle(ReservationId(499), &Settlement::Actual(over)).wait().unwrap();
        killed.reserve(&batch(1_000, vec![ever("a", 7)]), LEASE).wait().unwrap();
        let spent = 250 * 2 + 249 + 20;
        std::thread::sleep(Duration::from_millis(50));
        let left = found(&journal);
        std::mem::forget(killed);
        assert!(used(&pool, "a") > spent + 7 && used(&pool, "calls") > 500);
        // Whoever comes next, and whoever finds the same again.
        let again = found(&journal);
        for journal in [left, again] {
            drop(with_journal(&pool, &clock, &journal));
            // The reserve has a lease of its own.
            clock.advance(LeasedConfig::default().lease + Duration::from_secs(1));
            assert_eq!((used(&pool, "a"), used(&pool, "calls")), (spent, 500));
            assert_eq!(std::fs::read_dir(journal.path()).unwrap().count(), 0);
        }
    }
}

/// After the machine was started anew nothing of the numbers is believed: the slices are spent.
#[test]
fn what_a_machine_that_went_down_had_written_is_not_believed() {
    let clock = Arc::new(FixedClock::at(START));
    let (pool, journal) = (memory(&clock), Folder::new("leased-other-life"));
    let killed = with_journal(&pool, &clock, &journal);
    for id in 0..100 {
        assert!(admits(&killed, Charge { resets_in: None, ..charge("a", 1, 64_000) }), "{id}");
    }
    std::thread::sleep(Duration::from_millis(50));
    let left = found(&journal);
    std::mem::forget(killed);
    for file in std::fs::read_dir(left.path()).unwrap() {
        let path = file.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let (first, rest) = text.split_once('\n').unwrap();
        let life = first.rsplit_once(' ').unwrap().1;
        let other = life.replace(|any: char| any.is_ascii_hexdigit(), "0");
        std::fs::write(&path, format!("hexarch-slices 1 {other}\n{rest}")).unwrap();
    }
    drop(with_journal(&pool, &clock, &left));
    clock.advance(LeasedConfig::default().lease + Duration::from_secs(1));
    let views = pool.list(&CellFilter::default()).wait().unwrap();
    assert!(
        views.iter().all(|view| view.reserved == Quantity::ZERO && view.spent > Quantity::new(100)),
        "{views:?}"
    );
}

#[test]
fn slices_shrink_as_the_budget_nears_its_end() {
    let clock = Arc::new(FixedClock::at(START));
    let pool = memory(&clock);
    let (one, two) = (leased(&pool, &clock), leased(&pool, &clock));
    let mut spent = 0;
    while spent < 990 {
        assert!(admits(if spent % 2 == 0 { &one } else { &two }, charge("a", 1, 1_000)), "at {spent}");
        spent += 1;
    }
    let held = used(&pool, "a") - spent;
    assert!((0..=4).contains(&held), "{held} held with ten left");
}

#[test]
fn what_is_not_spent_is_given_back_when_the_store_is_dropped() {
    let clock = Arc::new(FixedClock::at(START));
    let pool = memory(&clock);
    let process = leased(&pool, &clock);
    for _ in 0..10 {
        assert!(admits(&process, charge("a", 3, 100_000)));
    }
    assert!(used(&pool, "a") > 30);
    drop(process);
    assert_eq!(used(&pool, "a"), 30);
}

#[test]
fn what_a_call_came_to_beyond_its_reservation_is_at_the_store_when_it_is_acknowledged() {
    let clock = Arc::new(FixedClock::at(START));
    let pool = memory(&clock);
    let process = leased(&pool, &clock);
    process.reserve(&batch(1, vec![charge("a", 4, 100)]), LEASE).wait().unwrap();
    let by_limit = BTreeMap::from([("a".to_owned(), Quantity::new(130))]);
    let settled = process.settle(ReservationId(1), &Settlement::Actual(by_limit)).wait().unwrap();
    assert_eq!(settled.debt, BTreeMap::from([("a".to_owned(), Quantity::new(30))]));
    std::mem::forget(process);
    assert_eq!(used(&pool, "a"), 130);
}

/// The bar is five microseconds in a release build; a debug build is given ten times as long. With a journal as well.
#[test]
fn a_charge_does_not_wait_for_the_store() {
    for journal in [false, true] {
        charges_quickly(journal);
    }
}

fn charges_quickly(journal: bool) {
    let clock = Arc::new(FixedClock::at(START));
    let folder = Folder::new("leased-speed");
    let sqlite = SqliteConfig::new(folder.path().join("state.db"));
    let store = SqliteStore::open(&sqlite, Arc::clone(&clock) as _).unwrap();
    let journal = journal.then(|| folder.path().join("slices"));
    let config = LeasedConfig { journal: journal.clone(), ..LeasedConfig::default() };
    let process = Leased::new(store, config, clock as _).unwrap();
    let mut times: Vec<Duration> = (0..20_000_u128)
        .map(|id| {
            let batch = batch(id, vec![charge("a", 1, 100_000_000)]);
            let begin = Instant::now();
            let outcome = process.charge(&batch).wait().unwrap();
            assert!(matches!(outcome, ChargeOutcome::Charged(_)));
            begin.elapsed()
        })
        .collect();
    times.sort_unstable();
    let median = times[times.len() / 2];
    println!("a charge of leased quota, journal {journal:?}: {median:?}");
    assert!(median < Duration::from_micros(if cfg!(debug_assertions) { 50 } else { 5 }), "{median:?}");
}
