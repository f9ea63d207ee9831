//! The thread beside a process that leases: it fetches slices before they are needed, gives back what is left, and settles
//! what processes that are gone have left.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use guard_core::{
    Batch, CellId, Charge, ChargeKind, ChargeOutcome, Quantity, Settlement, StateError, Timestamp, block_on,
};

use super::journal::left_behind;
use super::purse::{Purse, Slice};
use super::{Owed, Shared, State, fresh_id, so_much_of};
use crate::Store;
use crate::books::Rows;

impl<S: Store + 'static> Shared<S> {
    /// The thread: fetches slices before they are needed, settles spent ones, keeps the reserve, and gives everything
    /// back in the end.
    pub(super) fn look_after(&self, wanted: &Receiver<Arc<CellId>>) {
        let every = self.config.lease / 4;
        let mut next = Instant::now();
        loop {
            if Instant::now() >= next {
                block_on(self.tidy());
                next = Instant::now() + every;
            }
            match wanted.recv_timeout(next.saturating_duration_since(Instant::now())) {
                Ok(cell) => {
                    let _ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
                    block_on(self.fetch_ahead(&cell));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if self.over.load(Ordering::Acquire) {
                break;
            }
        }
        block_on(self.pay_owed());
        // What cannot be given back stays counted until its window ends, or until the journal is read.
        let _ = block_on(self.give_all_back());
        if let Some(journal) = &self.lock().journal {
            journal.finish();
        }
    }

    async fn fetch_ahead(&self, cell: &Arc<CellId>) {
        let found = {
            let mut state = self.lock();
            let State { table, purses, .. } = &mut *state;
            let used = table.cell(cell).ok().flatten().map_or(0, |cell| cell.used());
            // Somebody who could not wait may have fetched it by now.
            purses.get_mut(cell).and_then(|purse| {
                purse.fetching = false;
                purse.runs_low(used).then(|| (purse.sample.clone(), purse.at))
            })
        };
        let Some((mut charge, at)) = found else { return };
        let now = self.clock.now();
        // The window has become shorter since the charge that is the model for the slice.
        charge.resets_in = charge.resets_in.map(|left| at.plus(left).since(now));
        if charge.resets_in.is_some_and(|left| left.is_zero()) {
            return self.set_fetched(cell);
        }
        // A failure is told to whoever needs the slice and does not find it.
        let _ = self.fetch(&charge, 1, now).await;
        self.set_fetched(cell);
        self.settle_spent(cell).await;
        self.keep_reserve(cell, charge, now).await;
    }

    /// Settles the slices that are spent.
    async fn settle_spent(&self, cell: &Arc<CellId>) {
        let spent = {
            let mut state = self.lock();
            let State { table, purses, .. } = &mut *state;
            let spent = table.cell(cell).ok().flatten().map_or(0, |cell| cell.spent);
            let spent = purses.get_mut(cell).map(|purse| purse.take_spent(spent)).unwrap_or_default();
            let noted: Vec<_> = spent.iter().map(|slice| (slice.id, slice.amount)).collect();
            // What cannot be written down is not done: the journal keeps the slices.
            if state.note_closed(&noted).is_err() {
                return;
            }
            spent
        };
        for slice in spent {
            match self.store.settle(slice.id, &Settlement::AsReserved).await {
                Ok(_) => self.lock().note_done(slice.id),
                Err(_) => self.lock().owed.push(Owed(slice.id, Settlement::AsReserved)),
            }
        }
    }

    /// Holds as much again as a slice, where there is plenty.
    async fn keep_reserve(&self, cell: &Arc<CellId>, charge: Charge, now: Timestamp) {
        let old = {
            let mut state = self.lock();
            let Some(purse) = state.purses.get_mut(cell) else { return };
            let is_fresh = purse.spare_is_fresh(now, self.config.lease);
            // A rate counts what was reserved as attempts: a reserve of it would not come back.
            if charge.kind == ChargeKind::Rate || is_fresh {
                return;
            }
            purse.spare.take()
        };
        self.give_up(cell, old).await;
        let size = self.lock().purses.get(cell).map_or(0, |purse| purse.next_size(&self.config));
        if size <= 1 {
            return;
        }
        let id = fresh_id();
        let amount = Quantity::new(size);
        // Nothing is ever spent of it: of a process that is killed it comes back with what else is settled.
        if self.ask(&charge, now, Slice { id, amount: size }).is_err() {
            return;
        }
        let batch = Batch {
            charges: Arc::new([Charge { amount, warn_at: None, ..charge }]),
            at: now,
            reservation: id,
        };
        match self.store.reserve(&batch, self.config.lease).await {
            Ok(ChargeOutcome::Charged(_)) => {
                if let Some(purse) = self.lock().purses.get_mut(cell) {
                    purse.keep_spare(Slice { id, amount: size }, now);
                }
            }
            Ok(ChargeOutcome::Exceeded(_)) => self.lock().note_done(id),
            Err(_) => self.lock().owed.push(Owed(id, so_much_of(&cell.limit, 0))),
        }
    }

    /// What is done now and then.
    async fn tidy(&self) {
        // Leases run out whether anybody asks or not. A table in memory does not fail.
        let _ = self.locked(|_, _, _| Ok(()));
        self.inherit().await;
        let now = self.clock.now();
        self.pay_owed().await;
        let ended: Vec<Arc<CellId>> = {
            let state = self.lock();
            let ended = state.purses.iter().filter(|(_, purse)| purse.has_ended(now));
            ended.map(|(cell, _)| Arc::clone(cell)).collect()
        };
        for cell in ended {
            if self.give_cell_back(&cell).await.is_ok() {
                let mut state = self.lock();
                let State { purses, journal, .. } = &mut *state;
                // What calls still hold keeps its slices, until they end.
                if purses.get(&cell).is_some_and(Purse::is_empty)
                    && let Some(purse) = purses.remove(&cell)
                    && let Some(journal) = journal
                {
                    journal.forget(purse.noted);
                }
            }
        }
        let idle: Vec<Arc<CellId>> = self.lock().purses.keys().cloned().collect();
        for cell in idle {
            self.settle_spent(&cell).await;
            // The reserve of one that is not busy any more goes back.
            let spare = self.lock().purses.get_mut(&cell).and_then(|purse| {
                let is_fresh = purse.spare_is_fresh(now, self.config.lease.saturating_mul(2));
                if is_fresh { None } else { purse.spare.take() }
            });
            self.give_up(&cell, spare).await;
        }
    }

    async fn pay_owed(&self) {
        let owed = std::mem::take(&mut self.lock().owed);
        for Owed(id, actual) in owed {
            match self.store.settle(id, &actual).await {
                Err(StateError::Unavailable(_)) => self.lock().owed.push(Owed(id, actual)),
                // One that was never made is not owed.
                _ => self.lock().note_done(id),
            }
        }
    }

    /// Settles the slices of processes that are gone, as far as the store answers.
    async fn inherit(&self) {
        let Some(folder) = &self.config.journal else { return };
        let own = self.lock().journal.as_ref().map(|journal| journal.path().to_owned());
        'left: for left in left_behind(folder, own.as_deref()) {
            for (limit, id, actual) in &left.slices {
                let actual = actual.map_or(Settlement::AsReserved, |spent| so_much_of(limit, spent));
                match self.store.settle(*id, &actual).await {
                    // One that was never made, or ended long ago, is not owed.
                    Ok(_) | Err(StateError::UnknownReservation(_)) => {}
                    // The file is found again.
                    Err(_) => continue 'left,
                }
            }
            left.done();
        }
    }
}
