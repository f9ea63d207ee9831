//! What a process has in hand of one cell.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use guard_core::{CellPath, Charge, Quantity, ReservationId, Timestamp, Warning};

use crate::leased::LeasedConfig;

/// A reservation at the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slice {
    pub(super) id: ReservationId,
    pub(super) amount: i64,
}

pub(super) struct Purse {
    /// A charge as the slices are taken by, and when it was made.
    pub(super) sample: Charge,
    pub(super) at: Timestamp,
    /// The limit's maximum, as the slices were taken under.
    pub(super) max: Quantity,
    /// What is spent at the store for this process, of slices.
    settled: i64,
    /// What is spent here, as of the last call.
    pub(super) spent: i64,
    /// What is spent there besides: what calls came to beyond what was reserved for them.
    covered: i64,
    /// What of that the store may have heard, for calls that are not settled here yet: by what it is called there.
    beyond: BTreeMap<ReservationId, i64>,
    /// By which number the journal knows the cell.
    pub(super) noted: Option<usize>,
    /// What is reserved there and may be spent here, oldest first.
    slices: Vec<Slice>,
    /// A slice with a lease, of which nothing is spent.
    pub(super) spare: Option<Slice>,
    spare_since: Timestamp,
    /// What the others have used, as of the last slice.
    others: Option<i64>,
    /// What the limit had left then.
    pub(super) remaining: i64,
    /// The size of the last slice.
    last: i64,
    /// Whether the next slice is on its way.
    pub(super) fetching: bool,
    /// Thresholds that a slice was the first to reach; told with the next charge.
    pub(super) warnings: Vec<Warning>,
}

impl Purse {
    pub(super) fn new(charge: &Charge, at: Timestamp) -> Self {
        Self {
            sample: charge.clone(),
            at,
            max: charge.ceiling(),
            settled: 0,
            spent: 0,
            covered: 0,
            beyond: BTreeMap::new(),
            noted: None,
            slices: Vec::new(),
            spare: None,
            spare_since: at,
            others: None,
            remaining: 0,
            last: 0,
            fetching: false,
            warnings: Vec::new(),
        }
    }

    /// The most that may be spent and reserved here.
    pub(super) fn granted(&self) -> i64 {
        let settled = self.settled.saturating_add(self.covered);
        self.slices.iter().map(|slice| slice.amount).fold(settled, i64::saturating_add)
    }

    /// What is drawn of slices, when so much is spent in all.
    pub(super) fn drawn(&self, spent: i64) -> i64 {
        spent.saturating_sub(self.covered)
    }

    /// How large the next slice is.
    pub(super) fn next_size(&self, config: &LeasedConfig) -> i64 {
        (self.remaining / config.parts.max(1)).min(config.largest.units())
    }

    /// A slice that was taken for this charge, when all have used `total`.
    pub(super) fn add(&mut self, slice: Slice, charge: &Charge, at: Timestamp, total: Quantity) {
        if self.max != charge.ceiling() {
            (self.max, self.sample, self.at) = (charge.ceiling(), charge.clone(), at);
        }
        self.slices.push(slice);
        self.last = slice.amount;
        self.remaining = self.max.units().saturating_sub(total.units()).max(0);
        self.others = Some(total.units().saturating_sub(self.granted()).max(0));
        self.fetching = false;
    }

    /// The store is about to be told of spending beyond what was reserved here, or was: then for the first time or not.
    pub(super) fn go_beyond(&mut self, id: ReservationId, amount: i64, is_known: bool) {
        let told = self.beyond.entry(id).or_insert(amount);
        if is_known {
            *told = amount;
        }
    }

    /// That spending is spent here now.
    pub(super) fn cover(&mut self, id: ReservationId) {
        let amount = self.beyond.remove(&id).unwrap_or(0);
        self.covered = self.covered.saturating_add(amount);
    }

    /// What everybody uses, as far as it is known: the others as of the last slice.
    pub(super) fn seen(&self, replica: &Arc<str>, used: i64) -> Option<(CellPath, Quantity)> {
        let path = CellPath { cell: Arc::clone(&self.sample.cell), replica: Arc::clone(replica) };
        Some((path, Quantity::new(self.others?.saturating_add(used))))
    }

    /// Whether it is time to fetch the next slice.
    pub(super) fn runs_low(&self, used: i64) -> bool {
        let left = self.granted().saturating_sub(used);
        !self.fetching && self.last > 1 && self.remaining > 0 && left < self.last / 2
    }

    /// The slices that are wholly spent, when so much is spent in all.
    pub(super) fn take_spent(&mut self, spent: i64) -> Vec<Slice> {
        let mut taken = Vec::new();
        let mut left = self.drawn(spent).saturating_sub(self.settled);
        self.slices.retain(|slice| {
            let is_spent = slice.amount <= left;
            if is_spent {
                left -= slice.amount;
                taken.push(*slice);
            }
            !is_spent
        });
        self.settled = taken.iter().map(|slice| slice.amount).fold(self.settled, i64::saturating_add);
        taken
    }

    /// Gives up all that is not needed, when so much is spent and reserved here: the slices, and what of each is spent. A
    /// slice that open reservations need is kept whole.
    pub(super) fn close(&mut self, spent: i64, reserved: i64) -> Vec<(ReservationId, i64)> {
        // The next slice is fetched by who needs it, and not before.
        self.last = 0;
        let taken = self.take_spent(spent);
        let mut out: Vec<_> = taken.iter().map(|slice| (slice.id, slice.amount)).collect();
        // Less than any slice that is left.
        let partly = self.drawn(spent).saturating_sub(self.settled).max(0);
        let mut slices = std::mem::take(&mut self.slices);
        slices.sort_unstable_by_key(|slice| slice.amount);
        let mut needed = partly.saturating_add(reserved);
        if reserved == 0 && needed > 0 && !slices.is_empty() {
            let slice = slices.remove(0);
            out.push((slice.id, partly));
            self.settled = self.settled.saturating_add(partly);
            needed = 0;
        }
        // Of those that remain, as little as possible.
        while needed > 0 && !slices.is_empty() {
            let large = slices.iter().position(|slice| slice.amount >= needed);
            let slice = slices.remove(large.unwrap_or(slices.len() - 1));
            needed = needed.saturating_sub(slice.amount);
            self.slices.push(slice);
        }
        out.extend(slices.iter().map(|slice| (slice.id, 0)));
        out
    }

    /// The newest slice, which counts as spent from then on.
    pub(super) fn take_last(&mut self) -> Option<Slice> {
        let slice = self.slices.pop()?;
        self.settled = self.settled.saturating_add(slice.amount);
        Some(slice)
    }

    /// The spare slice, when slices have become much smaller since.
    pub(super) fn take_large_spare(&mut self, size: i64) -> Option<Slice> {
        self.spare.take_if(|spare| spare.amount > size.saturating_mul(2))
    }

    pub(super) fn keep_spare(&mut self, slice: Slice, now: Timestamp) {
        (self.spare, self.spare_since) = (Some(slice), now);
    }

    /// Whether nothing is in hand.
    pub(super) fn is_empty(&self) -> bool {
        self.slices.is_empty() && self.spare.is_none()
    }

    /// Whether the spare slice's lease has hardly begun.
    pub(super) fn spare_is_fresh(&self, now: Timestamp, lease: Duration) -> bool {
        self.spare.is_some() && now.since(self.spare_since) < lease / 2
    }

    /// Whether its window has ended. Before that a call would find the store still full of what is being given back.
    pub(super) fn has_ended(&self, now: Timestamp) -> bool {
        self.sample.resets_in.is_some_and(|left| self.at.plus(left) <= now)
    }
}

#[cfg(test)]
mod tests {
    use guard_core::CellId;

    use super::*;

    fn purse(amounts: &[i64]) -> Purse {
        let cell = Arc::new(CellId { limit: "l".into(), key: "k".into(), window: "w".into() });
        let charge = Charge::new(cell, Quantity::new(1), Quantity::new(1_000));
        let mut purse = Purse::new(&charge, Timestamp::from_seconds(1));
        for (id, amount) in (1..).zip(amounts) {
            let slice = Slice { id: ReservationId(id), amount: *amount };
            purse.add(slice, &charge, Timestamp::from_seconds(1), Quantity::new(*amount));
        }
        purse
    }

    fn given_up(purse: &mut Purse, spent: i64, reserved: i64) -> Vec<(u128, i64)> {
        let out = purse.close(spent, reserved);
        // What is spent and reserved stays covered.
        assert!(purse.granted() >= spent + reserved);
        out.into_iter().map(|(id, spent)| (id.0, spent)).collect()
    }

    #[test]
    fn what_is_not_spent_is_given_up() {
        assert_eq!(given_up(&mut purse(&[10, 10, 10]), 13, 0), [(1, 10), (2, 3), (3, 0)]);
        assert_eq!(given_up(&mut purse(&[10]), 0, 0), [(1, 0)]);
        let mut twice = purse(&[10]);
        assert_eq!(given_up(&mut twice, 4, 0), [(1, 4)]);
        assert_eq!((given_up(&mut twice, 4, 0), twice.granted()), (vec![], 4));
    }

    #[test]
    fn what_is_reserved_keeps_its_slices() {
        assert_eq!(given_up(&mut purse(&[10, 8, 10]), 3, 4), [(1, 0), (3, 0)]);
        assert_eq!(given_up(&mut purse(&[10, 10, 10]), 12, 9), [(1, 10)]);
    }

    #[test]
    fn what_the_store_was_told_besides_is_drawn_of_no_slice() {
        let mut purse = purse(&[10]);
        let extra = ReservationId(99);
        purse.go_beyond(extra, 30, false);
        // Until the call is settled here nobody may spend it.
        assert_eq!(purse.granted(), 10);
        purse.go_beyond(extra, 31, true);
        purse.go_beyond(extra, 30, false);
        purse.cover(extra);
        purse.cover(extra);
        assert_eq!((purse.granted(), purse.drawn(35)), (41, 4));
        assert_eq!(given_up(&mut purse, 35, 0), [(1, 4)]);
    }

    #[test]
    fn spent_slices_are_settled_whole() {
        let mut purse = purse(&[5, 5, 5]);
        assert_eq!(purse.take_spent(4), []);
        assert_eq!(purse.take_spent(11).len(), 2);
        assert_eq!((purse.granted(), purse.take_spent(14)), (15, vec![]));
    }
}
