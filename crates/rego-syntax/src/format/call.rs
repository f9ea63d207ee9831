//! Calls and infix operators.

use super::term::is_union;
use super::writer::{Writer, Written};
use crate::ast::{Expr, ExprKind, Term, Value, infix_symbol};

/// The symbol of an infix operator and the number of its arguments.
fn infix(terms: &[Term]) -> Option<(&'static str, usize)> {
    let operator = terms.first()?.as_ref_value()?;
    let symbol = infix_symbol(operator)?;
    Some((symbol, if operator.is_dotted("internal.member_3") { 3 } else { 2 }))
}

/// The operand that is written first: of `z = x + y`, written as a call of three arguments, it is the result.
pub(super) fn leading_operand(terms: &[Term]) -> Option<&Term> {
    let (_, arity) = infix(terms)?;
    match terms.len().checked_sub(arity)? {
        1 => terms.get(1),
        2 => terms.last(),
        _ => None,
    }
}

pub(super) fn is_union_expr(expr: &Expr) -> bool {
    expr.is_call_to("or") && expr.operands().len() == 2
}

/// Whether an expression is written beginning with a brace, which in the place of an operand opens a body.
pub(super) fn is_brace_led(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Term(term) => is_brace_led_term(term),
        ExprKind::Call(terms) => leading_operand(terms).is_some_and(is_brace_led_term),
        _ => false,
    }
}

fn is_brace_led_term(term: &Term) -> bool {
    match &term.value {
        Value::Set(elements) => !elements.is_empty(),
        Value::Object(_) | Value::SetComp(_) | Value::ObjectComp(_) => true,
        Value::Ref(r) => r.head().is_some_and(is_brace_led_term),
        Value::Call(terms) => match infix(terms) {
            Some((_, arity)) if terms.len() == arity + 1 => terms.get(1).is_some_and(is_brace_led_term),
            _ => false,
        },
        _ => false,
    }
}

impl Writer<'_> {
    /// A call that is an expression.
    pub(super) fn write_call_expr(&mut self, terms: &[Term]) -> Written {
        match (infix(terms), terms) {
            (Some(("in", arity)), [_, operands @ ..]) if operands.len() == arity => {
                self.write_membership(false, operands)
            }
            (Some((symbol, _)), [_, lhs, rhs]) => self.write_infix(lhs, symbol, rhs),
            (Some((symbol, _)), [_, lhs, rhs, result]) => {
                self.write_term(result)?;
                self.write(" = ");
                self.write_infix(lhs, symbol, rhs)
            }
            _ => self.write_plain_call(terms),
        }
    }

    fn write_infix(&mut self, lhs: &Term, symbol: &str, rhs: &Term) -> Written {
        self.write_term(lhs)?;
        self.write(&format!(" {symbol} "));
        self.write_term(rhs)
    }

    /// A call inside of a term.
    pub(super) fn write_call(&mut self, parens: bool, terms: &[Term]) -> Written {
        match (infix(terms), terms) {
            (Some(("in", arity)), [_, operands @ ..]) if operands.len() == arity => {
                self.write_membership(true, operands)
            }
            (Some((symbol, _)), [_, lhs, rhs]) => {
                if parens {
                    self.write("(");
                }
                self.write_term_parens(true, lhs)?;
                self.write(&format!(" {symbol} "));
                self.write_term_parens(true, rhs)?;
                if parens {
                    self.write(")");
                }
                Ok(())
            }
            _ => self.write_plain_call(terms),
        }
    }

    fn write_plain_call(&mut self, terms: &[Term]) -> Written {
        let Some((operator, args)) = terms.split_first() else { return Ok(()) };
        match operator.as_ref_value() {
            Some(r) => self.write_ref(r)?,
            None => self.write(&operator.to_string()),
        }
        self.write("(");
        let loc = self.term_loc(operator);
        let close = self.closing(None, b'(', b')', loc);
        let written = self.write_list(args, loc, close, false);
        self.write(")");
        written
    }

    pub(super) fn write_membership(&mut self, parens: bool, operands: &[Term]) -> Written {
        let parens = parens && operands.len() == 3;
        if parens {
            self.write("(");
        }
        let written = self.write_operands(operands);
        if parens {
            self.write(")");
        }
        written
    }

    fn write_operands(&mut self, operands: &[Term]) -> Written {
        let last = operands.len().saturating_sub(1);
        for (index, operand) in operands.iter().enumerate() {
            if index == last {
                self.write(" in ");
            } else if index > 0 {
                self.write(", ");
            }
            self.write_term_parens(true, operand)?;
        }
        Ok(())
    }

    /// A union in a list reads as a comprehension, unless it stands in parentheses.
    pub(super) fn write_list_element(&mut self, term: &Term, paren_unions: bool) -> Written {
        let starts_with_paren = self.text(self.term_loc(term)).starts_with('(');
        let parens = is_union(term) && (paren_unions || starts_with_paren);
        self.write_maybe_parens(parens, term)
    }

    pub(super) fn write_maybe_parens(&mut self, parens: bool, term: &Term) -> Written {
        if parens {
            self.write("(");
        }
        let written = self.write_term(term);
        if parens {
            self.write(")");
        }
        written
    }
}
