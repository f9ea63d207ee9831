//! A module that tells how the answers of a set of rules came about. It calls the functions that the policy calls, on the
//! values that the policy reads, so that it cannot tell anything else than what was decided.

use std::fmt::Write as _;

use crate::library::RegoModule;
use crate::model::{Policy, PolicyFile};
use crate::translate::text::quoted;

use super::rego::{Names, Writer, flat, package_of};
use super::{Condition, ConditionKind, ConditionRule};

/// The entrypoint of [`trace_modules`].
pub const TRACE_ENTRYPOINT: &str = "guardrails/trace/rules";

const HEAD: &str = "\
# METADATA
# title: How rules with conditions came to their answers
package guardrails.trace

";

/// The modules that a file of policies needs beside its own so that [`TRACE_ENTRYPOINT`] answers: for each policy with
/// conditions a list of its rules in the order in which they are asked, each with `rule`, `line`, `priority`, `actions`
/// and `when`. A condition has `line`, `operator` and `answer` (`true`, `false`, or the list of what is in the way), a
/// comparison also `field`, `expected` and `value` (null where the call does not say it), a group its `conditions`.
pub fn trace_modules(file: &PolicyFile) -> Vec<RegoModule> {
    let mut imports: Vec<(&str, String)> = Vec::new();
    let mut body = String::new();
    for policy in file.policies().iter().filter(|policy| policy.enabled()) {
        let Some(conditions) = policy.conditions() else { continue };
        // `fmt::Write` to a text cannot fail.
        let _ = write!(body, "\nrules[{}] := ", quoted(policy.id()));
        if conditions.asked().next().is_none() {
            body.push_str("[]\n");
            continue;
        }
        let alias = format!("policy_{}", imports.len() + 1);
        imports.push((policy.id(), format!("import {} as {alias}\n", package_of(policy))));
        let (names, package) = (Names::of(conditions), format!("{alias}."));
        body.push_str("[\n");
        for rule in conditions.asked() {
            rule_text(&names, &package, policy, rule, &mut body);
        }
        body.push_str("]\n");
    }
    let mut text = HEAD.to_owned();
    // In the order of `opa fmt`.
    imports.sort();
    text.extend(imports.into_iter().map(|(_, import)| import));
    // An import that nothing uses would be an error under `--strict`.
    for library in ["conditions", "traces"] {
        if body.contains(&format!("{library}.")) {
            let _ = writeln!(text, "import data.hexarch.{library}");
        }
    }
    text.push_str(&body);
    let module = |name: &str, text: String| RegoModule::new(name, text);
    vec![
        module("guardrails/trace.rego", text),
        module("hexarch/traces.rego", include_str!("../../../../rego/traces.rego").to_owned()),
    ]
}

fn rule_text(names: &Names, package: &str, policy: &Policy, rule: &ConditionRule, out: &mut String) {
    let actions: Vec<_> = rule.actions().iter().map(|action| action.as_str().into()).collect();
    let _ = write!(
        out,
        "\t{{\n\t\t\"policy\": {},\n\t\t\"rule\": {},\n\t\t\"line\": {},\n\t\t\"priority\": {},\n\t\t\"actions\": {},\n\t\t\"when\": ",
        quoted(policy.id()),
        quoted(rule.id()),
        rule.place().line,
        rule.priority(),
        flat(&serde_json::Value::Array(actions))
    );
    condition(names, package, rule.when(), 2, out);
    out.push_str(",\n\t},\n");
}

fn condition(names: &Names, package: &str, traced: &Condition, indent: usize, out: &mut String) {
    let line = traced.place().line;
    match &traced.kind {
        ConditionKind::All(parts) | ConditionKind::Any(parts) => {
            let _ = writeln!(out, "traces.{}_of({line}, [", traced.operator());
            for part in parts {
                out.push_str(&"\t".repeat(indent + 1));
                condition(names, package, part, indent + 1, out);
                out.push_str(",\n");
            }
            out.push_str(&"\t".repeat(indent));
            out.push_str("])");
        }
        ConditionKind::Not(part) => {
            let _ = write!(out, "traces.negated({line}, ");
            condition(names, package, part, indent, out);
            out.push(')');
        }
        ConditionKind::Test { field, operator, expected } => {
            let _ = write!(
                out,
                "traces.condition({line}, {}, {}, {}, {package}{}, ",
                quoted(field.text()),
                quoted(operator.name),
                expected.rego(),
                names.field(field)
            );
            Writer { names, out, package }.test(traced);
            out.push(')');
        }
    }
}
