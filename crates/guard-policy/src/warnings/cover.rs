//! Whether one rule is about every call that another is about. "No" also where it cannot be told.

use crate::model::{Matches, Pattern, Rule};

const SPECIAL: [char; 7] = ['*', '?', '[', ']', '{', '}', '\\'];

/// Whether `wide` is about every call that `narrow` is about.
pub(super) fn covers(wide: &Matches, narrow: &Matches) -> bool {
    [
        (&wide.operation, &narrow.operation),
        (&wide.resource, &narrow.resource),
        (&wide.resource_types, &narrow.resource_types),
        (&wide.model, &narrow.model),
        (&wide.feature, &narrow.feature),
    ]
    .iter()
    .all(|(wide, narrow)| {
        any(wide) || (!any(narrow) && narrow.iter().all(|b| wide.iter().any(|a| pattern_covers(a, b))))
    })
}

fn any(patterns: &[Pattern]) -> bool {
    patterns.is_empty() || patterns.iter().any(|Pattern(text)| text == "*" || text == "**")
}

fn pattern_covers(Pattern(wide): &Pattern, Pattern(narrow): &Pattern) -> bool {
    let plain = |text: &str| !text.contains(SPECIAL);
    let beginning = narrow.find(SPECIAL).and_then(|end| narrow.get(..end)).unwrap_or(narrow);
    let ending = narrow.rfind(SPECIAL).and_then(|at| narrow.get(at + 1..)).unwrap_or(narrow);
    wide == narrow
        || wide.strip_suffix('*').is_some_and(|start| plain(start) && beginning.starts_with(start))
        || wide.strip_prefix('*').is_some_and(|end| plain(end) && ending.ends_with(end))
}

/// The rule that begins a list of allowed models which has none of the rule's: the rule never matters then.
pub(super) fn excluded_by<'a>(rule: &Rule, rules: &'a [Rule]) -> Option<&'a Rule> {
    if rule.model_allowed.is_some() || any(&rule.matches.model) {
        return None;
    }
    let mine = rule.matches.without_model();
    let lists = rules.iter().filter(|list| list.model_allowed == Some(true));
    lists.filter(|list| covers(&list.matches.without_model(), &mine)).find(|list| {
        // Rules that allow models of the same calls make one list.
        let about = list.matches.without_model();
        let group = rules.iter().filter(|other| other.model_allowed == Some(true));
        let mut models = group
            .filter(|other| other.matches.without_model() == about)
            .flat_map(|other| &other.matches.model);
        !models.any(|theirs| rule.matches.model.iter().any(|mine| may_meet(mine, theirs)))
    })
}

/// Whether some text may fit both patterns.
fn may_meet(one: &Pattern, two: &Pattern) -> bool {
    let plain = |Pattern(text): &Pattern| !text.contains(SPECIAL);
    match (plain(one), plain(two)) {
        (true, true) => one == two,
        (true, false) => literal_may_fit(one, two),
        (false, true) => literal_may_fit(two, one),
        (false, false) => true,
    }
}

/// Whether the text may fit the pattern, by what stands before its first special character and behind the last.
fn literal_may_fit(Pattern(text): &Pattern, Pattern(pattern): &Pattern) -> bool {
    let beginning = pattern.find(SPECIAL).and_then(|end| pattern.get(..end)).unwrap_or_default();
    let ending = pattern.rfind(SPECIAL).and_then(|at| pattern.get(at + 1..)).unwrap_or_default();
    // What stands behind a backslash is meant literally, and so is the rest of no class.
    pattern.contains('\\') || (text.starts_with(beginning) && text.ends_with(ending))
}
