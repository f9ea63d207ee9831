//! Rules with conditions as Rego: a rule for each field that is read, one for each condition, and the list of rules that
//! `conditions.findings` goes through.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use crate::model::Policy;
use crate::translate::text::Literal;
use crate::translate::text::{comment, list, quoted};
use crate::translate::{approvers, confirm, path_step};

use super::operators::Operand;
use super::path::{Path, Step};
use super::{Condition, ConditionKind, ConditionRule, Conditions, Expected, Scalar};

/// The statements of the policy's package that its conditions need; `order` is that of their first finding.
pub(crate) fn statements(source: &str, policy: &Policy, conditions: &Conditions, order: usize) -> String {
    let names = Names::of(conditions);
    let mut out = format!(
        "# Rules with conditions, in the order in which they are asked.\n_findings[finding.order] := finding if {{\n\
         \tsome finding in conditions.findings({}, {order}, _asked, {})\n}}\n",
        confirm(policy, None).flat(),
        quoted(conditions.otherwise().as_str())
    );
    out.push_str(&asked(conditions, &names));
    for rule in conditions.asked() {
        out.push('\n');
        let place = format!("{} ({source}:{})", rule.id(), rule.place().line);
        let told = match rule.description().or(rule.name()) {
            Some(text) => format!("{place}, priority {}: {text}", rule.priority()),
            None => format!("{place}, priority {}", rule.priority()),
        };
        out.push_str(&comment(&told));
        let mut text = String::new();
        Writer { names: &names, out: &mut text, package: "" }.condition(rule.when(), 0);
        // `fmt::Write` to a text cannot fail.
        let _ = writeln!(out, "{} := {text}", names.rule(rule));
    }
    for (path, name) in &names.fields {
        out.push('\n');
        out.push_str(&field(path, name));
    }
    out
}

/// The functions of the author's own, as they stand at the end of the policy's package.
pub(crate) fn own_functions(policy: &Policy) -> String {
    let functions = policy.conditions().filter(|_| policy.enabled()).and_then(Conditions::functions);
    functions.map_or_else(String::new, |text| format!("\n{text}"))
}

fn asked(conditions: &Conditions, names: &Names) -> String {
    let mut out = "\n_asked := [\n".to_owned();
    for rule in conditions.asked() {
        let actions: Vec<String> = rule.actions().iter().map(|action| quoted(action.as_str())).collect();
        let mut metadata = rule.metadata().clone();
        metadata.insert("rule".to_owned(), rule.id().into());
        let _ = write!(
            out,
            "\t{{\n\t\t\"actions\": {},\n\t\t\"reason\": {},\n\t\t\"metadata\": {},\n{}\t\t\"answer\": {},\n\t}},\n",
            list('[', &actions, ']', 2),
            quoted(&rule.reason()),
            flat(&serde_json::Value::Object(metadata)),
            own_approval(rule),
            names.rule(rule)
        );
    }
    if conditions.asked().next().is_none() {
        return "\n_asked := []\n".to_owned();
    }
    out.push_str("]\n");
    out
}

/// Who approves what the rule holds, where it says so itself.
fn own_approval(rule: &ConditionRule) -> String {
    match approvers(rule.approval.clone()) {
        members if members.is_empty() => String::new(),
        members => format!("\t\t\"confirm\": {},\n", Literal::Object(members).flat()),
    }
}

/// A JSON value in one line, in the form that `opa fmt` gives it.
pub(super) fn flat(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Array(items) => {
            format!("[{}]", items.iter().map(flat).collect::<Vec<_>>().join(", "))
        }
        serde_json::Value::Object(members) => {
            let members: Vec<String> =
                members.iter().map(|(name, value)| format!("{}: {}", quoted(name), flat(value))).collect();
            format!("{{{}}}", members.join(", "))
        }
        other => other.to_string(),
    }
}

/// The value at the path, and null where the call does not say it.
fn field(path: &Path, name: &str) -> String {
    let mut reference = "input".to_owned();
    for part in path.steps() {
        match part {
            Step::Name(name) => reference.push_str(&path_step(name)),
            Step::Index(index) => {
                let _ = write!(reference, "[{index}]");
            }
        }
    }
    let unsaid = if path.empty_is_missing() { format!(" if {reference} != \"\"") } else { String::new() };
    format!("default {name} := null\n\n{name} := {reference}{unsaid}\n")
}

/// The names of generated rules: those of fields and ids with other characters than Rego takes made plain, and a number
/// behind those that would be the same.
pub(super) struct Names {
    pub(super) fields: BTreeMap<Arc<Path>, String>,
    rules: BTreeMap<String, String>,
}

impl Names {
    pub(super) fn of(conditions: &Conditions) -> Self {
        let mut taken = BTreeMap::new();
        let mut fields = BTreeMap::new();
        for path in conditions.asked().flat_map(|rule| rule.when().fields()) {
            if !fields.contains_key(path) {
                let name = unique(&format!("_field_{}", plain(path.text())), &mut taken);
                fields.insert(Arc::clone(path), name);
            }
        }
        let rules = conditions
            .asked()
            .map(|rule| (rule.id().to_owned(), unique(&format!("_when_{}", plain(rule.id())), &mut taken)))
            .collect();
        Self { fields, rules }
    }

    fn rule(&self, rule: &ConditionRule) -> &str {
        self.rules.get(rule.id()).map_or("", String::as_str)
    }

    pub(super) fn field(&self, path: &Arc<Path>) -> &str {
        self.fields.get(path).map_or("", String::as_str)
    }
}

fn plain(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }) {
        if c != '_' || !out.ends_with('_') {
            out.push(c);
        }
    }
    out.trim_matches('_').to_owned()
}

fn unique(name: &str, taken: &mut BTreeMap<String, usize>) -> String {
    let mut candidate = name.to_owned();
    let mut number = taken.get(name).copied().unwrap_or(1);
    while taken.contains_key(&candidate) {
        number += 1;
        candidate = format!("{name}_{number}");
    }
    taken.insert(name.to_owned(), number);
    taken.entry(candidate.clone()).or_insert(1);
    candidate
}

/// Writes conditions as calls of the library.
pub(super) struct Writer<'a> {
    pub(super) names: &'a Names,
    pub(super) out: &'a mut String,
    /// What stands before the names of fields and functions: nothing in the policy's own package.
    pub(super) package: &'a str,
}

impl Writer<'_> {
    fn condition(&mut self, condition: &Condition, indent: usize) {
        match &condition.kind {
            ConditionKind::All(parts) => self.group("conditions.all_of", parts, indent),
            ConditionKind::Any(parts) => self.group("conditions.any_of", parts, indent),
            ConditionKind::Not(part) => {
                self.out.push_str("conditions.negated(");
                self.condition(part, indent);
                self.out.push(')');
            }
            ConditionKind::Test { .. } => self.test(condition),
        }
    }

    fn group(&mut self, function: &str, parts: &[Condition], indent: usize) {
        self.out.push_str(function);
        self.out.push_str("([\n");
        for part in parts {
            self.out.push_str(&"\t".repeat(indent + 1));
            self.condition(part, indent + 1);
            self.out.push_str(",\n");
        }
        self.out.push_str(&"\t".repeat(indent));
        self.out.push_str("])");
    }

    /// One comparison, in one line.
    pub(super) fn test(&mut self, condition: &Condition) {
        let ConditionKind::Test { field, operator, expected } = &condition.kind else { return };
        let (name, path) = (format!("{}{}", self.package, self.names.field(field)), quoted(field.text()));
        let call = match (operator.takes, expected) {
            (Operand::Truth, Expected::Truth(said)) => {
                let call = format!("conditions.{}({name})", operator.function);
                if *said { call } else { format!("conditions.negated({call})") }
            }
            (Operand::True, _) => format!("conditions.{}({path}, {name})", operator.function),
            (Operand::Function, Expected::Function(function)) => format!(
                "conditions.{}({path}, {name}, {}, [said | said := {}{function}({name})])",
                operator.function,
                quoted(function),
                self.package
            ),
            (Operand::Bounds, Expected::Scalars(bounds)) => {
                let bounds: Vec<String> = bounds.iter().map(Scalar::rego).collect();
                format!("conditions.{}({path}, {name}, {})", operator.function, bounds.join(", "))
            }
            (_, expected) => format!("conditions.{}({path}, {name}, {})", operator.function, expected.rego()),
        };
        self.out.push_str(&call);
    }
}

impl Expected {
    /// As a value of Rego, which is also JSON.
    pub(super) fn rego(&self) -> String {
        match self {
            Self::Scalar(scalar) => scalar.rego(),
            Self::Scalars(items) => {
                format!("[{}]", items.iter().map(Scalar::rego).collect::<Vec<_>>().join(", "))
            }
            Self::Truth(said) => said.to_string(),
            Self::Function(name) => quoted(name),
        }
    }
}

impl Scalar {
    fn rego(&self) -> String {
        match self {
            Self::Text(text) => quoted(text),
            Self::Number(text) => text.clone(),
            Self::Truth(value) => value.to_string(),
        }
    }
}

/// The package of a policy, from `data` on.
pub(super) fn package_of(policy: &Policy) -> String {
    format!("data.guardrails.policies{}", path_step(policy.id()))
}
