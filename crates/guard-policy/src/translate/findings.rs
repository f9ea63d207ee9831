//! The findings of a policy, in the order in which they speak.

use crate::model::{
    Approval, HourRange, Limit, LimitKind, Matches, Pattern, Policy, Rule, RuleAction, Weekday,
};

use super::conditions::fits_none;
use super::text::{Literal, enumerated, quoted};

/// One statement `_findings[…] := … if { … }`.
pub(super) struct Finding {
    /// What stands above it.
    pub(super) comment: String,
    pub(super) value: Value,
    pub(super) conditions: Vec<String>,
}

/// What a finding contains.
pub(super) enum Value {
    /// The members of the finding itself.
    Spelled(Literal),
    /// The function of `limits` that checks the members.
    Checked(&'static str, Literal),
}

/// All findings of a policy; they stand under their positions, from 1.
pub(super) fn findings(file: &str, policy: &Policy) -> Vec<Finding> {
    let mut writer = Writer { file, policy, findings: Vec::new() };
    if policy.requires_confirmation() {
        writer.policy_confirmation();
    }
    for (position, rule) in policy.rules().iter().enumerate() {
        writer.rule(position, rule);
    }
    writer.findings
}

pub(super) struct Writer<'a> {
    file: &'a str,
    policy: &'a Policy,
    findings: Vec<Finding>,
}

impl Writer<'_> {
    fn rule(&mut self, position: usize, rule: &Rule) {
        for limit in &rule.limits {
            self.limit(rule, limit);
        }
        if !rule.allowed_hours.is_empty() {
            self.allowed_hours(rule);
        }
        if !(rule.forbidden_hours.is_empty() && rule.forbidden_days.is_empty()) {
            self.forbidden_hours(rule);
        }
        match rule.model_allowed {
            Some(true) => self.allowed_models(position, rule),
            Some(false) => {
                let reason = format!("{} is not allowed", rule.matches.words());
                self.spelled(rule, rule.on_violation(), &reason, rule.matches.conditions());
            }
            None => {}
        }
        self.guards(rule);
        if rule.needs_confirmation {
            self.plain(rule, RuleAction::RequireConfirmation);
        }
        if rule.feature_enabled == Some(true) && rule.action.is_none() && !rule.has_constraint() {
            self.plain(rule, RuleAction::Allow);
        }
        if let (Some(action), false) = (rule.action, rule.has_constraint()) {
            let said_already = action == RuleAction::RequireConfirmation && rule.needs_confirmation;
            if !said_already {
                self.plain(rule, action);
            }
        }
    }

    fn comment(&self, rule: &Rule) -> String {
        let place = format!("{} ({}:{})", rule.id(), self.file, rule.place().line);
        match rule.description() {
            Some(description) => format!("{place}: {description}"),
            None => place,
        }
    }

    fn limit(&mut self, rule: &Rule, limit: &Limit) {
        let text = |text: &str| Literal::Text(text.to_owned());
        let period = text(limit.period().as_str());
        let window = Literal::Object(vec![("period", period), ("timezone", text(self.policy.timezone()))]);
        // Eight members at most, for nearly all limits: the module finds those of a larger object by hashing.
        let mut members = vec![
            ("rule", text(rule.id())),
            ("id", Literal::Text(limit.id(self.policy, rule))),
            ("kind", text(limit.kind().as_str())),
            ("name", Literal::Text(limit.name())),
            ("max", Literal::Number(limit.max())),
            ("window", window),
            ("action", text(rule.on_violation().as_str())),
        ];
        if let Some(algorithm) = limit.algorithm().in_charges() {
            members.push(("algorithm", text(algorithm)));
            members.push(("span_ms", Literal::Number(limit.period().span_ms())));
        }
        if !rule.warn_at().is_empty() {
            let percentages = rule.warn_at().iter().map(|percentage| u64::from(*percentage));
            members.push(("warn_at", Literal::Numbers(percentages.collect())));
        }
        if rule.on_violation() == RuleAction::RequireConfirmation {
            members.push(("confirm", confirm(self.policy, Some(rule))));
        }
        let is_plain = limit.kind() == LimitKind::Budget
            && limit.algorithm().in_charges().is_none()
            && rule.warn_at().is_empty()
            && rule.on_violation() != RuleAction::Warn;
        let comment = self.comment(rule);
        let check = if is_plain { "check_budget" } else { "check" };
        let value = Value::Checked(check, Literal::Object(members));
        self.findings.push(Finding { comment, value, conditions: rule.matches.conditions() });
    }

    fn allowed_hours(&mut self, rule: &Rule) {
        let zone = self.policy.timezone();
        let reason = format!("it is outside the allowed hours {} ({zone})", told_hours(&rule.allowed_hours));
        let mut conditions = rule.matches.conditions();
        conditions.push(format!("not hours.during({}, {})", ranges(&rule.allowed_hours), quoted(zone)));
        self.spelled(rule, rule.on_violation(), &reason, conditions);
    }

    fn forbidden_hours(&mut self, rule: &Rule) {
        let zone = self.policy.timezone();
        let days: Vec<String> = rule.forbidden_days.iter().map(|day| day.as_str().to_owned()).collect();
        let names = enumerated(&days, "and");
        let hours = told_hours(&rule.forbidden_hours);
        let reason = match (days.is_empty(), hours.is_empty()) {
            (true, _) => format!("it is within the forbidden hours {hours} ({zone})"),
            (false, true) => format!("it is a forbidden day: {names} ({zone})"),
            (false, false) => format!("it is within the forbidden hours {hours} of {names} ({zone})"),
        };
        let days = if rule.forbidden_days.is_empty() {
            "hours.every_day".to_owned()
        } else {
            day_set(&rule.forbidden_days)
        };
        let hours = if rule.forbidden_hours.is_empty() {
            "hours.whole_day".to_owned()
        } else {
            ranges(&rule.forbidden_hours)
        };
        let mut conditions = rule.matches.conditions();
        conditions.push(format!("not hours.outside({days}, {hours}, {})", quoted(zone)));
        self.spelled(rule, rule.on_violation(), &reason, conditions);
    }

    /// Rules that allow models of the same calls make one list; it stands where the first of them does.
    fn allowed_models(&mut self, position: usize, rule: &Rule) {
        let about = rule.matches.without_model();
        let same =
            |other: &&Rule| other.model_allowed == Some(true) && other.matches.without_model() == about;
        if self.policy.rules().iter().take(position).any(|earlier| same(&earlier)) {
            return;
        }
        let group: Vec<&Rule> = self.policy.rules().iter().filter(same).collect();
        let mut models: Vec<Pattern> = Vec::new();
        for pattern in group.iter().flat_map(|rule| &rule.matches.model) {
            if !models.contains(pattern) {
                models.push(pattern.clone());
            }
        }
        let names: Vec<String> = models.iter().map(|Pattern(text)| format!("`{text}`")).collect();
        let reason = format!("the model is not one of the allowed: {}", enumerated(&names, "and"));
        let mut conditions = about.conditions();
        conditions.push(fits_none("model", &models));
        // The strictest word of the group counts.
        let action = group.iter().map(|rule| rule.on_violation()).max_by_key(|action| weight(*action));
        self.spelled(rule, action.unwrap_or(RuleAction::Block), &reason, conditions);
    }

    /// The action itself, for every call that the rule matches.
    fn plain(&mut self, rule: &Rule, action: RuleAction) {
        let words = rule.matches.words();
        let reason = match action {
            RuleAction::Allow => format!("{words} is allowed"),
            RuleAction::Warn => format!("{words} is allowed with a warning"),
            RuleAction::RequireConfirmation => format!("{words} needs a confirmation"),
            RuleAction::Block | RuleAction::Throttle | RuleAction::Queue => format!("{words} is blocked"),
        };
        self.spelled(rule, action, &reason, rule.matches.conditions());
    }

    fn policy_confirmation(&mut self) {
        let reason = "every call under this policy needs a confirmation";
        let comment = format!("requires_confirmation ({}:{})", self.file, self.policy.place().line);
        let members = vec![
            ("action", Literal::Text(RuleAction::RequireConfirmation.as_str().to_owned())),
            ("reason", Literal::Text(reason.to_owned())),
            ("confirm", confirm(self.policy, None)),
        ];
        let value = Value::Spelled(Literal::Object(members));
        self.findings.push(Finding { comment, value, conditions: vec!["not calls.confirmed".to_owned()] });
    }

    pub(super) fn spelled(
        &mut self,
        rule: &Rule,
        action: RuleAction,
        reason: &str,
        mut conditions: Vec<String>,
    ) {
        let reason = match rule.description() {
            Some(description) if action != RuleAction::Allow => format!("{reason}: {description}"),
            _ => reason.to_owned(),
        };
        let mut members = vec![
            ("rule", Literal::Text(rule.id().to_owned())),
            ("action", Literal::Text(action.as_str().to_owned())),
            ("reason", Literal::Text(reason)),
        ];
        if action == RuleAction::RequireConfirmation {
            members.push(("confirm", confirm(self.policy, Some(rule))));
            conditions.push("not calls.confirmed".to_owned());
        }
        let comment = self.comment(rule);
        self.findings.push(Finding { comment, value: Value::Spelled(Literal::Object(members)), conditions });
    }
}

/// What is to be confirmed, and by whom.
pub(crate) fn confirm(policy: &Policy, rule: Option<&Rule>) -> Literal {
    let text = |text: &str| Literal::Text(text.to_owned());
    let mut members = vec![("policy", text(policy.id()))];
    members.extend(rule.map(|rule| ("rule", text(rule.id()))));
    let approval = rule.map_or_else(|| policy.approval.clone(), |rule| rule.approval.or(&policy.approval));
    members.extend(approvers(approval));
    Literal::Object(members)
}

/// Who approves, as far as somebody said it.
pub(crate) fn approvers(approval: Approval) -> Vec<(&'static str, Literal)> {
    let mut members = Vec::new();
    members.extend(approval.approvers.map(|names| ("approvers", Literal::Texts(names))));
    members.extend(approval.four_eyes.map(|truth| ("four_eyes", Literal::Truth(truth))));
    members.extend(approval.approvals.map(|count| ("approvals", Literal::Number(count))));
    members
}

const fn weight(action: RuleAction) -> u8 {
    match action {
        RuleAction::Allow => 0,
        RuleAction::Warn => 1,
        RuleAction::Queue => 2,
        RuleAction::Throttle => 3,
        RuleAction::RequireConfirmation => 4,
        RuleAction::Block => 5,
    }
}

fn told_hours(hours: &[HourRange]) -> String {
    enumerated(&hours.iter().map(ToString::to_string).collect::<Vec<_>>(), "and")
}

/// In one line however long: behind a broken list `opa fmt` breaks the other arguments too.
fn ranges(hours: &[HourRange]) -> String {
    let range = |range: &HourRange| {
        let ((from_hour, from_minute), (to_hour, to_minute)) = (range.from, range.to);
        format!("{{\"from\": [{from_hour}, {from_minute}], \"to\": [{to_hour}, {to_minute}]}}")
    };
    format!("[{}]", hours.iter().map(range).collect::<Vec<_>>().join(", "))
}

fn day_set(days: &[Weekday]) -> String {
    format!("{{{}}}", days.iter().map(|day| quoted(day.as_str())).collect::<Vec<_>>().join(", "))
}

/// The fields of `input` without which a guard of the policy could not tell whether a call is its business.
pub(super) fn required_fields(policy: &Policy) -> Vec<&'static str> {
    let guards = |rule: &&Rule| {
        let lenient = |action: RuleAction| matches!(action, RuleAction::Allow | RuleAction::Warn);
        rule.needs_confirmation
            || if rule.has_constraint() {
                !lenient(rule.on_violation())
            } else {
                rule.action.is_some_and(|a| !lenient(a))
            }
    };
    let read = policy.rules().iter().filter(guards).flat_map(|rule| {
        let matches: &Matches = &rule.matches;
        matches.read_fields()
    });
    let mut fields: Vec<&'static str> = read.collect();
    fields.sort_unstable();
    fields.dedup();
    fields
}
