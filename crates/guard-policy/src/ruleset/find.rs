//! Rules with conditions wherever they stand: in a file of their own, or in a policy of hexarch.yaml.

use std::path::Path;
use std::sync::Arc;

use crate::file::{self, LoadError, LoadOptions};
use crate::model::{Policy, PolicyFile, Settings};
use crate::schema;
use crate::yaml::{self, Kind, Node};

use super::RuleSet;

/// What a file has rules in.
#[derive(Debug, Clone)]
pub enum Rules {
    /// It is a file of rules.
    Set(RuleSet),
    /// It is a hexarch.yaml, whose policies may have `conditions`.
    Policies(PolicyFile),
}

/// Reads and checks a file of rules, or a hexarch.yaml: what has `policies` at its top is one.
///
/// # Errors
/// When the file cannot be either, or with all problems of its text.
pub fn load_rules(path: impl AsRef<Path>, options: &LoadOptions) -> Result<Rules, LoadError> {
    let path = path.as_ref();
    let text = file::read_text(path, options)?;
    let name = path.display().to_string();
    if has_policies(&text) {
        return Ok(Rules::Policies(crate::parse(&name, &text)?));
    }
    Ok(Rules::Set(RuleSet::parse(&name, &text)?))
}

/// What is wrong with the text is told by who reads it in earnest.
fn has_policies(text: &str) -> bool {
    let Ok(Some(root)) = yaml::read(text, &mut Vec::new()) else { return false };
    let Kind::Map(entries) = &root.kind else { return false };
    let has = |key: &str| entries.iter().any(|entry| entry.key == key);
    has("policies") && !has("rules")
}

impl RuleSet {
    /// The rules with conditions of one policy, without what else the policy says; none where it has none.
    pub fn of_policy(file: &PolicyFile, id: &str) -> Option<Self> {
        let policy = file.policy(id).filter(|policy| policy.conditions.is_some())?;
        let policy = Policy {
            requires_confirmation: false,
            rules: Vec::new(),
            node: without_others(&policy.node),
            source: Some(policy.source.clone().unwrap_or_else(|| Arc::from(file.file()))),
            ..policy.clone()
        };
        let (name, settings, warnings) = (file.file().to_owned(), Settings::default(), Vec::new());
        Some(Self { file: PolicyFile { file: name, settings, policies: vec![policy], warnings } })
    }
}

/// A policy's node with nothing but what a file of rules could say, too.
fn without_others(node: &Arc<Node>) -> Arc<Node> {
    let Kind::Map(entries) = &node.kind else { return Arc::clone(node) };
    let said = |key: &str| match key {
        "conditions" => true,
        "rules" => false,
        key => schema::RULES_FILE.iter().any(|known| known.name == key),
    };
    let entries = entries.iter().filter(|entry| said(&entry.key)).cloned().collect();
    Arc::new(Node { place: node.place, kind: Kind::Map(entries) })
}
