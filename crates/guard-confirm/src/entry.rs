//! One confirmation, and the steps it can take.

use guard_core::{Request, Timestamp};
use serde::{Deserialize, Serialize};

use crate::error::Refused;

/// Where a confirmation stands. `pending` becomes one of `approved`, `rejected` and `expired`; `approved` becomes
/// `consumed`, or `expired` when nobody comes for it in time. What has ended stays as it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nobody has answered yet, or not enough people.
    Pending,
    /// Whoever asked may go on, once.
    Approved,
    /// Somebody said no.
    Rejected,
    /// Its time ran out.
    Expired,
    /// Whoever asked has gone on.
    Consumed,
}

impl State {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Consumed => "consumed",
        }
    }

    /// Whether nothing more can happen to it.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Rejected | Self::Expired | Self::Consumed)
    }

    /// The state of that name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Pending, Self::Approved, Self::Rejected, Self::Expired, Self::Consumed]
            .into_iter()
            .find(|state| state.as_str() == name)
    }
}

/// Who may answer, and how many have to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// Ids of people, and `@role`s. Empty: anybody who can reach the confirmation.
    pub approvers: Vec<String>,
    /// Never the one who asks.
    pub four_eyes: bool,
    /// How many different people have to approve; at least one.
    pub approvals: u32,
}

impl Default for Rules {
    fn default() -> Self {
        Self { approvers: Vec::new(), four_eyes: false, approvals: 1 }
    }
}

/// Somebody who answers. Whoever calls has made sure that it is this person.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Person {
    /// The person's id, in the same names as the users of requests.
    pub id: String,
    /// The person's roles, without the `@` that approvers are written with.
    pub roles: Vec<String>,
}

impl Person {
    /// Somebody without a role.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), roles: Vec::new() }
    }

    /// The same person with a role more.
    #[must_use]
    pub fn with_role(mut self, role: impl Into<String>) -> Self {
        self.roles.push(role.into());
        self
    }
}

/// What somebody answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vote {
    /// Who.
    pub by: String,
    /// When.
    #[serde(with = "micros")]
    pub at: Timestamp,
    /// Yes or no.
    pub approves: bool,
    /// What they said to it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// A confirmation as a store keeps it. What the caller's token is, what a link's secret is and what the arguments are
/// cannot be learned from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Names it: people approve and reject by this name. It opens nothing.
    pub id: String,
    /// The policy that wants it.
    pub policy: String,
    /// The function that waits.
    pub function: String,
    /// What would be done.
    pub operation: String,
    /// To what.
    pub resource: String,
    /// Who asks.
    pub requester: Option<String>,
    /// Why it has to be confirmed.
    pub reason: String,
    /// The arguments as people see them, a JSON object without secrets.
    pub shown: String,
    /// The decision that asked.
    pub decision_id: String,
    /// When it was asked.
    #[serde(with = "micros")]
    pub asked: Timestamp,
    /// From when on it is too late.
    #[serde(with = "micros")]
    pub expires: Timestamp,
    /// Who may answer.
    pub rules: Rules,
    /// A hash of the token.
    pub(crate) token: String,
    /// A keyed hash of the call.
    pub(crate) digest: String,
    /// A hash of the link's secret, where there is one.
    pub(crate) link: Option<String>,
    /// Where it stands.
    pub state: State,
    /// What people answered, in order.
    pub votes: Vec<Vote>,
    /// When it ended, or was approved.
    #[serde(with = "maybe_micros")]
    pub decided: Option<Timestamp>,
    /// Which attempt consumed it, so that an attempt whose answer was lost can be repeated.
    #[serde(default)]
    pub(crate) attempt: String,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Somebody answers; over the link whose secret has this hash, if over one.
    Vote {
        /// The answer.
        vote: Vote,
        /// A hash of the link's secret.
        link: Option<String>,
    },
    /// The caller goes on.
    Consume {
        /// Names the attempt.
        attempt: String,
    },
    /// Its time is over, if it is.
    Expire,
}

impl Entry {
    /// Where it stands at that moment, whether or not a store has noticed.
    pub fn state_at(&self, now: Timestamp) -> State {
        match self.state {
            State::Pending | State::Approved if now >= self.expires => State::Expired,
            state => state,
        }
    }

    /// Whether this person may approve. Nothing of what decides this ever changes.
    ///
    /// # Errors
    /// With what is in the way.
    pub fn admits(&self, person: &Person) -> Result<(), Refused> {
        let not_allowed = |why: String| Refused::NotAllowed { why };
        if person.id.is_empty() {
            return Err(not_allowed("nobody said who approves".to_owned()));
        }
        if self.rules.four_eyes {
            match &self.requester {
                None => {
                    return Err(not_allowed("it is not known who asks, and four eyes are needed".to_owned()));
                }
                Some(requester) if *requester == person.id => {
                    return Err(not_allowed(format!("`{requester}` asks, and somebody else has to approve")));
                }
                Some(_) => {}
            }
        }
        let fits = |approver: &String| match approver.strip_prefix('@') {
            Some(role) => person.roles.iter().any(|has| has == role),
            None => *approver == person.id,
        };
        if self.rules.approvers.is_empty() || self.rules.approvers.iter().any(fits) {
            return Ok(());
        }
        let approvers = self.rules.approvers.join("`, `");
        Err(not_allowed(format!("`{}` is none of `{approvers}`", person.id)))
    }

    /// Who has approved so far.
    pub fn approved_by(&self) -> impl Iterator<Item = &str> {
        self.votes.iter().filter(|vote| vote.approves).map(|vote| vote.by.as_str())
    }

    /// Takes a step, or says why not. Also a step that is refused may find that the time is over. The scripts in
    /// `redis/` do the same.
    ///
    /// # Errors
    /// When the confirmation is not in a state for it.
    pub fn step(&mut self, step: &Step, now: Timestamp) -> Result<(), Refused> {
        if self.state != self.state_at(now) {
            self.state = State::Expired;
            self.decided = Some(self.expires);
        }
        match step {
            Step::Expire => self.refuse_unless(State::Expired),
            Step::Vote { vote, link } => self.vote(vote, link.as_deref(), now),
            Step::Consume { attempt } if self.state == State::Consumed && self.attempt == *attempt => Ok(()),
            Step::Consume { attempt } => {
                self.refuse_unless(State::Approved)?;
                self.state = State::Consumed;
                self.decided = Some(now);
                attempt.clone_into(&mut self.attempt);
                Ok(())
            }
        }
    }

    fn vote(&mut self, vote: &Vote, link: Option<&str>, now: Timestamp) -> Result<(), Refused> {
        let same = |other: &&Vote| other.by == vote.by && other.approves == vote.approves;
        // The same answer once more, such as after an answer that was lost, is no answer more.
        let stands = match vote.approves {
            true => matches!(self.state, State::Pending | State::Approved),
            false => self.state == State::Rejected,
        };
        if stands && self.votes.iter().any(|other| same(&other)) {
            return Ok(());
        }
        self.refuse_unless(State::Pending)?;
        if link.is_some() {
            if self.link.as_deref() != link {
                return Err(Refused::LinkUsed);
            }
            self.link = None;
        }
        self.votes.push(vote.clone());
        let approvals = u32::try_from(self.approved_by().count()).unwrap_or(u32::MAX);
        if !vote.approves {
            self.state = State::Rejected;
        } else if approvals >= self.rules.approvals {
            self.state = State::Approved;
        } else {
            return Ok(());
        }
        self.decided = Some(now);
        Ok(())
    }

    fn refuse_unless(&self, state: State) -> Result<(), Refused> {
        if self.state == state { Ok(()) } else { Err(self.refused()) }
    }

    /// Why nothing more can be done with it as it stands.
    pub(crate) fn refused(&self) -> Refused {
        match self.state {
            State::Pending => Refused::Pending,
            State::Approved => Refused::Approved,
            State::Expired => Refused::Expired,
            State::Consumed => Refused::Consumed,
            State::Rejected => {
                let no = self.votes.iter().rev().find(|vote| !vote.approves);
                let (by, note) =
                    no.map_or_else(Default::default, |vote| (vote.by.clone(), vote.note.clone()));
                Refused::Rejected { by, note }
            }
        }
    }
}

/// The confirmation of a call as far as the call alone says.
pub(crate) fn unwritten(request: &Request, rules: Rules, now: Timestamp) -> Entry {
    Entry {
        id: String::new(),
        policy: request.policy_id.clone(),
        function: request.function.clone(),
        operation: request.operation.clone(),
        resource: request.resource.clone(),
        requester: request.user.as_ref().map(|user| user.id.clone()).filter(|id| !id.is_empty()),
        reason: String::new(),
        shown: String::new(),
        decision_id: String::new(),
        asked: now,
        expires: now,
        rules,
        token: String::new(),
        digest: String::new(),
        link: None,
        state: State::Pending,
        votes: Vec::new(),
        decided: None,
        attempt: String::new(),
    }
}

/// Points in time are kept in microseconds, which every store counts exactly.
pub(crate) fn to_micros(time: Timestamp) -> i64 {
    time.as_nanos().div_euclid(1_000)
}

pub(crate) fn of_micros(micros: i64) -> Timestamp {
    Timestamp::from_nanos(micros.saturating_mul(1_000))
}

mod micros {
    use super::{Timestamp, of_micros, to_micros};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's form")]
    pub(super) fn serialize<S: Serializer>(time: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to_micros(*time).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        i64::deserialize(from).map(of_micros)
    }
}

mod maybe_micros {
    use super::{Timestamp, of_micros, to_micros};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "serde's form")]
    pub(super) fn serialize<S: Serializer>(time: &Option<Timestamp>, to: S) -> Result<S::Ok, S::Error> {
        time.map(to_micros).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
        Option::<i64>::deserialize(from).map(|micros| micros.map(of_micros))
    }
}
