//! What a module says it reads of its input: the custom section `rego-input`, whose form `rego_wasm::projection`
//! describes.

use rego_value::Value;
use rego_value::abi::hash_string;
use rego_value::abi::projection::{EACH, WHOLE};

use super::heap::{EmptySlots, Text};
use super::scan::{first_bytes, word_at};

/// What is read at a place of the input, and below it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Node {
    /// Everything.
    pub(crate) whole: bool,
    /// The members of an object that are read, in the order of their keys.
    pub(crate) members: Box<[Member]>,
    /// All other members, and all elements of an array.
    pub(crate) each: Option<Box<Node>>,
    /// The first bytes of each member's key and its length, in the order of `members`.
    heads: Box<[(u64, usize)]>,
    /// The bits of all keys.
    filter: u64,
    /// The object that has only them.
    empty: EmptySlots,
}

/// A member that is read.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    /// The key's constant in the module.
    pub(crate) handle: u32,
    pub(crate) hash: u32,
    pub(crate) key: Box<str>,
    /// The key as a value, to look it up in one.
    pub(crate) value: Value,
    pub(crate) node: Node,
}

impl Member {
    /// The hash and the handle of the key, as they stand in entries.
    pub(crate) const fn entry(&self) -> [u32; 2] {
        [self.hash, self.handle]
    }
}

/// As deep as sections go; the compiler stops far earlier.
const MAX_DEPTH: usize = 64;

impl Node {
    /// A node that reads everything: for modules that do not say what they read.
    pub(crate) fn whole() -> Self {
        Self { whole: true, ..Self::default() }
    }

    /// The position of the member with this key.
    #[inline(always)]
    pub(super) fn find(&self, key: Text<'_>) -> Option<usize> {
        let head = first_bytes(word_at(key.bytes, key.start), key.length);
        // Most keys of most inputs are none of ours.
        if self.filter & filter(head, key.length) == 0 {
            return None;
        }
        self.find_among(key, head)
    }

    /// The position of the member with this name.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.members.iter().position(|member| *member.key == *name)
    }

    #[inline]
    fn find_among(&self, key: Text<'_>, head: u64) -> Option<usize> {
        // A few dozen heads in a row are compared faster than any table is asked.
        for (position, (other, length)) in self.heads.iter().enumerate() {
            if *other == head && *length == key.length && (key.length <= 8 || self.is(position, key)) {
                return Some(position);
            }
        }
        None
    }

    fn is(&self, position: usize, key: Text<'_>) -> bool {
        self.members.get(position).is_some_and(|member| key.is(member.key.as_bytes()))
    }

    /// An object of the members that are read, before any has its value.
    pub(crate) const fn empty(&self) -> &EmptySlots {
        &self.empty
    }
}

/// The bit of a key by its first bytes and its length.
#[inline(always)]
const fn filter(head: u64, length: usize) -> u64 {
    let mixed = (head ^ length as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    1 << (mixed >> 58)
}

/// Reads a section. None when it is malformed.
pub(crate) fn decode(section: &[u8]) -> Option<Node> {
    let mut rest = section;
    let node = node(&mut rest, 0)?;
    rest.is_empty().then_some(node)
}

fn node(rest: &mut &[u8], depth: usize) -> Option<Node> {
    if depth > MAX_DEPTH {
        return None;
    }
    let (flags, after) = rest.split_first()?;
    *rest = after;
    let count = usize::try_from(word(rest)?).ok()?;
    // Each takes more than eight bytes: a count that cannot be is refused before anything is reserved for it.
    if count > rest.len() / 8 {
        return None;
    }
    let mut members = Vec::with_capacity(count);
    for _ in 0..count {
        let handle = word(rest)?;
        let length = usize::try_from(word(rest)?).ok()?;
        let (key, after) = rest.split_at_checked(length)?;
        *rest = after;
        let key: Box<str> = std::str::from_utf8(key).ok()?.into();
        let hash = hash_string(key.as_bytes());
        let value = Value::from(&*key);
        members.push(Member { handle, hash, key, value, node: node(rest, depth + 1)? });
    }
    if !members.is_sorted_by(|one, next| one.key < next.key) {
        return None;
    }
    let each = if flags & EACH == 0 { None } else { Some(Box::new(node(rest, depth + 1)?)) };
    let head = |member: &Member| {
        (first_bytes(word_at(member.key.as_bytes(), 0), member.key.len()), member.key.len())
    };
    let heads: Box<[(u64, usize)]> = members.iter().map(head).collect();
    let filter = heads.iter().fold(0, |bits, (head, length)| bits | filter(*head, *length));
    let empty = EmptySlots::new(members.iter().map(Member::entry));
    Some(Node { whole: flags & WHOLE != 0, members: members.into(), each, heads, filter, empty })
}

fn word(rest: &mut &[u8]) -> Option<u32> {
    let (bytes, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(u32::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_that_is_cut_anywhere_is_refused() {
        let leaf = [0, 0, 0, 0, 0];
        let mut section = vec![EACH, 1, 0, 0, 0, 64, 0, 0, 0, 1, 0, 0, 0, b'a'];
        section.extend(leaf);
        section.extend([WHOLE, 0, 0, 0, 0]);
        let node = decode(&section).unwrap();
        assert_eq!(node.find("a".into()), Some(0));
        assert_eq!(node.find("b".into()), None);
        assert!(node.each.unwrap().whole && !node.whole);
        for end in 0..section.len() {
            assert!(decode(&section[..end]).is_none(), "{end}");
        }
        section.push(0);
        assert!(decode(&section).is_none());
        assert!(decode(&[0, 255, 255, 255, 255]).is_none());
        assert!(decode(&[EACH, 0, 0, 0, 0].repeat(1000)).is_none());
    }
}
