//! Bodies and the statements in them.

use super::Parser;
use super::state::State;
use crate::ast::{Body, Every, Expr, ExprKind, Not, SomeDecl, Term, Value, With};
use crate::span::Span;
use crate::token::{Keywords, Token, is_v0_future_keyword, is_v1_future_keyword};

impl<'s> Parser<'s> {
    /// A body up to `end`, which stays the current token.
    pub(super) fn parse_body(&mut self, end: Token) -> Option<Body> {
        let outer = self.enter()?;
        let body = self.parse_query(false, end);
        self.leave(outer);
        body
    }

    /// Expressions, semicolons or line breaks between them. With `one` it stops behind the first that no
    /// semicolon follows.
    pub(super) fn parse_query(&mut self, one: bool, end: Token) -> Option<Body> {
        if self.s.token == end {
            self.error(self.token_span(), "found empty body");
            return None;
        }
        let mut body = Body::default();
        loop {
            body.push(self.parse_literal()?);
            if self.s.token == Token::Semicolon {
                self.scan();
                continue;
            }
            if self.s.token == end || one {
                return Some(body);
            }
            if !self.s.skipped_newline {
                if self.s.errors.is_empty() {
                    self.hint_missing_infix_keyword();
                    self.illegal(&format!("expected \\n or ; or {}", end.as_str()));
                }
                return None;
            }
        }
    }

    /// One expression with its modifiers.
    pub(super) fn parse_literal(&mut self) -> Option<Expr> {
        let start = self.token_span();
        let mut expr = self.parse_literal_kind()?;
        expr.span = self.until_last(start);
        if let ExprKind::Not(not) = &mut expr.kind
            && !not.explicit_body
        {
            for inner in not.body.iter_mut() {
                inner.span = expr.span;
            }
        }
        Some(expr)
    }

    fn parse_literal_kind(&mut self) -> Option<Expr> {
        if self.s.token == Token::LBrace && self.logical_keywords_active() {
            match self.parse_braced_operand_statement() {
                Attempt::Committed(expr) => return expr,
                Attempt::Restored => {}
            }
        }
        if self.s.token == Token::LParen && self.logical_keywords_active() {
            match self.parse_logical_group(false, "") {
                Attempt::Committed(operand) => return self.fold_logical_tail(operand?),
                Attempt::Restored => {}
            }
        }
        if self.scan_ahead_ref() {
            return self.parse_literal_expr(false, None);
        }
        let mut not = None;
        if self.is_negation() {
            not = Some(self.token_span());
            self.scan();
        }
        if let Some(not) = not
            && self.not_bodies
            && self.s.token == Token::LBrace
        {
            let operand = self.parse_not_body(not)?;
            return self.fold_logical_tail(operand);
        }
        match self.s.token {
            keyword @ (Token::Some | Token::Every) if not.is_some() => {
                self.illegal(&format!("illegal negation of '{}'", keyword.as_str()));
                None
            }
            Token::Some => self.parse_some(),
            Token::Every => self.parse_every(),
            _ => self.parse_literal_expr(not.is_some(), not),
        }
    }

    /// `not` as a keyword rather than as the head of `not.x`.
    pub(super) fn is_negation(&mut self) -> bool {
        self.s.token == Token::Not && !matches!(self.peek_ws(), Token::Dot | Token::LBrack)
    }

    fn parse_literal_expr(&mut self, negated: bool, not: Option<Span>) -> Option<Expr> {
        if let Some(not) = not
            && self.not_bodies
            && self.s.token == Token::LParen
        {
            match self.parse_logical_group(true, "not ") {
                Attempt::Committed(operand) => {
                    let operand = operand?;
                    let negation = self.negated_operand(not, operand);
                    return self.fold_logical_tail(negation);
                }
                Attempt::Restored => {}
            }
        }
        let before = self.s.clone();
        let start = self.token_span();
        let mut expr = self.parse_expr()?;
        let mut with = None;
        if self.s.token == Token::With {
            with = Some(self.token_span());
            expr.with = self.parse_with()?;
        }
        self.hint_every(&expr, &before);
        if negated && self.not_bodies {
            // The modifiers belong to the whole negation.
            let modifiers = std::mem::take(&mut expr.with);
            let span = self.until_last(not.unwrap_or(start));
            expr = implicit_not(expr, span);
            expr.with = modifiers;
        } else {
            expr.negated = negated;
        }
        if matches!(self.s.token, Token::LogicalAnd | Token::LogicalOr) {
            if expr.span == Span::NONE {
                expr.span = self.until_last(start);
            }
            return self.parse_logical_behind(expr, not.is_some(), with);
        }
        Some(expr)
    }

    /// An assignment, a unification, or a term; a call becomes a call expression. The caller sets the span.
    pub(super) fn parse_expr(&mut self) -> Option<Expr> {
        let lhs = self.parse_infix()?;
        let kind = if matches!(self.s.token, Token::Assign | Token::Unify) {
            let op = self.operator(self.s.token.as_str());
            let rhs = self.parse_infix()?;
            ExprKind::Call(vec![op, lhs, rhs])
        } else {
            match lhs.value {
                Value::Call(terms) => ExprKind::Call(terms),
                _ => ExprKind::Term(lhs),
            }
        };
        Some(Expr::new(kind, Span::NONE))
    }

    /// `with target as value`, one or more times.
    pub(super) fn parse_with(&mut self) -> Option<Vec<With>> {
        let mut withs = Vec::new();
        while self.s.token == Token::With {
            let start = self.token_span();
            self.scan();
            if self.s.token != Token::Ident {
                self.illegal("expected ident");
                return None;
            }
            let target = self.parse_term()?;
            if !matches!(target.value, Value::Ref(_) | Value::Var(_)) {
                self.illegal("expected with target path");
            }
            if self.s.token != Token::As {
                self.illegal("expected as keyword");
                return None;
            }
            self.scan();
            let value = self.parse_infix()?;
            withs.push(With { target, value, span: self.until_last(start) });
        }
        Some(withs)
    }

    pub(super) fn attach_with(&mut self, mut expr: Expr) -> Option<Expr> {
        if self.s.token == Token::With {
            expr.with = self.parse_with()?;
        }
        Some(expr)
    }

    /// `some x, y` or `some x in xs`; only the latter takes modifiers.
    fn parse_some(&mut self) -> Option<Expr> {
        let span = self.token_span();
        let saved = self.s.clone();
        self.scan();
        if let Some(term) = self.parse_infix()
            && let Some(call) = term.as_call()
        {
            match member_arity(call) {
                Some(arity) if call.len() != arity + 1 => {
                    self.illegal("illegal domain");
                    return None;
                }
                Some(_) => {}
                None => {
                    self.illegal("expected `x in xs` or `x, y in xs` expression");
                    return None;
                }
            }
            let declaration = SomeDecl { symbols: vec![term], span };
            return self.attach_with(Expr::new(ExprKind::SomeDecl(declaration), span));
        }
        self.s = saved;
        self.hint_some_in();
        let mut symbols = Vec::new();
        loop {
            self.scan();
            if self.s.token != Token::Ident {
                self.illegal("expected var");
                return None;
            }
            symbols.push(self.parse_var());
            self.scan();
            if self.s.token != Token::Comma {
                break;
            }
        }
        Some(Expr::new(ExprKind::SomeDecl(SomeDecl { symbols, span }), span))
    }

    /// `every k, v in xs { … }`.
    fn parse_every(&mut self) -> Option<Expr> {
        let span = self.token_span();
        self.scan();
        let term = self.parse_infix()?;
        let arity = term.as_call().and_then(member_arity);
        let Value::Call(call) = term.value else {
            self.illegal("expected `x[, y] in xs { ... }` expression");
            return None;
        };
        let (key, value, domain) = match (arity, <[Term; 3]>::try_from(call)) {
            (Some(2), Ok([_, value, domain])) => (None, value, domain),
            (Some(3), Err(call)) => match <[Term; 4]>::try_from(call) {
                Ok([_, key, value, domain]) => (Some(key), value, domain),
                Err(_) => {
                    self.illegal("illegal domain");
                    return None;
                }
            },
            (Some(_), _) => {
                self.illegal("illegal domain");
                return None;
            }
            (None, _) => {
                self.illegal("expected `x[, y] in xs { ... }` expression");
                return None;
            }
        };
        if key.as_ref().is_some_and(|k| k.as_var().is_none()) {
            self.illegal("expected key to be a variable");
            return None;
        }
        if value.as_var().is_none() {
            self.illegal("expected value to be a variable");
            return None;
        }
        if self.s.token != Token::LBrace {
            self.illegal("missing body");
            return None;
        }
        self.scan();
        let body = self.parse_body(Token::RBrace)?;
        self.scan();
        let every = Every { key, value, domain, body, span };
        self.attach_with(Expr::new(ExprKind::Every(Box::new(every)), span))
    }

    /// Runs an attempt in which all keywords are known, and goes back.
    fn with_all_keywords<T>(&mut self, attempt: impl FnOnce(&mut Self) -> T) -> T {
        let saved = self.s.clone();
        self.s.lexer.set_keywords(Keywords::ALL);
        let result = attempt(self);
        self.s = saved;
        result
    }

    /// Whether this word is a keyword of the future for the version of the file.
    fn is_future_keyword(&self, text: &str) -> bool {
        use crate::ast::RegoVersion;
        match self.options.rego_version {
            RegoVersion::V0 | RegoVersion::V0CompatV1 => is_v0_future_keyword(text),
            RegoVersion::V1 => is_v1_future_keyword(text),
            RegoVersion::V2 => false,
        }
    }

    /// Hints at the missing import where `every` was read as a variable.
    fn hint_every(&mut self, expr: &Expr, before: &State<'s>) {
        let is_every = matches!(&expr.kind, ExprKind::Term(t) if t.as_var().is_some_and(|v| *v == "every"));
        if !is_every || !self.is_future_keyword("every") {
            return;
        }
        let after = std::mem::replace(&mut self.s, before.clone());
        let found = self.with_all_keywords(|p| p.parse_every().is_some());
        self.s = after;
        if found {
            self.hint("`import future.keywords.every` for `every x in xs { ... }` expressions");
        }
    }

    /// Whether `x in xs` follows behind the current token, if `in` were a keyword.
    fn is_membership_ahead(&mut self) -> bool {
        let saved = self.s.clone();
        self.scan();
        let is_member = self.with_all_keywords(|p| {
            p.parse_infix().is_some_and(|t| t.as_call().and_then(member_arity).is_some())
        });
        self.s = saved;
        is_member
    }

    fn hint_some_in(&mut self) {
        if !self.is_future_keyword("in") {
            return;
        }
        if self.is_membership_ahead() {
            self.hint("`import future.keywords.in` for `some x in xs` expressions");
        }
    }

    /// Hints at the import that would make an infix operator of the word at which a body could not go on.
    fn hint_missing_infix_keyword(&mut self) {
        if !self.s.hints.is_empty() {
            return;
        }
        let text = self.s.text.clone();
        let (keyword, example) = match (self.s.token, text.as_ref()) {
            (Token::Ident, "in") => ("in", "x in xs"),
            (Token::Ident, "and") => ("and", "x and y"),
            (Token::Ident, "or") => ("or", "x or y"),
            (Token::Comma, _) if self.is_membership_ahead() => ("in", "x in xs"),
            _ => return,
        };
        self.hint(format!("`import future.keywords.{keyword}` for `{example}` expressions"));
    }
}

/// How an attempt ended that may go back to where it began.
pub(super) enum Attempt<T> {
    /// It was the right reading; `None` where that failed with an error.
    Committed(Option<T>),
    /// It was not; the parser stands where it stood.
    Restored,
}

/// `not expr`, where `not` takes bodies.
pub(super) fn implicit_not(expr: Expr, span: Span) -> Expr {
    Expr::new(ExprKind::Not(Box::new(Not { body: Body::of(expr), explicit_body: false, span })), span)
}

/// How many arguments `in` has in this call, by the name of its operator.
pub(super) fn member_arity(call: &[Term]) -> Option<usize> {
    let operator = call.first()?.as_ref_value()?;
    if operator.is_dotted("internal.member_2") {
        return Some(2);
    }
    operator.is_dotted("internal.member_3").then_some(3)
}
