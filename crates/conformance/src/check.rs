//! Group `check`: modules and OPA's verdict on them, through the front end alone.
//!
//! Accepting and rejecting must agree, and of a rejected module the first error's code, row and column. OPA's own
//! diagnostics suite (`compilecases.json`) is judged by its messages as well. A case's id is `file:line`, or the suite's
//! note.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use rego_build::{BuildError, CheckOptions, Options, PrintCalls, Source};
use rego_syntax::ast::RegoVersion;
use serde::Deserialize;
use serde_json::Value as Json;

use crate::workers::Verdict;

const GROUP: &str = "check";

/// As many errors as `opa check` reports.
const ERROR_LIMIT: usize = 10;

/// A line of the corpus.
#[derive(Deserialize)]
struct Line {
    module: String,
    #[serde(default)]
    rego_version: Json,
    #[serde(default)]
    strict: bool,
    #[serde(default)]
    errors: Vec<Fault>,
}

/// A case of OPA's diagnostics suite.
#[derive(Deserialize)]
struct Suite {
    note: String,
    modules: Vec<String>,
    #[serde(default)]
    rego_version: Json,
    #[serde(default)]
    strict: bool,
    #[serde(default)]
    print_statements: bool,
    #[serde(default)]
    exhaustive: bool,
    #[serde(default)]
    want_errors: Vec<Fault>,
}

/// An error as OPA reports it; without a place, row and column are 0.
#[derive(Deserialize, Debug, Clone, PartialEq, Eq)]
struct Fault {
    code: String,
    row: u32,
    col: u32,
    #[serde(default)]
    message: String,
}

/// Judges all cases of the group whose `group/id` contains the filter.
pub(crate) fn judge_all(dir: &Path, filter: &Option<String>) -> Result<Vec<Verdict>, String> {
    let folder = dir.join("check");
    let mut verdicts = Vec::new();
    let wanted =
        |id: &str| filter.as_ref().is_none_or(|text| format!("{GROUP}/{id}").contains(text.as_str()));
    for file in files(&folder)? {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        for (at, line) in text.lines().enumerate() {
            let id = format!("{stem}:{}", at + 1);
            if wanted(&id) {
                let line: Line = serde_json::from_str(line).map_err(|error| format!("{id}: {error}"))?;
                verdicts.push(verdict(id, || judge_line(&line)));
            }
        }
    }
    let suite = folder.join("compilecases.json");
    if suite.is_file() {
        let text = fs::read_to_string(&suite).map_err(|error| format!("{}: {error}", suite.display()))?;
        let cases: Vec<Suite> =
            serde_json::from_str(&text).map_err(|error| format!("{}: {error}", suite.display()))?;
        for case in cases {
            let id = format!("compilecases:{}", case.note);
            if wanted(&id) {
                verdicts.push(verdict(id, || judge_case(&case)));
            }
        }
    }
    Ok(verdicts)
}

fn files(folder: &Path) -> Result<Vec<std::path::PathBuf>, String> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let paths = entries.filter_map(Result::ok).map(|entry| entry.path());
    let mut files: Vec<_> = paths.filter(|path| path.extension().is_some_and(|ext| ext == "jsonl")).collect();
    files.sort();
    Ok(files)
}

fn verdict(id: String, judge: impl FnOnce() -> Result<(), String>) -> Verdict {
    let judged = catch_unwind(AssertUnwindSafe(judge));
    let failure = judged.unwrap_or_else(|_| Err("panicked".to_owned())).err();
    Verdict { group: GROUP, id, failure, instructions: 0 }
}

fn judge_line(line: &Line) -> Result<(), String> {
    let found = errors(&[line.module.as_str()], &line.rego_version, line.strict, PrintCalls::Keep)?;
    let place = |fault: &Fault| format!("{} {}:{}", fault.code, fault.row, fault.col);
    let shown = |fault: Option<&Fault>| match fault {
        Some(fault) => format!("{} {}", place(fault), fault.message),
        None => "no error".to_owned(),
    };
    let (wanted, found) = (line.errors.first(), found.first());
    if wanted.map(place) == found.map(place) {
        return Ok(());
    }
    Err(format!("wanted {}, got {}", shown(wanted), shown(found)))
}

fn judge_case(case: &Suite) -> Result<(), String> {
    let modules: Vec<&str> = case.modules.iter().map(String::as_str).collect();
    let print = if case.print_statements { PrintCalls::Keep } else { PrintCalls::Erase };
    let found = errors(&modules, &case.rego_version, case.strict, print)?;
    let all_there = case.want_errors.iter().all(|fault| found.contains(fault));
    if all_there && (!case.exhaustive || found.len() == case.want_errors.len()) {
        return Ok(());
    }
    Err(format!("wanted {:?}, got {found:?}", case.want_errors))
}

/// What is wrong with modules, first to last.
fn errors(modules: &[&str], version: &Json, strict: bool, print: PrintCalls) -> Result<Vec<Fault>, String> {
    let name = |at: usize| if at == 0 { "policy.rego".to_owned() } else { format!("policy{at}.rego") };
    let sources: Vec<Source> =
        modules.iter().enumerate().map(|(at, text)| Source::new(name(at), *text)).collect();
    let mut options = Options::for_version(version_of(version));
    options.check = CheckOptions { strict, print, error_limit: Some(ERROR_LIMIT), ..CheckOptions::default() };
    let found = match rego_build::check(&sources, &options) {
        Ok(_) => return Ok(Vec::new()),
        Err(BuildError::Diagnostics(found)) => found,
        Err(other) => return Err(other.to_string()),
    };
    let fault = |diagnostic: &rego_syntax::Diagnostic| {
        let place = diagnostic.place(found.sources());
        let (row, col) = place.map_or((0, 0), |(_, position)| (position.row, position.col));
        let code = diagnostic.code.as_str().to_owned();
        Fault { code, row, col, message: diagnostic.message.clone() }
    };
    Ok(found.list().iter().map(fault).collect())
}

fn version_of(version: &Json) -> RegoVersion {
    match version {
        Json::Number(number) if number.as_u64() == Some(0) => RegoVersion::V0,
        Json::Number(number) if number.as_u64() == Some(2) => RegoVersion::V2,
        Json::String(text) if text == "v0" => RegoVersion::V0,
        Json::String(text) if text == "v2" => RegoVersion::V2,
        _ => RegoVersion::V1,
    }
}
