//! The hash of a key: the same on the host, in constants and in the module.
//!
//! A multiply-rotate hash over words of eight bytes, so that a reader of JSON hashes a string while it looks for its
//! end. It has no secret: the keys of an input can be made to collide, and then a lookup costs a scan; the deadline
//! bounds that.

use crate::Value;
use alloc::vec::Vec;

/// The hash of `null`.
pub const HASH_NULL: u32 = 0x1b87_3593;
/// The hash of `false`.
pub const HASH_FALSE: u32 = 0x85eb_ca6b;
/// The hash of `true`.
pub const HASH_TRUE: u32 = 0xc2b2_ae35;

/// A hash in the making.
#[derive(Clone, Copy, Debug)]
pub struct Hash64(u64);

impl Hash64 {
    /// What each step multiplies with.
    pub const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
    /// By how many bits each step rotates first.
    pub const ROTATION: u32 = 23;
    /// What the hash of an integer begins with.
    pub const SEED_INT: u64 = 1;

    /// Begins one; values of different kinds begin differently.
    #[inline]
    #[must_use]
    pub const fn new(seed: u64) -> Hash64 {
        Hash64(seed)
    }

    /// Takes eight bytes.
    #[inline]
    pub const fn word(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(Self::ROTATION) ^ word).wrapping_mul(Self::MULTIPLIER);
    }

    /// The hash.
    #[inline]
    #[must_use]
    pub const fn finish(self) -> u32 {
        (self.0 ^ self.0 >> 32) as u32
    }
}

/// The hash of a string: its words of eight bytes, little endian, the last one padded with zeros (and left out where
/// it would be empty), then its length.
#[inline]
#[must_use]
pub fn hash_string(bytes: &[u8]) -> u32 {
    let mut hash = Hash64::new(0);
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        hash.word(u64::from_le_bytes(*word));
    }
    if !rest.is_empty() {
        hash.word(rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)));
    }
    hash.word(bytes.len() as u64);
    hash.finish()
}

/// The hash of a number that is an integer of 64 bits, however it is written.
#[inline]
#[must_use]
pub const fn hash_int(int: i64) -> u32 {
    let mut hash = Hash64::new(Hash64::SEED_INT);
    hash.word(int as u64);
    hash.finish()
}

/// The hash of an array of elements with these hashes, in order.
pub fn hash_array(items: impl IntoIterator<Item = u32>) -> u32 {
    let mut hash = Hash64::new(2);
    for item in items {
        hash.word(u64::from(item));
    }
    hash.finish()
}

/// The hash of a set of elements with these hashes, in any order.
pub fn hash_set(items: impl IntoIterator<Item = u32>) -> u32 {
    let mut hash = Hash64::new(4);
    hash.word(items.into_iter().fold(0u64, |sum, item| sum.wrapping_add(spread(item))));
    hash.finish()
}

/// The hash of an object whose members have these hashes (see [`combine_entry`]), in any order.
pub fn hash_members(members: impl IntoIterator<Item = u32>) -> u32 {
    finish_members(members.into_iter().fold(0, add_member))
}

/// Adds a member's hash to a sum that begins at 0.
#[inline]
#[must_use]
pub const fn add_member(sum: u64, member: u32) -> u64 {
    sum.wrapping_add(spread(member))
}

/// The hash of an object whose members' hashes have this sum.
#[must_use]
pub const fn finish_members(sum: u64) -> u32 {
    let mut hash = Hash64::new(6);
    hash.word(sum);
    hash.finish()
}

/// The hash of a member of an object.
#[inline]
#[must_use]
pub const fn combine_entry(key: u32, value: u32) -> u32 {
    let mut hash = Hash64::new(7);
    hash.word((key as u64) << 32 | value as u64);
    hash.finish()
}

const fn spread(hash: u32) -> u64 {
    (hash as u64 + 1).wrapping_mul(Hash64::MULTIPLIER)
}

/// The hash of a value.
#[must_use]
pub fn hash_value(value: &Value) -> u32 {
    enum Step<'a> {
        Visit(&'a Value),
        Close(&'a Value, usize),
    }
    let mut steps = Vec::new();
    let mut hashes: Vec<u32> = Vec::new();
    steps.push(Step::Visit(value));
    while let Some(step) = steps.pop() {
        match step {
            Step::Visit(value) => match value {
                Value::Null => hashes.push(HASH_NULL),
                Value::Bool(truth) => hashes.push(if *truth { HASH_TRUE } else { HASH_FALSE }),
                Value::Number(number) => hashes.push(number.hash32()),
                Value::String(text) => hashes.push(hash_string(text.as_bytes())),
                Value::Array(items) => {
                    steps.push(Step::Close(value, hashes.len()));
                    steps.extend(items.iter().rev().map(Step::Visit));
                }
                Value::Set(items) => {
                    steps.push(Step::Close(value, hashes.len()));
                    steps.extend(items.iter().map(Step::Visit));
                }
                Value::Object(members) => {
                    steps.push(Step::Close(value, hashes.len()));
                    steps.extend(
                        members.iter().flat_map(|(key, value)| [Step::Visit(value), Step::Visit(key)]),
                    );
                }
            },
            Step::Close(value, start) => {
                let parts = hashes.get(start..).unwrap_or_default();
                let hash = match value {
                    Value::Array(_) => hash_array(parts.iter().copied()),
                    Value::Set(_) => hash_set(parts.iter().copied()),
                    _ => hash_members(
                        parts.as_chunks::<2>().0.iter().map(|[key, value]| combine_entry(*key, *value)),
                    ),
                };
                hashes.truncate(start);
                hashes.push(hash);
            }
        }
    }
    hashes.pop().unwrap_or(HASH_NULL)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Number;

    #[test]
    fn equal_numbers_hash_alike() {
        for texts in
            [&["1", "1.0", "1e0", "10e-1", "0.1e1"][..], &["0", "-0", "0.0", "0e9"], &["1.50", "15e-1"]]
        {
            let hashes: Vec<u32> = texts.iter().map(|text| Number::parse(text).unwrap().hash32()).collect();
            assert!(hashes.windows(2).all(|pair| pair[0] == pair[1]), "{texts:?} {hashes:?}");
        }
        assert_eq!(Number::parse("1e2").unwrap().hash32(), hash_int(100));
    }

    #[test]
    fn a_string_ends_where_it_ends() {
        let texts: [&[u8]; 6] = [b"", b"\0", b"\0\0", b"12345678", b"12345678\0", b"1234567"];
        for (i, a) in texts.iter().enumerate() {
            for b in &texts[i + 1..] {
                assert_ne!(hash_string(a), hash_string(b), "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn equal_collections_hash_alike() {
        let set =
            |texts: &[&str]| Value::set(texts.iter().map(|text| Value::from(Number::parse(text).unwrap())));
        assert_eq!(hash_value(&set(&["1", "2"])), hash_value(&set(&["2.0", "1"])));
        assert_ne!(hash_value(&set(&["1", "2"])), hash_value(&set(&["1", "3"])));
        let object = Value::object([(Value::from("a"), Value::from(1)), (Value::from("b"), Value::Null)]);
        assert_ne!(hash_value(&object), hash_value(&Value::object([])));
    }
}
