//! What is kept of every decision.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::decision::Action;
use crate::json::Json;
use crate::state::Revision;
use crate::time::Timestamp;

/// Names a decision: in the record, in the violation and in the logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DecisionId(u128);

impl DecisionId {
    /// A new one, random (UUID version 4).
    pub fn random() -> Self {
        Self(uuid::Uuid::new_v4().as_u128())
    }

    /// A new one that nobody else has, without asking the system for randomness each time: a random one (UUID version 4)
    /// for this thread of this process, its lower half counted on and mixed. Ids of one thread have their upper half in
    /// common; what must not be guessed is taken from elsewhere.
    pub fn unique() -> Self {
        // A thread that ends has no place for it any more.
        let next = UNIQUE.try_with(|known| {
            let next = known.get().next();
            known.set(next);
            next
        });
        next.map_or_else(|_| Self::random(), Unique::id)
    }

    /// One that is known already.
    pub const fn from_u128(value: u128) -> Self {
        Self(value)
    }

    /// Its 128 bits.
    pub const fn as_u128(self) -> u128 {
        self.0
    }
}

thread_local! {
    static UNIQUE: Cell<Unique> = const { Cell::new(Unique { process: 0, random: 0, count: 0 }) };
}

/// Where a thread's ids have got to.
#[derive(Clone, Copy)]
struct Unique {
    /// A process that was forked has its parent's memory, and must not have its ids.
    process: u32,
    random: u128,
    count: u64,
}

impl Unique {
    fn next(self) -> Self {
        let process = std::process::id();
        if process == self.process {
            return Self { count: self.count.wrapping_add(1), ..self };
        }
        Self { process, random: uuid::Uuid::new_v4().as_u128(), count: 0 }
    }

    /// Different for each count, since each step of the mixture can be undone (the finaliser of SplitMix64, Steele, Lea
    /// and Flood 2014). The two bits of a UUID's variant stay.
    const fn id(self) -> DecisionId {
        const COUNTED: u32 = 62;
        let mask = (1 << COUNTED) - 1;
        let mut low =
            (self.random as u64).wrapping_add(self.count.wrapping_mul(0x9e37_79b9_7f4a_7c15)) & mask;
        low = ((low ^ (low >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9)) & mask;
        low = ((low ^ (low >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb)) & mask;
        low ^= low >> 31;
        DecisionId(self.random & !(mask as u128) | low as u128)
    }
}

impl fmt::Display for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        uuid::Uuid::from_u128(self.0).fmt(f)
    }
}

/// What a record says became of the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Recorded {
    /// It may run.
    Allowed,
    /// It may run, with a warning.
    Warned,
    /// It may not run.
    Blocked,
    /// It waits for a person.
    Pending,
    /// There was no decision; the fail mode decided.
    Error,
}

impl Recorded {
    /// The name in the record.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Warned => "warned",
            Self::Blocked => "blocked",
            Self::Pending => "pending",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Which moment of a call a record tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecordKind {
    /// The decision, before the call.
    Decision,
    /// The call's end: it completed and its reservation was settled.
    Completed,
    /// The call's end: it panicked or was cancelled, and its reservation was given back.
    Released,
    /// A store gave back what a call had reserved, since its lease ran out.
    LeaseExpired,
    /// A limit has reached a threshold.
    ThresholdReached,
    /// An operator has changed what is spent.
    LimitAdjusted,
    /// A log could not keep records for a while.
    RecordsDropped,
}

impl RecordKind {
    /// The name in the record.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Decision => "decision",
            Self::Completed => "completed",
            Self::Released => "released",
            Self::LeaseExpired => "lease_expired",
            Self::ThresholdReached => "threshold_reached",
            Self::LimitAdjusted => "limit_adjusted",
            Self::RecordsDropped => "records_dropped",
        }
    }
}

/// One entry of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Which moment it tells of.
    pub kind: RecordKind,
    /// The decision.
    pub decision_id: DecisionId,
    /// When it was asked for.
    pub timestamp: Timestamp,
    /// The policy that was asked.
    pub policy_id: String,
    /// The function that wanted to run.
    pub function: String,
    /// What became of it.
    pub decision: Recorded,
    /// What the policy wanted done.
    pub action: Action,
    /// Why.
    pub reason: String,
    /// Whether the call ran, which in report-only mode it does whatever the decision.
    pub runs: bool,
    /// The limit that decided, where one did.
    pub limit: Option<String>,
    /// Who called.
    pub user_id: Option<String>,
    /// Who confirmed the call, where somebody did and it is known.
    pub confirmed_by: Option<String>,
    /// What the policy was told.
    pub context: BTreeMap<String, Json>,
    /// What was carried along.
    pub metadata: BTreeMap<String, Json>,
    /// Names in the context, at any depth, whose values nobody is shown: whoever keeps the record leaves them out.
    pub secrets: BTreeSet<String>,
    /// What the policy itself carried along.
    pub decision_metadata: Option<Json>,
    /// How long the decision took, or for the call's end the time since the decision was asked for.
    pub duration: Duration,
    /// Which evaluator decided.
    pub engine: Option<&'static str>,
    /// The digest of the module that decided, where the evaluator knows it.
    pub module_digest: Option<Arc<str>>,
    /// The revision of the state that it read.
    pub data_revision: Option<Revision>,
}

impl Record {
    /// An entry about what no call asked for, such as a lease that ran out: nothing else is known of it.
    #[must_use]
    pub fn beside_calls(
        kind: RecordKind,
        decision_id: DecisionId,
        timestamp: Timestamp,
        (decision, action): (Recorded, Action),
        reason: String,
    ) -> Self {
        Self {
            kind,
            decision_id,
            timestamp,
            policy_id: String::new(),
            function: String::new(),
            decision,
            action,
            reason,
            runs: false,
            limit: None,
            user_id: None,
            confirmed_by: None,
            context: BTreeMap::new(),
            metadata: BTreeMap::new(),
            secrets: BTreeSet::new(),
            decision_metadata: None,
            duration: Duration::ZERO,
            engine: None,
            module_digest: None,
            data_revision: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn unique_ids_are_random_uuids_and_different() {
        let ids = |count| (0..count).map(|_| DecisionId::unique()).collect::<Vec<_>>();
        let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(move || ids(20_000))).collect();
        let mut all = ids(20_000);
        all.extend(threads.into_iter().flat_map(|thread| thread.join().unwrap()));
        assert!(all.iter().all(|id| uuid::Uuid::from_u128(id.as_u128()).get_version_num() == 4));
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
    }

    #[test]
    fn a_process_that_was_forked_has_other_ids() {
        let parent = Unique { process: 0, random: 7, count: 3 };
        let child = parent.next();
        assert_eq!(child.process, std::process::id());
        assert_ne!(child.random, parent.random);
        assert_eq!(child.next().count, 1);
    }
}
