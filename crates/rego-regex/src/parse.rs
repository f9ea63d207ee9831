//! Go's syntax of regular expressions (`regexp/syntax`, with the flags of `regexp.Compile`), as of Go 1.26.

mod charset;
mod group;
mod repeat;

use alloc::vec::Vec;

use crate::class::{Class, perl};
use crate::error::SyntaxError;
use crate::tree::{Id, Kind, Look, Tree};
use crate::unicode;

type Result<T> = core::result::Result<T, SyntaxError>;

/// The most parts within each other.
const MAX_HEIGHT: u32 = 1000;
/// The most instructions, by Go's count.
const MAX_SIZE: u64 = (128 << 20) / 40;

/// The flags that an expression can change.
#[derive(Clone, Copy, Default)]
struct Flags {
    /// `i`
    fold: bool,
    /// `m`
    lines: bool,
    /// `s`
    dot_all: bool,
    /// `U`
    lazy: bool,
}

/// An open parenthesis.
#[derive(Default)]
struct Frame {
    /// What is put back at its end.
    flags: Flags,
    /// Its number, if it is remembered.
    capture: Option<u32>,
    /// The alternatives that are complete.
    alternatives: Vec<Id>,
    /// The parts of the one that is not.
    parts: Vec<Id>,
}

struct Parser<'a> {
    whole: &'a str,
    rest: &'a str,
    flags: Flags,
    tree: Tree,
    /// The open parentheses, around the innermost.
    outer: Vec<Frame>,
    frame: Frame,
    /// The text from the last repetition operator on, if it was the last thing.
    repetition: Option<&'a str>,
}

/// Parses an expression.
pub(crate) fn parse(pattern: &str) -> Result<Tree> {
    let mut parser = Parser {
        whole: pattern,
        rest: pattern,
        flags: Flags::default(),
        tree: Tree { nodes: Vec::new(), groups: [None].into() },
        outer: Vec::new(),
        frame: Frame::default(),
        repetition: None,
    };
    while !parser.rest.is_empty() {
        let repetition = parser.step()?;
        parser.repetition = repetition;
    }
    if !parser.outer.is_empty() {
        return Err(SyntaxError::new("missing closing )", pattern));
    }
    let frame = core::mem::take(&mut parser.frame);
    let whole = parser.close(frame)?;
    // The whole is the last node.
    if whole + 1 != parser.tree.nodes.len() {
        parser.add(Kind::Concat([whole].into()))?;
    }
    Ok(parser.tree)
}

/// What `from` has before `to`, which is its end.
fn consumed<'a>(from: &'a str, to: &str) -> &'a str {
    from.get(..from.len().saturating_sub(to.len())).unwrap_or_default()
}

impl<'a> Parser<'a> {
    /// Parses one thing; the text it began with if it was a repetition operator.
    fn step(&mut self) -> Result<Option<&'a str>> {
        let before = self.rest;
        let Some(c) = self.next() else { return Ok(None) };
        match c {
            '(' => self.open(before)?,
            '|' => {
                let parts = core::mem::take(&mut self.frame.parts);
                let alternative = self.concat(parts)?;
                self.frame.alternatives.push(alternative);
            }
            ')' => {
                let Some(outer) = self.outer.pop() else {
                    return Err(SyntaxError::new("unexpected )", self.whole));
                };
                let frame = core::mem::replace(&mut self.frame, outer);
                self.flags = frame.flags;
                let capture = frame.capture;
                let mut part = self.close(frame)?;
                if let Some(number) = capture {
                    part = self.add(Kind::Capture(number, part))?;
                }
                self.frame.parts.push(part);
            }
            '^' => self.look(if self.flags.lines { Look::LineStart } else { Look::TextStart })?,
            '$' => self.look(if self.flags.lines { Look::LineEnd } else { Look::TextEnd })?,
            '.' => self.dot()?,
            '[' => self.brackets(before)?,
            '*' => return self.repeat(before, 0, None).map(Some),
            '+' => return self.repeat(before, 1, None).map(Some),
            '?' => return self.repeat(before, 0, Some(1)).map(Some),
            '{' => return self.count(before),
            '\\' => self.escape(before)?,
            other => self.literal(u32::from(other))?,
        }
        Ok(None)
    }

    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let c = chars.next()?;
        self.rest = chars.as_str();
        Some(c)
    }

    fn add(&mut self, kind: Kind) -> Result<Id> {
        let id = self.tree.push(kind);
        let node = self.tree.node(id);
        if node.height > MAX_HEIGHT {
            return Err(SyntaxError::new("expression nests too deeply", self.whole));
        }
        if node.size > MAX_SIZE {
            return Err(SyntaxError::new("expression too large", self.whole));
        }
        Ok(id)
    }

    fn part(&mut self, kind: Kind) -> Result<()> {
        let id = self.add(kind)?;
        self.frame.parts.push(id);
        Ok(())
    }

    fn look(&mut self, look: Look) -> Result<()> {
        self.part(Kind::Look(look))
    }

    fn dot(&mut self) -> Result<()> {
        let newline = Class::from_range(u32::from(b'\n'), u32::from(b'\n'));
        let class = if self.flags.dot_all { Class::from_range(0, Class::MAX) } else { newline.negated() };
        self.part(Kind::Class(class))
    }

    fn literal(&mut self, c: u32) -> Result<()> {
        if !self.flags.fold {
            return self.part(Kind::Literal(c));
        }
        let mut class = Class::from_range(c, c);
        self.fold(&mut class);
        self.class(class)
    }

    /// Adds what differs in case alone.
    fn fold(&self, class: &mut Class) {
        // Most text is ASCII, and most of ASCII has a simple answer.
        if let [(c, last)] = *class.ranges()
            && c == last
            && let Ok(byte) = u8::try_from(c)
            && byte.is_ascii()
            && !matches!(byte, b'k' | b'K' | b's' | b'S')
        {
            if byte.is_ascii_alphabetic() {
                class.add(c ^ 0x20, c ^ 0x20);
            }
            return;
        }
        unicode::fold(class);
    }

    fn class(&mut self, class: Class) -> Result<()> {
        let class = class.cleaned();
        match class.single() {
            Some(c) => self.part(Kind::Literal(c)),
            None => self.part(Kind::Class(class)),
        }
    }

    /// What a frame has come to at its end.
    fn close(&mut self, frame: Frame) -> Result<Id> {
        let last = self.concat(frame.parts)?;
        if frame.alternatives.is_empty() {
            return Ok(last);
        }
        let mut alternatives = frame.alternatives;
        alternatives.push(last);
        self.add(Kind::Alternate(alternatives))
    }

    fn concat(&mut self, parts: Vec<Id>) -> Result<Id> {
        match parts.as_slice() {
            [] => self.add(Kind::Empty),
            [one] => Ok(*one),
            _ => self.add(Kind::Concat(parts)),
        }
    }

    /// What follows a backslash, outside brackets.
    fn escape(&mut self, before: &'a str) -> Result<()> {
        let mut chars = self.rest.chars();
        let second = chars.next();
        let rest = chars.as_str();
        let look = match second {
            Some('A') => Some(Look::TextStart),
            Some('z') => Some(Look::TextEnd),
            Some('b') => Some(Look::Word),
            Some('B') => Some(Look::NotWord),
            _ => None,
        };
        if let Some(look) = look {
            self.rest = rest;
            return self.look(look);
        }
        match second {
            Some('C') => return Err(SyntaxError::new("invalid escape sequence", consumed(before, rest))),
            Some('Q') => {
                let (literal, rest) = rest.split_once("\\E").unwrap_or((rest, ""));
                self.rest = rest;
                return literal.chars().try_for_each(|c| self.literal(u32::from(c)));
            }
            _ => {}
        }
        self.rest = before;
        if let Some(class) = self.escaped_class()? {
            return self.class(class);
        }
        let c = self.escaped_char()?;
        self.literal(c)
    }

    /// The members of `\d`, `\PL` and so on, if that is what follows.
    fn escaped_class(&mut self) -> Result<Option<Class>> {
        if let Some(class) = self.unicode_class()? {
            return Ok(Some(class));
        }
        let &[b'\\', letter, ..] = self.rest.as_bytes() else { return Ok(None) };
        let Some(mut class) = perl(letter.to_ascii_lowercase()) else { return Ok(None) };
        self.rest = self.rest.get(2..).unwrap_or_default();
        if self.flags.fold {
            self.fold(&mut class);
        }
        Ok(Some(if letter.is_ascii_uppercase() { class.negated() } else { class }))
    }

    /// `\pN`, `\p{Name}`, `\p{^Name}` and the same with `\P`.
    fn unicode_class(&mut self) -> Result<Option<Class>> {
        let before = self.rest;
        let (Some(rest), mut negated) = (match before.strip_prefix("\\p") {
            Some(rest) => (Some(rest), false),
            None => (before.strip_prefix("\\P"), true),
        }) else {
            return Ok(None);
        };
        let wrong = |text: &str| SyntaxError::new("invalid character class range", text);
        let (name, rest) = match rest.strip_prefix('{') {
            Some(inside) => inside.split_once('}').ok_or_else(|| wrong(before))?,
            None => rest.split_at(rest.chars().next().map_or(0, char::len_utf8)),
        };
        let plain = name.strip_prefix('^');
        negated ^= plain.is_some();
        let class = unicode::named(plain.unwrap_or(name));
        let mut class = class.ok_or_else(|| wrong(consumed(before, rest)))?;
        self.rest = rest;
        if self.flags.fold {
            self.fold(&mut class);
        }
        Ok(Some(if negated { class.negated() } else { class }))
    }
}
