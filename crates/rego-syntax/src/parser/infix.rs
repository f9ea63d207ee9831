//! Infix operators, lowered to calls.

use super::Parser;
use crate::ast::{Ref, Term, Value};
use crate::token::Token;

/// How tightly an operator binds; `in` binds least and is read by [`Parser::parse_in`].
fn level(token: Token) -> Option<u8> {
    match token {
        Token::Equal | Token::Neq | Token::Lt | Token::Gt | Token::Lte | Token::Gte => Some(0),
        Token::Or => Some(1),
        Token::And => Some(2),
        Token::Add | Token::Sub => Some(3),
        Token::Mul | Token::Quo | Token::Rem => Some(4),
        _ => None,
    }
}

/// One above the tightest level: only a term.
const TERM: u8 = 5;

impl Parser<'_> {
    /// A term with infix operators; `key, value in domain` is one.
    pub(super) fn parse_infix(&mut self) -> Option<Term> {
        self.scoped(|p| p.parse_in(None, true))
    }

    /// The same in a list, where a comma ends it.
    pub(super) fn parse_infix_in_list(&mut self) -> Option<Term> {
        self.scoped(|p| p.parse_in(None, false))
    }

    /// Counts height on its own, so that the heights of siblings do not add up.
    fn scoped(&mut self, parse: impl FnOnce(&mut Self) -> Option<Term>) -> Option<Term> {
        let siblings = std::mem::take(&mut self.s.height);
        let start = self.s.start;
        let term = parse(self);
        if let Some(term) = &term {
            self.note_text_start(term.span, start);
        }
        self.s.height = self.s.height.max(siblings);
        term
    }

    /// The same where the first operand, which began at `start`, has been read already.
    pub(super) fn continue_infix_in_list(&mut self, first: Term, start: usize) -> Option<Term> {
        let lhs = self.continue_binary(first, 0)?;
        let term = self.parse_in(Some(lhs), false)?;
        self.note_text_start(term.span, start);
        Some(term)
    }

    fn parse_in(&mut self, lhs: Option<Term>, pairs: bool) -> Option<Term> {
        let mut lhs = match lhs {
            Some(lhs) => lhs,
            None => self.parse_binary(0)?,
        };
        loop {
            if pairs && self.s.token == Token::Comma {
                let saved = self.s.clone();
                self.scan();
                match self.parse_pair_domain() {
                    Some((op, value, domain)) => {
                        let span = self.until_last(lhs.span);
                        lhs = Term::new(Value::Call(vec![op, lhs, value, domain]), span);
                        if !self.grow() {
                            return None;
                        }
                        if self.s.token == Token::In {
                            continue;
                        }
                        return Some(lhs);
                    }
                    None => self.s = saved,
                }
            }
            self.scan_ahead_ref();
            if self.s.token != Token::In {
                return Some(lhs);
            }
            let op = self.operator("internal.member_2");
            let Some(rhs) = self.parse_binary(0) else { return Some(lhs) };
            let span = self.until_last(lhs.span);
            lhs = Term::new(Value::Call(vec![op, lhs, rhs]), span);
            if !self.grow() {
                return None;
            }
            if self.s.token != Token::In {
                return Some(lhs);
            }
        }
    }

    /// `value in domain`, behind `key ,`.
    fn parse_pair_domain(&mut self) -> Option<(Term, Term, Term)> {
        let value = self.parse_binary(0)?;
        if self.s.token != Token::In {
            return None;
        }
        let op = self.operator("internal.member_3");
        let domain = self.parse_binary(0)?;
        Some((op, value, domain))
    }

    fn parse_binary(&mut self, lowest: u8) -> Option<Term> {
        let first = self.parse_term()?;
        if lowest >= TERM {
            return Some(first);
        }
        self.continue_binary(first, lowest)
    }

    /// Operators at `lowest` or tighter behind a first operand; all are left-associative.
    fn continue_binary(&mut self, first: Term, lowest: u8) -> Option<Term> {
        let mut lhs = first;
        // An operator whose right side cannot be read ends its own level, but not the looser ones.
        let mut ceiling = TERM;
        while let Some(level) = level(self.s.token).filter(|level| (lowest..ceiling).contains(level)) {
            let op = self.operator(self.s.token.as_str());
            let Some(rhs) = self.scoped(|p| p.parse_binary(level + 1)) else {
                ceiling = level;
                continue;
            };
            let span = self.until_last(lhs.span);
            lhs = Term::new(Value::Call(vec![op, lhs, rhs]), span);
            if !self.grow() {
                return None;
            }
            ceiling = level + 1;
        }
        Some(lhs)
    }

    /// The current token as a reference to the built-in that it calls; goes on behind it.
    pub(super) fn operator(&mut self, name: &str) -> Term {
        let span = self.token_span();
        self.scan();
        Term::new(Value::Ref(Ref::from_dotted(name, span)), span)
    }
}
