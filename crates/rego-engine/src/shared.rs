//! The data documents of a pool, and how they came about of late, so that its instances can follow.
//!
//! There is one tree for all instances. Changes of documents are kept in their order; of a cell only its latest value
//! matters, which is in the documents. So an instance that missed changes makes those of documents first, and then sets
//! the cells that were set since: a document that replaced a cell's has made it forgotten that it was set.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use crate::data::{Change, DataCell, Documents};
use crate::error::EvalError;
use crate::live::Live;

/// How many changes of documents are kept: an instance that lags behind by more is given all data anew.
const DOCUMENTS: usize = 1024;

/// How many settings of cells are kept: beyond it all cells are looked at.
const CELLS: usize = 4096;

/// What a pool and its instances share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    history: RwLock<History>,
    /// The documents' revision, readable without the lock.
    revision: AtomicU64,
}

/// Documents with their latest changes.
#[derive(Debug, Default)]
pub(crate) struct History {
    pub(crate) documents: Documents,
    revision: u64,
    /// Changes with the revisions that made them.
    changes: VecDeque<(u64, Arc<Change>)>,
    /// Whoever has this revision finds all changes since among them.
    changes_from: u64,
    /// Cells that were set, with the revisions that did.
    cells: VecDeque<(u64, DataCell)>,
    cells_from: u64,
}

/// Room for a log.
fn push<T>(log: &mut VecDeque<(u64, T)>, from: &mut u64, most: usize, entry: (u64, T)) {
    if log.len() >= most
        && let Some((revision, _)) = log.pop_front()
    {
        *from = revision;
    }
    log.push_back(entry);
}

impl History {
    /// The revision that the change at hand leads to.
    pub(crate) const fn next(&self) -> u64 {
        self.revision + 1
    }

    pub(crate) fn note_change(&mut self, change: Change) {
        let entry = (self.next(), Arc::new(change));
        push(&mut self.changes, &mut self.changes_from, DOCUMENTS, entry);
    }

    pub(crate) fn note_cell(&mut self, cell: DataCell) {
        let entry = (self.next(), cell);
        push(&mut self.cells, &mut self.cells_from, CELLS, entry);
    }

    /// All is new: nobody can follow step by step.
    pub(crate) fn note_all(&mut self) {
        self.changes.clear();
        self.changes_from = self.next();
    }
}

impl Shared {
    pub(crate) fn revision(&self) -> u64 {
        self.revision.load(Ordering::Acquire)
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, History> {
        self.history.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes changes, which instances see together or not at all.
    pub(crate) fn change<R>(&self, make: impl FnOnce(&mut History) -> R) -> R {
        let mut history = self.history.write().unwrap_or_else(PoisonError::into_inner);
        let outcome = make(&mut history);
        history.revision += 1;
        self.revision.store(history.revision, Ordering::Release);
        outcome
    }

    /// Makes the changes that a running instance at `revision` missed; its revision afterwards.
    pub(crate) fn follow(
        &self,
        live: &mut Live,
        revision: u64,
        deadline: Duration,
    ) -> Result<u64, EvalError> {
        let history = self.read();
        if revision < history.changes_from {
            live.load(&history.documents, deadline)?;
            return Ok(history.revision);
        }
        let missed = history.changes.iter().rev().take_while(|(at, _)| *at > revision).count();
        for (_, change) in history.changes.iter().skip(history.changes.len() - missed) {
            live.change(change, deadline)?;
        }
        let documents = &history.documents;
        if revision < history.cells_from {
            let mut missed = documents.cells().filter(|(_, cell)| cell.changed > revision);
            missed.try_for_each(|(number, cell)| live.change_cell(number, cell, deadline))?;
        } else {
            for (_, cell) in history.cells.iter().rev().take_while(|(at, _)| *at > revision) {
                let number = cell.number();
                // A cell that is gone is in no document, and one that has its place now was set later.
                if let Some(state) = documents.at(number).filter(|state| state.changed > revision) {
                    live.change_cell(number, state, deadline)?;
                }
            }
        }
        Ok(history.revision)
    }

    /// Lays out all documents; the revision that they have.
    pub(crate) fn load(&self, live: &mut Live, deadline: Duration) -> Result<u64, EvalError> {
        let history = self.read();
        live.load(&history.documents, deadline)?;
        Ok(history.revision)
    }
}
