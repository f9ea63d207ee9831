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
//! *What a kill costs.* Nothing, where there is a journal ([`LeasedConfig::journal`], a folder): whoever starts there, and
//! every process that works there, a few times in each [`LeasedConfig::lease`], finds the files of processes that are gone and
//! settles their slices with what was spent of them. That never counts too little:
//! - What is drawn of slices is written down before a charge or a settlement is acknowledged, by a write that outlives the
//!   process; so is that a slice may be drawn from, before it is; and with how much a slice is settled, before the store
//!   hears it, after which nothing is drawn of it. So at any instant the file says at least what was acknowledged, of slices
//!   that it names.
//! - What the file comes to is a function of the file alone, which nobody writes to any more: its lock says that the process
//!   is gone. The store settles a reservation once. So it may be settled again, by several, and after a settlement that the
//!   dead one made itself: with the same amounts.
//! - What the machine's end may have cost the file (it is not synchronised) is not believed: a file of an earlier life of the
//!   machine has its slices settled whole. A file that is lost or damaged leaves them counted until their window ends.
//!
//! What a dead process had reserved is given back at once: nobody else knows of its reservations.
//!
//! Without a journal nobody knows what was spent of the slices in hand. They stay counted until their window ends: two slices
//! for each cell, so at most a 32nd of what was left when they were taken. Never too little is counted.
//!
//! *What others see* is the store's count, slices included. A call may be refused while another process holds a slice that
//! it will not need; close to the end of a limit that is a unit or two.
//!
//! *Thresholds* are told by the charge that takes the slice which reaches them: by a slice too early, never too late.
//!
//! Budgets and rates of fixed windows are leased. Batches with a sliding window, a bucket or a concurrency in them go to the
//! store, as do those that are larger than what a slice can be. Reservations, their leases and idempotency keys of leased
//! batches are this process' own: an idempotency key makes a retry at the same process count once.

mod journal;
mod keeper;
mod purse;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
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
use journal::Journal;
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
    /// The folder in which is written down what is spent of slices, for processes of one machine that lease from one store.
    pub journal: Option<PathBuf>,
}

impl Default for LeasedConfig {
    /// Slices of a 64th, of any size; a lease of ten seconds; no journal.
    fn default() -> Self {
        Self { largest: Quantity::LARGEST, parts: 64, lease: Duration::from_secs(10), journal: None }
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
    /// Held while the thread fetches slices before they are needed: who gives all back waits for it.
    ahead: Mutex<()>,
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
    journal: Option<Journal>,
}

impl State {
    /// Writes down what is drawn of these cells: before it is acknowledged.
    fn note<'c>(&mut self, cells: impl Iterator<Item = &'c Arc<CellId>>) -> Result<(), StateError> {
        for cell in cells {
            // Of a cell that is dropped the window has ended, and with it all that counts.
            if let (Some(known), Some(purse)) = (self.table.cell(cell)?, self.purses.get_mut(cell)) {
                purse.spent = known.spent;
                if let Some(journal) = &mut self.journal {
                    journal.draw(purse.noted, purse.drawn(known.spent))?;
                }
            }
        }
        Ok(())
    }

    /// Writes down with how much these slices of a cell are settled: before the store hears of it.
    fn note_closed(&mut self, slices: &[(ReservationId, i64)]) -> Result<(), StateError> {
        let Some(journal) = &mut self.journal else { return Ok(()) };
        slices.iter().try_for_each(|(id, spent)| journal.close(*id, *spent, *spent))
    }

    /// The store knows all of these slices.
    fn note_done(&mut self, id: ReservationId) {
        if let Some(journal) = &mut self.journal {
            journal.done(id);
        }
    }
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
    /// When the thread cannot be started, or the journal cannot be written.
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
        let journal = config.journal.as_deref().map(Journal::open).transpose()?;
        let state = State {
            journal,
            table: Table::new("leased"),
            purses: HashMap::new(),
            now: Timestamp::from_nanos(i64::MIN),
            through: HashMap::new(),
            through_order: BTreeMap::new(),
            passed: 0,
            owed: Vec::new(),
        };
        let (state, ahead, over) = (Mutex::new(state), Mutex::new(()), AtomicBool::new(false));
        let shared = Arc::new(Shared { store, config, clock, listener, state, ahead, over });
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
        let _not_ahead = self.shared.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        block_on(self.shared.give_all_back())
    }

    fn make<'a>(
        &'a self,
        batch: &'a Batch,
        lease: Option<Duration>,
    ) -> Reply<'a, Result<ChargeOutcome, StateError>> {
        match self.shared.is_leased(batch) {
            Ok(true) => {}
            Ok(false) => return self.shared.straight(batch, lease),
            Err(error) => return Reply::Now(Err(error)),
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

    /// Whether slices can cover a batch, or its name is that of one that they cover.
    fn is_leased(&self, batch: &Batch) -> Result<bool, StateError> {
        let fits = |charge: &Charge| {
            charge.algorithm == Algorithm::Fixed
                && charge.kind != ChargeKind::Concurrency
                && charge.amount <= self.config.largest
        };
        let mut state = self.lock();
        if batch.charges.iter().all(fits) && !state.through.contains_key(&batch.reservation) {
            return Ok(true);
        }
        Ok(state.table.reservation(batch.reservation)?.is_some_and(|known| stands(&known)))
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
            let State { table, purses, journal, .. } = state;
            books::check_charges(batch)?;
            let is_known =
                |charge: &Charge| purses.get(&charge.cell).is_some_and(|purse| purse.max == charge.ceiling());
            if !batch.charges.iter().all(is_known)
                && !table.reservation(batch.reservation)?.is_some_and(|known| stands(&known))
            {
                return Ok(Local::Short(short(table, purses, batch)?));
            }
            let covered = batch.charges.iter().map(|charge| {
                let max = Quantity::new(purses.get(&charge.cell).map_or(0, Purse::granted));
                Charge { max, warn_at: None, ..charge.clone() }
            });
            let covered = Batch { charges: covered.collect(), ..*batch };
            let outcome = books::reserve(table, &covered, lease, now, events)?;
            let ChargeOutcome::Charged(mut charged) = outcome else {
                return Ok(Local::Short(short(table, purses, batch)?));
            };
            charged.snapshot.cells.clear();
            let replica = table.replica();
            for charge in batch.charges.iter() {
                let (used, spent) =
                    table.cell(&charge.cell)?.map_or((0, 0), |cell| (cell.used(), cell.spent));
                let Some(purse) = purses.get_mut(&charge.cell) else { continue };
                purse.spent = spent;
                if let Some(journal) = journal {
                    journal.draw(purse.noted, purse.drawn(spent))?;
                }
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
        for charge in batch.charges.iter() {
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
        self.give_up(&charge.cell, large).await;
        let lease = charge.resets_in.map_or(ENDLESS, |left| left.saturating_add(MARGIN));
        loop {
            let (amount, id) = (Quantity::new(size), fresh_id());
            self.ask(charge, at, Slice { id, amount: size })?;
            let slice =
                Batch { charges: Arc::new([Charge { amount, ..charge.clone() }]), at, reservation: id };
            match self.store.reserve(&slice, lease).await {
                Ok(ChargeOutcome::Charged(charged)) => {
                    let total = charged.snapshot.total(&charge.cell);
                    let mut state = self.lock();
                    let State { purses, journal, .. } = &mut *state;
                    let noted = journal.as_mut().map(|journal| journal.hold(id)).transpose()?.flatten();
                    let cell = Arc::clone(&charge.cell);
                    let purse = purses.entry(cell).or_insert_with(|| Purse::new(charge, at));
                    // The purse may be another than the one that asked, which was empty and put away.
                    purse.noted = noted;
                    purse.add(Slice { id, amount: size }, charge, at, total);
                    purse.warnings.extend(charged.warnings);
                    return Ok(true);
                }
                Ok(ChargeOutcome::Exceeded(exceeded)) => {
                    let spare = self.refused(&charge.cell, id, exceeded.remaining);
                    match spare {
                        Some(spare) => self.give_up(&charge.cell, Some(spare)).await,
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
                    self.lock().owed.push(Owed(id, so_much_of(&charge.cell.limit, 0)));
                    self.set_fetched(&charge.cell);
                    return Err(error);
                }
            }
        }
    }

    /// A slice was refused: the reserve, which may stand in its way.
    fn refused(&self, cell: &Arc<CellId>, id: ReservationId, remaining: Quantity) -> Option<Slice> {
        let mut state = self.lock();
        state.note_done(id);
        let purse = state.purses.get_mut(cell)?;
        purse.remaining = remaining.units();
        purse.spare.take()
    }

    /// Writes down that a slice is asked for.
    fn ask(&self, charge: &Charge, at: Timestamp, slice: Slice) -> Result<(), StateError> {
        let mut state = self.lock();
        let State { purses, journal, .. } = &mut *state;
        let Some(journal) = journal else { return Ok(()) };
        let purse = purses.entry(Arc::clone(&charge.cell)).or_insert_with(|| Purse::new(charge, at));
        journal.ask(&mut purse.noted, &charge.cell, slice.id, slice.amount)
    }

    fn set_fetched(&self, cell: &Arc<CellId>) {
        if let Some(purse) = self.lock().purses.get_mut(cell) {
            purse.fetching = false;
        }
    }

    /// Gives the reserve back. Where its lease has run out, it has come back by itself.
    async fn give_up(&self, cell: &CellId, spare: Option<Slice>) {
        let Some(spare) = spare else { return };
        match self.store.refund(spare.id).await {
            Err(StateError::Unavailable(_)) => {
                self.lock().owed.push(Owed(spare.id, so_much_of(&cell.limit, 0)));
            }
            _ => self.lock().note_done(spare.id),
        }
    }

    /// Gives back what is left of a cell's slices. What is spent and reserved here is spent at the store from then on.
    async fn give_cell_back(&self, cell: &Arc<CellId>) -> Result<(), StateError> {
        let (returns, spare) = self.locked(|state, _, _| {
            let State { table, purses, .. } = state;
            let Some(purse) = purses.get_mut(cell) else { return Ok((Vec::new(), None)) };
            let (spent, reserved) = match table.cell(cell)? {
                Some(cell) => (cell.spent, cell.reserved),
                // It is dropped with its window, or nothing was ever spent of it.
                None => (purse.spent, 0),
            };
            let (returns, spare) = (purse.close(spent, reserved), purse.spare.take());
            state.note_closed(&returns)?;
            Ok((returns, spare))
        })?;
        self.give_up(cell, spare).await;
        let mut result = Ok(());
        for (id, spent) in returns {
            let actual = so_much_of(&cell.limit, spent);
            match self.store.settle(id, &actual).await {
                Ok(_) => self.lock().note_done(id),
                Err(error) => {
                    self.lock().owed.push(Owed(id, actual));
                    result = Err(error);
                }
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

    /// Whether a reservation was made here last; the others' are the store's.
    fn is_local(&self, id: ReservationId) -> Result<bool, StateError> {
        let is_through = self.lock().through.contains_key(&id);
        Ok(!is_through && self.was_local(id)?)
    }

    /// Whether a reservation was ever made here.
    fn was_local(&self, id: ReservationId) -> Result<bool, StateError> {
        self.locked(|state, _, _| Ok(state.table.reservation(id)?.is_some()))
    }

    /// What the store says of a reservation; and what is known of it here, where the store was asked and has not made it.
    async fn told(
        &self,
        id: ReservationId,
        answer: Reply<'_, Result<Settled, StateError>>,
        here: impl Future<Output = Result<Settled, StateError>>,
    ) -> Result<Settled, StateError> {
        match answer.await {
            Err(StateError::UnknownReservation(_)) if self.was_local(id)? => here.await,
            answer => answer,
        }
    }

    /// Settles what came to no more than was reserved; `None` where the store has to hear of more.
    fn settle_within(&self, id: ReservationId, actual: &Settlement) -> Option<Result<Settled, StateError>> {
        let result = self.locked(|state, now, events| {
            let reservation = state.table.reservation(id)?;
            let over =
                reservation.as_ref().map(|reservation| excess(reservation, actual)).unwrap_or_default();
            if !over.is_empty() {
                return Ok(None);
            }
            // A maximum here is what is in hand, and no limit.
            let settled = books::settle(&mut state.table, id, actual, now, events)?;
            state.note(cells_of(reservation.as_ref()))?;
            Ok(Some(Settled { debt: BTreeMap::new(), ..settled }))
        });
        result.transpose()
    }

    /// Tells the store what a call came to beyond what was reserved for it, before that is acknowledged; then settles.
    async fn settle(&self, id: ReservationId, actual: &Settlement) -> Result<Settled, StateError> {
        let reservation = self.locked(|state, _, _| state.table.reservation(id))?;
        let mut debt = BTreeMap::new();
        let over = reservation.as_ref().map(|reservation| excess(reservation, actual)).unwrap_or_default();
        // The same name each time, so that a settlement that is tried again is counted once.
        let name = |cell: &CellId| ReservationId::of_key(&id.to_string(), &cell.to_string());
        for (charge, over) in over {
            debt.extend(self.go_beyond(name(&charge.cell), &charge, over).await?);
        }
        let settled = self.locked(|state, now, events| {
            let settled = books::settle(&mut state.table, id, actual, now, events)?;
            for cell in cells_of(reservation.as_ref()) {
                if let Some(purse) = state.purses.get_mut(cell) {
                    purse.cover(name(cell));
                }
            }
            state.note(cells_of(reservation.as_ref()))?;
            Ok(settled)
        })?;
        Ok(Settled { debt, ..settled })
    }

    /// Tells the store what a call came to beyond its reservation in one cell; what of that is debt.
    async fn go_beyond(
        &self,
        extra: ReservationId,
        charge: &Charge,
        over: i64,
    ) -> Result<BTreeMap<String, Quantity>, StateError> {
        let nothing = BTreeMap::new();
        let (sample, at) = match self.lock().purses.get_mut(&charge.cell) {
            Some(purse) => {
                purse.go_beyond(extra, over, false);
                (purse.sample.clone(), purse.at)
            }
            // The window has ended, and so has all that was counted in it.
            None => return Ok(nothing),
        };
        let batch = Batch {
            charges: Arc::new([Charge { amount: Quantity::ZERO, ..sample }]),
            at,
            reservation: extra,
        };
        let (id, all) = match self.store.reserve(&batch, MARGIN).await {
            Ok(_) => (extra, over),
            // Nothing is taken of a window that has ended; but a slice of it may still be in hand.
            Err(StateError::WindowClosed(_)) => {
                let Some(slice) = self.take_last(&charge.cell, over)? else { return Ok(nothing) };
                (slice.id, slice.amount.saturating_add(over))
            }
            Err(error) => return Err(error),
        };
        let settled = self.store.settle(id, &so_much_of(&charge.cell.limit, all)).await?;
        if settled.before.is_none()
            && let Some(purse) = self.lock().purses.get_mut(&charge.cell)
        {
            purse.go_beyond(extra, over, true);
        }
        Ok(settled.debt)
    }

    /// The newest slice of a cell, to be settled with so much besides.
    fn take_last(&self, cell: &Arc<CellId>, over: i64) -> Result<Option<Slice>, StateError> {
        let mut state = self.lock();
        let State { purses, journal, .. } = &mut *state;
        let slice = purses.get_mut(cell).and_then(Purse::take_last);
        if let (Some(slice), Some(journal)) = (slice, journal) {
            journal.close(slice.id, slice.amount.saturating_add(over), slice.amount)?;
        }
        Ok(slice)
    }
}

/// Whether the same call again is answered as before: it was neither given back nor has its lease run out.
fn stands(reservation: &Reservation) -> bool {
    matches!(reservation.closed, None | Some(Closed::Settled))
}

/// The cells that a reservation is about.
fn cells_of(reservation: Option<&Reservation>) -> impl Iterator<Item = &Arc<CellId>> {
    reservation.into_iter().flat_map(|reservation| reservation.charges.iter().map(|charge| &charge.cell))
}

/// What a settlement comes to beyond what is reserved, by cell: nothing is any more when the lease has run out.
fn excess(reservation: &Reservation, actual: &Settlement) -> Vec<(Charge, i64)> {
    let held = match reservation.closed {
        None => true,
        Some(Closed::Expired) => false,
        Some(Closed::Settled | Closed::Refunded) => return Vec::new(),
    };
    let mut by_cell: Vec<(Charge, i64)> = Vec::new();
    for charge in reservation.charges.iter() {
        let spent = match actual {
            Settlement::AsReserved => charge.amount,
            Settlement::Actual(by_limit) => {
                by_limit.get(&charge.cell.limit).copied().unwrap_or(charge.amount)
            }
        };
        let covered = if held || charge.kind == ChargeKind::Rate { charge.amount.units() } else { 0 };
        let over = spent.units().saturating_sub(covered);
        // A batch may charge a cell twice: the store is told once.
        match by_cell.iter_mut().find(|(known, _)| known.cell == charge.cell) {
            Some((_, sum)) => *sum = sum.saturating_add(over),
            None => by_cell.push((charge.clone(), over)),
        }
    }
    by_cell.retain(|(_, over)| *over > 0);
    by_cell
}

/// What was spent of a slice.
fn so_much_of(limit: &str, spent: i64) -> Settlement {
    Settlement::Actual(BTreeMap::from([(limit.to_owned(), Quantity::new(spent))]))
}

/// What is missing of each cell of a batch.
fn short(
    table: &mut Table,
    purses: &HashMap<Arc<CellId>, Purse>,
    batch: &Batch,
) -> Result<Vec<(Charge, i64)>, StateError> {
    let mut needs: Vec<(Charge, i64)> = Vec::new();
    for charge in batch.charges.iter() {
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
        let shared = &*self.shared;
        match shared.is_local(id) {
            Ok(true) => match shared.settle_within(id, actual) {
                Some(settled) => Reply::Now(settled),
                None => Reply::later(shared.settle(id, actual)),
            },
            Ok(false) => {
                Reply::later(shared.told(id, shared.store.settle(id, actual), shared.settle(id, actual)))
            }
            Err(error) => Reply::Now(Err(error)),
        }
    }

    fn refund(&self, id: ReservationId) -> Reply<'_, Result<Settled, StateError>> {
        let shared = &*self.shared;
        let here =
            move || shared.locked(|state, now, events| books::refund(&mut state.table, id, now, events));
        match shared.is_local(id) {
            Ok(true) => Reply::Now(here()),
            Ok(false) => Reply::later(shared.told(id, shared.store.refund(id), async move { here() })),
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
