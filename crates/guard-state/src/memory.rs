//! The store of one process.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use guard_core::{
    Batch, Changes, ChargeOutcome, Clock, Reply, ReservationId, Revision, Settled, Settlement, Snapshot,
    StateError, StateStore,
};

use crate::ledger::Ledger;

/// Keeps the state in memory, behind one lock. It is gone when the process ends.
pub struct MemoryStore {
    ledger: Mutex<Ledger>,
    /// The ledger's revision, readable without the lock.
    revision: AtomicU64,
    clock: Arc<dyn Clock>,
}

impl MemoryStore {
    /// An empty store that reads the time from `clock` and writes under the replica name `local`.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::with_replica(clock, "local")
    }

    /// The same, under another replica name. Processes that push their state to one sidecar need
    /// different names.
    pub fn with_replica(clock: Arc<dyn Clock>, replica: &str) -> Self {
        Self { ledger: Mutex::new(Ledger::new(replica)), revision: AtomicU64::new(0), clock }
    }

    /// Runs one operation under the lock, after what has expired by now has been dropped.
    fn locked<T>(&self, operation: impl FnOnce(&mut Ledger) -> T) -> T {
        // INVARIANT: the time is read under the lock, so that the ledger sees it in order.
        let mut ledger = self.lock();
        ledger.advance(self.clock.now());
        let result = operation(&mut ledger);
        self.revision.store(ledger.revision().0, Ordering::Release);
        result
    }

    /// A ledger is never left half changed: its operations check everything before they change anything,
    /// and do not panic. So the lock of a thread that died is as good as any.
    fn lock(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StateStore for MemoryStore {
    fn reserve<'a>(
        &'a self,
        batch: &'a Batch,
        lease: Duration,
    ) -> Reply<'a, Result<ChargeOutcome, StateError>> {
        Reply::Now(self.locked(|ledger| ledger.reserve(batch, lease)))
    }

    fn settle<'a>(
        &'a self,
        id: ReservationId,
        actual: &'a Settlement,
    ) -> Reply<'a, Result<Settled, StateError>> {
        Reply::Now(self.locked(|ledger| ledger.settle(id, actual)))
    }

    fn refund(&self, id: ReservationId) -> Reply<'_, Result<Settled, StateError>> {
        Reply::Now(self.locked(|ledger| ledger.refund(id)))
    }

    fn charge<'a>(&'a self, batch: &'a Batch) -> Reply<'a, Result<ChargeOutcome, StateError>> {
        Reply::Now(self.locked(|ledger| {
            let outcome = ledger.reserve(batch, Duration::ZERO)?;
            if let ChargeOutcome::Charged(_) = outcome {
                ledger.settle(batch.reservation, &Settlement::AsReserved)?;
            }
            Ok(outcome)
        }))
    }

    fn revision(&self) -> Revision {
        Revision(self.revision.load(Ordering::Acquire))
    }

    fn snapshot(&self) -> Reply<'_, Result<Snapshot, StateError>> {
        Reply::Now(Ok(self.locked(|ledger| ledger.snapshot())))
    }

    fn changes_since(&self, revision: Revision) -> Reply<'_, Result<Changes, StateError>> {
        Reply::Now(Ok(self.locked(|ledger| ledger.changes_since(revision))))
    }
}
