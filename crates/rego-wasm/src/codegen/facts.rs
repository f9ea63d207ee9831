//! What is known about locals at a point of the plan: which are undefined, which hold a constant,
//! and which a part of input or data.

use std::collections::HashMap;

use rego_ir::{Block, Local, StmtKind};

/// What is known at a point.
///
/// A block is followed by what was known before it, less what it may have changed. So that a function of many blocks
/// does not copy all that is known for each, changes are logged and taken back.
#[derive(Default)]
pub(crate) struct Facts {
    /// What is known of the locals that may hold a value; all others are undefined.
    known: HashMap<Local, Known>,
    /// Paths are those of this time; what was found before means another value now.
    time: u32,
    /// The times that there have been.
    last_time: u32,
    /// What was known of a local before it changed.
    log: Vec<(Local, Option<Known>)>,
    /// The paths that have been looked up on every way to here, and lead to something.
    found: Vec<PathId>,
}

/// What is known of a local that may hold a value.
#[derive(Clone, Copy, Default)]
struct Known {
    /// The handle of the constant that it certainly holds.
    constant: Option<u32>,
    /// The path whose value it certainly holds, and the time of it.
    path: Option<(PathId, u32)>,
    /// Whether that is a part of the data.
    is_from_data: bool,
}

/// A point to go back to.
#[derive(Clone, Copy)]
pub(crate) struct Mark {
    changes: usize,
    found: usize,
    time: u32,
}

/// A path below input or data.
pub(crate) type PathId = usize;

/// How many paths are looked through for one.
const MOST_FOUND: usize = 64;

impl Facts {
    /// Knows only that these locals may hold a value.
    pub(crate) fn new(assigned: impl IntoIterator<Item = Local>) -> Self {
        let known = assigned.into_iter().map(|local| (local, Known::default())).collect();
        Self { known, ..Self::default() }
    }

    /// This point.
    pub(crate) fn mark(&self) -> Mark {
        Mark { changes: self.log.len(), found: self.found.len(), time: self.time }
    }

    /// Knows again what was known at a point.
    pub(crate) fn go_back(&mut self, mark: Mark) {
        while self.log.len() > mark.changes
            && let Some((local, before)) = self.log.pop()
        {
            match before {
                Some(known) => self.known.insert(local, known),
                None => self.known.remove(&local),
            };
        }
        self.found.truncate(mark.found);
        self.time = mark.time;
    }

    /// Notes that a path has been looked up, and leads to something.
    pub(crate) fn mark_found(&mut self, path: PathId) {
        self.found.push(path);
    }

    /// Whether a path certainly has been looked up, and leads to something. Only the last ones are remembered.
    pub(crate) fn is_found(&self, path: PathId) -> bool {
        self.found.iter().rev().take(MOST_FOUND).any(|found| *found == path)
    }

    /// Whether a local certainly is undefined.
    pub(crate) fn is_undefined(&self, local: Local) -> bool {
        !self.known.contains_key(&local)
    }

    /// The handle of a local that certainly holds a constant.
    pub(crate) fn constant(&self, local: Local) -> Option<u32> {
        self.known.get(&local)?.constant
    }

    /// The path whose value a local certainly holds.
    pub(crate) fn path(&self, local: Local) -> Option<PathId> {
        let (path, time) = self.known.get(&local)?.path?;
        (time == self.time).then_some(path)
    }

    /// Whether a local holds a part of the data, unless `with` has replaced that.
    pub(crate) fn is_from_data(&self, local: Local) -> bool {
        self.known.get(&local).is_some_and(|known| known.is_from_data)
    }

    /// The value that a local was assigned last is a part of the data.
    pub(crate) fn mark_data(&mut self, local: Local) {
        if let Some(known) = self.known.get(&local).copied() {
            self.set(local, Some(Known { is_from_data: true, ..known }));
        }
    }

    fn set(&mut self, local: Local, known: Option<Known>) {
        let before = match known {
            Some(known) => self.known.insert(local, known),
            None => self.known.remove(&local),
        };
        self.log.push((local, before));
    }

    /// A local is assigned a value that is not known.
    pub(crate) fn assign(&mut self, local: Local) {
        self.set(local, Some(Known::default()));
    }

    /// A local is assigned a constant.
    pub(crate) fn assign_constant(&mut self, local: Local, handle: u32) {
        self.set(local, Some(Known { constant: Some(handle), ..Known::default() }));
    }

    /// A local is assigned the value at a path.
    pub(crate) fn assign_path(&mut self, local: Local, path: PathId) {
        self.set(local, Some(Known { path: Some((path, self.time)), ..Known::default() }));
    }

    /// A local becomes undefined.
    pub(crate) fn reset(&mut self, local: Local) {
        self.set(local, None);
    }

    /// Paths mean other values from here on.
    pub(crate) fn forget_paths(&mut self) {
        self.last_time += 1;
        self.time = self.last_time;
    }

    /// Forgets what a block may change, since it may be left at any statement of it or run again.
    pub(crate) fn forget_writes(&mut self, block: &Block) {
        for stmt in &block.stmts {
            match &stmt.kind {
                // Where the local was undefined before, it is so on every way out.
                StmtKind::ResetLocal { target } if self.is_undefined(*target) => {}
                StmtKind::ResetLocal { target } => self.assign(*target),
                kind => kind.for_each_write(|local| self.assign(local)),
            }
            stmt.kind.blocks().iter().for_each(|inner| self.forget_writes(inner));
        }
    }
}
