//! Functions of an author's own, in Rego: read, judged and laid out before anything is made of them.
//!
//! They stand at the end of the policy's package. So they must not define what the policy defines (`decision`, and names
//! that begin with `_`), nor the name of a package that it imports. What they call is looked at when the policy is
//! compiled, as that of any Rego.

use std::collections::BTreeSet;

use rego_syntax::{
    FileId, FormatError, FormatOptions, ParserOptions, SourceFile, SourceMap, ast::Module, format_module,
    parse_module,
};

use crate::library::PACKAGES;
use crate::problem::{Place, Problem, ProblemCode};
use crate::read::values;
use crate::yaml::{Entry, Kind};

/// The functions of one policy.
#[derive(Debug, Default)]
pub(super) struct Functions {
    /// As `opa fmt` would write them.
    pub(super) text: Option<String>,
    /// The names of those that take one argument.
    pub(super) names: BTreeSet<String>,
    /// There were some, and they could not be read.
    pub(super) unreadable: bool,
}

/// What stands before the author's text while it is read.
const HEAD: &str = "package functions\n\n";
const HEAD_LINES: usize = 2;

pub(super) fn read(entry: &Entry, problems: &mut Vec<Problem>) -> Functions {
    let unreadable = Functions { unreadable: true, ..Functions::default() };
    let before = problems.len();
    let Some(text) = values::text(entry, problems) else { return unreadable };
    let mut sources = SourceMap::new();
    let file = sources.add("functions", format!("{HEAD}{text}\n"));
    let parsed = parse_module(&file, &ParserOptions::default());
    for diagnostic in &parsed.diagnostics {
        let row = diagnostic.place(&sources).map_or(1, |(_, position)| position.row as usize);
        problems.push(wrong(entry, row, diagnostic.message.lines().next().unwrap_or_default()));
    }
    let Some(module) = parsed.tree.filter(|_| problems.len() == before) else { return unreadable };
    let names = judge(entry, &file, &module, problems);
    if problems.len() > before {
        return unreadable;
    }
    match laid_out(&file) {
        Ok(text) => Functions { text: Some(text), names, unreadable: false },
        Err(error) => {
            problems.push(wrong(entry, HEAD_LINES + 1, &error.to_string()));
            unreadable
        }
    }
}

/// The names of functions of one argument; what must not be there is a problem.
fn judge(entry: &Entry, file: &SourceFile, module: &Module, problems: &mut Vec<Problem>) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    if let Some(import) = module.imports.first() {
        let row = file.row(import.span.start) as usize;
        problems.push(wrong(entry, row, "functions import nothing: write `data.…` in full"));
    }
    for rule in &module.rules {
        let row = file.row(rule.span.start) as usize;
        let first = rule.head.reference.0.first().and_then(|term| term.as_var());
        let name = first.map_or_else(|| rule.head.name.to_string(), ToString::to_string);
        if name.starts_with('_') || name == "decision" || PACKAGES.iter().any(|(taken, _)| *taken == name) {
            problems.push(wrong(
                entry,
                row,
                &format!("the name `{name}` is the policy's own: take another one"),
            ));
        }
        if rule.head.args.len() == 1 && rule.head.reference.0.len() <= 1 {
            names.insert(name);
        }
    }
    names
}

fn laid_out(file: &SourceFile) -> Result<String, FormatError> {
    let file = SourceFile::new(FileId(0), "functions", file.text());
    let text = format_module(&file, &FormatOptions::default())?;
    let body = text.split_once('\n').map_or("", |(_, body)| body);
    Ok(format!("{}\n", body.trim_matches('\n')))
}

/// A problem on a line of the functions, counted from that of the package. Where they are a block of their own, its lines
/// are those of the file; a text behind its key may have been put together of lines in any way.
fn wrong(entry: &Entry, row: usize, message: &str) -> Problem {
    let column = entry.value.place.column;
    let (literal, lines) = match &entry.value.kind {
        Kind::Scalar(scalar) => (scalar.literal, scalar.text.lines().count()),
        Kind::List(_) | Kind::Map(_) => (false, 0),
    };
    // What is missing at the end is told on the last line.
    let line = row.saturating_sub(HEAD_LINES).min(lines).max(1);
    let (place, message) = if literal {
        (Place { line: entry.value.first_line() + line - 1, column }, format!("`functions`: {message}"))
    } else {
        (entry.value.place, format!("line {line} of `functions`: {message}"))
    };
    Problem::new(ProblemCode::BadValue, place, message)
        .with_help("functions are Rego, such as `large(amount) := amount > 500`")
}
