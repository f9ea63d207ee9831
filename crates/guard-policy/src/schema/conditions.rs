//! The keys of rules with conditions.

use std::sync::LazyLock;

use super::tables::now;
use super::{Key, Takes};
use crate::ruleset::OPERATORS;

pub(super) const OTHERWISE: Key = now(
    "otherwise",
    Takes::Words(&["allow", "block"]),
    "What happens to a call that no rule with conditions allows or stops: `allow` (the default) or `block`.",
);

pub(super) const FUNCTIONS: Key = now(
    "functions",
    Takes::Text,
    "Functions of one argument, in Rego, for conditions with `function`. They say `true` or `false`.",
);

pub(super) const CONDITIONS: Key = now(
    "conditions",
    Takes::List(CONDITION_RULE),
    "Rules with conditions, asked by priority: see [rules.md](rules.md).",
);

/// A file of rules.
pub(crate) const RULES_FILE: &[Key] = &[
    now("id", Takes::Name, "Names the policy that the rules make."),
    now("description", Takes::Text, "What the rules are for."),
    now("enabled", Takes::Truth, "`false` switches the rules off: every call is then allowed."),
    now("rules", Takes::List(CONDITION_RULE), "The rules."),
    OTHERWISE,
    FUNCTIONS,
    now("approvers", Takes::Texts, "Who may approve what the rules hold: ids of users and `@role`s."),
    now("four_eyes", Takes::Truth, "`true`: never the one who asks."),
    now("approvals", Takes::Count, "How many different people have to approve it."),
];

pub(crate) const CONDITION_RULE: &[Key] = &[
    now("id", Takes::Name, "Names the rule; unique among the rules."),
    now("name", Takes::Text, "What people call it."),
    now("description", Takes::Text, "Why it is there; told with what it does."),
    now("priority", Takes::Integer, "Rules of a higher priority are asked first; 0 without one."),
    now("enabled", Takes::Truth, "`false`: the rule is not asked."),
    now("when", Takes::Condition, "Which calls the rule is about."),
    now("action", Takes::Words(ACTIONS), "What happens to them."),
    now(
        "actions",
        Takes::WordList(ACTIONS),
        "The same, where it is more than one: `require_confirmation`, then `warn` or `allow`.",
    ),
    now("metadata", Takes::Object, "What else is to be told with the decision."),
    now(
        "approvers",
        Takes::Texts,
        "With `require_confirmation`: who may approve these calls, in place of what is said for all rules.",
    ),
    now("four_eyes", Takes::Truth, "With `require_confirmation`: `true`: never the one who asks."),
    now("approvals", Takes::Count, "With `require_confirmation`: how many different people have to approve."),
];

const ACTIONS: &[&str] = &["block", "require_confirmation", "warn", "allow"];

/// The keys of a condition: groups, the field, and a key for each comparison.
pub(crate) fn condition_keys() -> &'static [Key] {
    static KEYS: LazyLock<Vec<Key>> = LazyLock::new(|| {
        let groups = [
            now("all", Takes::Conditions, "All of these hold."),
            now("any", Takes::Conditions, "At least one of these holds."),
            now("not", Takes::Condition, "This one does not hold."),
            now(
                "field",
                Takes::Text,
                "The path of the field that is compared, such as `context.items[0].price`.",
            ),
        ];
        let comparisons = OPERATORS.iter().flat_map(|operator| {
            [Some(operator.name), operator.alias]
                .into_iter()
                .flatten()
                .map(|name| now(name, Takes::Operand(operator.takes), operator.about))
        });
        groups.into_iter().chain(comparisons).collect()
    });
    &KEYS
}
