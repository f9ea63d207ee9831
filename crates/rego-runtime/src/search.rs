//! One text in another.

/// The lowest bit of every byte of a word.
const LOWEST: u64 = u64::from_le_bytes([1; 8]);
/// The highest.
const HIGHEST: u64 = LOWEST << 7;

/// Comparisons of bytes in vain, for each byte of the text, after which the linear search goes on.
const PATIENCE: usize = 4;

/// Where the first occurrence begins.
///
/// Eight places are looked at in one step: whether the first byte stands there and the last one where it would. The
/// standard library's search, which keeps its promise for every text, takes over where that leads to too many
/// comparisons.
pub(crate) fn find(text: &str, what: &str) -> Option<usize> {
    let (bytes, wanted) = (text.as_bytes(), what.as_bytes());
    let (Some(first), Some(last)) = (wanted.first(), wanted.last()) else { return Some(0) };
    // The places where it could begin, and where it would end then.
    let ends = bytes.get(wanted.len() - 1..)?;
    let begins = bytes.get(..ends.len())?;
    let mut patience = bytes.len().saturating_mul(PATIENCE);
    let (firsts, lasts) = (u64::from(*first) * LOWEST, u64::from(*last) * LOWEST);
    let (begin_words, begin_rest) = begins.as_chunks::<8>();
    let (end_words, end_rest) = ends.as_chunks::<8>();
    for (word, (begin, end)) in begin_words.iter().zip(end_words).enumerate() {
        let differs = (u64::from_le_bytes(*begin) ^ firsts) | (u64::from_le_bytes(*end) ^ lasts);
        // The highest bit of every byte that is zero, and of some behind one.
        let mut found = differs.wrapping_sub(LOWEST) & !differs & HIGHEST;
        while found != 0 {
            let at = word * 8 + found.trailing_zeros() as usize / 8;
            if bytes.get(at..at + wanted.len()) == Some(wanted) {
                return Some(at);
            }
            patience = patience.saturating_sub(wanted.len());
            found &= found - 1;
        }
        if patience == 0 {
            return linear(text, what, word * 8 + 8);
        }
    }
    let from = begin_words.len() * 8;
    let rest = begin_rest.iter().zip(end_rest).enumerate();
    rest.filter(|(_, ends)| *ends == (first, last))
        .map(|(at, _)| from + at)
        .find(|at| bytes.get(*at..*at + wanted.len()) == Some(wanted))
}

#[cold]
fn linear(text: &str, what: &str, from: usize) -> Option<usize> {
    let from = text.ceil_char_boundary(from);
    text.get(from..).and_then(|rest| rest.find(what)).map(|at| from + at)
}

#[cfg(test)]
mod tests {
    use super::find;
    use alloc::string::String;

    #[test]
    fn finds_what_the_standard_library_finds() {
        let texts =
            ["", "a", "aaaaaaaaaaaaaaaab", "the quick brown fox", "żółć źdźbło żółw", "ab\u{1}a\u{0}b"];
        let text: String = texts.concat().repeat(3);
        for from in text.char_indices().map(|(at, _)| at) {
            for length in 0..40 {
                let Some(what) = text.get(from..from + length) else { continue };
                for text in texts.iter().copied().chain([text.as_str()]) {
                    assert_eq!(find(text, what), text.find(what), "{what:?} in {text:?}");
                }
            }
        }
    }

    #[test]
    fn a_text_that_almost_fits_everywhere_is_linear() {
        let text = "a".repeat(1 << 20);
        let what = alloc::format!("a{}ba", "a".repeat(1 << 17));
        assert_eq!(find(&text, &what), None);
        assert_eq!(find(&alloc::format!("{text}b{text}"), &what), Some((1 << 20) - (1 << 17) - 1));
    }
}
