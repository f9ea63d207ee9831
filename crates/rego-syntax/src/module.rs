//! Statements to a module: rules from queries, the checks of V1, and annotations.

mod from_body;

use crate::annotation::{attach, read_annotations};
use crate::ast::{Import, Module, Package, Ref, RegoVersion, Rule, RuleKind};
use crate::diagnostic::{Code, Diagnostic, Reported};
use crate::options::ParserOptions;
use crate::parser::{Statement, Statements};
use crate::span::{SourceFile, Span};
use crate::token::is_keyword_in;
use from_body::rule_from_body;

/// How many diagnostics a file gets. Behind these, more would not help, and each has to find its place in the text.
const MAX_DIAGNOSTICS: usize = 200;

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
    let mut parts = Parts { version: options.rego_version, ..Parts::default() };
    if statements.is_empty() {
        parts.found.push(match annotations.first() {
            Some(first) => Diagnostic::error(Code::Parse, first.span, "package expected"),
            None => {
                let empty = Diagnostic::error(Code::Parse, Span::new(file.id(), 0, 0), "empty module");
                Diagnostic { reported: Reported::Nowhere, ..empty }
            }
        });
    }
    let hints = missing_keywords(file, &statements);
    for (index, statement) in statements.into_iter().enumerate() {
        let hint = hints.get(index).copied().flatten();
        parts.add(index, statement, hint, options);
    }
    let Parts { package, imports, rules, version, mut found } = parts;
    if version != RegoVersion::V0 {
        rules.iter().for_each(|rule| check_chain(rule, &mut found));
    }
    if errors.is_empty() {
        errors = found;
    }
    let mut module = package.map(|package| Module {
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
    errors.truncate(MAX_DIAGNOSTICS);
    (module, errors)
}

/// What a module is put together from.
#[derive(Default)]
struct Parts {
    package: Option<Package>,
    imports: Vec<Import>,
    rules: Vec<Rule>,
    version: RegoVersion,
    found: Vec<Diagnostic>,
}

impl Parts {
    fn add(
        &mut self,
        index: usize,
        statement: Statement,
        hint: Option<&'static str>,
        options: &ParserOptions,
    ) {
        let span = statement.span();
        match statement {
            Statement::Package(package) if index == 0 => self.package = Some(package),
            _ if index == 0 => self.report(span, "package expected"),
            Statement::Package(_) => self.report(span, "unexpected package"),
            Statement::Import(import) => {
                self.version = raised(self.version, &import);
                self.imports.push(import);
            }
            Statement::Rule(rule) => self.rules.push(rule),
            Statement::Body(body) => match rule_from_body(body, options) {
                Ok(rule) => self.rules.push(rule),
                Err(mut message) => {
                    message.push_str(hint.filter(|_| self.version == RegoVersion::V0).unwrap_or_default());
                    self.report(span, message);
                }
            },
        }
    }

    fn report(&mut self, span: Span, message: impl Into<String>) {
        self.found.push(Diagnostic::error(Code::Parse, span, message));
    }
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
