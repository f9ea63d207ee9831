//! The texts of a module's constant strings, by handle: what a decision says of them is neither read from the module's
//! memory nor checked again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rego_value::abi::{ALIGN, Strings};

/// Constants lie one behind the other; those behind so many bytes are read as other strings are.
const REACH: u32 = 1 << 16;

/// Texts by handle.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    /// Tells the module from all others of this process; 0 where there are no texts.
    module: u64,
    first: u32,
    /// For each place where a string may begin the number of its text, or of none.
    places: Box<[u16]>,
    texts: Box<[Arc<str>]>,
}

impl Texts {
    pub(crate) fn new(strings: &Strings) -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let first = strings.values().copied().min().unwrap_or(0);
        let near = strings.iter().filter(|(_, handle)| handle.wrapping_sub(first) < REACH);
        let mut places = Vec::new();
        let mut texts = Vec::new();
        for (text, handle) in near {
            let (Some(place), Ok(number)) = (place(first, *handle), u16::try_from(texts.len())) else {
                continue;
            };
            if place >= places.len() {
                places.resize(place + 1, u16::MAX);
            }
            if let Some(known) = places.get_mut(place) {
                *known = number;
                texts.push(Arc::clone(text));
            }
        }
        let module = LAST.fetch_add(1, Ordering::Relaxed) + 1;
        Self { module, first, places: places.into(), texts: texts.into() }
    }

    /// Which module's they are.
    #[inline]
    pub(crate) const fn module(&self) -> u64 {
        self.module
    }

    /// The text of a constant; none of any other value.
    #[inline]
    pub(crate) fn get(&self, handle: u32) -> Option<&str> {
        let number = *self.places.get(place(self.first, handle)?)?;
        self.texts.get(usize::from(number)).map(|text| &**text)
    }
}

/// The place of a handle. What is no address, such as a small integer, is beyond all places.
#[inline]
fn place(first: u32, handle: u32) -> Option<usize> {
    usize::try_from(handle.wrapping_sub(first).rotate_right(ALIGN.trailing_zeros())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_found_by_their_handles_and_nothing_else_is() {
        let strings: Strings =
            [("one".into(), 1024), ("two".into(), 1048), ("far".into(), 1024 + REACH)].into_iter().collect();
        let texts = Texts::new(&strings);
        assert_eq!((texts.get(1024), texts.get(1048)), (Some("one"), Some("two")));
        for other in [0, 1, 1016, 1025, 1032, 1049, 1056, 1024 + REACH, u32::MAX] {
            assert_eq!(texts.get(other), None, "{other}");
        }
        assert_eq!(Texts::default().get(0), None);
    }
}
