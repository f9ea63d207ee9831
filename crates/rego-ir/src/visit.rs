//! What a statement reads, writes and refers to. The verifier, the printer and code generators share these lists,
//! so that a new statement is described once.

use crate::{Block, Local, Operand, StmtKind, StringIndex};

impl StmtKind {
    /// Calls `f` with each operand the statement itself reads; the blocks in it are left out.
    pub fn for_each_operand(&self, mut f: impl FnMut(Operand)) {
        match self {
            Self::Call { args, .. } => args.iter().copied().for_each(f),
            Self::CallDynamic { path, .. } => path.iter().copied().for_each(f),
            Self::Dot { source, key, .. } => {
                f(*source);
                f(*key);
            }
            Self::Len { source, .. }
            | Self::AssignVar { source, .. }
            | Self::AssignVarOnce { source, .. }
            | Self::IsArray { source }
            | Self::IsObject { source }
            | Self::IsSet { source } => f(*source),
            Self::Equal { a, b } | Self::NotEqual { a, b } => {
                f(*a);
                f(*b);
            }
            Self::ArrayAppend { value, .. } | Self::SetAdd { value, .. } | Self::With { value, .. } => {
                f(*value)
            }
            Self::ObjectInsert { key, value, .. } | Self::ObjectInsertOnce { key, value, .. } => {
                f(*key);
                f(*value);
            }
            _ => {}
        }
    }

    /// Calls `f` with each local the statement itself reads, the collections it changes in place among them.
    pub fn for_each_read(&self, mut f: impl FnMut(Local)) {
        self.for_each_operand(|o| {
            if let Operand::Local(local) = o {
                f(local);
            }
        });
        match self {
            Self::ReturnLocal { source }
            | Self::Scan { source, .. }
            | Self::IsDefined { source }
            | Self::IsUndefined { source } => f(*source),
            Self::CallDynamic { args, .. } => args.iter().copied().for_each(f),
            Self::AssignVarOnce { target, .. } => f(*target),
            Self::ObjectMerge { a, b, .. } => {
                f(*a);
                f(*b);
            }
            Self::With { local, .. } => f(*local),
            Self::ResultSetAdd { value } => f(*value),
            _ => {
                if let Some(collection) = self.changed() {
                    f(collection);
                }
            }
        }
    }

    /// The collection that the statement changes in place.
    #[must_use]
    pub const fn changed(&self) -> Option<Local> {
        match self {
            Self::ArrayAppend { array, .. } => Some(*array),
            Self::ObjectInsert { object, .. } | Self::ObjectInsertOnce { object, .. } => Some(*object),
            Self::SetAdd { set, .. } => Some(*set),
            _ => None,
        }
    }

    /// Calls `f` with each local the statement itself assigns. `ResetLocal` counts; `With` does not, since it
    /// restores the local.
    pub fn for_each_write(&self, mut f: impl FnMut(Local)) {
        match self {
            Self::Call { result, .. } | Self::CallDynamic { result, .. } => f(*result),
            Self::Scan { key, value, .. } => {
                f(*key);
                f(*value);
            }
            Self::Dot { target, .. }
            | Self::Len { target, .. }
            | Self::AssignInt { target, .. }
            | Self::AssignVar { target, .. }
            | Self::AssignVarOnce { target, .. }
            | Self::ResetLocal { target }
            | Self::MakeNull { target }
            | Self::MakeNumberInt { target, .. }
            | Self::MakeNumberRef { target, .. }
            | Self::MakeArray { target, .. }
            | Self::MakeObject { target }
            | Self::MakeSet { target }
            | Self::ObjectMerge { target, .. } => f(*target),
            _ => {}
        }
    }

    /// Calls `f` with each local of the statement itself, to be changed; the blocks in it are left out.
    pub fn for_each_local_mut(&mut self, mut f: impl FnMut(&mut Local)) {
        let mut operand = |operand: &mut Operand| {
            if let Operand::Local(local) = operand {
                f(local);
            }
        };
        match self {
            Self::Call { args, result, .. } => {
                args.iter_mut().for_each(&mut operand);
                f(result);
            }
            Self::CallDynamic { args, result, path } => {
                path.iter_mut().for_each(&mut operand);
                args.iter_mut().for_each(&mut f);
                f(result);
            }
            Self::Dot { source, key, target } => {
                operand(source);
                operand(key);
                f(target);
            }
            Self::Len { source, target }
            | Self::AssignVar { source, target }
            | Self::AssignVarOnce { source, target } => {
                operand(source);
                f(target);
            }
            Self::Equal { a, b } | Self::NotEqual { a, b } => {
                operand(a);
                operand(b);
            }
            Self::IsArray { source } | Self::IsObject { source } | Self::IsSet { source } => operand(source),
            Self::ArrayAppend { value, array: collection } | Self::SetAdd { value, set: collection } => {
                operand(value);
                f(collection);
            }
            Self::ObjectInsert { key, value, object } | Self::ObjectInsertOnce { key, value, object } => {
                operand(key);
                operand(value);
                f(object);
            }
            Self::With { local, value, .. } => {
                operand(value);
                f(local);
            }
            Self::Scan { source, key, value, .. } => [source, key, value].into_iter().for_each(f),
            Self::ObjectMerge { a, b, target } => [a, b, target].into_iter().for_each(f),
            Self::AssignInt { target, .. }
            | Self::ResetLocal { target }
            | Self::MakeNull { target }
            | Self::MakeNumberInt { target, .. }
            | Self::MakeNumberRef { target, .. }
            | Self::MakeArray { target, .. }
            | Self::MakeObject { target }
            | Self::MakeSet { target } => f(target),
            Self::ReturnLocal { source: local }
            | Self::IsDefined { source: local }
            | Self::IsUndefined { source: local }
            | Self::ResultSetAdd { value: local } => f(local),
            Self::Block { .. } | Self::Break { .. } | Self::Not { .. } | Self::Nop => {}
        }
    }

    /// Calls `f` with each string constant the statement itself refers to.
    pub fn for_each_string(&self, mut f: impl FnMut(StringIndex)) {
        self.for_each_operand(|o| {
            if let Operand::String(index) = o {
                f(index);
            }
        });
        match self {
            Self::MakeNumberRef { index, .. } => f(*index),
            Self::With { path, .. } => path.iter().copied().for_each(f),
            _ => {}
        }
    }

    /// The blocks that the statement holds.
    #[must_use]
    pub fn blocks(&self) -> &[Block] {
        match self {
            Self::Block { blocks } => blocks,
            Self::Scan { block, .. } | Self::Not { block } | Self::With { block, .. } => {
                core::slice::from_ref(block)
            }
            _ => &[],
        }
    }
}

/// The first local behind all those that are parameters or stand in the blocks.
#[must_use]
pub fn next_local(params: &[Local], blocks: &[Block]) -> u32 {
    let mut last = params.iter().map(|local| local.0).max().unwrap_or(0);
    let mut pending: Vec<&Block> = blocks.iter().collect();
    while let Some(block) = pending.pop() {
        for stmt in &block.stmts {
            stmt.kind.for_each_read(|local| last = last.max(local.0));
            stmt.kind.for_each_write(|local| last = last.max(local.0));
            pending.extend(stmt.kind.blocks());
        }
    }
    last.saturating_add(1)
}
