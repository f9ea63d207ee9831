//! Rules that do not do what they seem to: that contradict each other, shadow each other, or can never matter.
//!
//! A file with such rules is enforced as it stands, since the heaviest action wins whatever the author meant;
//! but the author is told, with both lines. Rules are compared within a policy only.

mod clock;
mod cover;
mod limits;

use std::fmt;

use crate::model::{Bounds, Policy, Rule, RuleAction};
use crate::problem::Place;

use cover::{covers, excluded_by};

/// Each rule is compared with each other one; beyond this many only these are.
const MAX_COMPARED: usize = 500;

/// What kind of doubt there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum WarningCode {
    /// Two rules say the opposite about the same calls.
    Contradicts,
    /// Another rule always speaks in its place.
    Shadowed,
    /// What the rule says never comes about.
    NeverMatches,
    /// Two rules with conditions have one priority.
    SamePriority,
}

impl WarningCode {
    /// The code as it is printed.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Contradicts => "contradicts",
            Self::Shadowed => "shadowed",
            Self::NeverMatches => "never_matches",
            Self::SamePriority => "same_priority",
        }
    }
}

/// Something that is allowed, and is probably not meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// What kind of doubt.
    pub code: WarningCode,
    /// The policy.
    pub policy: String,
    /// The rule that is in doubt.
    pub place: Place,
    /// The rule that makes it so, where that is another one.
    pub other: Option<Place>,
    /// What is the matter, both lines named.
    pub message: String,
}

impl Warning {
    /// In the layout of [`Problems`](crate::Problems), for a file of that name.
    pub fn render(&self, file: &str) -> String {
        format!("{file}:{}:{}: {self}", self.place.line, self.place.column)
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "warning[{}]: policy `{}`: {}", self.code.as_str(), self.policy, self.message)
    }
}

/// All doubts about the policies, in the order of their lines.
pub(crate) fn warnings(policies: &[Policy]) -> Vec<Warning> {
    let mut all = Vec::new();
    for policy in policies.iter().filter(|policy| policy.enabled()) {
        let mut of = Doubts { policy, found: Vec::new() };
        of.look();
        all.append(&mut of.found);
        crate::ruleset::ties(policy, &mut all);
    }
    all.sort_by_key(|warning| (warning.place, warning.other));
    all
}

pub(super) struct Doubts<'a> {
    policy: &'a Policy,
    found: Vec<Warning>,
}

impl Doubts<'_> {
    fn look(&mut self) {
        let rules = self.policy.rules().get(..MAX_COMPARED).unwrap_or(self.policy.rules());
        for (position, rule) in rules.iter().enumerate() {
            self.alone(rule);
            if let Some(list) = excluded_by(rule, rules) {
                let message = format!("its models are not among those that {} allows", told(list));
                self.doubt(WarningCode::NeverMatches, rule, Some(list), message);
            }
            for (before, other) in rules.iter().enumerate() {
                if before != position && covers(&other.matches, &rule.matches) {
                    self.pair(rule, other, before < position);
                }
            }
        }
    }

    fn alone(&mut self, rule: &Rule) {
        limits::within_a_rule(self, rule);
        if !rule.allowed_hours.is_empty() && clock::whole_day(&rule.allowed_hours) {
            self.doubt(
                WarningCode::NeverMatches,
                rule,
                None,
                "its allowed hours are the whole day, and keep nothing out".into(),
            );
        }
        if rule.has_hours() && rule.on_violation() == RuleAction::Block && clock::Week::of(rule).is_empty() {
            let message = "its hours and days leave no time at which a call could run".into();
            self.doubt(WarningCode::NeverMatches, rule, None, message);
        }
    }

    /// `other` is about every call that `rule` is about.
    fn pair(&mut self, rule: &Rule, other: &Rule, other_first: bool) {
        if self.stopped(rule, other, other_first) {
            return;
        }
        limits::between(self, rule, other, other_first);
        // What is said of both needs to be said once.
        if !other_first && covers(&rule.matches, &other.matches) {
            return;
        }
        let both_block = [rule, other].iter().all(|rule| rule.on_violation() == RuleAction::Block);
        if both_block && let Some(what) = nothing_left(rule, other) {
            self.doubt(WarningCode::Contradicts, rule, Some(other), format!("with {} {what}", told(other)));
        }
    }

    /// Whether `other` stops every call of `rule` whatever it says.
    fn stopped(&mut self, rule: &Rule, other: &Rule, other_first: bool) -> bool {
        let Some(heavy) = always(other) else { return false };
        let mine = always(rule);
        let verb = if heavy == RuleAction::Block { "blocks" } else { "asks about" };
        match (heavy, mine) {
            (RuleAction::Block | RuleAction::RequireConfirmation, Some(RuleAction::Allow)) => {
                let message = format!("it allows what {} {verb}, and the heavier action wins", told(other));
                self.doubt(WarningCode::Contradicts, rule, Some(other), message);
            }
            (RuleAction::Block, Some(RuleAction::Block))
            | (RuleAction::RequireConfirmation, Some(RuleAction::RequireConfirmation)) => {
                if !other_first {
                    return false;
                }
                let message = format!("{} {verb} every call that it is about, and speaks first", told(other));
                self.doubt(WarningCode::Shadowed, rule, Some(other), message);
            }
            (RuleAction::Block, _) => {
                let message = format!("{} blocks every call that it is about", told(other));
                self.doubt(WarningCode::Shadowed, rule, Some(other), message);
            }
            _ => return false,
        }
        true
    }

    pub(super) fn doubt(&mut self, code: WarningCode, rule: &Rule, other: Option<&Rule>, message: String) {
        self.found.push(Warning {
            code,
            policy: self.policy.id().to_owned(),
            place: rule.place(),
            other: other.map(Rule::place),
            message: format!("rule `{}` on line {}: {message}", rule.id(), rule.place().line),
        });
    }
}

/// A rule as it is called in a message about another.
fn told(rule: &Rule) -> String {
    format!("rule `{}` on line {}", rule.id(), rule.place().line)
}

/// What a rule does to every call that it is about, where it does not depend on the call.
fn always(rule: &Rule) -> Option<RuleAction> {
    let shuts = rule.model_allowed == Some(false) || rule.feature_enabled == Some(false);
    if shuts {
        return Some(rule.on_violation());
    }
    match (rule.has_constraint(), rule.action, rule.needs_confirmation) {
        (false, Some(RuleAction::Block), _) => Some(RuleAction::Block),
        (_, _, true) => Some(RuleAction::RequireConfirmation),
        (false, action, false) => action,
        (true, ..) => None,
    }
}

/// What no call can meet that has to hold to both rules.
fn nothing_left(rule: &Rule, other: &Rule) -> Option<&'static str> {
    if rule.has_hours() && other.has_hours() {
        let (mine, theirs) = (clock::Week::of(rule), clock::Week::of(other));
        if !mine.is_empty() && !theirs.is_empty() && mine.and(&theirs).is_empty() {
            return Some("no time is left at which a call could run");
        }
    }
    if let (Some(mine), Some(theirs)) = (&rule.allowed_users, &other.allowed_users) {
        let named = mine.relations.is_empty() && theirs.relations.is_empty();
        if named && !mine.users.iter().any(|user| theirs.users.contains(user)) {
            return Some("nobody is left who may");
        }
    }
    if let (Some(mine), Some(theirs)) = (&rule.parameter, &other.parameter)
        && mine.name == theirs.name
        && apart(&mine.bounds, &theirs.bounds)
    {
        return Some("no value of the parameter is left");
    }
    None
}

/// Whether no value is within both bounds. A number has no length.
fn apart(one: &Bounds, two: &Bounds) -> bool {
    let number =
        |text: &Option<String>, open: f64| text.as_ref().and_then(|t| t.parse().ok()).unwrap_or(open);
    match (one, two) {
        (Bounds::Range { min, max }, Bounds::Range { min: least, max: most }) => {
            let least = number(min, f64::NEG_INFINITY).max(number(least, f64::NEG_INFINITY));
            least > number(max, f64::INFINITY).min(number(most, f64::INFINITY))
        }
        (Bounds::Length(_), Bounds::Length(_)) => false,
        _ => true,
    }
}
