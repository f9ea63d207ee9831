//! Tokens to statements, by recursive descent.
//!
//! The grammar, the places where it backtracks and the messages are those of OPA's parser, so that the first error
//! of a file is the one that OPA reports. A function that answers `None` has reported why, or leaves it to its
//! caller to try something else from a saved [`State`].

mod body;
mod import;
mod infix;
mod literal;
mod logical;
mod logical_error;
pub(crate) mod rule;
mod state;
mod term;

use std::collections::HashMap;

use crate::ast::{Body, Comment, Import, Package, RegoVersion, Rule};
use crate::diagnostic::Diagnostic;
use crate::options::ParserOptions;
use crate::span::{SourceFile, Span};
use crate::token::{Keywords, Token, future_keyword, is_keyword_in};
use state::State;

/// A statement of a module or a query.
#[derive(Debug, Clone)]
pub(crate) enum Statement {
    Package(Package),
    Import(Import),
    Rule(Rule),
    Body(Body),
}

impl Statement {
    pub(crate) fn span(&self) -> Span {
        match self {
            Self::Package(package) => package.span,
            Self::Import(import) => import.span,
            Self::Rule(rule) => rule.span,
            Self::Body(body) => body.first().map_or(Span::NONE, |expr| expr.span),
        }
    }
}

/// What the parser found in a text.
#[derive(Debug, Default)]
pub(crate) struct Statements {
    pub(crate) statements: Vec<Statement>,
    pub(crate) comments: Vec<Comment>,
    pub(crate) errors: Vec<Diagnostic>,
    /// The terms, by their spans, whose text begins before their span does, and where it begins.
    pub(crate) text_starts: HashMap<(u32, u32), u32>,
    /// Some object has a key twice; the tree keeps the last value only.
    pub(crate) has_duplicate_keys: bool,
}

/// The parser: a state that can be saved and restored, and what never goes back.
pub(crate) struct Parser<'s> {
    file: &'s SourceFile,
    options: &'s ParserOptions,
    skip_rules: bool,
    s: State<'s>,
    /// `not` takes bodies (`import future.keywords.not`).
    not_bodies: bool,
    depth: u32,
    /// How many tokens may still be read, those read again after backtracking included.
    fuel: u64,
    comments: Vec<Span>,
    text_starts: HashMap<(u32, u32), u32>,
    has_duplicate_keys: bool,
}

/// How often a text may be read by backtracking before the parser gives up on it.
const READINGS: u64 = 64;

impl<'s> Parser<'s> {
    pub(crate) fn new(file: &'s SourceFile, options: &'s ParserOptions, skip_rules: bool) -> Self {
        let keywords = initial_keywords(options);
        let fuel = (file.text().len() as u64 + 1024) * READINGS;
        Self {
            file,
            options,
            skip_rules,
            s: State::new(file.text(), keywords),
            not_bodies: options.rego_version == RegoVersion::V2
                || options.all_future_keywords
                || options.future_keywords.iter().any(|k| k == "not"),
            depth: 0,
            fuel,
            comments: Vec::new(),
            text_starts: HashMap::new(),
            has_duplicate_keys: false,
        }
    }

    /// Reads all statements. After an error it goes on at the next line that looks like the start of a statement;
    /// OPA stops at the first statement that it cannot read.
    pub(crate) fn parse(mut self) -> Statements {
        let mut statements = Vec::new();
        if let Some(unknown) = self.options.future_keywords.iter().find(|k| future_keyword(k).is_none()) {
            self.error(Span::NONE, format!("unknown future keyword: {unknown}"));
            return self.finish(statements);
        }
        let mut errors = Vec::new();
        self.scan();
        while self.s.token != Token::Eof {
            let start = self.s.start;
            if self.parse_statement(&mut statements) {
                continue;
            }
            errors.append(&mut self.s.errors);
            if self.skip_rules || !self.recover(start) {
                break;
            }
        }
        errors.append(&mut self.s.errors);
        self.s.errors = errors;
        self.finish(statements)
    }

    fn finish(self, statements: Vec<Statement>) -> Statements {
        let comments = self.comments.iter().map(|span| comment(self.file, *span)).collect();
        Statements {
            statements,
            comments,
            errors: self.s.errors,
            text_starts: self.text_starts,
            has_duplicate_keys: self.has_duplicate_keys,
        }
    }

    /// Reads the next statement: a package, an import, rules or, where none of these fits, a query. `false` where
    /// none could be read; a statement that was read may have left errors as well.
    fn parse_statement(&mut self, out: &mut Vec<Statement>) -> bool {
        if !self.skip_rules && self.error_keyword_rule_name(false) {
            return false;
        }
        if self.s.token == Token::Package {
            let saved = self.s.clone();
            if let Some(package) = self.parse_package() {
                out.push(Statement::Package(package));
                return self.no_trailing_minus();
            }
            if !self.s.errors.is_empty() {
                return false;
            }
            self.s = saved;
        }
        if self.s.token == Token::Import {
            let saved = self.s.clone();
            if let Some(import) = self.parse_import() {
                if !self.no_trailing_minus() {
                    return false;
                }
                self.apply_import(&import);
                out.push(Statement::Import(import));
                return true;
            }
            if !self.s.errors.is_empty() {
                return false;
            }
            self.s = saved;
        }
        if !self.skip_rules {
            let saved = self.s.clone();
            if let Some(rules) = self.parse_rules() {
                out.extend(rules.into_iter().map(Statement::Rule));
                return true;
            }
            if !self.s.errors.is_empty() {
                return false;
            }
            self.s = saved;
        }
        match self.parse_query(true, Token::Eof) {
            Some(body) => {
                out.push(Statement::Body(body));
                true
            }
            None => false,
        }
    }

    /// A minus behind a path is no part of it, and would be read as the sign of the next statement.
    fn no_trailing_minus(&mut self) -> bool {
        if self.s.token == Token::Sub {
            self.illegal_token();
            return false;
        }
        true
    }

    /// Goes to the next line that begins with a letter, behind the start of the statement that failed and not before
    /// the token at which it did: statements mostly stand at the margin, and what stands inside of them does not.
    fn recover(&mut self, statement: usize) -> bool {
        let text = self.file.text();
        let from = self.s.start.max(statement + 1);
        let before = text.as_bytes().get(from - 1);
        let mut line = if before == Some(&b'\n') { Some(from) } else { next_line(text, from) };
        while let Some(at) = line {
            if text.get(at..).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic())) {
                self.s = State::resume(text, at, self.s.lexer.keywords(), self.s.wildcard);
                self.depth = 0;
                self.scan();
                return true;
            }
            line = next_line(text, at);
        }
        false
    }

    /// Whether a keyword may stand in a reference here.
    fn is_allowed_ref_keyword(&self, token: Token) -> bool {
        let text = token.as_str();
        let version = self.options.rego_version;
        (self.options.features.keywords_in_refs || version == RegoVersion::V2)
            && (is_keyword_in(text, version) || self.s.lexer.keywords().contains(text))
    }

    /// Takes a keyword as the name that a reference begins with, if a dot or bracket follows at once.
    fn scan_ahead_ref(&mut self) -> bool {
        if self.is_allowed_ref_keyword(self.s.token) && matches!(self.peek_ws(), Token::Dot | Token::LBrack) {
            self.s.token = Token::Ident;
            return true;
        }
        false
    }

    /// The next token, blanks included, without going there.
    fn peek_ws(&mut self) -> Token {
        let saved = self.s.clone();
        self.scan_ws();
        let token = self.s.token;
        self.s = saved;
        token
    }

    /// Reports a keyword that is used as the name of a rule. Behind `default` only a rule can stand; elsewhere
    /// what follows has to tell.
    fn error_keyword_rule_name(&mut self, behind_default: bool) -> bool {
        use Token::{Assign, Contains, If, LParen, Unify};
        let followers: &[Token] = match self.s.token {
            Token::Every | Token::If | Token::In | Token::Some | Token::As => {
                &[Assign, Unify, If, Contains, LParen]
            }
            Token::Package | Token::Import => &[Assign, Unify, LParen],
            Token::Not | Token::LogicalAnd | Token::LogicalOr => &[Assign, Unify, If, Contains],
            Token::Contains => &[If, Contains],
            _ => return false,
        };
        let (keyword, span) = (self.s.token, self.token_span());
        if !behind_default {
            let saved = self.s.clone();
            self.scan();
            let next = self.s.token;
            self.s = saved;
            if !followers.contains(&next) {
                return false;
            }
        }
        self.error(span, format!("{} keyword cannot be used for rule name", keyword.as_str()));
        true
    }
}

/// Where the line behind this offset begins.
fn next_line(text: &str, at: usize) -> Option<usize> {
    text.as_bytes().get(at..)?.iter().position(|b| *b == b'\n').map(|newline| at + newline + 1)
}

fn initial_keywords(options: &ParserOptions) -> Keywords {
    if options.all_future_keywords || options.rego_version == RegoVersion::V2 {
        return Keywords::ALL;
    }
    let mut keywords = Keywords::default();
    if options.rego_version == RegoVersion::V1 {
        for keyword in ["contains", "every", "if", "in"] {
            keywords.add(keyword);
        }
    }
    for keyword in &options.future_keywords {
        keywords.add(keyword);
    }
    keywords
}

fn comment(file: &SourceFile, span: Span) -> Comment {
    let text = file.slice(span);
    let text = text.strip_prefix('#').unwrap_or(text).trim_end_matches('\r');
    let position = file.position(span.start);
    Comment { text: text.to_owned(), row: position.row, col: position.col, span }
}
