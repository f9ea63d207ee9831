//! What a valid hexarch.yaml says, typed. Only [`crate::load`] builds these.

mod audit;
mod confirmation;
mod prices;
mod settings;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::problem::Place;
use crate::rego::Rego;
use crate::ruleset::Conditions;
use crate::warnings::Warning;
use crate::yaml::Node;

pub use audit::{Audit, AuditDurability, AuditStore};
pub(crate) use confirmation::Approval;
pub use confirmation::{Ask, ConfirmationSettings, KeyMaterial, SigningKey, Webhook};
pub use prices::Prices;
pub(crate) use prices::{SHIPPED as SHIPPED_PRICES, SHIPPED_NAME, UNIT as PRICES_UNIT};
pub use settings::{
    Enforcement, EvaluatorOrder, FailMode, FailModes, LogLevel, Logging, Opa, OpaTls, Secret, Settings,
    State, StateStore,
};

/// A hexarch.yaml without a problem in it.
#[derive(Debug, Clone)]
pub struct PolicyFile {
    pub(crate) file: String,
    pub(crate) settings: Settings,
    pub(crate) policies: Vec<Policy>,
    pub(crate) warnings: Vec<Warning>,
}

impl PolicyFile {
    /// The file's name, as it was given.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Everything beside the policies.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The policies, in the order of the file.
    pub fn policies(&self) -> &[Policy] {
        &self.policies
    }

    /// Rules that contradict each other, shadow each other or can never matter, in the order of the lines.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The policy with this id.
    pub fn policy(&self, id: &str) -> Option<&Policy> {
        self.policies.iter().find(|policy| policy.id == id)
    }
}

/// One entry of `policies`.
#[derive(Debug, Clone)]
pub struct Policy {
    pub(crate) id: String,
    pub(crate) description: Option<String>,
    pub(crate) enabled: bool,
    pub(crate) requires_confirmation: bool,
    pub(crate) approval: Approval,
    pub(crate) timezone: String,
    pub(crate) rules: Vec<Rule>,
    pub(crate) conditions: Option<Conditions>,
    pub(crate) rego: Option<Rego>,
    pub(crate) place: Place,
    pub(crate) node: Arc<Node>,
    /// The file it stands in, where that is not the one that holds it.
    pub(crate) source: Option<Arc<str>>,
}

impl Policy {
    /// The id, unique in the file.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What the author says about it.
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// Whether it is enforced. A policy that is switched off allows every call.
    pub const fn enabled(&self) -> bool {
        self.enabled
    }

    /// Whether every call under it needs a confirmation.
    pub const fn requires_confirmation(&self) -> bool {
        self.requires_confirmation
    }

    /// The timezone of its hours, days and calendar windows: its own, or the file's.
    pub fn timezone(&self) -> &str {
        &self.timezone
    }

    /// Its rules, in the order of the file.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Its rules with conditions, if it has any.
    pub const fn conditions(&self) -> Option<&Conditions> {
        self.conditions.as_ref()
    }

    /// The module that decides in place of rules, as `opa fmt` writes it, if there is one.
    pub fn rego(&self) -> Option<&str> {
        self.rego.as_ref().map(|rego| rego.text.as_str())
    }

    /// Where it begins.
    pub const fn place(&self) -> Place {
        self.place
    }
}

/// One entry of `rules`.
#[derive(Debug, Clone)]
pub struct Rule {
    pub(crate) id: String,
    pub(crate) description: Option<String>,
    pub(crate) place: Place,
    pub(crate) matches: Matches,
    pub(crate) limits: Vec<Limit>,
    pub(crate) warn_at: Vec<u8>,
    pub(crate) allowed_hours: Vec<HourRange>,
    pub(crate) forbidden_hours: Vec<HourRange>,
    pub(crate) forbidden_days: Vec<Weekday>,
    pub(crate) model_allowed: Option<bool>,
    pub(crate) feature_enabled: Option<bool>,
    pub(crate) allowed_users: Option<Callers>,
    pub(crate) parameter: Option<Parameter>,
    pub(crate) tokens_per_request: Option<u64>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) needs_confirmation: bool,
    pub(crate) approval: Approval,
    pub(crate) action: Option<RuleAction>,
    pub(crate) queue: Queue,
}

/// How calls stand in line for a rule's limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Queue {
    /// How many may wait at a time.
    pub limit: u64,
    /// How long a call may wait.
    pub timeout: Duration,
}

impl Default for Queue {
    fn default() -> Self {
        Self { limit: 100, timeout: Duration::from_secs(30) }
    }
}

impl Rule {
    /// Whether it ever has a person asked.
    pub(crate) fn asks(&self) -> bool {
        self.needs_confirmation || self.action == Some(RuleAction::RequireConfirmation)
    }

    /// The id: the author's, or `rule_<n>` by its position from 1.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What the author says about it.
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// Where it begins.
    pub const fn place(&self) -> Place {
        self.place
    }

    /// Its budgets and rates.
    pub fn limits(&self) -> &[Limit] {
        &self.limits
    }

    /// The percentages of a limit at which is warned, once in a window each, from the lowest on.
    pub fn warn_at(&self) -> &[u8] {
        &self.warn_at
    }

    /// What happens when the rule is violated, or, where it has nothing to violate, to every call that it
    /// matches.
    pub const fn action(&self) -> Option<RuleAction> {
        self.action
    }

    /// What happens to a call that violates the rule: its action, and `block` where it names none.
    pub(crate) fn on_violation(&self) -> RuleAction {
        match self.action {
            None | Some(RuleAction::Allow) => RuleAction::Block,
            Some(action) => action,
        }
    }

    /// Whether the rule says something that a call can violate.
    pub(crate) fn has_constraint(&self) -> bool {
        !self.limits.is_empty() || self.has_other_constraint()
    }

    /// Whether it says such a thing beside its limits.
    pub(crate) fn has_other_constraint(&self) -> bool {
        self.has_hours()
            || self.model_allowed.is_some()
            || self.feature_enabled == Some(false)
            || self.allowed_users.is_some()
            || self.parameter.is_some()
            || self.tokens_per_request.is_some()
            || self.timeout.is_some()
    }

    pub(crate) fn has_hours(&self) -> bool {
        !(self.allowed_hours.is_empty() && self.forbidden_hours.is_empty() && self.forbidden_days.is_empty())
    }
}

/// Which calls a rule is about. An empty list of patterns, or one with `*`, is about every call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Matches {
    pub(crate) operation: Vec<Pattern>,
    pub(crate) resource: Vec<Pattern>,
    pub(crate) resource_types: Vec<Pattern>,
    pub(crate) model: Vec<Pattern>,
    pub(crate) feature: Vec<Pattern>,
}

/// `allowed_users`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Callers {
    /// Ids of users, sorted.
    pub(crate) users: Vec<String>,
    /// What a caller may be to the call, by the words after the `@`, sorted.
    pub(crate) relations: Vec<&'static str>,
}

impl Callers {
    /// What a caller can be to a call.
    pub(crate) const RELATIONS: [&'static str; 4] = ["admin", "api_user", "owner", "self"];
}

/// `parameter`, and what bounds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) bounds: Bounds,
}

/// How a parameter is bounded. Numbers are as they were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Bounds {
    Range { min: Option<String>, max: Option<String> },
    Length(u64),
}

/// A name or a glob that is known to be well formed: `*` any text, `?` one character, `[abc]`, `[!abc]`,
/// `[a-z]`, `{one,other}`, and `\` before a character that is meant literally.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Pattern(pub(crate) String);

/// A budget or a rate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    pub(crate) key: &'static LimitKey,
    pub(crate) max: u64,
    pub(crate) algorithm: RateAlgorithm,
    pub(crate) place: Place,
}

impl Limit {
    /// Its key in the YAML, such as `monthly_budget`.
    pub const fn key(&self) -> &'static str {
        self.key.name
    }

    /// What it counts.
    pub const fn kind(&self) -> LimitKind {
        self.key.kind
    }

    /// The window it counts in.
    pub const fn period(&self) -> Period {
        self.key.period
    }

    /// The most that a window may hold: micro-dollars of a budget, calls of a rate or of a loop, tokens.
    pub const fn max(&self) -> u64 {
        self.max
    }

    /// How long a call counts; anything but a fixed window is said of rates alone.
    pub const fn algorithm(&self) -> RateAlgorithm {
        self.algorithm
    }

    /// Where it stands.
    pub const fn place(&self) -> Place {
        self.place
    }

    /// For people: `monthly budget of $10.00`, `limit of 5 calls per minute`.
    pub fn name(&self) -> String {
        match self.key.kind {
            LimitKind::Budget => format!("{} budget of {}", self.key.period.adverb(), Dollars(self.max)),
            LimitKind::Rate => {
                let calls = if self.max == 1 { "call" } else { "calls" };
                match (self.algorithm, self.key.period) {
                    (RateAlgorithm::FixedWindow, period) => {
                        format!("limit of {} {calls} per {period}", self.max)
                    }
                    (RateAlgorithm::SlidingWindow, Period::Day) => {
                        format!("limit of {} {calls} in any 24 hours", self.max)
                    }
                    (RateAlgorithm::SlidingWindow, period) => {
                        format!("limit of {} {calls} in any {period}", self.max)
                    }
                    (RateAlgorithm::TokenBucket, period) => {
                        format!("bucket of {} {calls} per {period}", self.max)
                    }
                }
            }
            LimitKind::Tokens => {
                let tokens = if self.max == 1 { "token" } else { "tokens" };
                format!("limit of {} {tokens} per {}", self.max, self.key.period)
            }
            LimitKind::Iterations => {
                let iterations = if self.max == 1 { "iteration" } else { "iterations" };
                format!("limit of {} {iterations}", self.max)
            }
            LimitKind::Concurrency => {
                let calls = if self.max == 1 { "call" } else { "calls" };
                format!("limit of {} {calls} at a time", self.max)
            }
        }
    }

    /// Its id in charges and in the state: `<policy>.<rule>.<key>`.
    pub fn id(&self, policy: &Policy, rule: &Rule) -> String {
        format!("{}.{}.{}", policy.id, rule.id, self.key.name)
    }
}

/// What a limit's key means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LimitKey {
    pub(crate) name: &'static str,
    pub(crate) kind: LimitKind,
    pub(crate) period: Period,
}

/// What a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LimitKind {
    /// Money, in micro-dollars.
    Budget,
    /// Calls.
    Rate,
    /// Tokens of models.
    Tokens,
    /// Calls of one session.
    Iterations,
    /// Calls at a time.
    Concurrency,
}

impl LimitKind {
    /// The name that the Rego library knows it by.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Budget => "budget",
            Self::Rate => "rate",
            Self::Tokens => "tokens",
            Self::Iterations => "iterations",
            Self::Concurrency => "concurrency",
        }
    }
}

/// How long a call counts against a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum RateAlgorithm {
    /// Until the window ends that it was made in. The policy judges it by the state.
    #[default]
    FixedWindow,
    /// For the length of the window, from the call on. The store judges it.
    SlidingWindow,
    /// In a bucket that holds the maximum and fills again evenly within the window. The store judges it.
    TokenBucket,
}

impl RateAlgorithm {
    /// The words of the key `algorithm`.
    pub(crate) const WORDS: &'static [(&'static str, Self)] = &[
        ("fixed_window", Self::FixedWindow),
        ("sliding_window", Self::SlidingWindow),
        ("token_bucket", Self::TokenBucket),
    ];

    /// The word in hexarch.yaml.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FixedWindow => "fixed_window",
            Self::SlidingWindow => "sliding_window",
            Self::TokenBucket => "token_bucket",
        }
    }

    /// The name that a charge knows it by; none of a fixed window, which is what a charge without one means.
    pub(crate) const fn in_charges(self) -> Option<&'static str> {
        match self {
            Self::FixedWindow => None,
            Self::SlidingWindow => Some("sliding"),
            Self::TokenBucket => Some("bucket"),
        }
    }
}

/// The window that a limit counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Period {
    /// A second from the epoch.
    Second,
    /// A minute from the epoch.
    Minute,
    /// An hour from the epoch.
    Hour,
    /// A day of the timezone's calendar.
    Day,
    /// A week of the timezone's calendar, from Monday.
    Week,
    /// A month of the timezone's calendar.
    Month,
    /// For ever.
    Total,
    /// As long as a session lasts, and for a day at most.
    Session,
    /// While a call runs.
    Running,
}

impl Period {
    /// The name that the Rego library knows it by.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Total => "total",
            Self::Session => "session",
            Self::Running => "running",
        }
    }

    /// Whether its windows are worth keeping until they end.
    pub(crate) const fn is_of_the_calendar(self) -> bool {
        matches!(self, Self::Hour | Self::Day | Self::Week | Self::Month)
    }

    /// How long a rate's is where it is no calendar's, in milliseconds.
    pub(crate) const fn span_ms(self) -> u64 {
        match self {
            Self::Second => 1_000,
            Self::Minute => 60_000,
            Self::Hour => 3_600_000,
            _ => 86_400_000,
        }
    }

    const fn adverb(self) -> &'static str {
        match self {
            Self::Second => "secondly",
            Self::Minute => "minutely",
            Self::Hour => "hourly",
            Self::Day => "daily",
            Self::Week => "weekly",
            Self::Month => "monthly",
            Self::Total => "total",
            Self::Session => "session",
            Self::Running => "running",
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Micro-dollars as people write them: in cents, or in full where cents would hide something.
pub(crate) struct Dollars(pub(crate) u64);

impl fmt::Display for Dollars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 1_000_000, self.0 % 1_000_000);
        if rest.is_multiple_of(10_000) {
            write!(f, "${whole}.{:02}", rest / 10_000)
        } else {
            write!(f, "${whole}.{rest:06}")
        }
    }
}

/// What a rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RuleAction {
    /// Let the call run.
    Allow,
    /// Let it run with a warning.
    Warn,
    /// Not before there is room.
    Queue,
    /// Not now.
    Throttle,
    /// Not without a confirmation.
    RequireConfirmation,
    /// Not at all.
    Block,
}

impl RuleAction {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Warn => "warn",
            Self::Queue => "queue",
            Self::Throttle => "throttle",
            Self::RequireConfirmation => "require_confirmation",
            Self::Block => "block",
        }
    }
}

/// A stretch of the day: hours and minutes, the end not included. One that ends before it begins goes on
/// past midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HourRange {
    pub(crate) from: (u8, u8),
    pub(crate) to: (u8, u8),
}

impl fmt::Display for HourRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ((from_hour, from_minute), (to_hour, to_minute)) = (self.from, self.to);
        write!(f, "{from_hour:02}:{from_minute:02}-{to_hour:02}:{to_minute:02}")
    }
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl Weekday {
    pub(crate) const ALL: [Self; 7] = [
        Self::Monday,
        Self::Tuesday,
        Self::Wednesday,
        Self::Thursday,
        Self::Friday,
        Self::Saturday,
        Self::Sunday,
    ];

    /// The name that Rego's `time.weekday` gives it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Monday => "Monday",
            Self::Tuesday => "Tuesday",
            Self::Wednesday => "Wednesday",
            Self::Thursday => "Thursday",
            Self::Friday => "Friday",
            Self::Saturday => "Saturday",
            Self::Sunday => "Sunday",
        }
    }
}
