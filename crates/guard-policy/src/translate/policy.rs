//! One policy as one module.

use crate::library::RegoModule;
use crate::model::{Policy, PolicyFile};
use crate::ruleset::{own_functions, statements};

use super::alike::Body;
use super::findings::{Finding, Value, findings, required_fields};
use super::text::{comment, list, quoted};

/// The module of a policy: package `guardrails.policies["<id>"]` with the rule `decision`.
pub(crate) fn policy_module(file: &PolicyFile, policy: &Policy) -> RegoModule {
    let name = format!("guardrails/policies/{}.rego", policy.id());
    if let (Some(rego), true) = (&policy.rego, policy.enabled()) {
        return RegoModule { name, text: rego.text.clone(), written: Some(rego.written.clone()) };
    }
    RegoModule::new(name, policy_text(file, policy) + &own_functions(policy))
}

/// The module but for the functions of the author's own, which stand at its end.
pub(crate) fn policy_text(file: &PolicyFile, policy: &Policy) -> String {
    let Body { imports, text: body } = policy_body(file, policy);
    let source = source(file, policy);
    let mut text = String::from("# METADATA\n");
    text.push_str(&format!("# title: {}\n", quoted(policy.id())));
    if let Some(description) = policy.description() {
        text.push_str(&format!("# description: {}\n", quoted(description)));
    }
    text.push_str(&format!(
        "# custom:\n#   source: {}\n",
        quoted(&format!("{source}:{}", policy.place().line))
    ));
    text.push_str(&format!("package guardrails.policies{}\n\n", path_step(policy.id())));
    for name in imports {
        text.push_str(&format!("import data.hexarch.{name}\n"));
    }
    text.push('\n');
    text.push_str(&body);
    text
}

/// What stands below the head of a policy's module.
pub(super) fn policy_body(file: &PolicyFile, policy: &Policy) -> Body {
    if policy.enabled() {
        enforced(source(file, policy), policy)
    } else {
        Body { imports: vec!["decisions"], text: switched_off(policy) }
    }
}

fn source<'a>(file: &'a PolicyFile, policy: &'a Policy) -> &'a str {
    file_name(policy.source.as_deref().unwrap_or(file.file()))
}

/// Paths differ from machine to machine, and what is generated should not.
fn file_name(file: &str) -> &str {
    file.rsplit(['/', '\\']).next().unwrap_or(file)
}

/// `.name` where `opa fmt` writes it so, else `["name"]`.
pub(crate) fn path_step(id: &str) -> String {
    const KEYWORDS: [&str; 15] = [
        "as", "contains", "default", "else", "every", "false", "if", "import", "in", "not", "null",
        "package", "some", "true", "with",
    ];
    let word = id.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if word && !KEYWORDS.contains(&id) { format!(".{id}") } else { format!("[{}]", quoted(id)) }
}

fn switched_off(policy: &Policy) -> String {
    format!(
        "# METADATA\n# title: The decision of this policy, which is switched off\ndecision := decisions.switched_off({})\n",
        quoted(policy.id())
    )
}

/// The packages that the statements use, sorted, and the statements.
fn enforced(source: &str, policy: &Policy) -> Body {
    let mut imports = vec!["decisions"];
    let mut text = format!(
        "# METADATA\n# title: The decision of this policy\ndecision := decisions.decide({}, _findings)\n",
        quoted(policy.id())
    );
    let fields = required_fields(policy);
    if !fields.is_empty() {
        imports.push("calls");
        let fields: Vec<String> = fields.iter().copied().map(quoted).collect();
        text.push_str("\n# A call has to say what the guards below look at.\n");
        text.push_str(&format!("_findings[0] := calls.unstated({})\n", list('[', &fields, ']', 0)));
    }
    let findings = findings(source, policy);
    if fields.is_empty() && findings.is_empty() && policy.conditions().is_none() {
        text.push_str("\n_findings := {}\n");
    }
    for (order, finding) in (1..).zip(&findings) {
        imports.extend(finding.packages());
        text.push('\n');
        statement(order, finding, &mut text);
    }
    if let Some(conditions) = policy.conditions() {
        imports.push("conditions");
        text.push('\n');
        text.push_str(&statements(source, policy, conditions, findings.len() + 1));
    }
    imports.sort_unstable();
    imports.dedup();
    Body { imports, text }
}

impl Finding {
    /// The packages of the library that it calls into.
    fn packages(&self) -> Vec<&'static str> {
        let called = |name: &'static str| {
            let call = format!("{name}.");
            let starts = |condition: &String| condition.trim_start_matches("not ").starts_with(&call);
            self.conditions.iter().any(starts).then_some(name)
        };
        let checked = matches!(self.value, Value::Checked(_)).then_some("limits");
        ["callers", "calls", "hours", "loops", "parameters"]
            .into_iter()
            .filter_map(called)
            .chain(checked)
            .collect()
    }
}

fn statement(order: usize, finding: &Finding, out: &mut String) {
    out.push_str(&comment(&finding.comment));
    out.push_str(&format!("_findings[{order}] := "));
    match &finding.value {
        Value::Spelled(members) => out.push_str(&members.render()),
        Value::Checked(members) => {
            out.push_str("limits.check(");
            out.push_str(&members.render());
            out.push(')');
        }
    }
    if !finding.conditions.is_empty() {
        out.push_str(" if {\n");
        for condition in &finding.conditions {
            out.push('\t');
            out.push_str(condition);
            out.push('\n');
        }
        out.push('}');
    }
    out.push('\n');
}
