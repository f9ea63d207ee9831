//! The bytes of a string that end its plain part, found sixteen at a time: the only unsafe code of this crate's reader.
//!
//! On x86-64 with the instructions that every such processor has (SSE2), elsewhere in words of eight bytes; Miri runs
//! the latter (`cargo +nightly miri test -p rego-engine --lib -- input::simd input::tests::texts`).
#![cfg_attr(
    all(target_arch = "x86_64", not(miri)),
    expect(
        unsafe_code,
        reason = "the vector instructions are functions that the compiler holds to be unsafe"
    )
)]

/// A bit for each byte that ends a run, of which the lowest counts.
#[cfg(all(target_arch = "x86_64", not(miri)))]
#[inline(always)]
pub(super) fn stops_of_16(block: &[u8; 16]) -> u32 {
    use std::arch::x86_64::{
        _mm_cmpeq_epi8, _mm_loadu_si128, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi8,
    };
    // SAFETY: the reference is to sixteen bytes, of any alignment, as the load wants them. Beyond that the
    // instructions compute, and they are there: SSE2 is part of x86-64.
    unsafe {
        let bytes = _mm_loadu_si128(block.as_ptr().cast());
        let quotes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'"'.cast_signed()));
        let backslashes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'\\'.cast_signed()));
        let controls = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
        let stops = _mm_or_si128(_mm_or_si128(quotes, backslashes), controls);
        _mm_movemask_epi8(stops).cast_unsigned()
    }
}

/// A bit for the first byte that ends a run.
#[cfg(not(all(target_arch = "x86_64", not(miri))))]
#[inline(always)]
pub(super) fn stops_of_16(block: &[u8; 16]) -> u32 {
    in_words(block)
}

#[cfg(any(not(all(target_arch = "x86_64", not(miri))), test))]
fn in_words(block: &[u8; 16]) -> u32 {
    let [low, high] = block.as_chunks::<8>().0 else { return 1 };
    match (stops_of_8(u64::from_le_bytes(*low)), stops_of_8(u64::from_le_bytes(*high))) {
        (0, 0) => 0,
        (0, high) => 1 << (8 + high.trailing_zeros() / 8),
        (low, _) => 1 << (low.trailing_zeros() / 8),
    }
}

/// The bytes of a word that end a run, as their top bits; those behind the first are not reliable.
#[cfg(any(not(all(target_arch = "x86_64", not(miri))), test))]
const fn stops_of_8(word: u64) -> u64 {
    use super::scan::{ONES, TOPS};
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    let found = quote.wrapping_sub(ONES) & !quote
        | backslash.wrapping_sub(ONES) & !backslash
        | word.wrapping_sub(ONES * 0x20) & !word;
    found & TOPS
}

#[cfg(test)]
mod tests {
    #[test]
    fn both_forms_find_the_same_first_byte() {
        for byte in 0..=255u8 {
            for at in 0..16 {
                for other in [b'x', b'"', 0x80, 0xff, b' ', 0] {
                    let mut block = [b'x'; 16];
                    block[15] = other;
                    block[at] = byte;
                    let (one, two) = (super::stops_of_16(&block), super::in_words(&block));
                    assert_eq!(one.trailing_zeros(), two.trailing_zeros(), "{block:?}");
                }
            }
        }
    }
}
