//! The keys of hexarch.yaml, as tables: the reader, the messages, the JSON Schema and the documentation go by
//! them.

mod conditions;
mod json;
mod reference;
mod tables;

use crate::model::{LimitKey, LimitKind, Period};
use crate::ruleset::OperandKind;

pub(crate) use conditions::{CONDITION_RULE, RULES_FILE, condition_keys};
pub(crate) use json::{json_schema, rules_schema};
pub(crate) use reference::{conditions_reference, reference};
pub(crate) use tables::{
    AUDIT, CALL, CONFIRMATION, FILE, LOGGING, OPA, OPA_TLS, POLICY, PRICE, PRICES, ROW, RULE, SCRIPT,
    SIGNING_KEY, STATE, STEP, TABLE, WEBHOOK,
};

/// One key of one kind of mapping.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) takes: Takes,
    /// What it is for, in a sentence.
    pub(crate) about: &'static str,
}

/// What a key takes, for the JSON Schema. The reader checks more closely, and says more.
#[derive(Debug)]
pub(crate) enum Takes {
    Text,
    /// A name for something: letters, digits, `_`, `-` and `.`.
    Name,
    Truth,
    /// Dollars, zero or more, with up to six digits after the point.
    Dollars,
    /// A whole number from 1.
    Count,
    /// A whole percentage from 1 to 100.
    Percent,
    /// Seconds, from a thousandth to a day.
    Seconds,
    Number,
    /// A text, or a list of them.
    Texts,
    /// `22:00-06:00`, or a list of such.
    Hours,
    /// A day of the week, or a list of them.
    Days,
    /// One of these words.
    Words(&'static [&'static str]),
    /// One of the actions, `warn_at_NN%` among them.
    Action,
    Mapping(&'static [Key]),
    /// A list of such mappings.
    List(&'static [Key]),
    /// A fail mode, or one for each class of operations.
    FailMode,
    /// Whatever it is.
    Anything,
    /// A whole number, negative ones too.
    Integer,
    /// One of these words, or a list of them.
    WordList(&'static [&'static str]),
    /// A mapping of any names.
    Object,
    /// A condition.
    Condition,
    /// A list of conditions.
    Conditions,
    /// What a condition compares with.
    Operand(OperandKind),
}

const fn limit(name: &'static str, kind: LimitKind, period: Period) -> LimitKey {
    LimitKey { name, kind, period }
}

/// The limits among the keys of a rule.
pub(crate) const LIMITS: &[LimitKey] = &[
    limit("hourly_budget", LimitKind::Budget, Period::Hour),
    limit("daily_budget", LimitKind::Budget, Period::Day),
    limit("weekly_budget", LimitKind::Budget, Period::Week),
    limit("monthly_budget", LimitKind::Budget, Period::Month),
    limit("total_budget", LimitKind::Budget, Period::Total),
    limit("requests_per_second", LimitKind::Rate, Period::Second),
    limit("requests_per_minute", LimitKind::Rate, Period::Minute),
    limit("requests_per_hour", LimitKind::Rate, Period::Hour),
    limit("requests_per_day", LimitKind::Rate, Period::Day),
    limit("daily_limit", LimitKind::Rate, Period::Day),
    limit("concurrent_limit", LimitKind::Concurrency, Period::Running),
    limit("max_tokens_per_hour", LimitKind::Tokens, Period::Hour),
    limit("max_tokens_per_day", LimitKind::Tokens, Period::Day),
    limit("max_tokens_per_month", LimitKind::Tokens, Period::Month),
    limit("max_iterations", LimitKind::Iterations, Period::Session),
];
