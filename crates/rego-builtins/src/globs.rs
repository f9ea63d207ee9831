//! `regex.globs_match`: whether two patterns can match the same text.
//!
//! A pattern is a sequence of characters, `.`, sets `[a-z]` and `\` before a character taken literally, each with
//! `+`, `*` or neither behind it. OPA's library answers with a search that gives up some paths (of `a*b` and `c*b` it
//! does not see the common `b`); so does this one, since policies rely on OPA's answer, but as a table filled from the
//! ends of both patterns: its time grows with the product of their lengths and not exponentially.

mod pattern;

use rego_value::Value;

use crate::args::Args;
use crate::context::Context;
use crate::error::BuiltinError;
use pattern::{Repeat, Token, parse};

/// The most pairs of tokens that are compared, so that no call takes seconds.
const MOST_PAIRS: usize = 16_000_000;

/// `regex.globs_match`
pub(crate) fn globs_match(_: &mut Context, args: &[Value]) -> Result<Option<Value>, BuiltinError> {
    let args = Args(args);
    let (left, right) = (args.string(1)?, args.string(2)?);
    let (left, right) = (parse(left)?, parse(right)?);
    let Some((left, right)) = trimmed(&left, &right) else { return Ok(Some(false.into())) };
    if left.len().saturating_mul(right.len()) > MOST_PAIRS {
        let message = format!("patterns are too long: more than {MOST_PAIRS} pairs of their tokens");
        return Err(BuiltinError { halt: true, ..BuiltinError::new(message) });
    }
    Ok(Some(intersects(left, right).into()))
}

/// Without what both begin and end with, but for one token; nothing where that differs.
fn trimmed<'a>(left: &'a [Token], right: &'a [Token]) -> Option<(&'a [Token], &'a [Token])> {
    let plain = |a: &Token, b: &Token| a.repeat == Repeat::Once && b.repeat == Repeat::Once;
    let prefix: Vec<(&Token, &Token)> = left.iter().zip(right).take_while(|(a, b)| plain(a, b)).collect();
    if prefix.iter().any(|(a, b)| !a.meets(b)) {
        return None;
    }
    let start = prefix.len().saturating_sub(1);
    let (left, right) = (left.get(start..)?, right.get(start..)?);
    let suffix: Vec<(&Token, &Token)> =
        left.iter().rev().zip(right.iter().rev()).take_while(|(a, b)| plain(a, b)).collect();
    if suffix.iter().any(|(a, b)| !a.meets(b)) {
        return None;
    }
    let cut = suffix.len().saturating_sub(1);
    Some((left.get(..left.len() - cut)?, right.get(..right.len() - cut)?))
}

/// What is known of the rests of both patterns from one position each.
#[derive(Clone, Copy, Default)]
struct Cell {
    /// The rests have a text in common, found by expanding the left one's repeated token where both have one.
    left_first: bool,
    /// The same, expanding the right one's. As some paths are given up, the answers can differ.
    right_first: bool,
    /// The same, if the left one's first token may be used any number of times.
    left_star: bool,
    /// The same for the right one.
    right_star: bool,
}

fn intersects(left: &[Token], right: &[Token]) -> bool {
    let at_end = |i: usize, j: usize| {
        let both = i == left.len() && j == right.len();
        Cell {
            left_first: both,
            right_first: both,
            left_star: i + 1 == left.len() && j == right.len(),
            right_star: j + 1 == right.len() && i == left.len(),
        }
    };
    let mut below: Vec<Cell> = (0..=right.len()).map(|j| at_end(left.len(), j)).collect();
    for (i, a) in left.iter().enumerate().rev() {
        let mut row = vec![at_end(i, right.len()); right.len() + 1];
        for (j, b) in right.iter().enumerate().rev() {
            let known = |row: &[Cell], j: usize| row.get(j).copied().unwrap_or_default();
            let near = Near {
                next_left: left.get(i + 1),
                next_right: right.get(j + 1),
                down: known(&below, j),
                across: known(&row, j + 1),
                both: known(&below, j + 1),
            };
            if let Some(cell) = row.get_mut(j) {
                *cell = near.cell(a, b);
            }
        }
        below = row;
    }
    below.first().is_some_and(|cell| cell.left_first)
}

/// What a cell depends on.
struct Near<'a> {
    next_left: Option<&'a Token>,
    next_right: Option<&'a Token>,
    /// One token further on the left.
    down: Cell,
    /// One token further on the right.
    across: Cell,
    /// One token further on both sides.
    both: Cell,
}

impl Near<'_> {
    fn cell(&self, a: &Token, b: &Token) -> Cell {
        let meets = a.meets(b);
        let left_goes_on = self.next_left.is_some_and(|next| next.meets(b)) && self.down.left_first;
        let right_goes_on = self.next_right.is_some_and(|next| next.meets(a)) && self.across.right_first;
        let left_star = left_goes_on || meets && self.across.left_star;
        let right_star = right_goes_on || meets && self.down.right_star;
        let left_plus = meets && (self.across.left_star || b.repeat != Repeat::Once && self.down.left_first);
        let right_plus =
            meets && (self.down.right_star || a.repeat != Repeat::Once && self.across.right_first);
        let left = repeated(a.repeat, left_star, left_plus);
        let right = repeated(b.repeat, right_star, right_plus);
        Cell {
            left_first: left.or(right).unwrap_or(meets && self.both.left_first),
            right_first: right.or(left).unwrap_or(meets && self.both.right_first),
            left_star,
            right_star,
        }
    }
}

/// The answer for a token that may be repeated.
fn repeated(repeat: Repeat, star: bool, plus: bool) -> Option<bool> {
    match repeat {
        Repeat::Once => None,
        Repeat::Star => Some(star),
        Repeat::Plus => Some(plus),
    }
}
