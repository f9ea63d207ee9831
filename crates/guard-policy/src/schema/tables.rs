//! Every key of every mapping.

use super::{Key, Takes, conditions};

pub(super) const fn now(name: &'static str, takes: Takes, about: &'static str) -> Key {
    Key { name, takes, about }
}

pub(crate) const FILE: &[Key] = &[
    now("policies", Takes::List(POLICY), "The policies, each with an id that callers name."),
    now(
        "enforcement",
        Takes::Words(&["strict", "warn"]),
        "`strict` (the default) carries denials out; `warn` records them and lets the calls run.",
    ),
    now(
        "timezone",
        Takes::Text,
        "The timezone of policies that name none, such as `Europe/Berlin`; `UTC` without one.",
    ),
    now("logging", Takes::Mapping(LOGGING), "What is logged about decisions, and where."),
    now("opa", Takes::Mapping(OPA), "An OPA sidecar."),
    now("state", Takes::Mapping(STATE), "Where limits are counted."),
    now(
        "fail_mode",
        Takes::FailMode,
        "What happens when no decision can be had: `closed` (the default) denies, `open` lets the call run; or one \
         of them for each class of operations.",
    ),
    now(
        "prices",
        Takes::Text,
        "What tokens of models cost, for calls that say their model and tokens and no cost: a file beside this one, such \
         as `prices.yaml`, or `shipped`, the list that comes with the product, which has to be checked. See \
         [prices.md](prices.md).",
    ),
    now(
        "audit",
        Takes::Mapping(AUDIT),
        "Where records are kept, beside what `logging` tells. See [audit.md](audit.md).",
    ),
    now("confirmation", Takes::Mapping(CONFIRMATION), "How people are asked."),
];

pub(crate) const CONFIRMATION: &[Key] = &[
    now(
        "ask",
        Takes::Words(&["token", "terminal"]),
        "`token` (the default): the call is denied with a token, and tried again once somebody has approved it. \
         `terminal`: the person at the terminal is asked, and the call waits.",
    ),
    now(
        "store",
        Takes::Text,
        "Where calls that wait are kept: `memory` (the default), `sqlite:PATH`, `redis://HOST:PORT/DB` or \
         `postgres://USER@HOST/DATABASE`.",
    ),
    now("approvers", Takes::Texts, "Who may approve: ids of users and `@role`s; anybody without it."),
    now("four_eyes", Takes::Truth, "`true`: never the one who asks."),
    now("approvals", Takes::Count, "How many different people have to approve; one without it."),
    now("expires_seconds", Takes::Seconds, "How long a confirmation lives; 900 seconds without it."),
    now(
        "flag",
        Takes::Truth,
        "`true`: a caller's own `confirm: true` counts. It does too where the file has no `confirmation`.",
    ),
    now("webhook", Takes::Mapping(WEBHOOK), "Who is told of each call that waits."),
    now(
        "signed",
        Takes::List(SIGNING_KEY),
        "Tokens carry the confirmation in themselves, signed, and nothing is stored before somebody decides. The first key \
         signs; the others are for tokens that are still about.",
    ),
];

/// A key of signed tokens.
pub(crate) const SIGNING_KEY: &[Key] = &[
    now("id", Takes::Name, "Names the key in tokens: letters, digits, `-` and `_`."),
    now("hmac", Takes::Text, "The secret of HMAC-SHA256; at least 16 bytes."),
    now("ed25519", Takes::Text, "The seed of an Ed25519 key: 32 bytes in hexadecimal."),
];

pub(crate) const WEBHOOK: &[Key] = &[
    now("url", Takes::Text, "Where messages are posted, as JSON."),
    now("secret", Takes::Text, "What messages are signed with (HMAC-SHA256); at least 16 bytes."),
    now("link", Takes::Text, "What links to answer by begin with: `LINK/ID/SECRET`."),
];

pub(crate) const POLICY: &[Key] = &[
    now("id", Takes::Name, "Names the policy; unique in the file."),
    now("description", Takes::Text, "What it is for."),
    now("enabled", Takes::Truth, "`false` switches the policy off: it then allows every call."),
    now("requires_confirmation", Takes::Truth, "`true`: every call under the policy needs a confirmation."),
    now(
        "approvers",
        Takes::Texts,
        "Who may approve its calls, in place of the file's `confirmation.approvers`.",
    ),
    now("four_eyes", Takes::Truth, "`true`: never the one who asks; in place of the file's."),
    now("approvals", Takes::Count, "How many different people have to approve, in place of the file's."),
    now(
        "timezone",
        Takes::Text,
        "The timezone of its hours, days and calendar windows, in place of the file's.",
    ),
    now("rules", Takes::List(RULE), "The rules. The heaviest action of those that apply decides."),
    conditions::CONDITIONS,
    conditions::OTHERWISE,
    conditions::FUNCTIONS,
    now(
        "rego",
        Takes::Text,
        "Rego in place of rules: a file beside this one, such as `refunds.rego`, or the text itself. See \
         [rego.md](rego.md).",
    ),
];

pub(crate) const RULE: &[Key] = &[
    now(
        "id",
        Takes::Name,
        "Names the rule and its counters; without one it is `rule_1`, `rule_2`, … by its place.",
    ),
    now("description", Takes::Text, "Why; told with a denial."),
    now("operation", Takes::Texts, "Which operations the rule is about: names or patterns with `*`."),
    now("resource", Takes::Texts, "Which resources the rule is about: names or patterns with `*`."),
    now("resource_types", Takes::Texts, "Which types of resource the rule is about."),
    now("model", Takes::Texts, "Which models the rule is about: names or patterns with `*`."),
    now("feature", Takes::Texts, "Which features the rule is about: names or patterns with `*`."),
    now("action", Takes::Action, "What happens to a call that violates the rule; `block` without it."),
    now(
        "queue_limit",
        Takes::Count,
        "With `action: queue`: how many calls may wait at a time; 100 without it.",
    ),
    now(
        "queue_timeout_seconds",
        Takes::Seconds,
        "With `action: queue`: how long a call may wait; 30 seconds without it.",
    ),
    now("allowed", Takes::Truth, "`true`: only these models. `false`: not these models."),
    now("enabled", Takes::Truth, "`false`: the feature is switched off."),
    now(
        "allowed_users",
        Takes::Texts,
        "Who may: ids of users, and `@owner`, `@self`, `@admin`, `@api_user`.",
    ),
    now("requires_confirmation", Takes::Truth, "`true`: the calls need a confirmation."),
    now("requires_approval", Takes::Truth, "The same as `requires_confirmation`."),
    now(
        "approvers",
        Takes::Texts,
        "Who may approve these calls, in place of the policy's and the file's `approvers`. Of several rules that hold a \
         call, the first says who.",
    ),
    now(
        "four_eyes",
        Takes::Truth,
        "`true`: never the one who asks; in place of the policy's and the file's.",
    ),
    now("approvals", Takes::Count, "How many different people have to approve these calls."),
    now(
        "requires",
        Takes::Words(&["confirmation"]),
        "`confirmation`: the same as `requires_confirmation: true`.",
    ),
    now("warn_at_percentage", Takes::Percent, "Warns once in a window, when this much of a limit is used."),
    now("alert_at_percentage", Takes::Percent, "A second such percentage."),
    now("hourly_budget", Takes::Dollars, "Dollars in an hour."),
    now("daily_budget", Takes::Dollars, "Dollars in a day of the timezone."),
    now("weekly_budget", Takes::Dollars, "Dollars in a week of the timezone, from Monday."),
    now("monthly_budget", Takes::Dollars, "Dollars in a month of the timezone."),
    now("total_budget", Takes::Dollars, "Dollars, for ever."),
    now("requests_per_second", Takes::Count, "Calls in a second."),
    now("requests_per_minute", Takes::Count, "Calls in a minute."),
    now("requests_per_hour", Takes::Count, "Calls in an hour."),
    now("requests_per_day", Takes::Count, "Calls in a day of the timezone."),
    now(
        "algorithm",
        Takes::Words(&["fixed_window", "sliding_window", "token_bucket"]),
        "How long a call counts against the rule's `requests_per_…` and `daily_limit`. `fixed_window` (without it): until \
         the window ends, so that twice as many may come around its end. `sliding_window`: for the whole length of the \
         window, so that no stretch of it ever has more. `token_bucket`: as many at once, and from then on evenly. A day \
         of the latter two is 24 hours. They are judged by the store when the call is charged, not by the policy: what \
         does not fit is denied with the time to wait, so that the action is `block` or `throttle`. The store `opa` \
         takes no `token_bucket`: there a count is the sum of what each replica writes, and what has leaked is no such \
         sum. An empty bucket leaks nothing, which no replica can tell of all of them; and where a replica ages out, \
         what it put in would go and what leaked of it would stay, so that more would be let through.",
    ),
    now("concurrent_limit", Takes::Count, "Calls at a time."),
    now("daily_limit", Takes::Count, "The same as `requests_per_day`."),
    now("max_tokens_per_request", Takes::Count, "Tokens of one call."),
    now("max_tokens_per_hour", Takes::Count, "Tokens in an hour."),
    now("max_tokens_per_day", Takes::Count, "Tokens in a day of the timezone."),
    now("max_tokens_per_month", Takes::Count, "Tokens in a month of the timezone."),
    now("max_iterations", Takes::Count, "Calls of one session: an agent's loop."),
    now("timeout_seconds", Takes::Seconds, "How long a session may run."),
    now("parameter", Takes::Text, "The argument of the call that `min`, `max` or `max_length` bound."),
    now("min", Takes::Number, "The least that the parameter may be."),
    now("max", Takes::Number, "The most that the parameter may be."),
    now("max_length", Takes::Count, "The most characters, or items, that the parameter may have."),
    now("allowed_hours", Takes::Hours, "The only hours of the day, such as `09:00-17:00`."),
    now("forbidden_hours", Takes::Hours, "Hours such as `22:00-06:00`, which go on past midnight."),
    now(
        "forbidden_days",
        Takes::Days,
        "Days of the week; with `forbidden_hours`, those hours of those days.",
    ),
];

/// In either case, and with the two further names that Python's logging has.
const LEVELS: &[&str] = &[
    "debug", "info", "warning", "warn", "error", "critical", "DEBUG", "INFO", "WARNING", "WARN", "ERROR",
    "CRITICAL",
];

pub(crate) const LOGGING: &[Key] = &[
    now("enabled", Takes::Truth, "`false`: decisions are not logged."),
    now(
        "level",
        Takes::Words(LEVELS),
        "From which level on: warnings are calls that ran with one or did not run.",
    ),
    now("file", Takes::Text, "The file that records are appended to, a line of JSON each."),
];

pub(crate) const OPA: &[Key] = &[
    now("url", Takes::Text, "Its address, such as `http://localhost:8181`."),
    now(
        "order",
        Takes::Words(&["wasm", "wasm-then-sidecar", "sidecar-then-wasm", "sidecar"]),
        "Who decides, and who if that fails; `wasm-then-sidecar` without it.",
    ),
    now("timeout_seconds", Takes::Seconds, "How long a decision may take; five seconds without it."),
    now(
        "health_check_interval",
        Takes::Seconds,
        "How often its health is asked for, in seconds, beside the calls: while it is not well it is not asked to \
         decide. Without it calls alone find out.",
    ),
    now("token", Takes::Text, "The bearer token that it wants."),
    now(
        "tls",
        Takes::Mapping(OPA_TLS),
        "Whom to trust, and what to show it. The paths are from the directory that the \
         process runs in.",
    ),
];

pub(crate) const OPA_TLS: &[Key] = &[
    now(
        "ca_file",
        Takes::Text,
        "The authorities to trust, in PEM, in place of the system's. Its certificate has to be for the host in `url`.",
    ),
    now("cert_file", Takes::Text, "The client's certificate, and behind it those of its chain, in PEM."),
    now("key_file", Takes::Text, "The key of the client's certificate, in PEM."),
];

pub(crate) const AUDIT: &[Key] = &[
    now("store", Takes::Text, "`sqlite:PATH`, a file that the processes of one machine share, or `none`."),
    now(
        "durability",
        Takes::Words(&["before_outcome", "grouped", "async"]),
        "When a record is kept. `before_outcome`: before the call runs or is denied; where it cannot be, `fail_mode` says \
         what happens. `grouped` (without it): as soon as may be, and the call does not wait. `async`: the same, and the \
         system says when the disk is written.",
    ),
    now(
        "queue_limit",
        Takes::Count,
        "How many records may wait for the disk; 10000 without it. Those beyond are dropped, counted and told.",
    ),
];

pub(crate) const STATE: &[Key] = &[
    now(
        "store",
        Takes::Words(&["memory", "sqlite", "redis", "postgres", "opa"]),
        "The store: of this process (`memory`, without it), of the processes of one machine (`sqlite`), or of several \
         (`redis`, `postgres`); `opa`: the documents of an OPA that replicas share.",
    ),
    now(
        "path",
        Takes::Text,
        "The file of `sqlite`. Of `opa`: the file in which this replica keeps a copy of its own part. With `leased: true`: the \
         folder in which the processes of a machine write down what they have spent of slices, so that of one that is killed \
         the rest goes back.",
    ),
    now(
        "url",
        Takes::Text,
        "The address of `redis`, `postgres` or `opa`; without it, `opa` is the one of the key `opa`.",
    ),
    now(
        "leased",
        Takes::Truth,
        "`true`: slices of the limits in `redis` or `postgres` are spent in this process, without waiting for the server.",
    ),
];

/// A list of prices.
pub(crate) const PRICES: &[Key] = &[
    now("version", Takes::Text, "The date at which the prices were right."),
    now("currency", Takes::Words(&["USD"]), "Dollars, as budgets are."),
    now("unit", Takes::Words(&["micro-dollars per million tokens"]), "What the numbers are."),
    now("extends", Takes::Words(&["shipped"]), "The list that this one adds to, and has the last word over."),
    now("models", Takes::List(PRICE), "The prices."),
];

/// A price.
pub(crate) const PRICE: &[Key] = &[
    now("model", Takes::Text, "A model's name, or the beginning of names and one `*`."),
    now("input", Takes::Integer, "What a million tokens that go in cost."),
    now("output", Takes::Integer, "What a million tokens that come out cost."),
];

/// A decision table.
pub(crate) const TABLE: &[Key] = &[
    now("clock", Takes::Text, "The moment of rows that name none."),
    now("rows", Takes::List(ROW), "The rows."),
];

/// A row of a decision table.
pub(crate) const ROW: &[Key] = &[
    now("row", Takes::Text, "What a reader is to see in it."),
    now("at", Takes::Text, "The moment, such as `2026-03-02T18:00:00Z`."),
    now("call", Takes::Mapping(CALL), "The call."),
    now("state", Takes::Anything, "What has been counted before."),
    now("expect", Takes::Anything, "The decision, member for member."),
    now("after", Takes::Anything, "What has been counted once the call has run."),
    now("refused", Takes::Truth, "Whether the store refuses what the policy allows."),
];

/// A script of calls.
pub(crate) const SCRIPT: &[Key] =
    &[now("clock", Takes::Text, "When it begins."), now("calls", Takes::List(STEP), "The calls.")];

/// A call of a decision table.
pub(crate) const CALL: &[Key] = &[
    now("policy", Takes::Text, "The policy that is asked."),
    now("function", Takes::Text, "The function about to run."),
    now("operation", Takes::Text, "What is done."),
    now("resource", Takes::Text, "To what."),
    now("resource_type", Takes::Text, "What kind of thing that is."),
    now("model", Takes::Text, "The model that is called."),
    now("feature", Takes::Text, "The feature that is used."),
    now("user", Takes::Text, "Who calls."),
    now("roles", Takes::Texts, "The caller's roles."),
    now("session", Takes::Text, "The session that the call belongs to."),
    now("started", Takes::Text, "When the session began."),
    now("cost", Takes::Dollars, "What it costs."),
    now("tokens", Takes::Count, "How many tokens it takes."),
    now("confirm", Takes::Truth, "Whether a person has confirmed it."),
    now("context", Takes::Anything, "What else it says, its arguments among that."),
];

/// A call of a script.
pub(crate) const STEP: &[Key] = &[
    now("after", Takes::Text, "How long from the script's beginning, such as `8h 30m`."),
    now("note", Takes::Text, "What a reader is to see in it."),
    now("expect", Takes::Text, "The action."),
    now("policy", Takes::Text, "The policy that is asked."),
    now("function", Takes::Text, "The function about to run."),
    now("operation", Takes::Text, "What is done."),
    now("resource", Takes::Text, "To what."),
    now("resource_type", Takes::Text, "What kind of thing that is."),
    now("model", Takes::Text, "The model that is called."),
    now("feature", Takes::Text, "The feature that is used."),
    now("user", Takes::Text, "Who calls."),
    now("roles", Takes::Texts, "The caller's roles."),
    now("session", Takes::Text, "The session that the call belongs to."),
    now("started", Takes::Text, "When the session began."),
    now("cost", Takes::Dollars, "What it costs."),
    now("tokens", Takes::Count, "How many tokens it takes."),
    now("confirm", Takes::Truth, "Whether a person has confirmed it."),
    now("context", Takes::Anything, "What else it says, its arguments among that."),
];
