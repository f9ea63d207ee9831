//! The memory store against the suite, and the suite against a store that is wrong.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod model;
mod suite;

/// How many steps a round of the long histories has.
const STEPS: u128 = 200;

use std::sync::Arc;
use std::time::Duration;

use guard_core::{
    Batch, Changes, ChargeOutcome, Charged, Exceeded, FixedClock, Quantity, Reply, ReservationId, Revision,
    Settled, Settlement, Snapshot, StateError, StateStore,
};
use guard_state::MemoryStore;

state_store_suite!(memory, |clock: Arc<FixedClock>| (MemoryStore::new(clock), ()));

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config {
        cases: 400,
        failure_persistence: None,
        ..Default::default()
    })]

    #[test]
    fn every_history_ends_as_in_the_model(acts in model::history()) {
        let clock = Arc::new(FixedClock::at(suite::START));
        model::check(&acts, &MemoryStore::new(Arc::clone(&clock) as _), &clock);
    }
}

/// The usual way, which is wrong: reads the counter, decides, and adds, without a lock over all three.
struct CheckThenAct(MemoryStore);

impl StateStore for CheckThenAct {
    fn reserve<'a>(
        &'a self,
        batch: &'a Batch,
        lease: Duration,
    ) -> Reply<'a, Result<ChargeOutcome, StateError>> {
        let before = self.0.snapshot().wait().unwrap();
        for charge in batch.charges.iter() {
            let used = before.total(&charge.cell);
            if used.plus(charge.amount).unwrap() > charge.max {
                return Reply::Now(Ok(ChargeOutcome::Exceeded(Exceeded {
                    cell: Arc::clone(&charge.cell),
                    kind: charge.kind,
                    max: charge.max,
                    remaining: charge.max.minus(used).unwrap(),
                    retry_after: charge.resets_in,
                })));
            }
        }
        std::thread::yield_now();
        let mut unchecked = batch.clone();
        for charge in Arc::make_mut(&mut unchecked.charges) {
            charge.max = Quantity::new(i64::MAX);
        }
        self.0.reserve(&unchecked, lease).wait().unwrap();
        Reply::Now(Ok(ChargeOutcome::Charged(Charged {
            reservation: batch.reservation,
            snapshot: Snapshot::default(),
            warnings: Vec::new(),
        })))
    }

    fn settle<'a>(
        &'a self,
        id: ReservationId,
        actual: &'a Settlement,
    ) -> Reply<'a, Result<Settled, StateError>> {
        self.0.settle(id, actual)
    }

    fn refund(&self, id: ReservationId) -> Reply<'_, Result<Settled, StateError>> {
        self.0.refund(id)
    }

    fn charge<'a>(&'a self, batch: &'a Batch) -> Reply<'a, Result<ChargeOutcome, StateError>> {
        self.reserve(batch, suite::LEASE)
    }

    fn revision(&self) -> Revision {
        self.0.revision()
    }

    fn snapshot(&self) -> Reply<'_, Result<Snapshot, StateError>> {
        self.0.snapshot()
    }

    fn changes_since(&self, revision: Revision) -> Reply<'_, Result<Changes, StateError>> {
        self.0.changes_since(revision)
    }
}

/// The race has teeth: without one lock over check and charge, it is lost sooner or later.
#[test]
fn the_race_notices_a_missing_lock() {
    let lost = (0..50).any(|_| {
        let clock = Arc::new(FixedClock::at(suite::START));
        suite::race(&CheckThenAct(MemoryStore::new(clock)), 200) > 500
    });
    assert!(lost, "8 threads raced 50 times without a lock and were never admitted too much");
}

#[test]
fn a_window_that_ends_for_many_keys_is_dropped_in_steps() {
    let clock = Arc::new(FixedClock::at(suite::START));
    let store = MemoryStore::new(Arc::clone(&clock) as _);
    let of_key = |id: u128, key: &str| {
        let mut one = suite::charge("a", 10, 10);
        one.cell = suite::cell("a", key, "w");
        Batch { at: guard_core::Clock::now(&*clock), ..suite::batch(id, vec![one]) }
    };
    for id in 0..2_000_u128 {
        store.charge(&of_key(id, &format!("{id}"))).wait().unwrap();
    }
    clock.advance(Duration::from_secs(61));
    let before = store.revision();
    // One that waits to be dropped, under a name that counts anew, and the first of all.
    for key in ["1999", "0"] {
        let outcome = store.charge(&of_key(5_000 + u128::try_from(key.len()).unwrap(), key)).wait().unwrap();
        assert!(matches!(outcome, ChargeOutcome::Charged(_)), "{outcome:?}");
    }
    let changed = store.revision().0 - before.0;
    assert!((4..1_000).contains(&changed), "{changed} changes");
    let left = store.snapshot().wait().unwrap().cells;
    assert!(left.len() == 2 && left.iter().all(|(_, held)| held.units() == 10), "{left:?}");
    // Nothing of the old ones is left to be dropped under the new ones' names.
    clock.advance(Duration::from_secs(30));
    assert_eq!(store.snapshot().wait().unwrap().cells.len(), 2);
}
