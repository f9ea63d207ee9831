//! Reads a collection in a text from its first byte to its last, whatever is made of it; takes no stack for nesting.

use rego_value::json;

use super::Fault;
use super::token::{Literal, Numeral, Tokens};

/// Takes what is read.
pub(super) trait Sink {
    fn key(&mut self, text: &[u8], key: Literal) -> Result<(), Fault>;
    fn string(&mut self, text: &[u8], string: Literal) -> Result<(), Fault>;
    fn number(&mut self, number: Numeral<'_>) -> Result<(), Fault>;
    /// The handle of `null`, `true` or `false`.
    fn constant(&mut self, handle: u32);
    fn open(&mut self);
    fn close(&mut self, is_object: bool) -> Result<(), Fault>;
}

/// Which of the collections around a place are objects.
pub(super) struct Nesting<'s> {
    /// A bit each for the innermost ones, the innermost lowest.
    kinds: u64,
    depth: usize,
    /// Deeper than the bits go: those of every 64 further levels.
    outer: &'s mut Vec<u64>,
    /// How deep it may go.
    limit: usize,
}

impl<'s> Nesting<'s> {
    /// Inside of `depth` other collections.
    pub(super) fn new(depth: usize, outer: &'s mut Vec<u64>) -> Self {
        outer.clear();
        Self { kinds: 0, depth: 0, outer, limit: (json::MAX_DEPTH as usize).saturating_sub(depth) }
    }

    #[inline(always)]
    fn push(&mut self, is_object: bool) -> Result<(), Fault> {
        if self.depth & 63 == 63 {
            self.outer.push(self.kinds);
        }
        self.kinds = self.kinds << 1 | u64::from(is_object);
        self.depth += 1;
        if self.depth > self.limit { Err(Fault::Invalid) } else { Ok(()) }
    }

    /// Whether anything is left.
    #[inline(always)]
    fn pop(&mut self) -> bool {
        self.depth -= 1;
        self.kinds >>= 1;
        if self.depth & 63 == 63 {
            self.kinds = self.outer.pop().unwrap_or(0);
        }
        self.depth > 0
    }

    const fn is_object(&self) -> bool {
        self.kinds & 1 == 1
    }
}

/// Reads the collection that begins with the bracket `first`; gives the place behind it.
#[inline(always)]
pub(super) fn walk<'t>(
    mut tokens: Tokens<'t>,
    first: u8,
    mut nesting: Nesting<'_>,
    sink: &mut impl Sink,
) -> Result<Tokens<'t>, Fault> {
    let mut byte = first;
    'open: loop {
        // A bracket is at hand.
        let is_object = byte == b'{';
        nesting.push(is_object)?;
        sink.open();
        tokens.take();
        byte = tokens.peek();
        let mut is_empty = byte == closing(is_object);
        loop {
            // In each round, the members or elements up to a nested collection, or to the end.
            if is_empty {
                is_empty = false;
                tokens.take();
            } else {
                let is_open = if nesting.is_object() {
                    members(&mut tokens, &mut byte, sink)?
                } else {
                    elements(&mut tokens, &mut byte, sink)?
                };
                if is_open {
                    continue 'open;
                }
            }
            // Collections end until something follows one.
            loop {
                sink.close(nesting.is_object())?;
                if !nesting.pop() {
                    return Ok(tokens);
                }
                byte = tokens.peek();
                tokens.take();
                if byte == b',' {
                    byte = tokens.peek();
                    break;
                }
                if byte != closing(nesting.is_object()) {
                    return Err(Fault::Invalid);
                }
            }
        }
    }
}

/// Members from a key on, up to a nested collection (then true, and `byte` is its bracket) or behind the last one.
#[inline(always)]
fn members(tokens: &mut Tokens<'_>, byte: &mut u8, sink: &mut impl Sink) -> Result<bool, Fault> {
    loop {
        if *byte != b'"' {
            return Err(Fault::Invalid);
        }
        let key = tokens.string()?;
        sink.key(tokens.text(), key)?;
        *byte = tokens.colon()?;
        if let Some(is_open) = item(tokens, byte, b'}', sink)? {
            return Ok(is_open);
        }
    }
}

/// Elements, likewise.
#[inline(always)]
fn elements(tokens: &mut Tokens<'_>, byte: &mut u8, sink: &mut impl Sink) -> Result<bool, Fault> {
    loop {
        if let Some(is_open) = item(tokens, byte, b']', sink)? {
            return Ok(is_open);
        }
    }
}

/// A value that is no collection, and what separates it from the next, whose first byte is then at hand. Otherwise as
/// [`members`].
#[inline(always)]
fn item(
    tokens: &mut Tokens<'_>,
    byte: &mut u8,
    close: u8,
    sink: &mut impl Sink,
) -> Result<Option<bool>, Fault> {
    match *byte {
        b'"' => {
            let string = tokens.string()?;
            sink.string(tokens.text(), string)?;
        }
        b'{' | b'[' => return Ok(Some(true)),
        b'-' | b'0'..=b'9' => {
            let number = tokens.number()?;
            sink.number(number)?;
        }
        other => sink.constant(tokens.constant(other)?),
    }
    *byte = tokens.peek();
    tokens.take();
    match *byte {
        b',' => *byte = tokens.peek(),
        other if other == close => return Ok(Some(false)),
        _ => return Err(Fault::Invalid),
    }
    Ok(None)
}

const fn closing(is_object: bool) -> u8 {
    if is_object { b'}' } else { b']' }
}

/// Only looks whether it is JSON.
pub(super) struct Skip;

impl Sink for Skip {
    #[inline(always)]
    fn key(&mut self, _: &[u8], _: Literal) -> Result<(), Fault> {
        Ok(())
    }

    #[inline(always)]
    fn string(&mut self, _: &[u8], _: Literal) -> Result<(), Fault> {
        Ok(())
    }

    #[inline(always)]
    fn number(&mut self, _: Numeral<'_>) -> Result<(), Fault> {
        Ok(())
    }

    #[inline(always)]
    fn constant(&mut self, _: u32) {}

    #[inline(always)]
    fn open(&mut self) {}

    #[inline(always)]
    fn close(&mut self, _: bool) -> Result<(), Fault> {
        Ok(())
    }
}
