//! Sets of characters.

use alloc::vec::Vec;

/// A set of characters as ranges, both ends included. Numbers from 0 to [`Class::MAX`], surrogates among them, as in Go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Class {
    ranges: Vec<(u32, u32)>,
}

impl Class {
    /// The last character.
    pub(crate) const MAX: u32 = 0x10_ffff;

    pub(crate) fn from_range(low: u32, high: u32) -> Self {
        let mut class = Self::default();
        class.add(low, high);
        class
    }

    /// Adds a range, not yet in its place.
    pub(crate) fn add(&mut self, low: u32, high: u32) {
        // Often what comes next continues what is there.
        if let Some((first, last)) = self.ranges.last_mut()
            && low <= last.saturating_add(1)
            && *first <= high.saturating_add(1)
        {
            *first = low.min(*first);
            *last = high.max(*last);
            return;
        }
        self.ranges.push((low, high));
    }

    pub(crate) fn union(&mut self, other: &Class) {
        for (low, high) in &other.ranges {
            self.add(*low, *high);
        }
    }

    /// The same set, its ranges sorted and apart from each other.
    pub(crate) fn cleaned(mut self) -> Self {
        self.ranges.sort_unstable();
        let mut clean = Self { ranges: Vec::with_capacity(self.ranges.len()) };
        for (low, high) in self.ranges {
            clean.add(low, high);
        }
        clean
    }

    /// All other characters.
    pub(crate) fn negated(self) -> Self {
        let mut out = Self::default();
        let mut next = 0;
        for (low, high) in self.cleaned().ranges {
            if next < low {
                out.add(next, low - 1);
            }
            next = high + 1;
        }
        if next <= Self::MAX {
            out.add(next, Self::MAX);
        }
        out
    }

    /// Whether a set that is clean has a member.
    pub(crate) fn contains(&self, c: u32) -> bool {
        let after = self.ranges.partition_point(|(low, _)| *low <= c);
        after.checked_sub(1).and_then(|at| self.ranges.get(at)).is_some_and(|(_, high)| c <= *high)
    }

    /// The only member of a set that is clean.
    pub(crate) fn single(&self) -> Option<u32> {
        match self.ranges.as_slice() {
            [(low, high)] if low == high => Some(*low),
            _ => None,
        }
    }

    pub(crate) fn ranges(&self) -> &[(u32, u32)] {
        &self.ranges
    }
}

/// The members of a class with a name within brackets, such as `alpha`.
pub(crate) fn posix(name: &str) -> Option<Class> {
    let ranges: &[(u8, u8)] = match name {
        "alnum" => &[(b'0', b'9'), (b'A', b'Z'), (b'a', b'z')],
        "alpha" => &[(b'A', b'Z'), (b'a', b'z')],
        "ascii" => &[(0, 0x7f)],
        "blank" => &[(b'\t', b'\t'), (b' ', b' ')],
        "cntrl" => &[(0, 0x1f), (0x7f, 0x7f)],
        "digit" => &[(b'0', b'9')],
        "graph" => &[(b'!', b'~')],
        "lower" => &[(b'a', b'z')],
        "print" => &[(b' ', b'~')],
        "punct" => &[(b'!', b'/'), (b':', b'@'), (b'[', b'`'), (b'{', b'~')],
        "space" => &[(b'\t', b'\r'), (b' ', b' ')],
        "upper" => &[(b'A', b'Z')],
        "word" => &[(b'0', b'9'), (b'A', b'Z'), (b'_', b'_'), (b'a', b'z')],
        "xdigit" => &[(b'0', b'9'), (b'A', b'F'), (b'a', b'f')],
        _ => return None,
    };
    Some(ascii(ranges))
}

/// The members of `\d`, `\s` and `\w`.
pub(crate) fn perl(letter: u8) -> Option<Class> {
    match letter {
        b'd' => posix("digit"),
        b'w' => posix("word"),
        b's' => Some(ascii(&[(b'\t', b'\n'), (0x0c, b'\r'), (b' ', b' ')])),
        _ => None,
    }
}

fn ascii(ranges: &[(u8, u8)]) -> Class {
    let mut class = Class::default();
    for (low, high) in ranges {
        class.add(u32::from(*low), u32::from(*high));
    }
    class
}
