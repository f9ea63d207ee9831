//! The operations, on whatever keeps the rows: memory or a transaction. Everything is checked before the first row is
//! written, so that an operation that is refused has changed nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use guard_core::{
    Adjusted, Algorithm, BadAmount, Batch, CellFilter, CellId, CellPath, CellView, Charge, ChargeKind,
    ChargeOutcome, Charged, Closed, Exceeded, KeyReused, NameTooLong, NegativeSettlement, Quantity,
    ReservationId, Revision, Settled, Settlement, Snapshot, StateError, StateEvent, StoreOverflow, Timestamp,
    UnknownReservation, Warning, WindowClosed,
};

use crate::cell::{Cell, window_end};

/// The longest name of a limit, key or window, in bytes.
pub(crate) const LONGEST_NAME: usize = 64 << 10;

/// How long the end of a reservation is remembered, so that ending it again, or making it again, is recognised.
pub(crate) const REMEMBERED: Duration = Duration::from_secs(24 * 60 * 60);

/// How many leases that have run out are returned in one go.
const AT_ONCE: usize = 256;

/// A batch that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reservation {
    /// The charges, as long as they can still be settled or given back.
    pub(crate) charges: Arc<[Charge]>,
    /// What the charges were; see [`digest`].
    pub(crate) digest: u64,
    pub(crate) lease_ends: Timestamp,
    pub(crate) closed: Option<Closed>,
    /// When it was closed; the lease's end while it is open.
    pub(crate) ended: Timestamp,
}

/// What keeps cells and reservations, during one operation that nothing else comes between.
pub(crate) trait Rows {
    /// A cell.
    fn cell(&mut self, id: &Arc<CellId>) -> Result<Option<Cell>, StateError>;
    /// Writes a cell, as the next revision.
    fn put_cell(&mut self, id: &Arc<CellId>, cell: Cell) -> Result<(), StateError>;
    /// All cells that fit.
    fn cells(&mut self, filter: &CellFilter) -> Result<Vec<(Arc<CellId>, Cell)>, StateError>;
    /// A reservation.
    fn reservation(&mut self, id: ReservationId) -> Result<Option<Reservation>, StateError>;
    /// Writes a reservation.
    fn put_reservation(&mut self, id: ReservationId, reservation: Reservation) -> Result<(), StateError>;
    /// Open reservations whose lease has run out by `now`, soonest first, at most `most`.
    fn overdue(&mut self, now: Timestamp, most: usize) -> Result<Vec<ReservationId>, StateError>;
    /// Drops cells that ended by `now` and have no open reservation, and reservations that were closed by `forget`.
    fn sweep(&mut self, now: Timestamp, forget: Timestamp) -> Result<(), StateError>;
    /// The revision of what has been written so far.
    fn revision(&mut self) -> Result<Revision, StateError>;
    /// Under which name this store's numbers stand in the state document.
    fn replica(&self) -> Arc<str>;
    /// What tells these charges from others; see [`digest`].
    fn digest(&self, charges: &[Charge]) -> u64 {
        digest(charges)
    }
}

/// The cells of one operation, each read once and written once.
struct Touched<'c>(Vec<(&'c Arc<CellId>, Option<Cell>)>);

impl<'c> Touched<'c> {
    fn of<R: Rows>(rows: &mut R, charges: &'c [Charge]) -> Result<Self, StateError> {
        let mut touched: Vec<(&Arc<CellId>, Option<Cell>)> = Vec::with_capacity(charges.len());
        for charge in charges {
            if !touched.iter().any(|(id, _)| **id == charge.cell) {
                touched.push((&charge.cell, rows.cell(&charge.cell)?));
            }
        }
        Ok(Self(touched))
    }

    fn get(&mut self, id: &Arc<CellId>) -> Option<&mut Cell> {
        self.0.iter_mut().find(|(touched, _)| *touched == id)?.1.as_mut()
    }

    /// The cell of a charge, opened when it is not there.
    fn open(&mut self, charge: &Charge, at: Timestamp, now: Timestamp) -> Option<&mut Cell> {
        let (_, cell) = self.0.iter_mut().find(|(touched, _)| **touched == charge.cell)?;
        Some(cell.get_or_insert_with(|| Cell::open(charge, at, now)))
    }

    fn write<R: Rows>(self, rows: &mut R) -> Result<(), StateError> {
        for (id, cell) in self.0 {
            if let Some(cell) = cell {
                rows.put_cell(id, cell)?;
            }
        }
        Ok(())
    }

    fn totals(&self, replica: &Arc<str>) -> Vec<(CellPath, Quantity)> {
        let path = |cell: &Arc<CellId>| CellPath { cell: Arc::clone(cell), replica: Arc::clone(replica) };
        let held = self.0.iter().filter_map(|(id, cell)| Some((id, cell.as_ref()?)));
        held.map(|(id, cell)| (path(id), Quantity::new(cell.used()))).collect()
    }
}

/// Moves the time on: leases that have run out are returned, windows that have ended are dropped.
pub(crate) fn advance<R: Rows>(rows: &mut R, now: Timestamp) -> Result<Vec<StateEvent>, StateError> {
    let mut events = Vec::new();
    loop {
        let overdue = rows.overdue(now, AT_ONCE)?;
        for id in &overdue {
            if let Some(reservation) = rows.reservation(*id)? {
                events.push(expire(rows, *id, reservation, now)?);
            }
        }
        if overdue.len() < AT_ONCE {
            break;
        }
    }
    let forget = Timestamp::from_nanos(now.as_nanos().saturating_sub(nanos(REMEMBERED)));
    rows.sweep(now, forget)?;
    Ok(events)
}

fn nanos(span: Duration) -> i64 {
    i64::try_from(span.as_nanos()).unwrap_or(i64::MAX)
}

fn expire<R: Rows>(
    rows: &mut R,
    id: ReservationId,
    reservation: Reservation,
    now: Timestamp,
) -> Result<StateEvent, StateError> {
    let returned = reservation.charges.iter().filter(|charge| charge.kind != ChargeKind::Rate);
    let returned = returned.map(|charge| (Arc::clone(&charge.cell), charge.amount)).collect();
    give_back(rows, id, reservation, Closed::Expired, now)?;
    Ok(StateEvent::LeaseExpired { reservation: id, returned })
}

/// Ends an open reservation without spending it.
fn give_back<R: Rows>(
    rows: &mut R,
    id: ReservationId,
    mut reservation: Reservation,
    how: Closed,
    now: Timestamp,
) -> Result<(), StateError> {
    let charges = std::mem::take(&mut reservation.charges);
    let mut touched = Touched::of(rows, &charges)?;
    for charge in charges.iter() {
        if let Some(cell) = touched.get(&charge.cell) {
            release(cell, charge);
        }
    }
    touched.write(rows)?;
    (reservation.closed, reservation.ended) = (Some(how), now);
    // A call that outlived its lease can still be settled.
    if how == Closed::Expired {
        reservation.charges = charges;
    }
    rows.put_reservation(id, reservation)
}

/// Takes a charge's reservation out of its cell. What a rate has counted is no reservation.
fn release(cell: &mut Cell, charge: &Charge) {
    cell.open = cell.open.saturating_sub(1);
    if charge.kind != ChargeKind::Rate {
        cell.reserved -= charge.amount.units();
    }
}

/// Whether the charges of a batch can be meant, and their windows are open.
fn check_batch(batch: &Batch, now: Timestamp) -> Result<(), StateError> {
    check_charges(batch)?;
    for charge in batch.charges.iter() {
        if window_end(charge, batch.at).is_some_and(|ends| ends <= now) {
            let CellId { limit, window, .. } = (*charge.cell).clone();
            return Err(WindowClosed { limit, window }.into());
        }
    }
    Ok(())
}

/// Whether the charges of a batch can be meant at any time.
pub(crate) fn check_charges(batch: &Batch) -> Result<(), StateError> {
    for charge in batch.charges.iter() {
        let CellId { limit, key, window } = &*charge.cell;
        for (what, name) in [("limit's name", limit), ("key", key), ("window's name", window)] {
            if name.len() > LONGEST_NAME {
                let beginning = name.chars().take(40).collect();
                return Err(NameTooLong { what, beginning, length: name.len(), most: LONGEST_NAME }.into());
            }
        }
        for (units, reason) in [
            (charge.amount.units(), "an amount is not negative"),
            (charge.max.units(), "a maximum is not negative"),
        ] {
            if units < 0 {
                return Err(BadAmount { limit: limit.clone(), units, reason }.into());
            }
        }
    }
    Ok(())
}

/// Makes all charges of the batch, or none. With a lease they are reserved; without one they are spent.
pub(crate) fn reserve<R: Rows>(
    rows: &mut R,
    batch: &Batch,
    lease: Option<Duration>,
    now: Timestamp,
    events: &mut Vec<StateEvent>,
) -> Result<ChargeOutcome, StateError> {
    if let Some(already) = rows.reservation(batch.reservation)?
        && matches!(already.closed, None | Some(Closed::Settled))
    {
        return replay(rows, batch, already.digest);
    }
    check_batch(batch, now)?;
    let mut touched = Touched::of(rows, &batch.charges)?;
    let mut stopped: Option<Exceeded> = None;
    let mut warnings = Vec::new();
    for charge in batch.charges.iter() {
        let Some(cell) = touched.open(charge, batch.at, now) else { continue };
        cell.agrees(charge, batch.at)?;
        cell.refresh(now, charge.ceiling().units());
        if let Some(exceeded) = cell.stops(charge, batch.at, now)
            && stopped.as_ref().is_none_or(|stopped| stops_longer(&exceeded, stopped))
        {
            stopped = Some(exceeded);
        }
        take(cell, charge, lease.is_some(), now);
        warnings.extend(warning(cell, charge));
    }
    if let Some(exceeded) = stopped {
        return Ok(ChargeOutcome::Exceeded(exceeded));
    }
    let cells = touched.totals(&rows.replica());
    touched.write(rows)?;
    let lease_ends = now.plus(lease.unwrap_or_default());
    let closed = if lease.is_some() { None } else { Some(Closed::Settled) };
    let ended = if lease.is_some() { lease_ends } else { now };
    let charges = if lease.is_some() { Arc::clone(&batch.charges) } else { Arc::default() };
    let digest = rows.digest(&batch.charges);
    let reservation = Reservation { charges, digest, lease_ends, closed, ended };
    rows.put_reservation(batch.reservation, reservation)?;
    let snapshot = Snapshot { revision: rows.revision()?, cells };
    events.extend(warnings.iter().cloned().map(StateEvent::Warned));
    Ok(ChargeOutcome::Charged(Charged { reservation: batch.reservation, snapshot, warnings }))
}

/// Adds a charge to its cell. A charge that does not fit is added too, so that later ones of the batch see it; the batch
/// is then not written.
fn take(cell: &mut Cell, charge: &Charge, reserves: bool, now: Timestamp) {
    cell.max = charge.ceiling().units();
    let amount = charge.amount.units().min(Quantity::LARGEST.units());
    match (charge.kind, reserves) {
        (ChargeKind::Rate, _) | (ChargeKind::Budget, false) => cell.spend(amount, now),
        (ChargeKind::Budget | ChargeKind::Concurrency, true) => cell.reserved += amount,
        (ChargeKind::Concurrency, false) => {}
    }
    cell.open = cell.open.saturating_add(u32::from(reserves));
    cell.set_end(now);
}

/// The threshold that a cell has reached for the first time.
fn warning(cell: &mut Cell, charge: &Charge) -> Option<Warning> {
    let threshold = charge.warn_at?;
    let reached = cell.used() >= threshold.units() && cell.warned < threshold.units();
    reached.then(|| {
        cell.warned = threshold.units();
        Warning { cell: Arc::clone(&charge.cell), threshold, used: Quantity::new(cell.used()) }
    })
}

/// The same call again, because its first answer was lost: it is charged already. Its window may have changed since.
fn replay<R: Rows>(rows: &mut R, batch: &Batch, made_for: u64) -> Result<ChargeOutcome, StateError> {
    if rows.digest(&batch.charges) != made_for {
        return Err(KeyReused { id: batch.reservation.to_string() }.into());
    }
    let cells = Touched::of(rows, &batch.charges)?.totals(&rows.replica());
    let snapshot = Snapshot { revision: rows.revision()?, cells };
    Ok(ChargeOutcome::Charged(Charged { reservation: batch.reservation, snapshot, warnings: Vec::new() }))
}

/// Which limits, keys and amounts a batch charges, by FNV-1a (Fowler, Noll and Vo), since it must be the same in every
/// process. It tells a retry from a key that is used twice by mistake, and guards nothing else.
pub(crate) fn digest(charges: &[Charge]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |bytes: &[u8]| {
        for byte in bytes {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    for charge in charges {
        for name in [&charge.cell.limit, &charge.cell.key] {
            add(name.as_bytes());
            add(&[0xff]);
        }
        add(&charge.amount.units().to_le_bytes());
    }
    hash
}

/// An open reservation whose lease has run out is returned before anything else is done with it.
fn known<R: Rows>(
    rows: &mut R,
    id: ReservationId,
    now: Timestamp,
    events: &mut Vec<StateEvent>,
) -> Result<Reservation, StateError> {
    let unknown = || UnknownReservation { id: id.to_string() };
    let reservation = rows.reservation(id)?.ok_or_else(unknown)?;
    if reservation.closed.is_none() && reservation.lease_ends <= now {
        events.push(expire(rows, id, reservation, now)?);
        return Ok(rows.reservation(id)?.ok_or_else(unknown)?);
    }
    Ok(reservation)
}

/// Turns a reservation into spending.
pub(crate) fn settle<R: Rows>(
    rows: &mut R,
    id: ReservationId,
    actual: &Settlement,
    now: Timestamp,
    events: &mut Vec<StateEvent>,
) -> Result<Settled, StateError> {
    let mut reservation = known(rows, id, now, events)?;
    let before = reservation.closed;
    if matches!(before, Some(Closed::Settled | Closed::Refunded)) {
        return Ok(Settled { before, debt: BTreeMap::new() });
    }
    let charges = std::mem::take(&mut reservation.charges);
    let mut touched = Touched::of(rows, &charges)?;
    for charge in charges.iter() {
        let spent = really_spent(charge, actual)?;
        // Where the cell is gone, its window ended and there is nothing left to count in; or it was a meter that had
        // run empty, and begins anew.
        let Some(cell) = (match charge.algorithm {
            Algorithm::Fixed => touched.get(&charge.cell),
            Algorithm::Sliding(_) | Algorithm::Bucket(_) => touched.open(charge, now, now),
        }) else {
            continue;
        };
        cell.refresh(now, cell.max);
        if before.is_none() {
            release(cell, charge);
        }
        match charge.kind {
            ChargeKind::Budget => cell.spend(spent, now),
            ChargeKind::Rate => cell.spend(spent - charge.amount.units(), now),
            ChargeKind::Concurrency => {}
        }
        if cell.used() > Quantity::LARGEST.units() {
            return Err(StoreOverflow { limit: charge.cell.limit.clone() }.into());
        }
    }
    let mut debt = BTreeMap::new();
    for charge in charges.iter() {
        let used = touched.get(&charge.cell).map_or(0, |cell| cell.used());
        let over = Quantity::new(used.saturating_sub(charge.ceiling().units()));
        if over > Quantity::ZERO {
            let most = debt.entry(charge.cell.limit.clone()).or_insert(over);
            *most = over.max(*most);
        }
    }
    touched.write(rows)?;
    (reservation.closed, reservation.ended) = (Some(Closed::Settled), now);
    rows.put_reservation(id, reservation)?;
    Ok(Settled { before, debt })
}

fn really_spent(charge: &Charge, actual: &Settlement) -> Result<i64, StateError> {
    let limit = &charge.cell.limit;
    let spent = match actual {
        Settlement::AsReserved => charge.amount,
        Settlement::Actual(by_limit) => by_limit.get(limit).copied().unwrap_or(charge.amount),
    };
    check_spent(limit, spent)?;
    Ok(spent.units())
}

fn check_spent(limit: &str, spent: Quantity) -> Result<(), StateError> {
    if spent.is_negative() {
        return Err(NegativeSettlement { limit: limit.to_owned() }.into());
    }
    if spent > Quantity::LARGEST {
        return Err(StoreOverflow { limit: limit.to_owned() }.into());
    }
    Ok(())
}

/// Gives back what a reservation holds.
pub(crate) fn refund<R: Rows>(
    rows: &mut R,
    id: ReservationId,
    now: Timestamp,
    events: &mut Vec<StateEvent>,
) -> Result<Settled, StateError> {
    let reservation = known(rows, id, now, events)?;
    let before = reservation.closed;
    if before.is_none() {
        give_back(rows, id, reservation, Closed::Refunded, now)?;
    }
    Ok(Settled { before, debt: BTreeMap::new() })
}

/// The cells that fit, as operators see them.
pub(crate) fn list<R: Rows>(
    rows: &mut R,
    filter: &CellFilter,
    now: Timestamp,
) -> Result<Vec<CellView>, StateError> {
    let mut cells = rows.cells(filter)?;
    cells.sort_unstable_by(|(one, _), (two, _)| one.cmp(two));
    Ok(cells.iter().map(|(id, cell)| cell.view(id, now)).collect())
}

/// An operator says what is spent in the cells that fit.
pub(crate) fn set<R: Rows>(
    rows: &mut R,
    filter: &CellFilter,
    spent: Quantity,
    now: Timestamp,
    events: &mut Vec<StateEvent>,
) -> Result<Vec<Adjusted>, StateError> {
    check_set(filter, spent)?;
    let mut cells = rows.cells(filter)?;
    cells.sort_unstable_by(|(one, _), (two, _)| one.cmp(two));
    let mut adjusted = Vec::with_capacity(cells.len());
    for (id, mut cell) in cells {
        cell.refresh(now, cell.max);
        let before = Quantity::new(cell.spent);
        cell.set_spent(spent.units(), now);
        rows.put_cell(&id, cell)?;
        adjusted.push(Adjusted { cell: id, before, after: spent });
    }
    events.extend(adjusted.iter().cloned().map(StateEvent::Adjusted));
    Ok(adjusted)
}

/// Whether an operator's amount can be meant.
pub(crate) fn check_set(filter: &CellFilter, spent: Quantity) -> Result<(), StateError> {
    if spent.is_negative() || spent > Quantity::LARGEST {
        let limit = filter.limit.clone().unwrap_or_else(|| "*".to_owned());
        let reason = "what is spent is neither negative nor beyond 2^53 - 1";
        return Err(BadAmount { limit, units: spent.units(), reason }.into());
    }
    Ok(())
}

/// The same of a settlement, where the limits that it names are not known yet.
#[cfg(feature = "redis")]
pub(crate) fn check_settlement(actual: &Settlement) -> Result<(), StateError> {
    match actual {
        Settlement::AsReserved => Ok(()),
        Settlement::Actual(by_limit) => {
            by_limit.iter().try_for_each(|(limit, spent)| check_spent(limit, *spent))
        }
    }
}

/// Whether the first keeps a call waiting longer than the second; for ever is longest.
fn stops_longer(first: &Exceeded, second: &Exceeded) -> bool {
    match (first.retry_after, second.retry_after) {
        (None, Some(_)) => true,
        (Some(first), Some(second)) => first > second,
        (_, None) => false,
    }
}
