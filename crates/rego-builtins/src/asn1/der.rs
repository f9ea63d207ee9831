//! A cursor over DER elements, as Go's `cryptobyte.String`.

use num_bigint::BigInt;

use super::{Oid, tag};
use crate::x509::Time;

/// Bytes of which elements are taken from the front. What is not there as asked for gives `None`; where the
/// cursor then stands does not matter, since every caller gives up.
#[derive(Clone, Copy)]
pub(crate) struct Der<'a>(pub(crate) &'a [u8]);

/// A bit string: its bytes, and how many bits of the last one do not belong to it.
#[derive(Clone, Copy)]
pub(crate) struct BitString<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) unused: u8,
}

impl<'a> BitString<'a> {
    /// Reads the contents of an element.
    pub(crate) fn decode(contents: &'a [u8]) -> Option<Self> {
        let (unused, bytes) = contents.split_first()?;
        let spare_are_zero = match bytes.last() {
            Some(last) => last.trailing_zeros() >= u32::from(*unused),
            None => *unused == 0,
        };
        (*unused <= 7 && spare_are_zero).then_some(Self { bytes, unused: *unused })
    }

    /// The bit at a position from the first; zero beyond the end.
    pub(crate) fn bit(&self, position: usize) -> bool {
        let byte = self.bytes.get(position / 8).copied().unwrap_or_default();
        position < self.bytes.len() * 8 - usize::from(self.unused) && byte >> (7 - position % 8) & 1 == 1
    }

    /// The bytes with the unused bits moved to the front.
    pub(crate) fn right_align(&self) -> Vec<u8> {
        let shift = u32::from(self.unused);
        let mut carry = 0u16;
        let shifted = self.bytes.iter().map(|byte| {
            carry = carry << 8 | u16::from(*byte);
            (carry >> shift).to_be_bytes()[1]
        });
        shifted.collect()
    }
}

impl<'a> Der<'a> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next element whatever it is: its tag, all of its bytes, and its contents.
    pub(crate) fn any(&mut self) -> Option<(u8, &'a [u8], &'a [u8])> {
        let (tag, length) = (*self.0.first()?, *self.0.get(1)?);
        // Long tags are not used by anything read here.
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (header, length) = if length < 0x80 {
            (2, usize::from(length))
        } else {
            let count = usize::from(length & 0x7f);
            let digits = self.0.get(2..2 + count)?;
            if !(1..=4).contains(&count) || digits.first() == Some(&0) {
                return None;
            }
            let length = digits.iter().fold(0usize, |length, digit| length << 8 | usize::from(*digit));
            if length < 0x80 {
                return None;
            }
            (2 + count, length)
        };
        let element = self.0.get(..header.checked_add(length)?)?;
        self.0 = self.0.get(element.len()..)?;
        Some((tag, element, element.get(header..)?))
    }

    /// All bytes of the next element, which has this tag.
    pub(crate) fn element(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.any().filter(|(found, ..)| *found == tag).map(|(_, element, _)| element)
    }

    /// The contents of the next element, which has this tag.
    pub(crate) fn contents(&mut self, tag: u8) -> Option<Der<'a>> {
        self.any().filter(|(found, ..)| *found == tag).map(|(_, _, contents)| Der(contents))
    }

    pub(crate) fn peek(&self, tag: u8) -> bool {
        self.0.first() == Some(&tag)
    }

    /// The contents of the next element if it has this tag; the outer `None` is an error.
    pub(crate) fn optional(&mut self, tag: u8) -> Option<Option<Der<'a>>> {
        if self.peek(tag) { self.contents(tag).map(Some) } else { Some(None) }
    }

    /// The bytes of an integer, in their shortest form.
    fn integer_bytes(&mut self) -> Option<&'a [u8]> {
        let bytes = self.contents(tag::INTEGER)?.0;
        shortest(bytes).then_some(bytes)
    }

    /// The bytes of an integer that is not negative.
    pub(crate) fn unsigned_bytes(&mut self) -> Option<&'a [u8]> {
        self.integer_bytes().filter(|bytes| bytes.first().is_some_and(|first| first & 0x80 == 0))
    }

    pub(crate) fn big_integer(&mut self) -> Option<BigInt> {
        self.integer_bytes().map(BigInt::from_signed_bytes_be)
    }

    pub(crate) fn integer(&mut self) -> Option<i64> {
        signed(self.integer_bytes()?)
    }

    /// An integer with a tag of its own.
    pub(crate) fn tagged_integer(&mut self, tag: u8) -> Option<i64> {
        let bytes = self.contents(tag)?.0;
        shortest(bytes).then(|| signed(bytes))?
    }

    pub(crate) fn boolean(&mut self) -> Option<bool> {
        match self.contents(tag::BOOLEAN)?.0 {
            [0] => Some(false),
            [0xff] => Some(true),
            _ => None,
        }
    }

    pub(crate) fn oid(&mut self) -> Option<Oid> {
        Oid::decode(self.contents(tag::OID)?.0)
    }

    pub(crate) fn bit_string(&mut self) -> Option<BitString<'a>> {
        BitString::decode(self.contents(tag::BIT_STRING)?.0)
    }

    pub(crate) fn utc_time(&mut self) -> Option<Time> {
        Time::from_utc_time(self.contents(tag::UTC_TIME)?.0)
    }

    pub(crate) fn generalized_time(&mut self) -> Option<Time> {
        Time::from_generalized_time(self.contents(tag::GENERALIZED_TIME)?.0)
    }
}

/// Whether an integer has no byte more than it needs.
pub(super) fn shortest(bytes: &[u8]) -> bool {
    match bytes {
        [] => false,
        [0, second, ..] => second & 0x80 != 0,
        [0xff, second, ..] => second & 0x80 == 0,
        _ => true,
    }
}

pub(super) fn signed(bytes: &[u8]) -> Option<i64> {
    i64::try_from(BigInt::from_signed_bytes_be(bytes)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_shortest_encodings_are_elements() {
        assert!(Der(&[0x30, 0x00]).contents(tag::SEQUENCE).is_some());
        for bad in [&[0x30][..], &[0x30, 0x80], &[0x30, 0x81, 0x01, 0], &[0x30, 0x01], &[0x1f, 0x01, 0x00]] {
            assert!(Der(bad).any().is_none(), "{bad:?}");
        }
        let mut long = vec![0x04, 0x81, 0x80];
        long.extend([7; 0x80]);
        assert_eq!(Der(&long).contents(tag::OCTET_STRING).unwrap().0.len(), 0x80);
        assert_eq!(Der(&[2, 1, 0x80]).integer(), Some(-128));
        assert_eq!(Der(&[2, 2, 0, 0x7f]).integer(), None);
        assert_eq!(Der(&[1, 1, 1]).boolean(), None);
    }

    #[test]
    fn bits_count_from_the_first() {
        let bits = BitString::decode(&[5, 0xa0]).unwrap();
        assert_eq!([bits.bit(0), bits.bit(1), bits.bit(2), bits.bit(3)], [true, false, true, false]);
        assert_eq!(bits.right_align(), [5]);
        assert!(BitString::decode(&[1, 0x01]).is_none());
        assert!(BitString::decode(&[3]).is_none());
        assert!(BitString::decode(&[9, 0]).is_none());
    }
}
