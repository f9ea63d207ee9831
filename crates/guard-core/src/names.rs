//! The names of cells, remembered.

use std::sync::Arc;

use crate::charge::CellId;

/// How many names are remembered at most. A power of two.
const PLACES: usize = 256;
/// A name longer than this, in bytes, is not remembered.
const LONGEST: usize = 256;

/// Gives a cell's name as the one `Arc` it had before, as long as that is remembered: a policy names the same few cells
/// in each decision, and who finds the same `Arc` again need neither make nor compare texts.
///
/// The default remembers nothing.
#[derive(Debug, Default)]
pub struct CellNames {
    /// Each name has one place, by its texts; the latest of those that share it stands there.
    places: Box<[Option<Arc<CellId>>]>,
}

impl CellNames {
    /// Remembers the latest few hundred.
    pub fn remembering() -> Self {
        Self { places: vec![None; PLACES].into() }
    }

    /// The name with these texts.
    pub fn name(&mut self, limit: &str, key: &str, window: &str) -> Arc<CellId> {
        let place = self.places.get_mut(place(limit, key, window));
        if let Some(Some(known)) = &place
            && known.window == window
            && known.key == key
            && known.limit == limit
        {
            return Arc::clone(known);
        }
        let id = Arc::new(CellId { limit: limit.to_owned(), key: key.to_owned(), window: window.to_owned() });
        if let Some(place) = place
            && limit.len() + key.len() + window.len() <= LONGEST
        {
            *place = Some(Arc::clone(&id));
        }
        id
    }
}

/// Where a name stands: by a mixture of the ends of its texts. Names that share a place cost no more than remembering
/// nothing, so that it does not matter whether somebody chooses them to.
fn place(limit: &str, key: &str, window: &str) -> usize {
    let mix = |mixed: u64, text: &str| {
        let end = match text.as_bytes().last_chunk() {
            Some(end) => u64::from_le_bytes(*end),
            None => text.bytes().fold(0, |end, byte| end << 8 | u64::from(byte)),
        };
        (mixed.rotate_left(23) ^ end ^ u64::try_from(text.len()).unwrap_or_default())
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
    };
    let mixed = [limit, key, window].into_iter().fold(0, mix);
    usize::try_from(mixed >> 56).unwrap_or_default() % PLACES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_texts_are_the_same_name_and_others_are_not() {
        let mut names = CellNames::remembering();
        let first = names.name("l", "k", "2026-11");
        assert!(Arc::ptr_eq(&first, &names.name("l", "k", "2026-11")));
        for (limit, key, window) in [("k", "l", "2026-11"), ("l", "k", "2026-12"), ("lk", "", "2026-11")] {
            let other = names.name(limit, key, window);
            assert_ne!(first, other);
            assert_eq!((&*other.limit, &*other.key, &*other.window), (limit, key, window));
        }
        assert_eq!(names.name("l", "k", "2026-11"), first);
    }

    #[test]
    fn many_and_long_names_are_told_rightly_and_not_kept() {
        let mut names = CellNames::remembering();
        for _ in 0..2 {
            for number in 0..2_000 {
                let key = number.to_string();
                assert_eq!(names.name("limit", &key, "w").key, key);
            }
        }
        let long = "x".repeat(10_000);
        assert!(!Arc::ptr_eq(&names.name("l", &long, "w"), &names.name("l", &long, "w")));
        assert!(names.places.len() <= PLACES);
        let mut none = CellNames::default();
        assert!(!Arc::ptr_eq(&none.name("l", "k", "w"), &none.name("l", "k", "w")));
    }
}
