//! The data documents in the memory of a module whose layout of values is known: changed by the host, in place.
//!
//! A document that is put anew lies in one span of memory, from which nothing else is shared, and only its parent's
//! entry points there; so replacing it frees the span, and the next document of about its size takes it. What a member
//! owns besides (its key, the entries of an object that has grown) is kept by path as well. What lay there when the data
//! were laid out as a whole is never reused; it is at most as much as all of the data.
//!
//! A cell is the address of its member's entry. It holds for as long as no document was put or removed ([`Area::shape`])
//! and the entry has the same key: modules sort entries in place, and never move them otherwise.
//!
//! Invariant: between two evaluations nothing but the data's root points into the area.

mod size;
mod spans;
mod table;

use std::collections::BTreeMap;
use std::sync::Arc;

use rego_value::Value;
use rego_value::abi::{
    ENTRY_KEY, ENTRY_VALUE, INT_SIZE, INT_VALUE, KIND_INT, align_up, hash_string, small_int,
};

use crate::data::path::{self, PathKey};
use crate::data::{CellState, Change};
use crate::error::EvalError;
use crate::input;
use crate::live::Live;
use crate::run::Stop;
use spans::{Span, Spans};
use table::{Broken, Table, load, store};

/// What of the data was put after they were laid out.
#[derive(Debug, Default)]
pub(crate) struct Area {
    owned: BTreeMap<PathKey, Owned>,
    free: Spans,
    cells: Vec<Place>,
    /// Counts the changes after which a cell may be elsewhere.
    shape: u64,
}

/// What belongs to a member of the data.
#[derive(Debug, Default)]
struct Owned {
    /// Its key.
    key: Option<Span>,
    /// Its value, when that was put at this very path.
    value: Option<Span>,
    /// The entries of its value, an object that has grown.
    entries: Option<Span>,
}

/// Where a cell lies.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    shape: u64,
    serial: u32,
    entry: u32,
    key: u32,
    /// An integer of 64 bits that is the cell's own, or 0.
    wide: u32,
}

impl From<Broken> for Stop {
    fn from(Broken: Broken) -> Self {
        EvalError::MalformedResult.into()
    }
}

impl Area {
    /// Another number after every change but of a cell.
    #[inline]
    pub(crate) const fn shape(&self) -> u64 {
        self.shape
    }

    /// Nothing that was put is there any more.
    pub(crate) fn clear(&mut self) {
        self.owned.clear();
        self.free = Spans::default();
        self.shape += 1;
    }

    /// Frees what is at and below a path, but for its key.
    fn free_below(&mut self, path: &PathKey) {
        for key in path::below(&self.owned, path) {
            let Some(mut owned) = self.owned.remove(&key) else { continue };
            let kept = if key == *path { owned.key.take() } else { None };
            [owned.key, owned.value, owned.entries]
                .into_iter()
                .flatten()
                .for_each(|span| self.free.give(span));
            if kept.is_some() {
                self.owned.insert(key, Owned { key: kept, ..Owned::default() });
            }
        }
    }

    fn owned(&mut self, path: &PathKey) -> &mut Owned {
        self.owned.entry(path.clone()).or_default()
    }
}

impl Live {
    /// Bytes of the data's memory that nothing lies in, beyond what does.
    pub(crate) fn area_garbage(&self) -> usize {
        let all = self.heap_base.cast_unsigned().saturating_sub(self.heap_start.cast_unsigned());
        let free = self.area.free.total;
        free.saturating_sub(all.saturating_sub(free)) as usize
    }

    /// Makes a change of the documents.
    pub(crate) fn change_area(&mut self, change: &Change) -> Result<(), Stop> {
        let Some((last, parents)) = change.path.split_last() else {
            return Err(EvalError::MalformedResult.into());
        };
        let parent = self.object_at(parents)?;
        let key = path::key(&change.path);
        let hash = hash_string(last.as_bytes());
        let Some(value) = &change.value else {
            parent.remove(self.abi.memory.data_mut(&mut self.store), hash, last)?;
            self.area.free_below(&key);
            if let Some(span) = self.area.owned.remove(&key).and_then(|owned| owned.key) {
                self.area.free.give(span);
            }
            self.area.shape += 1;
            return Ok(());
        };
        let (handle, span) = self.place(value)?;
        match parent.member(self.abi.memory.data(&self.store), hash, last)? {
            Some(entry) => store(self.abi.memory.data_mut(&mut self.store), entry + ENTRY_VALUE, handle)?,
            None => self.append(parent, path::key(parents), (last, hash, &key), handle)?,
        }
        self.area.free_below(&key);
        if span.is_some() {
            self.area.owned(&key).value = span;
        }
        self.area.shape += 1;
        Ok(())
    }

    /// Sets a number, as often as anybody likes.
    #[inline]
    pub(crate) fn set_cell(&mut self, number: usize, state: &CellState) -> Result<(), Stop> {
        if let Some(place) = self.area.cells.get(number)
            && place.shape == self.area.shape
            && place.serial == state.serial
        {
            let memory = self.abi.memory.data_mut(&mut self.store);
            if load(memory, place.entry + ENTRY_KEY)? == place.key {
                match small_int(state.value) {
                    Some(handle) => return Ok(store(memory, place.entry + ENTRY_VALUE, handle)?),
                    None if place.wide != 0 => return Ok(set_wide(memory, place, state.value)?),
                    None => {}
                }
            }
        }
        self.set_cell_anew(number, state)
    }

    /// The same after finding the cell.
    #[cold]
    fn set_cell_anew(&mut self, number: usize, state: &CellState) -> Result<(), Stop> {
        let (last, parents) = state.path.split_last().ok_or(Broken)?;
        let parent = self.object_at(parents)?;
        let memory = self.abi.memory.data(&self.store);
        let entry = parent.member(memory, hash_string(last.as_bytes()), last)?.ok_or(Broken)?;
        let (key, value) = (load(memory, entry + ENTRY_KEY)?, load(memory, entry + ENTRY_VALUE)?);
        let mut place = Place { shape: self.area.shape, serial: state.serial, entry, key, wide: 0 };
        // Above the start of the data there are no constants, and each integer is its own.
        if value % 8 == 0
            && value >= self.heap_start.cast_unsigned()
            && load(memory, value)? == u32::from(KIND_INT)
        {
            place.wide = value;
        }
        match small_int(state.value) {
            Some(handle) => store(self.abi.memory.data_mut(&mut self.store), entry + ENTRY_VALUE, handle)?,
            None => {
                if place.wide == 0 {
                    place.wide = self.wide_integer(&path::key(&state.path))?;
                }
                set_wide(self.abi.memory.data_mut(&mut self.store), &place, state.value)?;
            }
        }
        if self.area.cells.len() <= number {
            self.area.cells.resize(number + 1, Place::default());
        }
        if let Some(at) = self.area.cells.get_mut(number) {
            *at = place;
        }
        Ok(())
    }

    /// A place for an integer of 64 bits that belongs to a path.
    fn wide_integer(&mut self, path: &PathKey) -> Result<u32, Stop> {
        let span = self.reserve(INT_SIZE)?;
        let span = self.keep(span, INT_SIZE);
        store(self.abi.memory.data_mut(&mut self.store), span.start, u32::from(KIND_INT))?;
        store(self.abi.memory.data_mut(&mut self.store), span.start + 4, 0)?;
        if let Some(old) = self.area.owned(path).value.replace(span) {
            self.area.free.give(old);
        }
        Ok(span.start)
    }

    /// The object at a path of the data.
    fn object_at(&self, path: &[Arc<str>]) -> Result<Table, Broken> {
        let memory = self.abi.memory.data(&self.store);
        path.iter().try_fold(Table::new(memory, self.data.cast_unsigned()).ok_or(Broken)?, |object, key| {
            let entry = object.member(memory, hash_string(key.as_bytes()), key)?.ok_or(Broken)?;
            Table::new(memory, load(memory, entry + ENTRY_VALUE)?).ok_or(Broken)
        })
    }

    /// Appends a member to an object, with its key, its hash and its path.
    fn append(
        &mut self,
        parent: Table,
        parent_path: PathKey,
        (key, hash, path): (&str, u32, &PathKey),
        value: u32,
    ) -> Result<(), Stop> {
        if let Some(growth) = parent.growth(self.abi.memory.data(&self.store))? {
            let span = self.reserve(growth.size)?;
            let span = self.keep(span, growth.size);
            parent.grow(self.abi.memory.data_mut(&mut self.store), &growth, span.start)?;
            if let Some(old) = self.area.owned(&parent_path).entries.replace(span) {
                self.area.free.give(old);
            }
        }
        let key = match self.known.strings.get(key) {
            Some(handle) => *handle,
            None => {
                let (handle, span) = self.place(&Value::from(key))?;
                self.area.owned(path).key = span;
                handle
            }
        };
        Ok(parent.append(self.abi.memory.data_mut(&mut self.store), [hash, key, value])?)
    }

    /// Lays out a value in a span of its own, if it needs one.
    fn place(&mut self, value: &Value) -> Result<(u32, Option<Span>), Stop> {
        let limit = self.store.data().limits.memory;
        let size =
            size::bound(value, !self.known.columns.is_empty()).ok_or(EvalError::MemoryLimit { limit })?;
        let span = if size == 0 { Span { size: 0, start: 8 } } else { self.reserve(size)? };
        let memory = self.abi.memory.data_mut(&mut self.store);
        let room = memory.get_mut(..(span.start + span.size) as usize).ok_or(Broken)?;
        let placed = input::write_beside(value, &self.known, room, span.start).map_err(|_| Broken)?;
        let span = self.keep(span, placed.end - span.start);
        Ok((placed.handle, (span.size > 0).then_some(span)))
    }

    /// Memory of at least this size.
    fn reserve(&mut self, size: u32) -> Result<Span, Stop> {
        let limit = self.store.data().limits.memory;
        let full = || EvalError::MemoryLimit { limit };
        if size > u32::MAX / 2 {
            return Err(full().into());
        }
        let size = align_up(size);
        if let Some(span) = self.area.free.take(size) {
            return Ok(span);
        }
        let start = align_up(self.heap_base.cast_unsigned());
        let end = start.checked_add(size).ok_or_else(full)?;
        self.have_memory(end as usize)?;
        self.heap_base = end.cast_signed();
        Ok(Span { size, start })
    }

    /// Keeps so many bytes of a span and gives back the rest.
    fn keep(&mut self, span: Span, used: u32) -> Span {
        let used = align_up(used).min(span.size);
        self.area.free.give(Span { size: span.size - used, start: span.start + used });
        Span { size: used, ..span }
    }
}

fn set_wide(memory: &mut [u8], place: &Place, value: i64) -> Result<(), Broken> {
    let bytes = memory.get_mut((place.wide + INT_VALUE) as usize..).and_then(|rest| rest.first_chunk_mut());
    *bytes.ok_or(Broken)? = value.to_le_bytes();
    store(memory, place.entry + ENTRY_VALUE, place.wide)
}
