//! The top of a module's heap, filled from the host in the layout of [`rego_value::abi`].

use rego_value::abi::{
    ALIGN, ARRAY_SIZE, FLAG_SLOTS, FLAG_SORTED, INT_SIZE, KIND_ARRAY, KIND_DECIMAL, KIND_INT, KIND_OBJECT,
    KIND_STRING, LINEAR_MAX, OBJECT_ENTRY, TABLE_SIZE, TEXT_BYTES, View, align_up, index_slots, small_int,
};

use super::Fault;

/// The part of a module's memory that is free.
pub(super) struct Heap<'m> {
    memory: &'m mut [u8],
    top: usize,
}

/// An object's entry: the key's hash, the key, the value.
pub(super) type Entry = [u32; 3];

impl<'m> Heap<'m> {
    pub(super) fn new(memory: &'m mut [u8], top: u32) -> Self {
        // What does not fit the host's addresses is beyond the end of any memory.
        let top = usize::try_from(align_up(top)).unwrap_or(usize::MAX);
        Self { memory, top }
    }

    /// The first free address.
    pub(super) fn top(&self) -> u32 {
        u32::try_from(self.top).unwrap_or(u32::MAX)
    }

    /// Room for an object of the heap: its address and its bytes, which are not cleared.
    #[inline]
    fn reserve(&mut self, size: usize) -> Result<(u32, &mut [u8]), Fault> {
        let start = self.top;
        let end = size
            .checked_next_multiple_of(ALIGN as usize)
            .and_then(|size| start.checked_add(size))
            .ok_or(Fault::Full)?;
        let room = self.memory.get_mut(start..end).ok_or(Fault::Full)?;
        self.top = end;
        // The end is inside a memory of 32 bits.
        Ok((u32::try_from(start).map_err(|_| Fault::Full)?, room))
    }

    /// A string and its hash.
    #[inline]
    pub(super) fn string(&mut self, text: &[u8], hash: u32) -> Result<u32, Fault> {
        self.text(KIND_STRING, text, hash)
    }

    /// A number that is no integer of 64 bits.
    pub(super) fn decimal(&mut self, text: &[u8], hash: u32) -> Result<u32, Fault> {
        self.text(KIND_DECIMAL, text, hash)
    }

    #[inline]
    fn text(&mut self, kind: u8, text: &[u8], hash: u32) -> Result<u32, Fault> {
        let length = u32::try_from(text.len()).map_err(|_| Fault::Full)?;
        let (address, room) = self.reserve(TEXT_BYTES as usize + text.len() + 1)?;
        let (header, body) = room.split_at_mut_checked(TEXT_BYTES as usize).ok_or(Fault::Full)?;
        put(header, &[u32::from(kind), length, hash, 0]);
        // The padding first: the text overwrites what it does not need.
        if let Some(last) = body.last_chunk_mut::<8>() {
            *last = [0; 8];
        }
        body.get_mut(..text.len()).ok_or(Fault::Full)?.copy_from_slice(text);
        Ok(address)
    }

    #[inline]
    pub(super) fn int(&mut self, int: i64) -> Result<u32, Fault> {
        if let Some(handle) = small_int(int) {
            return Ok(handle);
        }
        let (address, room) = self.reserve(INT_SIZE as usize)?;
        let [low, high] = halves(int.cast_unsigned());
        put(room, &[u32::from(KIND_INT), 0, low, high]);
        Ok(address)
    }

    pub(super) fn array(&mut self, items: &[u32]) -> Result<u32, Fault> {
        let count = u32::try_from(items.len()).map_err(|_| Fault::Full)?;
        let (address, room) = self.reserve(ARRAY_SIZE as usize + items.len() * 4)?;
        let (header, body) = room.split_at_mut_checked(ARRAY_SIZE as usize).ok_or(Fault::Full)?;
        put(header, &[u32::from(KIND_ARRAY), count, count, address + ARRAY_SIZE]);
        put(body, items);
        Ok(address)
    }

    /// An object. Of members with equal keys, which are strings, the last one counts.
    pub(super) fn object(&mut self, entries: &mut [Entry], flags: u8) -> Result<u32, Fault> {
        let capacity = u32::try_from(entries.len()).map_err(|_| Fault::Full)?;
        let slots = index_slots(capacity);
        if slots > 0 {
            return self.indexed_object(entries, flags, slots);
        }
        let mut count = 0;
        for at in 0..entries.len() {
            let Some(entry) = entries.get(at).copied() else { break };
            let earlier = entries.get(..count).unwrap_or_default();
            let position = earlier.iter().position(|other| self.same_key(other, &entry)).unwrap_or(count);
            if let Some(place) = entries.get_mut(position) {
                *place = entry;
            }
            count = count.max(position + 1);
        }
        self.table(entries.get(..count).unwrap_or_default(), flags, (0, 0))
    }

    /// An object of which only these members are read, which stand in the order of their keys; see [`FLAG_SLOTS`].
    pub(super) fn slots(&mut self, entries: &[Entry]) -> Result<u32, Fault> {
        self.table(entries, FLAG_SORTED | FLAG_SLOTS, (0, 0))
    }

    fn indexed_object(&mut self, entries: &mut [Entry], flags: u8, slots: u32) -> Result<u32, Fault> {
        let (index, room) = self.reserve(slots as usize * 4)?;
        room.fill(0);
        let (start, mask) = (self.top - room_size(slots), slots - 1);
        let mut count = 0usize;
        for at in 0..entries.len() {
            let Some(entry) = entries.get(at).copied() else { break };
            let mut slot = entry[0] & mask;
            loop {
                let position = self.word(start + slot as usize * 4);
                if position == 0 {
                    if let Some(place) = entries.get_mut(count) {
                        *place = entry;
                    }
                    count += 1;
                    let position = u32::try_from(count).map_err(|_| Fault::Full)?;
                    self.set_word(start + slot as usize * 4, position);
                    break;
                }
                let place = entries.get_mut(position as usize - 1).ok_or(Fault::Full)?;
                if self.same_key(place, &entry) {
                    *place = entry;
                    break;
                }
                slot = (slot + 1) & mask;
            }
        }
        self.table(entries.get(..count).unwrap_or_default(), flags, (index, mask))
    }

    /// The header of an object and its entries.
    fn table(&mut self, entries: &[Entry], flags: u8, (index, mask): (u32, u32)) -> Result<u32, Fault> {
        let count = u32::try_from(entries.len()).map_err(|_| Fault::Full)?;
        debug_assert!(
            index != 0 || count <= LINEAR_MAX || flags & FLAG_SLOTS != 0,
            "a large object has an index"
        );
        let (address, room) = self.reserve(TABLE_SIZE as usize + entries.len() * OBJECT_ENTRY as usize)?;
        let (header, body) = room.split_at_mut_checked(TABLE_SIZE as usize).ok_or(Fault::Full)?;
        let kind = u32::from(KIND_OBJECT) | u32::from(flags) << 8;
        put(header, &[kind, count, count, address + TABLE_SIZE, index, mask]);
        put(body, entries.as_flattened());
        Ok(address)
    }

    /// Whether two entries have the same key. Both keys are strings.
    fn same_key(&self, one: &Entry, other: &Entry) -> bool {
        let text = |entry: &Entry| match View::new(self.memory, entry[1]) {
            Ok(View::String(text)) => Some(text),
            _ => None,
        };
        one[0] == other[0] && (one[1] == other[1] || text(one) == text(other))
    }

    fn word(&self, at: usize) -> u32 {
        self.memory
            .get(at..)
            .and_then(|rest| rest.first_chunk())
            .map_or(0, |bytes| u32::from_le_bytes(*bytes))
    }

    fn set_word(&mut self, at: usize, word: u32) {
        if let Some(bytes) = self.memory.get_mut(at..).and_then(|rest| rest.first_chunk_mut()) {
            *bytes = word.to_le_bytes();
        }
    }

    /// The memory, and where its free part begins: for what another writer lays out.
    pub(super) fn copy(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let (_, room) = self.reserve(bytes.len())?;
        room.get_mut(..bytes.len()).ok_or(Fault::Full)?.copy_from_slice(bytes);
        Ok(())
    }
}

/// The bytes of so many slots, padded.
fn room_size(slots: u32) -> usize {
    align_up(slots * 4) as usize
}

fn halves(word: u64) -> [u32; 2] {
    let bytes = word.to_le_bytes();
    let [a, b, c, d, e, f, g, h] = bytes;
    [u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h])]
}

/// Writes words, little endian.
#[inline]
fn put(room: &mut [u8], words: &[u32]) {
    for (place, word) in room.as_chunks_mut::<4>().0.iter_mut().zip(words) {
        *place = word.to_le_bytes();
    }
}
