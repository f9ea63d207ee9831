//! The parser's cursor, and what queries and schemas have in common: names, types, literals, directives.
//!
//! A comment belongs to the token that follows it and is gone once that token is taken; who wants it asks before.

use super::ast::{Argument, Child, Comment, Directive, Literal, LiteralKind, Type, TypeBase};
use super::lexer::{Kind, Lexer, Token};
use super::problem::{Place, Problem};

/// How deep selections, literals and types may be nested. OPA has no limit; a program's text that goes deeper than
/// this is an attack on the stack.
pub(super) const MOST_NESTED: usize = 200;

pub(super) type Parsed<T> = Result<T, Problem>;

pub(super) struct Parser<'a> {
    lexer: Lexer<'a>,
    /// The next token; one that is none is an error only when it is taken.
    next: Option<(Token<'a>, Option<Problem>)>,
    comment: Comment,
    depth: usize,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { lexer: Lexer::new(text), next: None, comment: Vec::new(), depth: 0 }
    }

    pub(super) fn peek(&mut self) -> &Token<'a> {
        let Self { lexer, next, comment, .. } = self;
        &next
            .get_or_insert_with(|| {
                let mut lines = Vec::new();
                let read = loop {
                    match lexer.next() {
                        Ok(token) if token.kind == Kind::Comment => lines.push(token.value.into_owned()),
                        Ok(token) => break (token, None),
                        Err((token, problem)) => break (token, Some(problem)),
                    }
                };
                *comment = lines;
                read
            })
            .0
    }

    pub(super) fn kind(&mut self) -> Kind {
        self.peek().kind
    }

    /// Whether the next token's value is this; strings count as well.
    pub(super) fn is_value(&mut self, value: &str) -> bool {
        self.peek().value == value
    }

    pub(super) fn place(&mut self) -> Option<Place> {
        Some(self.peek().at)
    }

    /// The comment before the next token.
    pub(super) fn comment(&mut self) -> Comment {
        self.peek();
        self.comment.clone()
    }

    pub(super) fn take(&mut self) -> Parsed<Token<'a>> {
        self.peek();
        self.comment.clear();
        match self.next.take() {
            Some((token, None)) => Ok(token),
            Some((_, Some(problem))) => Err(problem),
            None => Err(Problem::new(None, "unexpected end")),
        }
    }

    pub(super) fn unexpected<T>(&mut self) -> Parsed<T> {
        let token = self.peek().clone();
        unexpected_token(&token)
    }

    pub(super) fn skip(&mut self, kind: Kind) -> Parsed<bool> {
        let found = self.kind() == kind;
        if found {
            self.take()?;
        }
        Ok(found)
    }

    pub(super) fn expect(&mut self, kind: Kind) -> Parsed<Token<'a>> {
        let next = self.peek();
        if next.kind == kind {
            return self.take();
        }
        let message = format!("Expected {}, found {}", kind.as_str(), next.kind.as_str());
        Err(Problem::new(Some(next.at), message))
    }

    pub(super) fn expect_keyword(&mut self, word: &str) -> Parsed<()> {
        let next = self.peek();
        if next.kind == Kind::Name && next.value == word {
            return self.take().map(drop);
        }
        let message = format!("Expected \"{word}\", found {}", next.shown());
        Err(Problem::new(Some(next.at), message))
    }

    /// One or more items in brackets, or none at all without brackets; the comment before the closing one.
    pub(super) fn some(
        &mut self,
        open: Kind,
        close: Kind,
        mut item: impl FnMut(&mut Self) -> Parsed<()>,
    ) -> Parsed<Comment> {
        if !self.skip(open)? {
            return Ok(Vec::new());
        }
        if self.kind() == close {
            let message = format!("expected at least one definition, found {}", close.as_str());
            return Err(Problem::new(self.place(), message));
        }
        while self.kind() != close {
            item(self)?;
        }
        let comment = self.comment();
        self.take()?;
        Ok(comment)
    }

    /// Any number of items in brackets.
    fn many(&mut self, open: Kind, close: Kind, mut item: impl FnMut(&mut Self) -> Parsed<()>) -> Parsed<()> {
        if self.skip(open)? {
            while self.kind() != close {
                item(self)?;
            }
            self.take()?;
        }
        Ok(())
    }

    /// One level deeper.
    pub(super) fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth == MOST_NESTED {
            let message = format!("nested more than {MOST_NESTED} levels deep");
            return Err(Problem::new(self.place(), message));
        }
        self.depth += 1;
        let outcome = inner(self);
        self.depth -= 1;
        outcome
    }

    pub(super) fn name(&mut self) -> Parsed<String> {
        Ok(self.expect(Kind::Name)?.value.into_owned())
    }

    pub(super) fn directives(&mut self, constant: bool) -> Parsed<Vec<Directive>> {
        let mut directives = Vec::new();
        while self.skip(Kind::At)? {
            let at = self.place();
            let name = self.name()?;
            let arguments = self.arguments(constant)?;
            directives.push(Directive { name, arguments, location: String::new(), at });
        }
        Ok(directives)
    }

    pub(super) fn arguments(&mut self, constant: bool) -> Parsed<Vec<Argument>> {
        let mut arguments = Vec::new();
        self.some(Kind::ParenL, Kind::ParenR, |parser| {
            let (at, comment) = (parser.place(), parser.comment());
            let name = parser.name()?;
            parser.expect(Kind::Colon)?;
            let value = parser.literal(constant)?;
            arguments.push(Argument { name, value, at, comment });
            Ok(())
        })?;
        Ok(arguments)
    }

    pub(super) fn ty(&mut self) -> Parsed<Type> {
        let (at, base) = if self.skip(Kind::BracketL)? {
            let at = self.place();
            let of = self.nested(Self::ty)?;
            self.expect(Kind::BracketR)?;
            (at, TypeBase::List(Box::new(of)))
        } else {
            (self.place(), TypeBase::Named(self.name()?))
        };
        let non_null = self.skip(Kind::Bang)?;
        Ok(Type { base, non_null, at })
    }

    pub(super) fn variable_name(&mut self) -> Parsed<String> {
        self.expect(Kind::Dollar)?;
        self.name()
    }

    /// A literal; in a constant one no variable may occur.
    pub(super) fn literal(&mut self, constant: bool) -> Parsed<Literal> {
        let next = self.peek();
        let at = Some(next.at);
        let kind = match next.kind {
            Kind::BracketL => return self.nested(|parser| parser.list(constant)),
            Kind::BraceL => return self.nested(|parser| parser.object(constant)),
            Kind::Dollar if !constant => {
                let raw = self.variable_name()?;
                return Ok(scalar(LiteralKind::Variable, raw, at));
            }
            Kind::Int => LiteralKind::Int,
            Kind::Float => LiteralKind::Float,
            Kind::String => LiteralKind::String,
            Kind::BlockString => LiteralKind::Block,
            Kind::Name => match next.value.as_ref() {
                "true" | "false" => LiteralKind::Boolean,
                "null" => LiteralKind::Null,
                _ => LiteralKind::Enum,
            },
            _ => return self.unexpected(),
        };
        let raw = self.take()?.value.into_owned();
        Ok(scalar(kind, raw, at))
    }

    fn list(&mut self, constant: bool) -> Parsed<Literal> {
        let (at, comment) = (self.place(), self.comment());
        let mut children = Vec::new();
        self.many(Kind::BracketL, Kind::BracketR, |parser| {
            let value = parser.literal(constant)?;
            children.push(Child { name: String::new(), value, at: None, comment: Vec::new() });
            Ok(())
        })?;
        Ok(Literal { children, comment, ..scalar(LiteralKind::List, String::new(), at) })
    }

    fn object(&mut self, constant: bool) -> Parsed<Literal> {
        let (at, comment) = (self.place(), self.comment());
        let mut children = Vec::new();
        self.many(Kind::BraceL, Kind::BraceR, |parser| {
            let (at, comment) = (parser.place(), parser.comment());
            let name = parser.name()?;
            parser.expect(Kind::Colon)?;
            let value = parser.literal(constant)?;
            children.push(Child { name, value, at, comment });
            Ok(())
        })?;
        Ok(Literal { children, comment, ..scalar(LiteralKind::Object, String::new(), at) })
    }
}

pub(super) fn unexpected_token<T>(token: &Token<'_>) -> Parsed<T> {
    Err(Problem::new(Some(token.at), format!("Unexpected {}", token.shown())))
}

/// The comment before a plain literal is dropped, as OPA's parser does.
fn scalar(kind: LiteralKind, raw: String, at: Option<Place>) -> Literal {
    Literal { kind, raw, children: Vec::new(), expected_has_default: false, at, comment: Vec::new() }
}
