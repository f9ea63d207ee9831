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

    fn operands(&mut self, operands: &[Operand]) -> Vec<Operand> {
        operands.iter().map(|operand| self.operand(*operand)).collect()
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
            StmtKind::Call { func, args, result } => {
                StmtKind::Call { func: func.clone(), args: self.operands(args), result: self.local(*result) }
            }
            StmtKind::CallDynamic { args, result, path } => StmtKind::CallDynamic {
                args: args.iter().map(|arg| self.local(*arg)).collect(),
                result: self.local(*result),
                path: self.operands(path),
            },
            other => self.plain(other),
        }
    }

    /// A statement without blocks and calls.
    fn plain(&mut self, kind: &StmtKind) -> StmtKind {
        let mut kind = kind.clone();
        match &mut kind {
            StmtKind::Dot { source, key, target } => {
                *source = self.operand(*source);
                *key = self.operand(*key);
                *target = self.local(*target);
            }
            StmtKind::Len { source, target }
            | StmtKind::AssignVar { source, target }
            | StmtKind::AssignVarOnce { source, target } => {
                *source = self.operand(*source);
                *target = self.local(*target);
            }
            StmtKind::AssignInt { target, .. }
            | StmtKind::ResetLocal { target }
            | StmtKind::MakeNull { target }
            | StmtKind::MakeNumberInt { target, .. }
            | StmtKind::MakeNumberRef { target, .. }
            | StmtKind::MakeArray { target, .. }
            | StmtKind::MakeObject { target }
            | StmtKind::MakeSet { target } => *target = self.local(*target),
            StmtKind::Equal { a, b } | StmtKind::NotEqual { a, b } => {
                *a = self.operand(*a);
                *b = self.operand(*b);
            }
            StmtKind::IsArray { source } | StmtKind::IsObject { source } | StmtKind::IsSet { source } => {
                *source = self.operand(*source);
            }
            StmtKind::IsDefined { source }
            | StmtKind::IsUndefined { source }
            | StmtKind::ReturnLocal { source } => *source = self.local(*source),
            StmtKind::ArrayAppend { value, array: collection }
            | StmtKind::SetAdd { value, set: collection } => {
                *value = self.operand(*value);
                *collection = self.local(*collection);
            }
            StmtKind::ObjectInsert { key, value, object }
            | StmtKind::ObjectInsertOnce { key, value, object } => {
                *key = self.operand(*key);
                *value = self.operand(*value);
                *object = self.local(*object);
            }
            StmtKind::ObjectMerge { a, b, target } => {
                *a = self.local(*a);
                *b = self.local(*b);
                *target = self.local(*target);
            }
            StmtKind::ResultSetAdd { value } => *value = self.local(*value),
            StmtKind::Nop | StmtKind::Break { .. } => {}
            // Those with blocks and calls have been taken before.
            StmtKind::Block { .. }
            | StmtKind::Scan { .. }
            | StmtKind::Not { .. }
            | StmtKind::With { .. }
            | StmtKind::Call { .. }
            | StmtKind::CallDynamic { .. } => {}
        }
        kind
    }
}
