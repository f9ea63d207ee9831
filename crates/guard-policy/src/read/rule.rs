//! One rule: its keys, and whether they make sense together.

use std::sync::Arc;

use crate::model::{Limit, LimitKind, Matches, Pattern, Period, Queue, RateAlgorithm, Rule, RuleAction};
use crate::nearest::nearest;
use crate::problem::{Problem, ProblemCode};
use crate::schema;
use crate::yaml::{Entry, Node};

use super::fields::{Fields, one_of};
use super::{guards, values};

/// What `action` can say.
#[derive(Clone, Copy)]
enum Said {
    Action(RuleAction),
    /// `warn_at_NN%`: block beyond the limit, warn from there on.
    WarnAt(u8),
}

const ACTIONS: &[(&str, RuleAction)] = &[
    ("block", RuleAction::Block),
    ("warn", RuleAction::Warn),
    ("require_confirmation", RuleAction::RequireConfirmation),
    ("allow", RuleAction::Allow),
    ("throttle", RuleAction::Throttle),
    ("queue", RuleAction::Queue),
];

/// The words of `action`, but for `warn_at_NN%`.
pub(crate) const ACTION_WORDS: &[&str] =
    &["block", "warn", "require_confirmation", "allow", "throttle", "queue"];

/// Reads the rule that stands at `position`, from 1.
pub(super) fn read(item: &Arc<Node>, position: usize, problems: &mut Vec<Problem>) -> Option<Rule> {
    let before = problems.len();
    let fields = Fields::of(item, "a rule", schema::RULE, problems)?;
    let id = match fields.get("id") {
        Some(entry) => values::identifier(entry, problems).map(str::to_owned),
        None => Some(format!("rule_{position}")),
    };
    let said = fields.get("action").and_then(|entry| action(entry, problems));
    let mut patterns =
        |key: &str| fields.get(key).map(|entry| values::patterns(entry, problems)).unwrap_or_default();
    let matches = Matches {
        operation: patterns("operation"),
        resource: patterns("resource"),
        resource_types: patterns("resource_types"),
        model: patterns("model"),
        feature: patterns("feature"),
    };
    let rule = Rule {
        id: id.unwrap_or_default(),
        description: fields.get("description").and_then(|e| values::text(e, problems)).map(str::to_owned),
        place: item.place,
        matches,
        limits: limits(&fields, problems),
        warn_at: warn_at(&fields, said, problems),
        allowed_hours: fields.get("allowed_hours").map(|e| values::hours(e, problems)).unwrap_or_default(),
        forbidden_hours: fields
            .get("forbidden_hours")
            .map(|e| values::hours(e, problems))
            .unwrap_or_default(),
        forbidden_days: fields.get("forbidden_days").map(|e| values::days(e, problems)).unwrap_or_default(),
        model_allowed: fields.get("allowed").and_then(|e| values::boolean(e, problems)),
        feature_enabled: fields.get("enabled").and_then(|e| values::boolean(e, problems)),
        allowed_users: fields.get("allowed_users").map(|e| guards::callers(e, problems)),
        parameter: guards::parameter(&fields, problems),
        tokens_per_request: fields
            .get("max_tokens_per_request")
            .and_then(|e| values::count(e, "tokens", problems)),
        timeout: fields.get("timeout_seconds").and_then(|e| values::seconds(e, problems)),
        needs_confirmation: confirmation(&fields, problems),
        approval: super::confirmation::approval(&fields, problems),
        action: said.map(|said| match said {
            Said::Action(action) => action,
            Said::WarnAt(_) => RuleAction::Block,
        }),
        queue: queue(&fields, problems),
    };
    // Whether the parts fit is only worth asking when every key is known and could be read.
    if problems.len() == before {
        check(&rule, item, &fields, problems);
        super::confirmation::check_approval(
            &fields,
            rule.asks(),
            "rule",
            "requires_confirmation: true",
            problems,
        );
    }
    Some(rule)
}

fn action(entry: &Entry, problems: &mut Vec<Problem>) -> Option<Said> {
    let text = values::text(entry, problems)?;
    if let Some((_, action)) = ACTIONS.iter().find(|(name, _)| *name == text) {
        return Some(Said::Action(*action));
    }
    if let Some(percentage) = text.strip_prefix("warn_at_") {
        let percentage = percentage.strip_suffix('%').unwrap_or(percentage);
        if let Ok(percentage @ 1..=100) = percentage.parse::<u8>() {
            return Some(Said::WarnAt(percentage));
        }
        let message = format!("`{text}` names no percentage from 1 to 100");
        let problem = Problem::new(ProblemCode::BadValue, entry.value.place, message);
        problems.push(problem.with_help("such as `warn_at_80%`"));
        return None;
    }
    let names = ACTIONS.iter().map(|(name, _)| *name);
    let message = format!("there is no action {}", entry.value.describe().replace("the text ", ""));
    let problem = Problem::new(ProblemCode::UnknownValue, entry.value.place, message);
    problems.push(problem.with_help(match nearest(text, names) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "the actions are `block`, `warn`, `warn_at_80%` (or another percentage), `require_confirmation`, \
                 `allow`, `throttle` and `queue`"
            .to_owned(),
    }));
    None
}

fn limits(fields: &Fields<'_>, problems: &mut Vec<Problem>) -> Vec<Limit> {
    let mut limits = Vec::new();
    let algorithm = fields.get("algorithm").and_then(|e| one_of(e, RateAlgorithm::WORDS, problems));
    for key in schema::LIMITS {
        let Some(entry) = fields.get(key.name) else { continue };
        let max = match key.kind {
            LimitKind::Budget => values::money(entry, problems),
            LimitKind::Rate | LimitKind::Concurrency => values::count(entry, "calls", problems),
            LimitKind::Tokens => values::count(entry, "tokens", problems),
            LimitKind::Iterations => values::count(entry, "iterations", problems),
        };
        if let Some(max) = max {
            let algorithm = algorithm.filter(|_| key.kind == LimitKind::Rate).unwrap_or_default();
            limits.push(Limit { key, max, algorithm, place: entry.place });
        }
    }
    if let (Some(_), Some(second)) = (fields.get("requests_per_day"), fields.get("daily_limit")) {
        let message = "`daily_limit` and `requests_per_day` say the same";
        problems.push(
            Problem::new(ProblemCode::Contradiction, second.place, message).with_help("keep one of them"),
        );
    }
    limits
}

/// How calls stand in line.
fn queue(fields: &Fields<'_>, problems: &mut Vec<Problem>) -> Queue {
    let default = Queue::default();
    let limit = fields.get("queue_limit").and_then(|entry| values::count(entry, "calls", problems));
    let timeout = fields.get("queue_timeout_seconds").and_then(|entry| values::seconds(entry, problems));
    Queue { limit: limit.unwrap_or(default.limit), timeout: timeout.unwrap_or(default.timeout) }
}

/// The percentages that the rule names, from the lowest on.
fn warn_at(fields: &Fields<'_>, said: Option<Said>, problems: &mut Vec<Problem>) -> Vec<u8> {
    let from_action = match said {
        Some(Said::WarnAt(percentage)) => Some(percentage),
        _ => None,
    };
    let mut percentages: Vec<u8> = ["warn_at_percentage", "alert_at_percentage"]
        .iter()
        .filter_map(|key| fields.get(key))
        .filter_map(|entry| values::percent(entry, problems))
        .chain(from_action)
        .collect();
    percentages.sort_unstable();
    percentages.dedup();
    percentages
}

/// `requires_confirmation`, `requires_approval` and `requires: "confirmation"` are three ways to say one
/// thing.
fn confirmation(fields: &Fields<'_>, problems: &mut Vec<Problem>) -> bool {
    let flags = ["requires_confirmation", "requires_approval"].iter().filter_map(|key| fields.get(key));
    let flagged =
        flags.filter_map(|entry| values::boolean(entry, problems)).fold(false, |any, flag| any | flag);
    let required = fields.get("requires").and_then(|entry| one_of(entry, &[("confirmation", ())], problems));
    flagged || required.is_some()
}

/// Whether the keys of the rule make sense together.
fn check(rule: &Rule, item: &Node, fields: &Fields<'_>, problems: &mut Vec<Problem>) {
    let mut contradiction = |key: &str, message: &str, help: &str| {
        let place = fields.get(key).map_or(item.place, |entry| entry.place);
        problems.push(Problem::new(ProblemCode::Contradiction, place, message).with_help(help));
    };
    if !rule.warn_at.is_empty() && rule.limits.is_empty() {
        let key =
            ["warn_at_percentage", "alert_at_percentage"].into_iter().find(|key| fields.get(key).is_some());
        contradiction(
            key.unwrap_or("action"),
            "a percentage to warn at needs a budget or a rate in the same rule",
            "such as `monthly_budget: 10`",
        );
    }
    if rule.model_allowed.is_some() && rule.matches.model.is_empty() {
        contradiction("allowed", "`allowed` needs a `model` in the same rule", "such as `model: gpt-4o`");
    }
    if rule.model_allowed == Some(true) && rule.matches.model.contains(&Pattern("*".to_owned())) {
        contradiction("model", "allowing every model keeps none out", "name the models, or drop the rule");
    }
    if rule.feature_enabled.is_some() && rule.matches.feature.is_empty() {
        contradiction(
            "enabled",
            "`enabled` in a rule switches a feature, and needs a `feature`",
            "such as `feature: beta`; a policy as a whole has an `enabled` of its own",
        );
    }
    if fields.get("algorithm").is_some() {
        check_algorithm(rule, &mut contradiction);
    }
    match rule.action {
        Some(RuleAction::Throttle) => check_throttle("throttle", rule, &mut contradiction),
        Some(RuleAction::Queue) => check_queue(rule, &mut contradiction),
        Some(RuleAction::Allow) => {
            let forbids = !(rule.forbidden_hours.is_empty() && rule.forbidden_days.is_empty());
            let shuts = rule.model_allowed == Some(false) || rule.feature_enabled == Some(false);
            if forbids || shuts || rule.needs_confirmation {
                let message = "the rule allows and forbids the same calls";
                contradiction("action", message, "drop `action: allow`, or write two rules");
            }
        }
        Some(_) | None => {}
    }
    let of_a_line =
        ["queue_limit", "queue_timeout_seconds"].into_iter().find(|key| fields.get(key).is_some());
    if let (Some(key), true) = (of_a_line, rule.action != Some(RuleAction::Queue)) {
        contradiction(key, "calls stand in line only with `action: queue`", "add it, or drop the key");
    }
    if !rule.has_constraint()
        && !rule.needs_confirmation
        && rule.action.is_none()
        && rule.feature_enabled.is_none()
    {
        let message = "the rule says which calls it matches and not what is to happen to them";
        let problem = Problem::new(ProblemCode::Missing, item.place, message);
        problems.push(
            problem.with_help("give it an `action`, a budget, a rate, hours, or `requires_approval: true`"),
        );
    }
}

/// The store refuses a call beyond a sliding window or a bucket, and can do nothing else about it.
fn check_algorithm(rule: &Rule, contradiction: &mut impl FnMut(&str, &str, &str)) {
    if !rule.limits.iter().any(|limit| limit.kind() == LimitKind::Rate) {
        let message = "`algorithm` is of rates, and the rule has none";
        contradiction("algorithm", message, "such as `requests_per_minute: 5`");
    }
    let Some(limit) = rule.limits.iter().find(|limit| limit.algorithm() != RateAlgorithm::FixedWindow) else {
        return;
    };
    let word = limit.algorithm().as_str();
    if !matches!(rule.on_violation(), RuleAction::Block | RuleAction::Throttle) {
        let message = format!(
            "a `{word}` is judged when the call is charged, where it can only be denied, and the action is `{}`",
            rule.on_violation().as_str()
        );
        contradiction("action", &message, "take `block` or `throttle`, or `algorithm: fixed_window`");
    }
    if !rule.warn_at.is_empty() {
        let message = format!("a `{word}` has no window of which a percentage could be warned about once");
        contradiction("algorithm", &message, "take `fixed_window`, or write two rules");
    }
}

fn check_throttle(action: &str, rule: &Rule, contradiction: &mut impl FnMut(&str, &str, &str)) {
    if rule.limits.is_empty() {
        let message = format!(
            "`{action}` needs a budget or a rate in the same rule, so that it can say when to try again"
        );
        contradiction("action", &message, "such as `requests_per_minute: 5`");
    } else if rule.has_other_constraint() {
        let message = format!("`{action}` applies to budgets and rates, to nothing else that the rule says");
        contradiction("action", &message, "write two rules");
    }
}

fn check_queue(rule: &Rule, contradiction: &mut impl FnMut(&str, &str, &str)) {
    check_throttle("queue", rule, contradiction);
    let never_empties = |limit: &&Limit| matches!(limit.period(), Period::Total | Period::Session);
    if let Some(limit) = rule.limits.iter().find(never_empties) {
        let message = format!("nobody can stand in line for `{}`: it is never emptied", limit.key());
        contradiction(limit.key(), &message, "write a rule of its own for it");
    }
}
