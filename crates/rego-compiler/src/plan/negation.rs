//! `not`.

use rego_ir::StmtKind;

use super::{Planner, Result};

impl Planner<'_> {
    /// Plans something that must have no answer.
    ///
    /// A `Not` statement asks whether its block ran to the end. That is the question when nothing in it iterates;
    /// otherwise the end is reached after the last element too, and a flag says whether one was an answer.
    pub(super) fn plan_not(&mut self, plan: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let answered = self.new_local();
        let mut nested = false;
        let block = self.block(|p| {
            let inside = p.scope.blocks.mark();
            plan(p)?;
            nested = p.scope.blocks.opened_since(inside) > 0;
            if nested {
                p.assign(answered, true);
                p.leave(inside);
            }
            Ok(())
        })?;
        if nested {
            self.emit(StmtKind::ResetLocal { target: answered });
            self.emit(StmtKind::Block { blocks: vec![block] });
            self.emit(StmtKind::IsUndefined { source: answered });
        } else {
            self.emit(StmtKind::Not { block });
        }
        Ok(())
    }
}
