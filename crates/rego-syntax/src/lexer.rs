//! Text to tokens.
//!
//! The lexer reads one character ahead. What it reports is reported with the token that it was reading when the
//! bad character came into sight, as OPA does it, so that positions agree.

use std::borrow::Cow;

use crate::token::{Keywords, Token};

const BOM: char = '\u{feff}';
const NO_BREAK_SPACE: char = '\u{a0}';

/// A token as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lexeme<'s> {
    pub(crate) token: Token,
    /// The text of identifiers, keywords, numbers, strings, comments and blanks. Strings carry their quotes.
    pub(crate) text: Cow<'s, str>,
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) errors: Vec<&'static str>,
}

/// The lexer; cheap to clone, which is how the parser looks ahead.
#[derive(Debug, Clone)]
pub(crate) struct Lexer<'s> {
    source: &'s str,
    /// Offset of `current`.
    at: usize,
    current: Option<char>,
    keywords: Keywords,
    errors: Vec<&'static str>,
}

/// How a piece of a template string ends.
struct Piece<'s> {
    text: Cow<'s, str>,
    last: bool,
}

impl<'s> Lexer<'s> {
    pub(crate) fn new(source: &'s str, keywords: Keywords) -> Self {
        let mut lexer = Self { source, at: 0, current: None, keywords, errors: Vec::new() };
        lexer.load();
        if lexer.current == Some(BOM) {
            lexer.next();
        }
        lexer
    }

    /// A lexer that reads on from an offset, which has to be the start of a character.
    pub(crate) fn resume(source: &'s str, at: usize, keywords: Keywords) -> Self {
        let mut lexer = Self { source, at, current: None, keywords, errors: Vec::new() };
        lexer.load();
        lexer
    }

    pub(crate) fn keywords(&self) -> Keywords {
        self.keywords
    }

    pub(crate) fn set_keywords(&mut self, keywords: Keywords) {
        self.keywords = keywords;
    }

    /// The next token; blanks and comments are tokens too.
    pub(crate) fn scan(&mut self) -> Lexeme<'s> {
        let start = self.at;
        let Some(c) = self.current else { return self.finish(Token::Eof, Cow::Borrowed(""), start) };
        match c {
            ' ' | '\t' | '\n' | '\r' => {
                self.next();
                let text = self.since(start);
                self.finish(Token::Whitespace, text, start)
            }
            _ if is_letter(c) => {
                self.skip_word();
                let text = self.since(start);
                let token = self.keywords.lookup(&text).unwrap_or(Token::Ident);
                self.finish(token, text, start)
            }
            '0'..='9' => {
                self.skip_number();
                let text = self.since(start);
                self.finish(Token::Number, text, start)
            }
            _ => {
                self.next();
                self.scan_symbol(c, start)
            }
        }
    }

    /// Reads on in a template string, behind the `}` at which the last token ended.
    pub(crate) fn continue_template(&mut self, raw: bool) -> Lexeme<'s> {
        let start = self.at;
        self.scan_template(start, start.saturating_sub(1), raw)
    }

    fn scan_symbol(&mut self, c: char, start: usize) -> Lexeme<'s> {
        let token = match c {
            '#' => return self.scan_comment(start),
            '"' => {
                self.skip_string();
                let text = self.since(start);
                return self.finish(Token::String, text, start);
            }
            '`' => {
                self.skip_raw_string();
                let text = self.since(start);
                return self.finish(Token::String, text, start);
            }
            '$' => return self.scan_dollar(start),
            '[' => Token::LBrack,
            ']' => Token::RBrack,
            '{' => Token::LBrace,
            '}' => Token::RBrace,
            '(' => Token::LParen,
            ')' => Token::RParen,
            ',' => Token::Comma,
            ':' => self.either('=', Token::Assign, Token::Colon),
            '+' => Token::Add,
            '-' => Token::Sub,
            '*' => Token::Mul,
            '/' => Token::Quo,
            '%' => Token::Rem,
            '&' => Token::And,
            '|' => Token::Or,
            '=' => self.either('=', Token::Equal, Token::Unify),
            '>' => self.either('=', Token::Gte, Token::Gt),
            '<' => self.either('=', Token::Lte, Token::Lt),
            '!' if self.current != Some('=') => self.illegal("illegal ! character"),
            '!' => self.either('=', Token::Neq, Token::Illegal),
            ';' => Token::Semicolon,
            '.' => Token::Dot,
            NO_BREAK_SPACE => {
                self.illegal("illegal non-breaking space character, use a regular space instead")
            }
            _ => Token::Illegal,
        };
        self.finish(token, Cow::Borrowed(""), start)
    }

    fn scan_dollar(&mut self, start: usize) -> Lexeme<'s> {
        let raw = match self.current {
            Some('"') => false,
            Some('`') => true,
            _ => {
                let token = self.illegal("illegal $ character");
                return self.finish(token, Cow::Borrowed(""), start);
            }
        };
        let quote = self.at;
        self.next();
        self.scan_template(start, quote, raw)
    }

    /// The text of the token begins at `quote` (a quote, or the last byte before what is read on).
    fn scan_template(&mut self, start: usize, quote: usize, raw: bool) -> Lexeme<'s> {
        let piece = if raw { self.raw_template_piece(quote) } else { self.template_piece(quote) };
        let token = match (raw, piece.last) {
            (false, false) => Token::TemplateStringPart,
            (false, true) => Token::TemplateStringEnd,
            (true, false) => Token::RawTemplateStringPart,
            (true, true) => Token::RawTemplateStringEnd,
        };
        self.finish(token, piece.text, start)
    }

    fn scan_comment(&mut self, start: usize) -> Lexeme<'s> {
        while !matches!(self.current, None | Some('\n')) {
            self.next();
        }
        let text = self.since(start);
        self.finish(Token::Comment, text, start)
    }

    fn finish(&mut self, token: Token, text: Cow<'s, str>, start: usize) -> Lexeme<'s> {
        Lexeme { token, text, start, end: self.at, errors: std::mem::take(&mut self.errors) }
    }

    fn either(&mut self, c: char, yes: Token, no: Token) -> Token {
        if self.current == Some(c) {
            self.next();
            return yes;
        }
        no
    }

    fn illegal(&mut self, message: &'static str) -> Token {
        self.errors.push(message);
        Token::Illegal
    }

    fn skip_word(&mut self) {
        while self.current.is_some_and(|c| is_letter(c) || is_digit(c)) {
            self.next();
        }
    }

    /// Skips decimal digits; whether there were any.
    fn skip_decimals(&mut self) -> bool {
        let start = self.at;
        while self.current.is_some_and(|c| c.is_ascii_digit()) {
            self.next();
        }
        self.at > start
    }

    fn skip_number(&mut self) {
        self.skip_decimals();
        if self.current == Some('.') {
            self.next();
            if !self.skip_decimals() {
                self.errors.push("expected fraction");
            }
        }
        if matches!(self.current, Some('e' | 'E')) {
            self.next();
            if matches!(self.current, Some('+' | '-')) {
                self.next();
            }
            if !self.skip_decimals() {
                self.errors.push("expected exponent");
            }
        }
        if self.current.is_some_and(is_letter) {
            self.errors.push("illegal number format");
            self.skip_word();
        }
    }

    fn skip_string(&mut self) {
        loop {
            match self.current {
                None | Some('\n') => {
                    self.errors.push("non-terminated string");
                    return;
                }
                Some('"') => {
                    self.next();
                    return;
                }
                Some('\\') => {
                    self.next();
                    self.skip_escape();
                }
                Some(_) => self.next(),
            }
        }
    }

    fn skip_escape(&mut self) {
        match self.current {
            Some('\\' | '"' | '/' | 'b' | 'f' | 'n' | 'r' | 't') => self.next(),
            Some('u') => {
                for _ in 0..4 {
                    self.next();
                }
            }
            _ => self.errors.push("illegal escape sequence"),
        }
    }

    fn skip_raw_string(&mut self) {
        loop {
            let c = self.current;
            self.next();
            match c {
                Some('`') => return,
                None => {
                    self.errors.push("non-terminated string");
                    return;
                }
                Some(_) => {}
            }
        }
    }

    fn template_piece(&mut self, quote: usize) -> Piece<'s> {
        let mut escapes = Vec::new();
        let last = loop {
            match self.current {
                None | Some('\n') => {
                    self.errors.push("non-terminated string");
                    break false;
                }
                Some('"') => {
                    self.next();
                    break true;
                }
                Some('{') => {
                    self.next();
                    break false;
                }
                Some('\\') => {
                    let backslash = self.at;
                    self.next();
                    if self.current == Some('{') {
                        escapes.push(backslash);
                        self.next();
                    } else {
                        self.skip_escape();
                    }
                }
                Some(_) => self.next(),
            }
        };
        Piece { text: self.without(quote, &escapes), last }
    }

    fn raw_template_piece(&mut self, quote: usize) -> Piece<'s> {
        let mut escapes = Vec::new();
        let last = loop {
            let c = self.current;
            let at = self.at;
            match c {
                None => {
                    self.errors.push("non-terminated string");
                    break false;
                }
                Some(_) => self.next(),
            }
            match c {
                Some('`') => break true,
                Some('{') => break false,
                Some('\\') if self.current == Some('{') => {
                    escapes.push(at);
                    self.next();
                }
                _ => {}
            }
        };
        Piece { text: self.without(quote, &escapes), last }
    }

    /// The text from an offset to here, without the bytes at some offsets.
    fn without(&self, start: usize, skipped: &[usize]) -> Cow<'s, str> {
        if skipped.is_empty() {
            return self.since(start);
        }
        let mut text = String::new();
        let mut from = start;
        for &at in skipped {
            text.push_str(self.source.get(from..at).unwrap_or_default());
            from = at + 1;
        }
        text.push_str(self.source.get(from..self.at).unwrap_or_default());
        Cow::Owned(text)
    }

    fn since(&self, start: usize) -> Cow<'s, str> {
        Cow::Borrowed(self.source.get(start..self.at).unwrap_or_default())
    }

    fn next(&mut self) {
        if let Some(c) = self.current {
            self.at += c.len_utf8();
        }
        self.load();
    }

    fn load(&mut self) {
        self.current = self.source.get(self.at..).and_then(|rest| rest.chars().next());
        match self.current {
            Some('\0') => self.errors.push("illegal null character"),
            Some(BOM) if self.at > 0 => self.errors.push("illegal byte-order mark"),
            _ => {}
        }
    }
}

fn is_letter(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}

/// Go's `unicode.IsDigit`: the general category Nd.
fn is_digit(c: char) -> bool {
    c.is_ascii_digit() || (!c.is_ascii() && c.is_numeric() && is_decimal_digit(c))
}

/// Decimal digits come in runs of ten; `char::is_numeric` alone also takes in letter-like and other numbers.
fn is_decimal_digit(c: char) -> bool {
    let c = c as u32;
    DIGIT_ZEROS.iter().any(|zero| (*zero..zero + 10).contains(&c))
}

/// The zeros of the decimal digits of Unicode 15 outside ASCII.
const DIGIT_ZEROS: [u32; 67] = [
    0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6, 0x0d66, 0x0de6,
    0x0e50, 0x0ed0, 0x0f20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0,
    0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10, 0x104a0, 0x10d30,
    0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0, 0x11730, 0x118e0,
    0x11950, 0x11c50, 0x11d50, 0x11da0, 0x11f50, 0x16a60, 0x16ac0, 0x16b50, 0x1d7ce, 0x1d7d8, 0x1d7e2,
    0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e4f0, 0x1e950, 0x1fbf0,
];
