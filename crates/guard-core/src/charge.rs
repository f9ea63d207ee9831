//! What a decision debits, and from which cell of the state.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::amount::Quantity;
use crate::time::Timestamp;

/// The cell of the state that a charge goes to: one window of one key of one limit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellId {
    /// The limit: what is counted, by the name its policy gives it.
    pub limit: String,
    /// Whom or what it is counted for: a user, a resource, or one word for everybody.
    pub key: String,
    /// The stretch of time it is counted over, such as `2026-11` or `2026-11-22T06:36`.
    pub window: String,
}

impl fmt::Display for CellId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.limit, self.key, self.window)
    }
}

/// What a limit limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ChargeKind {
    /// Something that is spent and can be given back: money, tokens. A refund returns it.
    #[default]
    Budget,
    /// A number of attempts. An attempt that was let through has been made, however it ended, so a refund
    /// leaves it counted: a loop that fails every time must not escape its rate.
    Rate,
}

impl ChargeKind {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Budget => "budget",
            Self::Rate => "rate",
        }
    }
}

/// One debit against one limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// The cell that is debited.
    pub cell: Arc<CellId>,
    /// How much.
    pub amount: Quantity,
    /// The most that the cell may hold afterwards.
    pub max: Quantity,
    /// What kind of limit it is.
    pub kind: ChargeKind,
    /// How long from the moment of the request until the window ends; `None` for one that never ends.
    pub resets_in: Option<Duration>,
}

/// The charges of one decision. They are made together or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The debits. The same cell may stand here twice; both then count.
    pub charges: Vec<Charge>,
    /// The moment of the request, from which `resets_in` counts.
    pub at: Timestamp,
    /// Under which name the reservation is settled or refunded.
    pub reservation: ReservationId,
}

/// Names a reservation. Settling and refunding are idempotent by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReservationId(pub u128);

impl fmt::Display for ReservationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        uuid::Uuid::from_u128(self.0).fmt(f)
    }
}
