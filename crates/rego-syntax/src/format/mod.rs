//! Modules in the one layout: what `opa fmt` does.
//!
//! The layout keeps the author's line breaks and settles blanks, indentation, keywords and the order of imports.
//! Before a text is handed out it is parsed again: a result that means something else, or that has lost a comment,
//! is an error and never an answer.

mod call;
mod expr;
mod faithful;
mod generated;
mod imports;
mod iterable;
mod rule;
mod term;
mod writer;

use std::collections::HashMap;

use crate::ast::visit::{DESCEND, Node, Walk};
use crate::ast::{ExprKind, Module, Name, RegoVersion};
use crate::diagnostic::Diagnostic;
use crate::module;
use crate::options::ParserOptions;
use crate::parser::Parser;
use crate::span::SourceFile;
use writer::Writer;

pub use generated::{format_expressions, format_rules};

/// How to format.
#[derive(Debug, Clone, Default)]
pub struct FormatOptions {
    /// How the source is read.
    pub parser: ParserOptions,
    /// The language that is written; [`RegoVersion::V0CompatV1`] is V0 with `import rego.v1`.
    pub target: RegoVersion,
    /// Imports of `rego` and `future` that the target makes redundant are dropped.
    pub drop_redundant_imports: bool,
}

/// Why a text was not formatted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// The source does not parse.
    #[error("the source does not parse")]
    Parse(Vec<Diagnostic>),
    /// This combination of languages is not written.
    #[error("rewriting {from:?} as {to:?} is not supported")]
    Unsupported {
        /// The language of the source.
        from: RegoVersion,
        /// The language that was asked for.
        to: RegoVersion,
    },
    /// The layout would change what the module means or lose a comment; the source stays as it is.
    #[error("the formatted text would differ in meaning: {reason}")]
    Unfaithful {
        /// In which way.
        reason: String,
    },
}

/// What the layout depends on in the whole module.
#[derive(Debug, Clone, Default)]
struct Style {
    /// Sets are written with `contains`.
    contains: bool,
    /// Bodies are written with `if`.
    ifs: bool,
    /// Some rule is named by a reference that only this form can write.
    ref_heads: bool,
    /// The target is V1 or can be read as V1.
    v1: bool,
    v2: bool,
    /// Keywords of the future that the module imports.
    keywords: Vec<Name>,
}

/// Formats a module.
///
/// # Errors
/// [`FormatError`]: the source does not parse, the languages do not fit, or the result would not be faithful.
pub fn format_module(file: &SourceFile, options: &FormatOptions) -> Result<String, FormatError> {
    let (from, to) = (options.parser.rego_version, options.target);
    if to == RegoVersion::V2 && from != RegoVersion::V2 {
        return Err(FormatError::Unsupported { from, to });
    }
    let parser_options = ParserOptions { process_annotations: false, ..options.parser.clone() };
    let mut statements = Parser::new(file, &parser_options, false).parse();
    let text_starts = std::mem::take(&mut statements.text_starts);
    let has_duplicate_keys = statements.has_duplicate_keys;
    let (module, errors) = module::assemble(file, statements, &parser_options);
    let Some(module) = module.filter(|_| errors.is_empty()) else { return Err(FormatError::Parse(errors)) };
    if has_duplicate_keys {
        return Err(FormatError::Unfaithful { reason: "an object has a key twice".to_owned() });
    }
    let text = write(file, &module, text_starts, options);
    faithful::check(&module, &text, options, &parser_options)?;
    Ok(text)
}

fn write(
    file: &SourceFile,
    module: &Module,
    text_starts: HashMap<(u32, u32), u32>,
    options: &FormatOptions,
) -> String {
    let style = style(module, options);
    let imports = imports::needed(file, module, &style, options);
    let mut writer = Writer::new(file, text_starts, &module.comments, style);
    writer.write_module(module, &imports);
    let text = writer.out;
    match text.trim_end_matches('\n') {
        trimmed if trimmed.len() < text.len() => format!("{trimmed}\n"),
        _ => text,
    }
}

fn style(module: &Module, options: &FormatOptions) -> Style {
    let v1 = options.target != RegoVersion::V0;
    let mut style =
        Style { contains: v1, ifs: v1, v1, v2: options.target == RegoVersion::V2, ..Style::default() };
    for import in &module.imports {
        let Some(path) = import.path.as_ref_value() else { continue };
        let all = path.is_dotted("future.keywords") || path.is_dotted("rego.v1") || path.is_dotted("rego.v2");
        style.contains |= all || path.is_dotted("future.keywords.contains");
        style.ifs |= all || path.is_dotted("future.keywords.if");
        style.v2 |= path.is_dotted("rego.v2");
        style.keywords.extend(imports::future_keyword(import).cloned());
    }
    module.walk(&mut |node| {
        if let Node::Rule(rule) = node {
            let len = rule.head.reference.len();
            style.ref_heads |= len > 2 || (len == 2 && rule.head.key.is_some() && rule.head.value.is_none());
        }
        DESCEND
    });
    style
}

/// Whether a rule's body is the `true` that stands for none.
fn is_true_body(body: &crate::ast::Body) -> bool {
    matches!(body.as_slice(), [expr] if !expr.negated && expr.with.is_empty()
        && matches!(&expr.kind, ExprKind::Term(t) if t.value == crate::ast::Value::Bool(true)))
}
