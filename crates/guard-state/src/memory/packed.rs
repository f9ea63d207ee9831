//! A cell as the table keeps it.

use guard_core::{ChargeKind, Timestamp};

use crate::cell::{Cell, Meter};

/// A cell in fewer bytes. The end is a number, since the last moment of time is as good as none.
pub(super) struct Packed {
    spent: i64,
    reserved: i64,
    warned: i64,
    max: i64,
    ends: i64,
    meter: Meter,
    open: u32,
    kind: ChargeKind,
}

impl Packed {
    pub(super) fn of(cell: Cell) -> Self {
        let Cell { spent, reserved, open, warned, max, kind, ends, meter } = cell;
        let ends = ends.map_or(i64::MAX, Timestamp::as_nanos);
        Self { spent, reserved, warned, max, ends, meter, open, kind }
    }

    pub(super) fn unpacked(&self) -> Cell {
        let Self { spent, reserved, warned, max, ends: _, meter, open, kind } = self;
        Cell {
            spent: *spent,
            reserved: *reserved,
            open: *open,
            warned: *warned,
            max: *max,
            kind: *kind,
            ends: self.ends(),
            meter: meter.clone(),
        }
    }

    pub(super) fn used(&self) -> i64 {
        self.spent.saturating_add(self.reserved)
    }

    /// Whether it may be dropped.
    pub(super) fn has_ended(&self, now: Timestamp) -> bool {
        self.open == 0 && self.ends().is_some_and(|ends| ends <= now)
    }

    pub(super) fn ends(&self) -> Option<Timestamp> {
        (self.ends != i64::MAX).then(|| Timestamp::from_nanos(self.ends))
    }
}
