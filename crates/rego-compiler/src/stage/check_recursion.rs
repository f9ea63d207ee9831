//! No rule refers to itself, directly or through others.

use rego_syntax::{Code, Diagnostic};

use crate::rule_tree::RuleId;
use crate::stages::Compilation;
use crate::text;

/// Reports every rule that lies on a circle, with a way around it.
pub(crate) fn check_recursion(c: &mut Compilation<'_>) {
    let mut found = Vec::new();
    for id in c.graph.on_cycles() {
        let Some(rule) = c.rule(id) else { continue };
        // A way that depends on no variable is the better proof.
        let certain = c.graph.cycle(id, true);
        let is = if certain.is_some() { "is" } else { "may be" };
        let Some(path) = certain.or_else(|| c.graph.cycle(id, false)) else { continue };
        let way: Vec<String> = path.iter().map(|id| name(c, *id)).collect();
        let message = format!("rule {} {is} recursive: {}", name(c, id), way.join(" -> "));
        found.push(Diagnostic::error(Code::Recursion, rule.span, message));
    }
    c.errors.all_fatal(found);
}

fn name(c: &Compilation<'_>, id: RuleId) -> String {
    let rule = c.rule(RuleId { branch: 0, ..id });
    let module = c.modules.get(id.module);
    match (rule, module) {
        (Some(rule), Some(module)) => text::of_ref(&c.with_source_names(rule.full_ref(&module.package))),
        _ => String::new(),
    }
}
