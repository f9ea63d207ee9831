//! The state that policies count with: cells, revisions, and what becomes of a charge.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use crate::amount::Quantity;
use crate::charge::{CellId, ReservationId};
use crate::json::write_string;

/// Counts the changes of a store. A later revision of the same store has seen everything that an earlier
/// one has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Revision(pub u64);

/// Where a number stands in `data.hexarch.state`: the cell, and in it the replica that wrote it. Each
/// replica writes only its own; policies sum over them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellPath {
    /// The cell.
    pub cell: Arc<CellId>,
    /// The replica.
    pub replica: Arc<str>,
}

/// One number of the state that has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellChange {
    /// Where it stands.
    pub path: CellPath,
    /// What it is now; `None` when its window has ended and it is gone.
    pub value: Option<Quantity>,
}

/// Cells at a revision: all of a store's, or those a charge has touched.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Snapshot {
    /// The revision.
    pub revision: Revision,
    /// The cells and what they hold, reservations included.
    pub cells: Vec<(CellPath, Quantity)>,
}

impl Snapshot {
    /// The document `data.hexarch.state`: limit, key, window and replica nested in this order, each level
    /// sorted by name.
    pub fn to_json(&self) -> String {
        let sorted: BTreeMap<&CellPath, Quantity> =
            self.cells.iter().map(|(path, value)| (path, *value)).collect();
        let mut out = String::from("{");
        let mut open: Option<[&str; 3]> = None;
        for (path, value) in sorted {
            let now = [path.cell.limit.as_str(), path.cell.key.as_str(), path.cell.window.as_str()];
            open_levels(&mut out, open, now);
            open = Some(now);
            write_string(&mut out, &path.replica);
            // Writing to a string cannot fail.
            let _ = write!(out, ":{value}");
        }
        if open.is_some() {
            out.push_str("}}}");
        }
        out.push('}');
        out
    }

    /// What a cell holds, all replicas together; zero when it is not there.
    pub fn total(&self, cell: &CellId) -> Quantity {
        let held = self.cells.iter().filter(|(path, _)| *path.cell == *cell);
        held.fold(Quantity::ZERO, |sum, (_, value)| sum.plus(*value).unwrap_or(Quantity::new(i64::MAX)))
    }
}

/// Closes the levels of the document that have ended and opens those that begin with `now`.
fn open_levels(out: &mut String, before: Option<[&str; 3]>, now: [&str; 3]) {
    let shared = match before {
        None => 0,
        Some(before) => {
            let shared = before.iter().zip(&now).take_while(|(one, two)| one == two).count();
            for _ in shared..3 {
                out.push('}');
            }
            out.push(',');
            shared
        }
    };
    for name in now.iter().skip(shared) {
        write_string(out, name);
        out.push_str(":{");
    }
}

/// What has changed since a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changes {
    /// Only these cells.
    Cells {
        /// The revision that has them.
        revision: Revision,
        /// The cells.
        cells: Vec<CellChange>,
    },
    /// So much, or so long ago, that the whole state has to be taken anew.
    All(Snapshot),
}

impl Changes {
    /// The revision that these changes lead to.
    pub fn revision(&self) -> Revision {
        match self {
            Self::Cells { revision, .. } => *revision,
            Self::All(snapshot) => snapshot.revision,
        }
    }
}

/// What a store did with a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChargeOutcome {
    /// All of it was made.
    Charged(Charged),
    /// None of it was made, because one limit would have been exceeded.
    Exceeded(Exceeded),
}

/// A batch that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charged {
    /// Under which name it is settled or refunded.
    pub reservation: ReservationId,
    /// The cells that were charged, as they are now.
    pub snapshot: Snapshot,
    /// The thresholds that this batch was the first to reach.
    pub warnings: Vec<Warning>,
}

/// A threshold that a cell has reached. Told once for a cell, that is, once for a window and key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The cell.
    pub cell: Arc<CellId>,
    /// The threshold.
    pub threshold: Quantity,
    /// What the cell holds.
    pub used: Quantity,
}

/// The limit that stopped a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exceeded {
    /// The cell.
    pub cell: Arc<CellId>,
    /// Whether it limits spending or attempts.
    pub kind: crate::charge::ChargeKind,
    /// The most it may hold.
    pub max: Quantity,
    /// What it has left.
    pub remaining: Quantity,
    /// When its window ends; `None` for one that never ends.
    pub retry_after: Option<Duration>,
}

/// What a reservation is settled with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Settlement {
    /// What was reserved.
    #[default]
    AsReserved,
    /// What it really came to, by limit. Limits that are not named keep what was reserved.
    Actual(BTreeMap<String, Quantity>),
}

/// How a reservation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// It was settled.
    Settled,
    /// It was given back.
    Refunded,
    /// Its lease ran out, and it was given back.
    Expired,
}

/// What settling or refunding found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settled {
    /// How the reservation had ended before, when it had: then nothing was done now, except that a
    /// settlement after the lease ran out is still made, since the call did run.
    pub before: Option<Closed>,
    /// By limit, what was settled beyond its maximum. It is counted, and shown as debt.
    pub debt: BTreeMap<String, Quantity>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(limit: &str, key: &str, window: &str, replica: &str) -> CellPath {
        let cell = CellId { limit: limit.into(), key: key.into(), window: window.into() };
        CellPath { cell: Arc::new(cell), replica: replica.into() }
    }

    #[test]
    fn the_document_nests_by_limit_key_window_and_replica() {
        let snapshot = Snapshot {
            revision: Revision(3),
            cells: vec![
                (path("b", "k", "w", "r1"), Quantity::new(4)),
                (path("a", "k", "w2", "r1"), Quantity::new(3)),
                (path("a", "k", "w", "r2"), Quantity::new(2)),
                (path("a", "k", "w", "r1"), Quantity::new(1)),
                (path("a", "k\"", "w", "r1"), Quantity::new(5)),
            ],
        };
        assert_eq!(
            snapshot.to_json(),
            r#"{"a":{"k":{"w":{"r1":1,"r2":2},"w2":{"r1":3}},"k\"":{"w":{"r1":5}}},"b":{"k":{"w":{"r1":4}}}}"#
        );
        serde_json::from_str::<serde_json::Value>(&snapshot.to_json()).unwrap();
        assert_eq!(snapshot.total(&path("a", "k", "w", "").cell), Quantity::new(3));
        assert_eq!(Snapshot::default().to_json(), "{}");
    }

    #[test]
    fn equal_names_at_different_depths_do_not_merge() {
        let cells =
            vec![(path("a", "x", "x", "r"), Quantity::new(1)), (path("b", "x", "x", "r"), Quantity::new(2))];
        let snapshot = Snapshot { revision: Revision(1), cells };
        assert_eq!(snapshot.to_json(), r#"{"a":{"x":{"x":{"r":1}}},"b":{"x":{"x":{"r":2}}}}"#);
    }
}
