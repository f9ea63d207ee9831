//! The memory store under every schedule that shuttle can think of: `cargo test -p guard-state --features shuttle`.
#![cfg(feature = "shuttle")]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::time::Duration;

use guard_core::{
    Batch, CellId, Charge, ChargeOutcome, FixedClock, Quantity, ReservationId, Settlement, StateStore,
    Timestamp,
};
use guard_state::MemoryStore;
use shuttle::sync::atomic::{AtomicI64, Ordering};
use shuttle::thread;

const START: Timestamp = Timestamp::from_seconds(1_000);

fn batch(id: u128, limits: &[&str], max: i64) -> Batch {
    let cell = |limit: &str| CellId { limit: limit.into(), key: "k".into(), window: "w".into() };
    let charge = |limit: &&str| Charge::new(Arc::new(cell(limit)), Quantity::new(1), Quantity::new(max));
    Batch { charges: limits.iter().map(charge).collect(), at: START, reservation: ReservationId(id) }
}

/// Three threads with two calls each, for three units; one of them refunds, one retries.
fn race() {
    let store = Arc::new(MemoryStore::new(Arc::new(FixedClock::at(START))));
    let admitted = Arc::new(AtomicI64::new(0));
    let threads: Vec<_> = (0..3_u128)
        .map(|number| {
            let (store, admitted) = (Arc::clone(&store), Arc::clone(&admitted));
            thread::spawn(move || {
                for call in 0..2 {
                    let batch = batch(number * 10 + call, &["a", "b"], 3);
                    let outcome = store.reserve(&batch, Duration::from_secs(9)).wait().unwrap();
                    if !matches!(outcome, ChargeOutcome::Charged(_)) {
                        continue;
                    }
                    if number == 0 && call == 0 {
                        store.refund(batch.reservation).wait().unwrap();
                        continue;
                    }
                    store.reserve(&batch, Duration::from_secs(9)).wait().unwrap();
                    store.settle(batch.reservation, &Settlement::AsReserved).wait().unwrap();
                    store.settle(batch.reservation, &Settlement::AsReserved).wait().unwrap();
                    admitted.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let spent = admitted.load(Ordering::SeqCst);
    assert!(spent <= 3, "{spent} of 3");
    let snapshot = store.snapshot().wait().unwrap();
    assert!(snapshot.cells.iter().all(|(_, held)| held.units() == spent), "{snapshot:?}, spent {spent}");
    assert_eq!(snapshot.revision, store.revision());
}

#[test]
fn no_schedule_admits_too_much() {
    shuttle::check_random(race, 3_000);
    shuttle::check_pct(race, 1_000, 3);
}
