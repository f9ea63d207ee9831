//! What is wrong with a hexarch.yaml, as data and as text.

use std::fmt;

use serde_json::{Value, json};

/// The kinds of problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ProblemCode {
    /// The text is not YAML, or uses a part of YAML that hexarch.yaml does not have.
    Syntax,
    /// A key that does not exist in this place.
    UnknownKey,
    /// A word that is none of those that the key takes.
    UnknownValue,
    /// A value of another type than the key takes.
    WrongType,
    /// A value of the right type that cannot be.
    BadValue,
    /// A key, an id or a value that stands there twice.
    Duplicate,
    /// Something that must be there is not.
    Missing,
    /// Two things that cannot both hold.
    Contradiction,
    /// The file is larger, deeper or longer than a configuration may be.
    TooLarge,
}

impl ProblemCode {
    /// The code as it is printed.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::UnknownKey => "unknown_key",
            Self::UnknownValue => "unknown_value",
            Self::WrongType => "wrong_type",
            Self::BadValue => "bad_value",
            Self::Duplicate => "duplicate",
            Self::Missing => "missing",
            Self::Contradiction => "contradiction",
            Self::TooLarge => "too_large",
        }
    }
}

impl fmt::Display for ProblemCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A place in a file: line and column from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl Place {
    /// The first character of a file.
    pub const START: Self = Self { line: 1, column: 1 };
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What kind of thing.
    pub code: ProblemCode,
    /// Where.
    pub place: Place,
    /// What, and what was expected.
    pub message: String,
    /// What to do about it: the nearest valid word, or an example.
    pub help: Option<String>,
    /// The file that the place is in, where it is not the hexarch.yaml but one that it names.
    pub file: Option<String>,
    /// The line of that file.
    shown: Option<String>,
}

impl Problem {
    pub(crate) fn new(code: ProblemCode, place: Place, message: impl Into<String>) -> Self {
        Self { code, place, message: message.into(), help: None, file: None, shown: None }
    }

    /// The same in another file, of which the line is given.
    pub(crate) fn in_file(mut self, file: &str, line: &str) -> Self {
        self.file = Some(file.to_owned());
        self.shown = Some(line.to_owned());
        self
    }

    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// More problems of one file than these are not told: whoever has that many has the wrong file.
pub(crate) const MAX_PROBLEMS: usize = 1_000;

/// Everything that is wrong with one file, in the order of the lines, up to a thousand problems. Never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Problems {
    file: String,
    problems: Vec<Problem>,
    /// The text of each problem's line.
    lines: Vec<String>,
}

/// A line of source is shown up to this many characters.
const SHOWN_COLUMNS: usize = 160;

impl Problems {
    pub(crate) fn new(file: &str, text: &str, mut problems: Vec<Problem>) -> Self {
        problems.sort_by(|one, other| (&one.file, one.place).cmp(&(&other.file, other.place)));
        problems.truncate(MAX_PROBLEMS);
        let source: Vec<&str> = text.lines().collect();
        let lines = problems
            .iter()
            .map(|problem| {
                let line = source.get(problem.place.line.saturating_sub(1)).copied().unwrap_or_default();
                problem.shown.as_deref().unwrap_or(line)
            })
            .map(|line| line.trim_start_matches('\u{feff}').chars().take(SHOWN_COLUMNS).collect())
            .collect();
        Self { file: file.to_owned(), problems, lines }
    }

    /// The file's name, as it was given.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The problems, in the order of the lines.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter()
    }

    fn file_of<'a>(&'a self, problem: &'a Problem) -> &'a str {
        problem.file.as_deref().unwrap_or(&self.file)
    }

    /// The problems, each with the file that it is in, to be told among those of another one.
    pub(crate) fn into_named(self) -> impl Iterator<Item = Problem> {
        let Self { file, problems, lines } = self;
        problems.into_iter().zip(lines).map(move |(problem, line)| match &problem.file {
            Some(_) => problem,
            None => problem.in_file(&file, &line),
        })
    }

    /// How many there are; at least one.
    pub fn count(&self) -> usize {
        self.problems.len()
    }

    /// The problems as a JSON array of `code`, `severity`, `message`, `location {file, row, col}` and
    /// `help`: the members that diagnostics of Rego have too.
    pub fn to_json(&self) -> Value {
        self.problems
            .iter()
            .map(|problem| {
                let mut object = json!({
                    "code": problem.code.as_str(),
                    "severity": "error",
                    "message": problem.message,
                    "location": {"file": self.file_of(problem), "row": problem.place.line, "col": problem.place.column},
                });
                if let (Some(help), Some(members)) = (&problem.help, object.as_object_mut()) {
                    members.insert("help".to_owned(), help.as_str().into());
                }
                object
            })
            .collect()
    }
}

impl fmt::Display for Problems {
    /// Each problem with its line of source, a caret and the help, in the layout of Rego's diagnostics.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, (problem, line)) in self.problems.iter().zip(&self.lines).enumerate() {
            if position > 0 {
                writeln!(f)?;
            }
            let Place { line: row, column } = problem.place;
            let file = self.file_of(problem);
            writeln!(f, "{file}:{row}:{column}: error[{}]: {}", problem.code, problem.message)?;
            if !line.trim().is_empty() {
                let gutter = row.to_string();
                let width = gutter.len();
                let indent: usize =
                    line.chars().take(column.saturating_sub(1)).map(|c| if c == '\t' { 4 } else { 1 }).sum();
                writeln!(f, "{:width$} |", "")?;
                writeln!(f, "{gutter} | {}", line.replace('\t', "    "))?;
                writeln!(f, "{:width$} | {:indent$}^", "", "")?;
            }
            if let Some(help) = &problem.help {
                writeln!(f, "  help: {help}")?;
            }
        }
        Ok(())
    }
}
