//! Modules both ways: ours in other hosts, and OPA's in our engine.
//!
//! Every v1 case whose module calls no function of its host is compiled, evaluated by our engine, and evaluated again
//! by other hosts, each in one run over the folder of all modules (`--export`): by `@open-policy-agent/opa-wasm` in node,
//! and by programs that read the same folder (`--host`). The answers must be the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use rego_value::json::{self, Escape};
use rego_value::{Array, Value};

use crate::corpus::{Case, Input, Program};
use crate::judge;
use crate::pipeline::{Fault, Form, Pipeline};

/// The script that evaluates a folder of modules.
const SCRIPT: &str = include_str!("../portability.mjs");

/// What is left out, by reason, and what is compared.
#[derive(Default)]
struct Tally {
    exported: usize,
    host: usize,
    sets: usize,
    strict: usize,
    refused: usize,
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.exported += other.exported;
        self.host += other.host;
        self.sets += other.sets;
        self.strict += other.strict;
        self.refused += other.refused;
    }
}

/// Writes the folder: a module for each case, and `cases.json`, an array of
/// `{"id", "module", "data", "input", "answers" | "error", "of_null"}`. A case without an input has `of_null`, what our
/// engine says of the input `null` in the form of a case, for hosts that cannot leave the input out.
pub(crate) fn export(cases: &[Case], dir: &Path, jobs: usize) -> Result<usize, String> {
    fs::create_dir_all(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let cases: Vec<(usize, &Case)> = cases.iter().filter(|case| case.group == "v1").enumerate().collect();
    let parts = std::thread::scope(|scope| {
        let threads = (0..jobs.max(1)).map(|job| {
            let own = cases.iter().copied().skip(job).step_by(jobs.max(1));
            let thread = std::thread::Builder::new().stack_size(crate::workers::STACK);
            thread.spawn_scoped(scope, || export_some(own, dir))
        });
        let threads =
            threads.collect::<Result<Vec<_>, _>>().map_err(|error| format!("no thread: {error}"))?;
        let join = |thread: std::thread::ScopedJoinHandle<'_, _>| {
            thread.join().unwrap_or_else(|_| Err("a thread died".to_owned()))
        };
        threads.into_iter().map(join).collect::<Result<Vec<(Tally, Rows)>, String>>()
    })?;
    let (mut all, mut rows) = (Tally::default(), Rows::new());
    for (tally, some) in parts {
        all.add(&tally);
        rows.extend(some);
    }
    let list: Vec<&str> = rows.values().map(String::as_str).collect();
    let file = dir.join("cases.json");
    fs::write(&file, format!("[\n{}\n]\n", list.join(",\n")))
        .map_err(|error| format!("{}: {error}", file.display()))?;
    println!(
        "portability: {} cases; left out: {} that call functions of the host, {} whose input is no JSON, {} about \
         strict built-in errors, {} that do not compile",
        all.exported, all.host, all.sets, all.strict, all.refused,
    );
    Ok(all.exported)
}

/// The rows of `cases.json`, by the position of the case.
type Rows = BTreeMap<usize, String>;

fn export_some<'a>(
    cases: impl Iterator<Item = (usize, &'a Case)>,
    dir: &Path,
) -> Result<(Tally, Rows), String> {
    let pipeline = Pipeline::new(Form::default())?;
    let (mut tally, mut rows) = (Tally::default(), Rows::new());
    for (position, case) in cases {
        let Some((module, row)) = row(&pipeline, case, &mut tally) else { continue };
        let name = format!("{position}.wasm");
        fs::write(dir.join(&name), module).map_err(|error| format!("{}: {error}", dir.display()))?;
        rows.insert(position, format!("{{\"id\": {}, \"module\": \"{name}\", {row}}}", quoted(&case.id)));
        tally.exported += 1;
    }
    Ok((tally, rows))
}

/// A case's module, and what `cases.json` says of it.
fn row(pipeline: &Pipeline, case: &Case, tally: &mut Tally) -> Option<(Vec<u8>, String)> {
    if case.strict_error {
        // A matter between our engine and our modules: the ABI knows no such mode.
        tally.strict += 1;
        return None;
    }
    let input = match &case.input {
        None => None,
        Some(Input::Json(text)) => Some(text.get()),
        Some(Input::Term(_)) => {
            tally.sets += 1;
            return None;
        }
    };
    let Ok(compiled) = pipeline.compile_bytes(case) else {
        tally.refused += 1;
        return None;
    };
    if !compiled.manifest.host_builtins.is_empty() {
        tally.host += 1;
        return None;
    }
    let program = pipeline.load(&compiled);
    let evaluate = |case: &Case| {
        let answer = program.as_ref().map_err(|fault| fault.message.clone());
        let answer =
            answer.and_then(|program| program.evaluate(case, false).map_err(|Fault { message, .. }| message));
        match answer {
            Ok(answers) => format!("\"answers\": {}", text_of(&answers)),
            Err(message) => format!("\"error\": {}", quoted(&message)),
        }
    };
    // As texts, so that a reader that takes numbers for doubles passes them on as they are.
    let data = case.data.as_ref().map_or("{}", |data| data.get());
    let mut row = format!("\"data\": {}, {}", quoted(data), evaluate(case));
    match input {
        Some(input) => {
            let _ = write!(row, ", \"input\": {}", quoted(input));
        }
        None => {
            let null = Some(Input::Json(serde_json::value::RawValue::NULL.to_owned()));
            let _ = write!(row, ", \"of_null\": {{{}}}", evaluate(&Case { input: null, ..case.clone() }));
        }
    }
    Some((compiled.bytes, row))
}

fn text_of(answers: &[Value]) -> String {
    json::to_string(&judge::as_json(&Value::array(answers.iter().cloned())), Escape::Plain)
}

fn quoted(text: &str) -> String {
    json::to_string(&Value::from(text), Escape::Plain)
}

/// Evaluates an exported folder in node, and gives the differences.
pub(crate) fn in_node(dir: &Path, node_modules: &Path) -> Result<Vec<String>, String> {
    let script = dir.join("portability.mjs");
    fs::write(&script, SCRIPT).map_err(|error| format!("{}: {error}", script.display()))?;
    let mut node = Command::new("node");
    let status = node.arg(&script).arg(dir).arg(node_modules).status();
    let status = status.map_err(|error| format!("node: {error}"))?;
    if !status.success() {
        return Err(format!("node: {status}"));
    }
    differences(dir, "results.json", false)
}

/// Evaluates an exported folder in another host: a program that is given the folder and writes `results.json` as the
/// script for node does, with `null` for an input that is not there.
pub(crate) fn in_host(dir: &Path, host: &Path) -> Result<Vec<String>, String> {
    let status = Command::new(host).arg(dir).status();
    let status = status.map_err(|error| format!("{}: {error}", host.display()))?;
    if !status.success() {
        return Err(format!("{}: {status}", host.display()));
    }
    differences(dir, "results.json", true)
}

fn differences(dir: &Path, results: &str, null: bool) -> Result<Vec<String>, String> {
    let wanted = rows(&dir.join("cases.json"))?;
    let got = rows(&dir.join(results))?;
    if wanted.len() != got.len() {
        return Err(format!("{} cases, and {} results", wanted.len(), got.len()));
    }
    let differences = wanted.iter().zip(got.iter()).filter_map(|(case, got)| {
        let wanted = case.get_str("of_null").filter(|_| null).unwrap_or(case);
        difference(case, wanted, got)
    });
    Ok(differences.collect())
}

fn rows(file: &Path) -> Result<Array, String> {
    let text = fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let rows = json::parse(&text).map_err(|error| format!("{}: {error}", file.display()))?;
    rows.as_array().cloned().ok_or_else(|| format!("{}: no array", file.display()))
}

fn difference(case: &Value, wanted: &Value, got: &Value) -> Option<String> {
    let text = |value: &Value, name: &str| value.get_str(name).and_then(Value::as_str).map(str::to_owned);
    let id = text(case, "id").unwrap_or_default();
    if let Some(start) = text(got, "start") {
        return Some(format!("{id}: {start}"));
    }
    // The result set comes as the text that the module wrote.
    let answers = text(got, "answers").and_then(|text| json::parse(text.as_bytes()).ok());
    match (wanted.get_str("answers"), &answers) {
        (Some(wanted), Some(answers)) if set(wanted) == set(answers) => None,
        (None, None) => None,
        (ours, _) => {
            let ours = ours.map(|ours| json::to_string(ours, Escape::Plain));
            let ours = ours.or_else(|| text(wanted, "error")).unwrap_or_default();
            let theirs = text(got, "answers").or_else(|| text(got, "error")).unwrap_or_default();
            Some(format!("{id}: our engine {ours}, there {theirs}"))
        }
    }
}

/// The answers without their order.
fn set(answers: &Value) -> BTreeSet<Value> {
    answers.as_array().map(|items| items.iter().cloned().collect()).unwrap_or_default()
}

/// Cases that OPA's own modules get wrong, whatever the host, by OPA's own list of exceptions: its runtime library has no
/// integers beyond 64 bits, reads numbers of any exponent, and does not find a number among the keys of `data`.
const NOT_IN_OPA_WASM: [&str; 7] = [
    "aggregates/test-aggregates-bignum/0",
    "aggregates/test-aggregates-bignum/1",
    "arithmetic/test-arithmetic-bignum/1",
    "dataderef/test-data-derefs/0",
    "jsonbuiltins/test-json-unmarshal-number-range/0",
    "jsonbuiltins/test-json-unmarshal-number-range/1",
    "strings/test-strings-format-int-bignum/0",
];

/// Builds cases with `opa build -t wasm` and judges them in our engine: the first `most` of those whose query only asks
/// for one rule, spread over the whole corpus.
pub(crate) fn of_opa(cases: &[Case], opa: &Path, most: usize) -> Result<(usize, Vec<String>), String> {
    let asked: Vec<(&Case, Question)> = cases
        .iter()
        .filter(|case| {
            case.group == "v1" && !case.strict_error && !NOT_IN_OPA_WASM.contains(&case.id.as_str())
        })
        .filter_map(|case| Some((case, question(case)?)))
        .collect();
    // Some need functions that our host does not have, so that more are looked at than are wanted.
    let step = (asked.len() / (most + most / 4).max(1)).max(1);
    let pipeline = Pipeline::new(Form::default())?;
    let (mut passed, mut failures) = (0, Vec::new());
    let mut left_out = 0;
    for (case, question) in asked.iter().step_by(step) {
        if passed + failures.len() == most {
            break;
        }
        match judge_opa_module(&pipeline, opa, case, question) {
            Ok(()) => passed += 1,
            Err(cause) if cause.starts_with("module needs built-in functions") => left_out += 1,
            Err(cause) => failures.push(format!("{}: {cause}", case.id)),
        }
    }
    println!("portability: left out: {left_out} modules of OPA that need functions our host does not have");
    Ok((passed, failures))
}

fn judge_opa_module(
    pipeline: &Pipeline,
    opa: &Path,
    case: &Case,
    question: &Question,
) -> Result<(), judge::Failure> {
    let module = build(opa, case, &question.entrypoint)?;
    let program = pipeline.load_bytes(&module).map_err(|fault| fault.message)?;
    let evaluate = |strict| {
        let answers = program.evaluate_entrypoint(&question.entrypoint, case, strict)?;
        Ok(answers.iter().filter_map(|answer| question.named(answer)).collect())
    };
    if case.want.error.is_some() || case.want.error_code.is_some() {
        // OPA's modules stop with texts of their own, without a code.
        return match evaluate(false) {
            Err(Fault { .. }) => Ok(()),
            Ok(_) => Err("wanted an error".to_owned()),
        };
    }
    judge::judge_answers(case, evaluate)
}

/// A query that asks for one rule: `data.a.b = x`, `x = data.a.b`, or `data.a.b`.
struct Question {
    entrypoint: String,
    variable: Option<String>,
}

impl Question {
    /// The answer of an entrypoint as one of the query.
    fn named(&self, answer: &Value) -> Option<Value> {
        let result = answer.get_str("result")?.clone();
        match &self.variable {
            Some(name) => Some(Value::object([(Value::from(name.as_str()), result)])),
            None if result == Value::Bool(false) => None,
            None => Some(Value::object([])),
        }
    }
}

fn question(case: &Case) -> Option<Question> {
    let Program::Source { query, .. } = &case.program else { return None };
    let is_name = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let (path, variable) = match query.split_once('=') {
        None => (query.trim(), None),
        Some((left, right)) if left.trim().starts_with("data.") => (left.trim(), Some(right.trim())),
        Some((left, right)) => (right.trim(), Some(left.trim())),
    };
    let steps: Vec<&str> = path.strip_prefix("data.")?.split('.').collect();
    let is_variable = |name: &str| is_name(name) && !matches!(name, "input" | "true" | "false" | "null");
    let is_plain = steps.iter().copied().all(is_name) && variable.is_none_or(is_variable);
    is_plain.then(|| Question { entrypoint: steps.join("/"), variable: variable.map(str::to_owned) })
}

fn build(opa: &Path, case: &Case, entrypoint: &str) -> Result<Vec<u8>, String> {
    let Program::Source { modules, .. } = &case.program else { return Err("no source".to_owned()) };
    let dir = std::env::temp_dir().join(format!("conformance-opa-{}", std::process::id()));
    let built = build_in(&dir, opa, modules, entrypoint);
    let _ = fs::remove_dir_all(&dir);
    built
}

fn build_in(dir: &Path, opa: &Path, modules: &[String], entrypoint: &str) -> Result<Vec<u8>, String> {
    let io = |error: std::io::Error| error.to_string();
    fs::create_dir_all(dir).map_err(io)?;
    let mut command = Command::new(opa);
    command.current_dir(dir).args(["build", "-t", "wasm", "-e", entrypoint]);
    for (index, text) in modules.iter().enumerate() {
        let name = format!("test-{index}.rego");
        fs::write(dir.join(&name), text).map_err(io)?;
        command.arg(name);
    }
    let output = command.output().map_err(io)?;
    if !output.status.success() {
        return Err(format!("opa build: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let mut tar = Command::new("tar");
    let unpacked =
        tar.current_dir(dir).args(["-xzOf", "bundle.tar.gz", "/policy.wasm"]).output().map_err(io)?;
    Ok(unpacked.stdout)
}
