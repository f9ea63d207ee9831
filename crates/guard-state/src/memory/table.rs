//! The rows of one process, packed: a cell of a million takes about 140 bytes and its key.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap, VecDeque};
use std::hash::{BuildHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use foldhash::quality::RandomState;

use guard_core::{
    CellChange, CellFilter, CellId, CellPath, Changes, Charge, Quantity, ReservationId, Revision, Snapshot,
    StateError, Timestamp,
};
use hashbrown::HashTable;

use crate::books::{Reservation, Rows};
use crate::cell::Cell;
use crate::memory::names::{Name, Names};
use crate::memory::packed::Packed;

/// How many ended reservations are remembered, so that ending them again is recognised.
const REMEMBERED_ENDS: usize = 1 << 16;
/// How many dropped cells are remembered, so that evaluators can be told to drop them too.
const REMEMBERED_DROPS: usize = 1 << 12;
/// How many ended cells one operation drops: when a window ends for a million keys at once, no call waits for all.
const DROPS_AT_ONCE: usize = 1 << 8;
/// How many slots are allocated at once, so that growing neither copies nor doubles.
const CHUNK: usize = 1 << 10;
/// How many of the cells that were looked for last are known. A power of two.
const FOUND: usize = 64;
/// How many cells have changed between two decisions, as a rule.
const FEW: usize = 4;
/// The names of cells with longer keys, in bytes, are not held on to.
const LONGEST_NAMED: usize = 256;
/// No slot.
const NONE: u32 = u32::MAX;

/// Where a cell lies.
type Slot = u32;

/// A cell and its place among the others.
struct Entry {
    limit: Name,
    window: Name,
    key: Box<str>,
    cell: Packed,
    /// The revision that changed it last. Of a free slot: zero.
    changed: Revision,
    /// The cells that were changed before and after it.
    older: Slot,
    newer: Slot,
    /// Whether it stands in `ending`.
    listed: bool,
}

/// All cells and reservations.
pub(crate) struct Table {
    replica: Arc<str>,
    revision: Revision,
    names: Names,
    hasher: RandomState,
    index: HashTable<Slot>,
    /// Where the cells lie that were looked for last, by the address of their name: an operation that has read a cell
    /// writes it next, and a policy names the same cells again. Only a hint, since an address may be another name's by
    /// now: it holds where `named` has the name.
    found: [Slot; FOUND],
    /// The names of the cells that were looked for last, by their slots.
    named: [Option<(Slot, Arc<CellId>)>; FOUND],
    chunks: Vec<Vec<Option<Entry>>>,
    free: Vec<Slot>,
    /// The cell changed longest ago, and the one changed last.
    oldest: Slot,
    newest: Slot,
    /// Cells that end, soonest first, so that expiry never scans. A cell stands here once at most, and may by now end
    /// later than it says.
    ending: BinaryHeap<Reverse<(Timestamp, Slot)>>,
    /// Up to when cells have been dropped, as far as there was time for it.
    swept: Timestamp,
    /// What was dropped, oldest first.
    drops: VecDeque<(Revision, Arc<CellId>)>,
    /// Who is at an earlier revision than this may have missed a drop that is no longer remembered.
    oldest_followable: Revision,
    reservations: HashMap<ReservationId, Reservation, RandomState>,
    leases: BTreeSet<(Timestamp, ReservationId)>,
    /// The ended ones and when, oldest first.
    ended: VecDeque<(Timestamp, ReservationId)>,
}

impl Table {
    pub(crate) fn new(replica: &str) -> Self {
        Self {
            replica: replica.into(),
            revision: Revision(0),
            names: Names::default(),
            hasher: RandomState::default(),
            found: [NONE; FOUND],
            named: [const { None }; FOUND],
            index: HashTable::new(),
            chunks: Vec::new(),
            free: Vec::new(),
            oldest: NONE,
            newest: NONE,
            ending: BinaryHeap::new(),
            swept: Timestamp::from_nanos(i64::MIN),
            drops: VecDeque::new(),
            oldest_followable: Revision(0),
            reservations: HashMap::default(),
            leases: BTreeSet::new(),
            ended: VecDeque::new(),
        }
    }

    pub(crate) fn current(&self) -> Revision {
        self.revision
    }

    /// When the first of the leases runs out.
    pub(crate) fn first_lease_ends(&self) -> Option<Timestamp> {
        self.leases.first().map(|(ends, _)| *ends)
    }

    fn hash(&self, id: &CellId) -> u64 {
        hash_of(&self.hasher, &id.limit, &id.key, &id.window)
    }

    fn entry(&self, slot: Slot) -> Option<&Entry> {
        let slot = usize::try_from(slot).ok()?;
        self.chunks.get(slot / CHUNK)?.get(slot % CHUNK)?.as_ref()
    }

    fn place(&mut self, slot: Slot) -> Option<&mut Option<Entry>> {
        let slot = usize::try_from(slot).ok()?;
        self.chunks.get_mut(slot / CHUNK)?.get_mut(slot % CHUNK)
    }

    fn entry_mut(&mut self, slot: Slot) -> Option<&mut Entry> {
        self.place(slot)?.as_mut()
    }

    fn is(&self, slot: Slot, id: &CellId) -> bool {
        self.entry(slot).is_some_and(|entry| {
            *entry.key == *id.key
                && *self.names.text(entry.limit) == *id.limit
                && *self.names.text(entry.window) == *id.window
        })
    }

    fn find(&self, id: &CellId) -> Option<Slot> {
        self.index.find(self.hash(id), |slot| self.is(*slot, id)).copied()
    }

    /// The same of a cell that may have been looked for of late, under this very name.
    fn find_again(&mut self, id: &Arc<CellId>) -> Option<Slot> {
        let address = Arc::as_ptr(id).addr();
        // Names lie 16 bytes apart at least.
        let hint = ((address >> 4) ^ (address >> 10)) % FOUND;
        if let Some(slot) = self.found.get(hint).copied()
            && self.name_of(slot).is_some_and(|named| Arc::ptr_eq(named, id))
        {
            return Some(slot);
        }
        let slot = self.find(id)?;
        if let Some(found) = self.found.get_mut(hint) {
            *found = slot;
        }
        if id.key.len() <= LONGEST_NAMED
            && let Some(named) = self.named.get_mut(slot as usize % FOUND)
        {
            *named = Some((slot, Arc::clone(id)));
        }
        Some(slot)
    }

    /// The name of the cell that lies there, if it was looked for of late.
    fn name_of(&self, slot: Slot) -> Option<&Arc<CellId>> {
        let (named, id) = self.named.get(slot as usize % FOUND)?.as_ref()?;
        (*named == slot).then_some(id)
    }

    fn id(&self, entry: &Entry) -> Arc<CellId> {
        Arc::new(CellId {
            limit: self.names.text(entry.limit).to_owned(),
            key: entry.key.as_ref().to_owned(),
            window: self.names.text(entry.window).to_owned(),
        })
    }

    fn path(&self, entry: &Entry) -> CellPath {
        CellPath { cell: self.id(entry), replica: Arc::clone(&self.replica) }
    }

    fn insert(&mut self, id: &CellId, cell: Cell) -> Slot {
        let slot = self.free.pop().unwrap_or_else(|| self.fresh());
        let entry = Entry {
            limit: self.names.intern(&id.limit),
            window: self.names.intern(&id.window),
            key: id.key.as_str().into(),
            cell: Packed::of(cell),
            changed: Revision(0),
            older: NONE,
            newer: NONE,
            listed: false,
        };
        if let Some(place) = self.place(slot) {
            *place = Some(entry);
        }
        let hash = self.hash(id);
        let Self { index, hasher, chunks, names, .. } = self;
        // The table asks for the hashes of what it moves when it grows.
        index.insert_unique(hash, slot, |slot| {
            let position = usize::try_from(*slot).unwrap_or(usize::MAX);
            let entry = chunks.get(position / CHUNK).and_then(|chunk| chunk.get(position % CHUNK)?.as_ref());
            entry.map_or(0, |entry| {
                hash_of(hasher, names.text(entry.limit), &entry.key, names.text(entry.window))
            })
        });
        slot
    }

    /// A slot that was never used.
    fn fresh(&mut self) -> Slot {
        if self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        let before = (self.chunks.len() - 1) * CHUNK;
        let within = self.chunks.last_mut().map_or(0, |chunk| {
            chunk.push(None);
            chunk.len() - 1
        });
        Slot::try_from(before + within).unwrap_or(NONE)
    }

    /// Takes a cell out of the order of changes.
    fn unlink(&mut self, slot: Slot) {
        let Some(Entry { older, newer, .. }) = self.entry(slot) else { return };
        let (older, newer) = (*older, *newer);
        match self.entry_mut(older) {
            Some(entry) => entry.newer = newer,
            None => self.oldest = if self.oldest == slot { newer } else { self.oldest },
        }
        match self.entry_mut(newer) {
            Some(entry) => entry.older = older,
            None => self.newest = if self.newest == slot { older } else { self.newest },
        }
    }

    /// Makes it the cell that was changed last.
    fn touch(&mut self, slot: Slot) {
        if self.entry(slot).is_some_and(|entry| entry.changed != Revision(0)) {
            self.unlink(slot);
        }
        let newest = std::mem::replace(&mut self.newest, slot);
        match self.entry_mut(newest) {
            Some(entry) => entry.newer = slot,
            None => self.oldest = slot,
        }
        self.revision = Revision(self.revision.0 + 1);
        let revision = self.revision;
        if let Some(entry) = self.entry_mut(slot) {
            (entry.older, entry.newer, entry.changed) = (newest, NONE, revision);
        }
    }

    fn list_end(&mut self, slot: Slot) {
        if let Some(entry) = self.entry_mut(slot)
            && !entry.listed
            && let Some(ends) = entry.cell.ends()
        {
            entry.listed = true;
            self.ending.push(Reverse((ends, slot)));
        }
    }

    fn drop_cell(&mut self, slot: Slot) {
        self.unlink(slot);
        let Some(entry) = self.place(slot).and_then(Option::take) else { return };
        // INVARIANT: `named` names no cell but the one that lies there.
        if let Some(named) = self.named.get_mut(slot as usize % FOUND)
            && named.as_ref().is_some_and(|(named, _)| *named == slot)
        {
            *named = None;
        }
        let id = self.id(&entry);
        let hash = self.hash(&id);
        if let Ok(found) = self.index.find_entry(hash, |other| *other == slot) {
            found.remove();
        }
        self.names.release(entry.limit);
        self.names.release(entry.window);
        self.free.push(slot);
        self.revision = Revision(self.revision.0 + 1);
        self.drops.push_back((self.revision, id));
        while self.drops.len() > REMEMBERED_DROPS {
            if let Some((oldest, _)) = self.drops.pop_front() {
                self.oldest_followable = oldest;
            }
        }
    }

    /// Drops cells that ended by `now`, so many at most; whether that were all.
    pub(crate) fn drop_ended(&mut self, now: Timestamp, most: usize) -> bool {
        self.swept = now;
        for _ in 0..most {
            let Some(Reverse((_, slot))) = self.ending.peek().copied().filter(|Reverse((at, _))| *at <= now)
            else {
                return true;
            };
            self.ending.pop();
            let Some(entry) = self.entry_mut(slot) else { continue };
            entry.listed = false;
            match entry.cell.ends() {
                Some(_) if entry.cell.has_ended(now) => self.drop_cell(slot),
                // Whoever ends the last reservation writes the cell, and lists it again.
                Some(ends) if ends <= now => {}
                _ => self.list_end(slot),
            }
        }
        false
    }

    fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.chunks.iter().flatten().flatten()
    }

    /// All cells.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let mut cells: Vec<_> =
            self.entries().map(|entry| (self.path(entry), Quantity::new(entry.cell.used()))).collect();
        cells.sort_unstable_by(|(one, _), (two, _)| one.cmp(two));
        Snapshot { revision: self.revision, cells }
    }

    /// The cells that changed after `revision`.
    pub(crate) fn changes_since(&self, revision: Revision) -> Changes {
        if revision < self.oldest_followable || revision > self.revision {
            return Changes::All(self.snapshot());
        }
        let mut slot = self.newest;
        let changed = std::iter::from_fn(|| {
            let entry = self.entry(slot).filter(|entry| entry.changed > revision)?;
            let value = Some(Quantity::new(entry.cell.used()));
            let cell = self.name_of(slot).cloned().unwrap_or_else(|| self.id(entry));
            let path = CellPath { cell, replica: Arc::clone(&self.replica) };
            slot = entry.older;
            Some((entry.changed, CellChange { path, value }))
        });
        if self.drops.back().is_none_or(|(dropped, _)| *dropped <= revision) {
            // As nearly always: the few cells of the charges since.
            let mut cells = Vec::with_capacity(FEW);
            cells.extend(changed.map(|(_, change)| change));
            cells.reverse();
            return Changes::Cells { revision: self.revision, cells };
        }
        let mut found: Vec<_> = changed.collect();
        let dropped = self.drops.iter().rev().take_while(|(dropped, _)| *dropped > revision);
        // Of a cell that has been opened again since, its newer change tells what it holds.
        for (dropped, id) in dropped.filter(|(_, id)| self.find(id).is_none()) {
            let path = CellPath { cell: Arc::clone(id), replica: Arc::clone(&self.replica) };
            found.push((*dropped, CellChange { path, value: None }));
        }
        found.sort_unstable_by_key(|(changed, _)| *changed);
        let cells = found.into_iter().map(|(_, change)| change).collect();
        Changes::Cells { revision: self.revision, cells }
    }

    fn forget_ended(&mut self, by: Timestamp) {
        while let Some((ended, id)) = self.ended.front().copied()
            && (self.ended.len() > REMEMBERED_ENDS || ended <= by)
        {
            self.ended.pop_front();
            // One that was given back and then made again under the same name has another end.
            let is_it = |known: &Reservation| known.closed.is_some() && known.ended == ended;
            if self.reservations.get(&id).is_some_and(is_it) {
                self.reservations.remove(&id);
            }
        }
    }
}

/// Names are chosen by callers, so that the hash is seeded at random.
fn hash_of(hasher: &RandomState, limit: &str, key: &str, window: &str) -> u64 {
    hasher.hash_one((limit, key, window))
}

impl Rows for Table {
    fn cell(&mut self, id: &Arc<CellId>) -> Result<Option<Cell>, StateError> {
        let Some(slot) = self.find_again(id) else { return Ok(None) };
        let Some(entry) = self.entry(slot) else { return Ok(None) };
        if entry.cell.has_ended(self.swept) {
            // It waits for its turn to be dropped, and its name is a new cell's now.
            self.drop_cell(slot);
            return Ok(None);
        }
        Ok(Some(entry.cell.unpacked()))
    }

    fn put_cell(&mut self, id: &Arc<CellId>, cell: Cell) -> Result<(), StateError> {
        let slot = match self.find_again(id) {
            Some(slot) => {
                let Some(entry) = self.entry_mut(slot) else { return Ok(()) };
                // What policies read is what counts as a change.
                let changed = entry.cell.used() != cell.used();
                entry.cell = Packed::of(cell);
                if changed {
                    self.touch(slot);
                }
                slot
            }
            None => {
                let slot = self.insert(id, cell);
                self.touch(slot);
                slot
            }
        };
        self.list_end(slot);
        Ok(())
    }

    fn cells(&mut self, filter: &CellFilter) -> Result<Vec<(Arc<CellId>, Cell)>, StateError> {
        let all = self.entries().map(|entry| (self.id(entry), entry.cell.unpacked()));
        Ok(all.filter(|(id, _)| filter.fits(id)).collect())
    }

    fn reservation(&mut self, id: ReservationId) -> Result<Option<Reservation>, StateError> {
        Ok(self.reservations.get(&id).cloned())
    }

    fn put_reservation(&mut self, id: ReservationId, reservation: Reservation) -> Result<(), StateError> {
        match reservation.closed {
            None => {
                self.leases.insert((reservation.lease_ends, id));
            }
            Some(_) => {
                self.leases.remove(&(reservation.lease_ends, id));
                self.ended.push_back((reservation.ended, id));
            }
        }
        self.reservations.insert(id, reservation);
        Ok(())
    }

    fn overdue(&mut self, now: Timestamp, most: usize) -> Result<Vec<ReservationId>, StateError> {
        let due = self.leases.iter().take_while(|(ends, _)| *ends <= now);
        Ok(due.take(most).map(|(_, id)| *id).collect())
    }

    fn sweep(&mut self, now: Timestamp, forget: Timestamp) -> Result<(), StateError> {
        self.drop_ended(now, DROPS_AT_ONCE);
        self.forget_ended(forget);
        Ok(())
    }

    fn revision(&mut self) -> Result<Revision, StateError> {
        Ok(self.revision)
    }

    fn replica(&self) -> Arc<str> {
        Arc::clone(&self.replica)
    }

    /// Nobody else sees it: it needs to be the same in this process only.
    fn digest(&self, charges: &[Charge]) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        for charge in charges {
            (&charge.cell.limit, &charge.cell.key, charge.amount.units()).hash(&mut hasher);
        }
        hasher.finish()
    }
}
