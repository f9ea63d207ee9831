//! Limits that another limit never lets be reached.

use crate::model::{Limit, LimitKind, Period, RateAlgorithm, Rule, RuleAction};

use super::{Doubts, WarningCode, told};

pub(super) fn within_a_rule(doubts: &mut Doubts<'_>, rule: &Rule) {
    for (position, limit) in rule.limits().iter().enumerate() {
        let others = rule.limits().iter().enumerate().filter(|(other, _)| *other != position);
        let other = others.map(|(_, other)| other).find(|other| never_reached(rule, limit, rule, other));
        if let Some(other) = other {
            let message =
                format!("the {} is never reached, for the {} ends before", limit.name(), other.name());
            doubts.doubt(WarningCode::NeverMatches, rule, None, message);
        }
    }
    tokens(doubts, rule, rule);
}

/// `other` is about every call that `rule` is about.
pub(super) fn between(doubts: &mut Doubts<'_>, rule: &Rule, other: &Rule, other_first: bool) {
    for limit in rule.limits() {
        let stopped = other.limits().iter().find(|wide| {
            // Of two that are the same the later one adds nothing.
            let same = wide.max() == limit.max()
                && wide.period() == limit.period()
                && wide.algorithm() == limit.algorithm();
            (!same || other_first) && never_reached(rule, limit, other, wide)
        });
        if let Some(wide) = stopped {
            let message = format!(
                "the {} is never reached, for the {} of {} ends before",
                limit.name(),
                wide.name(),
                told(other)
            );
            doubts.doubt(WarningCode::Shadowed, rule, Some(other), message);
        }
    }
    tokens(doubts, rule, other);
}

/// Whether `wide` stops calls before `limit` can say anything.
fn never_reached(rule: &Rule, limit: &Limit, other: &Rule, wide: &Limit) -> bool {
    let stops = matches!(other.on_violation(), RuleAction::Block | RuleAction::Throttle | RuleAction::Queue);
    let speaks_from = match rule.warn_at().first() {
        Some(percentage) => u128::from(limit.max()) * u128::from(*percentage) / 100,
        None => u128::from(limit.max()),
    };
    // Below: a limit that warns when its last unit is used speaks when that much is used.
    let beyond = match rule.warn_at().is_empty() {
        true => u128::from(wide.max()) <= speaks_from,
        false => u128::from(wide.max()) < speaks_from,
    };
    stops
        && limit.kind() == wide.kind()
        && contains(wide.period(), limit.period())
        && counts_as_long(wide, limit)
        && beyond
}

/// Whether what `wide` lets through in one of its windows is all that comes in one of `limit`'s. Around the end of a
/// fixed window twice as many may come, and from a bucket in the time in which it fills.
fn counts_as_long(wide: &Limit, limit: &Limit) -> bool {
    match (wide.algorithm(), limit.algorithm()) {
        (RateAlgorithm::FixedWindow, RateAlgorithm::FixedWindow) => true,
        (RateAlgorithm::SlidingWindow, RateAlgorithm::FixedWindow) => {
            // A day of the calendar may have 25 hours.
            limit.period() != Period::Day
        }
        (RateAlgorithm::SlidingWindow, _) => true,
        (RateAlgorithm::TokenBucket, RateAlgorithm::TokenBucket) => wide.period() == limit.period(),
        _ => false,
    }
}

/// Whether each window of `short` lies in one of `long`. A week may lie in two months.
fn contains(long: Period, short: Period) -> bool {
    let rank = |period: Period| match period {
        Period::Second => 0,
        Period::Minute => 1,
        Period::Hour => 2,
        Period::Day => 3,
        Period::Week => 4,
        Period::Month => 5,
        Period::Total => 6,
        Period::Session | Period::Running => 7,
    };
    match (long, short) {
        (Period::Session | Period::Running, _) | (_, Period::Session | Period::Running) => long == short,
        (Period::Month, Period::Week) => false,
        (long, short) => rank(long) >= rank(short),
    }
}

/// A ceiling for a call that is above what a window holds.
fn tokens(doubts: &mut Doubts<'_>, rule: &Rule, other: &Rule) {
    let Some(most) = rule.tokens_per_request else { return };
    let stops = matches!(other.on_violation(), RuleAction::Block | RuleAction::Throttle | RuleAction::Queue);
    let smaller =
        other.limits().iter().find(|limit| stops && limit.kind() == LimitKind::Tokens && limit.max() <= most);
    if let Some(limit) = smaller {
        let message =
            format!("its {most} tokens per request are never reached, for the {} ends before", limit.name());
        let apart = (rule.place() != other.place()).then_some(other);
        doubts.doubt(WarningCode::NeverMatches, rule, apart, message);
    }
}
