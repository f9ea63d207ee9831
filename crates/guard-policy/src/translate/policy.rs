//! One policy as one module.

use crate::library::RegoModule;
use crate::model::{Policy, PolicyFile};
use crate::ruleset::{own_functions, statements};

use super::alike::Member;
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
    let findings = if policy.enabled() { statements_of(source, policy) } else { Vec::new() };
    let mut imports = packages(&findings);
    imports.push("decisions");
    if policy.enabled() && policy.conditions().is_some() {
        imports.push("conditions");
    }
    imports.sort_unstable();
    for name in imports {
        text.push_str(&format!("import data.hexarch.{name}\n"));
    }
    text.push('\n');
    if policy.enabled() {
        enforced(source, policy, &findings, &mut text);
    } else {
        text.push_str(&switched_off(policy));
    }
    text
}

/// The findings of an enabled policy as a module can share them with other policies.
pub(super) fn member<'a>(file: &PolicyFile, policy: &'a Policy) -> Member<'a> {
    let statements = statements_of(source(file, policy), policy);
    let imports = packages(&statements);
    Member {
        id: policy.id(),
        imports,
        statements: statements.into_iter().map(|statement| statement.code).collect(),
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

/// Most statements are shorter, in bytes.
const TYPICAL_CODE: usize = 512;

/// One finding's statement.
struct Statement {
    /// Findings stand in this order.
    order: usize,
    comment: String,
    /// The packages of the library that it calls into.
    packages: Vec<&'static str>,
    /// What stands behind `_findings[order] := `.
    code: String,
}

fn statements_of(source: &str, policy: &Policy) -> Vec<Statement> {
    let stated = unstated(&required_fields(policy)).map(|code| Statement {
        order: 0,
        comment: comment("A call has to say what the guards below look at."),
        packages: vec!["calls"],
        code,
    });
    let findings = findings(source, policy);
    stated.into_iter().chain((1..).zip(&findings).map(|(order, finding)| statement(order, finding))).collect()
}

/// The finding against a call that does not say these fields. One field has a rule of the library's that names it, so that
/// a module whose policies read only few parts of a call is given those and no others.
fn unstated(fields: &[&str]) -> Option<String> {
    match fields {
        [] => None,
        [field] => Some(format!("calls.unsaid({}) if {{\n\tnot calls.says_{field}\n}}\n", quoted(field))),
        _ => {
            let fields: Vec<String> = fields.iter().copied().map(quoted).collect();
            Some(format!("calls.unstated({})\n", list('[', &fields, ']', 0)))
        }
    }
}

/// The packages that the statements use, sorted.
fn packages(statements: &[Statement]) -> Vec<&'static str> {
    let mut packages: Vec<_> =
        statements.iter().flat_map(|statement| statement.packages.iter().copied()).collect();
    packages.sort_unstable();
    packages.dedup();
    packages
}

/// What stands below the imports of a policy's module.
fn enforced(source: &str, policy: &Policy, findings: &[Statement], text: &mut String) {
    text.push_str(&format!(
        "# METADATA\n# title: The decision of this policy\ndecision := decisions.decide({}, _findings)\n",
        quoted(policy.id())
    ));
    if findings.is_empty() && policy.conditions().is_none() {
        text.push_str("\n_findings := {}\n");
    }
    for Statement { order, comment, code, .. } in findings {
        text.push_str(&format!("\n{comment}_findings[{order}] := {code}"));
    }
    if let Some(conditions) = policy.conditions() {
        let next = findings.last().map_or(1, |last| last.order + 1);
        text.push('\n');
        text.push_str(&statements(source, policy, conditions, next));
    }
}

impl Finding {
    /// The packages of the library that it calls into.
    fn packages(&self) -> Vec<&'static str> {
        let called = |name: &'static str| {
            let call = format!("{name}.");
            let starts = |condition: &String| condition.trim_start_matches("not ").starts_with(&call);
            self.conditions.iter().any(starts).then_some(name)
        };
        let checked = matches!(self.value, Value::Checked(..)).then_some("limits");
        ["callers", "calls", "hours", "loops", "parameters"]
            .into_iter()
            .filter_map(called)
            .chain(checked)
            .collect()
    }
}

fn statement(order: usize, finding: &Finding) -> Statement {
    let mut code = String::with_capacity(TYPICAL_CODE);
    match &finding.value {
        Value::Spelled(members) => members.render(&mut code),
        Value::Checked(check, members) => {
            code.push_str(&format!("limits.{check}("));
            members.render(&mut code);
            code.push(')');
        }
    }
    if !finding.conditions.is_empty() {
        code.push_str(" if {\n");
        for condition in &finding.conditions {
            code.extend(["\t", condition, "\n"]);
        }
        code.push('}');
    }
    code.push('\n');
    Statement { order, comment: comment(&finding.comment), packages: finding.packages(), code }
}
