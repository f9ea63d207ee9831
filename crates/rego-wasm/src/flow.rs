//! Which statements may have made what a local holds, and which statements may change it.
//!
//! One pass over the blocks. What it finds may be too much and never too little; where many statements may have made a
//! value, it is not counted which, so that the pass stays linear in the plan.

use rego_ir::{Block, Local, Operand, Stmt, StmtKind};

use crate::fold::{StmtId, id};
use crate::hash::{Map, Set};

/// With more makers than these a value may come from anywhere.
const MOST_MAKERS: usize = 16;

/// What may have made a value.
#[derive(Clone, Debug)]
enum Makers {
    /// One of these statements, or none of the plan's `Make…`, `Dot` and `Scan`.
    Few(Vec<StmtId>),
    /// Any.
    Many,
}

impl Makers {
    fn merge(&mut self, others: &Makers) {
        let (Makers::Few(few), Makers::Few(others)) = (&mut *self, others) else {
            *self = Makers::Many;
            return;
        };
        for maker in others {
            if !few.contains(maker) {
                few.push(*maker);
            }
        }
        if few.len() > MOST_MAKERS {
            *self = Makers::Many;
        }
    }
}

impl Default for Makers {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

/// What is known after a pass over a plan or function.
#[derive(Default)]
pub(crate) struct Flow {
    makers: Map<Local, Makers>,
    /// The makers that a local had before it was set, in the order of the statements.
    log: Vec<(Local, Makers)>,
    /// The statements that may change what a `Make…` statement has made, each once.
    pub(crate) changes: Map<StmtId, Vec<StmtId>>,
    /// How many statements may read what a statement has made, those that change it among them.
    pub(crate) reads: Map<StmtId, usize>,
    /// The locals of which that is not known: what was read there may come from anywhere.
    pub(crate) read_anywhere: Set<Local>,
    finders: Set<StmtId>,
    /// Whether a part of some collection may be changed, found by `Dot` or `Scan`.
    pub(crate) changes_parts: bool,
}

impl Flow {
    /// Looks at blocks that run one after the other.
    pub(crate) fn of(blocks: &[Block]) -> Self {
        let mut flow = Self::default();
        blocks.iter().for_each(|block| flow.block(block));
        flow
    }

    fn block(&mut self, block: &Block) {
        let start = self.log.len();
        for stmt in &block.stmts {
            self.stmt(stmt);
            for inner in stmt.kind.blocks() {
                if matches!(stmt.kind, StmtKind::Scan { .. }) {
                    // What holds after one round may hold at the beginning of the next.
                    self.forget_writes(inner);
                }
                self.block(inner);
            }
        }
        // A block may be left at any of its statements, so behind it holds what held at any of them.
        let (log, makers) = (&self.log, &mut self.makers);
        for (local, before) in log.get(start..).unwrap_or_default() {
            makers.entry(*local).or_default().merge(before);
        }
    }

    fn forget_writes(&mut self, block: &Block) {
        for stmt in &block.stmts {
            stmt.kind.for_each_write(|local| self.set(local, Makers::Many));
            stmt.kind.blocks().iter().for_each(|inner| self.forget_writes(inner));
        }
    }

    fn set(&mut self, local: Local, makers: Makers) {
        let before = self.makers.insert(local, makers).unwrap_or_default();
        self.log.push((local, before));
    }

    fn get(&self, local: Local) -> Makers {
        self.makers.get(&local).cloned().unwrap_or_default()
    }

    fn stmt(&mut self, stmt: &Stmt) {
        stmt.kind.for_each_read(|local| self.read(local));
        if let Some(changed) = stmt.kind.changed() {
            self.change(changed, id(stmt));
        }
        match &stmt.kind {
            StmtKind::MakeArray { target, .. }
            | StmtKind::MakeObject { target }
            | StmtKind::MakeSet { target } => self.set(*target, Makers::Few(vec![id(stmt)])),
            StmtKind::AssignVar { source: Operand::Local(source), target } => {
                let makers = self.get(*source);
                self.set(*target, makers);
            }
            StmtKind::AssignVarOnce { source: Operand::Local(source), target } => {
                let mut makers = self.get(*source);
                makers.merge(&self.get(*target));
                self.set(*target, makers);
            }
            kind => {
                let mut makers = Makers::default();
                if matches!(kind, StmtKind::Dot { .. } | StmtKind::Scan { .. }) {
                    self.finders.insert(id(stmt));
                    makers = Makers::Few(vec![id(stmt)]);
                }
                kind.for_each_write(|local| self.set(local, makers.clone()));
            }
        }
    }

    fn read(&mut self, local: Local) {
        match self.makers.get(&local) {
            None => {}
            Some(Makers::Many) => drop(self.read_anywhere.insert(local)),
            Some(Makers::Few(makers)) => {
                makers.iter().for_each(|maker| *self.reads.entry(*maker).or_default() += 1);
            }
        }
    }

    fn change(&mut self, changed: Local, by: StmtId) {
        match self.makers.get(&changed) {
            None => {}
            Some(Makers::Many) => self.changes_parts = true,
            Some(Makers::Few(makers)) => {
                for maker in makers {
                    self.changes_parts |= self.finders.contains(maker);
                    self.changes.entry(*maker).or_default().push(by);
                }
            }
        }
    }
}

/// The collections that rules such as `p[x].y := z` add to: looked up in the result, and made where they are missing.
///
/// Planners write that in one way, ours as OPA's: `nest { nest { found = result[x]; break 1 }; found = object }`.
#[derive(Default)]
pub(crate) struct Parts {
    /// The `Dot` statements.
    pub(crate) finders: Set<StmtId>,
    /// The `Make…` statements.
    pub(crate) makers: Set<StmtId>,
}

impl Parts {
    /// Looks for them.
    pub(crate) fn of(blocks: &[Block]) -> Self {
        let mut parts = Self::default();
        blocks.iter().for_each(|block| parts.block(block));
        parts
    }

    fn block(&mut self, block: &Block) {
        for stmt in &block.stmts {
            for inner in stmt.kind.blocks() {
                if !self.is_part(inner) {
                    self.block(inner);
                }
            }
        }
    }

    fn is_part(&mut self, block: &Block) -> bool {
        let [Stmt { kind: StmtKind::Block { blocks }, .. }, make] = block.stmts.as_slice() else {
            return false;
        };
        let [Block { stmts: found }] = blocks.as_slice() else { return false };
        let [find, Stmt { kind: StmtKind::Break { index: 1 }, .. }] = found.as_slice() else { return false };
        let (StmtKind::MakeObject { target: made } | StmtKind::MakeSet { target: made }) = make.kind else {
            return false;
        };
        let is_part = matches!(find.kind, StmtKind::Dot { target, .. } if target == made);
        if is_part {
            self.finders.insert(id(find));
            self.makers.insert(id(make));
        }
        is_part
    }
}
