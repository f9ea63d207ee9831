//! Statements to a module: rules from queries, the checks of V1, and annotations.

mod from_body;

use crate::annotation::{attach, read_annotations};
use crate::ast::{Import, Module, Package, Ref, RegoVersion, Rule, RuleKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::options::ParserOptions;
use crate::parser::{Statement, Statements};
use crate::span::{SourceFile, Span};
use crate::token::is_keyword_in;
use from_body::rule_from_body;

/// The module that the statements make up, and all that is wrong. Where the statements themselves had errors, the
/// module is what could be read and is not checked further.
pub(crate) fn assemble(
    file: &SourceFile,
    parsed: Statements,
    options: &ParserOptions,
) -> (Option<Module>, Vec<Diagnostic>) {
    let Statements { statements, comments, mut errors, .. } = parsed;
    let (annotations, mut wrong) = match options.process_annotations {
        true => read_annotations(&comments),
        false => (Vec::new(), Vec::new()),
    };
    errors.append(&mut wrong);
    let had_errors = !errors.is_empty();
    let mut package = None;
    let mut imports = Vec::new();
    let mut rules = Vec::new();
    let mut found = Vec::new();
    if statements.is_empty() {
        found.push(match annotations.first() {
            Some(first) => Diagnostic::error(Code::Parse, first.span, "package expected"),
            None => Diagnostic::error(Code::Parse, Span::new(file.id(), 0, 0), "empty module"),
        });
    }
    let mut version = options.rego_version;
    let hints = missing_keywords(file, &statements);
    for (index, statement) in statements.into_iter().enumerate() {
        if index == 0 && !matches!(statement, Statement::Package(_)) {
            found.push(Diagnostic::error(Code::Parse, statement.span(), "package expected"));
            continue;
        }
        match statement {
            Statement::Package(first) if index == 0 => package = Some(first),
            Statement::Package(other) => {
                found.push(Diagnostic::error(Code::Parse, other.span, "unexpected package"));
            }
            Statement::Import(import) => {
                version = raised(version, &import);
                imports.push(import);
            }
            Statement::Rule(rule) => rules.push(rule),
            Statement::Body(body) => {
                let span = body.first().map_or(Span::NONE, |expr| expr.span);
                match rule_from_body(body, options) {
                    Ok(rule) => rules.push(rule),
                    Err(mut message) => {
                        let hint = hints.get(index).copied().flatten();
                        if let Some(hint) = hint.filter(|_| version == RegoVersion::V0) {
                            message.push_str(hint);
                        }
                        found.push(Diagnostic::error(Code::Parse, span, message));
                    }
                }
            }
        }
    }
    if version != RegoVersion::V0 {
        rules.iter().for_each(|rule| check_chain(rule, &mut found));
    }
    if !had_errors {
        errors.append(&mut found);
    }
    let mut module = package.map(|package: Package| Module {
        package,
        imports,
        rules,
        comments,
        annotations,
        rego_version: version,
    });
    if errors.is_empty()
        && let Some(module) = &mut module
    {
        errors = attach(file, module);
    }
    (module, errors)
}

/// The version after an import of `rego.v1` or `rego.v2`.
fn raised(version: RegoVersion, import: &Import) -> RegoVersion {
    let is = |name| import.path.as_ref_value().is_some_and(|r: &Ref| r.is_dotted(name));
    match version {
        RegoVersion::V0 if is("rego.v1") => RegoVersion::V0CompatV1,
        _ if is("rego.v2") => RegoVersion::V2,
        _ => version,
    }
}

/// For each statement the hint to import `if` or `contains`, if the word was read as a name: `p if { … }` is the
/// query `p` and a rule named `if`, where `if` is not a keyword.
fn missing_keywords(file: &SourceFile, statements: &[Statement]) -> Vec<Option<&'static str>> {
    let row = |statement: &Statement| file.position(statement.span().start).row;
    let own: Vec<Option<&'static str>> = statements.iter().map(head_keyword).collect();
    let next = |index: usize| {
        let following = statements.get(index + 1)?;
        let this = statements.get(index)?;
        own.get(index + 1).copied().flatten().filter(|_| row(this) == row(following))
    };
    own.iter().enumerate().map(|(index, keyword)| keyword.or_else(|| next(index))).collect()
}

fn head_keyword(statement: &Statement) -> Option<&'static str> {
    use crate::ast::ExprKind;
    let name = match statement {
        Statement::Rule(rule) => &rule.head.name,
        Statement::Body(body) => match body.as_slice() {
            [expr] => match &expr.kind {
                ExprKind::Term(term) => term.as_var()?,
                _ => return None,
            },
            _ => return None,
        },
        _ => return None,
    };
    match name.as_str() {
        "if" => Some(" (hint: `import future.keywords.if` for `p if { ... }` rules)"),
        "contains" => Some(" (hint: `import future.keywords.contains` for `p contains x` rules)"),
        _ => None,
    }
}

fn check_chain(rule: &Rule, found: &mut Vec<Diagnostic>) {
    let mut next = Some(rule);
    while let Some(rule) = next {
        check_v1(rule, found);
        next = rule.else_rule.as_deref();
    }
}

/// What V1 asks of a rule: `if` before a body, `contains` in a set, no keyword as its name, something that it says.
fn check_v1(rule: &Rule, found: &mut Vec<Diagnostic>) {
    let kind = if rule.head.is_function() { "function" } else { "rule" };
    let mut report = |message: String| found.push(Diagnostic::error(Code::Parse, rule.span, message));
    let name = &rule.head.name;
    if rule.head.reference.len() < 2 && is_keyword_in(name, RegoVersion::V1) {
        report(format!("{name} keyword cannot be used for rule name"));
    }
    if rule.generated_body && rule.head.generated_value {
        report(format!("{kind} must have value assignment and/or body declaration"));
    }
    if !rule.generated_body && !rule.head.keywords.has_if && !rule.default {
        report(format!("`if` keyword is required before {kind} body"));
    }
    if rule.head.rule_kind() == RuleKind::MultiValue && !rule.head.keywords.has_contains {
        report("`contains` keyword is required for partial set rules".to_owned());
    }
}
