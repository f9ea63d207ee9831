//! Whether a formatted text still means what its source meant.

use super::{FormatError, FormatOptions};
use crate::ast::visit::{DESCEND, NodeMut, WalkMut};
use crate::ast::{
    Expr, ExprKind, Module, Name, Ref, RegoVersion, Rule, TemplatePart, TemplateString, Term, Value,
    infix_symbol,
};
use crate::options::ParserOptions;
use crate::parse::parse_module;
use crate::span::{FileId, SourceFile};

/// Reads the result and compares it with the source.
pub(super) fn check(
    module: &Module,
    text: &str,
    options: &FormatOptions,
    parser_options: &ParserOptions,
) -> Result<(), FormatError> {
    let unfaithful = |reason: String| Err(FormatError::Unfaithful { reason });
    let version = match options.target {
        RegoVersion::V0CompatV1 => RegoVersion::V0,
        other => other,
    };
    let file = SourceFile::new(FileId::NONE, "formatted", text);
    let parsed = parse_module(&file, &ParserOptions { rego_version: version, ..parser_options.clone() });
    let again = match parsed.into_result() {
        Ok(again) => again,
        Err(errors) => {
            let message = errors.first().map(|e| e.message.clone()).unwrap_or_default();
            return unfaithful(format!("it does not parse: {message}"));
        }
    };
    let comments = |module: &Module| {
        let mut texts: Vec<String> = module.comments.iter().map(|c| c.text.trim_end().to_owned()).collect();
        texts.sort_unstable();
        texts
    };
    if comments(module) != comments(&again) {
        return unfaithful("comments are lost".to_owned());
    }
    if module.rules.len() != again.rules.len() {
        return unfaithful("rules are lost".to_owned());
    }
    let same_language = options.parser.rego_version == version && options.target == version;
    let differs = module.rules.iter().zip(&again.rules).position(|(a, b)| plain(a) != plain(b));
    match differs {
        Some(index) if same_language => unfaithful(format!("rule {} changes", index + 1)),
        _ => Ok(()),
    }
}

/// A rule without what formatting may change: how `= true` and `:=` are written, the names of wildcards, constants in
/// the braces of template strings, and infix operators that are written as calls with a result.
fn plain(rule: &Rule) -> Rule {
    let mut rule = rule.clone();
    let mut next = Some(&mut rule);
    while let Some(link) = next {
        link.head.assign = true;
        link.head.name = Name::default();
        // The key of `p[x] = y` is the last step of its reference too, and depends on whether `if` is written.
        link.head.key.take_if(|_| link.head.value.is_some());
        next = link.else_rule.as_deref_mut();
    }
    rule.walk_mut(&mut |node| {
        if let NodeMut::Expr(expr) = node {
            name_result(expr);
        }
        DESCEND
    });
    rule.rewrite_terms(&mut |term| match &mut term.value {
        Value::Var(name) if name.is_wildcard() => *name = "_".into(),
        Value::TemplateString(template) => merge_text(template),
        _ => {}
    });
    rule
}

/// `plus(x, y, z)` is `z = x + y`.
fn name_result(expr: &mut Expr) {
    let ExprKind::Call(terms) = &mut expr.kind else { return };
    let is_infix =
        terms.first().and_then(Term::as_ref_value).and_then(infix_symbol).is_some_and(|s| s != "in");
    if !is_infix || terms.len() != 4 {
        return;
    }
    let Some(result) = terms.pop() else { return };
    let span = expr.span;
    let call = Term::new(Value::Call(std::mem::take(terms)), span);
    let equality = Term::new(Value::Ref(Ref::from_dotted("eq", span)), span);
    *terms = vec![equality, result, call];
}

/// Constants in braces are text.
fn merge_text(template: &mut TemplateString) {
    let mut merged: Vec<TemplatePart> = Vec::new();
    for part in std::mem::take(&mut template.parts) {
        let TemplatePart::Term(term) = part else {
            merged.push(part);
            continue;
        };
        let text = term.as_string().map_or_else(|| term.to_string(), ToString::to_string);
        match merged.last_mut() {
            Some(TemplatePart::Term(Term { value: Value::String(before), .. })) => {
                *before = Name::from(format!("{before}{text}"));
            }
            _ => merged.push(TemplatePart::Term(Term::string(text, term.span))),
        }
    }
    template.parts = merged;
}
