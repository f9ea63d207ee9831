//! The cells that are known: those of a transaction, and of the ones before it as long as nobody else has written.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::quality::RandomState;
use guard_core::{CellId, Timestamp};

use crate::cell::Cell;

/// How many cells are known at a time.
const MOST: usize = 1 << 12;

/// A row of the file: its number, and what its entries in indexes are made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Written {
    pub(super) number: i64,
    pub(super) open: u32,
    pub(super) ends: Option<Timestamp>,
}

struct Held {
    /// `None` when it is known not to be there.
    cell: Option<Cell>,
    /// `None` when it is not in the file, or that is not known.
    written: Option<Written>,
    changed: bool,
}

/// What is known.
#[derive(Default)]
pub(super) struct Known {
    cells: HashMap<Arc<CellId>, Held, RandomState>,
    /// Those that have changed since they were written.
    changed: Vec<Arc<CellId>>,
    /// What SQLite calls the version of the data: another one whenever another connection has written.
    version: Option<i64>,
}

impl Known {
    /// Forgets everything unless the file is still of this version.
    pub(super) fn at(&mut self, version: i64) {
        if self.version != Some(version) {
            self.forget();
            self.version = Some(version);
        }
    }

    /// Forgets everything, what has changed included.
    pub(super) fn forget(&mut self) {
        self.cells.clear();
        self.changed.clear();
    }

    /// Whether cells should be forgotten before more are known.
    pub(super) fn is_full(&self) -> bool {
        self.cells.len() >= MOST
    }

    /// A cell, when it is known whether there is one.
    pub(super) fn cell(&self, id: &CellId) -> Option<&Option<Cell>> {
        self.cells.get(id).map(|held| &held.cell)
    }

    /// A cell as it was read.
    pub(super) fn read(&mut self, id: &Arc<CellId>, cell: Option<(Written, Cell)>) {
        let (written, cell) = cell.unzip();
        self.cells.insert(Arc::clone(id), Held { cell, written, changed: false });
    }

    /// A cell as it is to be.
    pub(super) fn put(&mut self, id: &Arc<CellId>, cell: Cell) {
        let absent = || Held { cell: None, written: None, changed: false };
        let held = self.cells.entry(Arc::clone(id)).or_insert_with(absent);
        held.cell = Some(cell);
        if !std::mem::replace(&mut held.changed, true) {
            self.changed.push(Arc::clone(id));
        }
    }

    /// A cell that was dropped, when everything had been written: of what is gone nothing can be.
    pub(super) fn dropped(&mut self, id: &CellId) {
        debug_assert!(self.is_written(), "cells are dropped from the file as it is");
        self.cells.remove(id);
    }

    /// One that is to be written, with its row; until there is none.
    pub(super) fn next_changed(&mut self) -> Option<(Arc<CellId>, &Cell, &mut Option<Written>)> {
        let id = self.changed.pop()?;
        let held = self.cells.get_mut(&id)?;
        held.changed = false;
        Some((id, held.cell.as_ref()?, &mut held.written))
    }

    /// Whether there is nothing to be written.
    pub(super) fn is_written(&self) -> bool {
        self.changed.is_empty()
    }
}
