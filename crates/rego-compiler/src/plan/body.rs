//! Bodies and the simple expressions in them.

use rego_ir::{Local, Operand, StmtKind};
use rego_syntax::ast::{Expr, ExprKind, Logical, Term, Value};

use super::blocks::Opener;
use super::{Planner, Result};

impl Planner<'_> {
    /// Plans the expressions in order. Blocks that they open stay open: what is appended next runs for each answer.
    pub(super) fn plan_body(&mut self, body: &[Expr]) -> Result<()> {
        body.iter().try_for_each(|expr| {
            self.at(expr.span, |p| {
                p.mark(expr.span);
                p.plan_expr(expr)
            })
        })
    }

    fn plan_expr(&mut self, expr: &Expr) -> Result<()> {
        if expr.with.is_empty() { self.plan_expr_without_with(expr) } else { self.plan_with(expr) }
    }

    pub(super) fn plan_expr_without_with(&mut self, expr: &Expr) -> Result<()> {
        if expr.negated {
            return self.plan_not(|p| p.plan_expr_kind(&expr.kind));
        }
        self.plan_expr_kind(&expr.kind)
    }

    fn plan_expr_kind(&mut self, kind: &ExprKind) -> Result<()> {
        match kind {
            ExprKind::Term(term) => self.plan_condition(term),
            ExprKind::Call(terms) => self.plan_call_expr(terms),
            ExprKind::Every(every) => self.plan_every(every),
            ExprKind::Not(not) => self.plan_not(|p| p.plan_body(&not.body)),
            ExprKind::And(operands) => self.plan_and(operands),
            ExprKind::Or(operands) => self.plan_or(operands),
            // The checker has renamed what this declares.
            ExprKind::SomeDecl(_) => Ok(()),
        }
    }

    /// A term that must be defined and not false.
    fn plan_condition(&mut self, term: &Term) -> Result<()> {
        match &term.value {
            Value::Bool(false) => self.emit(StmtKind::Break { index: 0 }),
            value if value.is_constant() => {}
            _ => {
                let value = self.plan_term(term)?;
                self.emit(StmtKind::NotEqual { a: value, b: Operand::Bool(false) });
            }
        }
        Ok(())
    }

    fn plan_and(&mut self, operands: &Logical) -> Result<()> {
        for body in [&operands.lhs, &operands.rhs] {
            let holds = self.new_local();
            self.emit(StmtKind::ResetLocal { target: holds });
            self.plan_test(holds, body)?;
            self.emit(StmtKind::IsDefined { source: holds });
        }
        Ok(())
    }

    fn plan_or(&mut self, operands: &Logical) -> Result<()> {
        let holds = self.new_local();
        self.emit(StmtKind::ResetLocal { target: holds });
        self.plan_test(holds, &operands.lhs)?;
        let rest = self.block(|p| {
            p.emit(StmtKind::IsUndefined { source: holds });
            p.plan_test(holds, &operands.rhs)
        })?;
        self.emit(StmtKind::Block { blocks: vec![rest] });
        self.emit(StmtKind::IsDefined { source: holds });
        Ok(())
    }

    /// Plans a body on its own, which makes `holds` true if it has an answer.
    pub(super) fn plan_test(&mut self, holds: Local, body: &[Expr]) -> Result<()> {
        let mark = self.scope.blocks.mark();
        self.open(Opener::Block);
        let inside = self.scope.blocks.mark();
        self.scope.push_frame();
        self.plan_body(body)?;
        self.assign(holds, true);
        self.leave(inside);
        self.scope.pop_frame();
        self.scope.blocks.close_to(mark);
        Ok(())
    }
}
