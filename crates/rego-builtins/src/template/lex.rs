//! Templates to tokens: text, and what stands between `{{` and `}}`.

use crate::gofmt::{self, Arg};

/// What is wrong, and in which line.
#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) line: usize,
    pub(super) problem: String,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Text(String),
    /// `{{`
    Open,
    /// `}}`
    Close,
    Space,
    Assign,
    Declare,
    Comma,
    Pipe,
    LeftParen,
    RightParen,
    Dot,
    /// `.name`
    Field(String),
    /// `$name`, with its dollar sign.
    Variable(String),
    /// A name: of a function, a keyword or a constant.
    Word(String),
    Number(String),
    /// A character in single quotes, with them.
    Char(String),
    /// A string in double quotes, with them.
    Quoted(String),
    /// A string in back quotes, without them.
    Raw(String),
}

pub(super) struct Lexeme {
    pub(super) token: Token,
    pub(super) line: usize,
}

const OPEN: &str = "{{";
const CLOSE: &str = "}}";
const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

/// Cuts a template.
///
/// # Errors
/// The first thing that is no token.
pub(super) fn lex(source: &str) -> Result<Vec<Lexeme>, Wrong> {
    let mut lexer = Lexer { rest: source, line: 1, out: Vec::new(), parens: 0 };
    while lexer.text()? {
        while lexer.inside()? {}
    }
    Ok(lexer.out)
}

struct Lexer<'a> {
    rest: &'a str,
    line: usize,
    out: Vec<Lexeme>,
    parens: usize,
}

impl<'a> Lexer<'a> {
    fn wrong<T>(&self, problem: impl Into<String>) -> Result<T, Wrong> {
        Err(Wrong { line: self.line, problem: problem.into() })
    }

    fn push(&mut self, token: Token) {
        self.out.push(Lexeme { token, line: self.line });
    }

    /// Takes so many bytes.
    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        self.line += taken.matches('\n').count();
        self.rest = rest;
        taken
    }

    /// Text up to the next action; false at the end of the template.
    fn text(&mut self) -> Result<bool, Wrong> {
        let Some(at) = self.rest.find(OPEN) else {
            let length = self.rest.len();
            self.keep_text(length, false);
            return Ok(false);
        };
        let after = self.rest.get(at + OPEN.len()..).unwrap_or_default();
        let trims = after.starts_with('-') && after.get(1..).is_some_and(|rest| rest.starts_with(BLANKS));
        self.keep_text(at, trims);
        self.take(OPEN.len() + if trims { 2 } else { 0 });
        if self.rest.starts_with("/*") {
            return self.comment();
        }
        self.push(Token::Open);
        self.parens = 0;
        Ok(true)
    }

    fn keep_text(&mut self, length: usize, trims: bool) {
        let line = self.line;
        let text = self.take(length);
        let text = if trims { text.trim_end_matches(BLANKS) } else { text };
        if !text.is_empty() {
            self.out.push(Lexeme { token: Token::Text(text.to_owned()), line });
        }
    }

    fn comment(&mut self) -> Result<bool, Wrong> {
        let Some(end) = self.rest.find("*/") else { return self.wrong("unclosed comment") };
        self.take(end + 2);
        let Some(trims) = self.at_close() else {
            return self.wrong("comment ends before closing delimiter");
        };
        self.close(trims);
        self.text()
    }

    /// Whether the action ends here, and if so, whether the text behind it is trimmed.
    fn at_close(&self) -> Option<bool> {
        if self.rest.starts_with(CLOSE) {
            return Some(false);
        }
        let trimmed = self.rest.strip_prefix(BLANKS).and_then(|rest| rest.strip_prefix('-'));
        trimmed.filter(|rest| rest.starts_with(CLOSE)).map(|_| true)
    }

    fn close(&mut self, trims: bool) {
        self.take(CLOSE.len() + if trims { 2 } else { 0 });
        if trims {
            let blanks = self.rest.len() - self.rest.trim_start_matches(BLANKS).len();
            self.take(blanks);
        }
    }

    /// One token of an action; false behind its end.
    fn inside(&mut self) -> Result<bool, Wrong> {
        if let Some(trims) = self.at_close() {
            if self.parens > 0 {
                return self.wrong("unclosed left paren");
            }
            self.push(Token::Close);
            self.close(trims);
            return Ok(false);
        }
        let Some(c) = self.rest.chars().next() else { return self.wrong("unclosed action") };
        match c {
            c if BLANKS.contains(&c) => self.space(),
            '=' => self.symbol(1, Token::Assign),
            ':' if self.rest.starts_with(":=") => self.symbol(2, Token::Declare),
            ':' => return self.wrong("expected :="),
            '|' => self.symbol(1, Token::Pipe),
            ',' => self.symbol(1, Token::Comma),
            '(' => {
                self.parens += 1;
                self.symbol(1, Token::LeftParen);
            }
            ')' => {
                let Some(parens) = self.parens.checked_sub(1) else {
                    return self.wrong("unexpected right paren");
                };
                self.parens = parens;
                self.symbol(1, Token::RightParen);
            }
            '"' => self.quoted('"', "unterminated quoted string", Token::Quoted)?,
            '\'' => self.quoted('\'', "unterminated character constant", Token::Char)?,
            '`' => self.raw()?,
            '$' => self.name(Token::Variable)?,
            '.' if !self.rest.get(1..).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) => {
                self.field()?;
            }
            '+' | '-' | '.' | '0'..='9' => self.number()?,
            c if is_name(c) => self.name(Token::Word)?,
            c => return self.wrong(format!("unexpected bad character {}", shown(c))),
        }
        Ok(true)
    }

    fn symbol(&mut self, length: usize, token: Token) {
        self.take(length);
        self.push(token);
    }

    fn space(&mut self) {
        // The blank before `-}}` belongs to the mark.
        while self.at_close().is_none() && self.rest.starts_with(BLANKS) {
            self.take(1);
        }
        self.push(Token::Space);
    }

    fn quoted(&mut self, quote: char, problem: &str, token: fn(String) -> Token) -> Result<(), Wrong> {
        let mut escaped = true;
        for (at, c) in self.rest.char_indices() {
            match c {
                '\n' => break,
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                c if c == quote => {
                    let text = self.take(at + 1).to_owned();
                    self.push(token(text));
                    return Ok(());
                }
                _ => {}
            }
        }
        self.wrong(problem)
    }

    fn raw(&mut self) -> Result<(), Wrong> {
        let line = self.line;
        let inner = self.rest.get(1..).unwrap_or_default();
        let Some(end) = inner.find('`') else { return self.wrong("unterminated raw quoted string") };
        let text = self.take(end + 2).trim_matches('`').to_owned();
        self.out.push(Lexeme { token: Token::Raw(text), line });
        Ok(())
    }

    /// The length of a name behind its first character.
    fn name_length(&self) -> usize {
        let mut chars = self.rest.char_indices();
        chars.next();
        chars.find(|(_, c)| !is_name(*c)).map_or(self.rest.len(), |(at, _)| at)
    }

    fn name(&mut self, token: fn(String) -> Token) -> Result<(), Wrong> {
        let length = self.name_length();
        let name = self.take(length).to_owned();
        self.ends_here()?;
        self.push(token(name));
        Ok(())
    }

    fn field(&mut self) -> Result<(), Wrong> {
        let length = self.name_length();
        let name = self.take(length).strip_prefix('.').unwrap_or_default().to_owned();
        self.ends_here()?;
        self.push(if name.is_empty() { Token::Dot } else { Token::Field(name) });
        Ok(())
    }

    /// A name must be followed by something that ends it.
    fn ends_here(&self) -> Result<(), Wrong> {
        match self.rest.chars().next() {
            None | Some('.' | ',' | '|' | ':' | ')' | '(') => Ok(()),
            Some(c) if BLANKS.contains(&c) => Ok(()),
            Some(_) if self.rest.starts_with(CLOSE) => Ok(()),
            Some(c) => self.wrong(format!("bad character {}", shown(c))),
        }
    }

    fn number(&mut self) -> Result<(), Wrong> {
        let mut length = 0;
        let mut before = ' ';
        for c in self.rest.chars() {
            let sign = matches!(c, '+' | '-') && (length == 0 || matches!(before, 'e' | 'E' | 'p' | 'P'));
            if !sign && c != '.' && c != '_' && !c.is_ascii_alphanumeric() {
                break;
            }
            before = c;
            length += c.len_utf8();
        }
        let text = self.take(length).to_owned();
        self.push(Token::Number(text));
        Ok(())
    }
}

fn is_name(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

fn shown(c: char) -> String {
    gofmt::sprintf("%#U", &[Arg::Int(i64::from(u32::from(c)))])
}
