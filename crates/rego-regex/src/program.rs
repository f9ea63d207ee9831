//! Expressions as instructions for the search.
//!
//! A program is bytes, so that a compiler can lay it out in a module's memory: a header of three words (how many
//! instructions, how many groups, 1 if it can match at the beginning only), the instructions of three words each, and
//! the ranges of the sets, two words each. All words are of four bytes, little endian.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::tree::{Id, Kind, Look, Tree};

/// The header's size in bytes.
const HEADER: usize = 12;
/// An instruction's size in bytes.
const INSTRUCTION: usize = 12;
/// A range's size in bytes.
const RANGE: usize = 8;

/// One instruction. After those without a target comes the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// The expression has matched.
    Match,
    /// This character.
    Char(u32),
    /// A member of the set: its first range, and how many.
    Set(u32, u32),
    /// Both; the first is to be preferred.
    Split(u32, u32),
    /// Elsewhere.
    Jump(u32),
    /// The place is remembered.
    Save(u32),
    /// The condition holds.
    Look(Look),
}

impl Op {
    fn words(self) -> [u32; 3] {
        match self {
            Op::Match => [0, 0, 0],
            Op::Char(c) => [1, c, 0],
            Op::Set(first, count) => [2, first, count],
            Op::Split(first, second) => [3, first, second],
            Op::Jump(target) => [4, target, 0],
            Op::Save(slot) => [5, slot, 0],
            Op::Look(look) => [6, look as u32, 0],
        }
    }

    fn from_words([op, x, y]: [u32; 3]) -> Op {
        match op {
            1 => Op::Char(x),
            2 => Op::Set(x, y),
            3 => Op::Split(x, y),
            4 => Op::Jump(x),
            5 => Op::Save(x),
            6 => Op::Look(Look::ALL.get(x as usize).copied().unwrap_or(Look::TextStart)),
            _ => Op::Match,
        }
    }
}

/// A program, wherever its bytes are.
#[derive(Clone, Copy, Debug)]
pub struct Program<'a> {
    bytes: &'a [u8],
}

impl<'a> Program<'a> {
    /// The program in these bytes, which [`Expression::program`](crate::Expression::program) made; whatever comes behind it is ignored. Of bytes
    /// that are no program nothing is to be expected but an end.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    fn word(self, at: usize) -> u32 {
        let bytes = self.bytes.get(at..).and_then(|rest| rest.first_chunk::<4>());
        bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes))
    }

    /// How many instructions there are.
    pub(crate) fn len(self) -> usize {
        self.word(0) as usize
    }

    /// How many groups are remembered; the whole match is one.
    pub(crate) fn groups(self) -> usize {
        self.word(4) as usize
    }

    /// Whether a match can begin at the beginning of the text only.
    pub(crate) fn is_anchored(self) -> bool {
        self.word(8) != 0
    }

    pub(crate) fn op(self, pc: u32) -> Op {
        let at = HEADER + pc as usize * INSTRUCTION;
        Op::from_words([self.word(at), self.word(at + 4), self.word(at + 8)])
    }

    /// The ranges of a set.
    pub(crate) fn ranges(self, first: u32, count: u32) -> impl Iterator<Item = (u32, u32)> {
        let at = HEADER + self.len() * INSTRUCTION + first as usize * RANGE;
        (0..count as usize).map(move |n| (self.word(at + n * RANGE), self.word(at + n * RANGE + 4)))
    }

    /// Whether a set, whose ranges are sorted, has a member.
    pub(crate) fn has(self, first: u32, count: u32, c: u32) -> bool {
        let at = HEADER + self.len() * INSTRUCTION + first as usize * RANGE;
        let (mut low, mut high) = (0, count as usize);
        while low < high {
            let middle = low.midpoint(high);
            if c < self.word(at + middle * RANGE) {
                high = middle;
            } else if c > self.word(at + middle * RANGE + 4) {
                low = middle + 1;
            } else {
                return true;
            }
        }
        false
    }
}

/// A place that a jump leads to, known by number before it is known where it is.
type Label = u32;

/// What is still to be done.
enum Job {
    Emit(Id),
    /// An instruction whose targets are labels.
    Op(Op),
    /// The label is here.
    Bind(Label),
}

struct Compiler<'t> {
    tree: &'t Tree,
    ops: Vec<Op>,
    ranges: Vec<(u32, u32)>,
    /// Where the ranges of a node are, once they have been written.
    sets: BTreeMap<Id, (u32, u32)>,
    /// The last is to be done first: nested parts are no reason to recurse.
    jobs: Vec<Job>,
    /// Where the labels are.
    labels: Vec<u32>,
}

/// The program of an expression.
pub(crate) fn compile(tree: &Tree) -> Vec<u8> {
    let mut compiler = Compiler {
        tree,
        ops: Vec::new(),
        ranges: Vec::new(),
        sets: BTreeMap::new(),
        jobs: Vec::new(),
        labels: Vec::new(),
    };
    let root = tree.nodes.len().saturating_sub(1);
    compiler.next([Job::Op(Op::Save(0)), Job::Emit(root), Job::Op(Op::Save(1)), Job::Op(Op::Match)]);
    while let Some(job) = compiler.jobs.pop() {
        match job {
            Job::Emit(id) => compiler.emit(id),
            Job::Op(op) => compiler.ops.push(op),
            Job::Bind(label) => {
                let here = compiler.ops.len() as u32;
                if let Some(place) = compiler.labels.get_mut(label as usize) {
                    *place = here;
                }
            }
        }
    }
    compiler.bytes(u32::from(is_anchored(tree, root)))
}

/// Whether an expression begins with the beginning of the text.
fn is_anchored(tree: &Tree, root: Id) -> bool {
    let mut id = root;
    loop {
        match &tree.node(id).kind {
            Kind::Look(look) => return *look == Look::TextStart,
            Kind::Capture(_, part) => id = *part,
            Kind::Concat(parts) => match parts.first() {
                Some(first) => id = *first,
                None => return false,
            },
            _ => return false,
        }
    }
}

/// A choice between a part and what comes behind it.
fn choice(part: Label, behind: Label, greedy: bool) -> Job {
    Job::Op(if greedy { Op::Split(part, behind) } else { Op::Split(behind, part) })
}

impl Compiler<'_> {
    /// These are to be done next, in this order.
    fn next<const N: usize>(&mut self, jobs: [Job; N]) {
        self.jobs.extend(jobs.into_iter().rev());
    }

    fn label(&mut self) -> Label {
        self.labels.push(0);
        self.labels.len() as u32 - 1
    }

    fn emit(&mut self, id: Id) {
        let tree = self.tree;
        match &tree.node(id).kind {
            Kind::Empty => {}
            Kind::Literal(c) => self.ops.push(Op::Char(*c)),
            Kind::Look(look) => self.ops.push(Op::Look(*look)),
            Kind::Class(class) => {
                let ranges = &mut self.ranges;
                let (first, count) = *self.sets.entry(id).or_insert_with(|| {
                    let first = ranges.len() as u32;
                    ranges.extend_from_slice(class.ranges());
                    (first, class.ranges().len() as u32)
                });
                self.ops.push(Op::Set(first, count));
            }
            Kind::Capture(number, part) => {
                let (begin, end) = (Op::Save(number * 2), Op::Save(number * 2 + 1));
                self.next([Job::Op(begin), Job::Emit(*part), Job::Op(end)]);
            }
            Kind::Concat(parts) => self.jobs.extend(parts.iter().rev().map(|part| Job::Emit(*part))),
            Kind::Alternate(parts) => self.alternate(parts),
            Kind::Repeat { part, least, most, greedy } => self.repeat(*part, *least, *most, *greedy),
        }
    }

    fn alternate(&mut self, parts: &[Id]) {
        let end = self.label();
        self.jobs.push(Job::Bind(end));
        // From the last to the first, since the last that is pushed is done first.
        for (position, part) in parts.iter().enumerate().rev() {
            if position + 1 == parts.len() {
                self.jobs.push(Job::Emit(*part));
                continue;
            }
            let (this, other) = (self.label(), self.label());
            let part = Job::Emit(*part);
            let branch = Job::Op(Op::Split(this, other));
            self.next([branch, Job::Bind(this), part, Job::Op(Op::Jump(end)), Job::Bind(other)]);
        }
    }

    /// `least` times the part, and what may follow it.
    fn repeat(&mut self, part: Id, least: u32, most: Option<u32>, greedy: bool) {
        let (this, behind) = (self.label(), self.label());
        let (part, nullable) = (|| Job::Emit(part), self.tree.node(part).nullable);
        let mut copies = least;
        self.jobs.push(Job::Bind(behind));
        match most {
            Some(most) => {
                for _ in least..most {
                    let this = self.label();
                    self.next([choice(this, behind, greedy), Job::Bind(this), part()]);
                }
            }
            None if least == 0 && !nullable => {
                let again = self.label();
                let back = Job::Op(Op::Jump(again));
                self.next([Job::Bind(again), choice(this, behind, greedy), Job::Bind(this), part(), back]);
            }
            None => {
                // `x+`; and `(x+)?` for `x*` where `x` may be empty, so that it is preferred as it should be.
                copies = least.saturating_sub(1);
                self.next([Job::Bind(this), part(), choice(this, behind, greedy)]);
                if least == 0 {
                    self.jobs.push(choice(this, behind, greedy));
                }
            }
        }
        for _ in 0..copies {
            self.jobs.push(part());
        }
    }

    /// The program, with labels replaced by places.
    fn bytes(self, anchored: u32) -> Vec<u8> {
        let size = HEADER + self.ops.len() * INSTRUCTION + self.ranges.len() * RANGE;
        let mut bytes = Vec::with_capacity(size);
        let mut word = |word: u32| bytes.extend_from_slice(&word.to_le_bytes());
        word(self.ops.len() as u32);
        word(self.tree.groups.len() as u32);
        word(anchored);
        let place = |label: u32| self.labels.get(label as usize).copied().unwrap_or(0);
        for op in &self.ops {
            let op = match *op {
                Op::Split(first, second) => Op::Split(place(first), place(second)),
                Op::Jump(label) => Op::Jump(place(label)),
                other => other,
            };
            op.words().into_iter().for_each(&mut word);
        }
        self.ranges.iter().flat_map(|(low, high)| [*low, *high]).for_each(word);
        bytes
    }
}
