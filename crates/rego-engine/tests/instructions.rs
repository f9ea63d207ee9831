//! What decisions cost, in instructions of WebAssembly: figures that depend on no clock, so that a change that makes
//! decisions dearer is seen where it is made. `instructions.txt` holds them; `BLESS=1` writes it anew.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use rego_build::{Options, PlanOptions, Source, Target};
use rego_engine::{Config, Engine, EvalContext, Input, Instance, Module};
use rego_value::json;

/// How far a figure may be from the recorded one, in parts of a hundred.
const TOLERANCE: u64 = 3;

fn recorded() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/instructions.txt")
}

/// The benchmarks' policies, beside the corpus.
fn policies() -> PathBuf {
    let corpus = std::env::var_os("HEXARCH_CONFORMANCE").expect("HEXARCH_CONFORMANCE names the corpus");
    Path::new(&corpus).join("../bench/policies")
}

/// The instructions of each case of a policy, by `policy/case`: those of the second decision, when all that is
/// remembered is.
fn measure(dir: &Path, engine: &Engine, found: &mut BTreeMap<String, u64>) {
    let read = |name: &str| std::fs::read_to_string(dir.join(name)).unwrap();
    let cases = json::parse(read("cases.json").as_bytes()).unwrap();
    let text =
        |value: &rego_value::Value, key: &str| value.get_str(key).unwrap().as_str().unwrap().to_owned();
    let entrypoint = text(&cases, "entrypoint").trim_start_matches("data.").replace('.', "/");
    let wasm = PlanOptions { target: Target::Engine, ..PlanOptions::default() };
    let options = Options { wasm, ..Options::default() };
    let built =
        rego_build::build(&[Source::new("policy.rego", read("policy.rego"))], &[&entrypoint], &options);
    let module = Module::new(engine, &built.unwrap().bytes).unwrap();
    let id = module.entrypoint(&entrypoint).unwrap();
    let mut instance = Instance::new(&module).unwrap();
    instance.set_data_json(read("data.json").as_bytes()).unwrap();
    let rego_value::Value::Array(rows) = cases.get_str("cases").unwrap() else { panic!("no cases") };
    for row in rows.iter() {
        let input = read(&text(row, "input"));
        let mut decide = || {
            let before = instance.instructions().unwrap();
            let context = EvalContext::default();
            instance.evaluate_value(id, Input::Json(input.as_bytes()), &context).unwrap().unwrap();
            instance.instructions().unwrap() - before
        };
        decide();
        let name = format!("{}/{}", dir.file_name().unwrap().to_string_lossy(), text(row, "name"));
        found.insert(name, decide());
    }
}

#[test]
#[ignore = "needs the corpus"]
fn needs_corpus_decisions_cost_what_is_recorded() {
    let engine = Engine::new(Config { count_instructions: true, ..Config::default() }).unwrap();
    let mut found = BTreeMap::new();
    for name in ["p1", "p2", "p3"] {
        measure(&policies().join(name), &engine, &mut found);
    }
    if std::env::var_os("BLESS").is_some() {
        let mut text = String::new();
        found.iter().for_each(|(name, count)| writeln!(text, "{name} {count}").unwrap());
        std::fs::write(recorded(), text).unwrap();
        return;
    }
    let text = std::fs::read_to_string(recorded()).unwrap();
    let recorded: BTreeMap<&str, u64> = text
        .lines()
        .map(|line| line.split_once(' ').unwrap())
        .map(|(name, count)| (name, count.parse().unwrap()))
        .collect();
    assert_eq!(recorded.len(), found.len());
    let mut wrong = String::new();
    for (name, count) in &found {
        let before = recorded[name.as_str()];
        if count.abs_diff(before) * 100 > before * TOLERANCE {
            writeln!(wrong, "{name}: {count} instructions, recorded {before}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "cheaper is good news: record it with BLESS=1\n{wrong}");
}

#[test]
fn instructions_are_counted_where_that_is_asked_for() {
    let source = Source::new("p.rego", "package p\n\nn := count([x | some x in input])\n");
    let bytes = rego_build::build(&[source], &["p/n"], &Options::default()).unwrap().bytes;
    let count = |input: &str, count_instructions: bool| {
        let engine = Engine::new(Config { count_instructions, ..Config::default() }).unwrap();
        let module = Module::new(&engine, &bytes).unwrap();
        let mut instance = Instance::new(&module).unwrap();
        instance.evaluate("p/n", Input::Json(input.as_bytes()), &EvalContext::default()).unwrap();
        instance.instructions()
    };
    assert_eq!(count("[1]", false), None);
    let (one, many) = (count("[1]", true).unwrap(), count("[1,2,3,4,5,6,7,8,9]", true).unwrap());
    assert!(0 < one && one < many, "{one} {many}");
}
