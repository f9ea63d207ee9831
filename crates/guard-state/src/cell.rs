//! One cell: what it holds, what it may take, and when it lets go.
//!
//! All times of a meter are whole microseconds, and all quantities at most [`Quantity::LARGEST`], so that the same
//! arithmetic is exact in every store, in one whose numbers are floats too.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use guard_core::{
    Algorithm, CellId, CellView, Charge, ChargeKind, Disagreement, Exceeded, Quantity, StateError, Timestamp,
};

/// Two ends of one window that are no further apart than this are the same: a request says how long its window still
/// lasts in milliseconds, rounded up.
const SAME_END: Duration = Duration::from_secs(1);

/// One window of one key of one limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cell {
    /// What is spent. Of a meter: what of it counts, as of the last change.
    pub(crate) spent: i64,
    /// What is reserved.
    pub(crate) reserved: i64,
    /// How many reservations are open. A cell that has any is not dropped when its window ends.
    pub(crate) open: u32,
    /// The highest threshold that has been told.
    pub(crate) warned: i64,
    /// The maximum of the latest charge.
    pub(crate) max: i64,
    pub(crate) kind: ChargeKind,
    /// When it may be dropped: the end of its window, or of a meter the moment when nothing in it counts any more.
    pub(crate) ends: Option<Timestamp>,
    pub(crate) meter: Meter,
}

/// What a cell knows about when its spending stops to count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Meter {
    /// All of it counts until the window ends.
    Fixed,
    /// The slots that count, oldest first: the number of the slot, and what was spent in it.
    Sliding(Box<Sliding>),
    /// What leaks.
    Bucket(Box<Bucket>),
}

/// The slots that count, oldest first: the number of the slot, and what was spent in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sliding {
    pub(crate) span: i64,
    pub(crate) slots: VecDeque<(i64, i64)>,
}

/// A bucket, and the moment up to which the leak has been taken off, in microseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bucket {
    pub(crate) span: i64,
    pub(crate) since: i64,
}

/// Microseconds since the epoch.
pub(crate) fn micros(at: Timestamp) -> i64 {
    at.as_nanos().div_euclid(1_000)
}

fn from_micros(micros: i64) -> Timestamp {
    Timestamp::from_nanos(micros.saturating_mul(1_000))
}

fn span_between(now: Timestamp, micros: i64) -> Duration {
    from_micros(micros).since(now)
}

impl Cell {
    /// An empty cell for a charge made at `at`.
    pub(crate) fn open(charge: &Charge, at: Timestamp, now: Timestamp) -> Self {
        let span = charge.algorithm.span_micros().unwrap_or_default();
        let meter = match charge.algorithm {
            Algorithm::Fixed => Meter::Fixed,
            Algorithm::Sliding(_) => Meter::Sliding(Box::new(Sliding { span, slots: VecDeque::new() })),
            Algorithm::Bucket(_) => Meter::Bucket(Box::new(Bucket { span, since: micros(now) })),
        };
        Self {
            spent: 0,
            reserved: 0,
            open: 0,
            warned: 0,
            max: charge.ceiling().units(),
            kind: charge.kind,
            ends: window_end(charge, at),
            meter,
        }
    }

    /// Spent and reserved.
    pub(crate) fn used(&self) -> i64 {
        self.spent.saturating_add(self.reserved)
    }

    /// Whether a charge means the limit that this cell counts.
    pub(crate) fn agrees(&self, charge: &Charge, at: Timestamp) -> Result<(), StateError> {
        let detail = match (&self.meter, charge.algorithm) {
            (Meter::Fixed, Algorithm::Fixed) => match (self.ends, window_end(charge, at)) {
                (None, None) => return Ok(()),
                (Some(one), Some(two)) if one.since(two).max(two.since(one)) <= SAME_END => return Ok(()),
                (one, two) => format!("it ends {}, and {}", shown(one), shown(two)),
            },
            (_, other) if other == self.algorithm() => return Ok(()),
            (_, other) => format!("it counts by {:?}, and by {other:?}", self.algorithm()),
        };
        let CellId { limit, window, .. } = (*charge.cell).clone();
        Err(Disagreement { limit, window, detail }.into())
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        let span = |span: i64| Duration::from_micros(u64::try_from(span).unwrap_or_default());
        match &self.meter {
            Meter::Fixed => Algorithm::Fixed,
            Meter::Sliding(sliding) => Algorithm::Sliding(span(sliding.span)),
            Meter::Bucket(bucket) => Algorithm::Bucket(span(bucket.span)),
        }
    }

    /// Lets go of what no longer counts.
    pub(crate) fn refresh(&mut self, now: Timestamp, max: i64) {
        let now = micros(now);
        match &mut self.meter {
            Meter::Fixed => {}
            Meter::Sliding(sliding) => {
                let Sliding { span, slots } = &mut **sliding;
                let length = Algorithm::slot_micros(*span);
                while let Some((slot, amount)) = slots.front().copied()
                    && leaves(slot, length, *span) <= now
                {
                    slots.pop_front();
                    self.spent -= amount;
                }
            }
            Meter::Bucket(bucket) => {
                let Bucket { span, since } = &mut **bucket;
                let (units, every) = Algorithm::leak(max, *span);
                let times = now.saturating_sub(*since).max(0) / every;
                self.spent = self.spent.saturating_sub(times.saturating_mul(units)).max(0);
                *since = since.saturating_add(times.saturating_mul(every));
                if self.spent == 0 {
                    *since = now.max(*since);
                }
            }
        }
    }

    /// Counts spending, which may be negative when less was taken than had been counted.
    pub(crate) fn spend(&mut self, amount: i64, now: Timestamp) {
        let at = micros(now);
        match &mut self.meter {
            Meter::Fixed => self.spent += amount,
            Meter::Sliding(sliding) => {
                let Sliding { span, slots } = &mut **sliding;
                let slot = at.div_euclid(Algorithm::slot_micros(*span));
                self.spent += if amount < 0 { take_back(slots, amount) } else { put(slots, slot, amount) };
            }
            Meter::Bucket(_) => self.spent = (self.spent + amount).max(0),
        }
        self.set_end(now);
    }

    /// Of a meter: when nothing in it will count any more.
    pub(crate) fn set_end(&mut self, now: Timestamp) {
        let now = micros(now);
        let ends = match &self.meter {
            Meter::Fixed => return,
            Meter::Sliding(sliding) => {
                let length = Algorithm::slot_micros(sliding.span);
                sliding.slots.back().map_or(now, |(slot, _)| leaves(*slot, length, sliding.span))
            }
            Meter::Bucket(bucket) => {
                bucket.since.saturating_add(drain_time(self.spent, self.max, bucket.span))
            }
        };
        self.ends = Some(from_micros(ends));
    }

    /// Why a charge does not fit, when it does not.
    pub(crate) fn stops(&self, charge: &Charge, at: Timestamp, now: Timestamp) -> Option<Exceeded> {
        let (amount, max) = (charge.amount.units(), charge.ceiling().units());
        let excess = self.used().saturating_add(amount).saturating_sub(max);
        if excess <= 0 || amount == 0 {
            return None;
        }
        let retry_after = match &self.meter {
            Meter::Fixed => window_end(charge, at).map(|ends| ends.since(now)),
            _ if self.reserved.saturating_add(amount) > max => None,
            Meter::Sliding(sliding) => {
                let Sliding { span, slots } = &**sliding;
                let length = Algorithm::slot_micros(*span);
                let mut freed = 0;
                let last = slots.iter().find(|(_, amount)| {
                    freed += amount;
                    freed >= excess
                });
                last.map(|(slot, _)| span_between(now, leaves(*slot, length, *span)))
            }
            Meter::Bucket(bucket) => {
                let drained = bucket.since.saturating_add(drain_time(excess, max, bucket.span));
                Some(span_between(now, drained))
            }
        };
        Some(Exceeded {
            cell: Arc::clone(&charge.cell),
            kind: charge.kind,
            max: charge.max,
            remaining: Quantity::new(max.saturating_sub(self.used()).max(0)),
            retry_after,
        })
    }

    /// What a policy and an operator see.
    pub(crate) fn view(&self, id: &Arc<CellId>, now: Timestamp) -> CellView {
        let mut cell = self.clone();
        cell.refresh(now, self.max);
        CellView {
            cell: Arc::clone(id),
            spent: Quantity::new(cell.spent),
            reserved: Quantity::new(cell.reserved),
            open: cell.open,
            max: Quantity::new(cell.max),
            kind: cell.kind,
            algorithm: cell.algorithm(),
            ends: cell.ends,
            warned: Quantity::new(cell.warned),
        }
    }

    /// An operator says what is spent.
    pub(crate) fn set_spent(&mut self, spent: i64, now: Timestamp) {
        match &mut self.meter {
            Meter::Fixed => {}
            Meter::Sliding(sliding) => sliding.slots.clear(),
            Meter::Bucket(bucket) => bucket.since = micros(now),
        }
        (self.spent, self.warned) = (0, 0);
        self.spend(spent, now);
    }
}

/// When the window of a charge ends. A meter has none.
pub(crate) fn window_end(charge: &Charge, at: Timestamp) -> Option<Timestamp> {
    match charge.algorithm {
        Algorithm::Fixed => charge.resets_in.map(|span| at.plus(span)),
        Algorithm::Sliding(_) | Algorithm::Bucket(_) => None,
    }
}

/// A slot counts until its last moment is a whole span ago.
fn leaves(slot: i64, length: i64, span: i64) -> i64 {
    slot.saturating_add(1).saturating_mul(length).saturating_add(span)
}

/// Until when what is spent now counts in a sliding window.
#[cfg(feature = "opa")]
pub(crate) fn slot_leaves(span: i64, now: Timestamp) -> Timestamp {
    let length = Algorithm::slot_micros(span);
    from_micros(leaves(micros(now).div_euclid(length), length, span))
}

/// How long a bucket takes to lose so many units, in microseconds.
fn drain_time(units: i64, max: i64, span: i64) -> i64 {
    let (leak, every) = Algorithm::leak(max, span);
    match leak {
        0 => span,
        leak => (units.saturating_add(leak - 1) / leak).saturating_mul(every),
    }
}

fn put(slots: &mut VecDeque<(i64, i64)>, slot: i64, amount: i64) -> i64 {
    match slots.back_mut() {
        // A slot after this one: the clock was set back. It counts with the latest, and so longer, not shorter.
        Some((latest, held)) if *latest >= slot => *held += amount,
        _ => slots.push_back((slot, amount)),
    }
    amount
}

/// Takes from the newest slots, since what was counted last is what is corrected.
fn take_back(slots: &mut VecDeque<(i64, i64)>, amount: i64) -> i64 {
    let mut left = -amount;
    for (_, held) in slots.iter_mut().rev() {
        let taken = left.min(*held);
        *held -= taken;
        left -= taken;
    }
    amount + left
}

fn shown(end: Option<Timestamp>) -> String {
    end.map_or_else(|| "never".to_owned(), |end| format!("at {end}"))
}
