//! The choices that a program is made of: the same seed makes the same program everywhere.

/// SplitMix64.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }
}

/// After so many choices a program is long enough: from then on the first of all possibilities is chosen, which is the
/// simplest.
const MOST: usize = 1_200;

/// A source of choices.
#[derive(Debug)]
pub(crate) struct Choices {
    random: Random,
    made: usize,
}

impl Choices {
    /// The choices of that seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self { random: Random::new(seed), made: 0 }
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.made += 1;
        let limit = u64::try_from(limit.max(1)).unwrap_or(u64::MAX);
        let drawn = if self.made < MOST { self.random.next() % limit } else { 0 };
        usize::try_from(drawn).unwrap_or(0)
    }

    /// False most times: true once in so many.
    pub(crate) fn one_in(&mut self, count: usize) -> bool {
        self.below(count) + 1 == count
    }

    /// One of the items.
    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        let index = self.below(items.len());
        items.get(index)
    }

    /// One of some texts.
    pub(crate) fn text(&mut self, items: &[&str]) -> String {
        self.pick(items).map(|text| (*text).to_owned()).unwrap_or_default()
    }
}
