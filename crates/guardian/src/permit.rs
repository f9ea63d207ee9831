//! The right to run one call.

use std::collections::BTreeMap;
use std::pin::pin;

use guard_core::{Charged, Decision, DecisionId, LimitFields, Quantity, Settlement, Violation, block_on};

use crate::active::Active;
use crate::machine::{Event, Ran};

/// A call that may run, and what has been reserved for it. Complete it when the call is done; dropped
/// without that, by a panic or with a cancelled future, it gives back what was reserved.
#[must_use = "dropping a permit gives back what was reserved for the call"]
pub struct Permit {
    active: Active,
    spent: BTreeMap<String, Quantity>,
}

impl Permit {
    pub(crate) fn new(active: Active) -> Self {
        Self { active, spent: BTreeMap::new() }
    }

    /// Names the decision in the record.
    pub fn decision_id(&self) -> DecisionId {
        self.active.machine().id()
    }

    /// What the policy said.
    pub fn decision(&self) -> &Decision {
        self.active.machine().decision()
    }

    /// What would have stopped the call, if anything were enforced.
    pub fn objection(&self) -> Option<&Violation> {
        self.active.machine().objection()
    }

    /// What was charged for the call, and what its cells hold now; none where its policy counts nothing.
    pub fn charged(&self) -> Option<&Charged> {
        self.active.machine().charged()
    }

    /// What the limits that the call was charged to have left, for a response's header.
    pub fn limits(&self) -> LimitFields {
        match self.charged() {
            Some(charged) => LimitFields::of_charged(&self.decision().charges, charged),
            None => LimitFields::default(),
        }
    }

    /// Which evaluator decided; none when the call runs because its class fails open.
    pub fn engine(&self) -> Option<&'static str> {
        self.active.machine().engine()
    }

    /// Says what the call really took of a limit, in the limit's unit, in place of what was reserved.
    pub fn spent(&mut self, limit: impl Into<String>, quantity: Quantity) {
        self.spent.insert(limit.into(), quantity);
    }

    /// The call is done: its charges are settled. A store that fails now is logged and recorded; it does
    /// not take the call's result away. Dropped while it waits, it goes on by itself.
    pub async fn complete(mut self) {
        let settlement = match self.spent.is_empty() {
            true => Settlement::AsReserved,
            false => Settlement::Actual(std::mem::take(&mut self.spent)),
        };
        self.active.advance(Event::Ran(Ran::Completed(settlement))).await;
    }

    /// The same on this thread, without a runtime.
    pub fn complete_now(self) {
        block_on(pin!(self.complete()));
    }
}
