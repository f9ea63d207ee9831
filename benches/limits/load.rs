//! The calls: each is charged to its user, its team and everybody.

use std::sync::Arc;
use std::time::Duration;

use guard_core::{Batch, CellId, Charge, ChargeKind, Quantity, ReservationId, Timestamp};

const USERS: usize = 1_000;
const TEAMS: usize = 20;

/// Cells made beforehand, as a policy's answer names them.
pub(crate) struct Load {
    cells: Vec<[Arc<CellId>; 3]>,
    at: Timestamp,
    next: u128,
}

impl Load {
    pub(crate) fn new(at: Timestamp, first: u128) -> Self {
        let cell = |limit: &str, key: String| {
            Arc::new(CellId { limit: limit.to_owned(), key, window: "2026-11".to_owned() })
        };
        let cells = (0..USERS)
            .map(|user| {
                [
                    cell("spending/user", format!("user-{user}")),
                    cell("spending/team", format!("team-{}", user % TEAMS)),
                    cell("spending/organisation", "everybody".to_owned()),
                ]
            })
            .collect();
        Self { cells, at, next: first << 64 }
    }

    /// The next call, charged to all three.
    pub(crate) fn three(&mut self) -> Batch {
        self.of(3, ChargeKind::Budget)
    }

    /// The next call, counted for its user alone.
    pub(crate) fn rate(&mut self) -> Batch {
        self.of(1, ChargeKind::Rate)
    }

    fn of(&mut self, limits: usize, kind: ChargeKind) -> Batch {
        self.next += 1;
        let user = usize::try_from(self.next & u128::from(u32::MAX)).unwrap() % USERS;
        let cells = self.cells.get(user).unwrap().iter().take(limits);
        let charge = |cell: &Arc<CellId>| Charge {
            kind,
            resets_in: Some(Duration::from_secs(3_600)),
            ..Charge::new(Arc::clone(cell), Quantity::new(1), Quantity::new(1 << 40))
        };
        // Names spread as random ones do.
        let id = self.next.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        Batch { charges: cells.map(charge).collect(), at: self.at, reservation: ReservationId(id) }
    }
}
