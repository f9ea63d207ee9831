//! A function's blocks with other locals, as part of its caller.

use std::collections::HashMap;

use rego_ir::{Block, Local, Operand, Stmt, StmtKind};

/// New locals for old ones.
pub(crate) struct Renaming {
    locals: HashMap<Local, Local>,
    next: u32,
}

impl Renaming {
    /// Locals from `next` on are free.
    pub(crate) fn new(next: u32) -> Self {
        Self { locals: HashMap::new(), next }
    }

    /// The first local that is still free.
    pub(crate) const fn next(&self) -> u32 {
        self.next
    }

    /// A local of its own.
    pub(crate) fn fresh(&mut self) -> Local {
        let local = Local(self.next);
        self.next = self.next.saturating_add(1);
        local
    }

    /// One local stands for another.
    pub(crate) fn map(&mut self, old: Local, new: Local) {
        self.locals.insert(old, new);
    }

    pub(crate) fn local(&mut self, old: Local) -> Local {
        if let Some(new) = self.locals.get(&old) {
            return *new;
        }
        let new = self.fresh();
        self.locals.insert(old, new);
        new
    }

    fn operand(&mut self, operand: Operand) -> Operand {
        match operand {
            Operand::Local(local) => Operand::Local(self.local(local)),
            constant => constant,
        }
    }

    /// A block; `returns` makes statements of a return, given its local (renamed) and the number of blocks around it.
    pub(crate) fn block(
        &mut self,
        block: &Block,
        depth: u32,
        returns: &impl Fn(Local, u32) -> Vec<StmtKind>,
    ) -> Block {
        let mut stmts = Vec::with_capacity(block.stmts.len());
        for stmt in &block.stmts {
            if let StmtKind::ReturnLocal { source } = &stmt.kind {
                let source = self.local(*source);
                let location = stmt.location;
                stmts.extend(returns(source, depth).into_iter().map(|kind| Stmt { kind, location }));
            } else {
                stmts.push(Stmt { kind: self.stmt(&stmt.kind, depth, returns), location: stmt.location });
            }
        }
        Block { stmts }
    }

    /// A statement other than a return.
    pub(crate) fn stmt(
        &mut self,
        kind: &StmtKind,
        depth: u32,
        returns: &impl Fn(Local, u32) -> Vec<StmtKind>,
    ) -> StmtKind {
        match kind {
            StmtKind::Block { blocks } => StmtKind::Block {
                blocks: blocks.iter().map(|block| self.block(block, depth + 1, returns)).collect(),
            },
            StmtKind::Scan { source, key, value, block } => StmtKind::Scan {
                source: self.local(*source),
                key: self.local(*key),
                value: self.local(*value),
                block: self.block(block, depth + 1, returns),
            },
            StmtKind::Not { block } => StmtKind::Not { block: self.block(block, depth + 1, returns) },
            StmtKind::With { local, path, value, block } => StmtKind::With {
                local: self.local(*local),
                path: path.clone(),
                value: self.operand(*value),
                block: self.block(block, depth + 1, returns),
            },
            other => {
                let mut kind = other.clone();
                kind.for_each_local_mut(|local| *local = self.local(*local));
                kind
            }
        }
    }
}
