//! Whether a text is one mail address, as Go's `net/mail` reads RFC 5322: `a@b`, `Name <a@b>`, with comments, quoted
//! local parts and address literals, or a group of one.

use std::net::IpAddr;

/// Whether the text is exactly one address.
pub(super) fn is_address(text: &str) -> bool {
    let mut reader = Reader { rest: text };
    let count = reader.address(true);
    count == Some(1) && reader.comments().is_some() && reader.rest.is_empty()
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    fn take(&mut self, c: char) -> Option<()> {
        self.rest = self.rest.strip_prefix(c)?;
        Some(())
    }

    /// How many addresses an address stands for; only a group can be another number than one.
    fn address(&mut self, group: bool) -> Option<usize> {
        self.space();
        if self.rest.is_empty() {
            return None;
        }
        let start = self.rest;
        if self.spec().is_some() {
            self.space();
            if self.take('(').is_some() {
                self.comment()?;
            }
            return Some(1);
        }
        self.rest = start;
        if !self.rest.starts_with('<') {
            self.phrase()?;
        }
        self.space();
        if group && self.take(':').is_some() {
            return self.group();
        }
        self.take('<')?;
        self.spec()?;
        self.take('>')?;
        Some(1)
    }

    fn group(&mut self) -> Option<usize> {
        self.space();
        if self.take(';').is_some() {
            self.comments()?;
            return Some(0);
        }
        let mut count = 0;
        loop {
            self.space();
            count += self.address(false)?;
            self.comments()?;
            if self.take(';').is_some() {
                self.comments()?;
                return Some(count);
            }
            self.take(',')?;
        }
    }

    /// `local@domain`
    fn spec(&mut self) -> Option<()> {
        self.space();
        if self.rest.starts_with('"') {
            if self.quoted()? == 0 {
                return None;
            }
        } else {
            self.dot_atom()?;
        }
        self.take('@')?;
        self.space();
        if self.take('[').is_some() {
            let (literal, rest) = self.rest.split_once(']')?;
            self.rest = rest;
            return literal.parse::<IpAddr>().ok().map(drop);
        }
        self.dot_atom()
    }

    fn dot_atom(&mut self) -> Option<()> {
        let atom = self.atom()?;
        let dots = atom.starts_with('.') || atom.ends_with('.') || atom.contains("..");
        (!dots).then_some(())
    }

    fn atom(&mut self) -> Option<&'a str> {
        let is_atom = |c: char| !"()<>[]:;@\\,\"".contains(c) && is_visible(c);
        let end = self.rest.find(|c| !is_atom(c)).unwrap_or(self.rest.len());
        let (atom, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!atom.is_empty()).then_some(atom)
    }

    /// The number of characters of a quoted string.
    fn quoted(&mut self) -> Option<usize> {
        let (mut count, mut escaped) = (0, false);
        for (at, c) in self.rest.char_indices().skip(1) {
            let text = is_visible(c) || c == ' ' || c == '\t';
            match c {
                _ if escaped && text => {
                    count += 1;
                    escaped = false;
                }
                '"' if !escaped => {
                    self.rest = self.rest.get(at + 1..).unwrap_or_default();
                    return Some(count);
                }
                '\\' if !escaped => escaped = true,
                _ if text && !escaped => count += 1,
                _ => return None,
            }
        }
        None
    }

    /// One word or more; what follows the last one is left.
    fn phrase(&mut self) -> Option<()> {
        let mut words = 0;
        loop {
            if words > 0 {
                self.comments()?;
            }
            self.space();
            let start = self.rest;
            let word = match start.chars().next() {
                None => None,
                Some('"') => self.quoted().map(drop),
                Some(_) => self.atom().map(drop),
            };
            if word.is_none() {
                self.rest = start;
                return (words > 0).then_some(());
            }
            words += 1;
        }
    }

    /// White space and comments.
    fn comments(&mut self) -> Option<()> {
        self.space();
        while self.take('(').is_some() {
            self.comment()?;
            self.space();
        }
        Some(())
    }

    /// The rest of a comment, with those within it.
    fn comment(&mut self) -> Option<()> {
        let (mut depth, mut chars) = (1, self.rest.char_indices());
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => {
                    chars.next();
                }
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                self.rest = self.rest.get(at + 1..).unwrap_or_default();
                return Some(());
            }
        }
        None
    }
}

fn is_visible(c: char) -> bool {
    ('!'..='~').contains(&c) || !c.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_other_texts() {
        for text in ["a@b", "Ann <a@b.c>", "\"a b\"@c", "a@[127.0.0.1]", "g: a@b;", "a@b (who)", "é@ü"] {
            assert!(is_address(text), "{text}");
        }
        for text in ["", "a", "a@", "@b", "a..b@c", "a@b c", "a@b, c@d", "g:;", "<a@b", "\"\"@b", "a@[x]"] {
            assert!(!is_address(text), "{text}");
        }
    }
}
