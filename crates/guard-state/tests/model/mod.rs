//! A store as one would write it with all the time in the world: every spending is remembered with its moment, and
//! every answer is added up anew. It shares nothing with the real stores but the vocabulary.
//!
//! [`check`] runs a random history on the model and on a store and compares each answer; proptest shrinks what differs.
#![allow(dead_code, reason = "each store uses its part")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use guard_core::{
    Algorithm, Batch, CellFilter, CellId, CellView, Charge, ChargeKind, ChargeOutcome, Clock, Closed,
    FixedClock, Quantity, ReservationId, Settlement, StateError, StateOperator, StateStore, Timestamp,
};
use proptest::prelude::*;

use crate::suite::{START, cell};

/// What happens in a history.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    Reserve {
        id: u8,
        charges: Vec<(u8, u8, u8)>,
        lease: u8,
    },
    Charge {
        id: u8,
        charges: Vec<(u8, u8, u8)>,
    },
    Settle {
        id: u8,
        actual: Option<u8>,
    },
    Refund {
        id: u8,
    },
    /// The clock moves, back as well.
    Time {
        millis: i32,
    },
    Set {
        limit: u8,
        spent: u8,
    },
}

/// The limits of the histories: name, kind, algorithm, maximum, and for how many seconds a window lasts.
const LIMITS: [(&str, ChargeKind, Algorithm, i64, Option<i64>); 7] = [
    ("minute", ChargeKind::Budget, Algorithm::Fixed, 10, Some(60)),
    ("short", ChargeKind::Rate, Algorithm::Fixed, 4, Some(7)),
    ("total", ChargeKind::Budget, Algorithm::Fixed, 40, None),
    ("sliding", ChargeKind::Rate, Algorithm::Sliding(Duration::from_secs(16)), 5, None),
    ("sliding budget", ChargeKind::Budget, Algorithm::Sliding(Duration::from_millis(10_001)), 12, None),
    ("bucket", ChargeKind::Budget, Algorithm::Bucket(Duration::from_secs(9)), 7, None),
    ("places", ChargeKind::Concurrency, Algorithm::Fixed, 3, None),
];
const KEYS: [&str; 2] = ["ann", "bob"];
const WARN_AT: i64 = 3;

pub(crate) fn history() -> impl Strategy<Value = Vec<Act>> {
    history_of(&[0, 1, 2, 3, 4, 5, 6], 1)
}

/// Histories of these limits in which time goes by in whole steps of so many milliseconds.
pub(crate) fn history_of(limits: &'static [u8], step: i32) -> impl Strategy<Value = Vec<Act>> {
    let charges = || prop::collection::vec((prop::sample::select(limits), 0..2_u8, 0..6_u8), 0..4);
    let act = prop_oneof![
        4 => (0..12_u8, charges(), 1..40_u8).prop_map(|(id, charges, lease)| Act::Reserve { id, charges, lease }),
        3 => (12..30_u8, charges()).prop_map(|(id, charges)| Act::Charge { id, charges }),
        3 => (0..14_u8, prop::option::of(0..15_u8)).prop_map(|(id, actual)| Act::Settle { id, actual }),
        2 => (0..14_u8).prop_map(|id| Act::Refund { id }),
        4 => prop_oneof![0..4_000_i32, -9_000..70_000_i32].prop_map(move |millis| Act::Time { millis: millis / step * step }),
        1 => (0..3_u8, 0..12_u8).prop_map(|(limit, spent)| Act::Set { limit, spent }),
    ];
    prop::collection::vec(act, 1..60)
}

#[derive(Debug, Default)]
struct Entry {
    /// When, and how much.
    spent: Vec<(i64, i64)>,
    reserved: i64,
    open: u32,
    warned: bool,
    ends: Option<Timestamp>,
}

#[derive(Debug, Clone)]
struct Promise {
    charges: Vec<Charge>,
    lease_ends: Timestamp,
    closed: Option<Closed>,
}

#[derive(Debug)]
struct Model {
    now: Timestamp,
    cells: BTreeMap<CellId, Entry>,
    promises: BTreeMap<u128, Promise>,
}

fn limit_of(id: &CellId) -> (ChargeKind, Algorithm, i64) {
    let (_, kind, algorithm, max, _) = LIMITS.iter().find(|limit| limit.0 == id.limit).unwrap();
    (*kind, *algorithm, *max)
}

/// What of the spending counts.
fn counts(id: &CellId, spent: &[(i64, i64)], now: i64) -> i64 {
    let (_, algorithm, max) = limit_of(id);
    match algorithm {
        Algorithm::Fixed => spent.iter().map(|(_, amount)| amount).sum(),
        Algorithm::Sliding(span) => {
            let span = i64::try_from(span.as_micros()).unwrap();
            let slot = (span + 31) / 32;
            let counting = spent.iter().filter(|(at, _)| (at / slot + 1) * slot + span > now);
            counting.map(|(_, amount)| amount).sum()
        }
        Algorithm::Bucket(span) => {
            let every = (i64::try_from(span.as_micros()).unwrap() + max - 1) / max;
            let (mut level, mut since) = (0, 0);
            for (at, amount) in spent.iter().copied().chain([(now, 0)]) {
                let leaked = (at - since) / every;
                level = (level - leaked).max(0);
                since = if level == 0 { at } else { since + leaked * every };
                level += amount;
            }
            level
        }
    }
}

/// What is compared of an answer.
#[derive(Debug, PartialEq)]
enum Answer {
    Charged(Vec<i64>, Vec<String>),
    Exceeded(String, i64),
    Ended(Option<Closed>, BTreeMap<String, i64>),
    Refused(&'static str),
    Nothing,
}

fn refused(error: &StateError) -> Answer {
    Answer::Refused(match error {
        StateError::WindowClosed(_) => "window closed",
        StateError::UnknownReservation(_) => "unknown",
        StateError::KeyReused(_) => "key reused",
        other => panic!("{other}"),
    })
}

impl Model {
    fn used(&self, id: &CellId) -> i64 {
        let micros = self.now.as_nanos() / 1_000;
        self.cells.get(id).map_or(0, |entry| counts(id, &entry.spent, micros) + entry.reserved)
    }

    fn advance(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
        let due: Vec<u128> =
            self.promises.iter().filter(|(_, p)| p.closed.is_none()).map(|(id, _)| *id).collect();
        for id in due {
            if self.promises[&id].lease_ends <= self.now {
                self.close(id, Closed::Expired);
            }
        }
        let now = self.now;
        self.cells.retain(|_, entry| entry.open > 0 || entry.ends.is_none_or(|ends| ends > now));
    }

    fn close(&mut self, id: u128, how: Closed) {
        let promise = self.promises.get_mut(&id).unwrap();
        promise.closed = Some(how);
        for charge in promise.charges.clone() {
            let entry = self.cells.get_mut(&*charge.cell).unwrap();
            entry.open -= 1;
            if charge.kind != ChargeKind::Rate {
                entry.reserved -= charge.amount.units();
            }
        }
    }

    fn charge(&mut self, batch: &Batch, lease: Option<Duration>) -> Answer {
        let same = |one: &Charge, two: &Charge| {
            (&one.cell.limit, &one.cell.key, one.amount) == (&two.cell.limit, &two.cell.key, two.amount)
        };
        if let Some(promise) = self.promises.get(&batch.reservation.0)
            && matches!(promise.closed, None | Some(Closed::Settled))
        {
            let all = promise.charges.iter().zip(batch.charges.iter()).all(|(one, two)| same(one, two));
            if promise.charges.len() != batch.charges.len() || !all {
                return Answer::Refused("key reused");
            }
            return Answer::Charged(vec![], vec![]);
        }
        let end = |charge: &Charge| charge.resets_in.map(|span| batch.at.plus(span));
        if batch.charges.iter().any(|charge| end(charge).is_some_and(|end| end <= self.now)) {
            return Answer::Refused("window closed");
        }
        let mut added: BTreeMap<&CellId, i64> = BTreeMap::new();
        let mut stopped = BTreeMap::new();
        for charge in batch.charges.iter() {
            let sum = added.entry(&charge.cell).or_default();
            let left = charge.max.units() - self.used(&charge.cell) - *sum;
            if charge.amount.units() > left && charge.amount.units() > 0 {
                stopped.insert(charge.cell.limit.clone(), left.max(0));
            }
            if lease.is_some() || charge.kind != ChargeKind::Concurrency {
                *sum += charge.amount.units();
            }
        }
        if !stopped.is_empty() {
            // Which of several is named is the suite's to test.
            return Answer::Exceeded(String::new(), i64::try_from(stopped.len()).unwrap());
        }
        let mut warnings = Vec::new();
        for charge in batch.charges.iter() {
            let ends = end(charge);
            let micros = self.now.as_nanos() / 1_000;
            let entry = self.cells.entry((*charge.cell).clone()).or_default();
            entry.ends = ends;
            entry.open += u32::from(lease.is_some());
            match (charge.kind, lease) {
                (ChargeKind::Rate, _) | (ChargeKind::Budget, None) => {
                    entry.spent.push((micros, charge.amount.units()));
                }
                (_, Some(_)) => entry.reserved += charge.amount.units(),
                (ChargeKind::Concurrency, None) => {}
            }
            let used = self.used(&charge.cell);
            let entry = self.cells.get_mut(&*charge.cell).unwrap();
            if used >= WARN_AT && !entry.warned && charge.warn_at.is_some() {
                entry.warned = true;
                warnings.push(charge.cell.limit.clone());
            }
        }
        let closed = if lease.is_some() { None } else { Some(Closed::Settled) };
        let lease_ends = self.now.plus(lease.unwrap_or_default());
        let promise = Promise { charges: batch.charges.to_vec(), lease_ends, closed };
        self.promises.insert(batch.reservation.0, promise);
        Answer::Charged(vec![], warnings)
    }

    fn settle(&mut self, id: u128, actual: Option<i64>) -> Answer {
        let Some(promise) = self.promises.get(&id).cloned() else { return Answer::Refused("unknown") };
        let before = promise.closed;
        if matches!(before, Some(Closed::Settled | Closed::Refunded)) {
            return Answer::Ended(before, BTreeMap::new());
        }
        if before.is_none() {
            self.close(id, Closed::Settled);
        }
        self.promises.get_mut(&id).unwrap().closed = Some(Closed::Settled);
        let micros = self.now.as_nanos() / 1_000;
        for charge in &promise.charges {
            let spent = actual.filter(|_| charge.cell.limit == "minute").unwrap_or(charge.amount.units());
            if let Some(entry) = self.cells.get_mut(&*charge.cell)
                && charge.kind == ChargeKind::Budget
            {
                entry.spent.push((micros, spent));
            }
        }
        let mut debt = BTreeMap::new();
        for charge in &promise.charges {
            let over = self.used(&charge.cell) - charge.max.units();
            if over > 0 {
                let most: &mut i64 = debt.entry(charge.cell.limit.clone()).or_default();
                *most = over.max(*most);
            }
        }
        Answer::Ended(before, debt)
    }

    fn refund(&mut self, id: u128) -> Answer {
        let Some(promise) = self.promises.get(&id) else { return Answer::Refused("unknown") };
        let before = promise.closed;
        if before.is_none() {
            self.close(id, Closed::Refunded);
        }
        Answer::Ended(before, BTreeMap::new())
    }

    fn set(&mut self, limit: &str, spent: i64) {
        let micros = self.now.as_nanos() / 1_000;
        for (id, entry) in &mut self.cells {
            if id.limit == limit {
                entry.spent = vec![(micros, spent)];
                entry.warned = false;
            }
        }
    }

    /// A window that has ended and is open for a reservation at one replica only is nothing to the others any more, which
    /// leaves out what they have spent of it. Windows are named after the second in which they end.
    fn differs_in_open_windows(&self, found: &BTreeMap<CellId, (i64, i64)>) -> Option<String> {
        let now = self.now.as_nanos() / 1_000_000_000;
        let is_open = |cell: &CellId| cell.window.parse::<i64>().map_or(true, |ends| ends > now);
        let mut expected = self.totals();
        expected.retain(|cell, _| is_open(cell));
        let mut found = found.clone();
        found.retain(|cell, _| is_open(cell));
        (expected != found).then(|| format!("expected {expected:?}\nfound {found:?}"))
    }

    fn totals(&self) -> BTreeMap<CellId, (i64, i64)> {
        let each = self.cells.iter().map(|(id, entry)| (id.clone(), (self.used(id), entry.reserved)));
        each.filter(|(_, (used, _))| *used != 0).collect()
    }
}

fn make_batch(id: u8, wanted: &[(u8, u8, u8)], at: Timestamp) -> Batch {
    let charges = wanted.iter().map(|(limit, key, amount)| {
        let (name, kind, algorithm, max, window) = LIMITS[usize::from(*limit)];
        let seconds = at.as_nanos().div_euclid(1_000_000_000);
        let end = window.map(|length| (seconds / length + 1) * length);
        let resets_in = end.map(|end| Timestamp::from_seconds(end).since(at));
        let window = end.map_or("ever".to_owned(), |end| end.to_string());
        let id = cell(name, KEYS[usize::from(*key)], &window);
        let amount = Quantity::new(i64::from(*amount));
        // What slides or leaks is forgotten when it is empty, and with it what has been told.
        let warns = kind == ChargeKind::Budget && algorithm == Algorithm::Fixed;
        let warn_at = warns.then_some(Quantity::new(WARN_AT));
        Charge { kind, algorithm, resets_in, warn_at, ..Charge::new(id, amount, Quantity::new(max)) }
    });
    Batch { charges: charges.collect(), at, reservation: ReservationId(u128::from(id)) }
}

fn outcome(outcome: Result<ChargeOutcome, StateError>) -> Answer {
    match outcome {
        Err(error) => refused(&error),
        Ok(ChargeOutcome::Exceeded(_)) => Answer::Exceeded(String::new(), 0),
        Ok(ChargeOutcome::Charged(charged)) => {
            let warnings = charged.warnings.iter().map(|warning| warning.cell.limit.clone());
            Answer::Charged(vec![], warnings.collect())
        }
    }
}

fn act(
    act: &Act,
    model: &mut Model,
    store: &(impl StateStore + StateOperator),
    clock: &FixedClock,
) -> (Answer, Answer) {
    let now = clock.now();
    // Nobody looks when the time is set: what has run out is found by whatever comes next.
    if !matches!(act, Act::Time { .. }) {
        model.advance(now);
    }
    let ended = |settled: Result<guard_core::Settled, StateError>| match settled {
        Err(error) => refused(&error),
        Ok(settled) => {
            let debt = settled.debt.iter().map(|(limit, over)| (limit.clone(), over.units()));
            Answer::Ended(settled.before, debt.collect())
        }
    };
    match act {
        Act::Reserve { id, charges, lease } => {
            let (batch, lease) = (make_batch(*id, charges, now), Duration::from_secs(u64::from(*lease)));
            (model.charge(&batch, Some(lease)), outcome(store.reserve(&batch, lease).wait()))
        }
        Act::Charge { id, charges } => {
            let batch = make_batch(*id, charges, now);
            (model.charge(&batch, None), outcome(store.charge(&batch).wait()))
        }
        Act::Settle { id, actual } => {
            let by_limit = |units: u8| ("minute".to_owned(), Quantity::new(i64::from(units)));
            let settlement = actual.map_or(Settlement::AsReserved, |units| {
                Settlement::Actual(BTreeMap::from([by_limit(units)]))
            });
            let id = u128::from(*id);
            let answer = store.settle(ReservationId(id), &settlement).wait();
            (model.settle(id, actual.map(i64::from)), ended(answer))
        }
        Act::Refund { id } => {
            let id = u128::from(*id);
            (model.refund(id), ended(store.refund(ReservationId(id)).wait()))
        }
        Act::Time { millis } => {
            clock.set(Timestamp::from_nanos(now.as_nanos() + i64::from(*millis) * 1_000_000));
            (Answer::Nothing, Answer::Nothing)
        }
        Act::Set { limit, spent } => {
            let limit = LIMITS[usize::from(*limit)].0;
            model.set(limit, i64::from(*spent));
            let filter = CellFilter { limit: Some(limit.to_owned()), ..CellFilter::default() };
            store.set(&filter, Quantity::new(i64::from(*spent))).wait().unwrap();
            (Answer::Nothing, Answer::Nothing)
        }
    }
}

/// How exactly a store counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Counts {
    /// As the model does.
    Exactly,
    /// In slices, where calls are open: never less, and the same when none is. It tells a threshold with a slice, and debt
    /// only of what went beyond a reservation.
    InSlices,
    /// As several replicas do, of which none knows that another's operator has set what is spent: a threshold that one of
    /// them has told stays told.
    InReplicas,
}

impl Counts {
    fn of(self, answer: Answer) -> Answer {
        match (self, answer) {
            (Self::InSlices, Answer::Charged(..)) => Answer::Charged(vec![], vec![]),
            (Self::InReplicas, Answer::Charged(left, _)) => Answer::Charged(left, vec![]),
            (Self::InSlices, Answer::Ended(before, _)) => Answer::Ended(before, BTreeMap::new()),
            (_, answer) => answer,
        }
    }
}

/// Runs a history on the model and on an empty store whose clock stands at [`START`].
pub(crate) fn check(acts: &[Act], store: &(impl StateStore + StateOperator), clock: &Arc<FixedClock>) {
    check_as(Counts::Exactly, acts, store, clock);
}

/// The same with a store that counts so.
pub(crate) fn check_as(
    counts: Counts,
    acts: &[Act],
    store: &(impl StateStore + StateOperator),
    clock: &Arc<FixedClock>,
) {
    let mut model = Model { now: START, cells: BTreeMap::new(), promises: BTreeMap::new() };
    // The store has seen this time, so that an earlier one is a step back.
    store.snapshot().wait().unwrap();
    for (step, one) in acts.iter().enumerate() {
        let (mut expected, found) = act(one, &mut model, store, clock);
        if let Answer::Exceeded(_, limits) = &mut expected {
            *limits = 0;
        }
        let (expected, found) = (counts.of(expected), counts.of(found));
        assert_eq!(expected, found, "step {step}, {one:?}\n{model:#?}");
        if matches!(one, Act::Time { .. }) {
            continue;
        }
        model.advance(clock.now());
        let told = || format!("after step {step}, {one:?}\n{model:#?}");
        // The thread of a store that counts in slices may just have fetched one: that is given back when it is looked at.
        let patience = std::time::Instant::now() + Duration::from_millis(200);
        loop {
            let views = store.list(&CellFilter::default()).wait().unwrap();
            let differs = match counts {
                Counts::Exactly => model.differs(&totals_of(&views)),
                Counts::InReplicas => model.differs_in_open_windows(&totals_of(&views)),
                Counts::InSlices => model.differs_in_slices(&views),
            };
            let Some(difference) = differs else { break };
            let is_late = counts != Counts::InSlices || std::time::Instant::now() > patience;
            assert!(!is_late, "{difference}\n{}", told());
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// What is used and reserved in cells that hold anything.
fn totals_of(views: &[CellView]) -> BTreeMap<CellId, (i64, i64)> {
    let totals =
        views.iter().map(|view| ((*view.cell).clone(), (view.used().units(), view.reserved.units())));
    totals.filter(|(_, (used, _))| *used != 0).collect()
}

impl Model {
    fn differs(&self, found: &BTreeMap<CellId, (i64, i64)>) -> Option<String> {
        let expected = self.totals();
        (expected != *found).then(|| format!("expected {expected:?}\nfound {found:?}"))
    }

    /// The same where slices stand for what calls hold: as much at least, and as much exactly where none holds any. Of windows
    /// that have ended nobody asks any more: they are given back by and by.
    fn differs_in_slices(&self, views: &[CellView]) -> Option<String> {
        let has_ended = |ends: Option<Timestamp>| ends.is_some_and(|ends| ends <= self.now);
        let is_over = |view: &&CellView| view.algorithm == Algorithm::Fixed && has_ended(view.ends);
        let views: Vec<CellView> = views.iter().filter(|view| !is_over(view)).cloned().collect();
        let (mut found, mut expected) = (totals_of(&views), self.totals());
        for (id, entry) in self.cells.iter().filter(|(_, entry)| entry.open > 0) {
            let used = |total: Option<(i64, i64)>| total.map_or(0, |(used, _)| used);
            let (least, found) = (used(expected.remove(id)), used(found.remove(id)));
            if found < least && !has_ended(entry.ends) {
                return Some(format!("{id}: {found} of {least}"));
            }
        }
        (expected != found).then(|| format!("expected {expected:?}\nfound {found:?}"))
    }
}
