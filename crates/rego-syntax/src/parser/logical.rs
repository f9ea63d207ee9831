//! `and`, `or` and bodies behind `not`: the keywords of `future.keywords.{and,or,not}` and of V2.
//!
//! Braces in the place of an operand hold a body and parentheses a group. What is neither is a term, so the readings
//! are tried in turn.

use super::Parser;
use super::body::{Attempt, implicit_not};
use super::logical_error::is_ambiguous_union;
use super::state::State;
use crate::ast::{Body, Expr, ExprKind, Logical, Not};
use crate::span::Span;
use crate::token::Token;

/// An operand of `and`, `or` or `not`.
pub(super) struct Operand {
    pub(super) body: Body,
    /// It was written in braces.
    pub(super) explicit: bool,
    pub(super) span: Span,
}

impl Operand {
    fn implicit(expr: Expr) -> Self {
        let span = expr.span;
        Self { body: Body::of(expr), explicit: false, span }
    }

    /// `not x`, alone.
    fn is_negation(&self) -> bool {
        matches!(self.body.as_slice(), [expr] if expr.negated || matches!(expr.kind, ExprKind::Not(_)))
    }

    fn is_logical(&self) -> bool {
        matches!(self.body.as_slice(), [expr] if matches!(expr.kind, ExprKind::And(_) | ExprKind::Or(_)))
    }
}

impl<'s> Parser<'s> {
    /// Whether `and` or `or` are keywords here.
    pub(super) fn logical_keywords_active(&self) -> bool {
        let keywords = self.s.lexer.keywords();
        keywords.contains("and") || keywords.contains("or")
    }

    fn at_logical(&self) -> bool {
        matches!(self.s.token, Token::LogicalAnd | Token::LogicalOr)
    }

    /// `{ body } and …` at the start of a statement; braces that no operator follows are a term.
    pub(super) fn parse_braced_operand_statement(&mut self) -> Attempt<Expr> {
        let saved = self.s.clone();
        let brace = self.token_span();
        self.scan();
        if let Some(body) = self.parse_body(Token::RBrace) {
            self.scan();
            if self.at_logical() {
                if is_ambiguous_union(&body, self.file) {
                    self.error_ambiguous_union(brace, &body, "");
                    return Attempt::Committed(None);
                }
                let operand = Operand { body, explicit: true, span: brace };
                let expr = self.parse_or_chain(operand).and_then(|expr| self.attach_with(expr));
                return Attempt::Committed(expr);
            }
        }
        self.s = saved;
        Attempt::Restored
    }

    /// The rest of a chain behind its first operand, if there is one, and the modifiers.
    pub(super) fn fold_logical_tail(&mut self, operand: Operand) -> Option<Expr> {
        let expr = if self.at_logical() {
            self.parse_or_chain(operand)?
        } else {
            operand.body.0.into_iter().next()?
        };
        self.attach_with(expr)
    }

    /// A chain whose first operand is an expression that has been read.
    pub(super) fn parse_logical_behind(
        &mut self,
        expr: Expr,
        negated: bool,
        with: Option<Span>,
    ) -> Option<Expr> {
        let operator = self.s.token.as_str();
        if let Some(with) = with {
            self.error_with_on_operand(with, operator);
            return None;
        }
        let text = self.slice(expr.span).to_owned();
        if !negated && text.starts_with('{') {
            self.error_brace_led_statement(&expr, &text, operator);
            return None;
        }
        let outer = self.parse_or_chain(Operand::implicit(expr))?;
        self.attach_with(outer)
    }

    /// `lhs or … or …`, where `and` binds tighter. The current token is the first operator.
    fn parse_or_chain(&mut self, lhs: Operand) -> Option<Expr> {
        let outer = self.enter()?;
        let expr = self.parse_or_operands(lhs);
        self.leave(outer);
        expr
    }

    fn parse_or_operands(&mut self, mut lhs: Operand) -> Option<Expr> {
        if self.s.token == Token::LogicalAnd {
            lhs = Operand::implicit(self.parse_and_chain(lhs)?);
        }
        while self.s.token == Token::LogicalOr {
            self.scan();
            let mut rhs = self.parse_logical_operand("or")?;
            if self.s.token == Token::LogicalAnd {
                rhs = Operand::implicit(self.parse_and_chain(rhs)?);
            }
            lhs = self.join(lhs, rhs, Token::LogicalOr)?;
        }
        lhs.body.0.into_iter().next()
    }

    fn parse_and_chain(&mut self, mut lhs: Operand) -> Option<Expr> {
        while self.s.token == Token::LogicalAnd {
            self.scan();
            let rhs = self.parse_logical_operand("and")?;
            lhs = self.join(lhs, rhs, Token::LogicalAnd)?;
        }
        lhs.body.0.into_iter().next()
    }

    fn join(&mut self, lhs: Operand, rhs: Operand, operator: Token) -> Option<Operand> {
        self.check_void_calls(&lhs.body, &rhs.body, operator.as_str());
        if !self.grow() {
            return None;
        }
        let span = self.until_last(lhs.span);
        let logical = Box::new(Logical {
            lhs: lhs.body,
            rhs: rhs.body,
            explicit_lhs: lhs.explicit,
            explicit_rhs: rhs.explicit,
            span,
        });
        let kind = if operator == Token::LogicalAnd { ExprKind::And(logical) } else { ExprKind::Or(logical) };
        Some(Operand::implicit(Expr::new(kind, span)))
    }

    /// `not operand`, behind the operand.
    pub(super) fn negated_operand(&mut self, not: Span, operand: Operand) -> Operand {
        let span = self.until_last(not);
        let not = Not { body: operand.body, explicit_body: operand.explicit, span };
        Operand::implicit(Expr::new(ExprKind::Not(Box::new(not)), span))
    }

    /// `not { body }`; the current token is the brace.
    pub(super) fn parse_not_body(&mut self, not: Span) -> Option<Operand> {
        let brace = self.token_span();
        let saved = self.s.clone();
        self.scan();
        let empty = self.s.token == Token::RBrace;
        let Some(body) = self.parse_body(Token::RBrace) else {
            if !empty {
                self.explain_braced_value(saved, brace, None);
            }
            return None;
        };
        self.scan();
        if is_ambiguous_union(&body, self.file) {
            self.error_ambiguous_union(brace, &body, "not ");
            return None;
        }
        Some(self.negated_operand(not, Operand { body, explicit: true, span: brace }))
    }

    /// One operand of `operator`; an empty operator means that the caller only tries.
    fn parse_logical_operand(&mut self, operator: &str) -> Option<Operand> {
        if self.s.token == Token::LBrace {
            return self.parse_braced_operand(operator);
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
            return self.parse_not_body(not);
        }
        if self.s.token == Token::LParen
            && self.logical_keywords_active()
            && (not.is_none() || self.not_bodies)
        {
            let prefix = if not.is_some() { "not " } else { "" };
            match self.parse_logical_group(true, prefix) {
                Attempt::Committed(operand) => {
                    let operand = operand?;
                    return Some(match not {
                        Some(not) => self.negated_operand(not, operand),
                        None => operand,
                    });
                }
                Attempt::Restored => {}
            }
        }
        let start = self.token_span();
        let mut expr = self.parse_expr()?;
        expr.span = self.until_last(start);
        if let Some(not) = not {
            if self.not_bodies {
                let span = self.until_last(not);
                expr = implicit_not(expr, span);
            } else {
                expr.negated = true;
            }
        }
        Some(Operand::implicit(expr))
    }

    fn parse_braced_operand(&mut self, operator: &str) -> Option<Operand> {
        let brace = self.token_span();
        let saved = self.s.clone();
        self.scan();
        let empty = self.s.token == Token::RBrace;
        let Some(body) = self.parse_body(Token::RBrace) else {
            if !empty && !operator.is_empty() {
                self.explain_braced_value(saved, brace, Some(operator));
            }
            return None;
        };
        self.scan();
        if is_ambiguous_union(&body, self.file) {
            self.error_ambiguous_union(brace, &body, "");
        }
        Some(Operand { body, explicit: true, span: brace })
    }

    /// `( … )` around operands of `and`, `or` and `not`. `is_operand` tells that the parenthesis is itself an
    /// operand. Parentheses around a term are none of this function's business.
    pub(super) fn parse_logical_group(&mut self, is_operand: bool, prefix: &str) -> Attempt<Operand> {
        let Some(outer) = self.enter() else { return Attempt::Committed(None) };
        let group = self.parse_group(is_operand, prefix);
        self.leave(outer);
        group
    }

    fn parse_group(&mut self, is_operand: bool, prefix: &str) -> Attempt<Operand> {
        let saved = self.s.clone();
        let open = self.token_span();
        self.scan();
        if self.s.token == Token::RParen {
            if is_operand {
                self.error(open, "empty parenthesized group");
                return Attempt::Committed(None);
            }
            self.s = saved;
            return Attempt::Restored;
        }
        let Some(mut first) = self.parse_logical_operand("") else {
            self.s = saved;
            return Attempt::Restored;
        };
        if self.at_logical() {
            let expr = self.parse_or_chain(first).and_then(|expr| self.attach_with(expr));
            return Attempt::Committed(expr.and_then(|expr| self.close_group(open, Operand::implicit(expr))));
        }
        if self.s.token == Token::With && !first.explicit && first.body.len() == 1 {
            let with = self.token_span();
            let Some(modifiers) = self.parse_with() else { return Attempt::Committed(None) };
            if let Some(expr) = first.body.first_mut() {
                expr.with = modifiers;
            }
            return self.close_modified_group(saved, open, first, with, is_operand);
        }
        if first.explicit {
            return self.reread_braced_group(saved, open, first.span, prefix);
        }
        if first.is_logical() || first.is_negation() {
            return Attempt::Committed(self.close_group(open, first));
        }
        self.s = saved;
        Attempt::Restored
    }

    /// `(x with input as y)`: a group where it is an operand, else a term in parentheses.
    fn close_modified_group(
        &mut self,
        saved: State<'s>,
        open: Span,
        operand: Operand,
        with: Span,
        is_operand: bool,
    ) -> Attempt<Operand> {
        if self.at_logical() {
            self.error_with_on_operand(with, self.s.token.as_str());
            return Attempt::Committed(None);
        }
        let Some(operand) = self.close_group(open, operand) else { return Attempt::Committed(None) };
        if is_operand || self.at_logical() {
            return Attempt::Committed(Some(operand));
        }
        self.s = saved;
        Attempt::Restored
    }

    /// `({ … })`: parentheses do not wrap a body, so the braces have to be a value.
    fn reread_braced_group(
        &mut self,
        saved: State<'s>,
        open: Span,
        brace: Span,
        prefix: &str,
    ) -> Attempt<Operand> {
        let braces = self.slice(self.until_last(brace)).to_owned();
        self.s = saved.clone();
        self.scan();
        let is_term = self.parse_term().is_some();
        self.s = saved;
        if is_term {
            return Attempt::Restored;
        }
        self.error_parens_around_body(open, &braces, prefix);
        Attempt::Committed(None)
    }

    fn close_group(&mut self, open: Span, mut operand: Operand) -> Option<Operand> {
        if self.s.token != Token::RParen {
            self.error(self.token_span(), "expected ) to close parenthesized group");
            return None;
        }
        self.scan();
        operand.explicit = false;
        operand.span = self.until_last(open);
        Some(operand)
    }
}
