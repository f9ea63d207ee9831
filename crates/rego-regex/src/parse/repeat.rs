//! Repetition.

use super::{Parser, Result, consumed};
use crate::error::SyntaxError;
use crate::tree::Kind;

/// The largest count.
const MAX_COUNT: u32 = 1000;

impl<'a> Parser<'a> {
    /// Repeats what came last. The operator has been read, but for the question mark that makes it lazy.
    pub(super) fn repeat(&mut self, before: &'a str, least: u32, most: Option<u32>) -> Result<&'a str> {
        let counted = before.starts_with('{');
        let mut lazy = self.flags.lazy;
        if let Some(rest) = self.rest.strip_prefix('?') {
            self.rest = rest;
            lazy = !lazy;
        }
        if let Some(last) = self.repetition {
            return Err(SyntaxError::new("invalid nested repetition operator", consumed(last, self.rest)));
        }
        let text = consumed(before, self.rest);
        let Some(part) = self.frame.parts.pop() else {
            return Err(SyntaxError::new("missing argument to repetition operator", text));
        };
        let id = self.add(Kind::Repeat { part, least, most, greedy: !lazy })?;
        if counted && most.unwrap_or(least) >= 2 && self.tree.node(id).repeats > u64::from(MAX_COUNT) {
            return Err(SyntaxError::new("invalid repeat count", text));
        }
        self.frame.parts.push(id);
        Ok(before)
    }

    /// `{n}`, `{n,}` or `{n,m}`; a brace that begins none of these is a character.
    pub(super) fn count(&mut self, before: &'a str) -> Result<Option<&'a str>> {
        let Some((least, most, rest)) = parse_count(self.rest) else {
            self.literal(u32::from(b'{'))?;
            return Ok(None);
        };
        self.rest = rest;
        let too_large = least > MAX_COUNT || most.is_some_and(|most| most > MAX_COUNT || least > most);
        if too_large {
            return Err(SyntaxError::new("invalid repeat count", consumed(before, rest)));
        }
        self.repeat(before, least, most).map(Some)
    }
}

/// The two counts, and what follows the closing brace.
fn parse_count(text: &str) -> Option<(u32, Option<u32>, &str)> {
    let (least, rest) = number(text)?;
    let (most, rest) = match rest.strip_prefix(',') {
        None => (Some(least), rest),
        Some(rest) if rest.starts_with('}') => (None, rest),
        Some(rest) => {
            let (most, rest) = number(rest)?;
            (Some(most), rest)
        }
    };
    Some((least, most, rest.strip_prefix('}')?))
}

/// A number without leading zeros, and what follows; what is too large for `u32` is its largest.
fn number(text: &str) -> Option<(u32, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    if digits.is_empty() || (digits.len() > 1 && digits.starts_with('0')) {
        return None;
    }
    Some((digits.parse().unwrap_or(u32::MAX), rest))
}
