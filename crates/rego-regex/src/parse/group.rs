//! Parentheses.

use super::{Frame, Parser, Result, consumed};
use crate::error::SyntaxError;

impl<'a> Parser<'a> {
    /// After an opening parenthesis.
    pub(super) fn open(&mut self, before: &'a str) -> Result<()> {
        let Some(rest) = self.rest.strip_prefix('?') else {
            self.capture(None);
            return Ok(());
        };
        // Three more characters than the brackets, as Go wants it.
        let named =
            rest.strip_prefix("P<").or_else(|| rest.strip_prefix('<')).filter(|name| !name.is_empty());
        if let Some(rest) = named {
            return self.named_group(before, rest);
        }
        self.rest = rest;
        self.set_flags(before)
    }

    fn capture(&mut self, name: Option<&str>) {
        let number = u32::try_from(self.tree.groups.len()).unwrap_or(u32::MAX);
        self.tree.groups.push(name.map(Into::into));
        self.enter(Some(number));
    }

    fn enter(&mut self, capture: Option<u32>) {
        let frame = Frame { flags: self.flags, capture, ..Frame::default() };
        self.outer.push(core::mem::replace(&mut self.frame, frame));
    }

    fn named_group(&mut self, before: &str, rest: &'a str) -> Result<()> {
        let wrong = |text: &str| SyntaxError::new("invalid named capture", text);
        let (name, rest) = rest.split_once('>').ok_or_else(|| wrong(before))?;
        if name.is_empty() || !name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric()) {
            return Err(wrong(consumed(before, rest)));
        }
        self.rest = rest;
        self.capture(Some(name));
        Ok(())
    }

    /// Flags, for the rest of the group or for a group of their own.
    fn set_flags(&mut self, before: &str) -> Result<()> {
        let mut flags = self.flags;
        let (mut on, mut seen) = (true, false);
        while let Some(c) = self.next() {
            match c {
                'i' => flags.fold = on,
                'm' => flags.lines = on,
                's' => flags.dot_all = on,
                'U' => flags.lazy = on,
                '-' if on => {
                    (on, seen) = (false, false);
                    continue;
                }
                ':' | ')' if on || seen => {
                    if c == ':' {
                        self.enter(None);
                    }
                    self.flags = flags;
                    return Ok(());
                }
                _ => break,
            }
            seen = true;
        }
        let text = consumed(before, self.rest);
        Err(SyntaxError::new("invalid or unsupported Perl syntax", text))
    }
}
