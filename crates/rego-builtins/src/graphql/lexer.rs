//! Text to tokens, as the GraphQL specification (October 2021, section 2.1) describes them; messages and places are
//! those of the library that OPA uses.

use std::borrow::Cow;

use super::problem::{Place, Problem};
use crate::gofmt::quote;

/// The kinds of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// What is no token; reading past it is an error.
    Invalid,
    End,
    Bang,
    Dollar,
    Amp,
    ParenL,
    ParenR,
    Spread,
    Colon,
    Equals,
    At,
    BracketL,
    BracketR,
    BraceL,
    BraceR,
    Pipe,
    Name,
    Int,
    Float,
    String,
    BlockString,
    Comment,
}

impl Kind {
    /// As messages name it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Kind::Invalid => "<Invalid>",
            Kind::End => "<EOF>",
            Kind::Bang => "!",
            Kind::Dollar => "$",
            Kind::Amp => "&",
            Kind::ParenL => "(",
            Kind::ParenR => ")",
            Kind::Spread => "...",
            Kind::Colon => ":",
            Kind::Equals => "=",
            Kind::At => "@",
            Kind::BracketL => "[",
            Kind::BracketR => "]",
            Kind::BraceL => "{",
            Kind::BraceR => "}",
            Kind::Pipe => "|",
            Kind::Name => "Name",
            Kind::Int => "Int",
            Kind::Float => "Float",
            Kind::String => "String",
            Kind::BlockString => "BlockString",
            Kind::Comment => "Comment",
        }
    }
}

/// A token. Punctuation has no value.
#[derive(Clone, Debug)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) value: Cow<'a, str>,
    pub(super) at: Place,
}

impl Token<'_> {
    /// The token as messages show it.
    pub(super) fn shown(&self) -> String {
        if self.value.is_empty() {
            return self.kind.as_str().to_owned();
        }
        format!("{} {}", self.kind.as_str(), quote(&self.value))
    }
}

/// A token that is none, and what is wrong with it.
type Refused<'a> = (Token<'a>, Problem);

pub(super) struct Lexer<'a> {
    text: &'a str,
    /// Where the token began, and where the reader is: in bytes, and in characters.
    start: usize,
    start_chars: i64,
    end: usize,
    end_chars: i64,
    line: i64,
    line_start: i64,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, start: 0, start_chars: 0, end: 0, end_chars: 0, line: 1, line_start: 0 }
    }

    fn byte(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.end + ahead).copied()
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.end..).unwrap_or_default()
    }

    fn advance(&mut self, bytes: usize) {
        self.end += bytes;
        self.end_chars += i64::try_from(bytes).unwrap_or(i64::MAX);
    }

    fn token(&self, kind: Kind, value: Cow<'a, str>) -> Token<'a> {
        let column = self.start_chars - self.line_start + 1;
        Token { kind, value, at: Place { line: self.line, column } }
    }

    /// A token whose value is what was read.
    fn read(&self, kind: Kind) -> Token<'a> {
        self.token(kind, self.text.get(self.start..self.end).unwrap_or_default().into())
    }

    fn refuse(&self, message: impl Into<String>) -> Refused<'a> {
        let at = Place { line: self.line, column: self.end_chars - self.line_start + 1 };
        (Token { kind: Kind::Invalid, value: Cow::Borrowed(""), at }, Problem::new(Some(at), message))
    }

    /// The next token; at the end of the text, always [`Kind::End`].
    pub(super) fn next(&mut self) -> Result<Token<'a>, Refused<'a>> {
        self.white_space();
        self.start = self.end;
        self.start_chars = self.end_chars;
        let Some(first) = self.byte(0) else { return Ok(self.token(Kind::End, Cow::Borrowed(""))) };
        if let Some(kind) = punctuation(first) {
            self.advance(1);
            return Ok(self.token(kind, Cow::Borrowed("")));
        }
        match first {
            b'.' if self.rest().starts_with("...") => {
                self.advance(3);
                Ok(self.token(Kind::Spread, Cow::Borrowed("")))
            }
            b'#' => Ok(self.comment()),
            b'_' | b'a'..=b'z' | b'A'..=b'Z' => Ok(self.name()),
            b'-' | b'0'..=b'9' => self.number(),
            b'"' if self.rest().starts_with("\"\"\"") => self.block_string(),
            b'"' => self.string(),
            b'\'' => Err(self
                .refuse("Unexpected single quote character ('), did you mean to use a double quote (\")?")),
            0..=0x1f => Err(self.refuse(format!("Cannot contain the invalid character \"\\u{first:04x}\""))),
            // Of a character of several bytes the first one is shown, as a character.
            _ => {
                Err(self.refuse(format!("Cannot parse the unexpected character \"{}\".", char::from(first))))
            }
        }
    }

    fn white_space(&mut self) {
        while let Some(byte) = self.byte(0) {
            match byte {
                b'\t' | b' ' | b',' => self.advance(1),
                b'\n' => {
                    self.advance(1);
                    self.begin_line();
                }
                b'\r' => {
                    self.advance(1);
                    self.begin_line();
                    if self.byte(0) == Some(b'\n') {
                        self.advance(1);
                    }
                }
                0xef if self.rest().starts_with('\u{feff}') => {
                    self.end += 3;
                    self.end_chars += 1;
                }
                _ => return,
            }
        }
    }

    fn begin_line(&mut self) {
        self.line += 1;
        self.line_start = self.end_chars;
    }

    fn comment(&mut self) -> Token<'a> {
        self.advance(1);
        let taken = self.rest().find(|c| c <= '\u{1f}' && c != '\t').unwrap_or(self.rest().len());
        let characters = self.rest().get(..taken).unwrap_or_default().chars().count();
        self.end += taken;
        self.end_chars += i64::try_from(characters).unwrap_or(i64::MAX);
        self.read(Kind::Comment)
    }

    fn name(&mut self) -> Token<'a> {
        while self.byte(0).is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            self.advance(1);
        }
        self.read(Kind::Name)
    }

    fn accept(&mut self, bytes: &[u8]) -> bool {
        let found = self.byte(0).is_some_and(|byte| bytes.contains(&byte));
        if found {
            self.advance(1);
        }
        found
    }

    /// How many digits were read.
    fn digits(&mut self) -> usize {
        let count = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        self.advance(count);
        count
    }

    fn some_digits(&mut self) -> Result<(), Refused<'a>> {
        if self.digits() > 0 {
            return Ok(());
        }
        Err(self.refuse(format!("Invalid number, expected digit but got: {}.", self.next_shown())))
    }

    fn next_shown(&self) -> String {
        self.byte(0).map_or_else(|| "<EOF>".to_owned(), |byte| format!("\"{}\"", char::from(byte)))
    }

    fn number(&mut self) -> Result<Token<'a>, Refused<'a>> {
        self.accept(b"-");
        if self.accept(b"0") {
            let (end, end_chars) = (self.end, self.end_chars);
            if self.digits() > 0 {
                (self.end, self.end_chars) = (end, end_chars);
                let next = self.next_shown();
                return Err(self.refuse(format!("Invalid number, unexpected digit after 0: {next}.")));
            }
        } else {
            self.some_digits()?;
        }
        let mut kind = Kind::Int;
        if self.accept(b".") {
            kind = Kind::Float;
            self.some_digits()?;
        }
        if self.accept(b"eE") {
            kind = Kind::Float;
            self.accept(b"-+");
            self.some_digits()?;
        }
        Ok(self.read(kind))
    }

    fn string(&mut self) -> Result<Token<'a>, Refused<'a>> {
        self.advance(1);
        self.start = self.end;
        self.start_chars += 1;
        // Only a string with escapes is copied.
        let mut decoded: Option<String> = None;
        while let Some(byte) = self.byte(0) {
            match byte {
                b'\n' | b'\r' => break,
                0..=0x1f if byte != b'\t' => {
                    return Err(self.refuse(format!("Invalid character within String: \"\\u{byte:04x}\".")));
                }
                b'"' => {
                    let raw = self.text.get(self.start..self.end).unwrap_or_default();
                    let value = decoded.map_or(Cow::Borrowed(raw), Cow::Owned);
                    let token = self.token(Kind::String, value);
                    self.advance(1);
                    return Ok(token);
                }
                b'\\' => {
                    let read = self.text.get(self.start..self.end).unwrap_or_default();
                    let mut text = decoded.take().unwrap_or_else(|| read.to_owned());
                    self.escape(&mut text)?;
                    decoded = Some(text);
                }
                _ => {
                    let c = self.character();
                    if let Some(text) = &mut decoded {
                        text.push(c);
                    }
                }
            }
        }
        Err(self.refuse("Unterminated string."))
    }

    /// Takes one character of any width.
    fn character(&mut self) -> char {
        let c = self.rest().chars().next().unwrap_or('\u{fffd}');
        self.end += c.len_utf8();
        self.end_chars += 1;
        c
    }

    fn escape(&mut self, text: &mut String) -> Result<(), Refused<'a>> {
        let Some(escape) = self.byte(1) else {
            self.advance(1);
            return Err(self.refuse("Invalid character escape sequence."));
        };
        let plain = match escape {
            b'u' => return self.unicode_escape(text),
            b'"' | b'/' | b'\\' => char::from(escape),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            _ => {
                self.advance(1);
                let shown = char::from(escape);
                return Err(self.refuse(format!("Invalid character escape sequence: \\{shown}.")));
            }
        };
        text.push(plain);
        self.advance(2);
        Ok(())
    }

    /// `\u` and four hexadecimal digits; half a surrogate pair is the replacement character, as in Go.
    fn unicode_escape(&mut self, text: &mut String) -> Result<(), Refused<'a>> {
        let digits = self.text.as_bytes().get(self.end + 2..self.end + 6);
        if digits.is_none() || self.end + 6 >= self.text.len() {
            self.advance(1);
            let rest = self.rest();
            return Err(self.refuse(format!("Invalid character escape sequence: \\{rest}.")));
        }
        let code = digits
            .filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let Some(code) = code else {
            self.advance(1);
            let shown = self.text.as_bytes().get(self.end..self.end + 5).unwrap_or_default();
            let shown = String::from_utf8_lossy(shown);
            return Err(self.refuse(format!("Invalid character escape sequence: \\{shown}.")));
        };
        text.push(char::from_u32(code).unwrap_or('\u{fffd}'));
        self.advance(6);
        Ok(())
    }

    fn block_string(&mut self) -> Result<Token<'a>, Refused<'a>> {
        self.advance(3);
        self.start = self.end;
        self.start_chars += 3;
        let mut raw = String::new();
        while let Some(byte) = self.byte(0) {
            match byte {
                b'"' => {
                    let quotes = self.rest().bytes().take_while(|byte| *byte == b'"').count();
                    if let Some(inner) = quotes.checked_sub(3) {
                        // The last three close it.
                        raw.push_str(&"\"".repeat(inner));
                        let token = self.token(Kind::BlockString, block_value(&raw).into());
                        self.advance(quotes);
                        return Ok(token);
                    }
                    raw.push_str(&"\"".repeat(quotes));
                    self.advance(quotes);
                }
                b'\\' if self.rest().starts_with("\\\"\"\"") => {
                    raw.push_str("\"\"\"");
                    self.advance(4);
                }
                b'\r' => {
                    self.advance(if self.byte(1) == Some(b'\n') { 2 } else { 1 });
                    raw.push('\n');
                    self.begin_line();
                }
                b'\n' => {
                    self.advance(1);
                    raw.push('\n');
                    self.begin_line();
                }
                0..=0x1f if byte != b'\t' => {
                    return Err(self.refuse(format!("Invalid character within String: \"\\u{byte:04x}\".")));
                }
                _ => raw.push(self.character()),
            }
        }
        Err(self.refuse("Unterminated string."))
    }
}

fn punctuation(byte: u8) -> Option<Kind> {
    Some(match byte {
        b'!' => Kind::Bang,
        b'$' => Kind::Dollar,
        b'&' => Kind::Amp,
        b'(' => Kind::ParenL,
        b')' => Kind::ParenR,
        b':' => Kind::Colon,
        b'=' => Kind::Equals,
        b'@' => Kind::At,
        b'[' => Kind::BracketL,
        b']' => Kind::BracketR,
        b'{' => Kind::BraceL,
        b'}' => Kind::BraceR,
        b'|' => Kind::Pipe,
        _ => return None,
    })
}

/// `BlockStringValue` of the specification (2.9.4), except that the first line's indentation counts as well.
fn block_value(raw: &str) -> String {
    let mut lines: Vec<&str> = raw.split('\n').collect();
    // None for a line of white space alone.
    let indent = |line: &str| line.find(|c| c != ' ' && c != '\t');
    if let Some(common) = lines.iter().filter_map(|line| indent(line)).min() {
        for line in lines.iter_mut().skip(1) {
            *line = line.get(common..).unwrap_or_default();
        }
    }
    let Some(first) = lines.iter().position(|line| indent(line).is_some()) else { return String::new() };
    let last = lines.iter().rposition(|line| indent(line).is_some()).unwrap_or(first);
    lines.get(first..=last).unwrap_or_default().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Kind> {
        let mut lexer = Lexer::new(text);
        let mut kinds = Vec::new();
        loop {
            let kind = lexer.next().map_or(Kind::Invalid, |token| token.kind);
            kinds.push(kind);
            if matches!(kind, Kind::End | Kind::Invalid) {
                return kinds;
            }
        }
    }

    #[test]
    fn tokens_are_told_apart() {
        let expected = [Kind::BraceL, Kind::Spread, Kind::Name, Kind::Float, Kind::BlockString, Kind::End];
        assert_eq!(kinds("{ ...on 1.5e-3 \"\"\"x\"\"\""), expected);
        assert_eq!(kinds("01"), [Kind::Invalid]);
        assert_eq!(kinds("\"open"), [Kind::Invalid]);
        assert_eq!(kinds("\"\\u12"), [Kind::Invalid]);
    }

    #[test]
    fn a_block_string_loses_its_indentation() {
        assert_eq!(block_value("\n    a\n      b\n\n  "), "a\n  b");
        assert_eq!(block_value("  \n "), "");
    }

    #[test]
    fn any_text_ends() {
        for text in ["é", "\u{feff}{", "\"\\", "\"\\u", "\"\"\"", "\"\"\"\"", "-", "1.", "..", "\u{0}"] {
            assert!(kinds(text).len() < 5, "{text:?}");
        }
    }
}
