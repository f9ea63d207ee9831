//! Annotations to the statements that they stand above.

use std::collections::HashMap;

use crate::ast::{AnnotationTarget, Annotations, Module};
use crate::diagnostic::{Code, Diagnostic};
use crate::span::{SourceFile, Span};

/// Gives each annotation its target and scope, and each rule its annotations.
pub(crate) fn attach(file: &SourceFile, module: &mut Module) -> Vec<Diagnostic> {
    let mut statements = vec![(row(file, module.package.span), AnnotationTarget::Package)];
    let imports = module.imports.iter().enumerate();
    statements.extend(imports.map(|(i, import)| (row(file, import.span), AnnotationTarget::Import(i))));
    let rules = module.rules.iter().enumerate();
    statements.extend(rules.map(|(i, rule)| (row(file, rule.span), AnnotationTarget::Rule(i))));
    statements.sort_by_key(|(row, _)| *row);
    let mut errors = Vec::new();
    for annotations in &mut module.annotations {
        let above = row(file, annotations.span);
        let next = statements.partition_point(|(row, _)| *row <= above);
        annotations.target = statements.get(next).map_or(AnnotationTarget::None, |(_, target)| *target);
        if annotations.scope.is_empty() {
            annotations.scope = default_scope(annotations).to_owned();
        }
        errors.extend(check_target(annotations));
        errors.extend(check_entrypoint(annotations));
    }
    if errors.is_empty() {
        attach_to_rules(file, module);
    }
    errors
}

fn row(file: &SourceFile, span: Span) -> u32 {
    file.position(span.start).row
}

fn default_scope(annotations: &Annotations) -> &'static str {
    match annotations.target {
        AnnotationTarget::Rule(_) if annotations.entrypoint => "document",
        AnnotationTarget::Rule(_) => "rule",
        AnnotationTarget::Package => "package",
        AnnotationTarget::Import(_) => "import",
        AnnotationTarget::None => "",
    }
}

fn check_target(annotations: &Annotations) -> Option<Diagnostic> {
    let scope = &annotations.scope;
    let wanted = match scope.as_str() {
        "rule" | "document" => "rule",
        "package" | "subpackages" => "package",
        _ => {
            let message = format!(
                "invalid annotation scope '{scope}'. Use one of 'rule', 'document', 'package', or 'subpackages'"
            );
            return Some(Diagnostic::error(Code::Parse, annotations.span, message));
        }
    };
    let (kind, have) = match annotations.target {
        AnnotationTarget::Rule(_) => ("rule", " (have rule)"),
        AnnotationTarget::Package => ("package", " (have package)"),
        AnnotationTarget::Import(_) => ("import", " (have import)"),
        AnnotationTarget::None => ("", ""),
    };
    let message = format!("annotation scope '{scope}' must be applied to {wanted}{have}");
    (kind != wanted).then(|| Diagnostic::error(Code::Parse, annotations.span, message))
}

fn check_entrypoint(annotations: &Annotations) -> Option<Diagnostic> {
    let scope = &annotations.scope;
    if !annotations.entrypoint || scope == "document" || scope == "package" {
        return None;
    }
    let message = format!("annotation entrypoint applied to non-document or package scope '{scope}'");
    Some(Diagnostic::error(Code::Parse, annotations.span, message))
}

/// The annotations that apply to the rules of one path.
#[derive(Default)]
struct Group {
    document: Vec<usize>,
    /// Those of scope `rule`, with their rows, last first.
    waiting: Vec<(u32, usize)>,
    /// Those of scope `rule` that stand above the current rule and that no rule before it has claimed.
    above: Vec<usize>,
}

/// A rule gets the annotations of its document, and those above it for its path that no earlier rule has claimed;
/// it claims the last of them.
fn attach_to_rules(file: &SourceFile, module: &mut Module) {
    let paths: Vec<String> =
        module.rules.iter().map(|rule| rule.full_ref(&module.package).ground_prefix().to_string()).collect();
    let mut groups: HashMap<&str, Group> = HashMap::new();
    for (index, annotations) in module.annotations.iter().enumerate().rev() {
        let AnnotationTarget::Rule(rule) = annotations.target else { continue };
        let Some(path) = paths.get(rule) else { continue };
        let group = groups.entry(path).or_default();
        match annotations.scope.as_str() {
            "document" => group.document.push(index),
            _ => group.waiting.push((row(file, annotations.span), index)),
        }
    }
    for (rule, path) in module.rules.iter_mut().zip(&paths) {
        let Some(group) = groups.get_mut(path.as_str()) else { continue };
        let rule_row = row(file, rule.span);
        while let Some((_, index)) = group.waiting.pop_if(|(row, _)| *row < rule_row) {
            group.above.push(index);
        }
        rule.annotations = group.document.iter().chain(&group.above).copied().collect();
        rule.annotations.sort_unstable();
        group.above.pop();
    }
}
