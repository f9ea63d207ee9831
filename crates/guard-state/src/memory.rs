//! The store of one process.

mod names;
mod packed;
pub(crate) mod table;

use std::sync::Arc;
use std::time::Duration;

use guard_core::{
    Adjusted, Batch, CellFilter, CellView, Changes, ChargeOutcome, Clock, NoListener, Quantity, Reply,
    ReservationId, Revision, Settled, Settlement, Snapshot, StateError, StateEvent, StateListener,
    StateOperator, StateStore, Timestamp,
};

use crate::books;
use crate::sync::{AtomicU64, Mutex, MutexGuard, Ordering, PoisonError};
use table::Table;

/// Keeps the state in memory, behind one lock. It is gone when the process ends.
pub struct MemoryStore {
    state: Mutex<State>,
    /// The table's revision, readable without the lock.
    revision: AtomicU64,
    /// When the first lease runs out, in nanoseconds since the epoch; [`NEVER`] without any. Readable without the lock.
    due: AtomicU64,
    clock: Arc<dyn Clock>,
    listener: Arc<dyn StateListener>,
}

/// No lease runs out.
const NEVER: u64 = u64::MAX;

struct State {
    table: Table,
    /// The latest time seen. Time that runs backwards is not followed: a window opens once.
    now: Timestamp,
}

impl MemoryStore {
    /// An empty store that reads the time from `clock` and writes under the replica name `local`.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::with_replica(clock, "local")
    }

    /// The same, under another replica name. Processes that push their state to one sidecar need
    /// different names.
    pub fn with_replica(clock: Arc<dyn Clock>, replica: &str) -> Self {
        let state = State { table: Table::new(replica), now: Timestamp::from_nanos(i64::MIN) };
        let (state, revision, due) = (Mutex::new(state), AtomicU64::new(0), AtomicU64::new(NEVER));
        Self { state, revision, due, clock, listener: Arc::new(NoListener) }
    }

    /// Tells this listener from now on.
    #[must_use]
    pub fn told_to(mut self, listener: Arc<dyn StateListener>) -> Self {
        self.listener = listener;
        self
    }

    /// Runs one operation under the lock, after what has expired by now has been dropped.
    fn locked<T>(
        &self,
        operation: impl FnOnce(&mut Table, Timestamp, &mut Vec<StateEvent>) -> Result<T, StateError>,
    ) -> Result<T, StateError> {
        // INVARIANT: the time is read under the lock, so that the table sees it in order.
        let mut state = self.lock();
        state.now = state.now.max(self.clock.now());
        let now = state.now;
        let mut events = books::advance(&mut state.table, now)?;
        let result = operation(&mut state.table, now, &mut events);
        self.revision.store(state.table.current().0, Ordering::Release);
        self.due.store(state.table.first_lease_ends().map_or(NEVER, since_epoch), Ordering::Release);
        drop(state);
        events.iter().for_each(|event| self.listener.tell(event));
        result
    }

    /// Gives back what leases held that have run out. Somebody who is denied because of them changes nothing, so that it
    /// has to be seen before.
    fn return_overdue(&self) {
        let due = self.due.load(Ordering::Acquire);
        if due != NEVER && due <= since_epoch(self.clock.now()) {
            // A table in memory does not fail; whoever asks it for something is told so if it does.
            let _ = self.locked(|_, _, _| Ok(()));
        }
    }

    /// As [`MemoryStore::locked`], for what goes over all cells: none of them has ended.
    fn whole<T>(
        &self,
        operation: impl FnOnce(&mut Table, Timestamp, &mut Vec<StateEvent>) -> Result<T, StateError>,
    ) -> Result<T, StateError> {
        self.locked(|table, now, events| {
            while !table.drop_ended(now, usize::MAX) {}
            operation(table, now, events)
        })
    }

    /// A table is never left half changed: operations check everything before they change anything, and do
    /// not panic. So the lock of a thread that died is as good as any.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StateStore for MemoryStore {
    fn reserve<'a>(
        &'a self,
        batch: &'a Batch,
        lease: Duration,
    ) -> Reply<'a, Result<ChargeOutcome, StateError>> {
        Reply::Now(self.locked(|table, now, events| books::reserve(table, batch, Some(lease), now, events)))
    }

    fn settle<'a>(
        &'a self,
        id: ReservationId,
        actual: &'a Settlement,
    ) -> Reply<'a, Result<Settled, StateError>> {
        Reply::Now(self.locked(|table, now, events| books::settle(table, id, actual, now, events)))
    }

    fn refund(&self, id: ReservationId) -> Reply<'_, Result<Settled, StateError>> {
        Reply::Now(self.locked(|table, now, events| books::refund(table, id, now, events)))
    }

    fn charge<'a>(&'a self, batch: &'a Batch) -> Reply<'a, Result<ChargeOutcome, StateError>> {
        Reply::Now(self.locked(|table, now, events| books::reserve(table, batch, None, now, events)))
    }

    fn revision(&self) -> Revision {
        self.return_overdue();
        Revision(self.revision.load(Ordering::Acquire))
    }

    fn snapshot(&self) -> Reply<'_, Result<Snapshot, StateError>> {
        Reply::Now(self.whole(|table, _, _| Ok(table.snapshot())))
    }

    fn changes_since(&self, revision: Revision) -> Reply<'_, Result<Changes, StateError>> {
        Reply::Now(self.locked(|table, _, _| Ok(table.changes_since(revision))))
    }
}

impl StateOperator for MemoryStore {
    fn list<'a>(&'a self, filter: &'a CellFilter) -> Reply<'a, Result<Vec<CellView>, StateError>> {
        Reply::Now(self.whole(|table, now, _| books::list(table, filter, now)))
    }

    fn set<'a>(
        &'a self,
        filter: &'a CellFilter,
        spent: Quantity,
    ) -> Reply<'a, Result<Vec<Adjusted>, StateError>> {
        Reply::Now(self.whole(|table, now, events| books::set(table, filter, spent, now, events)))
    }
}

/// A moment as it is kept in an atomic word: before the epoch there are no leases.
fn since_epoch(moment: Timestamp) -> u64 {
    u64::try_from(moment.as_nanos()).unwrap_or(0)
}
