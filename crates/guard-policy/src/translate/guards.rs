//! The findings about features, callers, arguments, tokens and loops.

use std::time::Duration;

use crate::model::{Bounds, Callers, Parameter, Rule};

use super::findings::Writer;
use super::text::{enumerated, quoted};

impl Writer<'_> {
    pub(super) fn guards(&mut self, rule: &Rule) {
        if rule.feature_enabled == Some(false) {
            let reason = format!("{} is switched off", rule.matches.words());
            self.spelled(rule, rule.on_violation(), &reason, rule.matches.conditions());
        }
        if let Some(callers) = &rule.allowed_users {
            self.violated(rule, &told(callers), one_of(callers));
        }
        if let Some(Parameter { name, bounds }) = &rule.parameter {
            self.violated(rule, &told_bounds(name, bounds), within(name, bounds));
        }
        if let Some(most) = rule.tokens_per_request {
            let reason = format!("the call takes more than {most} tokens, or does not say how many");
            self.violated(rule, &reason, format!("calls.tokens_within({most})"));
        }
        if let Some(timeout) = rule.timeout {
            let seconds = Seconds(timeout);
            let reason = format!(
                "the session has run for more than {seconds} s, or the call does not say when it began"
            );
            self.violated(rule, &reason, format!("loops.running_within({})", timeout.as_nanos()));
        }
    }

    /// A finding about every call of the rule's that is not known to hold to something.
    fn violated(&mut self, rule: &Rule, reason: &str, held_to: String) {
        let mut conditions = rule.matches.conditions();
        conditions.push(format!("not {held_to}"));
        self.spelled(rule, rule.on_violation(), reason, conditions);
    }
}

fn told(callers: &Callers) -> String {
    let users = callers.users.iter().map(|user| format!("`{user}`"));
    let relations = callers.relations.iter().map(|relation| format!("`@{relation}`"));
    let names: Vec<String> = users.chain(relations).collect();
    format!("the caller is not known to be {}", enumerated(&names, "or"))
}

/// In one line however long: behind a broken list `opa fmt` breaks the other arguments too.
fn one_of(callers: &Callers) -> String {
    let set = |names: Vec<String>| match names.as_slice() {
        [] => "set()".to_owned(),
        names => format!("{{{}}}", names.join(", ")),
    };
    let users = set(callers.users.iter().map(|user| quoted(user)).collect());
    let relations = set(callers.relations.iter().map(|relation| quoted(relation)).collect());
    format!("callers.one_of({users}, {relations})")
}

fn told_bounds(name: &str, bounds: &Bounds) -> String {
    match bounds {
        Bounds::Length(most) => {
            format!(
                "the parameter `{name}` is not a text of at most {most} characters or a list of as many items"
            )
        }
        Bounds::Range { min: Some(min), max: Some(max) } => {
            format!("the parameter `{name}` is not a number from {min} to {max}")
        }
        Bounds::Range { min: Some(min), max: None } => {
            format!("the parameter `{name}` is not a number of at least {min}")
        }
        Bounds::Range { min: None, max } => {
            format!(
                "the parameter `{name}` is not a number of at most {}",
                max.as_deref().unwrap_or("any size")
            )
        }
    }
}

fn within(name: &str, bounds: &Bounds) -> String {
    let name = quoted(name);
    match bounds {
        Bounds::Length(most) => format!("parameters.short({name}, {most})"),
        Bounds::Range { min, max } => {
            let bound = |bound: &Option<String>| bound.clone().unwrap_or_else(|| "null".to_owned());
            format!("parameters.within({name}, {}, {})", bound(min), bound(max))
        }
    }
}

/// Seconds as people write them.
struct Seconds(Duration);

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.as_secs_f64())
    }
}
