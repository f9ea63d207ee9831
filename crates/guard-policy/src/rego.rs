//! `rego`: a policy in Rego of its author's own, read, judged and laid out before anything is made of it.
//!
//! It is one module, in the package of its policy, with the rule `decision`. What it may read is what there is: the call
//! (`input`), what is counted (`data.hexarch.state`) and the library (`data.hexarch.limits` and its like). Any other
//! document would be undefined, and a guard that looks at one would never speak; so that is a problem here, and not a
//! silence later. Names, types and safety are the compiler's to judge, and it tells what is wrong in the lines that the
//! author wrote ([`Written`]).

mod judge;

use std::sync::Arc;

use rego_syntax::{FormatOptions, ParserOptions, SourceFile, SourceMap, format_module, parse_module};

use crate::beside::Beside;
use crate::library::Written;
use crate::problem::{Place, Problem, ProblemCode};
use crate::read::{Fields, values};
use crate::translate::path_step;
use crate::yaml::{Entry, Kind, Node, Scalar};

pub(crate) use judge::{Aliases, imported, library_call};

/// A module that decides in place of rules.
#[derive(Debug, Clone)]
pub(crate) struct Rego {
    /// As `opa fmt` would write it, with its package.
    pub(crate) text: String,
    pub(crate) written: Written,
    /// The author's own text, for exports.
    pub(crate) own: String,
}

impl Rego {
    /// The policy's mapping with the text of the Rego in it, so that it says the same away from the file.
    pub(crate) fn standing_in(&self, policy: &Arc<Node>) -> Arc<Node> {
        let Kind::Map(entries) = &policy.kind else { return Arc::clone(policy) };
        let mut entries = entries.clone();
        for entry in entries.iter_mut().filter(|entry| entry.key == "rego") {
            let scalar = Scalar { text: self.own.clone(), plain: false, literal: false };
            entry.value = Arc::new(Node { place: entry.value.place, kind: Kind::Scalar(scalar) });
        }
        Arc::new(Node { place: policy.place, kind: Kind::Map(entries) })
    }
}

/// What says what the Rego says, or how it is answered, and would say it a second time.
const INSTEAD: [(&str, &str); 8] = [
    ("rules", "the Rego stands in their place: leave one of the two out"),
    ("conditions", "the Rego stands in their place: leave one of the two out"),
    ("otherwise", "what the Rego says holds for every call: write a `default decision`"),
    ("functions", "write them into the Rego"),
    ("requires_confirmation", "let the Rego answer with the action `require_confirmation`"),
    ("approvers", "let the Rego say it in the decision's `confirm`"),
    ("four_eyes", "let the Rego say it in the decision's `confirm`"),
    ("approvals", "let the Rego say it in the decision's `confirm`"),
];

/// The Rego of a policy, where it has the key. `id` is none where the policy has none that is sound.
pub(crate) fn read(
    fields: &Fields<'_>,
    id: Option<&str>,
    files: &Beside<'_>,
    problems: &mut Vec<Problem>,
) -> Option<Rego> {
    let entry = fields.get("rego")?;
    let zone = ("timezone", "name the timezone where the Rego asks for the time");
    for (key, help) in INSTEAD.into_iter().chain([zone]) {
        let Some(other) = fields.get(key) else { continue };
        let message = format!("`{key}` has no say beside `rego`, which stands on line {}", entry.place.line);
        problems.push(Problem::new(ProblemCode::Contradiction, other.place, message).with_help(help));
    }
    let text = values::text(entry, problems)?;
    let origin = if is_path(text) {
        match files.read(text) {
            Ok((name, text)) => Origin::file(entry, name, text),
            Err(refused) => {
                let problem = Problem::new(ProblemCode::BadValue, entry.value.place, refused.message);
                let instead = "or write the Rego itself behind `rego: |`";
                problems.push(problem.with_help(refused.help.unwrap_or(instead)));
                return None;
            }
        }
    } else {
        Origin::inline(entry, files.name(), text, id?)
    };
    origin.module(id?, problems)
}

/// A file is named by one line that ends as files of Rego do. No body of Rego does.
fn is_path(text: &str) -> bool {
    text.ends_with(".rego") && !text.contains(['\n', '\r', '#', '"', '`'])
}

/// The reference to a policy's package, as its author writes it.
pub(crate) fn package(id: &str) -> String {
    format!("guardrails.policies{}", path_step(id))
}

/// Where a module stands, and its text.
struct Origin<'a> {
    entry: &'a Entry,
    written: Written,
    own: String,
    lines: Lines,
}

/// Of what the rows of the text are lines.
enum Lines {
    /// Of a file beside hexarch.yaml.
    OfFile,
    /// Of hexarch.yaml: a block.
    OfYaml,
    /// Of nothing that is shown anywhere: a text whose lines YAML put together. So many rows stand before it.
    Counted(usize),
}

impl<'a> Origin<'a> {
    fn file(entry: &'a Entry, name: String, text: String) -> Self {
        let own = text.clone();
        Self { entry, written: Written { name, text, skip: 0 }, own, lines: Lines::OfFile }
    }

    /// A body may leave out its package. It is then put onto the row before, that of the key.
    fn inline(entry: &'a Entry, file: &str, text: &str, id: &str) -> Self {
        let literal = matches!(&entry.value.kind, Kind::Scalar(scalar) if scalar.literal);
        let package = match has_package(text) {
            true => String::new(),
            false => format!("package {}\n", package(id)),
        };
        let before = package.lines().count();
        let own = text.to_owned();
        let text = format!("{package}{text}");
        if literal {
            let skip = entry.value.first_line().saturating_sub(1 + before);
            let written = Written { name: file.to_owned(), text, skip };
            return Self { entry, written, own, lines: Lines::OfYaml };
        }
        let name = format!("{file}:{} (`rego`)", entry.place.line);
        let written = Written { name, text, skip: 0 };
        Self { entry, written, own, lines: Lines::Counted(before) }
    }

    fn module(self, id: &str, problems: &mut Vec<Problem>) -> Option<Rego> {
        let before = problems.len();
        let mut sources = SourceMap::new();
        let file = sources.add(self.written.name.as_str(), self.written.text.as_str());
        let parsed = parse_module(&file, &ParserOptions::default());
        for diagnostic in &parsed.diagnostics {
            let place = diagnostic.place(&sources).map_or(Place::START, |(_, at)| self.place(at));
            let message = diagnostic.message.lines().next().unwrap_or_default();
            problems.push(self.problem(place, message.to_owned()));
        }
        let module = parsed.tree.filter(|_| problems.len() == before)?;
        for found in judge::judge(&module, id) {
            let place = self.place(file.position(found.at));
            let problem = self.problem(place, found.message);
            problems.push(match found.help {
                Some(help) => problem.with_help(help),
                None => problem,
            });
        }
        if problems.len() > before {
            return None;
        }
        let laid_out = SourceFile::new(file.id(), "policy.rego", self.written.text.as_str());
        match format_module(&laid_out, &FormatOptions::default()) {
            Ok(text) => {
                let text = format!("{}\n", text.trim_matches('\n'));
                Some(Rego { text, written: self.written, own: self.own })
            }
            Err(error) => {
                problems.push(self.problem(Place::START, error.to_string()));
                None
            }
        }
    }

    fn place(&self, at: rego_syntax::Position) -> Place {
        Place { line: at.row as usize + self.written.skip, column: at.col as usize }
    }

    fn problem(&self, place: Place, message: String) -> Problem {
        let code = ProblemCode::BadValue;
        match self.lines {
            Lines::OfFile => {
                let line = self.written.text.lines().nth(place.line.saturating_sub(1));
                Problem::new(code, place, message).in_file(&self.written.name, line.unwrap_or_default())
            }
            Lines::OfYaml => {
                let first = self.entry.value.first_line();
                // What is missing at the end is told on the last line.
                let last = self.written.skip + self.written.text.lines().count();
                let line = place.line.clamp(first, last.max(first));
                let column = self.entry.value.place.column;
                Problem::new(code, Place { line, column }, format!("`rego`: {message}"))
            }
            Lines::Counted(before) => {
                let line = place.line.saturating_sub(before).max(1);
                Problem::new(code, self.entry.value.place, format!("line {line} of `rego`: {message}"))
            }
        }
    }
}

/// Whether the first line that says something names a package.
fn has_package(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim_start);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with('#'));
    first.is_some_and(|line| line.split_whitespace().next() == Some("package"))
}
