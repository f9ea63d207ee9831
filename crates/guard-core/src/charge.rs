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
    /// Something that is occupied while a call runs: a place among so many at once. Whatever ends the
    /// reservation frees it, a lease that runs out too.
    Concurrency,
}

impl ChargeKind {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Budget => "budget",
            Self::Rate => "rate",
            Self::Concurrency => "concurrency",
        }
    }
}

/// How long what has been spent counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Algorithm {
    /// Until the window ends that the cell is named after; for ever in one without an end. Right for
    /// budgets, which people read by the calendar.
    #[default]
    Fixed,
    /// For this span: in no stretch of that length, wherever it begins, is more admitted than the maximum.
    /// What counts is kept in [`Algorithm::SLOTS`] slots, so that it is let go up to a slot's length late,
    /// never early.
    Sliding(Duration),
    /// A bucket that holds the maximum, and of which as much leaks away within this span, evenly. Admits a
    /// burst once, then a steady stream.
    Bucket(Duration),
}

impl Algorithm {
    /// Into how many slots a sliding window is cut.
    pub const SLOTS: i64 = 32;

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Sliding(_) => "sliding",
            Self::Bucket(_) => "bucket",
        }
    }

    /// The span in whole microseconds, rounded up and at least one; none of a fixed window.
    pub fn span_micros(self) -> Option<i64> {
        match self {
            Self::Fixed => None,
            Self::Sliding(span) | Self::Bucket(span) => {
                Some(i64::try_from(span.as_nanos().div_ceil(1_000)).unwrap_or(i64::MAX / 4).max(1))
            }
        }
    }

    /// How long a slot of a sliding window is, in microseconds.
    pub const fn slot_micros(span_micros: i64) -> i64 {
        (span_micros + Self::SLOTS - 1) / Self::SLOTS
    }

    /// What leaks out of a bucket of `max` within `span_micros`: so many units every so many microseconds,
    /// both whole, and never faster than asked for.
    pub const fn leak(max: i64, span_micros: i64) -> (i64, i64) {
        if max <= 0 {
            (0, span_micros)
        } else if max <= span_micros {
            (1, (span_micros + max - 1) / max)
        } else {
            (max / span_micros, 1)
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
    /// How long from the moment of the request until the window ends; `None` for one that never ends, and
    /// where the algorithm has a span of its own.
    pub resets_in: Option<Duration>,
    /// How long what is spent counts.
    pub algorithm: Algorithm,
    /// Tell, once for the cell, when it first holds this much.
    pub warn_at: Option<Quantity>,
}

impl Charge {
    /// A charge against a budget whose window never ends.
    pub fn new(cell: Arc<CellId>, amount: Quantity, max: Quantity) -> Self {
        let (kind, algorithm) = (ChargeKind::Budget, Algorithm::Fixed);
        Self { cell, amount, max, kind, resets_in: None, algorithm, warn_at: None }
    }

    /// The most that the cell may hold, and not more than any store can count.
    pub fn ceiling(&self) -> Quantity {
        self.max.min(Quantity::LARGEST)
    }
}

/// The charges of one decision. They are made together or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The debits, shared with the decision that they are of and with the store. The same cell may stand here twice; both
    /// then count.
    pub charges: Arc<[Charge]>,
    /// The moment of the request, from which `resets_in` counts.
    pub at: Timestamp,
    /// Under which name the reservation is settled or refunded.
    pub reservation: ReservationId,
}

/// Names a reservation. Settling and refunding are idempotent by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReservationId(pub u128);

impl ReservationId {
    /// The reservation of a caller's idempotency key: whoever comes with the same key again, after an answer
    /// that was lost, names the same reservation, and is charged once. `scope` keeps callers apart who choose
    /// keys without knowing of each other: a tenant, a policy. The name-based UUID of RFC 9562, section 5.5.
    pub fn of_key(scope: &str, key: &str) -> Self {
        let scope = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, scope.as_bytes());
        Self(uuid::Uuid::new_v5(&scope, key.as_bytes()).as_u128())
    }
}

impl fmt::Display for ReservationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        uuid::Uuid::from_u128(self.0).fmt(f)
    }
}
