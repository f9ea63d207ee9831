//! Locals that blocks share by name alone, told apart.
//!
//! Planners give the locals of one definition to the next as well, so that a function does not run out of them. An
//! analysis that asks what a local may hold, without regard to the order of statements, then mixes what has nothing to do
//! with each other. [`split`] gives each use a name of its own, for such analyses. What it gives means the same, and is
//! not run as a whole: so many locals are more than engines accept.

use std::collections::{HashMap, HashSet};

use foldhash::fast::FixedState;

use crate::{Block, Local, Stmt, StmtKind, next_local};

/// Blocks in which a local is another one for each block that begins by writing it: everywhere else in that block the
/// write has been run before. A local that is read anywhere without such a write before it keeps its name.
#[must_use]
pub fn split(blocks: &[Block], params: &[Local]) -> Vec<Block> {
    let mut scopes = Scopes { next: 0, owners: HashMap::default(), shared: params.iter().copied().collect() };
    blocks.iter().for_each(|block| drop(scopes.block(block, &[])));
    // What is shared is known now; the same walk again names what is not.
    scopes.next = next_local(params, blocks);
    blocks.iter().map(|block| scopes.block(block, &[])).collect()
}

struct Scopes {
    /// The first name that is free.
    next: u32,
    /// The names of the locals that an open block has begun by writing.
    owners: HashMap<Local, Local, FixedState>,
    /// Locals that keep their names.
    shared: HashSet<Local, FixedState>,
}

impl Scopes {
    /// A block with other names. `given` are the locals that are written before it is run, each time.
    fn block(&mut self, block: &Block, given: &[Local]) -> Block {
        let mut own = Vec::new();
        given.iter().for_each(|local| self.own(*local, &mut own));
        let mut stmts = Vec::with_capacity(block.stmts.len());
        for stmt in &block.stmts {
            let kind = self.stmt(&stmt.kind, &mut own);
            stmts.push(Stmt { kind, location: stmt.location });
        }
        own.iter().for_each(|local| {
            self.owners.remove(local);
        });
        Block { stmts }
    }

    fn own(&mut self, local: Local, own: &mut Vec<Local>) {
        if !self.owners.contains_key(&local) {
            self.owners.insert(local, Local(self.next));
            self.next = self.next.saturating_add(1);
            own.push(local);
        }
    }

    fn stmt(&mut self, kind: &StmtKind, own: &mut Vec<Local>) -> StmtKind {
        kind.for_each_read(|local| {
            if !self.owners.contains_key(&local) {
                self.shared.insert(local);
            }
        });
        // A collection may have no elements, so what an iteration writes is its block's.
        if let StmtKind::Scan { source, key, value, block } = kind {
            let given = [*key, *value];
            let mut names = Vec::new();
            given.iter().for_each(|local| self.own(*local, &mut names));
            let (key, value) = (self.name(*key), self.name(*value));
            let block = self.block(block, &[]);
            names.iter().for_each(|local| {
                self.owners.remove(local);
            });
            return StmtKind::Scan { source: self.name(*source), key, value, block };
        }
        kind.for_each_write(|local| self.own(local, own));
        let mut renamed = match kind {
            StmtKind::Block { blocks } => {
                StmtKind::Block { blocks: blocks.iter().map(|block| self.block(block, &[])).collect() }
            }
            StmtKind::Not { block } => StmtKind::Not { block: self.block(block, &[]) },
            StmtKind::With { local, path, value, block } => StmtKind::With {
                local: *local,
                path: path.clone(),
                value: *value,
                block: self.block(block, &[]),
            },
            other => other.clone(),
        };
        renamed.for_each_local_mut(|local| *local = self.name(*local));
        renamed
    }

    fn name(&self, local: Local) -> Local {
        if self.shared.contains(&local) {
            return local;
        }
        self.owners.get(&local).copied().unwrap_or(local)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{parse_text, print_text};

    /// The blocks of the only plan, printed.
    fn of(blocks: &str) -> String {
        let mut policy = parse_text(&format!("string \"a\"\n\nplan \"p\"\n{blocks}")).unwrap();
        let plan = policy.plans.first_mut().unwrap();
        plan.blocks = split(&plan.blocks, &[Local::INPUT, Local::DATA]);
        print_text(&policy).split_once("plan \"p\"\n").unwrap().1.to_owned()
    }

    #[test]
    fn blocks_that_begin_by_writing_a_local_have_their_own() {
        let split =
            of("block\n  %2 = dot %0[s0]\n  equal %2, %1\nend\nblock\n  %2 = dot %1[s0]\n  result %2\nend");
        assert!(split.contains("%3 = dot %0[s0] ; \"a\"\n  equal %3, %1"), "{split}");
        assert!(split.contains("%4 = dot %1[s0] ; \"a\"\n  result %4"), "{split}");
    }

    #[test]
    fn what_one_block_leaves_to_another_keeps_its_name() {
        let text = "block\n  %2 = dot %0[s0]\nend\nblock\n  isundefined %2\n  %2 = %1\nend\nblock\n  result %2\nend\n";
        assert_eq!(of(text).replace(" ; \"a\"", ""), text);
    }

    #[test]
    fn an_iteration_owns_its_variables_but_not_what_follows_it() {
        let text = "block\n  scan %0 -> %2, %3\n    equal %3, %1\n  end\n  result %3\nend\n";
        let split = of(text);
        assert!(split.contains("scan %0 -> %4, %3") && split.contains("result %3"), "{split}");
        let split = of(
            "block\n  scan %0 -> %2, %3\n    equal %3, %1\n  end\nend\nblock\n  scan %1 -> %2, %3\n    equal %3, %0\n  end\nend\n",
        );
        assert!(split.contains("scan %0 -> %4, %5\n    equal %5, %1"), "{split}");
        assert!(split.contains("scan %1 -> %6, %7\n    equal %7, %0"), "{split}");
    }
}
