//! Rules with conditions: what an author says in place of Rego.
//!
//! A rule has a condition (`when`) and `actions`. It is read from a file of its own ([`RuleSet::parse`]), from the key
//! `conditions` of a policy in hexarch.yaml, or built ([`RuleSet::builder`]); all three make the same model, and the same
//! Rego. `docs/rules.md` is for authors.
//!
//! # What a condition answers
//! A condition *holds*, does *not hold*, or has *no answer*: the field is missing, or its value has another type than the
//! condition compares. `null` is missing, and so is an empty `operation`, `resource` or `function`, which is how a call
//! says nothing of them. A path that leads through something else than a mapping or a list is missing too.
//!
//! What is made of several answers is decided as in Kleene's logic, so that the order of conditions never matters: an
//! answer that is not there counts only where it could change the result. With H held, N not held, M missing, E a value
//! of another type:
//!
//! | `all` | H | N | M | E |   | `any` | H | N | M | E |   | `not` |   |
//! |---|---|---|---|---|---|---|---|---|---|---|---|---|---|
//! | **H** | H | N | M | E |   | **H** | H | H | H | H |   | **H** | N |
//! | **N** | N | N | N | N |   | **N** | H | N | M | E |   | **N** | H |
//! | **M** | M | N | M | E |   | **M** | H | M | M | E |   | **M** | M |
//! | **E** | E | N | E | E |   | **E** | H | E | E | E |   | **E** | E |
//!
//! `exists` is the one condition that a missing field answers. `all: [{field: f, exists: true}, {field: f, gt: 5}]` does
//! not hold without `f`, and so lets the call pass on purpose.
//!
//! # What follows from the answers
//! Rules are asked from the highest `priority` down, and in the order of the file where it is the same. A rule that does
//! not hold is passed over. A rule without an answer blocks, whatever its actions are, and says which fields are in the
//! way. A rule that holds does what its actions say: `block` and `allow` end it; `require_confirmation` ends it until the
//! call is confirmed; `warn` is told along, and the next rule is asked. Where no rule ended it, `otherwise` does: `allow`
//! unless the author says `block`. What the other rules of the policy find (`rules`, `requires_confirmation`) counts
//! beside that, and the heaviest action wins.
//!
//! **Invariants.** A rule without an answer never lets a call pass, unless one of a higher priority has ended it before
//! (`tests/conditions.rs`, against an interpreter that shares nothing with the translation, in our engine and in OPA).
//! The trace is made of the same functions as the decision (`rego/conditions.rego`).

mod build;
mod find;
mod functions;
mod operators;
mod path;
mod read;
mod rego;
mod trace;

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::file::{self, LoadError, LoadOptions};
use crate::model::{Approval, Policy, PolicyFile, RuleAction, Settings};
use crate::problem::{Place, Problem, ProblemCode, Problems};
use crate::yaml::{write_json, write_yaml};

pub use build::{Field, NewCondition, NewRule, Operand, RuleSetBuilder};
pub use find::{Rules, load_rules};
pub use trace::{TRACE_ENTRYPOINT, trace_modules};

pub(crate) use operators::{OPERATORS, Operand as OperandKind};
pub(crate) use path::Path;
pub(crate) use read::{read_in_policy, ties};
pub(crate) use rego::{own_functions, statements};

/// Rules with conditions that make one policy: a policy of that id which a [`PolicyFile`] can hold.
#[derive(Debug, Clone)]
pub struct RuleSet {
    file: PolicyFile,
}

impl RuleSet {
    /// Reads and checks a file of rules, in YAML or JSON; `file` names it in messages.
    ///
    /// # Errors
    /// All problems of the text at once, in the order of its lines.
    pub fn parse(file: &str, text: &str) -> Result<Self, Problems> {
        read::read_set(file, text).map(|file| Self { file })
    }

    /// Reads and checks a file. Messages name it by `path` as it is given.
    ///
    /// # Errors
    /// When the file cannot be one, or with all problems of its text.
    pub fn load(path: impl AsRef<std::path::Path>, options: &LoadOptions) -> Result<Self, LoadError> {
        let path = path.as_ref();
        let text = file::read_text(path, options)?;
        Ok(Self::parse(&path.display().to_string(), &text)?)
    }

    /// Begins a set of rules in Rust.
    pub fn builder(id: impl Into<String>) -> RuleSetBuilder {
        RuleSetBuilder::new(id.into())
    }

    /// The policy's id.
    pub fn id(&self) -> &str {
        self.policy().map_or("", Policy::id)
    }

    /// What the author says about it.
    pub fn description(&self) -> Option<&str> {
        self.policy().and_then(Policy::description)
    }

    /// The rules, in the order in which they are asked.
    pub fn rules(&self) -> impl Iterator<Item = &ConditionRule> {
        self.policy().and_then(Policy::conditions).into_iter().flat_map(Conditions::rules)
    }

    /// The rule with this id.
    pub fn rule(&self, id: &str) -> Option<&ConditionRule> {
        self.rules().find(|rule| rule.id == id)
    }

    /// As a file of policies with this one alone, ready to [`translate`](crate::translate).
    pub const fn file(&self) -> &PolicyFile {
        &self.file
    }

    /// The same in YAML, as an author would write it.
    pub fn to_yaml(&self) -> String {
        let mut out = String::new();
        if let Some(policy) = self.policy() {
            write_yaml(&read::as_set(policy), 0, &mut out);
        }
        out
    }

    /// The same in JSON.
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        if let Some(policy) = self.policy() {
            write_json(&read::as_set(policy), 0, &mut out);
            out.push('\n');
        }
        out
    }

    fn policy(&self) -> Option<&Policy> {
        self.file.policies.first()
    }
}

impl PolicyFile {
    /// A file without policies and with the settings that go without saying.
    #[must_use]
    pub fn without_policies() -> Self {
        Self {
            file: String::new(),
            settings: Settings::default(),
            policies: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// The file with the rules as one policy more.
    ///
    /// # Errors
    /// When the file has a policy of that id already.
    pub fn with_rules(mut self, rules: &RuleSet) -> Result<Self, Problems> {
        for policy in &rules.file.policies {
            if self.policy(policy.id()).is_some() {
                let message = format!("the policy id `{}` is taken", policy.id());
                let help = if self.file.is_empty() {
                    "another file of rules has it".to_owned()
                } else {
                    format!("`{}` has it", self.file)
                };
                let problem = Problem::new(ProblemCode::Duplicate, policy.place(), message).with_help(help);
                return Err(Problems::new(rules.file.file(), "", vec![problem]));
            }
            self.policies.push(policy.clone());
        }
        self.warnings.extend(rules.file.warnings.iter().cloned());
        Ok(self)
    }
}

/// The rules with conditions of one policy.
#[derive(Debug, Clone)]
pub struct Conditions {
    pub(crate) otherwise: Otherwise,
    /// Rego with functions of the author's own, as `opa fmt` would write it.
    pub(crate) functions: Option<String>,
    /// From the highest priority down.
    pub(crate) rules: Vec<ConditionRule>,
}

impl Conditions {
    /// What happens to a call that no rule allows or stops.
    pub const fn otherwise(&self) -> Otherwise {
        self.otherwise
    }

    /// The author's own functions, in Rego.
    pub fn functions(&self) -> Option<&str> {
        self.functions.as_deref()
    }

    /// The rules, in the order in which they are asked.
    pub fn rules(&self) -> impl Iterator<Item = &ConditionRule> {
        self.rules.iter()
    }

    /// The rules that are not switched off.
    pub(crate) fn asked(&self) -> impl Iterator<Item = &ConditionRule> {
        self.rules.iter().filter(|rule| rule.enabled)
    }
}

/// What happens to a call that no rule allows or stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Otherwise {
    /// It runs.
    #[default]
    Allow,
    /// It does not.
    Block,
}

impl Otherwise {
    /// The word as it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Block => "block",
        }
    }
}

/// One rule with a condition.
#[derive(Debug, Clone)]
pub struct ConditionRule {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) priority: i64,
    pub(crate) states_priority: bool,
    pub(crate) enabled: bool,
    pub(crate) actions: Vec<RuleAction>,
    pub(crate) approval: Approval,
    pub(crate) metadata: Map<String, Value>,
    pub(crate) when: Condition,
    pub(crate) place: Place,
}

impl ConditionRule {
    /// The id, unique among the rules.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What people call it.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Why it is there; told with what it does.
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// Rules of a higher priority are asked first.
    pub const fn priority(&self) -> i64 {
        self.priority
    }

    /// Whether it is asked at all.
    pub const fn enabled(&self) -> bool {
        self.enabled
    }

    /// What it does to a call for which its condition holds.
    pub fn actions(&self) -> &[RuleAction] {
        &self.actions
    }

    /// Who may approve what it holds, ids and `@role`s, where it says so itself.
    pub fn approvers(&self) -> Option<&[String]> {
        self.approval.approvers.as_deref()
    }

    /// Whether the one who asks may not approve, where it says so itself.
    pub const fn four_eyes(&self) -> Option<bool> {
        self.approval.four_eyes
    }

    /// How many people have to approve, where it says so itself.
    pub const fn approvals(&self) -> Option<u64> {
        self.approval.approvals
    }

    /// Whether it holds calls for a person.
    pub(crate) fn asks(&self) -> bool {
        self.actions.contains(&RuleAction::RequireConfirmation)
    }

    /// What else the author wrote down; told with the decision.
    pub const fn metadata(&self) -> &Map<String, Value> {
        &self.metadata
    }

    /// Its condition.
    pub const fn when(&self) -> &Condition {
        &self.when
    }

    /// Where it begins.
    pub const fn place(&self) -> Place {
        self.place
    }

    /// What is told where it decides.
    pub(crate) fn reason(&self) -> String {
        match (&self.description, &self.name) {
            (Some(text), _) | (None, Some(text)) => text.clone(),
            (None, None) => format!("rule `{}` applies", self.id),
        }
    }
}

/// A condition, or a group of them.
#[derive(Debug, Clone)]
pub struct Condition {
    pub(crate) place: Place,
    pub(crate) kind: ConditionKind,
}

#[derive(Debug, Clone)]
pub(crate) enum ConditionKind {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Test { field: Arc<Path>, operator: &'static operators::Operator, expected: Expected },
}

/// What a value is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expected {
    Scalar(Scalar),
    Scalars(Vec<Scalar>),
    Truth(bool),
    Function(String),
}

/// A value that has no parts. A number is as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Scalar {
    Text(String),
    Number(String),
    Truth(bool),
}

impl Condition {
    /// Where it stands.
    pub const fn place(&self) -> Place {
        self.place
    }

    /// `all`, `any`, `not`, or the name of the comparison, such as `greater_than`.
    pub const fn operator(&self) -> &'static str {
        match &self.kind {
            ConditionKind::All(_) => "all",
            ConditionKind::Any(_) => "any",
            ConditionKind::Not(_) => "not",
            ConditionKind::Test { operator, .. } => operator.name,
        }
    }

    /// The path of the field that is compared; none of a group.
    pub fn field(&self) -> Option<&str> {
        match &self.kind {
            ConditionKind::Test { field, .. } => Some(field.text()),
            _ => None,
        }
    }

    /// As JSON: `operator` and `line`, and the `conditions` of a group, or the `field` and what is `expected` of it.
    pub fn to_json(&self) -> Value {
        match &self.kind {
            ConditionKind::Test { field, expected, .. } => serde_json::json!({
                "operator": self.operator(), "line": self.place.line, "field": field.text(),
                "expected": serde_json::from_str::<Value>(&expected.rego()).unwrap_or_default(),
            }),
            _ => {
                let parts: Vec<Value> = self.conditions().iter().map(Self::to_json).collect();
                serde_json::json!({"operator": self.operator(), "line": self.place.line, "conditions": parts})
            }
        }
    }

    /// What a group is made of.
    pub fn conditions(&self) -> &[Self] {
        match &self.kind {
            ConditionKind::All(parts) | ConditionKind::Any(parts) => parts,
            ConditionKind::Not(part) => std::slice::from_ref(part),
            ConditionKind::Test { .. } => &[],
        }
    }

    /// Every field that it or a part of it reads, in order, also more than once.
    pub(crate) fn fields(&self) -> Vec<&Arc<Path>> {
        match &self.kind {
            ConditionKind::Test { field, .. } => vec![field],
            _ => self.conditions().iter().flat_map(Self::fields).collect(),
        }
    }
}
