//! Where the parser stands, and how it goes on, reports and counts.

use std::borrow::Cow;

use super::Parser;
use crate::ast::Name;
use crate::diagnostic::{Code, Diagnostic};
use crate::lexer::{Lexeme, Lexer};
use crate::span::Span;
use crate::token::{Keywords, Token};

/// What is saved before an attempt and restored after it failed. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct State<'s> {
    pub(super) lexer: Lexer<'s>,
    pub(super) token: Token,
    pub(super) text: Cow<'s, str>,
    pub(super) start: usize,
    pub(super) end: usize,
    /// Where the token before this one ended; blanks do not count.
    pub(super) last_end: usize,
    pub(super) wildcard: u32,
    pub(super) skipped_newline: bool,
    pub(super) errors: Vec<Diagnostic>,
    pub(super) hints: Vec<String>,
    /// Height of the tallest tree that was finished at this depth.
    pub(super) height: u32,
}

impl<'s> State<'s> {
    pub(super) fn new(source: &'s str, keywords: Keywords) -> Self {
        Self::with_lexer(Lexer::new(source, keywords), 0, 0)
    }

    pub(super) fn resume(source: &'s str, at: usize, keywords: Keywords, wildcard: u32) -> Self {
        Self::with_lexer(Lexer::resume(source, at, keywords), at, wildcard)
    }

    fn with_lexer(lexer: Lexer<'s>, at: usize, wildcard: u32) -> Self {
        Self {
            lexer,
            token: Token::Whitespace,
            text: Cow::Borrowed(""),
            start: at,
            end: at,
            last_end: at,
            wildcard,
            skipped_newline: false,
            errors: Vec::new(),
            hints: Vec::new(),
            height: 0,
        }
    }
}

impl<'s> Parser<'s> {
    /// Goes to the next token that is neither blank nor comment.
    pub(super) fn scan(&mut self) {
        self.advance(true, Lexer::scan);
    }

    /// Goes to the next token that is no comment.
    pub(super) fn scan_ws(&mut self) {
        self.advance(false, Lexer::scan);
    }

    /// Reads on in a template string.
    pub(super) fn scan_template(&mut self, raw: bool) {
        self.advance(false, |lexer| lexer.continue_template(raw));
    }

    fn advance(&mut self, skip_blanks: bool, read: impl Fn(&mut Lexer<'s>) -> Lexeme<'s>) {
        if self.s.token != Token::Whitespace {
            self.s.last_end = self.s.end;
            self.s.skipped_newline = false;
        }
        loop {
            let lexeme = self.read(&read);
            self.s.token = lexeme.token;
            self.s.text = lexeme.text;
            self.s.start = lexeme.start;
            self.s.end = lexeme.end;
            if !lexeme.errors.is_empty() {
                for message in lexeme.errors {
                    self.error(self.token_span(), message);
                }
                self.s.token = Token::Illegal;
            }
            match self.s.token {
                Token::Whitespace => {
                    if self.s.text == "\n" {
                        self.s.skipped_newline = true;
                    }
                    if !skip_blanks {
                        return;
                    }
                }
                Token::Comment => {
                    let span = self.token_span();
                    if self.comments.last().is_none_or(|last| last.start < span.start) {
                        self.comments.push(span);
                    }
                }
                _ => return,
            }
        }
    }

    /// One token, as long as there is fuel; the end of the file afterwards.
    fn read(&mut self, read: &impl Fn(&mut Lexer<'s>) -> Lexeme<'s>) -> Lexeme<'s> {
        if self.fuel == 0 {
            let at = self.s.end;
            let errors = vec!["the text is too ambiguous: it takes too many attempts to parse"];
            return Lexeme { token: Token::Eof, text: Cow::Borrowed(""), start: at, end: at, errors };
        }
        self.fuel -= 1;
        read(&mut self.s.lexer)
    }

    /// The span of the current token.
    pub(super) fn token_span(&self) -> Span {
        self.span(self.s.start, self.s.end)
    }

    pub(super) fn span(&self, start: usize, end: usize) -> Span {
        let offset = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Span::new(self.file.id(), offset(start), offset(end))
    }

    /// Notes that the text of a term begins before its span does: at a parenthesis. Only the formatter needs it.
    pub(super) fn note_text_start(&mut self, span: Span, start: usize) {
        let start = u32::try_from(start).unwrap_or(u32::MAX);
        if start < span.start {
            self.text_starts.insert((span.start, span.end), start);
        }
    }

    /// The same start, ending where the last token ended.
    pub(super) fn until_last(&self, span: Span) -> Span {
        span.until(u32::try_from(self.s.last_end).unwrap_or(u32::MAX))
    }

    /// A fresh name for a `_`.
    pub(super) fn wildcard(&mut self) -> Name {
        let name = Name::from(format!("${}", self.s.wildcard));
        self.s.wildcard += 1;
        name
    }

    /// Reports an error. Hints that were noted before become part of it.
    pub(super) fn error(&mut self, span: Span, message: impl Into<String>) {
        let mut message = message.into();
        let hints = std::mem::take(&mut self.s.hints);
        match hints.as_slice() {
            [] => {}
            [hint] => message.push_str(&format!(" (hint: {hint})")),
            hints => message.push_str(&format!(" (hints: {})", hints.join(", "))),
        }
        let error = Diagnostic::error(Code::Parse, span, message);
        self.s.errors.push(Diagnostic { in_text: true, ..error });
    }

    /// Notes a hint for the next error.
    pub(super) fn hint(&mut self, hint: impl Into<String>) {
        self.s.hints.push(hint.into());
    }

    /// Reports the current token as unexpected.
    pub(super) fn illegal(&mut self, note: &str) {
        let span = self.token_span();
        if self.s.token == Token::Illegal {
            self.error(span, "illegal token");
            return;
        }
        let token = self.s.token.as_str();
        let kind = if self.s.token.is_keyword() { "keyword" } else { "token" };
        if note.is_empty() {
            self.error(span, format!("unexpected {token} {kind}"));
        } else {
            self.error(span, format!("unexpected {token} {kind}: {note}"));
        }
    }

    pub(super) fn illegal_token(&mut self) {
        self.illegal("");
    }

    /// Goes one level deeper; `None` where the limit is reached. What it answers goes to [`Parser::leave`].
    pub(super) fn enter(&mut self) -> Option<u32> {
        if self.depth >= self.options.max_depth {
            self.error_too_deep();
            return None;
        }
        self.depth += 1;
        Some(std::mem::take(&mut self.s.height))
    }

    /// Comes back from a level: the tree that was built there is a child of the one being built here.
    pub(super) fn leave(&mut self, outer: u32) {
        self.depth = self.depth.saturating_sub(1);
        self.s.height = outer.max(self.s.height + 1);
    }

    /// Notes that the tree of this level has grown by one; `false` where the limit is reached.
    pub(super) fn grow(&mut self) -> bool {
        self.s.height += 1;
        if self.s.height > self.options.max_depth {
            self.error_too_deep();
            return false;
        }
        true
    }

    /// Reports the limit once, though every level above fails too.
    pub(super) fn error_too_deep(&mut self) {
        const MESSAGE: &str = "max parsing recursion depth exceeded";
        if self.s.errors.last().is_none_or(|last| last.message != MESSAGE) {
            self.error(self.token_span(), MESSAGE);
        }
    }
}
