//! No rule refers to itself, directly or through others.

use rego_syntax::ast::Ref;
use rego_syntax::{Code, Diagnostic};

use crate::graph::Shown;
use crate::rule_tree::RuleId;
use crate::stages::Compilation;
use crate::text;

/// How many rules of one circle are reported; each has a way of its own around it.
const MAX_REPORTED: usize = 64;
/// How many rules of a way are named.
const MAX_NAMED: usize = 32;

/// Reports every rule that lies on a circle, with a way around it.
pub(crate) fn check_recursion(c: &mut Compilation<'_>) {
    let circles = c.graph.circles();
    let on_circles = circles.iter().flat_map(|circle| circle.iter().take(MAX_REPORTED));
    let found: Vec<Diagnostic> = on_circles.filter_map(|id| report(c, *id)).collect();
    c.errors.all_fatal(found);
}

fn report(c: &Compilation<'_>, id: RuleId) -> Option<Diagnostic> {
    let rule = c.rule(id)?;
    // A way that depends on no variable is the better proof.
    let certain = c.graph.cycle(id, true);
    let (is, path) = match certain {
        Some(path) => ("is", path),
        None => ("may be", c.graph.cycle(id, false)?),
    };
    let why = if is == "is" { String::new() } else { condition(c, &path).unwrap_or_default() };
    let message = format!("rule {} {is} recursive: {}{why}", name(c, id), way(c, &path));
    Some(Diagnostic::error(Code::Recursion, rule.span, message))
}

fn way(c: &Compilation<'_>, path: &[RuleId]) -> String {
    let named = |path: &[RuleId]| -> Vec<String> { path.iter().map(|id| name(c, *id)).collect() };
    let mut names = match path.split_at_checked(MAX_NAMED) {
        Some((first, [more @ .., last])) if !more.is_empty() => {
            let mut names = named(first);
            names.push(format!("({} more)", more.len()));
            names.push(name(c, *last));
            names
        }
        _ => named(path),
    };
    names.retain(|name| !name.is_empty());
    names.join(" -> ")
}

/// The first step of a way that is there only if a variable has the right value.
fn condition(c: &Compilation<'_>, path: &[RuleId]) -> Option<String> {
    path.windows(2).enumerate().find_map(|(at, step)| {
        let [from, to] = step else { return None };
        let condition = c.graph.condition(*from, *to)?;
        let (from_name, to_name) = (name(c, *from), name(c, *to));
        let path = path_of(c, *to)?;
        let source = |reference: Ref| c.with_source_names(reference);
        let shown = Shown { from: &from_name, to: &to_name, path: &path, source: &source };
        Some(format!(" ({})", condition.describe(&shown, at > 0)))
    })
}

fn path_of(c: &Compilation<'_>, id: RuleId) -> Option<Ref> {
    let module = c.modules.get(id.module)?;
    Some(c.rule(RuleId { branch: 0, ..id })?.full_ref(&module.package))
}

fn name(c: &Compilation<'_>, id: RuleId) -> String {
    path_of(c, id).map(|path| text::of_ref(&c.with_source_names(path))).unwrap_or_default()
}
