//! Patterns over the paths of a bundle's files, as the library reads them that OPA uses: `*`, `**`, `?`, `[abc]`,
//! `[!a-z]`, `{a,b}` and `\`. Nothing separates here: `*` takes slashes as well.

use regex::Regex;

/// The deepest nesting of alternatives.
const MAX_NESTING: usize = 100;

/// A pattern becomes a regular expression, which is matched in linear time.
#[derive(Clone, Debug)]
pub(crate) struct Pattern(Regex);

impl Pattern {
    /// # Errors
    /// What is wrong, and at which byte.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        let mut reader = Reader { text, at: 0, open: 0, expression: String::from("(?s)^(?:") };
        let failure = match reader.read() {
            Ok(()) => {
                reader.expression.push_str(")$");
                let too_large = |_| "the pattern is too large".to_owned();
                return Regex::new(&reader.expression).map(Self).map_err(too_large);
            }
            Err(reason) => reason,
        };
        Err(format!("failed to compile glob pattern {text}: glob: syntax error at {}: {failure}", reader.at))
    }

    /// Whether the whole path is matched.
    pub(crate) fn matches(&self, path: &str) -> bool {
        self.0.is_match(path)
    }
}

struct Reader<'a> {
    text: &'a str,
    /// The offset of what has not been read yet.
    at: usize,
    /// How many alternatives are open.
    open: usize,
    expression: String,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn take(&mut self, wanted: char) -> bool {
        let there = self.peek() == Some(wanted);
        self.at += if there { wanted.len_utf8() } else { 0 };
        there
    }

    fn push(&mut self, literal: char) {
        self.expression.push_str(&regex::escape(literal.encode_utf8(&mut [0; 4])));
    }

    fn read(&mut self) -> Result<(), &'static str> {
        while let Some(next) = self.next() {
            match next {
                '*' => self.expression.push_str(".*"),
                '?' => self.expression.push('.'),
                '[' => self.class()?,
                '{' if self.open == MAX_NESTING => return Err("alternatives nested too deep"),
                '{' => {
                    self.open += 1;
                    self.expression.push_str("(?:");
                }
                ',' if self.open > 0 => self.expression.push('|'),
                '}' if self.open > 0 => {
                    self.open -= 1;
                    self.expression.push(')');
                }
                '\\' => {
                    let escaped = self.next().ok_or("trailing backslash")?;
                    self.push(escaped);
                }
                _ => self.push(next),
            }
        }
        if self.open > 0 { Err("unclosed `{`") } else { Ok(()) }
    }

    /// After `[`: `!` negates; then either `a-z`, or a list in which a backslash escapes.
    fn class(&mut self) -> Result<(), &'static str> {
        const END: &str = "unexpected end of input";
        let open = if self.take('!') { "[^" } else { "[" };
        self.expression.push_str(open);
        let start = self.at;
        let low = self.next().ok_or(END)?;
        if self.take('-') {
            let high = self.next().ok_or(END)?;
            self.close_class()?;
            if high < low {
                return Err("range hi character is less than lo");
            }
            self.push(low);
            self.expression.push('-');
            self.push(high);
            self.expression.push(']');
            return Ok(());
        }
        self.at = start;
        let mut is_empty = true;
        while let Some(next) = self.peek().filter(|next| *next != ']') {
            self.at += next.len_utf8();
            let member = if next == '\\' { self.next().ok_or("trailing backslash")? } else { next };
            self.push(member);
            is_empty = false;
        }
        self.close_class()?;
        self.expression.push(']');
        if is_empty { Err("could not parse range") } else { Ok(()) }
    }

    fn close_class(&mut self) -> Result<(), &'static str> {
        match self.next() {
            Some(']') => Ok(()),
            Some(_) => Err("expected close range character"),
            None => Err("unexpected end of input"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn paths_are_matched() {
        for (pattern, matched, other) in [
            ("/old/*.rego", "/old/x/y.rego", "/new/y.rego"),
            ("/old/**", "/old/", "/old"),
            ("*/{a,b{c,d}}.rego", "/x/bd.rego", "/x/b.rego"),
            ("/[!o]?d", "/add", "/odd"),
            ("/[a-c]", "/b", "/-"),
            ("/[a^&-]", "/^", "/b"),
            ("/\\*.{a}", "/*.a", "/x.a"),
            ("a,b}", "a,b}", "a"),
            ("(+)", "(+)", "+"),
        ] {
            let compiled = Pattern::new(pattern);
            assert!(compiled.as_ref().is_ok_and(|pattern| pattern.matches(matched)), "{pattern}");
            assert!(compiled.is_ok_and(|pattern| !pattern.matches(other)), "{pattern}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let deep = "{".repeat(200);
        for (pattern, wanted) in [
            ("/old/[", "6: unexpected end of input"),
            ("/old/{a", "7: unclosed `{`"),
            ("[]", "2: could not parse range"),
            ("[c-a]", "5: range hi character is less than lo"),
            ("[a-bc]", "5: expected close range character"),
            ("a\\", "2: trailing backslash"),
            (deep.as_str(), "101: alternatives nested too deep"),
        ] {
            let error = Pattern::new(pattern).map(|_| ()).unwrap_err();
            assert_eq!(
                error,
                format!("failed to compile glob pattern {pattern}: glob: syntax error at {wanted}")
            );
        }
    }
}
