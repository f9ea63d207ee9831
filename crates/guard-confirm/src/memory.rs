//! The store of one process, gone with it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Place;
use std::sync::{Mutex, MutexGuard, PoisonError};

use guard_core::{Reply, Timestamp};

use crate::entry::{Entry, Step};
use crate::error::StoreError;
use crate::store::{Due, Filter, Stepped, Store, Stored};

/// How many are kept at most. Whoever may ask must not be able to fill the memory.
const MOST: usize = 100_000;

/// Keeps confirmations in this process.
#[derive(Debug, Default)]
pub struct MemoryStore {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    entries: BTreeMap<String, Entry>,
    /// When each message is due, and how often it was tried.
    outbox: BTreeMap<String, (Timestamp, u32)>,
}

impl MemoryStore {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an entry back without looking at what became of it. For the tests that have to notice that.
    #[doc(hidden)]
    pub fn overwrite(&self, entry: Entry) {
        self.lock().entries.insert(entry.id.clone(), entry);
    }
}

impl Store for MemoryStore {
    fn insert(&self, entry: &Entry, announce: bool) -> Stored<'static, ()> {
        let mut kept = self.lock();
        if kept.entries.len() >= MOST {
            kept.entries.retain(|_, other| !other.state_at(entry.asked).is_over());
        }
        if kept.entries.len() >= MOST {
            return Reply::Now(Err(StoreError::Full { pending: MOST }));
        }
        kept.entries.insert(entry.id.clone(), entry.clone());
        if announce {
            kept.outbox.insert(entry.id.clone(), (entry.asked, 0));
        }
        Reply::Now(Ok(()))
    }

    fn get(&self, id: &str) -> Stored<'static, Option<Entry>> {
        Reply::Now(Ok(self.lock().entries.get(id).cloned()))
    }

    fn step(
        &self,
        id: &str,
        step: &Step,
        begin: Option<&Entry>,
        now: Timestamp,
    ) -> Stored<'static, Option<Stepped>> {
        let mut kept = self.lock();
        let full = kept.entries.len() >= MOST;
        let entry = match (kept.entries.entry(id.to_owned()), begin) {
            (Place::Occupied(place), _) => place.into_mut(),
            (Place::Vacant(_), Some(_)) if full => {
                return Reply::Now(Err(StoreError::Full { pending: MOST }));
            }
            (Place::Vacant(place), Some(begin)) => place.insert(begin.clone()),
            (Place::Vacant(_), None) => return Reply::Now(Ok(None)),
        };
        let refused = entry.step(step, now).err();
        Reply::Now(Ok(Some(Stepped { entry: entry.clone(), refused })))
    }

    fn list(&self, filter: &Filter, now: Timestamp) -> Stored<'static, Vec<Entry>> {
        let kept = self.lock();
        let fits = |entry: &&Entry| filter.state.is_none_or(|state| entry.state_at(now) == state);
        let mut found: Vec<Entry> = kept.entries.values().filter(fits).cloned().collect();
        found.sort_by(|a, b| (b.asked, &b.id).cmp(&(a.asked, &a.id)));
        found.truncate(filter.limit);
        Reply::Now(Ok(found))
    }

    fn sweep(&self, now: Timestamp, forget: Timestamp) -> Stored<'static, Vec<Entry>> {
        let mut kept = self.lock();
        let mut expired = Vec::new();
        for entry in kept.entries.values_mut().filter(|entry| entry.state != entry.state_at(now)) {
            if entry.step(&Step::Expire, now).is_ok() {
                expired.push(entry.clone());
            }
        }
        kept.entries.retain(|_, entry| entry.expires >= forget);
        Reply::Now(Ok(expired))
    }

    fn claim(&self, now: Timestamp, until: Timestamp) -> Stored<'static, Option<Due>> {
        let mut kept = self.lock();
        loop {
            let due = kept.outbox.iter().filter(|(_, (due, _))| *due <= now).min_by_key(|(_, (due, _))| *due);
            let Some((id, (_, tries))) = due else { return Reply::Now(Ok(None)) };
            let (id, tries) = (id.clone(), *tries);
            if let Some(entry) = kept.entries.get(&id).cloned() {
                kept.outbox.insert(id, (until, tries.saturating_add(1)));
                return Reply::Now(Ok(Some(Due { entry, tries })));
            }
            // It was forgotten meanwhile: there is nothing to tell.
            kept.outbox.remove(&id);
        }
    }

    fn tell(&self, id: &str, again: Option<Timestamp>) -> Stored<'static, ()> {
        let mut kept = self.lock();
        match again {
            None => drop(kept.outbox.remove(id)),
            Some(due) => {
                if let Some(place) = kept.outbox.get_mut(id) {
                    place.0 = due;
                }
            }
        }
        Reply::Now(Ok(()))
    }
}
