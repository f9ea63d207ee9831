//! The choices that a program is made of: the same seed makes the same program everywhere.

use test_support::Random;

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
        let drawn = if self.made < MOST { self.random.bits() % limit } else { 0 };
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
