//! The tree of documents and the cells in it.

use std::collections::BTreeMap;
use std::sync::Arc;

use rego_value::{Object, Value};

use super::path::{self, PathKey};
use super::tree::{self, Change, Made};
use crate::error::EvalError;

/// A number in the data documents that changes often, such as a counter: found once, set in a few dozen nanoseconds.
///
/// Belongs to the [`Instance`](crate::Instance) or [`Pool`](crate::Pool) that gave it. It is gone, and setting it an
/// error, when the document that has it is removed or replaced by one without a number at that place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DataCell {
    number: u32,
    serial: u32,
}

impl DataCell {
    pub(crate) fn number(self) -> usize {
        self.number as usize
    }
}

/// A place for a cell.
#[derive(Debug)]
pub(crate) struct CellState {
    /// Counts the cells that have had this place; even while there is none.
    pub(crate) serial: u32,
    pub(crate) path: Arc<[Arc<str>]>,
    pub(crate) value: i64,
    /// Whether the tree has another value.
    ahead: bool,
    /// The revision that set it.
    pub(crate) changed: u64,
}

impl CellState {
    const fn is_free(&self) -> bool {
        self.serial.is_multiple_of(2)
    }
}

/// Data documents.
#[derive(Debug)]
pub(crate) struct Documents {
    /// Without the latest values of cells.
    root: Value,
    cells: Vec<CellState>,
    by_path: BTreeMap<PathKey, u32>,
    free: Vec<u32>,
    /// The cells of which the tree has another value.
    ahead: Vec<u32>,
}

impl Default for Documents {
    fn default() -> Self {
        Self {
            root: Value::Object(Object::new()),
            cells: Vec::new(),
            by_path: BTreeMap::new(),
            free: Vec::new(),
            ahead: Vec::new(),
        }
    }
}

impl Documents {
    /// All documents as they are.
    pub(crate) fn current(&self) -> Value {
        let mut root = self.root.clone();
        self.ahead().for_each(|(_, cell)| write(&mut root, cell));
        root
    }

    /// The documents, but for the values of those cells that are [ahead](Self::ahead).
    pub(crate) fn root(&self) -> &Value {
        &self.root
    }

    /// The cells of which the tree has another value.
    pub(crate) fn ahead(&self) -> impl Iterator<Item = (usize, &CellState)> {
        self.ahead.iter().filter_map(|number| {
            let cell = self.cells.get(*number as usize).filter(|cell| cell.ahead && !cell.is_free())?;
            Some((*number as usize, cell))
        })
    }

    /// All cells.
    pub(crate) fn cells(&self) -> impl Iterator<Item = (usize, &CellState)> {
        self.cells.iter().enumerate().filter(|(_, cell)| !cell.is_free())
    }

    /// The cell at a place, if there is one.
    pub(crate) fn at(&self, number: usize) -> Option<&CellState> {
        self.cells.get(number).filter(|cell| !cell.is_free())
    }

    /// Replaces all documents; what they were is given back.
    pub(crate) fn replace(&mut self, root: Value) -> Value {
        self.write_cells();
        let previous = std::mem::replace(&mut self.root, root);
        self.look_again(&PathKey::new());
        previous
    }

    /// Puts a document at a path that is not empty.
    pub(crate) fn put(&mut self, path: &[&str], value: Value) -> Result<Made, EvalError> {
        self.write_cells();
        let made = tree::put(&mut self.root, path, value)?;
        self.look_again(&path::key(&made.change.path));
        Ok(made)
    }

    /// Removes the document at a path that is not empty.
    pub(crate) fn remove(&mut self, path: &[&str]) -> Result<Option<Made>, EvalError> {
        self.write_cells();
        let made = tree::remove(&mut self.root, path)?;
        if made.is_some() {
            self.look_again(&path::key(path));
        }
        Ok(made)
    }

    /// Makes the last change undone.
    pub(crate) fn undo(&mut self, made: Made) {
        let key = path::key(&made.change.path);
        tree::undo(&mut self.root, made);
        self.look_again(&key);
    }

    /// The cell of the number at a path.
    pub(crate) fn cell(&mut self, path: &[&str]) -> Result<DataCell, EvalError> {
        let key = path::key(path);
        if let Some(number) = self.by_path.get(&key) {
            let serial = self.cells.get(*number as usize).map_or(0, |cell| cell.serial);
            return Ok(DataCell { number: *number, serial });
        }
        let no_cell = || EvalError::NoCell { path: path.join("/") };
        if !matches!(tree::get(&self.root, path), Some(Value::Number(_))) {
            return Err(no_cell());
        }
        let number = match self.free.pop() {
            Some(number) => number,
            None => u32::try_from(self.cells.len()).map_err(|_| no_cell())?,
        };
        let serial = self.cells.get(number as usize).map_or(0, |cell| cell.serial).wrapping_add(1);
        let path = path.iter().map(|step| Arc::from(*step)).collect();
        let state = CellState { serial, path, value: 0, ahead: false, changed: 0 };
        match self.cells.get_mut(number as usize) {
            Some(place) => *place = state,
            None => self.cells.push(state),
        }
        self.by_path.insert(key, number);
        Ok(DataCell { number, serial })
    }

    /// Sets a cell, at a revision of the data.
    pub(crate) fn set(&mut self, cell: DataCell, value: i64, revision: u64) -> Result<&CellState, EvalError> {
        let state = self.cells.get_mut(cell.number()).filter(|state| state.serial == cell.serial);
        let state = state.ok_or(EvalError::StaleCell)?;
        state.value = value;
        state.changed = revision;
        if !state.ahead {
            state.ahead = true;
            self.ahead.push(cell.number);
        }
        Ok(state)
    }

    /// What a cell holds.
    pub(crate) fn value(&self, cell: DataCell) -> Option<i64> {
        let state = self.cells.get(cell.number()).filter(|state| state.serial == cell.serial)?;
        if state.ahead { Some(state.value) } else { tree::get(&self.root, &state.path)?.as_i64() }
    }

    /// Forgets a cell; the number stays.
    pub(crate) fn release(&mut self, cell: DataCell) {
        self.write_cells();
        let state = self.cells.get(cell.number()).filter(|state| state.serial == cell.serial);
        if let Some(state) = state {
            let key = path::key(&state.path);
            self.forget(&key);
        }
    }

    /// Brings the tree up to the cells.
    fn write_cells(&mut self) {
        for number in std::mem::take(&mut self.ahead) {
            let Some(cell) = self.cells.get_mut(number as usize) else { continue };
            if std::mem::take(&mut cell.ahead) && !cell.is_free() {
                write(&mut self.root, cell);
            }
        }
    }

    /// After a change of the tree at a path: its cells are as the tree says, or gone.
    fn look_again(&mut self, changed: &PathKey) {
        for key in path::below(&self.by_path, changed) {
            let state = self.by_path.get(&key).and_then(|number| self.cells.get_mut(*number as usize));
            let Some(state) = state else { continue };
            (state.ahead, state.changed) = (false, 0);
            if !matches!(tree::get(&self.root, &state.path), Some(Value::Number(_))) {
                self.forget(&key);
            }
        }
    }

    fn forget(&mut self, key: &PathKey) {
        let Some(number) = self.by_path.remove(key) else { return };
        if let Some(state) = self.cells.get_mut(number as usize) {
            state.serial = state.serial.wrapping_add(1);
            state.ahead = false;
            self.free.push(number);
        }
    }
}

fn write(root: &mut Value, cell: &CellState) {
    let path: Vec<&str> = cell.path.iter().map(|step| &**step).collect();
    // A cell is forgotten as soon as its path leads nowhere.
    let _ = tree::put(root, &path, Value::from(cell.value));
}

/// The change that sets a cell, for modules whose memory is not known.
impl From<&CellState> for Change {
    fn from(cell: &CellState) -> Self {
        Self { path: cell.path.iter().cloned().collect(), value: Some(Value::from(cell.value)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(json: &str) -> Value {
        rego_value::json::parse(json.as_bytes()).unwrap()
    }

    fn documents(json: &str) -> Documents {
        let mut documents = Documents::default();
        documents.replace(value(json));
        documents
    }

    #[test]
    fn a_cell_is_part_of_the_documents() {
        let mut documents = documents(r#"{"a":{"n":1},"b":2}"#);
        let cell = documents.cell(&["a", "n"]).unwrap();
        assert_eq!(documents.cell(&["a", "n"]).unwrap(), cell);
        assert_eq!(documents.value(cell), Some(1));
        documents.set(cell, 7, 1).unwrap();
        assert_eq!(documents.value(cell), Some(7));
        assert_eq!(documents.current(), value(r#"{"a":{"n":7},"b":2}"#));
        documents.put(&["b"], value("3")).unwrap();
        assert_eq!(documents.root(), &value(r#"{"a":{"n":7},"b":3}"#));
        assert_eq!(documents.ahead().count(), 0);
    }

    #[test]
    fn a_cell_whose_document_is_replaced_follows_it_or_is_gone() {
        let mut documents = documents(r#"{"a":{"n":1}}"#);
        let cell = documents.cell(&["a", "n"]).unwrap();
        documents.set(cell, 7, 1).unwrap();
        documents.put(&["a"], value(r#"{"n":2}"#)).unwrap();
        assert_eq!(documents.value(cell), Some(2));
        let made = documents.put(&["a"], value(r#"{"n":"two"}"#)).unwrap();
        assert!(matches!(documents.set(cell, 3, 2), Err(EvalError::StaleCell)));
        documents.undo(made);
        assert_eq!(documents.current(), value(r#"{"a":{"n":2}}"#));
        let again = documents.cell(&["a", "n"]).unwrap();
        assert_ne!(again, cell);
        assert_eq!(documents.value(cell), None);
        documents.set(again, 4, 3).unwrap();
        documents.release(again);
        assert!(documents.set(again, 5, 4).is_err());
        assert_eq!(documents.current(), value(r#"{"a":{"n":4}}"#));
    }

    #[test]
    fn what_is_no_number_has_no_cell() {
        let mut documents = documents(r#"{"a":{"n":"x"}}"#);
        for path in [&["a"][..], &["a", "n"], &["a", "m"], &["b"], &[]] {
            assert!(matches!(documents.cell(path), Err(EvalError::NoCell { .. })), "{path:?}");
        }
    }
}
