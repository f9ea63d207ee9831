//! From a program to its automaton: the subset construction.

use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

use super::{ASCII, DEAD, FIRST, FOUND};
use crate::class::Class;
use crate::program::{Op, Program};
use crate::tree::Look;

/// The largest automaton, in bytes of its rows: beyond that the program itself is the better way.
const MAX_ROWS: usize = 48 << 10;
/// The most work that telling characters apart may be.
const MAX_TESTS: usize = 1 << 22;

/// The places of the program that are being followed, and the kind of character before, where that matters.
type State = (Vec<u32>, Option<u32>);

/// Characters that the program cannot tell apart share a column.
struct Columns {
    /// The first character of each range, and its column.
    boundaries: Vec<(u32, u8)>,
    /// A member of each column.
    members: Vec<u32>,
}

struct Builder<'a> {
    program: Program<'a>,
    columns: Columns,
    states: Vec<State>,
    numbers: BTreeMap<State, u16>,
    rows: Vec<u16>,
    /// Places that have been seen, by the round in which they were.
    seen: Vec<u32>,
    round: u32,
}

/// The automaton of a program; `None` where it would be too large.
pub(crate) fn build(program: Program<'_>) -> Option<Vec<u8>> {
    let mut builder = Builder {
        program,
        columns: columns(program)?,
        states: Vec::new(),
        numbers: BTreeMap::new(),
        rows: Vec::new(),
        seen: vec![0; program.len()],
        round: 0,
    };
    let start = builder.closure(&[0], None, None);
    builder.number((start, None));
    let mut next = 0;
    while let Some((places, before)) = builder.states.get(next).cloned() {
        for column in 0..builder.columns.members.len() {
            let c = builder.columns.members.get(column).copied();
            let entry = builder.entry(&places, before, c);
            builder.rows.push(entry);
        }
        let end = builder.entry(&places, before, None);
        builder.rows.push(end);
        if builder.rows.len() * 2 > MAX_ROWS {
            return None;
        }
        next += 1;
    }
    Some(builder.bytes())
}

impl Builder<'_> {
    fn number(&mut self, state: State) -> u16 {
        if let Some(number) = self.numbers.get(&state) {
            return *number;
        }
        // Far fewer than a half-word counts: the rows are limited, and each has a column at least.
        let number = self.states.len() as u16;
        self.states.push(state.clone());
        self.numbers.insert(state, number);
        number
    }

    /// Where a character, or the end of the text, leads.
    fn entry(&mut self, places: &[u32], before: Option<u32>, c: Option<u32>) -> u16 {
        let here = self.closure(places, before, Some(c));
        if here.iter().any(|pc| self.program.op(*pc) == Op::Match) {
            return FOUND;
        }
        let Some(c) = c else { return DEAD };
        let mut next: Vec<u32> =
            here.iter().filter(|pc| takes(self.program, self.program.op(**pc), c)).map(|pc| pc + 1).collect();
        if !self.program.is_anchored() {
            next.push(0);
        }
        let kind = kind(c);
        let places = self.closure(&next, Some(kind), None);
        if places.iter().any(|pc| self.program.op(*pc) == Op::Match) {
            return FOUND;
        }
        if places.is_empty() {
            return DEAD;
        }
        let looks = places.iter().any(|pc| matches!(self.program.op(*pc), Op::Look(_)));
        // All the states fit, or the automaton is given up.
        self.number((places, looks.then_some(kind))).saturating_add(FIRST)
    }

    /// The places that wait for something, reached from these. Conditions wait too, while it is not known what follows.
    fn closure(&mut self, from: &[u32], before: Option<u32>, after: Option<Option<u32>>) -> Vec<u32> {
        self.round += 1;
        let (mut stack, mut waiting) = (from.to_vec(), Vec::new());
        while let Some(pc) = stack.pop() {
            match self.seen.get_mut(pc as usize) {
                Some(round) if *round != self.round => *round = self.round,
                _ => continue,
            }
            match self.program.op(pc) {
                Op::Jump(target) => stack.push(target),
                Op::Split(first, second) => stack.extend([first, second]),
                Op::Save(_) => stack.push(pc + 1),
                Op::Look(look) => match after {
                    Some(after) if look.holds(before, after) => stack.push(pc + 1),
                    Some(_) => {}
                    None if look == Look::TextStart && before.is_some() => {}
                    None => waiting.push(pc),
                },
                Op::Match | Op::Char(_) | Op::Set(..) => waiting.push(pc),
            }
        }
        waiting.sort_unstable();
        waiting
    }

    fn bytes(self) -> Vec<u8> {
        let columns = self.columns.members.len() + 1;
        let ascii = |c: u32| {
            let after = self.columns.boundaries.partition_point(|(first, _)| *first <= c);
            let range = after.checked_sub(1).and_then(|at| self.columns.boundaries.get(at));
            range.map_or(0, |(_, column)| *column)
        };
        // The last boundary within ASCII holds beyond it too.
        let mut boundaries = vec![(ASCII as u32, ascii(ASCII as u32))];
        boundaries.extend(self.columns.boundaries.iter().filter(|(first, _)| *first > ASCII as u32));
        boundaries.dedup_by_key(|(_, column)| *column);
        let mut bytes = Vec::new();
        for word in [self.states.len(), columns, boundaries.len()] {
            bytes.extend_from_slice(&(word as u32).to_le_bytes());
        }
        bytes.extend((0..ASCII as u32).map(ascii));
        for (first, column) in boundaries {
            bytes.extend_from_slice(&first.to_le_bytes());
            bytes.extend_from_slice(&u32::from(column).to_le_bytes());
        }
        bytes.extend(self.rows.iter().flat_map(|entry| entry.to_le_bytes()));
        bytes
    }
}

/// A character that stands for all that conditions do not tell from this one.
fn kind(c: u32) -> u32 {
    let byte = u8::try_from(c).unwrap_or(b' ');
    u32::from(match byte {
        b'\n' => b'\n',
        b'_' => b'a',
        byte if byte.is_ascii_alphanumeric() => b'a',
        _ => b' ',
    })
}

/// Whether an instruction takes a character.
fn takes(program: Program<'_>, op: Op, c: u32) -> bool {
    match op {
        Op::Char(wanted) => wanted == c,
        Op::Set(first, count) => program.has(first, count, c),
        _ => false,
    }
}

/// Sorts characters into columns: those that are alike to every instruction share one.
fn columns(program: Program<'_>) -> Option<Columns> {
    let (mut tests, mut firsts, mut looks) = (Vec::new(), vec![0], false);
    for pc in 0..program.len() as u32 {
        let op = program.op(pc);
        match op {
            Op::Char(c) => firsts.extend([c, c + 1]),
            Op::Set(first, count) => {
                firsts.extend(program.ranges(first, count).flat_map(|(low, high)| [low, high + 1]));
            }
            Op::Look(_) => looks = true,
            _ => continue,
        }
        if !matches!(op, Op::Look(_)) && !tests.contains(&op) {
            tests.push(op);
        }
        if firsts.len().saturating_mul(tests.len()) > MAX_TESTS {
            return None;
        }
    }
    if looks {
        let ranges = [(b'\n', b'\n'), (b'0', b'9'), (b'A', b'Z'), (b'_', b'_'), (b'a', b'z')];
        firsts.extend(ranges.into_iter().flat_map(|(low, high)| [u32::from(low), u32::from(high) + 1]));
    }
    firsts.sort_unstable();
    firsts.dedup();
    if firsts.len().saturating_mul(tests.len()) > MAX_TESTS {
        return None;
    }
    let mut known: BTreeMap<(Vec<bool>, u32), u8> = BTreeMap::new();
    let mut columns = Columns { boundaries: Vec::new(), members: Vec::new() };
    for first in firsts.into_iter().filter(|first| *first <= Class::MAX) {
        let answers: Vec<bool> = tests.iter().map(|op| takes(program, *op, first)).collect();
        let next = u8::try_from(known.len()).ok()?;
        let column = *known.entry((answers, if looks { kind(first) } else { 0 })).or_insert(next);
        if column == next {
            columns.members.push(first);
        }
        columns.boundaries.push((first, column));
    }
    Some(columns)
}
