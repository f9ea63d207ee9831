//! The state and what may be done to it, without locks and without a clock.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use guard_core::{
    Batch, CellChange, CellId, CellPath, Changes, Charge, ChargeKind, ChargeOutcome, Charged, Closed,
    Exceeded, NegativeSettlement, Quantity, ReservationId, Revision, Settled, Settlement, Snapshot,
    StateError, StoreOverflow, Timestamp, UnknownReservation, WindowClosed,
};

/// How many ended reservations are remembered, so that ending them again is recognised.
const REMEMBERED_ENDS: usize = 1 << 16;
/// How many dropped cells are remembered, so that evaluators can be told to drop them too.
const REMEMBERED_DROPS: usize = 1 << 12;

/// One window of one key of one limit.
struct Cell {
    /// What has been spent and what is reserved, together.
    used: Quantity,
    changed: Revision,
    ends: Option<Timestamp>,
}

/// A batch that was made.
struct Reservation {
    charges: Vec<Charge>,
    lease_ends: Timestamp,
    closed: Option<Closed>,
}

/// All cells and reservations of a store.
pub(crate) struct Ledger {
    replica: Arc<str>,
    /// The latest time seen. Time that runs backwards is not followed: a window opens once.
    now: Timestamp,
    revision: Revision,
    cells: HashMap<Arc<CellId>, Cell>,
    /// The cells whose window ends, soonest first, so that expiry never scans.
    ending: BTreeSet<(Timestamp, Arc<CellId>)>,
    /// Which cell the revision changed, for each revision that is the latest of its cell or dropped it.
    changed: BTreeMap<Revision, Arc<CellId>>,
    /// The revisions that dropped a cell, oldest first.
    drops: VecDeque<Revision>,
    /// Who is at an earlier revision than this may have missed a drop that is no longer remembered.
    oldest_followable: Revision,
    reservations: HashMap<ReservationId, Reservation>,
    leases: BTreeSet<(Timestamp, ReservationId)>,
    /// The ended ones, oldest first.
    ended: VecDeque<ReservationId>,
}

impl Ledger {
    pub(crate) fn new(replica: &str) -> Self {
        Self {
            replica: replica.into(),
            now: Timestamp::from_nanos(i64::MIN),
            revision: Revision(0),
            cells: HashMap::new(),
            ending: BTreeSet::new(),
            changed: BTreeMap::new(),
            drops: VecDeque::new(),
            oldest_followable: Revision(0),
            reservations: HashMap::new(),
            leases: BTreeSet::new(),
            ended: VecDeque::new(),
        }
    }

    pub(crate) fn revision(&self) -> Revision {
        self.revision
    }

    /// Moves the time on: leases that have run out are given back, windows that have ended are dropped.
    pub(crate) fn advance(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
        while let Some((ends, id)) = self.leases.first().copied().filter(|(ends, _)| *ends <= self.now) {
            self.leases.remove(&(ends, id));
            self.close(id, Closed::Expired);
        }
        while self.ending.first().is_some_and(|(ends, _)| *ends <= self.now) {
            if let Some((_, cell)) = self.ending.pop_first() {
                self.drop_cell(&cell);
            }
        }
    }

    /// Makes all charges of the batch, or none.
    pub(crate) fn reserve(&mut self, batch: &Batch, lease: Duration) -> Result<ChargeOutcome, StateError> {
        let already = self.reservations.get(&batch.reservation).map(|reservation| reservation.closed);
        if let Some(None | Some(Closed::Settled)) = already {
            // The same call again, because its first answer was lost: it is charged already.
            return Ok(self.charged(batch));
        }
        if let Some(exceeded) = self.check(batch)? {
            return Ok(ChargeOutcome::Exceeded(exceeded));
        }
        for charge in &batch.charges {
            self.add(&charge.cell, charge.amount, window_end(batch, charge));
        }
        let lease_ends = self.now.plus(lease);
        self.leases.insert((lease_ends, batch.reservation));
        let reservation = Reservation { charges: batch.charges.clone(), lease_ends, closed: None };
        self.reservations.insert(batch.reservation, reservation);
        Ok(self.charged(batch))
    }

    /// The limit that stops the batch. Of several the one that stops it longest, since to try again before
    /// that one resets is in vain.
    fn check(&self, batch: &Batch) -> Result<Option<Exceeded>, StateError> {
        let mut stopped: Option<Exceeded> = None;
        for (position, charge) in batch.charges.iter().enumerate() {
            let ends = window_end(batch, charge);
            if ends.is_some_and(|ends| ends <= self.now) {
                let CellId { limit, window, .. } = (*charge.cell).clone();
                return Err(WindowClosed { limit, window }.into());
            }
            let held = self.cells.get(&charge.cell).map_or(Quantity::ZERO, |cell| cell.used);
            let same_cell = batch.charges.iter().take(position).filter(|earlier| earlier.cell == charge.cell);
            let used = same_cell.map(|earlier| earlier.amount).try_fold(held, Quantity::plus);
            // Beyond 64 bits is beyond any maximum.
            let fits = used.and_then(|used| used.plus(charge.amount)).is_some_and(|sum| sum <= charge.max);
            if fits || charge.amount == Quantity::ZERO {
                continue;
            }
            let left = used.and_then(|used| charge.max.minus(used)).unwrap_or_default().max(Quantity::ZERO);
            let exceeded = Exceeded {
                cell: Arc::clone(&charge.cell),
                kind: charge.kind,
                max: charge.max,
                remaining: left,
                retry_after: ends.map(|ends| ends.since(self.now)),
            };
            if stopped.as_ref().is_none_or(|stopped| stops_longer(&exceeded, stopped)) {
                stopped = Some(exceeded);
            }
        }
        Ok(stopped)
    }

    fn charged(&self, batch: &Batch) -> ChargeOutcome {
        let mut cells: Vec<(CellPath, Quantity)> = Vec::with_capacity(batch.charges.len());
        for charge in &batch.charges {
            if let Some(cell) = self.cells.get(&charge.cell)
                && !cells.iter().any(|(path, _)| path.cell == charge.cell)
            {
                cells.push((self.path(&charge.cell), cell.used));
            }
        }
        let snapshot = Snapshot { revision: self.revision, cells };
        ChargeOutcome::Charged(Charged { reservation: batch.reservation, snapshot })
    }

    /// Turns a reservation into spending.
    pub(crate) fn settle(&mut self, id: ReservationId, actual: &Settlement) -> Result<Settled, StateError> {
        let reservation = self.known(id)?;
        let before = reservation.closed;
        if matches!(before, Some(Closed::Settled | Closed::Refunded)) {
            return Ok(Settled { before, debt: BTreeMap::new() });
        }
        let charges = reservation.charges.clone();
        let changes = self.settlement(&charges, actual, before.is_some())?;
        let mut debt = BTreeMap::new();
        for (charge, used) in changes {
            self.set(&charge.cell, used);
            if let Some(over) = used.minus(charge.max).filter(|over| *over > Quantity::ZERO) {
                let most = debt.entry(charge.cell.limit.clone()).or_insert(over);
                *most = over.max(*most);
            }
        }
        self.close(id, Closed::Settled);
        Ok(Settled { before, debt })
    }

    /// What each cell of a reservation will hold once it is settled; nothing is changed yet. A reservation
    /// whose lease has `expired` holds no budget any more, so all of the actual amount is added.
    fn settlement<'a>(
        &self,
        charges: &'a [Charge],
        actual: &Settlement,
        expired: bool,
    ) -> Result<Vec<(&'a Charge, Quantity)>, StateError> {
        let mut totals: Vec<(&Charge, Quantity)> = Vec::with_capacity(charges.len());
        for charge in charges {
            let limit = &charge.cell.limit;
            let spent = match actual {
                Settlement::AsReserved => charge.amount,
                Settlement::Actual(by_limit) => by_limit.get(limit).copied().unwrap_or(charge.amount),
            };
            if spent.is_negative() {
                return Err(NegativeSettlement { limit: limit.clone() }.into());
            }
            let held = match charge.kind {
                ChargeKind::Budget if expired => Quantity::ZERO,
                ChargeKind::Budget | ChargeKind::Rate => charge.amount,
            };
            let earlier = totals.iter().rposition(|(other, _)| other.cell == charge.cell);
            let used = match earlier.and_then(|position| totals.get(position)) {
                Some((_, used)) => *used,
                None => match self.cells.get(&charge.cell) {
                    Some(cell) => cell.used,
                    // The window ended while the call ran: there is nothing left to count in.
                    None => continue,
                },
            };
            let total = used.minus(held).and_then(|rest| rest.plus(spent));
            totals.push((charge, total.ok_or_else(|| StoreOverflow { limit: limit.clone() })?));
        }
        Ok(totals)
    }

    /// Gives back what a reservation holds of budgets.
    pub(crate) fn refund(&mut self, id: ReservationId) -> Result<Settled, StateError> {
        let before = self.known(id)?.closed;
        if before.is_none() {
            self.close(id, Closed::Refunded);
        }
        Ok(Settled { before, debt: BTreeMap::new() })
    }

    fn known(&self, id: ReservationId) -> Result<&Reservation, StateError> {
        self.reservations.get(&id).ok_or_else(|| UnknownReservation { id: id.to_string() }.into())
    }

    /// Ends a reservation, giving back its budgets unless it was settled.
    fn close(&mut self, id: ReservationId, how: Closed) {
        let Some(reservation) = self.reservations.get_mut(&id) else { return };
        let first_time = reservation.closed.replace(how).is_none();
        let lease_ends = reservation.lease_ends;
        if how != Closed::Settled {
            let charges = reservation.charges.clone();
            for charge in charges.iter().filter(|charge| charge.kind == ChargeKind::Budget) {
                let rest = self.cells.get(&charge.cell).and_then(|cell| cell.used.minus(charge.amount));
                if let Some(rest) = rest {
                    self.set(&charge.cell, rest);
                }
            }
        }
        self.leases.remove(&(lease_ends, id));
        if first_time {
            self.ended.push_back(id);
        }
        while self.ended.len() > REMEMBERED_ENDS {
            // One that was given back and then made again under the same name is alive.
            if let Some(oldest) = self.ended.pop_front()
                && self.reservations.get(&oldest).is_some_and(|reservation| reservation.closed.is_some())
            {
                self.reservations.remove(&oldest);
            }
        }
    }

    /// Adds to a cell, which is opened when it is not there. The caller has checked that the sum fits.
    fn add(&mut self, id: &Arc<CellId>, amount: Quantity, ends: Option<Timestamp>) {
        let used = self.cells.get(id).map_or(Quantity::ZERO, |cell| cell.used);
        let sum = used.plus(amount).unwrap_or(Quantity::new(i64::MAX));
        if !self.cells.contains_key(id) {
            let cell = Cell { used: Quantity::ZERO, changed: Revision(0), ends };
            self.cells.insert(Arc::clone(id), cell);
            if let Some(ends) = ends {
                self.ending.insert((ends, Arc::clone(id)));
            }
        }
        self.set(id, sum);
    }

    /// Sets what a cell holds, as the next revision.
    fn set(&mut self, id: &Arc<CellId>, used: Quantity) {
        let Some(cell) = self.cells.get_mut(id) else { return };
        if cell.used == used && cell.changed != Revision(0) {
            return;
        }
        self.revision = Revision(self.revision.0 + 1);
        self.changed.remove(&cell.changed);
        self.changed.insert(self.revision, Arc::clone(id));
        cell.used = used;
        cell.changed = self.revision;
    }

    fn drop_cell(&mut self, id: &Arc<CellId>) {
        let Some(cell) = self.cells.remove(id) else { return };
        if let Some(ends) = cell.ends {
            self.ending.remove(&(ends, Arc::clone(id)));
        }
        self.changed.remove(&cell.changed);
        self.revision = Revision(self.revision.0 + 1);
        self.changed.insert(self.revision, Arc::clone(id));
        self.drops.push_back(self.revision);
        while self.drops.len() > REMEMBERED_DROPS {
            if let Some(oldest) = self.drops.pop_front() {
                self.changed.remove(&oldest);
                self.oldest_followable = oldest;
            }
        }
    }

    fn path(&self, cell: &Arc<CellId>) -> CellPath {
        CellPath { cell: Arc::clone(cell), replica: Arc::clone(&self.replica) }
    }

    /// All cells.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let mut cells: Vec<_> = self.cells.iter().map(|(id, cell)| (self.path(id), cell.used)).collect();
        cells.sort_unstable_by(|(one, _), (two, _)| one.cmp(two));
        Snapshot { revision: self.revision, cells }
    }

    /// The cells that changed after `revision`.
    pub(crate) fn changes_since(&self, revision: Revision) -> Changes {
        if revision < self.oldest_followable || revision > self.revision {
            return Changes::All(self.snapshot());
        }
        let later = self.changed.range(Revision(revision.0.saturating_add(1))..);
        let cells = later.filter_map(|(changed, id)| match self.cells.get(id) {
            // The drop of a cell that has been opened again since: its newer change tells what it holds.
            Some(cell) if cell.changed != *changed => None,
            found => Some(CellChange { path: self.path(id), value: found.map(|cell| cell.used) }),
        });
        Changes::Cells { revision: self.revision, cells: cells.collect() }
    }
}

/// When the window of a charge ends.
fn window_end(batch: &Batch, charge: &Charge) -> Option<Timestamp> {
    charge.resets_in.map(|span| batch.at.plus(span))
}

/// Whether the first keeps a call waiting longer than the second; for ever is longest.
fn stops_longer(first: &Exceeded, second: &Exceeded) -> bool {
    match (first.retry_after, second.retry_after) {
        (None, Some(_)) => true,
        (Some(first), Some(second)) => first > second,
        (_, None) => false,
    }
}
