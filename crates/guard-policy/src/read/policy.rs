//! `policies`.

use std::collections::HashMap;
use std::sync::Arc;

use crate::beside::Beside;
use crate::model::{Approval, Policy, Rule};
use crate::problem::{MAX_PROBLEMS, Place, Problem, ProblemCode};
use crate::rego;
use crate::schema;
use crate::yaml::{Kind, Node};

use super::fields::Fields;
use super::{rule, values};

pub(super) fn read_all(
    file: &Fields<'_>,
    start: Place,
    timezone: &str,
    files: &Beside<'_>,
    problems: &mut Vec<Problem>,
) -> Vec<Policy> {
    let Some(entry) = file.get("policies") else {
        problems.push(Problem::new(ProblemCode::Missing, start, "the file has no key `policies`"));
        return Vec::new();
    };
    let Kind::List(items) = &entry.value.kind else {
        let problem = entry.value.wrong_type("`policies`", "a list of policies");
        problems.push(problem.with_help("each policy begins with `- id: …`"));
        return Vec::new();
    };
    let mut seen = Seen::new("policy");
    let mut policies = Vec::new();
    for item in items {
        if problems.len() >= MAX_PROBLEMS {
            break;
        }
        policies.extend(policy(item, timezone, files, &mut seen, problems));
    }
    policies
}

/// Ids that are taken, and where.
struct Seen {
    what: &'static str,
    places: HashMap<String, Place>,
}

impl Seen {
    fn new(what: &'static str) -> Self {
        Self { what, places: HashMap::new() }
    }

    fn take(&mut self, id: &str, place: Place, problems: &mut Vec<Problem>) {
        if let Some(first) = self.places.get(id) {
            let message = format!("the {} id `{id}` is taken", self.what);
            let help = format!("the {} on line {} has it", self.what, first.line);
            problems.push(Problem::new(ProblemCode::Duplicate, place, message).with_help(help));
        } else {
            self.places.insert(id.to_owned(), place);
        }
    }
}

fn policy(
    item: &Arc<Node>,
    inherited: &str,
    files: &Beside<'_>,
    seen: &mut Seen,
    problems: &mut Vec<Problem>,
) -> Option<Policy> {
    let fields = Fields::of(item, "a policy", schema::POLICY, problems)?;
    let id = match fields.get("id") {
        Some(entry) => {
            let id = values::identifier(entry, problems);
            if let Some(id) = id {
                seen.take(id, entry.value.place, problems);
            }
            id
        }
        None => {
            problems.push(Problem::new(ProblemCode::Missing, item.place, "the policy has no `id`"));
            None
        }
    };
    let description = fields.get("description").and_then(|e| values::text(e, problems));
    let enabled = fields.get("enabled").and_then(|e| values::boolean(e, problems));
    let confirmation = fields.get("requires_confirmation").and_then(|e| values::boolean(e, problems));
    let timezone = fields.get("timezone").and_then(|e| values::timezone(e, problems));
    // One that cannot be read has been complained about, and was probably meant.
    let asks = fields.get("requires_confirmation").is_some() && confirmation != Some(false);
    let instead = asks || fields.get("conditions").is_some();
    let rules = rules(&fields, item.place, instead, problems);
    let conditions = crate::ruleset::read_in_policy(&fields, problems);
    let approval = super::confirmation::approval(&fields, problems);
    let asks = asks || conditions.is_some() || rules.iter().any(Rule::asks);
    let in_rego = fields.get("rego").is_some();
    let rego = rego::read(&fields, id, files, problems);
    if !in_rego {
        super::confirmation::check_approval(&fields, asks, "policy", "requires_confirmation: true", problems);
    }
    let own = rules.iter().map(|rule| (&rule.approval, rule.place));
    let asked = conditions.iter().flat_map(|conditions| &conditions.rules);
    let mut own = own.chain(asked.map(|rule| (&rule.approval, rule.place)));
    if let (Some((_, place)), Some(true)) = (own.find(|(own, _)| **own != Approval::default()), confirmation)
    {
        let message =
            "the policy holds every call, so that who approves is the policy's to say, not a rule's";
        let problem = Problem::new(ProblemCode::Contradiction, place, message);
        problems.push(problem.with_help("say it for the policy, or drop its `requires_confirmation`"));
    }
    Some(Policy {
        id: id?.to_owned(),
        description: description.map(str::to_owned),
        enabled: enabled.unwrap_or(true),
        requires_confirmation: confirmation.unwrap_or(false),
        approval,
        timezone: timezone.unwrap_or(inherited).to_owned(),
        rules,
        conditions,
        node: rego.as_ref().map_or_else(|| Arc::clone(item), |rego| rego.standing_in(item)),
        rego,
        place: item.place,
        source: None,
    })
}

fn rules(fields: &Fields<'_>, start: Place, instead: bool, problems: &mut Vec<Problem>) -> Vec<Rule> {
    let missing = |place| {
        Problem::new(ProblemCode::Missing, place, "the policy has no rules, so it would allow every call")
            .with_help("give it `rules`, `conditions`, `rego`, or `requires_confirmation: true`")
    };
    let Some(entry) = fields.get("rules") else {
        if !instead && fields.get("rego").is_none() {
            problems.push(missing(start));
        }
        return Vec::new();
    };
    match &entry.value.kind {
        Kind::List(items) => {
            if items.is_empty() && !instead {
                problems.push(missing(entry.place));
            }
            let rules = items.iter().enumerate();
            let rules: Vec<Rule> =
                rules.filter_map(|(position, item)| rule::read(item, position + 1, problems)).collect();
            let mut seen = Seen::new("rule");
            for rule in &rules {
                seen.take(&rule.id, rule.place, problems);
            }
            rules
        }
        _ => {
            problems.push(entry.value.wrong_type("`rules`", "a list of rules"));
            Vec::new()
        }
    }
}
