//! Free memory among the documents.

use std::collections::{BTreeMap, BTreeSet};

/// A part of a module's memory. Its size is a multiple of [`rego_value::abi::ALIGN`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span {
    pub(crate) size: u32,
    pub(crate) start: u32,
}

/// Spans that nothing lies in, none of which touches another.
#[derive(Debug, Default)]
pub(crate) struct Spans {
    by_start: BTreeMap<u32, u32>,
    by_size: BTreeSet<Span>,
    /// Bytes in all of them.
    pub(crate) total: u32,
}

impl Spans {
    /// Takes a span of at least this size: the smallest there is, as a whole.
    pub(crate) fn take(&mut self, size: u32) -> Option<Span> {
        let span = *self.by_size.range(Span { size, start: 0 }..).next()?;
        self.forget(span);
        Some(span)
    }

    /// Gives a span back, which grows together with those before and behind it.
    pub(crate) fn give(&mut self, span: Span) {
        let Span { mut size, mut start } = span;
        if size == 0 {
            return;
        }
        let before = self.by_start.range(..start).next_back().map(|(start, size)| (*start, *size));
        if let Some((before, length)) = before.filter(|(before, length)| before + length == start) {
            self.forget(Span { size: length, start: before });
            (start, size) = (before, size + length);
        }
        if let Some(length) = self.by_start.get(&(start + size)).copied() {
            self.forget(Span { size: length, start: start + size });
            size += length;
        }
        self.by_start.insert(start, size);
        self.by_size.insert(Span { size, start });
        self.total += size;
    }

    fn forget(&mut self, span: Span) {
        self.by_start.remove(&span.start);
        self.by_size.remove(&span);
        self.total -= span.size;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_grow_together() {
        let mut spans = Spans::default();
        for start in [0, 32, 16, 64] {
            spans.give(Span { size: 16, start });
        }
        assert_eq!(spans.total, 64);
        assert_eq!(spans.take(17), Some(Span { size: 48, start: 0 }));
        assert_eq!(spans.take(17), None);
        assert_eq!(spans.take(8), Some(Span { size: 16, start: 64 }));
        assert_eq!((spans.total, spans.take(1)), (0, None));
        spans.give(Span { size: 0, start: 8 });
        assert_eq!(spans.total, 0);
    }
}
