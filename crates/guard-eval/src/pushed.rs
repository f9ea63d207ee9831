//! What a sidecar holds of our state, and how it is brought up to date.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use guard_core::{CellChange, CellId, Changes, Deadline, Quantity, Revision, Snapshot};
use guard_opa::{Client, DataPath, OpaError, Patch, PatchOp, UnpushableName};

/// Where the state is in OPA's data.
pub(crate) const STATE: [&str; 2] = ["hexarch", "state"];

/// The copy in the sidecar, as far as we know it.
#[derive(Debug, Default)]
pub(crate) struct Pushed {
    /// The revision it has; `None` when it has nothing, or nobody knows.
    pub(crate) revision: Option<Revision>,
    /// The windows that exist there.
    windows: HashSet<Arc<CellId>>,
}

impl Pushed {
    /// Brings the sidecar to these changes. On an error nothing is known any more, and the next push
    /// begins anew; all of its calls can be repeated without harm.
    pub(crate) async fn push(
        &mut self,
        client: &Client,
        changes: Changes,
        deadline: Deadline,
    ) -> Result<(), OpaError> {
        let revision = changes.revision();
        self.revision = None;
        match changes {
            Changes::All(snapshot) => self.push_all(client, snapshot, deadline).await?,
            Changes::Cells { cells, .. } => self.push_cells(client, cells, deadline).await?,
        }
        self.revision = Some(revision);
        Ok(())
    }

    async fn push_all(
        &mut self,
        client: &Client,
        snapshot: Snapshot,
        deadline: Deadline,
    ) -> Result<(), OpaError> {
        for (path, _) in &snapshot.cells {
            window_path(&path.cell)?;
        }
        // In a sidecar that nobody has used yet one call does it.
        if client.create_data(&DataPath::of(STATE)?, &snapshot.to_json(), deadline).await? {
            self.windows = snapshot.cells.into_iter().map(|(path, _)| path.cell).collect();
            return Ok(());
        }
        let mut left: HashSet<_> = std::mem::take(&mut self.windows);
        for (path, _) in &snapshot.cells {
            left.remove(&path.cell);
        }
        self.drop_windows(client, left, deadline).await?;
        let cells = snapshot.cells.into_iter().map(|(path, value)| CellChange { path, value: Some(value) });
        self.push_cells(client, cells.collect(), deadline).await
    }

    async fn push_cells(
        &mut self,
        client: &Client,
        cells: Vec<CellChange>,
        deadline: Deadline,
    ) -> Result<(), OpaError> {
        let mut patches = Vec::with_capacity(cells.len());
        let mut ended = HashSet::new();
        for CellChange { path, value } in cells {
            let Some(value) = value else {
                if self.windows.remove(&path.cell) {
                    ended.insert(path.cell);
                }
                continue;
            };
            self.open_window(client, &path.cell, deadline).await?;
            patches.push(set(&path.cell, &path.replica, value)?);
        }
        if !patches.is_empty() {
            client.patch_data(&DataPath::of(STATE)?, &patches, deadline).await?;
        }
        self.drop_windows(client, ended, deadline).await
    }

    /// Creates a window that does not exist there, and leaves alone one that another replica has created:
    /// a patch could not tell the two apart, and would wipe out the other's cell.
    async fn open_window(
        &mut self,
        client: &Client,
        cell: &Arc<CellId>,
        deadline: Deadline,
    ) -> Result<(), OpaError> {
        if self.windows.contains(cell) {
            return Ok(());
        }
        client.create_data(&window_path(cell)?, "{}", deadline).await?;
        self.windows.insert(Arc::clone(cell));
        Ok(())
    }

    /// A window that has ended has ended for every replica: it goes as a whole.
    async fn drop_windows(
        &self,
        client: &Client,
        ended: HashSet<Arc<CellId>>,
        deadline: Deadline,
    ) -> Result<(), OpaError> {
        let sorted: BTreeMap<_, _> = ended.into_iter().map(|cell| (cell, ())).collect();
        for (cell, ()) in sorted {
            match client.delete_data(&window_path(&cell)?, deadline).await {
                Err(error) if !error.is_not_found() => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Forgets everything, as when the sidecar has been started anew.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }
}

fn window_path(cell: &CellId) -> Result<DataPath, UnpushableName> {
    let [hexarch, state] = STATE;
    DataPath::of([hexarch, state, &cell.limit, &cell.key, &cell.window])
}

fn set(cell: &CellId, replica: &str, value: Quantity) -> Result<Patch, UnpushableName> {
    let path = DataPath::of([cell.limit.as_str(), &cell.key, &cell.window, replica])?;
    Ok(Patch { path, op: PatchOp::Add(value.to_string()) })
}
