//! The blocks that are being filled.
//!
//! A statement that iterates or overrides (`Scan`, `With`) holds everything that comes after it in its body, so
//! planning one leaves its block open. Whoever began a body closes all blocks that the body left open, by the
//! [`Mark`] taken before.

use rego_ir::{Block, Local, Location, Operand, Stmt, StmtKind, StringIndex};

/// The blocks that are being filled, outermost first.
#[derive(Default)]
pub(super) struct Blocks {
    open: Vec<OpenBlock>,
}

struct OpenBlock {
    opener: Opener,
    location: Location,
    stmts: Vec<Stmt>,
    /// The last statement left the block, so nothing that follows can run.
    ended: bool,
}

/// The statement that a block becomes the body of.
pub(super) enum Opener {
    /// None: the block is taken by whoever opened it.
    Detached,
    /// A `Block` statement of this one block.
    Block,
    /// A `Scan`.
    Scan {
        /// The collection.
        source: Local,
        /// Receives the key.
        key: Local,
        /// Receives the value.
        value: Local,
    },
    /// A `With`.
    With {
        /// The local that is replaced.
        local: Local,
        /// The path in it.
        path: Vec<StringIndex>,
        /// The replacement.
        value: Operand,
    },
}

/// How many blocks were open at some moment.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mark(usize);

impl Blocks {
    /// The number of open blocks, to close those that are opened from now on.
    pub(super) fn mark(&self) -> Mark {
        Mark(self.open.len())
    }

    /// Opens a block: statements go there until it is closed.
    pub(super) fn open(&mut self, opener: Opener, location: Location) {
        self.open.push(OpenBlock { opener, location, stmts: Vec::new(), ended: false });
    }

    /// Appends a statement to the innermost block, unless it cannot be reached.
    pub(super) fn push(&mut self, stmt: Stmt) {
        if let Some(block) = self.open.last_mut()
            && !block.ended
        {
            block.ended = matches!(stmt.kind, StmtKind::Break { .. } | StmtKind::ReturnLocal { .. });
            block.stmts.push(stmt);
        }
    }

    /// Closes the blocks that were opened since the mark; each becomes a statement of the one around it.
    pub(super) fn close_to(&mut self, mark: Mark) {
        while self.open.len() > mark.0 {
            self.close_innermost();
        }
    }

    /// Closes the blocks inside the innermost detached block, and takes that.
    pub(super) fn take(&mut self) -> Block {
        while let Some(last) = self.open.last() {
            if matches!(last.opener, Opener::Detached) {
                break;
            }
            self.close_innermost();
        }
        let stmts = self.open.pop().map(|block| block.stmts).unwrap_or_default();
        Block { stmts }
    }

    /// Whether a block opened since the mark may run more than once.
    pub(super) fn iterates_since(&self, mark: Mark) -> bool {
        self.since(mark).any(|block| matches!(block.opener, Opener::Scan { .. }))
    }

    /// The number of blocks opened since the mark.
    pub(super) fn opened_since(&self, mark: Mark) -> usize {
        self.open.len().saturating_sub(mark.0)
    }

    fn since(&self, mark: Mark) -> impl Iterator<Item = &OpenBlock> {
        self.open.iter().skip(mark.0)
    }

    fn close_innermost(&mut self) {
        let Some(OpenBlock { opener, location, stmts, .. }) = self.open.pop() else { return };
        let block = Block { stmts };
        let kind = match opener {
            Opener::Detached => return,
            Opener::Block => StmtKind::Block { blocks: vec![block] },
            Opener::Scan { source, key, value } => StmtKind::Scan { source, key, value, block },
            Opener::With { local, path, value } => StmtKind::With { local, path, value, block },
        };
        self.push(kind.at(location));
    }
}
