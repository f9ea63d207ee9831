//! What every state store has to do. `state_store_suite!(name, make)` runs all of it on one store, where
//! `make` builds an empty store that reads the time from the given clock, and what has to live as long.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use guard_core::{
    Adjusted, Algorithm, Batch, CellFilter, CellId, CellView, Changes, Charge, ChargeKind, ChargeOutcome,
    Charged, Clock, Closed, Exceeded, FixedClock, Quantity, ReservationId, Revision, Settlement, StateError,
    StateOperator, StateStore, Timestamp,
};

pub(crate) const START: Timestamp = Timestamp::from_seconds(1_000_000);
pub(crate) const LEASE: Duration = Duration::from_secs(30);
const MINUTE: Duration = Duration::from_secs(60);

/// A store under test, and the clock it reads.
pub(crate) struct Bench<S> {
    pub(crate) store: S,
    pub(crate) clock: Arc<FixedClock>,
    /// What the store needs as long as it lives: a folder, a server.
    pub(crate) _alive: Box<dyn std::any::Any>,
}

pub(crate) fn cell(limit: &str, key: &str, window: &str) -> Arc<CellId> {
    Arc::new(CellId { limit: limit.into(), key: key.into(), window: window.into() })
}

pub(crate) fn charge(limit: &str, amount: i64, max: i64) -> Charge {
    let (amount, max) = (Quantity::new(amount), Quantity::new(max));
    Charge { resets_in: Some(MINUTE), ..Charge::new(cell(limit, "all", "w"), amount, max) }
}

fn rate(limit: &str, max: i64) -> Charge {
    Charge { kind: ChargeKind::Rate, ..charge(limit, 1, max) }
}

pub(crate) fn batch(id: u128, charges: Vec<Charge>) -> Batch {
    Batch { charges: charges.into(), at: START, reservation: ReservationId(id) }
}

impl<S: StateStore> Bench<S> {
    fn reserve(&self, id: u128, charges: Vec<Charge>) -> Result<(), Exceeded> {
        match self.store.reserve(&batch(id, charges), LEASE).wait().unwrap() {
            ChargeOutcome::Charged(_) => Ok(()),
            ChargeOutcome::Exceeded(exceeded) => Err(exceeded),
        }
    }

    fn used(&self, limit: &str) -> i64 {
        self.store.snapshot().wait().unwrap().total(&cell(limit, "all", "w")).units()
    }

    fn settle(&self, id: u128) -> Option<Closed> {
        self.store.settle(ReservationId(id), &Settlement::AsReserved).wait().unwrap().before
    }

    /// Reserves at the clock's time.
    fn reserve_now(&self, id: u128, charges: Vec<Charge>) -> Result<ChargeOutcome, StateError> {
        let batch = Batch { at: self.clock.now(), ..batch(id, charges) };
        self.store.reserve(&batch, LEASE).wait()
    }

    fn charge_now(&self, id: u128, charges: Vec<Charge>) -> Result<Charged, Option<Duration>> {
        let batch = Batch { at: self.clock.now(), ..batch(id, charges) };
        match self.store.charge(&batch).wait().unwrap() {
            ChargeOutcome::Charged(charged) => Ok(charged),
            ChargeOutcome::Exceeded(exceeded) => Err(exceeded.retry_after),
        }
    }

    fn refund(&self, id: u128) -> Option<Closed> {
        self.store.refund(ReservationId(id)).wait().unwrap().before
    }
}

pub(crate) fn all_or_nothing<S: StateStore>(bench: Bench<S>) {
    bench.reserve(1, vec![charge("a", 5, 10), charge("b", 5, 10)]).unwrap();
    let exceeded = bench.reserve(2, vec![charge("a", 5, 10), charge("b", 6, 10)]).unwrap_err();
    assert_eq!(exceeded.cell, cell("b", "all", "w"));
    assert_eq!((exceeded.remaining, exceeded.max), (Quantity::new(5), Quantity::new(10)));
    assert_eq!(exceeded.retry_after, Some(MINUTE));
    assert_eq!((bench.used("a"), bench.used("b")), (5, 5));
    bench.reserve(3, vec![charge("a", 5, 10), charge("b", 5, 10)]).unwrap();
    assert_eq!(bench.reserve(4, vec![charge("a", 1, 10)]).unwrap_err().remaining, Quantity::ZERO);
}

pub(crate) fn a_cell_twice_in_a_batch_counts_twice<S: StateStore>(bench: Bench<S>) {
    assert_eq!(
        bench.reserve(1, vec![charge("a", 6, 10), charge("a", 6, 10)]).unwrap_err().remaining.units(),
        4
    );
    assert_eq!(bench.used("a"), 0);
    bench.reserve(2, vec![charge("a", 4, 10), charge("a", 6, 10)]).unwrap();
    assert_eq!(bench.used("a"), 10);
    assert_eq!(bench.refund(2), None);
    assert_eq!(bench.used("a"), 0);
}

pub(crate) fn keys_and_windows_are_apart<S: StateStore>(bench: Bench<S>) {
    let other_key = Charge { cell: cell("a", "somebody", "w"), ..charge("a", 10, 10) };
    let other_window = Charge { cell: cell("a", "all", "w2"), ..charge("a", 10, 10) };
    bench.reserve(1, vec![charge("a", 10, 10), other_key, other_window]).unwrap();
    assert_eq!(bench.used("a"), 10);
}

pub(crate) fn the_limit_that_stops_longest_is_named<S: StateStore>(bench: Bench<S>) {
    let total = Charge { cell: cell("total", "all", "ever"), resets_in: None, ..charge("", 2, 1) };
    let exceeded = bench.reserve(1, vec![charge("short", 2, 1), total]).unwrap_err();
    assert_eq!((exceeded.cell.limit.as_str(), exceeded.retry_after), ("total", None));
}

pub(crate) fn ending_twice_counts_once<S: StateStore>(bench: Bench<S>) {
    bench.reserve(1, vec![charge("a", 4, 10)]).unwrap();
    bench.reserve(2, vec![charge("a", 3, 10)]).unwrap();
    assert_eq!(bench.refund(1), None);
    assert_eq!(bench.refund(1), Some(Closed::Refunded));
    assert_eq!(bench.settle(1), Some(Closed::Refunded));
    assert_eq!(bench.used("a"), 3);
    assert_eq!(bench.settle(2), None);
    assert_eq!(bench.settle(2), Some(Closed::Settled));
    assert_eq!(bench.refund(2), Some(Closed::Settled));
    assert_eq!(bench.used("a"), 3);
}

pub(crate) fn the_same_reservation_is_charged_once<S: StateStore>(bench: Bench<S>) {
    for _ in 0..3 {
        bench.reserve(1, vec![charge("a", 4, 10)]).unwrap();
    }
    bench.settle(1);
    bench.reserve(1, vec![charge("a", 4, 10)]).unwrap();
    assert_eq!(bench.used("a"), 4);
}

pub(crate) fn a_charge_is_for_good<S: StateStore>(bench: Bench<S>) {
    let outcome = bench.store.charge(&batch(1, vec![charge("a", 4, 10)])).wait().unwrap();
    let ChargeOutcome::Charged(charged) = outcome else { panic!("{outcome:?}") };
    assert_eq!(charged.snapshot.total(&cell("a", "all", "w")), Quantity::new(4));
    bench.clock.advance(LEASE);
    assert_eq!(bench.used("a"), 4);
    assert_eq!(bench.refund(1), Some(Closed::Settled));
    let outcome = bench.store.charge(&batch(2, vec![charge("a", 7, 10)])).wait().unwrap();
    assert!(matches!(outcome, ChargeOutcome::Exceeded(_)));
}

pub(crate) fn settling_with_the_real_cost<S: StateStore>(bench: Bench<S>) {
    bench.reserve(1, vec![charge("a", 4, 10), charge("b", 4, 10)]).unwrap();
    let actual = Settlement::Actual(BTreeMap::from([("a".to_owned(), Quantity::new(1))]));
    let settled = bench.store.settle(ReservationId(1), &actual).wait().unwrap();
    assert!(settled.debt.is_empty());
    assert_eq!((bench.used("a"), bench.used("b")), (1, 4));

    bench.reserve(2, vec![charge("a", 4, 10)]).unwrap();
    let actual = Settlement::Actual(BTreeMap::from([("a".to_owned(), Quantity::new(25))]));
    let settled = bench.store.settle(ReservationId(2), &actual).wait().unwrap();
    assert_eq!(settled.debt, BTreeMap::from([("a".to_owned(), Quantity::new(16))]));
    assert_eq!(bench.used("a"), 26);
    assert_eq!(bench.reserve(3, vec![charge("a", 1, 10)]).unwrap_err().remaining, Quantity::ZERO);
}

pub(crate) fn a_settlement_cannot_pay_back_more_than_it_took<S: StateStore>(bench: Bench<S>) {
    bench.reserve(1, vec![charge("a", 4, 10)]).unwrap();
    let actual = Settlement::Actual(BTreeMap::from([("a".to_owned(), Quantity::new(-1))]));
    let error = bench.store.settle(ReservationId(1), &actual).wait().unwrap_err();
    assert!(matches!(error, StateError::NegativeSettlement(_)), "{error}");
    assert_eq!(bench.used("a"), 4);
    assert_eq!(bench.settle(1), None);
}

pub(crate) fn a_lease_that_runs_out_gives_back<S: StateStore>(bench: Bench<S>) {
    bench.reserve(1, vec![charge("a", 10, 10)]).unwrap();
    bench.clock.advance(LEASE - Duration::from_nanos(1));
    assert_eq!(bench.used("a"), 10);
    bench.clock.advance(Duration::from_nanos(1));
    assert_eq!(bench.used("a"), 0);
    assert_eq!(bench.refund(1), Some(Closed::Expired));
    bench.reserve(2, vec![charge("a", 10, 10)]).unwrap();
    // The first call was slow, not dead: what it spent is counted, as debt.
    let late = bench.store.settle(ReservationId(1), &Settlement::AsReserved).wait().unwrap();
    assert_eq!(late.before, Some(Closed::Expired));
    assert_eq!(late.debt, BTreeMap::from([("a".to_owned(), Quantity::new(10))]));
    assert_eq!(bench.used("a"), 20);
    assert_eq!(bench.settle(1), Some(Closed::Settled));
    assert_eq!(bench.used("a"), 20);
}

/// The next call finds it free by itself: nobody has looked in between.
pub(crate) fn what_has_run_out_is_free_for_the_next_call<S: StateStore>(bench: Bench<S>) {
    bench.reserve(1, vec![charge("a", 10, 10), charge("b", 10, 10)]).unwrap();
    bench.clock.advance(LEASE);
    bench.reserve(2, vec![charge("a", 10, 10)]).unwrap();
    assert_eq!((bench.used("a"), bench.used("b")), (10, 0));
    assert_eq!(bench.refund(2), None);
    assert_eq!(bench.used("a"), 0);
}

/// Nor has anybody who follows the state asked for more than whether it has changed: a policy that denies calls because
/// of a lease charges nothing.
pub(crate) fn what_has_run_out_is_seen_by_who_follows<S: StateStore>(bench: Bench<S>) {
    bench.reserve(1, vec![charge("a", 10, 10)]).unwrap();
    let held = bench.store.revision();
    bench.clock.advance(LEASE);
    let patience = std::time::Instant::now() + Duration::from_secs(20);
    while bench.store.revision() == held {
        assert!(std::time::Instant::now() < patience, "still at {held:?}");
        std::thread::sleep(Duration::from_millis(1));
    }
    let changes = bench.store.changes_since(held).wait().unwrap();
    let Changes::Cells { cells, .. } = &changes else { panic!("{changes:?}") };
    assert_eq!(cells.iter().map(|cell| cell.value).collect::<Vec<_>>(), [Some(Quantity::ZERO)], "{cells:?}");
}

pub(crate) fn attempts_stay_counted<S: StateStore>(bench: Bench<S>) {
    bench.reserve(1, vec![rate("r", 2), charge("a", 5, 10)]).unwrap();
    bench.refund(1);
    assert_eq!((bench.used("r"), bench.used("a")), (1, 0));
    bench.reserve(2, vec![rate("r", 2)]).unwrap();
    bench.clock.advance(LEASE);
    assert_eq!(bench.settle(2), Some(Closed::Expired));
    assert_eq!(bench.used("r"), 2);
    assert_eq!(bench.reserve(3, vec![rate("r", 2)]).unwrap_err().kind, ChargeKind::Rate);
}

pub(crate) fn windows_end<S: StateStore>(bench: Bench<S>) {
    bench.store.charge(&batch(1, vec![charge("a", 10, 10)])).wait().unwrap();
    let ever = Charge { cell: cell("ever", "all", "w"), resets_in: None, ..charge("", 3, 10) };
    bench.store.charge(&batch(2, vec![ever])).wait().unwrap();
    let before = bench.store.snapshot().wait().unwrap().revision;
    bench.clock.advance(MINUTE);
    let snapshot = bench.store.snapshot().wait().unwrap();
    assert_eq!(snapshot.cells.len(), 1);
    assert_eq!(bench.used("ever"), 3);
    assert!(snapshot.revision > before);
}

pub(crate) fn a_window_opens_once<S: StateStore>(bench: Bench<S>) {
    bench.store.charge(&batch(1, vec![charge("a", 10, 10)])).wait().unwrap();
    bench.clock.advance(MINUTE);
    assert_eq!(bench.used("a"), 0);
    // The clock is set back: the window that has ended does not offer its budget again.
    bench.clock.set(START);
    let error = bench.store.charge(&batch(2, vec![charge("a", 1, 10)])).wait().unwrap_err();
    assert!(matches!(error, StateError::WindowClosed(_)), "{error}");
    assert_eq!(bench.used("a"), 0);
}

pub(crate) fn a_call_may_outlive_its_window<S: StateStore>(bench: Bench<S>) {
    let short = Charge { resets_in: Some(Duration::from_secs(1)), ..charge("a", 5, 10) };
    bench.reserve(1, vec![short.clone()]).unwrap();
    bench.reserve(2, vec![short]).unwrap();
    bench.clock.advance(Duration::from_secs(2));
    assert_eq!(bench.settle(1), None);
    assert_eq!(bench.refund(2), None);
    assert_eq!(bench.used("a"), 0);
}

pub(crate) fn changes_name_only_what_changed<S: StateStore>(bench: Bench<S>) {
    bench.store.charge(&batch(1, vec![charge("a", 1, 10), charge("b", 1, 10)])).wait().unwrap();
    let seen = bench.store.snapshot().wait().unwrap();
    assert_eq!(seen.revision, bench.store.revision());
    bench.store.charge(&batch(2, vec![charge("b", 2, 10)])).wait().unwrap();
    bench.store.charge(&batch(3, vec![charge("b", 3, 10)])).wait().unwrap();
    let Changes::Cells { revision, cells } = bench.store.changes_since(seen.revision).wait().unwrap() else {
        panic!("the whole state for one cell");
    };
    assert_eq!(revision, bench.store.revision());
    let [change] = cells.as_slice() else { panic!("{cells:?}") };
    assert_eq!((change.path.cell.limit.as_str(), change.value), ("b", Some(Quantity::new(6))));

    bench.clock.advance(MINUTE);
    let Changes::Cells { revision: end, cells } = bench.store.changes_since(revision).wait().unwrap() else {
        panic!("the whole state for two cells");
    };
    assert_eq!(cells.iter().map(|change| change.value).collect::<Vec<_>>(), [None, None]);
    let nothing = bench.store.changes_since(end).wait().unwrap();
    assert_eq!(nothing, Changes::Cells { revision: end, cells: vec![] });
    // A revision of another life of the store is not one to follow from.
    let foreign = bench.store.changes_since(Revision(u64::MAX)).wait().unwrap();
    assert!(matches!(foreign, Changes::All(_)));
}

/// Whoever follows the changes holds what the snapshot says, however long it has looked away.
pub(crate) fn following_the_changes_is_the_same_as_the_snapshot<S: StateStore>(bench: Bench<S>) {
    let mut held: BTreeMap<_, Quantity> = BTreeMap::new();
    let mut at = Revision(0);
    for round in 0..60_u128 {
        for step in 0..crate::STEPS {
            let id = round * 1_000 + step;
            let key = format!("{}", step % 13);
            let at = bench.clock.now();
            // The window of that length that the moment is in.
            let length = i64::try_from(id % 90).unwrap() + 1;
            let end = (at.as_nanos() / 1_000_000_000 / length + 1) * length;
            let mut one = charge("a", 3, i64::MAX);
            one.cell = cell("a", &key, &format!("{length}.{end}"));
            one.resets_in = Some(Timestamp::from_seconds(end).since(at));
            let batch = Batch { charges: [one].into(), at, reservation: ReservationId(id) };
            bench.store.reserve(&batch, LEASE).wait().unwrap();
            if id.is_multiple_of(3) {
                bench.store.settle(ReservationId(id), &Settlement::AsReserved).wait().unwrap();
            }
        }
        bench.clock.advance(Duration::from_secs(if round.is_multiple_of(7) { 200 } else { 1 }));
        // Every so often several rounds are missed.
        if round % 5 == 0 {
            // A store may drop what has ended in several steps, and tells each.
            loop {
                let changes = bench.store.changes_since(at).wait().unwrap();
                let before = std::mem::replace(&mut at, changes.revision());
                match changes {
                    Changes::All(snapshot) => held = snapshot.cells.into_iter().collect(),
                    Changes::Cells { cells, .. } => {
                        for change in cells {
                            match change.value {
                                Some(value) => held.insert(change.path, value),
                                None => held.remove(&change.path),
                            };
                        }
                    }
                }
                if at == before {
                    break;
                }
            }
            let snapshot = bench.store.snapshot().wait().unwrap();
            at = snapshot.revision;
            assert_eq!(held, snapshot.cells.into_iter().collect(), "round {round}");
        }
    }
}

impl<S: StateStore + StateOperator> Bench<S> {
    fn view(&self, limit: &str) -> CellView {
        let filter = CellFilter { limit: Some(limit.into()), ..CellFilter::default() };
        let views = self.store.list(&filter).wait().unwrap();
        let [view] = views.as_slice() else { panic!("{views:?}") };
        view.clone()
    }
}

pub(crate) fn a_place_is_free_again_however_the_call_ended<S: StateStore>(bench: Bench<S>) {
    let place = || vec![Charge { kind: ChargeKind::Concurrency, resets_in: None, ..charge("c", 1, 2) }];
    bench.reserve(1, place()).unwrap();
    bench.reserve(2, place()).unwrap();
    let exceeded = bench.reserve(3, place()).unwrap_err();
    assert_eq!((exceeded.kind, exceeded.retry_after), (ChargeKind::Concurrency, None));
    assert_eq!(bench.settle(1), None);
    bench.reserve(4, place()).unwrap();
    assert_eq!(bench.refund(2), None);
    bench.reserve(5, place()).unwrap();
    assert!(bench.reserve(6, place()).is_err());
    bench.clock.advance(LEASE);
    assert_eq!(bench.used("c"), 0);
    assert_eq!(bench.settle(5), Some(Closed::Expired));
    assert_eq!(bench.used("c"), 0);
}

/// A burst before the end of a fixed window and another after it would be twice the maximum within a moment.
pub(crate) fn a_sliding_window_admits_no_double_burst<S: StateStore>(bench: Bench<S>) {
    let span = Duration::from_secs(64);
    let one = || vec![Charge { algorithm: Algorithm::Sliding(span), resets_in: None, ..rate("s", 4) }];
    let mut admitted: Vec<Timestamp> = Vec::new();
    for step in 0..400_u128 {
        bench.clock.advance(Duration::from_millis(u64::try_from(step * 37 % 2_000).unwrap()));
        let now = bench.clock.now();
        match bench.charge_now(step, one()) {
            Ok(_) => admitted.push(now),
            Err(retry) => {
                let retry = retry.unwrap();
                assert!(!retry.is_zero() && retry <= span + span / 32, "{retry:?}");
            }
        }
        let within = admitted.iter().filter(|at| now.since(**at) < span).count();
        assert!(within <= 4, "{within} within {span:?} at {now}");
    }
    // Nothing is wasted either: four in each span, and the slot's length that it is let go later.
    assert!(admitted.len() >= 20, "{}", admitted.len());
    let retry = loop {
        if let Err(retry) = bench.charge_now(1_000 + u128::try_from(admitted.len()).unwrap(), one()) {
            break retry.unwrap();
        }
        admitted.push(bench.clock.now());
    };
    bench.clock.advance(retry);
    bench.charge_now(2_000, one()).unwrap();
}

#[allow(dead_code, reason = "a store may have no buckets")]
pub(crate) fn a_bucket_leaks_evenly<S: StateStore>(bench: Bench<S>) {
    let one = |amount| {
        let algorithm = Algorithm::Bucket(Duration::from_secs(10));
        vec![Charge { algorithm, resets_in: None, ..charge("b", amount, 5) }]
    };
    bench.charge_now(1, one(5)).unwrap();
    assert_eq!(bench.charge_now(2, one(1)).unwrap_err(), Some(Duration::from_secs(2)));
    assert_eq!(bench.charge_now(2, one(3)).unwrap_err(), Some(Duration::from_secs(6)));
    assert_eq!(bench.charge_now(2, one(6)).unwrap_err(), None);
    bench.clock.advance(Duration::from_secs(3));
    bench.charge_now(2, one(1)).unwrap();
    // Half of the next unit's time had passed already, and is not lost.
    assert_eq!(bench.charge_now(3, one(1)).unwrap_err(), Some(Duration::from_secs(1)));
    bench.clock.advance(Duration::from_secs(1));
    bench.charge_now(3, one(1)).unwrap();
    bench.clock.advance(Duration::from_secs(1_000));
    assert!(bench.charge_now(4, one(6)).is_err());
    bench.charge_now(4, one(5)).unwrap();
    // What is reserved does not leak before it is spent.
    bench.clock.advance(Duration::from_secs(10));
    bench.reserve_now(5, one(5)).unwrap();
    bench.clock.advance(Duration::from_secs(10));
    assert!(bench.charge_now(6, one(1)).is_err());
    assert_eq!(bench.settle(5), None);
    bench.clock.advance(Duration::from_secs(2));
    bench.charge_now(6, one(1)).unwrap();
}

pub(crate) fn thresholds_are_told_once<S: StateStore + StateOperator>(bench: Bench<S>) {
    let one = |amount| Charge { warn_at: Some(Quantity::new(8)), ..charge("a", amount, 10) };
    let warned = |id, amount| {
        let charged = match bench.reserve_now(id, vec![one(amount)]).unwrap() {
            ChargeOutcome::Charged(charged) => charged,
            other => panic!("{other:?}"),
        };
        charged.warnings.iter().map(|warning| warning.used.units()).collect::<Vec<_>>()
    };
    assert!(warned(1, 7).is_empty());
    assert_eq!(warned(2, 2), [9]);
    // The same call again, and the same threshold again.
    assert!(warned(2, 2).is_empty());
    bench.refund(2);
    assert!(warned(3, 3).is_empty());
    let filter = CellFilter { limit: Some("a".into()), ..CellFilter::default() };
    bench.store.reset(&filter).wait().unwrap();
    bench.refund(3);
    assert_eq!(warned(4, 1), [8]);
}

pub(crate) fn an_idempotency_key_names_one_call<S: StateStore>(bench: Bench<S>) {
    let key = ReservationId::of_key("tenant", "order 7");
    assert_ne!(key, ReservationId::of_key("other tenant", "order 7"));
    for _ in 0..3 {
        bench.charge_now(key.0, vec![charge("a", 4, 10)]).unwrap();
    }
    assert_eq!(bench.used("a"), 4);
    // Even where the limit has been reached since: the call was admitted.
    bench.charge_now(2, vec![charge("a", 6, 10)]).unwrap();
    bench.charge_now(key.0, vec![charge("a", 4, 10)]).unwrap();
    for other in [vec![charge("a", 5, 10)], vec![charge("b", 4, 10)], vec![]] {
        let error = bench.reserve_now(key.0, other).unwrap_err();
        assert!(matches!(error, StateError::KeyReused(_)), "{error}");
    }
    // In the next window it is still the same call.
    let later = Charge { cell: cell("a", "all", "w2"), ..charge("a", 4, 10) };
    bench.charge_now(key.0, vec![later]).unwrap();
    assert_eq!(bench.used("a"), 10);
    // What was given back may be made anew.
    bench.reserve(9, vec![charge("b", 1, 1)]).unwrap();
    bench.refund(9);
    bench.reserve(9, vec![charge("b", 1, 1)]).unwrap();
    assert_eq!(bench.used("b"), 1);
    assert_eq!(bench.settle(9), None);
}

pub(crate) fn amounts_that_are_none_are_refused<S: StateStore>(bench: Bench<S>) {
    for bad in [charge("a", -1, 10), charge("a", i64::MIN, 10), charge("a", 1, -1)] {
        let error = bench.reserve_now(1, vec![charge("b", 1, 10), bad]).unwrap_err();
        assert!(matches!(error, StateError::BadAmount(_)), "{error}");
    }
    let huge = charge("a", i64::MAX, i64::MAX);
    assert!(matches!(bench.reserve_now(1, vec![huge]).unwrap(), ChargeOutcome::Exceeded(_)));
    bench.reserve(2, vec![charge("a", 1, i64::MAX)]).unwrap();
    let actual = Settlement::Actual(BTreeMap::from([("a".to_owned(), Quantity::new(i64::MAX))]));
    let error = bench.store.settle(ReservationId(2), &actual).wait().unwrap_err();
    assert!(matches!(error, StateError::Overflow(_)), "{error}");
    assert_eq!((bench.used("a"), bench.used("b")), (1, 0));
    // Nothing costs nothing, in a limit that admits nothing too.
    bench.reserve(3, vec![charge("c", 0, 0)]).unwrap();
    assert_eq!(bench.settle(3), None);
}

pub(crate) fn names_of_any_kind_are_kept<S: StateStore + StateOperator>(bench: Bench<S>) {
    let long = "k".repeat(10 << 10);
    let odd = ["", "/", "a/b", "\u{0}", "{x}", "%", "'; drop table cells; --", "é\u{1f980}", &long];
    for (id, key) in odd.iter().enumerate() {
        let mut one = charge("a", i64::try_from(id).unwrap() + 1, 100);
        one.cell = cell("a", key, "w");
        bench.reserve(u128::try_from(id).unwrap(), vec![one]).unwrap();
    }
    let views = bench.store.list(&CellFilter::default()).wait().unwrap();
    for (id, key) in odd.iter().enumerate() {
        let view = views.iter().find(|view| view.cell.key == *key).unwrap_or_else(|| panic!("{key:?}"));
        assert_eq!(view.reserved.units(), i64::try_from(id).unwrap() + 1);
    }
    assert_eq!(views.len(), odd.len());
    let mut endless = charge("a", 1, 1);
    endless.cell = cell("a", &"k".repeat(1 << 20), "w");
    let error = bench.reserve_now(99, vec![endless]).unwrap_err();
    assert!(matches!(error, StateError::NameTooLong(_)), "{error}");
    assert!(error.to_string().len() < 200, "{error}");
}

pub(crate) fn configurations_must_agree<S: StateStore>(bench: Bench<S>) {
    bench.reserve(1, vec![charge("a", 1, 10)]).unwrap();
    let hour = Charge { resets_in: Some(Duration::from_secs(3_600)), ..charge("a", 1, 10) };
    let ever = Charge { resets_in: None, ..charge("a", 1, 10) };
    let sliding = Charge { algorithm: Algorithm::Sliding(MINUTE), ..charge("a", 1, 10) };
    let bucket = Charge { algorithm: Algorithm::Bucket(MINUTE), ..charge("a", 1, 10) };
    for other in [hour, ever, sliding, bucket] {
        let error = bench.reserve_now(2, vec![charge("b", 1, 10), other]).unwrap_err();
        assert!(matches!(error, StateError::Disagreement(_)), "{error}");
    }
    assert_eq!((bench.used("a"), bench.used("b")), (1, 0));
    // A request tells its window's end in milliseconds, rounded up.
    let nearly = Charge { resets_in: Some(MINUTE + Duration::from_millis(1)), ..charge("a", 1, 10) };
    bench.reserve(2, vec![nearly]).unwrap();
}

pub(crate) fn a_limit_may_be_lowered_below_what_is_spent<S: StateStore + StateOperator>(bench: Bench<S>) {
    bench.charge_now(1, vec![charge("a", 8, 10)]).unwrap();
    let exceeded = bench.reserve(2, vec![charge("a", 1, 5)]).unwrap_err();
    assert_eq!((exceeded.remaining, exceeded.max), (Quantity::ZERO, Quantity::new(5)));
    bench.reserve(3, vec![charge("a", 0, 5)]).unwrap();
    let view = bench.view("a");
    assert_eq!((view.max.units(), view.debt().units(), view.remaining().units()), (5, 3, 0));
    bench.charge_now(4, vec![charge("a", 1, 9)]).unwrap();
    assert_eq!(bench.view("a").debt(), Quantity::ZERO);
}

pub(crate) fn operators_see_and_set_what_is_spent<S: StateStore + StateOperator>(bench: Bench<S>) {
    bench.charge_now(1, vec![charge("a", 8, 10)]).unwrap();
    bench.reserve(2, vec![charge("a", 1, 10)]).unwrap();
    let mut other = charge("a", 3, 10);
    other.cell = cell("a", "ann", "w");
    bench.charge_now(3, vec![other]).unwrap();
    let only = CellFilter::exactly(&cell("a", "all", "w"));
    let views = bench.store.list(&only).wait().unwrap();
    let [view] = views.as_slice() else { panic!("{views:?}") };
    assert_eq!((view.spent.units(), view.reserved.units(), view.open, view.max.units()), (8, 1, 1, 10));
    assert_eq!((view.ends, view.kind), (Some(START.plus(MINUTE)), ChargeKind::Budget));
    let adjusted = bench.store.set(&only, Quantity::new(2)).wait().unwrap();
    let (before, after) = (Quantity::new(8), Quantity::new(2));
    assert_eq!(adjusted, [Adjusted { cell: cell("a", "all", "w"), before, after }]);
    // What is reserved stays so.
    assert_eq!(bench.used("a"), 3);
    assert_eq!(bench.settle(2), None);
    assert_eq!(bench.used("a"), 3);
    let all = CellFilter { limit: Some("a".into()), ..CellFilter::default() };
    assert_eq!(bench.store.reset(&all).wait().unwrap().len(), 2);
    assert_eq!(bench.used("a"), 0);
    bench.reserve(4, vec![charge("a", 10, 10)]).unwrap();
    let none = CellFilter { limit: Some("b".into()), ..CellFilter::default() };
    assert!(bench.store.reset(&none).wait().unwrap().is_empty());
    assert!(bench.store.set(&all, Quantity::new(-1)).wait().is_err());
}

/// A window that has ended is kept until the calls that began in it have ended: their debt is shown.
pub(crate) fn a_late_settlement_still_shows_its_debt<S: StateStore>(bench: Bench<S>) {
    let short = Charge { resets_in: Some(Duration::from_secs(1)), ..charge("a", 5, 10) };
    bench.charge_now(2, vec![Charge { amount: Quantity::new(4), ..short.clone() }]).unwrap();
    bench.reserve(1, vec![short.clone()]).unwrap();
    // Of another cell that ends at the same time nothing is kept.
    bench.charge_now(3, vec![Charge { cell: cell("b", "all", "w"), ..short }]).unwrap();
    bench.clock.advance(Duration::from_secs(2));
    assert_eq!((bench.used("a"), bench.used("b")), (9, 0));
    let actual = Settlement::Actual(BTreeMap::from([("a".to_owned(), Quantity::new(9))]));
    let settled = bench.store.settle(ReservationId(1), &actual).wait().unwrap();
    assert_eq!(settled.debt, BTreeMap::from([("a".to_owned(), Quantity::new(3))]));
    assert_eq!(bench.used("a"), 0);
}

pub(crate) fn nonsense_is_refused<S: StateStore>(bench: Bench<S>) {
    let unknown = bench.store.settle(ReservationId(99), &Settlement::AsReserved).wait().unwrap_err();
    assert!(matches!(unknown, StateError::UnknownReservation(_)));
    assert!(bench.store.refund(ReservationId(99)).wait().is_err());
    let largest = Quantity::LARGEST.units();
    bench.reserve(1, vec![charge("a", largest, i64::MAX)]).unwrap();
    assert!(bench.reserve(2, vec![charge("a", 1, i64::MAX)]).is_err());
    bench.reserve(3, vec![charge("a", 0, 0)]).unwrap();
    let actual = Settlement::Actual(BTreeMap::from([("a".to_owned(), Quantity::new(5))]));
    let error = bench.store.settle(ReservationId(3), &actual).wait().unwrap_err();
    assert!(matches!(error, StateError::Overflow(_)));
    assert_eq!(bench.used("a"), largest);
}

/// 8 threads race for the last units of nested limits: what they are admitted, all together.
pub(crate) fn race<S: StateStore>(store: &S, tries: u128) -> i64 {
    let admitted = AtomicI64::new(0);
    std::thread::scope(|scope| {
        for thread in 0..8_u128 {
            let admitted = &admitted;
            scope.spawn(move || {
                for attempt in 0..tries {
                    let own =
                        Charge { cell: cell("own", &thread.to_string(), "w"), ..charge("", 1, i64::MAX) };
                    let batch = batch(thread * 1_000_000 + attempt, vec![own, charge("shared", 1, 500)]);
                    if let ChargeOutcome::Charged(_) = store.reserve(&batch, LEASE).wait().unwrap() {
                        admitted.fetch_add(1, Ordering::Relaxed);
                        store.settle(batch.reservation, &Settlement::AsReserved).wait().unwrap();
                    }
                }
            });
        }
    });
    admitted.load(Ordering::Relaxed)
}

pub(crate) fn eight_threads_never_get_more_than_there_is<S: StateStore>(bench: Bench<S>) {
    assert_eq!(race(&bench.store, 200), 500);
    assert_eq!(bench.used("shared"), 500);
}

/// Runs the whole suite on one store.
#[macro_export]
macro_rules! state_store_suite {
    ($(#[$needs:meta])? $name:ident, $make:expr) => {
        state_store_suite!($(#[$needs])? $name, $make; a_bucket_leaks_evenly);
    };
    // For a store that does not have everything: all but what is named here by those that do.
    ($(#[$needs:meta])? $name:ident, $make:expr; $($besides:ident)*) => {
        mod $name {
            use super::*;

            state_store_suite!(@each [$(#[$needs])?] $make;
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
                what_has_run_out_is_seen_by_who_follows
                attempts_stay_counted
                windows_end
                a_window_opens_once
                a_call_may_outlive_its_window
                changes_name_only_what_changed
                following_the_changes_is_the_same_as_the_snapshot
                nonsense_is_refused
                a_place_is_free_again_however_the_call_ended
                a_sliding_window_admits_no_double_burst
                thresholds_are_told_once
                an_idempotency_key_names_one_call
                amounts_that_are_none_are_refused
                names_of_any_kind_are_kept
                configurations_must_agree
                a_limit_may_be_lowered_below_what_is_spent
                operators_see_and_set_what_is_spent
                a_late_settlement_still_shows_its_debt
                eight_threads_never_get_more_than_there_is
                $($besides)*
            );
        }
    };
    (@each $needs:tt $make:expr; $($test:ident)*) => {
        $(state_store_suite!(@one $needs $make; $test);)*
    };
    (@one [$(#[$needs:meta])?] $make:expr; $test:ident) => {
            #[test]
            $(#[$needs])?
            fn $test() {
                let clock = std::sync::Arc::new(guard_core::FixedClock::at($crate::suite::START));
                let (store, alive) = ($make)(std::sync::Arc::clone(&clock));
                $crate::suite::$test($crate::suite::Bench { store, clock, _alive: Box::new(alive) });
            }
    };
}
