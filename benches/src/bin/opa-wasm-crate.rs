//! Evaluates a folder of our modules in the host of the `opa-wasm` crate: `cargo xtask portability`.
//!
//! usage: `opa-wasm-crate FOLDER`, where the conformance harness has put the modules and `cases.json`; writes
//! `results.json` there, an array of `{"answers"}` (the result set as the module wrote it) or `{"error"}`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what is wrong with the folder ends the program"
)]

use std::path::{Path, PathBuf};

use hexarch_benches::engines::opa_wasm::Host;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The entrypoint of a case's module.
const ENTRYPOINT: &str = "eval";

#[derive(Deserialize)]
struct Case {
    module: String,
    data: String,
    /// This host has no way to leave the input out.
    #[serde(default = "null")]
    input: String,
}

fn null() -> String {
    "null".to_owned()
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Answers(String),
    Error(String),
}

fn evaluate(folder: &Path, case: &Case) -> Outcome {
    let module = std::fs::read(folder.join(&case.module)).expect("a module of each case");
    let evaluate = || {
        let mut host = Host::compiled_quickly(&module, &case.data)?;
        host.evaluate::<Box<RawValue>>(ENTRYPOINT, &case.input)
    };
    match evaluate() {
        Ok(answers) => Outcome::Answers(answers.get().to_owned()),
        Err(error) => Outcome::Error(error),
    }
}

fn main() {
    let folder = PathBuf::from(std::env::args_os().nth(1).expect("usage: opa-wasm-crate FOLDER"));
    let cases = std::fs::read(folder.join("cases.json")).expect("cases.json");
    let cases: Vec<Case> = serde_json::from_slice(&cases).expect("an array of cases");
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    let share = cases.len().div_ceil(jobs).max(1);
    let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
        let shares = cases.chunks(share).map(|share| {
            scope.spawn(|| share.iter().map(|case| evaluate(&folder, case)).collect::<Vec<_>>())
        });
        let threads: Vec<_> = shares.collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("a thread that lives")).collect()
    });
    let results = serde_json::to_vec(&outcomes).expect("results as JSON");
    std::fs::write(folder.join("results.json"), results).expect("results.json");
}
