//! What a replica holds, seen together with what the others hold.
//!
//! The operations of `books` read a cell as the sum of all replicas and write it so; what is kept of it is the difference
//! to the others, which is this replica's own part.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use guard_core::{
    CellFilter, CellId, CellPath, ChargeKind, Quantity, ReservationId, Revision, Snapshot, StateError,
    Timestamp,
};

use crate::books::{Reservation, Rows};
use crate::cell::Cell;
use crate::documents::doc::{Doc, Held, apart, together};

/// Leases that end in the same second are published as one.
const LEASE_STEP: i64 = 1_000_000_000;

/// The others' part of the cells that an operation is about.
pub(super) type Others = HashMap<Arc<CellId>, Vec<(Arc<str>, Cell)>>;

pub(super) struct Own {
    pub(super) replica: Arc<str>,
    pub(super) cells: HashMap<Arc<CellId>, Cell>,
    pub(super) reservations: HashMap<ReservationId, Reservation>,
    leases: BTreeSet<(Timestamp, ReservationId)>,
    ended: BTreeSet<(Timestamp, ReservationId)>,
    /// What the others hold, as of the operation that runs.
    pub(super) others: Others,
    /// What has been written since it was last kept.
    pub(super) changed_cells: HashSet<Arc<CellId>>,
    pub(super) changed_reservations: HashSet<ReservationId>,
}

impl Own {
    pub(super) fn new(replica: &str) -> Self {
        Self {
            replica: replica.into(),
            cells: HashMap::new(),
            reservations: HashMap::new(),
            leases: BTreeSet::new(),
            ended: BTreeSet::new(),
            others: HashMap::new(),
            changed_cells: HashSet::new(),
            changed_reservations: HashSet::new(),
        }
    }

    /// What the others hold of a cell, all together.
    pub(super) fn of_others(&self, id: &CellId) -> Option<Cell> {
        let mut parts = self.others.get(id)?.iter().map(|(_, cell)| cell);
        let first = parts.next()?.clone();
        Some(parts.fold(first, |all, part| together(&all, part)))
    }

    /// What all hold of a cell.
    pub(super) fn all_of(&self, id: &CellId) -> Option<Cell> {
        match (self.cells.get(id), self.of_others(id)) {
            (Some(own), Some(others)) => Some(together(own, &others)),
            (Some(own), None) => Some(own.clone()),
            (None, others) => others,
        }
    }

    /// The cell's document; `None` when this replica holds nothing of it.
    pub(super) fn doc(&self, id: &CellId) -> Option<Doc> {
        let cell = self.cells.get(id)?;
        let mut reserved: Vec<Held> = Vec::new();
        for (until, reservation) in &self.leases {
            let Some(reservation) = self.reservations.get(reservation) else { continue };
            for charge in reservation.charges.iter().filter(|charge| *charge.cell == *id) {
                let amount = match charge.kind {
                    ChargeKind::Rate => 0,
                    ChargeKind::Budget | ChargeKind::Concurrency => charge.amount.units(),
                };
                let until = until.as_nanos();
                let until = until.saturating_add((LEASE_STEP - until.rem_euclid(LEASE_STEP)) % LEASE_STEP);
                match reserved.last_mut() {
                    Some(held) if held.until == Some(until) => {
                        held.amount += amount;
                        held.open += 1;
                    }
                    _ => reserved.push(Held { amount, until: Some(until), open: 1 }),
                }
            }
        }
        Some(Doc::of(id, cell, reserved))
    }

    /// Puts a reservation there that was kept.
    pub(super) fn restore(&mut self, id: ReservationId, reservation: Reservation) {
        let list = if reservation.closed.is_some() { &mut self.ended } else { &mut self.leases };
        let at = if reservation.closed.is_some() { reservation.ended } else { reservation.lease_ends };
        list.insert((at, id));
        self.reservations.insert(id, reservation);
    }

    /// What each replica holds of these cells.
    pub(super) fn snapshot_of(&self, ids: &[Arc<CellId>]) -> Snapshot {
        let mut cells = Vec::new();
        for id in ids {
            let path = |replica: &Arc<str>| CellPath { cell: Arc::clone(id), replica: Arc::clone(replica) };
            if let Some(own) = self.cells.get(id) {
                cells.push((path(&self.replica), Quantity::new(own.used())));
            }
            for (replica, cell) in self.others.get(id).into_iter().flatten() {
                cells.push((path(replica), Quantity::new(cell.used())));
            }
        }
        cells.sort_unstable_by(|(one, _), (two, _)| one.cmp(two));
        cells.dedup_by(|(one, _), (two, _)| one == two);
        Snapshot { revision: Revision(0), cells }
    }
}

impl Rows for Own {
    fn cell(&mut self, id: &Arc<CellId>) -> Result<Option<Cell>, StateError> {
        Ok(self.all_of(id))
    }

    fn put_cell(&mut self, id: &Arc<CellId>, cell: Cell) -> Result<(), StateError> {
        let own = match self.of_others(id) {
            Some(others) => apart(cell, &others),
            None => cell,
        };
        self.cells.insert(Arc::clone(id), own);
        self.changed_cells.insert(Arc::clone(id));
        Ok(())
    }

    fn cells(&mut self, filter: &CellFilter) -> Result<Vec<(Arc<CellId>, Cell)>, StateError> {
        let ids: BTreeSet<Arc<CellId>> = self.cells.keys().chain(self.others.keys()).cloned().collect();
        let fitting = ids.into_iter().filter(|id| filter.fits(id));
        Ok(fitting.filter_map(|id| self.all_of(&id).map(|cell| (id, cell))).collect())
    }

    fn reservation(&mut self, id: ReservationId) -> Result<Option<Reservation>, StateError> {
        Ok(self.reservations.get(&id).cloned())
    }

    fn put_reservation(&mut self, id: ReservationId, reservation: Reservation) -> Result<(), StateError> {
        if let Some(before) = self.reservations.get(&id) {
            self.leases.remove(&(before.lease_ends, id));
            self.ended.remove(&(before.ended, id));
        }
        self.restore(id, reservation);
        self.changed_reservations.insert(id);
        Ok(())
    }

    fn overdue(&mut self, now: Timestamp, most: usize) -> Result<Vec<ReservationId>, StateError> {
        let overdue = self.leases.iter().take_while(|(ends, _)| *ends <= now);
        Ok(overdue.take(most).map(|(_, id)| *id).collect())
    }

    fn sweep(&mut self, now: Timestamp, forget: Timestamp) -> Result<(), StateError> {
        let is_over = |cell: &Cell| cell.open == 0 && cell.ends.is_some_and(|ends| ends <= now);
        let over: Vec<_> =
            self.cells.iter().filter(|(_, cell)| is_over(cell)).map(|(id, _)| id.clone()).collect();
        for id in over {
            self.cells.remove(&id);
            self.changed_cells.insert(id);
        }
        while let Some((at, id)) = self.ended.first().copied()
            && at <= forget
        {
            self.ended.remove(&(at, id));
            self.reservations.remove(&id);
            self.changed_reservations.insert(id);
        }
        Ok(())
    }

    fn revision(&mut self) -> Result<Revision, StateError> {
        Ok(Revision(0))
    }

    fn replica(&self) -> Arc<str> {
        Arc::clone(&self.replica)
    }
}

/// A moment as far from now as a lease is long.
pub(super) fn lease_end(now: Timestamp, lease: Duration) -> Timestamp {
    let ends = now.plus(lease).as_nanos();
    Timestamp::from_nanos(ends.saturating_add(LEASE_STEP))
}
