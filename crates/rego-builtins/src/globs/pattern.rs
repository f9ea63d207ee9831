//! Patterns to tokens.

use crate::error::BuiltinError;

/// How often a token may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    Once,
    Plus,
    Star,
}

/// What a token matches: one character.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Class {
    /// Exactly this one.
    One(char),
    /// Any one.
    Any,
    /// One within these ranges, which are sorted and apart. There may be none.
    Set(Vec<(u32, u32)>),
}

#[derive(Clone, Debug)]
pub(super) struct Token {
    class: Class,
    pub(super) repeat: Repeat,
}

impl Token {
    /// Whether one character matches both. OPA lets `.` meet any set, the empty one as well.
    pub(super) fn meets(&self, other: &Token) -> bool {
        match (&self.class, &other.class) {
            (Class::Any, _) | (_, Class::Any) => true,
            (Class::One(a), Class::One(b)) => a == b,
            (Class::One(c), Class::Set(ranges)) | (Class::Set(ranges), Class::One(c)) => {
                let c = u32::from(*c);
                ranges.iter().any(|(first, last)| (*first..=*last).contains(&c))
            }
            (Class::Set(a), Class::Set(b)) => overlap(a, b),
        }
    }
}

fn overlap(a: &[(u32, u32)], b: &[(u32, u32)]) -> bool {
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    while let (Some((a_first, a_last)), Some((b_first, b_last))) = (a.peek(), b.peek()) {
        if a_last < b_first {
            a.next();
        } else if b_last < a_first {
            b.next();
        } else {
            return true;
        }
    }
    false
}

/// The tokens of a pattern; neighbours that repeat the same class are one.
///
/// # Errors
/// What is wrong with the pattern and where, as OPA's library says it.
pub(super) fn parse(pattern: &str) -> Result<Vec<Token>, BuiltinError> {
    let mut reader = Reader { pattern, chars: pattern.chars().collect(), at: 0 };
    let mut tokens: Vec<Token> = Vec::new();
    while let Some(token) = reader.token()? {
        match tokens.last_mut() {
            Some(last)
                if last.class == token.class
                    && last.repeat != Repeat::Once
                    && token.repeat != Repeat::Once =>
            {
                if token.repeat == Repeat::Plus {
                    last.repeat = Repeat::Plus;
                }
            }
            _ => tokens.push(token),
        }
    }
    Ok(tokens)
}

struct Reader<'a> {
    pattern: &'a str,
    chars: Vec<char>,
    at: usize,
}

impl Reader<'_> {
    fn error(&self, at: usize, problem: &str) -> BuiltinError {
        let pattern = self.pattern;
        BuiltinError::new(format!("input:{pattern}, pos:{at}, {problem}: the input provided is invalid"))
    }

    /// The next character, and whether a backslash stands before it.
    fn next(&mut self) -> Result<Option<(char, bool)>, BuiltinError> {
        let Some(c) = self.chars.get(self.at).copied() else { return Ok(None) };
        if c != '\\' {
            self.at += 1;
            return Ok(Some((c, false)));
        }
        match self.chars.get(self.at + 1) {
            Some(escaped) => {
                self.at += 2;
                Ok(Some((*escaped, true)))
            }
            None => Err(self.error(self.at, "input ends with a \\ (escape) character")),
        }
    }

    fn token(&mut self) -> Result<Option<Token>, BuiltinError> {
        let class = match self.next()? {
            None => return Ok(None),
            Some(('.', false)) => Class::Any,
            Some(('[', false)) => Class::Set(self.set()?),
            Some((']', false)) => return Err(self.error(self.at, "set-close ']' with no preceding '['")),
            Some((c @ ('+' | '*'), false)) => {
                let problem = format!("flag '{c}' must be preceded by a non-flag");
                return Err(self.error(self.at, &problem));
            }
            Some((c, _)) => Class::One(c),
        };
        Ok(Some(Token { class, repeat: self.repeat()? }))
    }

    fn repeat(&mut self) -> Result<Repeat, BuiltinError> {
        let before = self.at;
        let repeat = match self.next()? {
            Some(('+', false)) => Repeat::Plus,
            Some(('*', false)) => Repeat::Star,
            _ => Repeat::Once,
        };
        if repeat == Repeat::Once {
            self.at = before;
        }
        Ok(repeat)
    }

    /// The ranges up to `]`, sorted and joined.
    fn set(&mut self) -> Result<Vec<(u32, u32)>, BuiltinError> {
        let mut ranges = Vec::new();
        let mut before = None;
        loop {
            match self.next()? {
                None => return Err(self.error(self.at, "found [ without matching ]")),
                Some((']', false)) => return Ok(joined(ranges)),
                Some(('-', false)) => {
                    ranges.push(self.range(before)?);
                    before = None;
                }
                Some((c, _)) => {
                    ranges.push((u32::from(c), u32::from(c)));
                    before = Some(c);
                }
            }
        }
    }

    /// A range from the character before the dash.
    fn range(&mut self, before: Option<char>) -> Result<(u32, u32), BuiltinError> {
        let Some(first) = before else {
            return Err(self.error(self.at, "range character '-' must be preceded by a Unicode character"));
        };
        if self.at + 1 >= self.chars.len() {
            return Err(self.error(self.at, "range character '-' must be followed by a Unicode character"));
        }
        match self.next()? {
            Some((']' | '-', false)) | None => {
                Err(self.error(self.at, "range character '-' cannot be followed by a special symbol"))
            }
            Some((last, _)) if last < first => {
                let problem = format!("range is out of order: '{last}' comes before '{first}' in Unicode");
                Err(self.error(self.at, &problem))
            }
            Some((last, _)) => Ok((u32::from(first), u32::from(last))),
        }
    }
}

fn joined(mut ranges: Vec<(u32, u32)>) -> Vec<(u32, u32)> {
    ranges.sort_unstable();
    let mut out: Vec<(u32, u32)> = Vec::new();
    for (first, last) in ranges {
        match out.last_mut() {
            Some(known) if first <= known.1.saturating_add(1) => known.1 = known.1.max(last),
            _ => out.push((first, last)),
        }
    }
    out
}
