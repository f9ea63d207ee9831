//! What operators see of the state and do to it, and what a store has to tell.

use std::sync::Arc;

use crate::amount::Quantity;
use crate::charge::{Algorithm, CellId, ChargeKind, ReservationId};
use crate::reply::Reply;
use crate::state::Warning;
use crate::state_error::StateError;
use crate::time::Timestamp;

/// One cell, in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellView {
    /// The cell.
    pub cell: Arc<CellId>,
    /// What is spent.
    pub spent: Quantity,
    /// What is reserved and neither settled nor given back yet.
    pub reserved: Quantity,
    /// How many reservations are open on it.
    pub open: u32,
    /// The most it may hold, as the latest charge had it.
    pub max: Quantity,
    /// The kind of limit.
    pub kind: ChargeKind,
    /// How long what is spent counts.
    pub algorithm: Algorithm,
    /// When the window ends.
    pub ends: Option<Timestamp>,
    /// The highest threshold that has been warned of; zero when none has.
    pub warned: Quantity,
}

impl CellView {
    /// Spent and reserved together.
    pub fn used(&self) -> Quantity {
        self.spent.plus(self.reserved).unwrap_or(Quantity::LARGEST)
    }

    /// What is left.
    pub fn remaining(&self) -> Quantity {
        self.max.minus(self.used()).unwrap_or_default().max(Quantity::ZERO)
    }

    /// By how much it holds more than it may: a settlement came to more than was reserved, or the limit was
    /// lowered below what was spent.
    pub fn debt(&self) -> Quantity {
        self.used().minus(self.max).unwrap_or_default().max(Quantity::ZERO)
    }
}

/// Which cells are meant. What is not said fits all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CellFilter {
    /// The limit.
    pub limit: Option<String>,
    /// The key.
    pub key: Option<String>,
    /// The window.
    pub window: Option<String>,
}

impl CellFilter {
    /// Exactly this cell.
    pub fn exactly(cell: &CellId) -> Self {
        let CellId { limit, key, window } = cell.clone();
        Self { limit: Some(limit), key: Some(key), window: Some(window) }
    }

    /// Whether a cell is meant.
    pub fn fits(&self, cell: &CellId) -> bool {
        let fits = |wanted: &Option<String>, name: &str| wanted.as_ref().is_none_or(|wanted| wanted == name);
        fits(&self.limit, &cell.limit) && fits(&self.key, &cell.key) && fits(&self.window, &cell.window)
    }
}

/// A cell that an operator has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjusted {
    /// The cell.
    pub cell: Arc<CellId>,
    /// What was spent in it before.
    pub before: Quantity,
    /// And is now.
    pub after: Quantity,
}

/// What a store tells besides its answers. Told after it has happened for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StateEvent {
    /// A lease ran out, and what it held was returned.
    LeaseExpired {
        /// The reservation.
        reservation: ReservationId,
        /// What it held.
        returned: Vec<(Arc<CellId>, Quantity)>,
    },
    /// A cell has reached a threshold.
    Warned(Warning),
    /// An operator has changed a cell.
    Adjusted(Adjusted),
}

/// Hears what a store tells, for logs and the audit. Called without any lock of the store's.
pub trait StateListener: Send + Sync {
    /// Something has happened.
    fn tell(&self, event: &StateEvent);
}

/// Listens to nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoListener;

impl StateListener for NoListener {
    fn tell(&self, _event: &StateEvent) {}
}

/// A store as operators use it. Reservations that are open stay open, whatever is set.
pub trait StateOperator: Send + Sync {
    /// The cells that fit, sorted by name.
    fn list<'a>(&'a self, filter: &'a CellFilter) -> Reply<'a, Result<Vec<CellView>, StateError>>;

    /// Sets what is spent in the cells that fit and are there, and lets their warnings be told again.
    fn set<'a>(
        &'a self,
        filter: &'a CellFilter,
        spent: Quantity,
    ) -> Reply<'a, Result<Vec<Adjusted>, StateError>>;

    /// Sets the same to nothing.
    fn reset<'a>(&'a self, filter: &'a CellFilter) -> Reply<'a, Result<Vec<Adjusted>, StateError>> {
        self.set(filter, Quantity::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debt_is_what_a_cell_holds_beyond_its_maximum() {
        let cell = Arc::new(CellId { limit: "l".into(), key: "k".into(), window: "w".into() });
        let view = |spent, reserved| CellView {
            cell: Arc::clone(&cell),
            spent: Quantity::new(spent),
            reserved: Quantity::new(reserved),
            open: 0,
            max: Quantity::new(10),
            kind: ChargeKind::Budget,
            algorithm: Algorithm::Fixed,
            ends: None,
            warned: Quantity::ZERO,
        };
        assert_eq!((view(4, 3).remaining().units(), view(4, 3).debt().units()), (3, 0));
        assert_eq!((view(9, 3).remaining().units(), view(9, 3).debt().units()), (0, 2));
        assert!(CellFilter::exactly(&cell).fits(&cell));
        assert!(!CellFilter { key: Some("x".into()), ..CellFilter::default() }.fits(&cell));
    }
}
