//! Looking at many bytes of a text at once.

use super::simd::stops_of_16;

/// A one in each byte.
pub(super) const ONES: u64 = 0x0101_0101_0101_0101;
/// The top bit of each byte.
pub(super) const TOPS: u64 = 0x8080_8080_8080_8080;

/// The eight bytes at `at`, little endian; zeros stand for what lies behind the end.
#[inline(always)]
pub(super) fn word_at(text: &[u8], at: usize) -> u64 {
    match text.get(at..).and_then(|rest| rest.first_chunk()) {
        Some(bytes) => u64::from_le_bytes(*bytes),
        None => last_word(text, text.get(at..).unwrap_or_default()),
    }
}

/// The last bytes of a text, fewer than eight: put together of wide parts that overlap.
#[inline]
pub(super) fn last_word(text: &[u8], rest: &[u8]) -> u64 {
    let count = rest.len() % 8;
    if let Some(bytes) = text.last_chunk() {
        // In two steps: by all 64 bits nothing can be moved.
        return u64::from_le_bytes(*bytes) >> 8 >> (8 * (7 - count));
    }
    match (rest.first_chunk(), rest.last_chunk()) {
        (Some(first), Some(last)) => {
            u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << (8 * (count - 4))
        }
        _ => rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    }
}

/// A word of which only the first bytes are wanted: the others are made zero.
#[inline(always)]
pub(super) const fn first_bytes(word: u64, count: usize) -> u64 {
    if count < 8 { word & ((1 << (count * 8)) - 1) } else { word }
}

/// Where a string's run of plain bytes ends: at a quote, a backslash, a control character or the text's end.
#[inline(always)]
pub(super) fn plain_end(text: &[u8], mut at: usize) -> usize {
    while let Some(block) = text.get(at..).and_then(|rest| rest.first_chunk()) {
        let stops = stops_of_16(block);
        if stops != 0 {
            return at + stops.trailing_zeros() as usize;
        }
        at += 16;
    }
    // The last string of a small text is as hot as the others: the bytes that are left, then zeros, which end any run.
    let left = text.len().saturating_sub(at) % 16;
    match text.last_chunk() {
        Some(last) => {
            // In two steps: by all 128 bits nothing can be moved.
            let block = u128::from_le_bytes(*last) >> 8 >> (8 * (15 - left));
            at + stops_of_16(&block.to_le_bytes()).trailing_zeros() as usize
        }
        None => plain_end_of_a_short_text(text, at),
    }
}

#[cold]
fn plain_end_of_a_short_text(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).unwrap_or(rest.len())
}

/// How many bytes at the beginning of a word are digits, and the number that they make.
#[inline(always)]
pub(super) const fn digits(word: u64) -> (u32, u64) {
    let word = word ^ (ONES * b'0' as u64);
    // A digit is below ten now; what a larger byte carries over spoils only what lies behind it.
    let others = (word.wrapping_add(ONES * 0x76) | word) & TOPS;
    let count = others.trailing_zeros() / 8;
    if count == 0 {
        return (0, 0);
    }
    // As if zeros stood in front, then pairs, fours and eights.
    let word = word << (64 - count * 8);
    let word = word.wrapping_mul(10).wrapping_add(word >> 8) & 0x00ff_00ff_00ff_00ff;
    let word = word.wrapping_mul(100).wrapping_add(word >> 16) & 0x0000_ffff_0000_ffff;
    let word = word.wrapping_mul(10_000).wrapping_add(word >> 32) & 0xffff_ffff;
    (count, word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_that_ends_a_run_does_so_in_every_place() {
        for byte in 0..=255u8 {
            let ends = matches!(byte, b'"' | b'\\' | 0..0x20);
            for at in 0..40 {
                let mut text = [b'x'; 40];
                text[at] = byte;
                assert_eq!(plain_end(&text, 0), if ends { at } else { 40 }, "{byte} at {at}");
                assert_eq!(plain_end(&text, at), if ends { at } else { 40 }, "{byte} at {at}");
            }
        }
    }

    #[test]
    fn digits_are_counted_and_read() {
        for byte in (0..=255u8).filter(|byte| !byte.is_ascii_digit()) {
            for count in 0..=8u32 {
                let mut text = *b"98765432";
                text.iter_mut().skip(count as usize).for_each(|place| *place = byte);
                let expected = String::from_utf8_lossy(&text[..count as usize]).parse().unwrap_or(0);
                assert_eq!(digits(word_at(&text, 0)), (count, expected), "{text:?}");
            }
        }
        assert_eq!(digits(word_at(b"00000001", 0)), (8, 1));
    }

    #[test]
    fn a_word_ends_with_the_text() {
        assert_eq!(word_at(b"abc", 1), u64::from_le_bytes(*b"bc\0\0\0\0\0\0"));
        assert_eq!(word_at(b"abc", 9), 0);
        let text: Vec<u8> = (1..=20).collect();
        for length in 0..=text.len() {
            for at in 0..=length + 1 {
                let mut bytes = [0; 8];
                for (place, byte) in bytes.iter_mut().zip(text[..length].iter().skip(at)) {
                    *place = *byte;
                }
                assert_eq!(word_at(&text[..length], at), u64::from_le_bytes(bytes), "{length} from {at}");
            }
        }
        assert_eq!(first_bytes(word_at(b"abcdefgh", 0), 2), u64::from_le_bytes(*b"ab\0\0\0\0\0\0"));
    }
}
