//! The keys of hexarch.yaml, as tables: the reader, the messages and the documentation go by them.

use crate::model::{LimitKey, LimitKind, Period};

/// One key of one kind of mapping.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) support: Support,
}

/// Whether this version does what a key says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Support {
    Enforced,
    /// Part of the product, and refused: a guard that is read and not enforced would only look like one.
    Later,
}

const fn now(name: &'static str) -> Key {
    Key { name, support: Support::Enforced }
}

const fn later(name: &'static str) -> Key {
    Key { name, support: Support::Later }
}

pub(crate) const FILE: &[Key] = &[
    now("policies"),
    now("enforcement"),
    now("timezone"),
    now("logging"),
    now("opa"),
    now("state"),
    now("fail_mode"),
    later("audit"),
    later("confirmation"),
];

pub(crate) const POLICY: &[Key] = &[
    now("id"),
    now("description"),
    now("enabled"),
    now("requires_confirmation"),
    now("timezone"),
    now("rules"),
    later("rego"),
];

pub(crate) const RULE: &[Key] = &[
    now("id"),
    now("description"),
    now("operation"),
    now("resource"),
    now("resource_types"),
    now("model"),
    now("action"),
    now("allowed"),
    now("requires_confirmation"),
    now("requires_approval"),
    now("requires"),
    now("warn_at_percentage"),
    now("alert_at_percentage"),
    now("hourly_budget"),
    now("daily_budget"),
    now("weekly_budget"),
    now("monthly_budget"),
    now("total_budget"),
    now("requests_per_second"),
    now("requests_per_minute"),
    now("requests_per_hour"),
    now("requests_per_day"),
    now("daily_limit"),
    now("allowed_hours"),
    now("forbidden_hours"),
    now("forbidden_days"),
    later("feature"),
    later("enabled"),
    later("parameter"),
    later("min"),
    later("max"),
    later("max_length"),
    later("concurrent_limit"),
    later("max_tokens_per_request"),
    later("max_tokens_per_hour"),
    later("max_tokens_per_day"),
    later("max_tokens_per_month"),
    later("max_iterations"),
    later("timeout_seconds"),
    later("allowed_users"),
];

pub(crate) const LOGGING: &[Key] = &[now("enabled"), now("level"), now("file")];

pub(crate) const OPA: &[Key] = &[
    now("url"),
    now("order"),
    now("timeout_seconds"),
    now("health_check_interval"),
    now("token"),
    now("tls"),
];

pub(crate) const OPA_TLS: &[Key] = &[now("ca_file"), now("cert_file"), now("key_file")];

pub(crate) const STATE: &[Key] = &[now("store")];

/// A decision table.
pub(crate) const TABLE: &[Key] = &[now("clock"), now("rows")];

/// A row of a decision table.
pub(crate) const ROW: &[Key] = &[now("row"), now("at"), now("call"), now("state"), now("expect")];

/// A script of calls.
pub(crate) const SCRIPT: &[Key] = &[now("clock"), now("calls")];

/// A call of a decision table.
pub(crate) const CALL: &[Key] = &[
    now("policy"),
    now("function"),
    now("operation"),
    now("resource"),
    now("resource_type"),
    now("model"),
    now("user"),
    now("roles"),
    now("cost"),
    now("tokens"),
    now("confirm"),
];

/// A call of a script.
pub(crate) const STEP: &[Key] = &[
    now("after"),
    now("note"),
    now("expect"),
    now("policy"),
    now("function"),
    now("operation"),
    now("resource"),
    now("resource_type"),
    now("model"),
    now("user"),
    now("roles"),
    now("cost"),
    now("tokens"),
    now("confirm"),
];

const fn limit(name: &'static str, kind: LimitKind, period: Period) -> LimitKey {
    LimitKey { name, kind, period }
}

/// The budgets and rates among the keys of a rule.
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
];
