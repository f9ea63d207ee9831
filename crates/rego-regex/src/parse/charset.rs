//! Characters that are escaped, and sets in brackets.

use super::{Parser, Result, consumed};
use crate::class::{Class, posix};
use crate::error::SyntaxError;

impl<'a> Parser<'a> {
    /// The character that the escape at the beginning of the rest stands for.
    pub(super) fn escaped_char(&mut self) -> Result<u32> {
        let before = self.rest;
        self.next();
        let Some(c) = self.next() else {
            return Err(SyntaxError::new("trailing backslash at end of expression", ""));
        };
        let found = match c {
            '0' => Some(self.octal(c)),
            '1'..='7' if self.rest.starts_with(|next| ('0'..='7').contains(&next)) => Some(self.octal(c)),
            'x' => self.hexadecimal(),
            'a' => Some(0x07),
            'f' => Some(0x0c),
            'n' => Some(0x0a),
            'r' => Some(0x0d),
            't' => Some(0x09),
            'v' => Some(0x0b),
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => Some(u32::from(c)),
            _ => None,
        };
        found.ok_or_else(|| SyntaxError::new("invalid escape sequence", consumed(before, self.rest)))
    }

    /// Up to three octal digits, of which the first is given.
    fn octal(&mut self, first: char) -> u32 {
        let mut number = first.to_digit(8).unwrap_or(0);
        for _ in 0..2 {
            let Some(digit) = self.rest.chars().next().and_then(|c| c.to_digit(8)) else { break };
            number = number * 8 + digit;
            self.next();
        }
        number
    }

    /// Two hexadecimal digits, or any number of them in braces.
    fn hexadecimal(&mut self) -> Option<u32> {
        let first = self.next()?;
        if first != '{' {
            let second = self.next();
            return Some(first.to_digit(16)? * 16 + second?.to_digit(16)?);
        }
        let mut number = None;
        loop {
            match self.next()? {
                '}' => return number,
                digit => {
                    let next = number.unwrap_or(0) * 16 + digit.to_digit(16)?;
                    number = Some(next).filter(|number| *number <= Class::MAX);
                    number?;
                }
            }
        }
    }

    /// A set in brackets, of which the first has been read.
    pub(super) fn brackets(&mut self, before: &'a str) -> Result<()> {
        let mut class = Class::default();
        let negated = self.rest.starts_with('^');
        if negated {
            self.next();
        }
        let mut first = true;
        while first || !self.rest.starts_with(']') {
            first = false;
            if let Some(named) = self.named_class()? {
                class.union(&named);
            } else if let Some(escaped) = self.escaped_class()? {
                class.union(&escaped);
            } else {
                let range = self.range(before)?;
                class.union(&range);
            }
        }
        self.next();
        let class = class.cleaned();
        self.class(if negated { class.negated() } else { class })
    }

    /// `[:name:]`, if that is what follows.
    fn named_class(&mut self) -> Result<Option<Class>> {
        let Some(inside) = self.rest.strip_prefix("[:") else { return Ok(None) };
        let Some((name, rest)) = inside.split_once(":]") else { return Ok(None) };
        let plain = name.strip_prefix('^');
        let Some(mut class) = posix(plain.unwrap_or(name)) else {
            let text = consumed(self.rest, rest);
            return Err(SyntaxError::new("invalid character class range", text));
        };
        self.rest = rest;
        if self.flags.fold {
            self.fold(&mut class);
        }
        Ok(Some(if plain.is_some() { class.negated() } else { class }))
    }

    /// A character, or two with a hyphen between them.
    fn range(&mut self, whole: &str) -> Result<Class> {
        let before = self.rest;
        let low = self.member(whole)?;
        let mut high = low;
        // A hyphen before the end is a hyphen.
        if self.rest.len() >= 2 && self.rest.starts_with('-') && !self.rest.starts_with("-]") {
            self.next();
            high = self.member(whole)?;
            if high < low {
                let text = consumed(before, self.rest);
                return Err(SyntaxError::new("invalid character class range", text));
            }
        }
        let mut class = Class::from_range(low, high);
        if self.flags.fold {
            self.fold(&mut class);
        }
        Ok(class)
    }

    fn member(&mut self, whole: &str) -> Result<u32> {
        if self.rest.starts_with('\\') {
            return self.escaped_char();
        }
        match self.next() {
            Some(c) => Ok(u32::from(c)),
            None => Err(SyntaxError::new("missing closing ]", whole)),
        }
    }
}
