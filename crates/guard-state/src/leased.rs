//! Leased quota: a process takes slices of a shared store's limits and spends them in its own memory.
//!
//! *Slices.* A slice is a reservation at the store, made before the first unit of it is spent and held until the window of
//! its cell has ended. Everything that is admitted here is covered by one; so what all processes admit together never
//! exceeds a limit, and nothing that was acknowledged is lost with the process. A slice is a 64th of what the limit has
//! left, at most [`LeasedConfig::largest`]: slices shrink as the limit nears its end, down to what a single call needs.
//! When half of one is spent, the next is fetched by a thread. Slices that are spent are settled; what is left of a slice
//! is given back when the store is dropped, when its limit is changed, and before a call is refused.
//!
//! *The reserve.* Besides, a process that is busy holds as much again as its slice as a reservation with a short lease
//! ([`LeasedConfig::lease`]), of which it has spent nothing: so it still has the next slice where others have taken all
//! else. That returns with its lease when the process is killed.
//!
//! *What a kill costs.* Of the slices in hand nobody knows what was spent. They stay counted until their window ends: two
//! slices for each cell, so at most a 32nd of what was left when they were taken. Never too little is counted.
//!
//! *What others see* is the store's count, slices included. A call may be refused while another process holds a slice that
//! it will not need; close to the end of a limit that is a unit or two.
//!
//! *Thresholds* are told by the charge that takes the slice which reaches them: by a slice too early, never too late.
//!
//! Budgets and rates of fixed windows are leased. Batches with a sliding window, a bucket or a concurrency in them go to the
//! store, as do those that are larger than what a slice can be. Reservations, their leases and idempotency keys of leased
//! batches are this process' own: an idempotency key makes a retry at the same process count once.

mod purse;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use guard_core::{
    Adjusted, Algorithm, Batch, CellFilter, CellId, CellView, Changes, Charge, ChargeKind, ChargeOutcome,
    Clock, Closed, DecisionId, NoListener, Quantity, Reply, ReservationId, Revision, Settled, Settlement,
    Snapshot, StateError, StateEvent, StateListener, StateOperator, StateStore, StateUnavailable, Timestamp,
    block_on,
};

use crate::Store;
use crate::books::{self, Reservation, Rows};
use crate::memory::table::Table;
use purse::{Purse, Slice};

/// How often a call that found too little fetches more before it goes to the store itself.
const TRIES: usize = 3;
/// How much longer than its window a slice is held at the store.
const MARGIN: Duration = Duration::from_secs(60);
/// How long a slice of a window without an end is held: a hundred years, which every store can count to.
const ENDLESS: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
/// How many batches that went to the store are remembered, so that their retries go there too.
const REMEMBERED: usize = 1 << 16;

/// How slices are taken.
#[derive(Debug, Clone)]
pub struct LeasedConfig {
    /// The largest slice, in a limit's smallest unit.
    pub largest: Quantity,
    /// Into how many slices what is left of a limit is cut.
    pub parts: i64,
    /// How long the reserve is held that nothing of is spent.
    pub lease: Duration,
}

impl Default for LeasedConfig {
    /// Slices of a 64th, of any size; a lease of ten seconds.
    fn default() -> Self {
        Self { largest: Quantity::LARGEST, parts: 64, lease: Duration::from_secs(10) }
    }
}

/// A shared store, from which slices are leased.
pub struct Leased<S: Store + 'static> {
    shared: Arc<Shared<S>>,
    /// Cells of which the next slice is to be fetched.
    wanted: Option<Sender<Arc<CellId>>>,
    thread: Option<JoinHandle<()>>,
}

struct Shared<S> {
    store: S,
    config: LeasedConfig,
    clock: Arc<dyn Clock>,
    listener: Arc<dyn StateListener>,
    state: Mutex<State>,
    over: AtomicBool,
}

struct State {
    /// What is spent of the slices, as a store of its own whose maxima are the slices.
    table: Table,
    purses: HashMap<Arc<CellId>, Purse>,
    now: Timestamp,
    /// Batches that went to the store, oldest first, and by their names.
    through: HashMap<ReservationId, u64>,
    through_order: BTreeMap<u64, ReservationId>,
    passed: u64,
    /// Reservations of which it is not known whether they were made, and slices that could not be given back.
    owed: Vec<Owed>,
}

struct Owed(ReservationId, Settlement);

/// What came of looking into the purses.
enum Local {
    Done(ChargeOutcome),
    /// So much of these is missing.
    Short(Vec<(Charge, i64)>),
}

impl<S: Store + 'static> Leased<S> {
    /// Leases from this store, whose clock tells about the same time as this one.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn new(store: S, config: LeasedConfig, clock: Arc<dyn Clock>) -> Result<Self, StateError> {
        Self::with_listener(store, config, clock, Arc::new(NoListener))
    }

    /// The same, and tells this listener of leases that run out here. Of thresholds and operators the store itself tells.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_listener(
        store: S,
        config: LeasedConfig,
        clock: Arc<dyn Clock>,
        listener: Arc<dyn StateListener>,
    ) -> Result<Self, StateError> {
        let state = State {
            table: Table::new("leased"),
            purses: HashMap::new(),
            now: Timestamp::from_nanos(i64::MIN),
            through: HashMap::new(),
            through_order: BTreeMap::new(),
            passed: 0,
            owed: Vec::new(),
        };
        let (state, over) = (Mutex::new(state), AtomicBool::new(false));
        let shared = Arc::new(Shared { store, config, clock, listener, state, over });
        let (wanted, queue) = channel();
        let worker = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("hexarch-leased".to_owned())
            .spawn(move || worker.look_after(&queue))
            .map_err(|error| StateUnavailable { store: "leased".to_owned(), detail: error.to_string() })?;
        Ok(Self { shared, wanted: Some(wanted), thread: Some(thread) })
    }

    /// The store that slices are leased from.
    pub fn store(&self) -> &S {
        &self.shared.store
    }

    /// Gives back what is left of all slices; the next call takes new ones.
    ///
    /// # Errors
    /// The store's. What could not be given back is tried again by the thread.
    pub fn give_back(&self) -> Result<(), StateError> {
        block_on(self.shared.give_all_back())
    }

    fn make<'a>(
        &'a self,
        batch: &'a Batch,
        lease: Option<Duration>,
    ) -> Reply<'a, Result<ChargeOutcome, StateError>> {
        if !self.shared.is_leased(batch) {
            return self.shared.straight(batch, lease);
        }
        match self.shared.local(batch, lease, self.wanted.as_ref()) {
            Ok(Local::Done(outcome)) => Reply::Now(Ok(outcome)),
            Err(error) => Reply::Now(Err(error)),
            Ok(Local::Short(short)) => Reply::later(self.shared.fetching(batch, lease, short)),
        }
    }
}

impl<S: Store + 'static> Drop for Leased<S> {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Release);
        self.wanted = None;
        if let Some(thread) = self.thread.take() {
            // It gives back what is left; a thread that panicked leaves it to the end of the windows.
            let _ = thread.join();
        }
    }
}

impl<S: Store + 'static> Shared<S> {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether slices can cover a batch.
    fn is_leased(&self, batch: &Batch) -> bool {
        let fits = |charge: &Charge| {
            charge.algorithm == Algorithm::Fixed
                && charge.kind != ChargeKind::Concurrency
                && charge.amount <= self.config.largest
        };
        batch.charges.iter().all(fits) && !self.lock().through.contains_key(&batch.reservation)
    }

    /// Runs one operation on what is spent here.
    fn locked<T>(
        &self,
        operation: impl FnOnce(&mut State, Timestamp, &mut Vec<StateEvent>) -> Result<T, StateError>,
    ) -> Result<T, StateError> {
        let mut state = self.lock();
        state.now = state.now.max(self.clock.now());
        let now = state.now;
        let mut events = books::advance(&mut state.table, now)?;
        let result = operation(&mut state, now, &mut events);
        drop(state);
        events.iter().for_each(|event| self.listener.tell(event));
        result
    }

    /// A batch on the slices in hand.
    fn local(
        &self,
        batch: &Batch,
        lease: Option<Duration>,
        wanted: Option<&Sender<Arc<CellId>>>,
    ) -> Result<Local, StateError> {
        self.locked(|state, now, events| {
            let State { table, purses, .. } = state;
            books::check_charges(batch)?;
            let is_known =
                |charge: &Charge| purses.get(&charge.cell).is_some_and(|purse| purse.max == charge.ceiling());
            if !batch.charges.iter().all(is_known) && table.reservation(batch.reservation)?.is_none() {
                return Ok(Local::Short(short(table, purses, batch)?));
            }
            let mut covered = batch.clone();
            for charge in &mut covered.charges {
                charge.max = Quantity::new(purses.get(&charge.cell).map_or(0, Purse::granted));
                charge.warn_at = None;
            }
            let outcome = books::reserve(table, &covered, lease, now, events)?;
            let ChargeOutcome::Charged(mut charged) = outcome else {
                return Ok(Local::Short(short(table, purses, batch)?));
            };
            charged.snapshot.cells.clear();
            let replica = table.replica();
            for charge in &batch.charges {
                let used = table.cell(&charge.cell)?.map_or(0, |cell| cell.used());
                let Some(purse) = purses.get_mut(&charge.cell) else { continue };
                charged.warnings.append(&mut purse.warnings);
                charged.snapshot.cells.extend(purse.seen(&replica, used));
                if purse.runs_low(used)
                    && let Some(wanted) = wanted
                {
                    purse.fetching = true;
                    // Without the thread the next slice is fetched by who needs it.
                    let _ = wanted.send(Arc::clone(&charge.cell));
                }
            }
            charged.snapshot.cells.dedup_by(|(one, _), (two, _)| one == two);
            Ok(Local::Done(ChargeOutcome::Charged(charged)))
        })
    }

    /// Fetches what is missing and tries again. What slices cannot cover, the store is asked about itself.
    async fn fetching(
        &self,
        batch: &Batch,
        lease: Option<Duration>,
        mut short: Vec<(Charge, i64)>,
    ) -> Result<ChargeOutcome, StateError> {
        for _ in 0..TRIES {
            let mut all = true;
            for (charge, missing) in &short {
                all &= self.fetch(charge, *missing, batch.at).await?;
            }
            if !all {
                break;
            }
            match self.local(batch, lease, None)? {
                Local::Done(outcome) => return Ok(outcome),
                Local::Short(more) => short = more,
            }
        }
        // What is in hand of these cells goes back first, lest it stand in the way.
        for charge in &batch.charges {
            self.give_cell_back(&charge.cell).await?;
        }
        self.straight(batch, lease).await
    }

    /// A batch that the store itself decides about.
    fn straight<'a>(
        &'a self,
        batch: &'a Batch,
        lease: Option<Duration>,
    ) -> Reply<'a, Result<ChargeOutcome, StateError>> {
        let mut state = self.lock();
        state.passed += 1;
        let number = state.passed;
        state.through.insert(batch.reservation, number);
        state.through_order.insert(number, batch.reservation);
        while state.through_order.len() > REMEMBERED {
            if let Some((number, id)) = state.through_order.pop_first()
                && state.through.get(&id) == Some(&number)
            {
                state.through.remove(&id);
            }
        }
        drop(state);
        match lease {
            Some(lease) => self.store.reserve(batch, lease),
            None => self.store.charge(batch),
        }
    }

    /// Takes a slice that covers `missing` besides what is in hand. Says whether there was enough.
    async fn fetch(&self, charge: &Charge, missing: i64, at: Timestamp) -> Result<bool, StateError> {
        let is_other =
            self.lock().purses.get(&charge.cell).is_some_and(|purse| purse.max != charge.ceiling());
        if is_other {
            // The limit is another now: what was taken under the old one is given back first.
            self.give_cell_back(&charge.cell).await?;
        }
        let mut size = {
            let mut state = self.lock();
            let purse =
                state.purses.entry(Arc::clone(&charge.cell)).or_insert_with(|| Purse::new(charge, at));
            if is_other { missing } else { purse.next_size(&self.config).max(missing) }
        };
        let large = self.lock().purses.get_mut(&charge.cell).and_then(|purse| purse.take_large_spare(size));
        self.give_up(large).await;
        let lease = charge.resets_in.map_or(ENDLESS, |left| left.saturating_add(MARGIN));
        loop {
            let (amount, id) = (Quantity::new(size), fresh_id());
            let slice = Batch { charges: vec![Charge { amount, ..charge.clone() }], at, reservation: id };
            match self.store.reserve(&slice, lease).await {
                Ok(ChargeOutcome::Charged(charged)) => {
                    let total = charged.snapshot.total(&charge.cell);
                    let mut state = self.lock();
                    let cell = Arc::clone(&charge.cell);
                    let purse = state.purses.entry(cell).or_insert_with(|| Purse::new(charge, at));
                    purse.add(Slice { id, amount: size }, charge, at, total);
                    purse.warnings.extend(charged.warnings);
                    return Ok(true);
                }
                Ok(ChargeOutcome::Exceeded(exceeded)) => {
                    let spare = self.lock().purses.get_mut(&charge.cell).and_then(|purse| {
                        purse.remaining = exceeded.remaining.units();
                        purse.spare.take()
                    });
                    match spare {
                        Some(spare) => self.give_up(Some(spare)).await,
                        None if size > missing => {
                            size = missing.max(exceeded.remaining.units().min(size / 2))
                        }
                        None => {
                            self.set_fetched(&charge.cell);
                            return Ok(false);
                        }
                    }
                }
                Err(error) => {
                    self.lock().owed.push(Owed(id, nothing_of(&charge.cell)));
                    self.set_fetched(&charge.cell);
                    return Err(error);
                }
            }
        }
    }

    fn set_fetched(&self, cell: &Arc<CellId>) {
        if let Some(purse) = self.lock().purses.get_mut(cell) {
            purse.fetching = false;
        }
    }

    /// Gives the reserve back. Where that fails, or its lease has run out, it comes back by itself.
    async fn give_up(&self, spare: Option<Slice>) {
        if let Some(spare) = spare {
            let _ = self.store.refund(spare.id).await;
        }
    }

    /// Gives back what is left of a cell's slices. What is spent and reserved here is spent at the store from then on.
    async fn give_cell_back(&self, cell: &Arc<CellId>) -> Result<(), StateError> {
        let (returns, spare) = self.locked(|state, now, _| {
            let State { table, purses, .. } = state;
            let Some(purse) = purses.get_mut(cell) else { return Ok((Vec::new(), None)) };
            let (spent, reserved) = match table.cell(cell)? {
                Some(cell) => (cell.spent, cell.reserved),
                // It is dropped, and all of its slices may have been spent.
                None if purse.has_ended(now) => (purse.granted(), 0),
                None => (0, 0),
            };
            Ok((purse.close(spent, reserved), purse.spare.take()))
        })?;
        self.give_up(spare).await;
        let mut result = Ok(());
        for (id, spent) in returns {
            let actual = Settlement::Actual(BTreeMap::from([(cell.limit.clone(), Quantity::new(spent))]));
            if let Err(error) = self.store.settle(id, &actual).await {
                self.lock().owed.push(Owed(id, actual));
                result = Err(error);
            }
        }
        result
    }

    async fn give_all_back(&self) -> Result<(), StateError> {
        let cells: Vec<Arc<CellId>> = self.lock().purses.keys().cloned().collect();
        let mut result = Ok(());
        for cell in cells {
            result = result.and(self.give_cell_back(&cell).await);
        }
        result
    }

    /// The thread: fetches slices before they are needed, settles spent ones, keeps the reserve, and gives everything
    /// back in the end.
    fn look_after(&self, wanted: &Receiver<Arc<CellId>>) {
        loop {
            match wanted.recv_timeout(self.config.lease / 4) {
                Ok(cell) => block_on(self.fetch_ahead(&cell)),
                Err(RecvTimeoutError::Timeout) => block_on(self.tidy()),
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if self.over.load(Ordering::Acquire) {
                break;
            }
        }
        block_on(self.pay_owed());
        // What cannot be given back stays counted until its window ends.
        let _ = block_on(self.give_all_back());
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
            purses.get_mut(cell).map(|purse| purse.take_spent(spent)).unwrap_or_default()
        };
        for slice in spent {
            if self.store.settle(slice.id, &Settlement::AsReserved).await.is_err() {
                self.lock().owed.push(Owed(slice.id, Settlement::AsReserved));
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
        self.give_up(old).await;
        let size = self.lock().purses.get(cell).map_or(0, |purse| purse.next_size(&self.config));
        if size <= 1 {
            return;
        }
        let id = fresh_id();
        let amount = Quantity::new(size);
        let batch =
            Batch { charges: vec![Charge { amount, warn_at: None, ..charge }], at: now, reservation: id };
        match self.store.reserve(&batch, self.config.lease).await {
            Ok(ChargeOutcome::Charged(_)) => {
                if let Some(purse) = self.lock().purses.get_mut(cell) {
                    purse.keep_spare(Slice { id, amount: size }, now);
                }
            }
            Ok(ChargeOutcome::Exceeded(_)) => {}
            // It has a lease: whether it was made or not, it comes back.
            Err(_) => {}
        }
    }

    /// What is done now and then.
    async fn tidy(&self) {
        let now = self.clock.now();
        self.pay_owed().await;
        let ended: Vec<Arc<CellId>> = {
            let state = self.lock();
            let ended = state.purses.iter().filter(|(_, purse)| purse.has_ended(now));
            ended.map(|(cell, _)| Arc::clone(cell)).collect()
        };
        for cell in ended {
            if self.give_cell_back(&cell).await.is_ok() {
                self.lock().purses.remove(&cell);
            }
        }
        let idle: Vec<Arc<CellId>> = self.lock().purses.keys().cloned().collect();
        for cell in idle {
            self.settle_spent(&cell).await;
            // The reserve of one that is not busy any more is left to its lease.
            let mut state = self.lock();
            if let Some(purse) = state.purses.get_mut(&cell)
                && !purse.spare_is_fresh(now, self.config.lease.saturating_mul(2))
            {
                purse.spare = None;
            }
        }
    }

    async fn pay_owed(&self) {
        let owed = std::mem::take(&mut self.lock().owed);
        for Owed(id, actual) in owed {
            // One that was never made is not owed.
            if let Err(StateError::Unavailable(_)) = self.store.settle(id, &actual).await {
                self.lock().owed.push(Owed(id, actual));
            }
        }
    }

    /// Ends a reservation that was made here; the others' are the store's.
    fn is_local(&self, id: ReservationId) -> Result<bool, StateError> {
        self.locked(|state, _, _| Ok(state.table.reservation(id)?.is_some()))
    }

    /// Settles what came to no more than was reserved; `None` where the store has to hear of more.
    fn settle_within(&self, id: ReservationId, actual: &Settlement) -> Option<Result<Settled, StateError>> {
        let result = self.locked(|state, now, events| {
            let reservation = state.table.reservation(id)?;
            let over = reservation.map(|reservation| excess(&reservation, actual)).unwrap_or_default();
            if !over.is_empty() {
                return Ok(None);
            }
            // A maximum here is what is in hand, and no limit.
            let settled = books::settle(&mut state.table, id, actual, now, events)?;
            Ok(Some(Settled { debt: BTreeMap::new(), ..settled }))
        });
        result.transpose()
    }

    /// Tells the store what a call came to beyond what was reserved for it, before that is acknowledged; then settles.
    async fn settle(&self, id: ReservationId, actual: &Settlement) -> Result<Settled, StateError> {
        let reservation = self.locked(|state, _, _| state.table.reservation(id))?;
        let mut debt = BTreeMap::new();
        for (charge, over) in reservation.map(|reservation| excess(&reservation, actual)).unwrap_or_default()
        {
            let (sample, at) = match self.lock().purses.get(&charge.cell) {
                Some(purse) => (purse.sample.clone(), purse.at),
                // The window has ended, and so has all that was counted in it.
                None => continue,
            };
            // The same name each time, so that a settlement that is tried again is counted once.
            let extra = ReservationId::of_key(&id.to_string(), &charge.cell.to_string());
            let batch =
                Batch { charges: vec![Charge { amount: Quantity::ZERO, ..sample }], at, reservation: extra };
            let (extra, all) = match self.store.reserve(&batch, MARGIN).await {
                Ok(_) => (extra, over),
                // Nothing is taken of a window that has ended; but a slice of it may still be in hand.
                Err(StateError::WindowClosed(_)) => {
                    let slice = self.lock().purses.get_mut(&charge.cell).and_then(Purse::take_last);
                    let Some(slice) = slice else { continue };
                    (slice.id, slice.amount.saturating_add(over))
                }
                Err(error) => return Err(error),
            };
            let all = BTreeMap::from([(charge.cell.limit.clone(), Quantity::new(all))]);
            let settled = self.store.settle(extra, &Settlement::Actual(all)).await?;
            debt.extend(settled.debt);
            if settled.before.is_none()
                && let Some(purse) = self.lock().purses.get_mut(&charge.cell)
            {
                purse.cover(over);
            }
        }
        let settled =
            self.locked(|state, now, events| books::settle(&mut state.table, id, actual, now, events))?;
        Ok(Settled { debt, ..settled })
    }
}

/// What a settlement comes to beyond what is reserved: nothing is any more when the lease has run out.
fn excess(reservation: &Reservation, actual: &Settlement) -> Vec<(Charge, i64)> {
    let held = match reservation.closed {
        None => true,
        Some(Closed::Expired) => false,
        Some(Closed::Settled | Closed::Refunded) => return Vec::new(),
    };
    let over = |charge: &Charge| {
        let spent = match actual {
            Settlement::AsReserved => charge.amount,
            Settlement::Actual(by_limit) => {
                by_limit.get(&charge.cell.limit).copied().unwrap_or(charge.amount)
            }
        };
        let covered = if held || charge.kind == ChargeKind::Rate { charge.amount.units() } else { 0 };
        (charge.clone(), spent.units().saturating_sub(covered))
    };
    reservation.charges.iter().map(over).filter(|(_, over)| *over > 0).collect()
}

/// That nothing of a slice was spent.
fn nothing_of(cell: &CellId) -> Settlement {
    Settlement::Actual(BTreeMap::from([(cell.limit.clone(), Quantity::ZERO)]))
}

/// What is missing of each cell of a batch.
fn short(
    table: &mut Table,
    purses: &HashMap<Arc<CellId>, Purse>,
    batch: &Batch,
) -> Result<Vec<(Charge, i64)>, StateError> {
    let mut needs: Vec<(Charge, i64)> = Vec::new();
    for charge in &batch.charges {
        match needs.iter_mut().find(|(known, _)| known.cell == charge.cell) {
            Some((_, need)) => *need = need.saturating_add(charge.amount.units()),
            None => needs.push((charge.clone(), charge.amount.units())),
        }
    }
    let mut missing = Vec::new();
    for (charge, need) in needs {
        let used = table.cell(&charge.cell)?.map_or(0, |cell| cell.used());
        // Of a limit that is new here, or another now, the store hears also where nothing is charged.
        let purse = purses.get(&charge.cell).filter(|purse| purse.max == charge.ceiling());
        let left = purse.map_or(0, |purse| purse.granted().saturating_sub(used)).max(0);
        if purse.is_none() || need > left {
            missing.push((charge, need.saturating_sub(left)));
        }
    }
    Ok(missing)
}

/// A name that nobody else has.
fn fresh_id() -> ReservationId {
    ReservationId(DecisionId::random().as_u128())
}

impl<S: Store + 'static> StateStore for Leased<S> {
    fn reserve<'a>(
        &'a self,
        batch: &'a Batch,
        lease: Duration,
    ) -> Reply<'a, Result<ChargeOutcome, StateError>> {
        self.make(batch, Some(lease))
    }

    fn settle<'a>(
        &'a self,
        id: ReservationId,
        actual: &'a Settlement,
    ) -> Reply<'a, Result<Settled, StateError>> {
        match self.shared.is_local(id) {
            Ok(true) => match self.shared.settle_within(id, actual) {
                Some(settled) => Reply::Now(settled),
                None => Reply::later(self.shared.settle(id, actual)),
            },
            Ok(false) => self.shared.store.settle(id, actual),
            Err(error) => Reply::Now(Err(error)),
        }
    }

    fn refund(&self, id: ReservationId) -> Reply<'_, Result<Settled, StateError>> {
        match self.shared.is_local(id) {
            Ok(true) => Reply::Now(
                self.shared.locked(|state, now, events| books::refund(&mut state.table, id, now, events)),
            ),
            Ok(false) => self.shared.store.refund(id),
            Err(error) => Reply::Now(Err(error)),
        }
    }

    fn charge<'a>(&'a self, batch: &'a Batch) -> Reply<'a, Result<ChargeOutcome, StateError>> {
        self.make(batch, None)
    }

    fn revision(&self) -> Revision {
        self.shared.store.revision()
    }

    fn snapshot(&self) -> Reply<'_, Result<Snapshot, StateError>> {
        self.shared.store.snapshot()
    }

    fn changes_since(&self, revision: Revision) -> Reply<'_, Result<Changes, StateError>> {
        self.shared.store.changes_since(revision)
    }
}

impl<S: Store + 'static> StateOperator for Leased<S> {
    fn list<'a>(&'a self, filter: &'a CellFilter) -> Reply<'a, Result<Vec<CellView>, StateError>> {
        self.shared.store.list(filter)
    }

    fn set<'a>(
        &'a self,
        filter: &'a CellFilter,
        spent: Quantity,
    ) -> Reply<'a, Result<Vec<Adjusted>, StateError>> {
        self.shared.store.set(filter, spent)
    }
}
