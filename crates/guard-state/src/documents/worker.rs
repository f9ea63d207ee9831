//! The thread that does a replica's work: what has come together is asked for, decided and published together.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use guard_core::{
    Algorithm, Batch, CellId, Charge, ChargeOutcome, Clock, Quantity, StateError, StateEvent, StateListener,
    StateUnavailable, Timestamp, Unsupported,
};

use crate::books;
use crate::documents::doc::{Doc, Held, asked_until, name_of};
use crate::documents::followed::Followed;
use crate::documents::journal::{Journal, Peers};
use crate::documents::ledger::{Ledger, Seen, is_adopted, made_at, newest, replica_of, wall};
use crate::documents::own::{Others, Own, lease_end};
use crate::documents::{Answer, Ask, Op};

/// The most operations that are carried out together.
const MOST_TOGETHER: usize = 256;
/// How often an operation that another replica's undecided one stands in the way of is tried again, by the replica that
/// waits, and by one that gives way.
const TRIES: (u32, u32) = (60, 12);
/// How long others wait for a decision of this replica before they take what it asked for as held.
const PATIENCE: Duration = Duration::from_secs(2);
/// When whoever was refused because of others' undecided operations may come again.
const SOON: Duration = Duration::from_millis(100);
/// How often what the dead have left is looked through.
const TIDY: Duration = Duration::from_secs(60);
/// A document whose replica has not made a new one for so long is a dead one's.
const DEAD: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) struct Worker {
    pub(super) ledger: Ledger,
    pub(super) journal: Option<Journal>,
    pub(super) own: Own,
    pub(super) peers: Peers,
    /// What of the peers is not written down yet.
    pub(super) peers_changed: BTreeSet<(String, String)>,
    /// The life of OPA's data that was last trusted.
    pub(super) known: Option<String>,
    /// Whether it is trusted now.
    pub(super) trusted: bool,
    /// The life that this replica has put its cells into, and when it saw it first.
    pub(super) joined: Option<(String, Instant)>,
    pub(super) latest: Timestamp,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) listener: Arc<dyn StateListener>,
    pub(super) followed: Followed,
    pub(super) revision: Arc<AtomicU64>,
    pub(super) grace: Duration,
    pub(super) tidied: Instant,
}

/// What stands in the way of deciding.
enum Stop {
    /// OPA's data is another than was trusted, or this replica's part of it is gone.
    Restarted,
    Failed(StateError),
}

impl From<StateError> for Stop {
    fn from(error: StateError) -> Self {
        Self::Failed(error)
    }
}

/// What others have asked for of a cell and not decided: how much, and the first of their names.
type Undecided = HashMap<Arc<CellId>, (i64, String)>;

impl Worker {
    /// Works until every sender is gone.
    pub(super) fn run(mut self, queue: &Receiver<Op>) {
        loop {
            match queue.recv_timeout(self.grace / 4) {
                Ok(first) => {
                    let more = queue.try_iter().take(MOST_TOGETHER - 1);
                    let ops = std::iter::once(first).chain(more).collect();
                    self.carry_out(ops);
                }
                // Nobody asks: an OPA that was started anew is noticed all the same, and given back what is held.
                Err(RecvTimeoutError::Timeout) => self.carry_out(Vec::new()),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        if self.ledger.is_empty() {
            // Left over it would be tidied away by others, a day later.
            let _ = self.ledger.tidy(&self.ledger.subtree, None);
        }
    }

    /// Answers all of them.
    fn carry_out(&mut self, mut ops: Vec<Op>) {
        let mut restarts = 0;
        let mut pause: u64 = 1;
        loop {
            let done = self.ready().map_err(Stop::Failed).and_then(|()| self.round(ops.as_mut()));
            ops.retain(|op| op.giver.is_some());
            match done {
                Ok(_) if ops.is_empty() => return,
                Ok(waits) => {
                    if !waits {
                        let span = 1 + super::random_below(pause);
                        std::thread::sleep(Duration::from_millis(span));
                        pause = (pause * 2).min(32);
                    }
                }
                Err(Stop::Restarted) if restarts < 3 => restarts += 1,
                Err(Stop::Restarted) => {
                    let error = self.unavailable("it is started anew again and again");
                    return ops.iter_mut().for_each(|op| op.answer(Err(error.clone())));
                }
                Err(Stop::Failed(error)) => {
                    return ops.iter_mut().for_each(|op| op.answer(Err(error.clone())));
                }
            }
        }
    }

    fn unavailable(&self, detail: &str) -> StateError {
        StateUnavailable { store: self.ledger.name.to_string(), detail: detail.to_owned() }.into()
    }

    /// Sees that OPA has all that this replica holds, and that it can be trusted to have the others' too.
    fn ready(&mut self) -> Result<(), StateError> {
        let old = (wall().as_nanos() / 1_000).saturating_sub(made_at(&self.ledger.subtree));
        let is_old = u128::try_from(old).is_ok_and(|old| old > DEAD.as_micros() / 2);
        if self.trusted && !self.ledger.uncertain && !is_old {
            return Ok(());
        }
        if self.joined.is_none() || self.ledger.uncertain || is_old {
            self.joined = None;
            self.ledger.prepare()?;
            let docs = self.own.cells.keys().filter_map(|id| Some((name_of(id), self.own.doc(id)?)));
            let docs: BTreeMap<String, Doc> = docs.collect();
            let replica = Arc::clone(&self.own.replica);
            self.ledger.renew(&replica, &docs)?;
        }
        let seen = self.ledger.read(None)?;
        let Some(incarnation) =
            seen.incarnation.as_ref().filter(|_| seen.cells.contains_key(&self.ledger.subtree))
        else {
            self.joined = None;
            return Err(self.unavailable("it was started anew"));
        };
        for subtree in seen.cells.keys() {
            if replica_of(subtree) == &*self.own.replica && *subtree != self.ledger.subtree {
                self.ledger.tidy(subtree, None)?;
            }
        }
        let since = match &self.joined {
            Some((id, since)) if *id == incarnation.id => *since,
            _ => Instant::now(),
        };
        self.joined = Some((incarnation.id.clone(), since));
        if self.known.as_ref() != Some(&incarnation.id) {
            // At once: before anybody trusts it, it has what any replica has seen of those that do not come back.
            self.adopt(&seen)?;
            let age = u64::try_from(wall().as_nanos().saturating_sub(incarnation.born)).unwrap_or(0);
            let age = Duration::from_nanos(age).max(since.elapsed());
            if let Some(left) = self.grace.checked_sub(age) {
                self.trusted = false;
                let left = left.as_millis() + 1;
                return Err(self.unavailable(&format!(
                    "OPA was started anew; for {left} ms more the replicas may give back what they hold"
                )));
            }
            self.known = Some(incarnation.id.clone());
            self.keep()?;
        }
        self.trusted = true;
        Ok(())
    }

    /// Publishes what is known of replicas that have not come back, as far as nobody has published the same or newer.
    fn adopt(&self, seen: &Seen) -> Result<(), StateError> {
        let there = newest(seen.cells.iter());
        for (replica, docs) in newest(self.peers.iter()) {
            let is_back = |there: &String| replica_of(there) == replica && !is_adopted(there);
            if replica == &*self.own.replica || seen.cells.keys().any(is_back) {
                continue;
            }
            let is_missing = |name: &str, doc: &Doc| {
                let found = there.get(replica).and_then(|docs| docs.get(name));
                found.is_none_or(|found| found.written < doc.written)
            };
            let missing = docs.iter().filter(|(name, doc)| is_missing(name, doc));
            let missing: BTreeMap<String, Doc> =
                missing.map(|(name, doc)| ((*name).to_owned(), (*doc).clone())).collect();
            if !missing.is_empty() {
                let of_it = self.peers.keys().filter(|subtree| replica_of(subtree) == replica);
                let made = of_it.map(|subtree| made_at(subtree)).max().unwrap_or_default();
                self.ledger.adopt(replica, made, &self.own.replica, &missing)?;
            }
        }
        Ok(())
    }

    /// Writes down what has changed.
    fn keep(&mut self) -> Result<(), StateError> {
        let Some(journal) = &mut self.journal else { return Ok(()) };
        let of_peer = |(subtree, name): &(String, String)| {
            let doc = self.peers.get(subtree).and_then(|docs| docs.get(name)).cloned();
            (subtree.clone(), name.clone(), doc)
        };
        let peers: Vec<_> = self.peers_changed.iter().map(of_peer).collect();
        let kept = journal.keep(&self.own, &peers, self.known.as_deref(), self.latest);
        if kept.is_ok() {
            self.peers_changed.clear();
            self.own.changed_cells.clear();
            self.own.changed_reservations.clear();
        }
        kept
    }

    /// Goes back to what is written down, since what has been changed could not be.
    fn go_back(&mut self) {
        self.trusted = false;
        self.ledger.uncertain = true;
        let read = self.journal.as_ref().map(|journal| journal.read(&self.own.replica));
        if let Some(Ok(kept)) = read {
            self.own = kept.own;
        }
    }

    /// Carries out what can be decided now. Says whether this replica keeps its place for what it cannot.
    fn round(&mut self, ops: &mut [Op]) -> Result<bool, Stop> {
        self.latest = self.latest.max(self.clock.now());
        let now = self.latest;
        let mut events = books::advance(&mut self.own, now)?;
        let ids = self.touched(ops);
        let asked = self.ask(ops, now)?;
        let everything = ops.iter().any(|op| op.ask.is_about_all());
        let names: BTreeSet<String> = ids.iter().map(|id| name_of(id)).collect();
        let seen = self.ledger.read(if everything { None } else { Some(&names) })?;
        let is_known = seen.incarnation.as_ref().is_some_and(|seen| Some(&seen.id) == self.known.as_ref());
        if !is_known || !seen.cells.contains_key(&self.ledger.subtree) {
            self.trusted = false;
            self.joined = None;
            return Err(Stop::Restarted);
        }
        let undecided = self.see(&seen, if everything { None } else { Some(&names) }, now)?;
        let mut waits = false;
        let mut answers = Vec::new();
        for (place, op) in ops.iter_mut().enumerate() {
            if let Some(first) = self.contended(op, &undecided, now) {
                let patient = *self.own.replica < *first;
                op.tries += 1;
                if op.tries < if patient { TRIES.0 } else { TRIES.1 } {
                    waits |= patient;
                    continue;
                }
            }
            answers.push((place, self.decide(&op.ask, now, &mut events)));
        }
        let changed: Vec<Arc<CellId>> = self.own.changed_cells.iter().cloned().collect();
        if (!changed.is_empty() || !self.own.changed_reservations.is_empty())
            && let Err(error) = self.keep()
        {
            self.go_back();
            return Err(error.into());
        }
        if self.journal.is_none() {
            self.own.changed_cells.clear();
            self.own.changed_reservations.clear();
        }
        let published = self.publish_decided(ops, &changed, &asked, waits, &answers);
        let touched: Vec<Arc<CellId>> = ids.into_iter().chain(changed).collect();
        self.follow(everything, &touched);
        events.iter().for_each(|event| self.listener.tell(event));
        for (place, mut answer) in answers {
            let Some(op) = ops.get_mut(place) else { continue };
            // What was admitted is published as asked for, and so counted, also where the decision could not be.
            if let (Err(error), false) = (&published, matches!(op.ask, Ask::Reserve { .. })) {
                answer = answer.and(Err(error.clone()));
            }
            op.answer(answer.map(|answer| self.complete(&op.ask, answer)));
        }
        published?;
        Ok(waits)
    }

    /// Publishes the cells as they now are; and still what is asked for, where this replica keeps its place.
    fn publish_decided(
        &mut self,
        ops: &[Op],
        changed: &[Arc<CellId>],
        asked: &BTreeMap<Arc<CellId>, Vec<Held>>,
        waits: bool,
        answers: &[(usize, Result<Answer, StateError>)],
    ) -> Result<(), StateError> {
        let still: BTreeSet<&Arc<CellId>> = ops
            .iter()
            .enumerate()
            .filter(|(place, _)| waits && !answers.iter().any(|(answered, _)| answered == place))
            .flat_map(|(_, op)| op.ask.cells())
            .collect();
        let mut cells = BTreeMap::new();
        for id in changed.iter().chain(asked.keys()).filter(|id| !still.contains(id)) {
            cells.insert(name_of(id), self.own.doc(id));
        }
        self.ledger.publish(&cells)
    }

    /// The cells that these operations are about.
    fn touched(&self, ops: &[Op]) -> BTreeSet<Arc<CellId>> {
        let mut ids: BTreeSet<Arc<CellId>> = ops.iter().flat_map(|op| op.ask.cells()).cloned().collect();
        for op in ops {
            if let Ask::Settle { id, .. } | Ask::Refund { id } = &op.ask
                && let Some(reservation) = self.own.reservations.get(id)
            {
                ids.extend(reservation.charges.iter().map(|charge| Arc::clone(&charge.cell)));
            }
        }
        ids
    }

    /// Publishes what is asked for, before anything is decided.
    fn ask(&mut self, ops: &[Op], now: Timestamp) -> Result<BTreeMap<Arc<CellId>, Vec<Held>>, StateError> {
        let mut asked: BTreeMap<Arc<CellId>, Vec<Held>> = BTreeMap::new();
        let mut docs: BTreeMap<String, Option<Doc>> = BTreeMap::new();
        for op in ops {
            let Ask::Reserve { batch, lease } = &op.ask else { continue };
            if books::check_charges(batch).is_err() {
                continue;
            }
            for charge in batch.charges.iter() {
                let cell = self.own.cells.get(&charge.cell).cloned();
                let cell = cell.unwrap_or_else(|| crate::cell::Cell::open(charge, batch.at, now));
                let until = asked_until(&cell, lease.map(|lease| lease_end(now, lease)), now);
                let amount = charge.amount.units().min(Quantity::LARGEST.units());
                let held = Held { amount, until, open: 0 };
                asked.entry(Arc::clone(&charge.cell)).or_default().push(held);
                let doc = docs.entry(name_of(&charge.cell)).or_insert_with(|| {
                    self.own.doc(&charge.cell).or_else(|| Some(Doc::of(&charge.cell, &cell, Vec::new())))
                });
                if let (Some(doc), Some(held)) = (doc, asked.get(&charge.cell)) {
                    doc.asked = grouped(held);
                    doc.patience = wall().plus(PATIENCE).as_nanos();
                }
            }
        }
        self.ledger.publish(&docs)?;
        Ok(asked)
    }

    /// Takes over what the others hold.
    fn see(
        &mut self,
        seen: &Seen,
        only: Option<&BTreeSet<String>>,
        now: Timestamp,
    ) -> Result<Undecided, StateError> {
        let mut others: Others = HashMap::new();
        let mut undecided: Undecided = HashMap::new();
        let at = wall();
        for subtree in seen.cells.keys().filter(|subtree| **subtree != self.ledger.subtree) {
            if replica_of(subtree) == &*self.own.replica {
                // An earlier document of this replica's: a write that came late, or another replica that took it for dead.
                // All of it stands in the one it has now.
                self.ledger.tidy(subtree, None)?;
            }
        }
        for (replica, docs) in newest(seen.cells.iter()) {
            if replica == &*self.own.replica {
                continue;
            }
            let replica: Arc<str> = replica.into();
            for doc in docs.values().filter(|doc| !doc.is_over(now)) {
                let id = doc.id();
                let cell = doc.cell(now).map_err(|detail| self.unavailable(&detail))?;
                let amount = doc.undecided(now, at);
                if amount > 0 {
                    let waiting = undecided.entry(Arc::clone(&id)).or_insert((0, replica.to_string()));
                    waiting.0 = waiting.0.saturating_add(amount);
                    if *replica < *waiting.1 {
                        waiting.1 = replica.to_string();
                    }
                }
                others.entry(id).or_default().push((Arc::clone(&replica), cell));
            }
        }
        self.own.others = others;
        self.remember(seen, only);
        if only.is_none() && self.tidied.elapsed() > TIDY {
            self.tidied = Instant::now();
            self.tidy(seen, now)?;
        }
        Ok(undecided)
    }

    /// Remembers what the others held, for an OPA that is started anew without them.
    fn remember(&mut self, seen: &Seen, only: Option<&BTreeSet<String>>) {
        for (subtree, docs) in seen.cells.iter().filter(|(subtree, _)| **subtree != self.ledger.subtree) {
            let known = self.peers.entry(subtree.clone()).or_default();
            for (name, doc) in docs {
                if known.get(name) != Some(doc) {
                    known.insert(name.clone(), doc.clone());
                    self.peers_changed.insert((subtree.clone(), name.clone()));
                }
            }
            let is_gone =
                |name: &String| only.is_none_or(|only| only.contains(name)) && !docs.contains_key(name);
            let gone: Vec<String> = known.keys().filter(|name| is_gone(name)).cloned().collect();
            for name in gone {
                known.remove(&name);
                self.peers_changed.insert((subtree.clone(), name));
            }
        }
        let gone = self.peers.keys().filter(|subtree| !seen.cells.contains_key(*subtree));
        for subtree in gone.cloned().collect::<Vec<_>>() {
            let docs = self.peers.remove(&subtree).unwrap_or_default();
            self.peers_changed.extend(docs.into_keys().map(|name| (subtree.clone(), name)));
        }
    }

    /// Takes away what dead replicas have left and nobody counts any more: windows that have ended, which nobody can
    /// charge again; the rest once its document is so old that no living replica writes to it.
    fn tidy(&self, seen: &Seen, now: Timestamp) -> Result<(), StateError> {
        let today = wall().as_nanos() / 1_000;
        let a_minute_ago = Timestamp::from_nanos(now.as_nanos().saturating_sub(60_000_000_000));
        for (subtree, docs) in seen.cells.iter().filter(|(subtree, _)| **subtree != self.ledger.subtree) {
            let age = u128::try_from(today.saturating_sub(made_at(subtree))).unwrap_or(0);
            if age > DEAD.as_micros() && docs.values().all(|doc| doc.is_over(a_minute_ago)) {
                self.ledger.tidy(subtree, None)?;
                continue;
            }
            let is_over = |doc: &Doc| doc.algorithm == 0 && doc.is_over(a_minute_ago);
            let over: Vec<String> =
                docs.iter().filter(|(_, doc)| is_over(doc)).map(|(name, _)| name.clone()).collect();
            if !over.is_empty() {
                self.ledger.tidy(subtree, Some(&over))?;
            }
        }
        Ok(())
    }

    /// The first of the replicas whose undecided operations alone keep this one from being admitted.
    fn contended(&self, op: &Op, undecided: &Undecided, now: Timestamp) -> Option<String> {
        let Ask::Reserve { batch, .. } = &op.ask else { return None };
        if undecided.is_empty() || self.own.reservations.contains_key(&batch.reservation) {
            return None;
        }
        let mut first: Option<String> = None;
        for charge in batch.charges.iter() {
            let max = charge.ceiling().units();
            let used = self.own.all_of(&charge.cell).map_or(0, |mut cell| {
                cell.refresh(now, max);
                cell.used()
            });
            let amount = charge.amount.units();
            if used.saturating_add(amount) <= max {
                continue;
            }
            let (waiting, name) = undecided.get(&charge.cell)?;
            if used.saturating_sub(*waiting).saturating_add(amount) > max {
                return None;
            }
            if first.as_ref().is_none_or(|first| name < first) {
                first = Some(name.clone());
            }
        }
        first
    }

    /// One operation, on what all replicas hold.
    fn decide(
        &mut self,
        ask: &Ask,
        now: Timestamp,
        events: &mut Vec<StateEvent>,
    ) -> Result<Answer, StateError> {
        let own = &mut self.own;
        match ask {
            Ask::Reserve { batch, lease } => {
                let is_new = |charge: &Charge| {
                    matches!(charge.algorithm, Algorithm::Bucket(_)) && own.all_of(&charge.cell).is_none()
                };
                if batch.charges.iter().any(is_new) {
                    let what = "token buckets, which would leak once for each replica; take a sliding window";
                    return Err(Unsupported { store: self.ledger.name.to_string(), what }.into());
                }
                books::reserve(own, batch, *lease, now, events).map(Answer::Outcome)
            }
            Ask::Settle { id, actual } => books::settle(own, *id, actual, now, events).map(Answer::Settled),
            Ask::Refund { id } => books::refund(own, *id, now, events).map(Answer::Settled),
            Ask::List { filter } => books::list(own, filter, now).map(Answer::List),
            Ask::Set { filter, spent } => books::set(own, filter, *spent, now, events).map(Answer::Adjusted),
            // Taken when everything else of the round has been done.
            Ask::Snapshot | Ask::Changes { .. } | Ask::Look => Ok(Answer::Nothing),
        }
    }

    fn follow(&mut self, everything: bool, touched: &[Arc<CellId>]) {
        if everything {
            let ids: BTreeSet<Arc<CellId>> =
                self.own.cells.keys().chain(self.own.others.keys()).cloned().collect();
            let ids: Vec<_> = ids.into_iter().collect();
            self.followed.see_all(&self.own.snapshot_of(&ids).cells);
        } else {
            self.followed.see(touched, &self.own.snapshot_of(touched).cells);
        }
        self.revision.store(self.followed.revision().0, Ordering::Release);
    }

    /// The answer, with the numbers that all replicas have now.
    fn complete(&self, ask: &Ask, answer: Answer) -> Answer {
        match (ask, answer) {
            (Ask::Snapshot, _) => Answer::Snapshot(self.followed.snapshot()),
            (Ask::Changes { since }, _) => Answer::Changes(self.followed.since(*since)),
            (Ask::Reserve { batch, .. }, Answer::Outcome(outcome)) => {
                Answer::Outcome(self.told(batch, outcome))
            }
            (_, answer) => answer,
        }
    }

    fn told(&self, batch: &Batch, outcome: ChargeOutcome) -> ChargeOutcome {
        match outcome {
            ChargeOutcome::Charged(mut charged) => {
                let ids: BTreeSet<Arc<CellId>> =
                    batch.charges.iter().map(|charge| Arc::clone(&charge.cell)).collect();
                charged.snapshot = self.own.snapshot_of(&ids.into_iter().collect::<Vec<_>>());
                charged.snapshot.revision = self.followed.revision();
                ChargeOutcome::Charged(charged)
            }
            ChargeOutcome::Exceeded(mut exceeded) => {
                // Part of what is in the way may be taken back in a moment.
                let at = wall();
                let waits = |doc: &Doc| doc.undecided(self.latest, at) > 0 && *doc.id() == *exceeded.cell;
                if self.peers.values().flat_map(BTreeMap::values).any(waits) {
                    exceeded.retry_after = Some(exceeded.retry_after.map_or(SOON, |later| later.min(SOON)));
                }
                ChargeOutcome::Exceeded(exceeded)
            }
        }
    }
}

/// What ends at the same moment, as one.
fn grouped(held: &[Held]) -> Vec<Held> {
    let mut sums: BTreeMap<Option<i64>, i64> = BTreeMap::new();
    for one in held {
        let sum = sums.entry(one.until).or_default();
        *sum = sum.saturating_add(one.amount);
    }
    sums.into_iter().map(|(until, amount)| Held { amount, until, open: 0 }).collect()
}
