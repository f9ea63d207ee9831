//! The layout of values in a module's memory, and what the host and the module agree on beside OPA's ABI.
//!
//! Read and written by three parties: `rego-runtime` inside the module, `rego-wasm` for the constants that it lays out
//! at compile time ([`Writer`]), and `rego-engine` for inputs, data and results ([`Writer`], [`read`]). Everything is
//! little endian. A change of anything here is a change of [`LAYOUT_VERSION`].
//!
//! # Handles
//! A value is a `u32` (`i32` in Wasm):
//!
//! | handle | value |
//! |---|---|
//! | `0` | undefined ([`UNDEFINED`]) |
//! | low bit 1 | an integer of 31 bits, the handle shifted right arithmetically by one ([`small_int`]) |
//! | low three bits `010` | an immediate: `2` null, `10` false, `18` true |
//! | low three bits `000` | the address of a heap object, aligned to 8 |
//!
//! An integer that fits 31 bits is *always* a small one, one that fits 64 bits and is written plainly is always
//! [`KIND_INT`]: so two integers that are not equal as handles or by their 64 bits are not equal, unless a
//! [`KIND_DECIMAL`] takes part (`1.0`).
//!
//! # Heap objects
//! The first byte is the kind, the second the flags, bytes 2 and 3 are zero, and the `u32` at [`LEN`] is the length.
//!
//! | kind | 4 | 8 | 12 | 16 | 20 | size |
//! |---|---|---|---|---|---|---|
//! | [`KIND_STRING`] | bytes | hash | 0 | UTF-8, then at least one zero | | 16 + ⌈len + 1⌉₈ |
//! | [`KIND_INT`] | 0 | value (`i64`) | | | | 16 |
//! | [`KIND_DECIMAL`] | bytes | hash | 0 | text, then at least one zero | | 16 + ⌈len + 1⌉₈ |
//! | [`KIND_FLOAT`] | exponent (`i32`) | mantissa (`u64`) | | | | 16 |
//! | [`KIND_ARRAY`] | items | capacity | items ptr | | | 16 |
//! | [`KIND_OBJECT`] | members | capacity | entries ptr | index ptr | index mask | 24 |
//! | [`KIND_SET`] | elements | capacity | entries ptr | index ptr | index mask | 24 |
//!
//! - *Texts* are padded with zeros to 8 bytes, so that they can be compared in words; one zero at least follows, so that
//!   they are C strings too.
//! - *Float*: what arithmetic gives where the result is no integer, `± mantissa × 2^exponent` with [`FLAG_NEGATIVE`]. It
//!   stands for the decimal number that OPA writes for it ([`crate::number::Float::to_number`]); it is made only where
//!   [`crate::number::Float::is_kept`] holds.
//! - *Array*: `items ptr` points at `capacity` handles of 4 bytes.
//! - *Object*: an entry is `{hash, key, value}`, 12 bytes ([`OBJECT_ENTRY`]); *set*: `{hash, key}`, 8 bytes
//!   ([`SET_ENTRY`]). `hash` is [the hash](hash_string) of the key. Keys are distinct by value.
//! - With [`FLAG_SORTED`] the entries stand in Rego's order of their keys. Without it they stand in order of insertion,
//!   and whoever needs the order sorts them *in place* first (inside a module `rt_iter_len` does). Nothing is ever
//!   allocated for the order later: an object outlives the rewinding of the heap above it.
//! - Up to [`LINEAR_MAX`] entries have no index (`index ptr` 0): look at each entry's hash. Beyond it, `index ptr` points
//!   at `index mask + 1` slots of `u32` (a power of two, at least twice the capacity): 0 is free, otherwise the entry's
//!   position plus one. The search begins at `hash & mask` and steps by one.
//! - [`FLAG_SLOTS`]: an object of the input of which only members with constant keys are read: it has an entry for each of
//!   them, in the order of the keys, right behind its header, without an index. The value is undefined where the input
//!   has no such member; so nothing but lookups of those keys may see the object, which is what the reader of a
//!   module's section `rego-input` sees to.
//! - [`FLAG_CONSTANT`]: lies in a data segment; sorted, indexed, and never written to.
//!
//! # The error record
//! A builtin that fails gives undefined and leaves a record, of which the first is kept: [`error`].

mod column;
mod hash;
mod read;
mod write;

pub use column::{COLUMN_PADDING, Column, Known, column, mix};
pub use hash::{
    HASH_FALSE, HASH_NULL, HASH_TRUE, Hash64, add_member, combine_entry, finish_members, hash_array,
    hash_int, hash_members, hash_set, hash_string, hash_value,
};
pub use read::{ReadError, View, read};
pub use write::{LayoutError, Strings, Writer};

/// The version of this layout; a module carries it in its custom section.
pub const LAYOUT_VERSION: u32 = 2;

/// The handle of no value.
pub const UNDEFINED: u32 = 0;
/// The handle of `null`.
pub const NULL: u32 = 2;
/// The handle of `false`.
pub const FALSE: u32 = 10;
/// The handle of `true`.
pub const TRUE: u32 = 18;

/// A string.
pub const KIND_STRING: u8 = 1;
/// An integer of 64 bits that does not fit 31.
pub const KIND_INT: u8 = 2;
/// Any other number, as its text.
pub const KIND_DECIMAL: u8 = 3;
/// A number that arithmetic gave and whose text nobody has asked for yet.
pub const KIND_FLOAT: u8 = 7;
/// An array.
pub const KIND_ARRAY: u8 = 4;
/// An object.
pub const KIND_OBJECT: u8 = 5;
/// A set.
pub const KIND_SET: u8 = 6;

/// The entries stand in Rego's order.
pub const FLAG_SORTED: u8 = 1;
/// An entry for each member that is read, at its own place.
pub const FLAG_SLOTS: u8 = 8;
/// An array with a [`Column`] behind its items: the column's number, then a word for each item, then as many words more
/// as [`COLUMN_PADDING`] says, so that several can be read at once.
pub const FLAG_COLUMN: u8 = 16;
/// The number is negative.
pub const FLAG_NEGATIVE: u8 = 4;
/// In a data segment: must not be written to.
pub const FLAG_CONSTANT: u8 = 2;

/// Offset of the kind (`u8`).
pub const KIND: u32 = 0;
/// Offset of the flags (`u8`).
pub const FLAGS: u32 = 1;
/// Offset of the length (`u32`): bytes of a text, elements of a collection.
pub const LEN: u32 = 4;
/// Offset of a text's hash (`u32`).
pub const TEXT_HASH: u32 = 8;
/// Offset of a text's bytes.
pub const TEXT_BYTES: u32 = 16;
/// Offset of an integer's value (`i64`).
pub const INT_VALUE: u32 = 8;
/// Offset of a float's exponent (`i32`).
pub const FLOAT_EXPONENT: u32 = 4;
/// Offset of a float's mantissa (`u64`).
pub const FLOAT_MANTISSA: u32 = 8;
/// Size of a float.
pub const FLOAT_SIZE: u32 = 16;
/// Offset of a collection's capacity (`u32`).
pub const CAPACITY: u32 = 8;
/// Offset of the pointer to a collection's items or entries (`u32`).
pub const ITEMS: u32 = 12;
/// Offset of the pointer to the index of an object or set (`u32`, 0 while there is none).
pub const INDEX: u32 = 16;
/// Offset of the index's mask (`u32`).
pub const INDEX_MASK: u32 = 20;
/// Size of an array's header.
pub const ARRAY_SIZE: u32 = 16;
/// Size of the header of an object or set.
pub const TABLE_SIZE: u32 = 24;
/// Size of a boxed integer.
pub const INT_SIZE: u32 = 16;
/// Size of an object's entry.
pub const OBJECT_ENTRY: u32 = 12;
/// Size of a set's entry.
pub const SET_ENTRY: u32 = 8;
/// Offset of the hash in an entry.
pub const ENTRY_HASH: u32 = 0;
/// Offset of the key in an entry.
pub const ENTRY_KEY: u32 = 4;
/// Offset of the value in an object's entry.
pub const ENTRY_VALUE: u32 = 8;
/// The most entries that an object or set has without an index.
pub const LINEAR_MAX: u32 = 8;
/// The alignment of heap objects.
pub const ALIGN: u32 = 8;

/// The range of integers that are handles themselves.
pub const SMALL_INT: core::ops::RangeInclusive<i64> = -(1 << 30)..=(1 << 30) - 1;

/// The handle of an integer of 31 bits.
#[must_use]
pub const fn small_int(int: i64) -> Option<u32> {
    if int < -(1 << 30) || int > (1 << 30) - 1 {
        return None;
    }
    // In range: shifting keeps every bit.
    Some(((int as i32) << 1) as u32 | 1)
}

/// The integer of a handle whose low bit is 1.
#[must_use]
pub const fn small_int_value(handle: u32) -> i64 {
    ((handle as i32) >> 1) as i64
}

/// Rounds up to [`ALIGN`].
#[must_use]
pub const fn align_up(size: u32) -> u32 {
    (size + (ALIGN - 1)) & !(ALIGN - 1)
}

/// The number of index slots for so many entries: 0 where none is needed.
#[must_use]
pub const fn index_slots(capacity: u32) -> u32 {
    if capacity <= LINEAR_MAX { 0 } else { (capacity * 2).next_power_of_two() }
}

/// The flags of a node in the tree of what a module reads of its input (`rego_wasm::projection`).
pub mod projection {
    /// Everything at and below the place is read.
    pub const WHOLE: u8 = 1;
    /// All members and elements are read.
    pub const EACH: u8 = 2;
}

/// The first error of an evaluation, a record of five `u32` at the address that `rego_error_slot()` returns.
///
/// A builtin of the module writes [`error::STATE_PENDING`], the code and a string; the generated code then calls
/// `rt_builtin_failed(location)`, which stamps the location and makes it [`error::STATE_RECORDED`]. Later errors of the same
/// evaluation are dropped. A host builtin does the same: while the state is [`error::STATE_NONE`], the host allocates a string
/// in the module, writes code and message, and sets [`error::STATE_PENDING`] before it returns 0.
pub mod error {
    /// Offset of the state.
    pub const STATE: u32 = 0;
    /// Offset of the code.
    pub const CODE: u32 = 4;
    /// Offset of the message's handle: a string, `name: text`, as OPA words it.
    pub const MESSAGE: u32 = 8;
    /// Offset of the location: what `rt_builtin_failed` was given.
    pub const LOCATION: u32 = 12;
    /// Size of the record.
    pub const SIZE: u32 = 16;

    /// No error so far.
    pub const STATE_NONE: u32 = 0;
    /// An error whose location is not known yet.
    pub const STATE_PENDING: u32 = 1;
    /// An error with its location.
    pub const STATE_RECORDED: u32 = 2;

    /// OPA's `eval_builtin_error`.
    pub const CODE_BUILTIN: u32 = 1;
    /// OPA's `eval_type_error`.
    pub const CODE_TYPE: u32 = 2;
    /// OPA's `eval_conflict_error`.
    pub const CODE_CONFLICT: u32 = 3;
    /// OPA's `eval_internal_error`.
    pub const CODE_INTERNAL: u32 = 4;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_integers_are_handles() {
        for int in [0, 1, -1, 7, (1 << 30) - 1, -(1 << 30)] {
            let handle = small_int(int).unwrap();
            assert_eq!(handle & 1, 1);
            assert_eq!(small_int_value(handle), int);
        }
        assert_eq!(small_int(1 << 30), None);
        assert_eq!(small_int(-(1 << 30) - 1), None);
    }

    #[test]
    fn an_index_is_at_most_half_full() {
        assert_eq!(index_slots(8), 0);
        assert_eq!(index_slots(9), 32);
        assert_eq!(index_slots(16), 32);
        assert_eq!(index_slots(17), 64);
    }
}
