//! The diagnostics of one compilation: collected, bounded and put in order.

use std::collections::HashSet;

use rego_syntax::{Code, Diagnostic, Reported, SourceMap, Span};

/// Collects the diagnostics of all stages.
#[derive(Default)]
pub(crate) struct Errors {
    found: Vec<Diagnostic>,
    limit: Option<usize>,
    limit_reached: bool,
    stop: bool,
    /// The places of calls within template strings, which OPA does not report.
    pub(crate) unreported: HashSet<Span>,
}

impl Errors {
    pub(crate) fn with_limit(limit: Option<usize>) -> Self {
        Self { limit, ..Self::default() }
    }

    /// Records an error that leaves the modules in a state later stages can not work on: compilation
    /// stops behind the current stage.
    pub(crate) fn fatal(&mut self, error: Diagnostic) {
        self.stop = true;
        self.push(error);
    }

    /// Records an error that later stages need not know of.
    pub(crate) fn recoverable(&mut self, error: Diagnostic) {
        self.push(error);
    }

    fn push(&mut self, error: Diagnostic) {
        if self.limit_reached {
            return;
        }
        let mut error = error;
        if self.unreported.contains(&error.span) {
            error.reported = Reported::Nowhere;
        }
        self.found.push(error);
        if Some(self.found.len()) == self.limit {
            self.limit_reached = true;
            self.stop = true;
        }
    }

    pub(crate) fn all_fatal(&mut self, errors: impl IntoIterator<Item = Diagnostic>) {
        errors.into_iter().for_each(|error| self.fatal(error));
    }

    pub(crate) fn all_recoverable(&mut self, errors: impl IntoIterator<Item = Diagnostic>) {
        errors.into_iter().for_each(|error| self.recoverable(error));
    }

    /// Whether the remaining stages must not run.
    pub(crate) fn stops(&self) -> bool {
        self.stop
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// All errors by file, row, column and text; at the end, whether there would have been more.
    pub(crate) fn into_sorted(mut self, sources: &SourceMap) -> Vec<Diagnostic> {
        sort(&mut self.found, sources);
        if self.limit_reached {
            self.found.push(Diagnostic::error(Code::Compile, Span::NONE, "error limit reached"));
        }
        self.found
    }
}

/// Sorts by file name, offset and text; diagnostics without a place come last.
pub(crate) fn sort(diagnostics: &mut [Diagnostic], sources: &SourceMap) {
    diagnostics.sort_by(|a, b| {
        let place = |d: &Diagnostic| {
            let span = match d.reported {
                Reported::At(span) => span,
                Reported::There | Reported::Nowhere => d.span,
            };
            let file = sources.get(span.file).map(|file| file.name().to_owned());
            (file.is_none(), d.reported != Reported::Nowhere, file, span.start)
        };
        place(a).cmp(&place(b)).then_with(|| a.code.cmp(&b.code)).then_with(|| a.message.cmp(&b.message))
    });
}

pub(crate) fn compile_error(span: Span, message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(Code::Compile, span, message)
}

pub(crate) fn type_error(span: Span, message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(Code::Type, span, message)
}

/// A type error with lines that explain it.
pub(crate) fn type_error_with(span: Span, message: impl Into<String>, lines: &[String]) -> Diagnostic {
    type_error(span, message).with_help(lines.join("\n        "))
}

pub(crate) fn unsafe_error(span: Span, message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(Code::UnsafeVar, span, message)
}
