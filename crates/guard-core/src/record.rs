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

    /// A new one that nobody else has, in the order of time (UUID version 7, RFC 9562): whoever keeps what it names sorted
    /// by name appends. The rest of it is random for this thread of this process, counted on and mixed, so that the system
    /// is not asked for randomness each time; what must not be guessed is taken from elsewhere.
    pub fn unique(now: Timestamp) -> Self {
        // A thread that ends has no place for it any more.
        let next = UNIQUE.try_with(|known| {
            let next = known.get().next();
            known.set(next);
            next
        });
        next.unwrap_or_else(|_| Unique::new(std::process::id())).id(now)
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
    random: u64,
    count: u64,
}

impl Unique {
    fn new(process: u32) -> Self {
        let (_, random) = uuid::Uuid::new_v4().as_u64_pair();
        Self { process, random, count: 0 }
    }

    fn next(self) -> Self {
        let process = std::process::id();
        if process == self.process {
            return Self { count: self.count.wrapping_add(1), ..self };
        }
        Self::new(process)
    }

    /// Milliseconds, 12 bits of their fraction, and 62 bits that are different for each count, since each step of the
    /// mixture can be undone (the finaliser of SplitMix64, Steele, Lea and Flood 2014).
    const fn id(self, now: Timestamp) -> DecisionId {
        const MILLISECOND: u64 = 1_000_000;
        const COUNTED: u64 = (1 << 62) - 1;
        let nanos = now.as_nanos().saturating_abs().cast_unsigned();
        let fraction = ((nanos % MILLISECOND) << 12) / MILLISECOND;
        let high = (nanos / MILLISECOND) << 16 | 7 << 12 | fraction;
        let mut low = self.random.wrapping_add(self.count.wrapping_mul(0x9e37_79b9_7f4a_7c15)) & COUNTED;
        low = ((low ^ (low >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9)) & COUNTED;
        low = ((low ^ (low >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb)) & COUNTED;
        low ^= low >> 31;
        DecisionId((high as u128) << 64 | 1 << 63 | low as u128)
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

    /// At one moment, at which nothing but what is random keeps them apart.
    #[test]
    fn unique_ids_are_uuids_and_different() {
        let ids =
            |count| (0..count).map(|_| DecisionId::unique(Timestamp::from_nanos(7))).collect::<Vec<_>>();
        let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(move || ids(20_000))).collect();
        let mut all = ids(20_000);
        all.extend(threads.into_iter().flat_map(|thread| thread.join().unwrap()));
        let mut uuids = all.iter().map(|id| uuid::Uuid::from_u128(id.as_u128()));
        assert!(
            uuids.all(|id| id.get_version_num() == 7 && matches!(id.get_variant(), uuid::Variant::RFC4122))
        );
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
    }

    #[test]
    fn unique_ids_are_in_the_order_of_time() {
        let times = [0, 1_000, 999_999, 1_000_000, 1_000_245, 1_700_000_000_123_456_789, i64::MAX];
        let ids: Vec<_> =
            times.iter().map(|nanos| DecisionId::unique(Timestamp::from_nanos(*nanos))).collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "{ids:?}");
        let time = |id: &DecisionId| uuid::Uuid::from_u128(id.as_u128()).get_timestamp().unwrap().to_unix();
        assert_eq!(ids.iter().map(time).nth(5), Some((1_700_000_000, 123_000_000)));
        // What no clock says is no reason to panic.
        DecisionId::unique(Timestamp::from_nanos(i64::MIN));
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
