//! Errors as OPA prints them.

use rego_build::Diagnostics;
use rego_engine::{EvalError, PolicyError};
use rego_syntax::{Code, Diagnostic, Position, SourceMap, Span};

use super::json;

/// Where something is wrong; the file of a query has no name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The file.
    pub file: String,
    /// Row, from 1.
    pub row: u32,
    /// Column, from 1.
    pub col: u32,
    /// The text there; it stands for the place where there is no file.
    pub text: String,
}

/// An expression that was being evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The number of the query that it belongs to.
    pub query: u64,
    /// Where it stands, and its text.
    pub location: Location,
}

/// What OPA says beside the message of an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Details {
    /// The line that the parser was at, and the offset in it.
    Line(String, usize),
    /// Lines of text.
    Lines(Vec<String>),
}

/// An error as OPA prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The kind; empty for errors that are none of the language's.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// Where.
    pub location: Option<Box<Location>>,
    /// More about it.
    pub details: Option<Box<Details>>,
    /// The same for programs, as JSON, where that is another thing.
    pub details_json: Option<String>,
    /// It happened while a policy was evaluated.
    pub in_evaluation: bool,
    /// The expressions that were being evaluated, innermost first.
    pub trace: Vec<Frame>,
}

impl Error {
    /// An error that is none of the language's.
    #[must_use]
    pub fn plain(message: impl Into<String>) -> Self {
        Self {
            code: String::new(),
            message: message.into(),
            location: None,
            details: None,
            details_json: None,
            in_evaluation: false,
            trace: Vec::new(),
        }
    }

    /// A diagnostic.
    #[must_use]
    pub fn of_diagnostic(diagnostic: &Diagnostic, sources: &SourceMap) -> Self {
        Self {
            code: diagnostic.code.as_str().to_owned(),
            message: diagnostic.message.clone(),
            location: location_of(diagnostic, sources).map(Box::new),
            details: details_of(diagnostic, sources).map(Box::new),
            details_json: diagnostic.details.clone(),
            ..Self::plain("")
        }
    }

    /// What ended an evaluation.
    #[must_use]
    pub fn of_evaluation(error: &EvalError) -> Self {
        let (code, message) = match error {
            EvalError::Policy(error) => return Self::of_policy(error),
            EvalError::Deadline { .. } => {
                ("eval_cancel_error", "caller cancelled query execution".to_owned())
            }
            other => ("eval_internal_error", other.to_string()),
        };
        Self { code: code.to_owned(), in_evaluation: true, ..Self::plain(message) }
    }

    fn of_policy(error: &PolicyError) -> Self {
        let location = error.location.as_ref().map(|(file, row, col)| {
            Box::new(Location { file: file.clone(), row: *row, col: *col, text: String::new() })
        });
        Self { code: error.code.clone(), location, in_evaluation: true, ..Self::plain(error.message.clone()) }
    }

    /// The error without its trace: place, kind, message and details.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        if let Some(location) = &self.location {
            out = match (location.file.as_str(), location.text.as_str()) {
                ("", text) if !text.is_empty() && self.in_evaluation => format!("{text}: "),
                ("", _) => format!("{}:{}: ", location.row, location.col),
                (file, _) => format!("{file}:{}: ", location.row),
            };
        }
        if !self.code.is_empty() {
            out.push_str(&self.code);
            out.push_str(": ");
        }
        out.push_str(&self.message);
        for line in self.detail_lines() {
            out.push_str("\n\t");
            out.push_str(&line);
        }
        out
    }

    fn detail_lines(&self) -> Vec<String> {
        match self.details.as_deref() {
            None => Vec::new(),
            Some(Details::Lines(lines)) => lines.clone(),
            Some(Details::Line(line, at)) => {
                let shown = line.trim_start_matches('\t');
                let tabs = line.len() - shown.len();
                vec![shown.to_owned(), format!("{}^", " ".repeat(at.saturating_sub(tabs)))]
            }
        }
    }

    /// The lines of its trace, as OPA writes them.
    #[must_use]
    pub fn trace_lines(&self) -> Vec<String> {
        let line = |frame: &Frame| {
            let frame = &frame.location;
            let place = match frame.file.as_str() {
                "" => format!("{}:{}", frame.row, frame.col),
                file => format!("{file}:{}", frame.row),
            };
            let text: Vec<&str> = frame.text.split_whitespace().collect();
            match shortened(&text.join(" ")) {
                text if text.is_empty() => place,
                text => format!("{place}: {text}"),
            }
        };
        self.trace.iter().map(line).collect()
    }

    /// The error as JSON. `code_first` is how errors in reports of tests are written.
    #[must_use]
    pub fn json(&self, code_first: bool) -> String {
        let mut object = json::Object::new();
        if code_first {
            object = object.text("code", &self.code).text("message", &self.message);
        } else {
            object = object.text("message", &self.message);
            if !self.code.is_empty() {
                object = object.text("code", &self.code);
            }
        }
        if let Some(location) = &self.location {
            object = object.raw("location", &location.json());
        }
        if let Some(details) = &self.details_json {
            object = object.raw("details", details);
        } else if let Some(Details::Line(line, at)) = self.details.as_deref() {
            object =
                object.raw("details", &json::Object::new().text("line", line).number("idx", at).finish());
        }
        if !self.trace.is_empty() {
            let frame = |frame: &Frame| {
                let object = json::Object::new().number("query_id", frame.query);
                object.raw("location", &frame.location.json()).finish()
            };
            object = object.raw("stack_trace", &json::array(self.trace.iter().map(frame)));
        }
        object.finish()
    }
}

impl Location {
    /// `{"file", "row", "col"}`
    #[must_use]
    pub fn json(&self) -> String {
        let object = json::Object::new().text("file", &self.file);
        object.number("row", self.row).number("col", self.col).finish()
    }
}

/// Long texts make a trace unreadable.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 80;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// All errors of a build.
#[must_use]
pub fn errors_of(diagnostics: &Diagnostics) -> Vec<Error> {
    let sources = diagnostics.sources();
    diagnostics.list().iter().map(|diagnostic| Error::of_diagnostic(diagnostic, sources)).collect()
}

/// Errors as one text: how many, and each. `during` says what was being done.
#[must_use]
pub fn list_text(errors: &[Error], during: &str) -> String {
    let texts: Vec<String> = errors.iter().map(Error::text).collect();
    match texts.as_slice() {
        [only] => format!("1 error occurred{during}: {only}"),
        all => format!("{} errors occurred{during}:\n{}", all.len(), all.join("\n")),
    }
}

fn location_of(diagnostic: &Diagnostic, sources: &SourceMap) -> Option<Location> {
    let file = sources.get(diagnostic.span.file)?;
    let mut at = file.token_position(diagnostic.span.start);
    if diagnostic.message == "empty module" {
        // OPA has no place for what is not there.
        at = Position { row: 0, col: 0 };
    }
    Some(Location { file: file.name().to_owned(), row: at.row, col: at.col, text: String::new() })
}

fn details_of(diagnostic: &Diagnostic, sources: &SourceMap) -> Option<Details> {
    if diagnostic.in_text {
        let text = sources.get(diagnostic.span.file)?.text();
        return Some(line_of(text, diagnostic.span));
    }
    let help = diagnostic.help.as_ref().filter(|_| diagnostic.code == Code::Type)?;
    Some(Details::Lines(
        help.lines().map(|line| line.strip_prefix("        ").unwrap_or(line).to_owned()).collect(),
    ))
}

/// The line that OPA shows for a place in a text: blanks before it do not count.
fn line_of(text: &str, span: Span) -> Details {
    let bytes = text.as_bytes();
    let at = |offset: usize| bytes.get(offset).copied().unwrap_or(b' ');
    let mut offset = (span.start as usize).min(bytes.len().saturating_sub(1));
    while offset > 0 && (at(offset).is_ascii_whitespace() || at(offset) == 0x0b) {
        offset -= 1;
    }
    let is_break = |byte: &u8| *byte == b'\n' || *byte == b'\r';
    let before = bytes.get(..offset).unwrap_or_default();
    let begin = before.iter().rposition(is_break).map_or(0, |found| found + 1);
    let behind = bytes.get(offset..).unwrap_or_default();
    let end = behind.iter().position(is_break).map_or(bytes.len(), |found| offset + found);
    let line = bytes.get(begin..end.max(begin)).unwrap_or_default();
    Details::Line(String::from_utf8_lossy(line).into_owned(), offset - begin)
}
