//! The search with groups: all ways through the program at once, the preferred first (Pike), so that the time is
//! proportional to the text's length times the program's.

use alloc::vec;
use alloc::vec::Vec;

use crate::program::{Op, Program};

/// Where a group is that has not matched.
pub(crate) const NOWHERE: u32 = u32::MAX;

/// The ways that are being followed: places in the program, the preferred first, with what they remember.
struct Ways {
    /// The places, each once.
    dense: Vec<u32>,
    /// For each place its position in `dense`, if it is there.
    sparse: Vec<u32>,
    /// For each position the beginnings and ends of groups.
    slots: Vec<u32>,
}

impl Ways {
    fn new(places: usize) -> Self {
        Self { dense: Vec::with_capacity(places), sparse: vec![0; places], slots: Vec::new() }
    }

    /// Adds a place; false if it is there.
    fn insert(&mut self, pc: u32) -> bool {
        let Some(position) = self.sparse.get_mut(pc as usize) else { return false };
        if self.dense.get(*position as usize) == Some(&pc) {
            return false;
        }
        *position = self.dense.len() as u32;
        self.dense.push(pc);
        true
    }

    fn clear(&mut self) {
        self.dense.clear();
        self.slots.clear();
    }
}

/// What is left to do when the places that are reached without a character are followed.
enum Step {
    Go(u32),
    /// The slot had this value before.
    Restore(u32, u32),
}

/// A search through one text.
pub(crate) struct Search<'a> {
    program: Program<'a>,
    text: &'a str,
    now: Ways,
    then: Ways,
    stack: Vec<Step>,
    /// What the way that is being followed remembers.
    slots: Vec<u32>,
    /// Groups are of no interest.
    exists: bool,
}

impl<'a> Search<'a> {
    /// A search; `exists` is one that only asks whether there is a match.
    pub(crate) fn new(program: Program<'a>, text: &'a str, exists: bool) -> Self {
        let slots = if exists { 0 } else { program.groups() * 2 };
        Self {
            program,
            text,
            now: Ways::new(program.len()),
            then: Ways::new(program.len()),
            stack: Vec::new(),
            slots: vec![NOWHERE; slots],
            exists,
        }
    }

    /// The first match from `start` on: the beginnings and ends of its groups.
    pub(crate) fn find(&mut self, start: usize) -> Option<Vec<u32>> {
        self.now.clear();
        let mut found = None;
        let mut before = self.text.get(..start).and_then(|text| text.chars().next_back()).map(u32::from);
        let mut chars = self.text.get(start..).unwrap_or_default().chars();
        let mut at = start;
        loop {
            let after = chars.clone().next().map(u32::from);
            // A new way begins here, unless a match was found further to the left.
            let begins = found.is_none() && (at == 0 || !self.program.is_anchored());
            if begins {
                self.slots.fill(NOWHERE);
                follow(self.program, &mut self.now, &mut self.stack, &mut self.slots, (0, at), before, after);
            }
            if self.now.dense.is_empty() && (found.is_some() || self.program.is_anchored()) {
                return found;
            }
            self.then.clear();
            let next = at + after.and_then(char::from_u32).map_or(1, char::len_utf8);
            if let Some(slots) = self.step(after, next, chars.clone().nth(1).map(u32::from)) {
                found = Some(slots);
                if self.exists {
                    return found;
                }
            }
            core::mem::swap(&mut self.now, &mut self.then);
            let Some(c) = chars.next() else { return found };
            before = Some(u32::from(c));
            at = next;
        }
    }

    /// Takes all ways over a character; what the preferred one that has matched remembers.
    fn step(&mut self, c: Option<u32>, next: usize, after: Option<u32>) -> Option<Vec<u32>> {
        let width = self.slots.len();
        for position in 0..self.now.dense.len() {
            let pc = self.now.dense.get(position).copied().unwrap_or(0);
            let remembered = self.now.slots.get(position * width..(position + 1) * width).unwrap_or_default();
            let taken = match self.program.op(pc) {
                // The ways behind this one are not preferred.
                Op::Match => return Some(remembered.to_vec()),
                Op::Char(wanted) => c == Some(wanted),
                Op::Set(first, count) => c.is_some_and(|c| self.program.has(first, count, c)),
                _ => false,
            };
            if taken {
                self.slots.copy_from_slice(remembered);
                let to = (pc + 1, next);
                follow(self.program, &mut self.then, &mut self.stack, &mut self.slots, to, c, after);
            }
        }
        None
    }
}

/// Adds a place of the program and all that are reached from it without a character.
fn follow(
    program: Program<'_>,
    ways: &mut Ways,
    stack: &mut Vec<Step>,
    slots: &mut [u32],
    (pc, at): (u32, usize),
    before: Option<u32>,
    after: Option<u32>,
) {
    stack.push(Step::Go(pc));
    while let Some(step) = stack.pop() {
        let pc = match step {
            Step::Go(pc) => pc,
            Step::Restore(slot, value) => {
                if let Some(place) = slots.get_mut(slot as usize) {
                    *place = value;
                }
                continue;
            }
        };
        if !ways.insert(pc) {
            continue;
        }
        // A slot for each position, also of those that nobody looks at: the list stays simple.
        ways.slots.extend_from_slice(slots);
        match program.op(pc) {
            Op::Jump(target) => stack.push(Step::Go(target)),
            Op::Split(first, second) => stack.extend([Step::Go(second), Step::Go(first)]),
            Op::Save(slot) => {
                if let Some(place) = slots.get_mut(slot as usize) {
                    stack.push(Step::Restore(slot, *place));
                    *place = at as u32;
                }
                stack.push(Step::Go(pc + 1));
            }
            Op::Look(look) if look.holds(before, after) => stack.push(Step::Go(pc + 1)),
            Op::Look(_) | Op::Match | Op::Char(_) | Op::Set(..) => {}
        }
    }
}
