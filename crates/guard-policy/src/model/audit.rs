//! `audit`: where records are kept.

use crate::problem::Place;

/// What the file says about records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    pub(crate) store: AuditStore,
    pub(crate) durability: AuditDurability,
    pub(crate) queue: u64,
    pub(crate) place: Place,
}

impl Audit {
    /// The store.
    pub const fn store(&self) -> &AuditStore {
        &self.store
    }

    /// When a record is kept; grouped where the file does not say.
    pub const fn durability(&self) -> AuditDurability {
        self.durability
    }

    /// How many records may wait for the store; 10 000 where the file does not say.
    pub const fn queue(&self) -> u64 {
        self.queue
    }

    /// Where the file names the store.
    pub const fn place(&self) -> Place {
        self.place
    }
}

/// `audit.store`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuditStore {
    /// Nothing is kept.
    None,
    /// A file that the processes of one machine share.
    Sqlite {
        /// Its path, from the directory that the process runs in.
        path: String,
    },
}

/// `audit.durability`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum AuditDurability {
    /// Before the call runs or is denied.
    BeforeOutcome,
    /// As soon as may be, each group on the disk.
    #[default]
    Grouped,
    /// The same, on the disk when the system writes it.
    Async,
}
