//! Go's dialect of regular expressions in the words of Rust's.
//!
//! Both come from RE2. They differ in what `\d`, `\w`, `\s` and `\b` mean (ASCII in Go), in what is
//! special inside brackets (nested sets and operators in Rust), and in a few escapes.

/// The same expression for Rust's parser. Fails with what Go would find wrong and Rust would not.
pub(crate) fn translate(pattern: &str) -> Result<String, String> {
    let mut translator = Translator { rest: pattern, out: String::with_capacity(pattern.len() + 8) };
    let mut repeated = false;
    while let Some(c) = translator.next() {
        match c {
            '\\' => translator.escape()?,
            '[' => translator.brackets()?,
            '(' => translator.group()?,
            '*' | '+' | '?' | '{' => {
                repeated = translator.repetition(c, repeated)?;
                continue;
            }
            other => translator.out.push(other),
        }
        repeated = false;
    }
    Ok(translator.out)
}

struct Translator<'a> {
    rest: &'a str,
    out: String,
}

/// The classes that have a name within brackets.
const CLASSES: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space",
    "upper", "word", "xdigit",
];

/// The members of Go's ASCII classes, for use within brackets.
fn members(class: char) -> Option<&'static str> {
    match class {
        'd' => Some("0-9"),
        'w' => Some("0-9A-Za-z_"),
        's' => Some("\\t\\n\\x0C\\r "),
        _ => None,
    }
}

impl Translator<'_> {
    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let c = chars.next()?;
        self.rest = chars.as_str();
        Some(c)
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    /// A repetition operator, which must not follow another one (`repeated`). Tells whether this is one:
    /// a brace that does not begin a count is a plain character.
    fn repetition(&mut self, operator: char, repeated: bool) -> Result<bool, String> {
        if operator == '{' && !self.is_count() {
            self.out.push_str("\\{");
            return Ok(false);
        }
        if repeated {
            return Err("invalid nested repetition operator".to_owned());
        }
        self.out.push(operator);
        if operator == '{' {
            while let Some(c) = self.next() {
                self.out.push(c);
                if c == '}' {
                    break;
                }
            }
        }
        if self.peek() == Some('?') {
            self.next();
            self.out.push('?');
        }
        Ok(true)
    }

    /// Whether `n}`, `n,}` or `n,m}` follows.
    fn is_count(&self) -> bool {
        let Some((inside, _)) = self.rest.split_once('}') else { return false };
        let (least, most) = inside.split_once(',').unwrap_or((inside, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        !least.is_empty() && digits(least) && digits(most)
    }

    /// An escape outside brackets.
    fn escape(&mut self) -> Result<(), String> {
        let Some(c) = self.next() else { return Err("trailing backslash at end of expression".to_owned()) };
        match c {
            'Q' => {
                let (literal, rest) = self.rest.split_once("\\E").unwrap_or((self.rest, ""));
                self.out.push_str(&regex::escape(literal));
                self.rest = rest;
            }
            'b' | 'B' => self.out.push_str(&format!("(?-u:\\{c})")),
            'd' | 'w' | 's' => self.out.push_str(&format!("[{}]", members(c).unwrap_or_default())),
            'D' | 'W' | 'S' => {
                let class = members(c.to_ascii_lowercase()).unwrap_or_default();
                self.out.push_str(&format!("[^{class}]"));
            }
            'A' | 'z' => self.out.extend(['\\', c]),
            other => self.common_escape(other)?,
        }
        Ok(())
    }

    /// Escapes that mean the same everywhere.
    fn common_escape(&mut self, c: char) -> Result<(), String> {
        match c {
            'a' | 'f' | 'n' | 'r' | 't' | 'v' => self.out.extend(['\\', c]),
            'x' | 'p' | 'P' => {
                self.out.extend(['\\', c]);
                // What is in braces belongs to the escape.
                let end =
                    if self.rest.starts_with('{') { self.rest.find('}').map_or(0, |end| end + 1) } else { 0 };
                let (braces, rest) = self.rest.split_at(end);
                self.out.push_str(braces);
                self.rest = rest;
            }
            '1'..='7' | '0' => self.octal(c)?,
            c if c.is_ascii_punctuation() => self.out.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
            _ => return Err("invalid escape sequence".to_owned()),
        }
        Ok(())
    }

    /// `\0` to `\0377`, and three digits from `\1` on: a character by its octal number.
    fn octal(&mut self, first: char) -> Result<(), String> {
        let is_octal = |c: &char| ('0'..='7').contains(c);
        if first != '0' && !self.peek().is_some_and(|c| is_octal(&c)) {
            return Err("invalid escape sequence".to_owned());
        }
        let mut number = first.to_digit(8).unwrap_or(0);
        for _ in 0..2 {
            let Some(digit) = self.peek().filter(is_octal).and_then(|c| c.to_digit(8)) else { break };
            number = number * 8 + digit;
            self.next();
        }
        self.out.push_str(&format!("\\x{{{number:x}}}"));
        Ok(())
    }

    /// A class in brackets.
    fn brackets(&mut self) -> Result<(), String> {
        self.out.push('[');
        if self.peek() == Some('^') {
            self.next();
            self.out.push('^');
        }
        let mut first = true;
        loop {
            let Some(c) = self.next() else { return Err("missing closing ]".to_owned()) };
            match c {
                ']' if !first => break,
                '[' if self.rest.starts_with(':') && self.rest.contains(":]") => {
                    let end = self.rest.find(":]").unwrap_or_default();
                    let (name, rest) = self.rest.split_at(end + 2);
                    let plain = name.trim_start_matches(':').trim_end_matches(":]").trim_start_matches('^');
                    if !CLASSES.contains(&plain) {
                        return Err("invalid character class range".to_owned());
                    }
                    self.out.push('[');
                    self.out.push_str(name);
                    self.rest = rest;
                }
                '\\' => self.escape_in_brackets()?,
                // Operators of Rust's, plain characters in Go's.
                '[' | ']' | '&' | '~' => self.out.extend(['\\', c]),
                '-' if self.rest.starts_with('-') => self.out.push_str("\\-"),
                other => self.out.push(other),
            }
            first = false;
        }
        self.out.push(']');
        Ok(())
    }

    fn escape_in_brackets(&mut self) -> Result<(), String> {
        let Some(c) = self.next() else { return Err("missing closing ]".to_owned()) };
        match c {
            'd' | 'w' | 's' => self.out.push_str(members(c).unwrap_or_default()),
            'D' | 'W' | 'S' => {
                let class = members(c.to_ascii_lowercase()).unwrap_or_default();
                self.out.push_str(&format!("[^{class}]"));
            }
            '&' | '~' | '-' | '[' | ']' | '^' => self.out.extend(['\\', c]),
            other => self.common_escape(other)?,
        }
        Ok(())
    }

    /// After an opening parenthesis: only Go's flags may follow `(?`.
    fn group(&mut self) -> Result<(), String> {
        self.out.push('(');
        let Some(rest) = self.rest.strip_prefix('?') else { return Ok(()) };
        if let Some(rest) = rest.strip_prefix(')') {
            // No flags at all.
            self.out.push_str("?:)");
            self.rest = rest;
            return Ok(());
        }
        if rest.starts_with("P<") || rest.starts_with('<') {
            return Ok(());
        }
        let flags = rest.split([':', ')']).next().unwrap_or_default();
        if flags.chars().all(|c| matches!(c, 'i' | 'm' | 's' | 'U' | '-')) {
            return Ok(());
        }
        Err("invalid or unsupported Perl syntax".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::translate;

    #[test]
    fn dialects_are_bridged() {
        for (go, rust) in [
            (r"^\d+\.\w$", r"^[0-9]+\.[0-9A-Za-z_]$"),
            (r"[\d[a&&b]", r"[0-9\[a\&\&b]"),
            (r"[^\W-]", r"[^[^0-9A-Za-z_]-]"),
            (r"\Qa.b\E+", r"a\.b+"),
            (r"\bx\B", r"(?-u:\b)x(?-u:\B)"),
            (r"[]a]", r"[\]a]"),
            (r"[[:alpha:]_]", r"[[:alpha:]_]"),
            (r"\/\-\_", r"/\-_"),
            (r"a{2,}?b{x}{", r"a{2,}?b\{x}\{"),
        ] {
            assert_eq!(translate(go).as_deref(), Ok(rust));
            assert!(regex::Regex::new(rust).is_ok(), "{rust}");
        }
        for wrong in [r"\", r"\e", "(?x:a)", "[a", r"\8", "a**", "a+{2}", "[[:x:]]"] {
            assert!(translate(wrong).is_err(), "{wrong}");
        }
    }
}
