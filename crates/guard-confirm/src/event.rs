//! What is told while it happens.

use crate::entry::{Entry, Vote};

/// What happened at a desk of this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfirmEvent {
    /// The confirmation, as it is now.
    pub entry: Entry,
    /// What happened to it.
    pub what: Happened,
}

/// See [`ConfirmEvent`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    /// A call is held.
    Asked,
    /// Somebody answered; the entry tells whether that decided it.
    Voted(Vote),
    /// The caller went on.
    Consumed,
    /// Its time ran out.
    Expired,
}

impl ConfirmEvent {
    pub(crate) fn asked(entry: &Entry) -> Self {
        Self { entry: entry.clone(), what: Happened::Asked }
    }

    pub(crate) fn voted(entry: &Entry, vote: &Vote) -> Self {
        Self { entry: entry.clone(), what: Happened::Voted(vote.clone()) }
    }

    pub(crate) fn consumed(entry: &Entry) -> Self {
        Self { entry: entry.clone(), what: Happened::Consumed }
    }

    pub(crate) fn expired(entry: &Entry) -> Self {
        Self { entry: entry.clone(), what: Happened::Expired }
    }
}

/// Hears of it. What other processes do at the same store is not told here.
pub trait ConfirmListener: Send + Sync {
    /// Something has happened. Must not block.
    fn tell(&self, event: &ConfirmEvent);
}

/// Hears nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoListener;

impl ConfirmListener for NoListener {
    fn tell(&self, _event: &ConfirmEvent) {}
}
