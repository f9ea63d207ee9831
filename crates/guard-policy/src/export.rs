//! One policy as a text that stands alone: Rego, YAML or JSON.

mod inline;
mod written;

use crate::model::{Policy, PolicyFile};
use crate::ruleset::own_functions;
use crate::translate::policy_text;
use crate::yaml::{write_json, write_yaml};

/// One policy as one module of Rego that needs no other: the parts of the library that it uses are written
/// into its package. Its decision is `data.guardrails.policies["<id>"].decision`.
pub fn export_rego(file: &PolicyFile, policy: &Policy) -> String {
    if let (Some(rego), true) = (&policy.rego, policy.enabled()) {
        return written::stand_alone(&rego.text);
    }
    inline::stand_alone(&policy_text(file, policy)) + &own_functions(policy)
}

/// One policy as a hexarch.yaml of its own, its aliases unfolded and its comments gone. A timezone that it
/// inherits from the file is written out.
pub fn export_yaml(policy: &Policy) -> String {
    let mut out = format!("timezone: {}\npolicies:\n  - ", policy.timezone);
    write_yaml(&policy.node, 2, &mut out);
    out
}

/// The same as JSON.
pub fn export_json(policy: &Policy) -> String {
    let timezone = crate::yaml::json_string(&policy.timezone);
    let mut out = format!("{{\n  \"timezone\": {timezone},\n  \"policies\": [\n    ");
    write_json(&policy.node, 2, &mut out);
    out.push_str("\n  ]\n}\n");
    out
}
