//! Programs as automata: whether a text has a match, at a table's look-up for each character.
//!
//! An automaton is bytes too: a header of three words (states, columns, boundaries), the columns of the 128 characters of
//! ASCII, one byte each; the boundaries, for all others, two words each (the first character, its column); and a row of
//! half-words for each state, the last column of which is the end of the text. An entry is [`DEAD`], [`FOUND`], or the
//! number of the next state plus two. It begins in the first state.

mod build;

pub(crate) use build::build;

/// The size of the header in bytes.
const HEADER: usize = 12;
/// The characters that have a column of their own each.
const ASCII: usize = 128;

/// There is no match any more.
const DEAD: u16 = 0;
/// There is a match.
const FOUND: u16 = 1;
/// What is added to the number of a state.
const FIRST: u16 = 2;

/// An automaton, wherever its bytes are.
#[derive(Clone, Copy, Debug)]
pub struct Table<'a> {
    columns: usize,
    ascii: &'a [u8],
    boundaries: &'a [u8],
    rows: &'a [u8],
}

fn word(bytes: &[u8], at: usize) -> u32 {
    let bytes = bytes.get(at..).and_then(|rest| rest.first_chunk::<4>());
    bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

impl<'a> Table<'a> {
    /// The automaton in these bytes, which [`Expression::table`](crate::Expression::table) made; whatever comes behind it
    /// is ignored.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        let columns = word(bytes, 4) as usize;
        let boundaries = word(bytes, 8) as usize * 8;
        let rest = bytes.get(HEADER..).unwrap_or_default();
        let (ascii, rest) = rest.split_at_checked(ASCII).unwrap_or_default();
        let (boundaries, rows) = rest.split_at_checked(boundaries).unwrap_or_default();
        Self { columns, ascii, boundaries, rows }
    }

    /// Whether a text has a match anywhere.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        let bytes = text.as_bytes();
        let (mut state, mut at) = (0, 0);
        while let Some(byte) = bytes.get(at) {
            let column = match self.ascii.get(usize::from(*byte)) {
                Some(column) => {
                    at += 1;
                    usize::from(*column)
                }
                None => {
                    let c = text.get(at..).and_then(|rest| rest.chars().next()).unwrap_or_default();
                    at += c.len_utf8();
                    self.column(u32::from(c))
                }
            };
            match self.entry(state, column) {
                DEAD => return false,
                FOUND => return true,
                next => state = usize::from(next - FIRST),
            }
        }
        self.entry(state, self.columns.wrapping_sub(1)) == FOUND
    }

    #[inline]
    fn entry(&self, state: usize, column: usize) -> u16 {
        let at = (state * self.columns + column) * 2;
        let entry = self.rows.get(at..).and_then(|rest| rest.first_chunk::<2>());
        entry.map_or(DEAD, |entry| u16::from_le_bytes(*entry))
    }

    /// The column of a character beyond ASCII.
    fn column(&self, c: u32) -> usize {
        let (mut low, mut high) = (0, self.boundaries.len() / 8);
        while low < high {
            let middle = low.midpoint(high);
            if word(self.boundaries, middle * 8) <= c {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        word(self.boundaries, low.saturating_sub(1) * 8 + 4) as usize
    }
}
