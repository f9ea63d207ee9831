//! What is wrong with a policy, as data, and the one place where it becomes text.

use std::fmt;
use std::fmt::Write as _;

use crate::span::{Position, SourceFile, SourceMap, Span};

/// The kinds of diagnostic, with OPA's codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Code {
    /// `rego_parse_error`
    Parse,
    /// `rego_compile_error`
    Compile,
    /// `rego_type_error`
    Type,
    /// `rego_unsafe_var_error`
    UnsafeVar,
    /// `rego_recursion_error`
    Recursion,
    /// `rego_unsupported`: valid Rego that this compiler does not translate. OPA has no such code.
    Unsupported,
}

impl Code {
    /// The code as OPA writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Parse => "rego_parse_error",
            Self::Compile => "rego_compile_error",
            Self::Type => "rego_type_error",
            Self::UnsafeVar => "rego_unsafe_var_error",
            Self::Recursion => "rego_recursion_error",
            Self::Unsupported => "rego_unsupported",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether a diagnostic stops the compilation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Severity {
    /// It does.
    #[default]
    Error,
    /// It does not.
    Warning,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// What kind of thing.
    pub code: Code,
    /// How bad.
    pub severity: Severity,
    /// What, in OPA's words where OPA reports the same. It may have several lines.
    pub message: String,
    /// Where.
    pub span: Span,
    /// What to do about it.
    pub help: Option<String>,
    /// What OPA says beside it to programs, as JSON.
    pub details: Option<String>,
    /// Found while the text was read, so OPA shows the line of it; a line says nothing about what is found later.
    pub in_text: bool,
    /// Where OPA says it is, if that is not where it is.
    pub reported: Reported,
}

/// The place that OPA gives an error. It loses some: terms that it makes have no place, and those that it shares have
/// that of their last use. A reader is shown [`Diagnostic::span`]; output that must equal OPA's has this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reported {
    /// Where it is.
    #[default]
    There,
    /// Nowhere.
    Nowhere,
    /// At another place of the same kind.
    At(Span),
}

impl Diagnostic {
    /// An error.
    #[must_use]
    pub fn error(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            span,
            help: None,
            details: None,
            in_text: false,
            reported: Reported::There,
        }
    }

    /// The same with a line of help.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same with what OPA says beside it to programs, as JSON.
    #[must_use]
    pub fn with_details(mut self, details: impl Into<String>) -> Self {
        self.details = Some(details.into());
        self
    }

    /// The file and the position that OPA reports, see [`Reported`] and [`SourceFile::token_position`].
    #[must_use]
    pub fn place<'s>(&self, sources: &'s SourceMap) -> Option<(&'s str, Position)> {
        match self.reported {
            Reported::There => sources.locate(self.span),
            Reported::Nowhere => None,
            Reported::At(span) => sources.locate(span),
        }
    }

    /// The diagnostic for a terminal: where, what, the line of source, a caret and the help.
    #[must_use]
    pub fn render(&self, sources: &SourceMap) -> String {
        let mut out = String::new();
        self.render_into(sources, &mut out);
        out
    }

    fn render_into(&self, sources: &SourceMap, out: &mut String) {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let (message, hint) = split_hint(&self.message);
        match sources.get(self.span.file) {
            Some(file) => {
                let Position { row, col } = file.position(self.span.start);
                let _ = writeln!(out, "{}:{row}:{col}: {severity}[{}]: {message}", file.name(), self.code);
                self.render_line(file, out);
            }
            None => {
                let _ = writeln!(out, "{severity}[{}]: {message}", self.code);
            }
        }
        for help in hint.into_iter().chain(self.help.as_deref()) {
            let _ = writeln!(out, "  help: {help}");
        }
    }

    /// The line of source with carets under what is meant; of a long line only the part around that.
    fn render_line(&self, file: &SourceFile, out: &mut String) {
        let Position { row, col } = file.position(self.span.start);
        let gutter = row.to_string();
        let width = gutter.len();
        let col = (col as usize).saturating_sub(1);
        let skipped = col.saturating_sub(MAX_LINE / 2);
        let shown: Vec<char> = file.line(row).chars().skip(skipped).take(MAX_LINE).collect();
        let split = (col - skipped).min(shown.len());
        let (before, rest) = shown.split_at(split);
        let marked = file.slice(self.span).lines().next().unwrap_or_default();
        let carets = marked.chars().take(MAX_LINE).count().min(rest.len()).max(1);
        let (before, rest) = (expand_tabs(before), expand_tabs(rest));
        let dots = if skipped > 0 { "…" } else { "" };
        let _ = writeln!(out, "{:width$} |", "");
        let _ = writeln!(out, "{gutter} | {dots}{before}{rest}");
        let indent = dots.chars().count() + before.chars().count();
        let _ = writeln!(out, "{:width$} | {:indent$}{}", "", "", "^".repeat(carets));
    }

    /// The diagnostic as one JSON object: `code`, `severity`, `message`, `location {file, row, col}`, `help`. The
    /// location is OPA's, see [`Diagnostic::place`].
    #[must_use]
    pub fn to_json(&self, sources: &SourceMap) -> serde_json::Value {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let mut object = serde_json::json!({
            "code": self.code.as_str(),
            "severity": severity,
            "message": self.message,
        });
        if let Some(fields) = object.as_object_mut() {
            if let Some((file, Position { row, col })) = self.place(sources) {
                let location = serde_json::json!({"file": file, "row": row, "col": col});
                fields.insert("location".to_owned(), location);
            }
            if let Some(help) = &self.help {
                fields.insert("help".to_owned(), help.as_str().into());
            }
        }
        object
    }
}

/// OPA puts what could be done about an error into its message; for a reader it is a line of its own.
fn split_hint(message: &str) -> (&str, Option<&str>) {
    for open in [" (hint: ", " (hints: "] {
        if let Some((message, hint)) = message.split_once(open)
            && let Some(hint) = hint.strip_suffix(')')
        {
            return (message, Some(hint));
        }
    }
    (message, None)
}

/// Tabs shown as four blanks, so that carets stand under what they mark.
fn expand_tabs(text: &[char]) -> String {
    text.iter().collect::<String>().replace('\t', "    ")
}

/// How many characters of a line are shown.
const MAX_LINE: usize = 160;

/// Diagnostics for a terminal, a blank line between them.
#[must_use]
pub fn render_all(diagnostics: &[Diagnostic], sources: &SourceMap) -> String {
    let rendered: Vec<String> = diagnostics.iter().map(|d| d.render(sources)).collect();
    rendered.join("\n")
}
