//! The state in the data of a pool: a number for each cell and replica, set in place.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::quality::RandomState;
use guard_core::{CellChange, CellId, CellPath};
use rego_engine::{DataCell, DataChanges, EvalError};
use rego_value::Value;

use crate::pushed::STATE;

/// A window's number for each replica.
type OfReplicas = Vec<(Arc<str>, DataCell)>;

/// How many numbers that were set of late are found sooner. A power of two.
const RECENT: usize = 64;

/// The numbers of the state that have been set so far.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    windows: HashMap<Arc<CellId>, OfReplicas, RandomState>,
    /// Those that were set of late, by the addresses of their names, which stay theirs as long as they stand here.
    recent: Vec<Option<(CellPath, DataCell)>>,
}

impl Cells {
    /// Forgets all of them, as when the whole state is replaced.
    pub(crate) fn clear(&mut self) {
        self.windows.clear();
        self.recent.clear();
    }

    /// The number at a path, if it was set of late under this very name.
    fn recent(&self, path: &CellPath) -> Option<DataCell> {
        let (known, cell) = self.recent.get(place(path))?.as_ref()?;
        let same = Arc::ptr_eq(&known.cell, &path.cell) && Arc::ptr_eq(&known.replica, &path.replica);
        same.then_some(*cell)
    }

    fn remember(&mut self, path: &CellPath, cell: DataCell) {
        self.recent.resize(RECENT, None);
        if let Some(recent) = self.recent.get_mut(place(path)) {
            *recent = Some((path.clone(), cell));
        }
    }

    /// Makes a change of the state.
    pub(crate) fn apply(&mut self, data: &mut DataChanges<'_>, change: &CellChange) -> Result<(), EvalError> {
        let [hexarch, state] = STATE;
        let CellId { limit, key, window } = &*change.path.cell;
        let Some(value) = change.value else {
            // A window that has ended has ended for every replica.
            let recent = self.recent.iter_mut();
            recent
                .filter(|recent| recent.as_ref().is_some_and(|(path, _)| path.cell == change.path.cell))
                .for_each(|recent| *recent = None);
            self.windows.remove(&change.path.cell);
            return data.remove_data_at(&[hexarch, state, limit, key, window]);
        };
        if let Some(cell) = self.recent(&change.path) {
            return data.set_cell(cell, value.units());
        }
        let replica = &change.path.replica;
        let known = self.windows.get(&change.path.cell);
        let known = known.and_then(|cells| cells.iter().find(|(name, _)| name == replica));
        if let Some(cell) = known.map(|(_, cell)| *cell) {
            self.remember(&change.path, cell);
            return data.set_cell(cell, value.units());
        }
        let path = [hexarch, state, limit, key, window, replica];
        data.set_data_at(&path, Value::from(value.units()))?;
        let cell = data.cell(&path)?;
        self.windows.entry(Arc::clone(&change.path.cell)).or_default().push((Arc::clone(replica), cell));
        Ok(())
    }
}

/// Where a path stands among the recent ones: by its name's address. Names lie 16 bytes apart at least.
fn place(path: &CellPath) -> usize {
    let address = Arc::as_ptr(&path.cell).addr();
    ((address >> 4) ^ (address >> 10)) % RECENT
}
