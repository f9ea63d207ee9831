//! The top of a module's heap, filled from the host in the layout of [`rego_value::abi`].

use rego_value::abi::{
    ALIGN, ARRAY_SIZE, ENTRY_VALUE, FLAG_COLUMN, FLAG_SLOTS, FLAG_SORTED, Hash64, INT_SIZE, ITEMS,
    KIND_ARRAY, KIND_DECIMAL, KIND_INT, KIND_OBJECT, KIND_STRING, LINEAR_MAX, OBJECT_ENTRY, TABLE_SIZE,
    TEXT_BYTES, UNDEFINED, View, align_up, index_slots, small_int,
};

use super::Fault;
use super::scan::{first_bytes, last_word, word_at};

/// The part of a module's memory that is free.
pub(crate) struct Heap<'m> {
    memory: &'m mut [u8],
    top: usize,
}

/// An object's entry: the key's hash, the key, the value.
pub(crate) type Entry = [u32; 3];

/// An object of which only some members are read, before any has its value: as it is copied.
#[derive(Clone, Debug, Default)]
pub(crate) struct EmptySlots(Box<[u8]>);

impl EmptySlots {
    /// By the hashes and handles of the keys, in the order of the keys.
    pub(crate) fn new(keys: impl ExactSizeIterator<Item = [u32; 2]>) -> Self {
        let count = u32::try_from(keys.len()).unwrap_or(u32::MAX);
        let kind = u32::from(KIND_OBJECT) | u32::from(FLAG_SORTED | FLAG_SLOTS) << 8;
        let header = [kind, count, count, 0, 0, 0];
        let words = header.into_iter().chain(keys.flat_map(|[hash, key]| [hash, key, UNDEFINED]));
        let mut bytes: Vec<u8> = words.flat_map(u32::to_le_bytes).collect();
        bytes.resize(bytes.len().next_multiple_of(ALIGN as usize), 0);
        Self(bytes.into())
    }

    /// Where the value of a member lies in the object, by its position.
    pub(crate) const fn place(position: usize) -> usize {
        TABLE_SIZE as usize + position * OBJECT_ENTRY as usize + ENTRY_VALUE as usize
    }
}

/// A text among other bytes, which are read with it where that is faster.
#[derive(Clone, Copy)]
pub(crate) struct Text<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) start: usize,
    pub(crate) length: usize,
}

impl Text<'_> {
    /// Whether it is this text.
    #[inline]
    pub(crate) fn is(&self, other: &[u8]) -> bool {
        self.bytes.get(self.start..self.start + self.length) == Some(other)
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self { bytes: text.as_bytes(), start: 0, length: text.len() }
    }
}

impl<'m> Heap<'m> {
    pub(crate) fn new(memory: &'m mut [u8], top: u32) -> Self {
        // What does not fit the host's addresses is beyond the end of any memory.
        let top = usize::try_from(align_up(top)).unwrap_or(usize::MAX);
        Self { memory, top }
    }

    /// The same memory for somebody else, who says later how far it is filled.
    pub(super) fn lend(&mut self) -> Heap<'_> {
        Heap { memory: self.memory, top: self.top }
    }

    /// Goes on where another left off.
    pub(super) fn go_on(&mut self, top: u32) {
        self.top = top as usize;
    }

    /// The first free address.
    pub(crate) fn top(&self) -> u32 {
        u32::try_from(self.top).unwrap_or(u32::MAX)
    }

    /// Room for an object of the heap: its address and its bytes, which are not cleared.
    #[inline(always)]
    fn reserve(&mut self, size: usize) -> Result<(u32, &mut [u8]), Fault> {
        self.reserve_aligned(size.checked_next_multiple_of(ALIGN as usize).ok_or(Fault::Full)?)
    }

    /// The same for a size that is a multiple of [`ALIGN`].
    #[inline(always)]
    fn reserve_aligned(&mut self, size: usize) -> Result<(u32, &mut [u8]), Fault> {
        let start = self.top;
        let end = start.checked_add(size).ok_or(Fault::Full)?;
        let room = self.memory.get_mut(start..end).ok_or(Fault::Full)?;
        self.top = end;
        // The end is inside a memory of 32 bits.
        Ok((u32::try_from(start).map_err(|_| Fault::Full)?, room))
    }

    /// A string; its hash is given out beside it.
    #[inline(always)]
    pub(crate) fn string(&mut self, text: Text<'_>) -> Result<(u32, u32), Fault> {
        let length = u32::try_from(text.length).map_err(|_| Fault::Full)?;
        // Room for the words that are full and for one with the rest and the zero at the end.
        let full = text.length / 8;
        let (address, room) = self.reserve(TEXT_BYTES as usize + full * 8 + 8)?;
        let (header, body) = room.split_at_mut_checked(TEXT_BYTES as usize).ok_or(Fault::Full)?;
        let (body, _) = body.as_chunks_mut::<8>();
        let mut hash = Hash64::new(0);
        let (last, body) = body.split_last_mut().ok_or(Fault::Full)?;
        // Most are short, and a loop costs more than its rounds.
        if let [place, ..] = body {
            let word = word_at(text.bytes, text.start);
            hash.word(word);
            *place = word.to_le_bytes();
        }
        if let [_, place, ..] = body {
            let word = word_at(text.bytes, text.start + 8);
            hash.word(word);
            *place = word.to_le_bytes();
        }
        if let [_, _, places @ ..] = body
            && !places.is_empty()
        {
            hash = copy_words_of(text, places, hash);
        }
        let rest = first_bytes(word_at(text.bytes, text.start + full * 8), text.length % 8);
        *last = rest.to_le_bytes();
        if !text.length.is_multiple_of(8) {
            hash.word(rest);
        }
        hash.word(text.length as u64);
        let hash = hash.finish();
        put(header, &[u32::from(KIND_STRING), length, hash, 0]);
        Ok((address, hash))
    }

    /// A text that is all of a slice. Its words are read in one piece each, without asking what lies behind them. What is
    /// long is laid out by a function of its own, so that this one calls nothing and keeps no register over a call.
    #[inline]
    pub(crate) fn text(&mut self, text: &str) -> Result<u32, Fault> {
        if text.len() >= 24 {
            return self.long_text(text);
        }
        self.text_of_words(text.as_bytes(), |places, words| {
            let mut hash = Hash64::new(0);
            if let ([place, ..], [word, ..]) = (&mut *places, words) {
                hash.word(u64::from_le_bytes(*word));
                *place = *word;
            }
            if let ([_, place, ..], [_, word, ..]) = (places, words) {
                hash.word(u64::from_le_bytes(*word));
                *place = *word;
            }
            hash
        })
    }

    #[inline(never)]
    fn long_text(&mut self, text: &str) -> Result<u32, Fault> {
        self.text_of_words(text.as_bytes(), |places, words| {
            let mut hash = Hash64::new(0);
            let mut words = words.iter();
            for place in places {
                let Some(word) = words.next() else { break };
                hash.word(u64::from_le_bytes(*word));
                *place = *word;
            }
            hash
        })
    }

    /// A text, of which `copy` copies and hashes the words of eight bytes.
    #[inline(always)]
    fn text_of_words(
        &mut self,
        text: &[u8],
        copy: impl FnOnce(&mut [[u8; 8]], &[[u8; 8]]) -> Hash64,
    ) -> Result<u32, Fault> {
        let (words, rest) = text.as_chunks::<8>();
        let length = u32::try_from(text.len()).map_err(|_| Fault::Full)?;
        let (address, room) = self.reserve_aligned(TEXT_BYTES as usize + words.len() * 8 + 8)?;
        let (header, body) = room.split_first_chunk_mut::<{ TEXT_BYTES as usize }>().ok_or(Fault::Full)?;
        let (last, body) = body.as_chunks_mut::<8>().0.split_last_mut().ok_or(Fault::Full)?;
        let mut hash = copy(body, words);
        let mut end = 0;
        if !rest.is_empty() {
            end = last_word(text, rest);
            hash.word(end);
        }
        *last = end.to_le_bytes();
        hash.word(text.len() as u64);
        put(header, &[u32::from(KIND_STRING), length, hash.finish(), 0]);
        Ok(address)
    }

    /// A number that is no integer of 64 bits.
    pub(crate) fn decimal(&mut self, text: &[u8], hash: u32) -> Result<u32, Fault> {
        let length = u32::try_from(text.len()).map_err(|_| Fault::Full)?;
        let (address, room) = self.reserve(TEXT_BYTES as usize + text.len() + 1)?;
        let (header, body) = room.split_at_mut_checked(TEXT_BYTES as usize).ok_or(Fault::Full)?;
        put(header, &[u32::from(KIND_DECIMAL), length, hash, 0]);
        // The padding first: the text overwrites what it does not need.
        if let Some(last) = body.last_chunk_mut::<8>() {
            *last = [0; 8];
        }
        body.get_mut(..text.len()).ok_or(Fault::Full)?.copy_from_slice(text);
        Ok(address)
    }

    #[inline]
    pub(crate) fn int(&mut self, int: i64) -> Result<u32, Fault> {
        if let Some(handle) = small_int(int) {
            return Ok(handle);
        }
        let (address, room) = self.reserve(INT_SIZE as usize)?;
        let [low, high] = halves(int.cast_unsigned());
        put(room, &[u32::from(KIND_INT), 0, low, high]);
        Ok(address)
    }

    /// An array of items that are yet to come, one word each behind the first [`ARRAY_SIZE`] bytes.
    #[inline]
    pub(crate) fn empty_array(&mut self, count: usize) -> Result<u32, Fault> {
        let length = u32::try_from(count).map_err(|_| Fault::Full)?;
        let (address, room) = self.reserve(ARRAY_SIZE as usize + count * 4)?;
        put(room, &[u32::from(KIND_ARRAY), length, length, address + ARRAY_SIZE]);
        Ok(address)
    }

    pub(crate) fn array(&mut self, items: &[u32]) -> Result<u32, Fault> {
        self.words(items, items.len(), 0)
    }

    /// An array and what it is searched by; see [`FLAG_COLUMN`].
    pub(crate) fn array_with_column(&mut self, items: &mut Vec<u32>, column: &[u32]) -> Result<u32, Fault> {
        let count = items.len();
        items.extend(column);
        self.words(items, count, FLAG_COLUMN)
    }

    /// An array of the first `count` words, and the others behind them.
    #[inline(always)]
    fn words(&mut self, items: &[u32], count: usize, flags: u8) -> Result<u32, Fault> {
        let count = u32::try_from(count).map_err(|_| Fault::Full)?;
        let kind = u32::from(KIND_ARRAY) | u32::from(flags) << 8;
        let (address, room) = self.reserve(ARRAY_SIZE as usize + items.len() * 4)?;
        let (header, body) = room.split_at_mut_checked(ARRAY_SIZE as usize).ok_or(Fault::Full)?;
        put(header, &[kind, count, count, address + ARRAY_SIZE]);
        put(body, items);
        Ok(address)
    }

    /// An object. Of members with equal keys, which are strings, the last one counts.
    pub(crate) fn object(&mut self, entries: &mut [Entry], flags: u8) -> Result<u32, Fault> {
        let capacity = u32::try_from(entries.len()).map_err(|_| Fault::Full)?;
        let slots = index_slots(capacity);
        if slots > 0 {
            return self.indexed_object(entries, flags, slots);
        }
        let repeats = (1..entries.len()).any(|at| {
            let (earlier, rest) = entries.split_at_checked(at).unwrap_or_default();
            rest.first().is_some_and(|entry| earlier.iter().any(|other| other[0] == entry[0]))
        });
        let count = if repeats { self.distinct(entries) } else { entries.len() };
        self.table(entries.get(..count).unwrap_or_default(), flags, (0, 0))
    }

    /// Moves the entries that count to the front: how many they are.
    #[cold]
    fn distinct(&self, entries: &mut [Entry]) -> usize {
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
        count
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

    /// An object of which only these members are read, which stand in the order of their keys; see [`FLAG_SLOTS`].
    pub(crate) fn slots(&mut self, entries: &[Entry]) -> Result<u32, Fault> {
        self.table(entries, FLAG_SORTED | FLAG_SLOTS, (0, 0))
    }

    /// The same for members that are yet to come.
    #[inline]
    pub(crate) fn empty_slots(&mut self, empty: &EmptySlots) -> Result<u32, Fault> {
        let (address, room) = self.reserve_aligned(empty.0.len())?;
        room.copy_from_slice(&empty.0);
        if let Some(items) = room.get_mut(ITEMS as usize..).and_then(|rest| rest.first_chunk_mut()) {
            *items = (address + TABLE_SIZE).to_le_bytes();
        }
        Ok(address)
    }

    /// Gives a member of such an object its value, or an item to such an array. `place` is where in it, for a member what
    /// [`EmptySlots::place`] says.
    #[inline]
    pub(crate) fn fill_slot(&mut self, object: usize, place: usize, value: u32) {
        self.set_word(object + place, value);
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
        let mut entries = entries.iter();
        for place in body.as_chunks_mut::<{ OBJECT_ENTRY as usize }>().0 {
            let Some(words) = entries.next() else { break };
            *place = entry(*words);
        }
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
    pub(crate) fn copy(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let (_, room) = self.reserve(bytes.len())?;
        room.get_mut(..bytes.len()).ok_or(Fault::Full)?.copy_from_slice(bytes);
        Ok(())
    }
}

/// The words of a text from the third on.
#[inline(never)]
fn copy_words_of(text: Text<'_>, places: &mut [[u8; 8]], mut hash: Hash64) -> Hash64 {
    let mut from = text.start + 16;
    for place in places {
        let word = word_at(text.bytes, from);
        hash.word(word);
        *place = word.to_le_bytes();
        from += 8;
    }
    hash
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

/// An entry's bytes: two words and one, for a copy of the whole would be a call.
#[inline(always)]
fn entry([hash, key, value]: Entry) -> [u8; OBJECT_ENTRY as usize] {
    let [a, b, c, d] = hash.to_le_bytes();
    let [e, f, g, h] = key.to_le_bytes();
    let [i, j, k, l] = value.to_le_bytes();
    [a, b, c, d, e, f, g, h, i, j, k, l]
}

/// Writes words, little endian.
#[inline(always)]
fn put(room: &mut [u8], words: &[u32]) {
    // No `zip`: it is a call where crates are compiled apart.
    let mut words = words.iter();
    for place in room.as_chunks_mut::<4>().0 {
        let Some(word) = words.next() else { return };
        *place = word.to_le_bytes();
    }
}
