//! `every`.

use rego_ir::{Block, Operand, StmtKind};
use rego_syntax::ast::Every;

use super::blocks::Opener;
use super::{Planner, Result};

impl Planner<'_> {
    /// The body must have an answer for each element: the first element without one leaves the surrounding block.
    pub(super) fn plan_every(&mut self, every: &Every) -> Result<()> {
        let domain = self.plan_term(&every.domain)?;
        self.require_collection(domain);
        let source = self.local_of(domain);
        let (key, value, holds) = (self.new_local(), self.new_local(), self.new_local());
        let mark = self.scope.blocks.mark();
        self.scope.push_frame();
        self.open(Opener::Scan { source, key, value });
        self.emit(StmtKind::ResetLocal { target: holds });
        let test = self.scope.blocks.mark();
        self.open(Opener::Block);
        let inside = self.scope.blocks.mark();
        if let Some(term) = &every.key {
            self.unify_operand(key.into(), term)?;
        }
        self.unify_operand(value.into(), &every.value)?;
        self.plan_body(&every.body)?;
        self.assign(holds, true);
        self.leave(inside);
        self.scope.blocks.close_to(test);
        self.emit(StmtKind::IsUndefined { source: holds });
        self.emit(StmtKind::Break { index: 1 });
        self.scope.pop_frame();
        self.scope.blocks.close_to(mark);
        Ok(())
    }

    /// Undefined unless the operand is an array, an object or a set.
    fn require_collection(&mut self, source: Operand) {
        let location = self.scope.location;
        let kinds = [StmtKind::IsArray { source }, StmtKind::IsObject { source }, StmtKind::IsSet { source }];
        // Leaves two blocks: its own and the one around the alternatives.
        let alternatives = kinds
            .map(|kind| Block { stmts: vec![kind.at(location), StmtKind::Break { index: 1 }.at(location)] });
        let alternatives = StmtKind::Block { blocks: alternatives.into() };
        let none = StmtKind::Break { index: 1 };
        let block = Block { stmts: vec![alternatives.at(location), none.at(location)] };
        self.emit(StmtKind::Block { blocks: vec![block] });
    }
}
