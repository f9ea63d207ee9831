//! Steps of rule heads that are neither scalars nor variables move into the body:
//! `p[a.b] := 1 if true` becomes `p[__local0__] := 1 if __local0__ = a.b`.

use rego_syntax::ast::Value;

use crate::locals;
use crate::stages::Compilation;
use crate::visit;

/// Rewrites all rule heads. `else` branches share the head of their rule and have none of their own.
pub(crate) fn rewrite_rule_head_refs(c: &mut Compilation<'_>) {
    for rule in c.modules.iter_mut().flat_map(|module| &mut module.rules) {
        let last = rule.head.reference.len().saturating_sub(1);
        for (i, step) in rule.head.reference.iter_mut().enumerate().skip(1) {
            if matches!(step.value, Value::Var(_)) || visit::is_scalar(&step.value) {
                continue;
            }
            let is_key = i == last && rule.head.key.as_ref() == Some(&*step);
            let moved = c.locals.take_out(step);
            if is_key {
                rule.head.key = Some(step.clone());
            }
            locals::append(&mut rule.body, vec![moved]);
        }
    }
}
