//! The typed model to Rego that a person would have written: a package for each policy, one statement for
//! each finding, and the dispatcher that asks the policy a call names.

mod alike;
mod conditions;
mod findings;
mod guards;
mod policy;
pub(crate) mod text;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::library::{RegoModule, library};
use crate::model::{LimitKind, Period, Policy, PolicyFile, Queue, RateAlgorithm, RuleAction};

use text::quoted;

pub(crate) use findings::{approvers, confirm};
use policy::member;
pub(crate) use policy::{path_step, policy_module, policy_text};

/// What callers ask for.
const ENTRYPOINTS: &[&str] = &["guardrails/evaluate", "guardrails/calendar"];

/// What a hexarch.yaml has become: ready to compile, to publish to an OPA, or to read.
#[derive(Debug, Clone)]
pub struct RegoPackage {
    modules: Vec<RegoModule>,
    policies: Vec<PolicyInfo>,
}

impl RegoPackage {
    /// All modules: the library, the dispatcher and one for each policy.
    pub fn modules(&self) -> &[RegoModule] {
        &self.modules
    }

    /// The rules to ask for, in the form of OPA's entrypoints: the decision, and the windows of the calendar that a host
    /// may keep under `data.hexarch.calendar` until they end, so that not every decision computes them.
    pub const fn entrypoints(&self) -> &'static [&'static str] {
        ENTRYPOINTS
    }

    /// The policies, in the order of the file.
    pub fn policies(&self) -> &[PolicyInfo] {
        &self.policies
    }

    /// The data to begin with: a state in which nothing has been counted.
    pub fn data(&self) -> Value {
        json!({"hexarch": {"state": {}}})
    }
}

/// What is to be known about a policy without reading its Rego.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyInfo {
    id: String,
    description: Option<String>,
    enabled: bool,
    limits: Vec<LimitInfo>,
}

impl PolicyInfo {
    /// The id, as in `input.policy_id`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What its author says about it.
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// Whether it is enforced.
    pub const fn enabled(&self) -> bool {
        self.enabled
    }

    /// Its budgets and rates.
    pub fn limits(&self) -> &[LimitInfo] {
        &self.limits
    }
}

/// A budget or a rate, as charges and the state know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitInfo {
    /// The id: `<policy>.<rule>.<key>`.
    pub id: String,
    /// For people, such as `monthly budget of $10.00`.
    pub name: String,
    /// What it counts.
    pub kind: LimitKind,
    /// The window it counts in.
    pub period: Period,
    /// The most a window may hold: micro-dollars or calls.
    pub max: u64,
    /// How long what is counted counts.
    pub algorithm: RateAlgorithm,
    /// How calls stand in line for it, where its rule's action is `queue`.
    pub queue: Option<Queue>,
}

/// Translates a whole file. It cannot fail: what could has been refused when the file was read.
pub fn translate(file: &PolicyFile) -> RegoPackage {
    translate_sharing(file, alike::WORTH_IT)
}

/// The same with one module for all policies of a file that has `at_least` so many. [`translate`] does so from 64 on;
/// tests do so from one.
pub fn translate_sharing(file: &PolicyFile, at_least: usize) -> RegoPackage {
    let many = file.policies().len() >= at_least;
    let (shared, alone): (Vec<&Policy>, Vec<&Policy>) =
        file.policies().iter().partition(|policy| many && shareable(policy));
    let mut modules = library();
    modules.push(dispatcher(&alone, !shared.is_empty()));
    modules.push(calendar(file));
    modules.extend(alone.iter().map(|policy| policy_module(file, policy)));
    if !shared.is_empty() {
        let members: Vec<alike::Member<'_>> = shared.iter().map(|policy| member(file, policy)).collect();
        modules.push(alike::module(&members));
    }
    let policies = file.policies().iter().map(|policy| PolicyInfo {
        id: policy.id().to_owned(),
        description: policy.description().map(str::to_owned),
        enabled: policy.enabled(),
        limits: policy
            .rules()
            .iter()
            .flat_map(|rule| rule.limits().iter().map(move |limit| (rule, limit)))
            .map(|(rule, limit)| LimitInfo {
                id: limit.id(policy, rule),
                name: limit.name(),
                kind: limit.kind(),
                period: limit.period(),
                max: limit.max(),
                algorithm: limit.algorithm(),
                queue: (rule.action() == Some(RuleAction::Queue)).then_some(rule.queue),
            })
            .collect(),
    });
    RegoPackage { modules, policies: policies.collect() }
}

/// Rego of an author's own is in a module of its own, and so are rules with conditions, which a trace asks for.
fn shareable(policy: &Policy) -> bool {
    policy.enabled() && policy.conditions().is_none() && policy.rego.is_none()
}

/// The one rule that callers ask for. Looking the policy up costs the same for ten and for ten thousand.
fn dispatcher(alone: &[&Policy], shared: bool) -> RegoModule {
    let mut policies: Vec<&str> = alone.iter().map(|policy| policy.id()).collect();
    policies.sort_unstable();
    let known = if policies.is_empty() {
        "_known := set()\n".to_owned()
    } else {
        let lines: String = policies.iter().map(|id| format!("\t{},\n", quoted(id))).collect();
        format!("_known := {{\n{lines}}}\n")
    };
    let import = if shared { "import data.guardrails.alike\n" } else { "" };
    let shared = if shared { SHARED } else { "" };
    let text = format!(
        "# METADATA
# title: Guardrails
# description: Asks the policy that the call names.
package guardrails

{import}import data.hexarch.decisions

# METADATA
# title: The decision about a call
# entrypoint: true
evaluate := data.guardrails.policies[input.policy_id].decision if {{
	input.policy_id in _known
}}{shared} else := decisions.denial(\"the policy gave no decision\") if {{
	input.policy_id in _known
}} else := decisions.denial(\"there is no policy with this id\")

{known}"
    );
    RegoModule::new("guardrails/evaluate.rego", text)
}

/// The branches of the dispatcher for policies that share a module.
const SHARED: &str = " else := alike.decision if {
	alike.policies[input.policy_id]
} else := decisions.denial(\"the policy gave no decision\") if {
	alike.policies[input.policy_id]
}";

/// The windows of hours, days, weeks and months in which something is counted, by timezone. Shorter ones are computed
/// sooner than looked up.
fn calendar(file: &PolicyFile) -> RegoModule {
    let mut zones: BTreeMap<&str, BTreeSet<&'static str>> = BTreeMap::new();
    for policy in file.policies().iter().filter(|policy| policy.enabled()) {
        let limits = policy.rules().iter().flat_map(|rule| rule.limits());
        let counted = limits.filter(|limit| limit.algorithm() == RateAlgorithm::FixedWindow);
        let periods = counted.map(|limit| limit.period()).filter(|period| period.is_of_the_calendar());
        let mut periods = periods.map(Period::as_str).peekable();
        if periods.peek().is_some() {
            zones.entry(policy.timezone()).or_default().extend(periods);
        }
    }
    let lines: String = zones
        .iter()
        .flat_map(|(zone, periods)| periods.iter().map(move |period| (zone, period)))
        .map(|(zone, period)| {
            let path = format!("calendar{}{}", path_step(zone), path_step(period));
            format!("\n{path} := windows.kept({}, {})\n", quoted(period), quoted(zone))
        })
        .collect();
    let (import, rules) = match lines.is_empty() {
        true => ("", "calendar := {}\n".to_owned()),
        false => ("import data.hexarch.windows\n\n", lines.trim_start().to_owned()),
    };
    let text = format!(
        "package guardrails

{import}# METADATA
# title: The windows of the calendar that the call's moment lies in, by timezone and period
# description: |
#   Whoever asks for many decisions keeps them as `data.hexarch.calendar` until they end; without that each
#   decision computes its own.
# entrypoint: true
{rules}"
    );
    RegoModule::new("guardrails/calendar.rego", text)
}
