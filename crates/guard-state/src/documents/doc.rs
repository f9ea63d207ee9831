//! A cell as it stands in OPA and in a replica's own copy.

use std::collections::VecDeque;
use std::sync::Arc;

use guard_core::{CellId, ReservationId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::cell::{Cell, Meter, Sliding, slot_leaves};
use crate::coded::{Garbled, kind_code, kind_of, meter_code, meter_of};

/// An amount that is held until a moment, in nanoseconds since the epoch; for good when there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Held {
    pub(super) amount: i64,
    pub(super) until: Option<i64>,
    /// How many reservations it is.
    pub(super) open: u32,
}

impl Held {
    fn counts(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| until > now.as_nanos())
    }
}

/// What one replica holds of one cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Doc {
    pub(super) limit: String,
    pub(super) key: String,
    pub(super) window: String,
    pub(super) spent: i64,
    /// What is reserved, by the lease.
    pub(super) reserved: Vec<Held>,
    /// What is asked for and not decided yet. Others count it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) asked: Vec<Held>,
    /// Until when a decision about it can be waited for, in nanoseconds since the epoch.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) patience: i64,
    /// Of two documents of one cell and replica, the one that was published later has the higher number.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) written: i64,
    pub(super) warned: i64,
    pub(super) max: i64,
    pub(super) kind: i64,
    pub(super) ends: Option<i64>,
    pub(super) algorithm: i64,
    pub(super) span: i64,
    pub(super) meter: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands references")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// The name of a cell in a path: 32 digits and dashes, whatever the cell's own names are.
pub(super) fn name_of(cell: &CellId) -> String {
    let CellId { limit, key, window } = cell;
    ReservationId::of_key(limit, &format!("{}:{key}{window}", key.len())).to_string()
}

impl Doc {
    pub(super) fn of(id: &CellId, cell: &Cell, reserved: Vec<Held>) -> Self {
        let (algorithm, span, meter) = meter_code(&cell.meter);
        let CellId { limit, key, window } = id.clone();
        Self {
            limit,
            key,
            window,
            spent: cell.spent,
            reserved,
            asked: Vec::new(),
            patience: 0,
            written: 0,
            warned: cell.warned,
            max: cell.max,
            kind: kind_code(cell.kind),
            ends: cell.ends.map(Timestamp::as_nanos),
            algorithm,
            span,
            meter,
        }
    }

    pub(super) fn id(&self) -> Arc<CellId> {
        let (limit, key, window) = (self.limit.clone(), self.key.clone(), self.window.clone());
        Arc::new(CellId { limit, key, window })
    }

    /// The cell as of `now`, without what no longer counts.
    pub(super) fn cell(&self, now: Timestamp) -> Result<Cell, Garbled> {
        let held = || self.reserved.iter().chain(&self.asked).filter(|held| held.counts(now));
        let mut cell = Cell {
            spent: self.spent,
            reserved: held().map(|held| held.amount).fold(0, i64::saturating_add),
            open: held().map(|held| held.open).fold(0, u32::saturating_add),
            warned: self.warned,
            max: self.max,
            kind: kind_of(self.kind)?,
            ends: self.ends.map(Timestamp::from_nanos),
            meter: meter_of(self.algorithm, self.span, &self.meter)?,
        };
        cell.refresh(now, self.max);
        Ok(cell)
    }

    /// What of it is asked for and may soon be decided.
    pub(super) fn undecided(&self, now: Timestamp, wall: Timestamp) -> i64 {
        if self.patience <= wall.as_nanos() {
            return 0;
        }
        let asked = self.asked.iter().filter(|held| held.counts(now));
        asked.map(|held| held.amount).fold(0, i64::saturating_add)
    }

    /// Whether nothing in it counts any more.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        let open = self.reserved.iter().chain(&self.asked).any(|held| held.counts(now));
        !open && self.ends.is_some_and(|ends| ends <= now.as_nanos())
    }
}

/// Two replicas' parts of a cell together. Where they count in different ways, which the first charge that sees both
/// refuses, what one of them has spent counts as long as the other's.
pub(super) fn together(one: &Cell, two: &Cell) -> Cell {
    let (mut spent, mut meter) = (one.spent.saturating_add(two.spent), one.meter.clone());
    if let (Meter::Sliding(sliding), Meter::Sliding(other)) = (&mut meter, &two.meter) {
        sliding.slots = merged(&sliding.slots, &other.slots, 1);
        spent = sliding.slots.iter().map(|(_, amount)| *amount).fold(0, i64::saturating_add);
    }
    Cell {
        spent,
        reserved: one.reserved.saturating_add(two.reserved),
        open: one.open.saturating_add(two.open),
        warned: one.warned.max(two.warned),
        max: one.max,
        kind: one.kind,
        ends: match one.meter {
            Meter::Fixed => one.ends,
            _ => one.ends.max(two.ends),
        },
        meter,
    }
}

/// What is left of a cell without the others' part.
pub(super) fn apart(mut all: Cell, others: &Cell) -> Cell {
    match (&mut all.meter, &others.meter) {
        (Meter::Sliding(sliding), Meter::Sliding(other)) => {
            let Sliding { slots, .. } = &mut **sliding;
            *slots = merged(slots, &other.slots, -1);
            all.spent = slots.iter().map(|(_, amount)| *amount).fold(0, i64::saturating_add);
        }
        _ => all.spent = all.spent.saturating_sub(others.spent),
    }
    all.reserved = all.reserved.saturating_sub(others.reserved);
    all.open = all.open.saturating_sub(others.open);
    all
}

fn merged(one: &VecDeque<(i64, i64)>, two: &VecDeque<(i64, i64)>, sign: i64) -> VecDeque<(i64, i64)> {
    let mut slots: std::collections::BTreeMap<i64, i64> = one.iter().copied().collect();
    for (slot, amount) in two {
        let held = slots.entry(*slot).or_default();
        *held = held.saturating_add(amount.saturating_mul(sign));
    }
    slots.into_iter().filter(|(_, amount)| *amount != 0).collect()
}

/// Until when an amount counts that was asked for and never decided, since its replica died: as a reservation by its
/// lease; as spending by its window, or by its span.
pub(super) fn asked_until(cell: &Cell, lease: Option<Timestamp>, now: Timestamp) -> Option<i64> {
    match (lease, &cell.meter) {
        (Some(ends), _) => Some(ends.as_nanos()),
        (None, Meter::Sliding(sliding)) => Some(slot_leaves(sliding.span, now).as_nanos()),
        (None, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sliding(slots: &[(i64, i64)]) -> Cell {
        let slots: VecDeque<_> = slots.iter().copied().collect();
        Cell {
            spent: slots.iter().map(|(_, amount)| amount).sum(),
            reserved: 0,
            open: 0,
            warned: 0,
            max: 10,
            kind: guard_core::ChargeKind::Rate,
            ends: None,
            meter: Meter::Sliding(Box::new(Sliding { span: 64_000_000, slots })),
        }
    }

    #[test]
    fn what_was_put_together_is_taken_apart() {
        let (own, others) = (sliding(&[(1, 2), (4, 1)]), sliding(&[(1, 1), (2, 5)]));
        let all = together(&own, &others);
        assert_eq!(all.spent, 9);
        assert_eq!(apart(all.clone(), &others), Cell { ends: all.ends, ..own });
    }

    #[test]
    fn names_that_run_into_each_other_are_apart() {
        let id = |key: &str, window: &str| {
            name_of(&CellId { limit: "l".into(), key: key.into(), window: window.into() })
        };
        assert_ne!(id("ab", "c"), id("a", "bc"));
        assert_eq!(id("a", "b"), id("a", "b"));
    }

    #[test]
    fn a_document_is_read_as_it_was_written() {
        let id = CellId { limit: "l".into(), key: "".into(), window: "/".into() };
        let held = |amount, until| Held { amount, until, open: 1 };
        let mut doc = Doc::of(&id, &sliding(&[(3, 4)]), vec![held(2, Some(50)), held(1, None)]);
        doc.asked = vec![held(7, Some(40))];
        doc.patience = 90;
        let read: Doc = serde_json::from_str(&serde_json::to_string(&doc).unwrap()).unwrap();
        assert_eq!(read, doc);
        let at = Timestamp::from_nanos;
        assert_eq!((read.cell(at(39)).unwrap().reserved, read.undecided(at(39), at(1))), (10, 7));
        assert_eq!((read.cell(at(40)).unwrap().reserved, read.undecided(at(40), at(1))), (3, 0));
        assert_eq!(read.undecided(at(39), at(90)), 0);
        let garbled = Doc { kind: 9, ..doc };
        assert!(garbled.cell(at(0)).is_err());
    }
}
