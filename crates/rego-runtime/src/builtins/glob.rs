//! `glob.match`, with the patterns of the library that OPA uses: `*`, `**`, `?`, `[abc]`, `[!a-z]`, `{a,b}` and `\`.
//!
//! A pattern becomes a small automaton whose states are tried side by side, so that no pattern takes more than its
//! length times the text's.

use super::operands::{element_failure, string};
use crate::array;
use crate::error::{Failure, Outcome};
use crate::text::push_int;
use crate::value::Value;
use alloc::string::String;
use alloc::vec::Vec;

/// One state. All but `Fork`, `Jump` and `End` take a character and go to the next state.
enum State {
    /// This character.
    Char(char),
    /// Any character that is no delimiter.
    Single,
    /// Any character.
    Any,
    /// A character of the list or range, or one that is not.
    Class { negated: bool, low: char, high: char, list: Vec<char> },
    /// Goes on at both places without taking anything.
    Fork(usize, usize),
    /// Goes on there.
    Jump(usize),
    /// The pattern has matched.
    End,
}

/// The deepest nesting of alternatives.
const MAX_NESTING: usize = 100;

struct Compiler<'a> {
    text: &'a str,
    /// The offset of what has not been read yet.
    at: usize,
    states: Vec<State>,
    /// The alternatives that are open: where the fork before the current one is, and the jumps out of those before it.
    open: Vec<(usize, Vec<usize>)>,
}

impl Compiler<'_> {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next()
    }

    fn read(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.at += character.len_utf8();
        Some(character)
    }

    fn take(&mut self, wanted: char) -> bool {
        let there = self.peek() == Some(wanted);
        if there {
            self.at += wanted.len_utf8();
        }
        there
    }

    /// The states of the pattern, or what is wrong where `at` stands.
    fn compile(&mut self) -> Result<(), &'static str> {
        while let Some(character) = self.read() {
            match character {
                '*' => self.star(),
                '?' => self.states.push(State::Single),
                '[' => self.class()?,
                '{' => {
                    if self.open.len() == MAX_NESTING {
                        return Err("alternatives nested too deep");
                    }
                    self.open.push((self.states.len(), Vec::new()));
                    self.states.push(State::Fork(0, 0));
                }
                ',' if !self.open.is_empty() => self.next_alternative(),
                '}' if !self.open.is_empty() => self.close(),
                '\\' => {
                    let escaped = self.read().ok_or("trailing backslash")?;
                    self.states.push(State::Char(escaped));
                }
                _ => self.states.push(State::Char(character)),
            }
        }
        if !self.open.is_empty() {
            return Err("unclosed `{`");
        }
        self.states.push(State::End);
        Ok(())
    }

    /// `*` or `**`: a loop over one character.
    fn star(&mut self) {
        let any = self.take('*');
        let start = self.states.len();
        self.states.push(State::Fork(start + 1, start + 3));
        self.states.push(if any { State::Any } else { State::Single });
        self.states.push(State::Jump(start));
    }

    fn next_alternative(&mut self) {
        let jump = self.states.len();
        self.states.push(State::Jump(0));
        let next = self.states.len();
        self.states.push(State::Fork(0, 0));
        if let Some((fork, jumps)) = self.open.last_mut() {
            if let Some(state) = self.states.get_mut(*fork) {
                *state = State::Fork(*fork + 1, next);
            }
            *fork = next;
            jumps.push(jump);
        }
    }

    fn close(&mut self) {
        let end = self.states.len();
        let Some((fork, jumps)) = self.open.pop() else { return };
        if let Some(state) = self.states.get_mut(fork) {
            *state = State::Jump(fork + 1);
        }
        for jump in jumps {
            if let Some(state) = self.states.get_mut(jump) {
                *state = State::Jump(end);
            }
        }
    }

    /// After `[`: `!` negates; then either `a-z`, or a list in which a backslash escapes.
    fn class(&mut self) -> Result<(), &'static str> {
        const END: &str = "unexpected end of input";
        let negated = self.take('!');
        let start = self.at;
        let low = self.read().ok_or(END)?;
        if self.take('-') {
            let high = self.read().ok_or(END)?;
            self.close_class()?;
            if high < low {
                return Err("range hi character is less than lo");
            }
            self.states.push(State::Class { negated, low, high, list: Vec::new() });
            return Ok(());
        }
        self.at = start;
        let mut list = Vec::new();
        while let Some(character) = self.peek().filter(|character| *character != ']') {
            self.at += character.len_utf8();
            list.push(if character == '\\' { self.read().ok_or("trailing backslash")? } else { character });
        }
        self.close_class()?;
        if list.is_empty() {
            return Err("could not parse range");
        }
        self.states.push(State::Class { negated, low: '\u{1}', high: '\0', list });
        Ok(())
    }

    fn close_class(&mut self) -> Result<(), &'static str> {
        match self.read() {
            Some(']') => Ok(()),
            Some(_) => Err("expected close range character"),
            None => Err("unexpected end of input"),
        }
    }
}

/// The places in the pattern at which the text has arrived.
struct Places {
    list: Vec<usize>,
    seen: Vec<bool>,
}

impl Places {
    fn new(states: usize) -> Places {
        Places { list: Vec::with_capacity(states), seen: alloc::vec![false; states] }
    }

    fn clear(&mut self) {
        self.list.clear();
        self.seen.fill(false);
    }

    /// Adds a place, and those that can be reached from it without a character.
    fn add(&mut self, states: &[State], place: usize, pending: &mut Vec<usize>) {
        pending.push(place);
        while let Some(place) = pending.pop() {
            match self.seen.get_mut(place) {
                Some(seen) if !*seen => *seen = true,
                _ => continue,
            }
            match states.get(place) {
                Some(State::Fork(a, b)) => pending.extend([*a, *b]),
                Some(State::Jump(to)) => pending.push(*to),
                _ => self.list.push(place),
            }
        }
    }
}

fn matches(states: &[State], delimiters: &[char], text: &str) -> bool {
    let (mut now, mut next) = (Places::new(states.len()), Places::new(states.len()));
    let mut pending = Vec::new();
    now.add(states, 0, &mut pending);
    for character in text.chars() {
        next.clear();
        for place in &now.list {
            let taken = match states.get(*place) {
                Some(State::Char(wanted)) => *wanted == character,
                Some(State::Single) => !delimiters.contains(&character),
                Some(State::Any) => true,
                Some(State::Class { negated, low, high, list }) => {
                    ((*low..=*high).contains(&character) || list.contains(&character)) != *negated
                }
                _ => false,
            };
            if taken {
                next.add(states, place + 1, &mut pending);
            }
        }
        core::mem::swap(&mut now, &mut next);
        if now.list.is_empty() {
            return false;
        }
    }
    now.list.iter().any(|place| matches!(states.get(*place), Some(State::End)))
}

pub(super) fn glob_match(pattern: Value, delimiters: Value, text: Value) -> Outcome {
    let pattern = string(pattern, 1)?;
    let mut list = Vec::new();
    if delimiters.is_array() {
        for item in array::iter(delimiters) {
            let one = item.as_str().ok_or_else(|| element_failure(2, delimiters, item, "string"))?;
            let mut characters = one.chars();
            match (characters.next(), characters.next()) {
                (Some(character), None) => list.push(character),
                _ => return Err(element_failure(2, delimiters, item, "rune")),
            }
        }
        if list.is_empty() {
            list.push('.');
        }
    } else if delimiters != Value::NULL {
        return Err(Failure::operand(2, "one of {array, null}", delimiters));
    }
    let text = string(text, 3)?;
    let mut compiler = Compiler { text: pattern, at: 0, states: Vec::new(), open: Vec::new() };
    if let Err(reason) = compiler.compile() {
        let mut offset = String::new();
        push_int(&mut offset, compiler.at as i64);
        return Err(Failure::builtin(&["glob: syntax error at ", &offset, ": ", reason]));
    }
    Ok(Value::bool(matches(&compiler.states, &list, text)))
}
