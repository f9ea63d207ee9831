//! The numbers of all replicas as they were last seen, by revision, so that evaluators take over only what has changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use guard_core::{CellChange, CellId, CellPath, Changes, Quantity, Revision, Snapshot};

/// How many dropped numbers are remembered.
const REMEMBERED_DROPS: usize = 1 << 12;

#[derive(Default)]
pub(super) struct Followed {
    values: BTreeMap<CellPath, (Quantity, u64)>,
    drops: BTreeMap<u64, CellPath>,
    revision: u64,
    /// Who is at an earlier revision than this may have missed a drop.
    followable: u64,
}

impl Followed {
    pub(super) fn revision(&self) -> Revision {
        Revision(self.revision)
    }

    /// All numbers, as they are now.
    pub(super) fn see_all(&mut self, cells: &[(CellPath, Quantity)]) {
        let now: BTreeMap<&CellPath, Quantity> = cells.iter().map(|(path, value)| (path, *value)).collect();
        let gone: Vec<_> = self.values.keys().filter(|path| !now.contains_key(path)).cloned().collect();
        gone.into_iter().for_each(|path| self.drop(path));
        now.into_iter().for_each(|(path, value)| self.put(path, value));
    }

    /// All numbers of these cells, as they are now.
    pub(super) fn see(&mut self, ids: &[Arc<CellId>], cells: &[(CellPath, Quantity)]) {
        for id in ids {
            let first = CellPath { cell: Arc::clone(id), replica: "".into() };
            let known = self.values.range(first..).map(|(path, _)| path).take_while(|path| path.cell == *id);
            let is_there = |path: &&CellPath| cells.iter().any(|(there, _)| there == *path);
            let gone: Vec<_> = known.filter(|path| !is_there(path)).cloned().collect();
            gone.into_iter().for_each(|path| self.drop(path));
        }
        cells.iter().for_each(|(path, value)| self.put(path, *value));
    }

    fn put(&mut self, path: &CellPath, value: Quantity) {
        if self.values.get(path).is_some_and(|(known, _)| *known == value) {
            return;
        }
        self.revision += 1;
        self.values.insert(path.clone(), (value, self.revision));
    }

    fn drop(&mut self, path: CellPath) {
        self.values.remove(&path);
        self.revision += 1;
        self.drops.insert(self.revision, path);
        while self.drops.len() > REMEMBERED_DROPS {
            if let Some((oldest, _)) = self.drops.pop_first() {
                self.followable = oldest;
            }
        }
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let cells = self.values.iter().map(|(path, (value, _))| (path.clone(), *value)).collect();
        Snapshot { revision: self.revision(), cells }
    }

    pub(super) fn since(&self, revision: Revision) -> Changes {
        let Revision(since) = revision;
        if since < self.followable || since > self.revision {
            return Changes::All(self.snapshot());
        }
        let changed = self.values.iter().filter(|(_, (_, changed))| *changed > since);
        let changed = changed.map(|(path, (value, changed))| (*changed, path, Some(*value)));
        let dropped = self.drops.range(since + 1..).filter(|(_, path)| !self.values.contains_key(path));
        let dropped = dropped.map(|(dropped, path)| (*dropped, path, None));
        let mut all: Vec<_> = changed.chain(dropped).collect();
        all.sort_unstable_by_key(|(changed, _, _)| *changed);
        let change =
            |(_, path, value): (u64, &CellPath, Option<Quantity>)| CellChange { path: path.clone(), value };
        Changes::Cells { revision: self.revision(), cells: all.into_iter().map(change).collect() }
    }
}
