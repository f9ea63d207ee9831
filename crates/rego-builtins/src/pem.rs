//! PEM blocks, found in a text as Go's `encoding/pem` finds them.
//!
//! What is between and around blocks is skipped, and so is what only looks like a block. Which text still
//! counts as one decides whether a key is accepted, so that the rules are Go's to the letter.

use crate::base64::STANDARD;

/// A block: `-----BEGIN label-----`, headers, base64, `-----END label-----`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Block<'a> {
    pub(crate) label: &'a [u8],
    pub(crate) bytes: Vec<u8>,
}

impl Block<'_> {
    /// The label as text for a message.
    pub(crate) fn label(&self) -> String {
        String::from_utf8_lossy(self.label).into_owned()
    }
}

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"\n-----END ";
const DASHES: &[u8] = b"-----";

/// The first block and what follows it; without a block, the whole text.
pub(crate) fn decode(text: &[u8]) -> (Option<Block<'_>>, &[u8]) {
    let mut from = 0;
    while let Some(end) = find(text, from, END) {
        let after_end = end + END.len();
        match block(text, from, end) {
            Attempt::Block(block, rest) => return (Some(block), rest),
            Attempt::Nothing => break,
            Attempt::NotHere => from = after_end,
        }
    }
    (None, text)
}

enum Attempt<'a> {
    Block(Block<'a>, &'a [u8]),
    /// Not a block; one may follow after this end line.
    NotHere,
    /// Nothing in this text is a block.
    Nothing,
}

/// The block that an end line at `end` closes, its begin line looked for from `from` on.
fn block(text: &[u8], from: usize, end: usize) -> Attempt<'_> {
    let after_end = end + END.len();
    let Some(begin) = find_last(text, from, end, BEGIN) else { return Attempt::NotHere };
    if begin > from && text.get(begin - 1) != Some(&b'\n') {
        return Attempt::NotHere;
    }
    let (line, body) = line(text, begin + BEGIN.len());
    let Some(label) = line.strip_suffix(DASHES) else { return Attempt::NotHere };
    let Some(body) = after_headers(text, body) else { return Attempt::Nothing };
    if body.has_headers && body.start > end {
        return if body.start > after_end { Attempt::Nothing } else { Attempt::NotHere };
    }
    let closed = text.get(after_end..).and_then(|rest| rest.strip_prefix(label)?.strip_prefix(DASHES));
    let Some(rest_of_line) = closed else { return Attempt::NotHere };
    if !self::line(rest_of_line, 0).0.is_empty() {
        return Attempt::NotHere;
    }
    let encoded = text.get(body.start..end).unwrap_or_default();
    let encoded: Vec<u8> = encoded.iter().copied().filter(|byte| !matches!(byte, b' ' | b'\t')).collect();
    let Ok(bytes) = STANDARD.decode(&encoded) else { return Attempt::NotHere };
    // From the last byte of the end marker: an empty block shares its line end with the begin line.
    let (_, next) = self::line(text, after_end - 1);
    Attempt::Block(Block { label, bytes }, text.get(next..).unwrap_or_default())
}

struct Body {
    start: usize,
    has_headers: bool,
}

/// Where the base64 begins: at the first line without a colon.
fn after_headers(text: &[u8], mut start: usize) -> Option<Body> {
    let mut has_headers = false;
    while start < text.len() {
        let (line, next) = line(text, start);
        if !line.contains(&b':') {
            return Some(Body { start, has_headers });
        }
        (start, has_headers) = (next, true);
    }
    None
}

/// The line at an offset, without its end and trailing blanks, and the offset of the next line.
fn line(text: &[u8], start: usize) -> (&[u8], usize) {
    let rest = text.get(start..).unwrap_or_default();
    let (mut line, next) = match rest.iter().position(|byte| *byte == b'\n') {
        Some(length) => (rest.get(..length).unwrap_or_default(), start + length + 1),
        None => (rest, text.len()),
    };
    if next > start + line.len() {
        line = line.strip_suffix(b"\r").unwrap_or(line);
    }
    while let Some(shorter) = line.strip_suffix(b" ").or_else(|| line.strip_suffix(b"\t")) {
        line = shorter;
    }
    (line, next)
}

fn find(text: &[u8], from: usize, wanted: &[u8]) -> Option<usize> {
    let rest = text.get(from..)?;
    rest.windows(wanted.len()).position(|window| window == wanted).map(|at| from + at)
}

fn find_last(text: &[u8], from: usize, to: usize, wanted: &[u8]) -> Option<usize> {
    let rest = text.get(from..to)?;
    rest.windows(wanted.len()).rposition(|window| window == wanted).map(|at| from + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(mut text: &[u8]) -> Vec<(String, Vec<u8>)> {
        let mut found = Vec::new();
        while let (Some(block), rest) = decode(text) {
            found.push((block.label(), block.bytes));
            text = rest;
        }
        found
    }

    #[test]
    fn blocks_are_found_between_other_lines() {
        let text = b"junk\n-----BEGIN A B-----\nK: v\n\nAAEC\n-----END A B-----\nmore\n-----BEGIN C-----\nAA==\n-----END C-----";
        assert_eq!(blocks(text), [("A B".to_owned(), vec![0, 1, 2]), ("C".to_owned(), vec![0])]);
    }

    #[test]
    fn what_only_looks_like_a_block_is_skipped() {
        assert_eq!(
            blocks(b"-----BEGIN A-----\n!!\n-----END A-----\n-----BEGIN B-----\nAA==\n-----END B-----\n")
                .len(),
            1
        );
        assert!(blocks(b"x-----BEGIN A-----\nAA==\n-----END A-----\n").is_empty());
        assert!(blocks(b"-----BEGIN A-----\nAA==\n-----END B-----\n").is_empty());
        assert!(blocks(b"-----BEGIN A-----\nAA==\n-----END A----- x\n").is_empty());
        assert_eq!(blocks(b"-----BEGIN A-----\n-----END A-----\n"), [("A".to_owned(), vec![])]);
    }
}
