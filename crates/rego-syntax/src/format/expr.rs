//! Bodies and expressions.

use super::call::{is_brace_led, is_union_expr};
use super::writer::{Loc, Writer, Written, count_lines};
use crate::ast::{Body, Every, Expr, ExprKind, Logical, Not, SomeDecl, With};
use crate::span::Span;

/// An operand of a chain of `and` and `or`.
struct Operand<'e> {
    body: &'e Body,
    /// Where its brace opens, if it has one.
    brace: Option<Loc>,
    parens: bool,
}

/// An operator with its right side, and the row on which its left side ends.
struct Step<'e> {
    operator: &'static str,
    rhs: Operand<'e>,
    left_end: i64,
}

impl Writer<'_> {
    pub(super) fn write_body(&mut self, body: &Body) -> Written {
        let Some(first) = body.first() else { return Ok(()) };
        let loc = self.expr_loc(first);
        self.insert_comments(loc)?;
        let mut last_row = None;
        for expr in body.iter() {
            let loc = self.expr_loc(expr);
            if last_row.is_some_and(|last| loc.row > last + 1) {
                self.blank_line();
            }
            last_row = Some(self.end_row(loc));
            self.start_line();
            let _ = self.write_expr(expr);
            self.end_line();
        }
        Ok(())
    }

    pub(super) fn write_expr(&mut self, expr: &Expr) -> Written {
        let parens = self.paren_expr.take_if(|span| *span == expr.span).is_some();
        let loc = self.expr_loc(expr);
        self.insert_comments(loc)?;
        if !self.inline {
            self.start_line();
        }
        let negated_parens = expr.negated && (is_logical(expr) || (self.style.v2 && is_brace_led(expr)));
        if expr.negated {
            self.write("not ");
        }
        let wrappers = usize::from(parens) + usize::from(negated_parens);
        self.write(&"(".repeat(wrappers));
        self.write_kind(expr, loc)?;
        self.write(&")".repeat(wrappers));
        self.write_withs(expr, loc)
    }

    fn write_kind(&mut self, expr: &Expr, loc: Loc) -> Written {
        match &expr.kind {
            ExprKind::SomeDecl(declaration) => self.write_some(declaration),
            ExprKind::Every(every) => self.write_every(every, loc),
            ExprKind::Not(not) => self.write_not(not, loc),
            ExprKind::And(_) | ExprKind::Or(_) => self.write_logical(expr),
            ExprKind::Call(terms) => self.write_call_expr(terms),
            ExprKind::Term(term) => self.write_term(term),
        }
    }

    /// Modifiers stay on the line on which the expression ends, or on lines of their own.
    fn write_withs(&mut self, expr: &Expr, loc: Loc) -> Written {
        let Some(first) = expr.with.first() else { return Ok(()) };
        let own = self.file.text().get(loc.start..first.span.start as usize).unwrap_or_default();
        let mut last_row = loc.row + count_lines(own.trim_end());
        let mut indented = false;
        let mut written = Ok(());
        for (index, with) in expr.with.iter().enumerate() {
            let row = self.row(with.span);
            let breaks = if index == 0 { row != last_row && row > last_row } else { row > last_row };
            if breaks {
                if !indented {
                    self.up();
                    indented = true;
                }
                self.end_line();
                self.start_line();
            }
            last_row = last_row.max(row);
            written = self.write_with(with, breaks);
            if written.is_err() {
                break;
            }
        }
        if indented {
            self.down();
        }
        written
    }

    fn write_with(&mut self, with: &With, indented: bool) -> Written {
        let loc = self.loc(with.span);
        self.insert_comments(loc)?;
        self.write(if indented { "with " } else { " with " });
        self.write_term(&with.target)?;
        self.write(" as ");
        // A value that was written as it is in the source is written all the same.
        let _ = self.write_term(&with.value);
        Ok(())
    }

    fn write_some(&mut self, declaration: &SomeDecl) -> Written {
        let loc = self.loc(declaration.span);
        self.insert_comments(loc)?;
        self.write("some ");
        let mut row = loc.row;
        let last = declaration.symbols.len().saturating_sub(1);
        for (index, symbol) in declaration.symbols.iter().enumerate() {
            if let Some([_, operands @ ..]) = symbol.as_call() {
                self.write_membership(false, operands)?;
                continue;
            }
            let symbol_row = self.row(symbol.span);
            if symbol_row > row {
                self.end_line();
                self.start_line();
                self.write("\t");
                row = symbol_row;
            } else if index > 0 {
                self.write(" ");
            }
            self.write_term(symbol)?;
            if index < last {
                self.write(",");
            }
        }
        Ok(())
    }

    fn write_every(&mut self, every: &Every, loc: Loc) -> Written {
        self.write("every ");
        if let Some(key) = &every.key {
            self.write_term(key)?;
            self.write(", ");
        }
        self.write_term(&every.value)?;
        self.write(" in ");
        self.write_term(&every.domain)?;
        self.write(" {");
        let _ = self.write_comprehension_body((b'{', b'}'), &every.body, loc.row, loc);
        let row = self.row(every.span);
        if matches!(every.body.as_slice(), [only] if self.row(only.span) == row) {
            self.write(" ");
        }
        self.write("}");
        Ok(())
    }

    fn write_not(&mut self, not: &Not, loc: Loc) -> Written {
        self.write("not ");
        match not.body.as_slice() {
            [only] if !not.explicit_body => {
                let parens = needs_parens_behind_not(only);
                if parens {
                    self.write("(");
                }
                let _ = self.write_expr(only);
                if parens {
                    self.write(")");
                }
            }
            _ => self.write_braced(&not.body, loc),
        }
        Ok(())
    }

    /// A body in braces, as an operand.
    fn write_braced(&mut self, body: &Body, loc: Loc) {
        if let Some(first) = body.first().filter(|first| is_union_expr(first)) {
            self.paren_expr = Some(first.span);
        }
        self.write("{");
        let _ = self.write_comprehension_body((b'{', b'}'), body, loc.row, loc);
        if body.last().is_some_and(|last| self.row(last.span) == loc.row) {
            self.write(" ");
        }
        self.write("}");
    }

    /// A body behind a bar or a brace: on the line of what stands before it, or on lines of its own.
    pub(super) fn write_comprehension_body(
        &mut self,
        (open, close): (u8, u8),
        body: &Body,
        row: i64,
        whole: Loc,
    ) -> Written {
        let rows: Vec<i64> = body.iter().map(|expr| self.row(expr.span)).collect();
        let starts_lower = rows.first().is_some_and(|first| *first > row);
        let is_split = rows.windows(2).any(|pair| pair.first() != pair.last());
        let multiline = starts_lower || is_split;
        if multiline {
            self.end_line();
            self.up();
            let written = self.write_body(body).and_then(|()| self.insert_close(open, close, whole));
            self.down();
            self.start_line();
            return written;
        }
        self.write(" ");
        for (index, expr) in body.iter().enumerate() {
            if index > 0 {
                self.write("; ");
            }
            self.write_expr(expr)?;
        }
        self.insert_close(open, close, whole)
    }

    fn insert_close(&mut self, open: u8, close: u8, whole: Loc) -> Written {
        let loc = self.closing(None, open, close, whole);
        self.insert_comments(loc)
    }

    fn write_logical(&mut self, expr: &Expr) -> Written {
        let mut steps = Vec::new();
        let first = self.flatten(expr, &mut steps);
        let mut written = self.write_operand(&first);
        let mut indented = false;
        for step in &steps {
            self.write(&format!(" {}", step.operator));
            let start = match step.rhs.brace {
                Some(brace) => Some(brace.row),
                None => step.rhs.body.first().map(|expr| self.row(expr.span)),
            };
            if start.is_some_and(|row| row > step.left_end) {
                if !indented {
                    self.up();
                    indented = true;
                }
                self.end_line();
                self.start_line();
            } else {
                self.write(" ");
            }
            written = written.and(self.write_operand(&step.rhs));
        }
        if indented {
            self.down();
        }
        written.or(Ok(()))
    }

    /// The first operand of a chain; the operators behind it go to `steps`, in order.
    fn flatten<'e>(&self, expr: &'e Expr, steps: &mut Vec<Step<'e>>) -> Operand<'e> {
        let Some((operator, logical)) = logical_parts(expr) else {
            // Only chains are flattened; this is never reached.
            return Operand { body: NO_BODY, brace: None, parens: false };
        };
        let rhs = self.operand(&logical.rhs, logical.explicit_rhs, operator, true, expr.span);
        let nested = match logical.lhs.as_slice() {
            [only] if !logical.explicit_lhs && is_logical(only) && !needs_parens(only, operator, false) => {
                Some(only)
            }
            _ => None,
        };
        if let Some(nested) = nested {
            let first = self.flatten(nested, steps);
            steps.push(Step { operator, rhs, left_end: self.body_end(&logical.lhs) });
            return first;
        }
        let first = self.operand(&logical.lhs, logical.explicit_lhs, operator, false, expr.span);
        let braced_end =
            first.brace.map(|brace| self.closing(None, b'{', b'}', brace).row).filter(|row| *row > 0);
        let left_end = braced_end.unwrap_or_else(|| self.body_end(first.body));
        steps.push(Step { operator, rhs, left_end });
        first
    }

    fn operand<'e>(
        &self,
        body: &'e Body,
        explicit: bool,
        operator: &str,
        is_rhs: bool,
        node: Span,
    ) -> Operand<'e> {
        match body.as_slice() {
            [only] if !explicit => {
                Operand { body, brace: None, parens: needs_parens(only, operator, is_rhs) }
            }
            _ => Operand { body, brace: Some(self.brace(node, body)), parens: false },
        }
    }

    /// Where the brace of an explicit operand opens: the last one before its body.
    fn brace(&self, node: Span, body: &Body) -> Loc {
        let whole = self.loc(node);
        let Some(first) = body.first() else { return whole };
        let before = self.file.text().get(whole.start..first.span.start as usize).unwrap_or_default();
        match before.rfind('{') {
            Some(at) => {
                let rows = count_lines(before.get(..at).unwrap_or_default());
                Loc { row: whole.row + rows, start: whole.start + at, end: whole.end }
            }
            None => whole,
        }
    }

    fn body_end(&self, body: &Body) -> i64 {
        body.last().map_or(0, |last| {
            let loc = self.expr_loc(last);
            loc.row + count_lines(self.text(loc).trim_end())
        })
    }

    fn write_operand(&mut self, operand: &Operand<'_>) -> Written {
        if let Some(brace) = operand.brace {
            self.write_braced(operand.body, brace);
            return Ok(());
        }
        let Some(only) = operand.body.first() else { return Ok(()) };
        if operand.parens {
            self.write("(");
        }
        let written = self.write_expr(only);
        if operand.parens {
            self.write(")");
        }
        written
    }
}

/// The body of an operand that is none.
static NO_BODY: &Body = &Body(Vec::new());

fn logical_parts(expr: &Expr) -> Option<(&'static str, &Logical)> {
    match &expr.kind {
        ExprKind::And(logical) => Some(("and", logical)),
        ExprKind::Or(logical) => Some(("or", logical)),
        _ => None,
    }
}

fn is_logical(expr: &Expr) -> bool {
    logical_parts(expr).is_some()
}

/// Whether a bare operand would be read as something else.
fn needs_parens(expr: &Expr, operator: &str, is_rhs: bool) -> bool {
    if !expr.with.is_empty() {
        return true;
    }
    match expr.kind {
        ExprKind::Or(_) => operator == "and" || is_rhs,
        ExprKind::And(_) => operator == "and" && is_rhs,
        _ => is_brace_led(expr),
    }
}

fn needs_parens_behind_not(expr: &Expr) -> bool {
    !expr.with.is_empty() || is_logical(expr) || matches!(expr.kind, ExprKind::Not(_)) || is_brace_led(expr)
}
