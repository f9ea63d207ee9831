//! Benchmark policies as folders: `policy.rego`, `data.json`, `cases.json`, and each case's input and expected decision.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::Decision;

/// A policy folder, read.
pub struct Policy {
    /// The folder's name, as it stands in the benchmarks' ids.
    pub name: String,
    /// Rego source.
    pub source: String,
    /// The base documents, JSON text.
    pub data: String,
    /// The entrypoint as a path: `guardrail/decision`.
    pub entrypoint: String,
    /// The cases.
    pub cases: Vec<Case>,
}

/// One input and what must be decided.
pub struct Case {
    /// The case's name, as it stands in the benchmarks' ids.
    pub name: String,
    /// JSON text.
    pub input: String,
    /// The decision that every engine must give.
    pub expected: Decision,
}

#[derive(Deserialize)]
struct CasesFile {
    entrypoint: String,
    cases: Vec<CaseRow>,
}

#[derive(Deserialize)]
struct CaseRow {
    name: String,
    input: String,
    expected: String,
}

/// The folder of the three standing policies.
#[must_use]
pub fn standing() -> PathBuf {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/bench/policies");
    std::env::var_os("HEXARCH_BENCH_POLICIES").map_or_else(default, PathBuf::from)
}

/// All policies of a folder, by name.
///
/// # Panics
///
/// When a file is missing or is not what it should be: a benchmark without its policies measures nothing.
#[must_use]
pub fn load_all(dir: &Path) -> Vec<Policy> {
    let entries = fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    let mut dirs: Vec<PathBuf> =
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    dirs.sort();
    dirs.iter().map(|dir| load(dir)).collect()
}

fn load(dir: &Path) -> Policy {
    let read = |name: &str| {
        let path = dir.join(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let file: CasesFile = serde_json::from_str(&read("cases.json")).unwrap();
    let case = |row: CaseRow| Case {
        name: row.name,
        input: read(&row.input),
        expected: serde_json::from_str(&read(&row.expected)).unwrap(),
    };
    Policy {
        name: dir.file_name().unwrap().to_string_lossy().into_owned(),
        source: read("policy.rego"),
        data: read("data.json"),
        entrypoint: file.entrypoint.trim_start_matches("data.").replace('.', "/"),
        cases: file.cases.into_iter().map(case).collect(),
    }
}
