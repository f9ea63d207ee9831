//! What is known about locals at a point of the plan: which are undefined, which hold a constant,
//! and which a part of input or data.

use std::collections::{HashMap, HashSet};

use rego_ir::{Block, Local, StmtKind};

/// What is known at a point.
#[derive(Clone, Default)]
pub(crate) struct Facts {
    /// The locals that may hold a value; all others are undefined.
    assigned: HashSet<Local>,
    /// The handles of locals that hold a constant.
    constants: HashMap<Local, u32>,
    /// The paths of locals that hold a part of input or data.
    paths: HashMap<Local, PathId>,
}

/// A path of constant keys below input or data.
pub(crate) type PathId = usize;

impl Facts {
    /// Knows only that these locals may hold a value.
    pub(crate) fn new(assigned: impl IntoIterator<Item = Local>) -> Self {
        Self { assigned: assigned.into_iter().collect(), ..Self::default() }
    }

    /// Whether a local certainly is undefined.
    pub(crate) fn is_undefined(&self, local: Local) -> bool {
        !self.assigned.contains(&local)
    }

    /// The handle of a local that certainly holds a constant.
    pub(crate) fn constant(&self, local: Local) -> Option<u32> {
        self.constants.get(&local).copied()
    }

    /// The path whose value a local certainly holds.
    pub(crate) fn path(&self, local: Local) -> Option<PathId> {
        self.paths.get(&local).copied()
    }

    /// A local is assigned a value that is not known.
    pub(crate) fn assign(&mut self, local: Local) {
        self.assigned.insert(local);
        self.forget(local);
    }

    /// A local is assigned a constant.
    pub(crate) fn assign_constant(&mut self, local: Local, handle: u32) {
        self.assign(local);
        self.constants.insert(local, handle);
    }

    /// A local is assigned the value at a path.
    pub(crate) fn assign_path(&mut self, local: Local, path: PathId) {
        self.assign(local);
        self.paths.insert(local, path);
    }

    /// A local becomes undefined.
    pub(crate) fn reset(&mut self, local: Local) {
        self.assigned.remove(&local);
        self.forget(local);
    }

    /// Paths mean other values from here on.
    pub(crate) fn forget_paths(&mut self) {
        self.paths.clear();
    }

    fn forget(&mut self, local: Local) {
        self.constants.remove(&local);
        self.paths.remove(&local);
    }

    /// Forgets what a block may change, since it may be left at any statement of it or run again.
    pub(crate) fn forget_writes(&mut self, block: &Block) {
        for stmt in &block.stmts {
            match &stmt.kind {
                // Where the local was undefined before, it is so on every way out.
                StmtKind::ResetLocal { target } => self.forget(*target),
                kind => kind.for_each_write(|local| self.assign(local)),
            }
            stmt.kind.blocks().iter().for_each(|inner| self.forget_writes(inner));
        }
    }
}
