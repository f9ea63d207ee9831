//! What more than one pass asks of statements.

use rego_ir::{Block, StmtKind};

/// How many there are, those in nested blocks counted.
pub(crate) fn count_stmts(blocks: &[Block]) -> usize {
    let mut count = 0;
    let mut pending: Vec<&Block> = blocks.iter().collect();
    while let Some(block) = pending.pop() {
        count += block.stmts.len();
        block.stmts.iter().for_each(|stmt| pending.extend(stmt.kind.blocks()));
    }
    count
}

/// Whether a statement means what it means in its function only: its error names the function, it builds the function's
/// result in parts or adds to the answers, it replaces documents, or it leaves blocks that only a planner knows.
pub(crate) const fn belongs_to_its_function(kind: &StmtKind) -> bool {
    matches!(
        kind,
        StmtKind::AssignVarOnce { .. }
            | StmtKind::ObjectInsertOnce { .. }
            | StmtKind::ObjectMerge { .. }
            | StmtKind::With { .. }
            | StmtKind::CallDynamic { .. }
            | StmtKind::ResultSetAdd { .. }
    )
}
