//! An object in a module's memory, changed from the host. The memory belongs to code that is not trusted: every access
//! is checked, and what makes no sense is [`Broken`].

use rego_value::abi::{
    CAPACITY, ENTRY_HASH, ENTRY_KEY, ENTRY_VALUE, FLAG_CONSTANT, FLAGS, INDEX, INDEX_MASK, ITEMS,
    KIND_OBJECT, KIND_STRING, LEN, OBJECT_ENTRY, TEXT_BYTES, index_slots,
};

/// The memory does not hold what the layout of values says.
#[derive(Debug)]
pub(crate) struct Broken;

type Result<T> = std::result::Result<T, Broken>;

pub(crate) fn load(memory: &[u8], at: u32) -> Result<u32> {
    let bytes = memory.get(at as usize..).and_then(|rest| rest.first_chunk()).ok_or(Broken)?;
    Ok(u32::from_le_bytes(*bytes))
}

pub(crate) fn store(memory: &mut [u8], at: u32, word: u32) -> Result<()> {
    *memory.get_mut(at as usize..).and_then(|rest| rest.first_chunk_mut()).ok_or(Broken)? =
        word.to_le_bytes();
    Ok(())
}

/// An object that is no constant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table(u32);

impl Table {
    /// None where the handle is that of something else.
    pub(crate) fn new(memory: &[u8], handle: u32) -> Option<Self> {
        let &[kind, flags] = memory.get(handle as usize..)?.first_chunk()?;
        let fits =
            handle != 0 && handle.is_multiple_of(8) && kind == KIND_OBJECT && flags & FLAG_CONSTANT == 0;
        fits.then_some(Self(handle))
    }

    fn entry(self, memory: &[u8], position: u32) -> Result<u32> {
        let offset = position.checked_mul(OBJECT_ENTRY).ok_or(Broken)?;
        load(memory, self.0 + ITEMS)?.checked_add(offset).ok_or(Broken)
    }

    /// The position of a member.
    fn find(self, memory: &[u8], hash: u32, key: &str) -> Result<Option<u32>> {
        let (len, index) = (load(memory, self.0 + LEN)?, load(memory, self.0 + INDEX)?);
        if index == 0 {
            for position in 0..len {
                if self.is(memory, position, hash, key)? {
                    return Ok(Some(position));
                }
            }
            return Ok(None);
        }
        let mask = load(memory, self.0 + INDEX_MASK)?;
        let mut slot = hash & mask;
        for _ in 0..=mask {
            match load(memory, slot_at(index, slot)?)? {
                0 => return Ok(None),
                position if self.is(memory, position - 1, hash, key)? => return Ok(Some(position - 1)),
                _ => slot = (slot + 1) & mask,
            }
        }
        Ok(None)
    }

    fn is(self, memory: &[u8], position: u32, hash: u32, key: &str) -> Result<bool> {
        let entry = self.entry(memory, position)?;
        Ok(load(memory, entry + ENTRY_HASH)? == hash
            && is_string(memory, load(memory, entry + ENTRY_KEY)?, key))
    }

    /// The address of a member's entry.
    pub(crate) fn member(self, memory: &[u8], hash: u32, key: &str) -> Result<Option<u32>> {
        self.find(memory, hash, key)?.map(|position| self.entry(memory, position)).transpose()
    }

    /// The bytes that have to be found before another member can be appended: none, or a new place for all entries.
    pub(crate) fn growth(self, memory: &[u8]) -> Result<Option<Growth>> {
        let (len, capacity) = (load(memory, self.0 + LEN)?, load(memory, self.0 + CAPACITY)?);
        if len < capacity {
            return Ok(None);
        }
        let capacity = len.checked_mul(2).ok_or(Broken)?.max(4);
        let entries = capacity.checked_mul(OBJECT_ENTRY).ok_or(Broken)?;
        let size = index_slots(capacity).checked_mul(4).and_then(|index| index.checked_add(entries));
        Ok(Some(Growth { capacity, entries, size: size.ok_or(Broken)? }))
    }

    /// Moves the entries to a larger place.
    pub(crate) fn grow(self, memory: &mut [u8], growth: &Growth, place: u32) -> Result<()> {
        let len = load(memory, self.0 + LEN)?;
        let from = load(memory, self.0 + ITEMS)? as usize;
        let size = len.checked_mul(OBJECT_ENTRY).ok_or(Broken)? as usize;
        let end = (place as usize).checked_add(size).filter(|end| *end <= memory.len()).ok_or(Broken)?;
        memory.get(from..).and_then(|rest| rest.get(..size)).ok_or(Broken)?;
        memory.copy_within(from..from + size, end - size);
        let slots = index_slots(growth.capacity);
        store(memory, self.0 + CAPACITY, growth.capacity)?;
        store(memory, self.0 + ITEMS, place)?;
        store(memory, self.0 + INDEX, if slots == 0 { 0 } else { place + growth.entries })?;
        store(memory, self.0 + INDEX_MASK, slots.saturating_sub(1))?;
        self.rebuild_index(memory)
    }

    /// Appends a member that is not there, for which there is room.
    pub(crate) fn append(self, memory: &mut [u8], [hash, key, value]: [u32; 3]) -> Result<()> {
        let len = load(memory, self.0 + LEN)?;
        let entry = self.entry(memory, len)?;
        store(memory, entry + ENTRY_HASH, hash)?;
        store(memory, entry + ENTRY_KEY, key)?;
        store(memory, entry + ENTRY_VALUE, value)?;
        store(memory, self.0 + LEN, len + 1)?;
        if len > 0 {
            // Whoever needs the order sorts the entries first.
            *memory.get_mut((self.0 + FLAGS) as usize).ok_or(Broken)? = 0;
        }
        self.index_entry(memory, hash, len)
    }

    /// Takes a member away, if it is there.
    pub(crate) fn remove(self, memory: &mut [u8], hash: u32, key: &str) -> Result<()> {
        let Some(position) = self.find(memory, hash, key)? else { return Ok(()) };
        let len = load(memory, self.0 + LEN)?.checked_sub(1).ok_or(Broken)?;
        let (to, end) = (self.entry(memory, position)? as usize, self.entry(memory, len)? as usize);
        let from = to + OBJECT_ENTRY as usize;
        memory.get(from..end + OBJECT_ENTRY as usize).ok_or(Broken)?;
        memory.copy_within(from..end + OBJECT_ENTRY as usize, to);
        store(memory, self.0 + LEN, len)?;
        self.rebuild_index(memory)
    }

    fn rebuild_index(self, memory: &mut [u8]) -> Result<()> {
        let index = load(memory, self.0 + INDEX)? as usize;
        if index == 0 {
            return Ok(());
        }
        let slots = load(memory, self.0 + INDEX_MASK)? as usize + 1;
        let size = slots.checked_mul(4).ok_or(Broken)?;
        memory.get_mut(index..).and_then(|rest| rest.get_mut(..size)).ok_or(Broken)?.fill(0);
        for position in 0..load(memory, self.0 + LEN)? {
            let hash = load(memory, self.entry(memory, position)? + ENTRY_HASH)?;
            self.index_entry(memory, hash, position)?;
        }
        Ok(())
    }

    fn index_entry(self, memory: &mut [u8], hash: u32, position: u32) -> Result<()> {
        let (index, mask) = (load(memory, self.0 + INDEX)?, load(memory, self.0 + INDEX_MASK)?);
        if index == 0 {
            return Ok(());
        }
        let mut slot = hash & mask;
        for _ in 0..=mask {
            let place = slot_at(index, slot)?;
            if load(memory, place)? == 0 {
                return store(memory, place, position + 1);
            }
            slot = (slot + 1) & mask;
        }
        Err(Broken)
    }
}

/// A larger place for the entries of an object.
#[derive(Debug)]
pub(crate) struct Growth {
    capacity: u32,
    /// The bytes of the entries, behind which the index stands.
    entries: u32,
    /// The bytes of both.
    pub(crate) size: u32,
}

fn slot_at(index: u32, slot: u32) -> Result<u32> {
    slot.checked_mul(4).and_then(|offset| index.checked_add(offset)).ok_or(Broken)
}

fn is_string(memory: &[u8], handle: u32, text: &str) -> bool {
    let Some(object) = memory.get(handle as usize..) else { return false };
    handle != 0
        && handle.is_multiple_of(8)
        && object.first() == Some(&KIND_STRING)
        && load(object, LEN).is_ok_and(|length| length as usize == text.len())
        && object.get(TEXT_BYTES as usize..).is_some_and(|rest| rest.starts_with(text.as_bytes()))
}
