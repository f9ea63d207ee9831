//! The state in the data of a pool: a number for each cell and replica, set in place.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::quality::RandomState;
use guard_core::{CellChange, CellId};
use rego_engine::{DataCell, DataChanges, EvalError};
use rego_value::Value;

use crate::pushed::STATE;

/// A window's number for each replica.
type OfReplicas = Vec<(Arc<str>, DataCell)>;

/// The numbers of the state that have been set so far.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    windows: HashMap<Arc<CellId>, OfReplicas, RandomState>,
}

impl Cells {
    /// Forgets all of them, as when the whole state is replaced.
    pub(crate) fn clear(&mut self) {
        self.windows.clear();
    }

    /// Makes a change of the state.
    pub(crate) fn apply(&mut self, data: &mut DataChanges<'_>, change: &CellChange) -> Result<(), EvalError> {
        let [hexarch, state] = STATE;
        let CellId { limit, key, window } = &*change.path.cell;
        let Some(value) = change.value else {
            // A window that has ended has ended for every replica.
            self.windows.remove(&change.path.cell);
            return data.remove_data_at(&[hexarch, state, limit, key, window]);
        };
        let replica = &change.path.replica;
        let known = self.windows.get(&change.path.cell);
        let known = known.and_then(|cells| cells.iter().find(|(name, _)| name == replica));
        if let Some((_, cell)) = known {
            return data.set_cell(*cell, value.units());
        }
        let path = [hexarch, state, limit, key, window, replica];
        data.set_data_at(&path, Value::from(value.units()))?;
        let cell = data.cell(&path)?;
        self.windows.entry(Arc::clone(&change.path.cell)).or_default().push((Arc::clone(replica), cell));
        Ok(())
    }
}
