//! The packs that this crate embeds decide as their tables say: the module that `build.rs` made, in our engine. So do
//! the files of `tests/keys` of guard-policy, which have a row for each key of hexarch.yaml.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use guard_core::{
    Deadline, Decision, Evaluator as _, FixedClock, Json, Question, Request, Session, Timestamp, User,
};
use guard_eval::{Wasm, WasmConfig};
use guard_policy::{LoadOptions, PolicyFile, RegoPackage, Table};
use guard_state::MemoryStore;
use hexarch_guardrails::{DECISION_ENTRYPOINT, compile_for_engine, packs};
use rego_engine::{Config, Engine, EvalContext, Instance, Module};

/// The rows of a table that the module does not decide as they say, and how many there are.
fn wrong_rows(engine: &Engine, folder: &Path, file: &PolicyFile, module: &[u8]) -> (Vec<String>, usize) {
    let path = folder.join("table.yaml");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let table = Table::parse(&path.display().to_string(), &text).unwrap();
    let module = Module::new(engine, module).unwrap();
    let mut instance = Instance::new(&module).unwrap();
    let mut wrong = Vec::new();
    for row in table.rows() {
        instance.set_data_json(row.data().to_string().as_bytes()).unwrap();
        let input = row.priced_input(file).to_string();
        let answer = instance.evaluate(DECISION_ENTRYPOINT, input.as_str().into(), &EvalContext::default());
        let decision = rego_value::json::to_string(
            answer.unwrap().result().expect("a decision"),
            rego_value::json::Escape::Plain,
        );
        if let Err(why) = row.check(&serde_json::from_str(&decision).unwrap()) {
            wrong.push(format!("{}: {}: {why}", folder.display(), row.name()));
        }
    }
    (wrong, table.rows().len())
}

fn file(folder: &Path) -> PolicyFile {
    let options = LoadOptions { allow_writable_by_others: true, ..LoadOptions::default() };
    guard_policy::load(folder.join("hexarch.yaml"), &options).unwrap()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

#[test]
fn every_row_of_every_table_holds() {
    let engine = Engine::new(Config::default()).unwrap();
    let mut wrong = Vec::new();
    let mut rows = 0;
    // The demonstration's calls stand in for a table: `demo_decides_as_its_script_says`.
    for pack in packs().iter().filter(|pack| pack.name != "demo") {
        let folder = root().join("policies").join(pack.name);
        let (found, read) = wrong_rows(&engine, &folder, &file(&folder), pack.module);
        wrong.extend(found);
        rows += read;
    }
    assert!(wrong.is_empty(), "{} of {rows} rows do not hold:\n{}", wrong.len(), wrong.join("\n"));
    assert!(rows > 50, "only {rows} rows were found");
}

#[test]
fn every_key_does_what_its_rows_say() {
    assert_keys(guard_policy::translate);
}

/// As policies do in files of thousands.
#[test]
fn every_key_does_so_where_policies_share_modules() {
    assert_keys(|file| guard_policy::translate_sharing(file, 1));
}

fn assert_keys(translated: impl Fn(&PolicyFile) -> RegoPackage) {
    let engine = Engine::new(Config::default()).unwrap();
    let mut wrong = Vec::new();
    let mut rows = 0;
    for entry in std::fs::read_dir(root().join("crates/guard-policy/tests/keys")).unwrap() {
        let folder = entry.unwrap().path();
        let file = file(&folder);
        let package = translated(&file);
        let module = compile_for_engine(package.modules(), package.entrypoints()).unwrap();
        let (found, read) = wrong_rows(&engine, &folder, &file, &module);
        wrong.extend(found);
        rows += read;
    }
    assert!(wrong.is_empty(), "{} of {rows} rows do not hold:\n{}", wrong.len(), wrong.join("\n"));
    assert!(rows > 100, "only {rows} rows were found");
}

/// The request that a row's input is.
fn request(input: &serde_json::Value) -> Request {
    let text = |name: &str| input[name].as_str().map(str::to_owned);
    let extras = |name: &str| {
        let members = input[name].as_object().into_iter().flatten();
        members.map(|(key, value)| (key.clone(), Json::of(value).unwrap())).collect()
    };
    let user = input["user"].as_object().map(|user| User {
        id: user["id"].as_str().unwrap().to_owned(),
        roles: user["roles"]
            .as_array()
            .unwrap()
            .iter()
            .map(|role| role.as_str().unwrap().to_owned())
            .collect(),
    });
    Request {
        policy_id: text("policy_id").unwrap_or_default(),
        function: text("function").unwrap_or_default(),
        operation: text("operation").unwrap_or_default(),
        resource: text("resource").unwrap_or_default(),
        resource_type: text("resource_type"),
        model: text("model"),
        feature: text("feature"),
        user,
        session: input["session"].as_object().map(|session| Session {
            id: session["id"].as_str().unwrap().to_owned(),
            started: Timestamp::from_nanos(session["started_ns"].as_i64().unwrap_or_default()),
        }),
        cost: input.get("cost").map(|cost| cost.to_string().parse().unwrap()),
        unpriced: text("unpriced"),
        tokens: input["tokens"].as_u64(),
        confirmed: input["confirmed"].as_bool().unwrap_or_default(),
        confirmation_token: None,
        secrets: Default::default(),
        context: extras("context"),
        metadata: extras("metadata"),
        idempotency_key: None,
        time: Timestamp::from_nanos(input["time_ns"].as_i64().unwrap_or_default()),
    }
}

/// The Guardian's evaluator hands requests over as they are; here beside their JSON text.
#[test]
fn a_request_and_its_text_are_decided_alike() {
    let engine = Engine::new(Config::default()).unwrap();
    let mut compared = 0;
    for pack in packs() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies").join(pack.name).join("table.yaml");
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let table = Table::parse(&path.display().to_string(), &text).unwrap();
        let mut instance = Instance::new(&Module::new(&engine, pack.module).unwrap()).unwrap();
        instance.set_data_json(br#"{"hexarch": {"state": {}}}"#).unwrap();
        let store = Arc::new(MemoryStore::new(Arc::new(FixedClock::at(Timestamp::from_nanos(0)))));
        let wasm = Wasm::load(pack.module, None, None, store, WasmConfig::default()).unwrap();
        for row in table.rows() {
            compared += 1;
            let request = request(row.input());
            let context = EvalContext { now_ns: request.time.as_nanos(), ..EvalContext::default() };
            let answer = instance.evaluate(DECISION_ENTRYPOINT, request.to_input().as_str().into(), &context);
            let expected = rego_value::json::to_string(
                answer.unwrap().result().expect("a decision"),
                rego_value::json::Escape::Plain,
            );
            let question =
                Question { request: &request, deadline: Deadline::after(std::time::Duration::from_secs(20)) };
            let found = *wasm.evaluate(question).wait().unwrap().decision;
            assert_eq!(
                found,
                Decision::from_json(expected.as_bytes()).unwrap(),
                "{}: {}",
                pack.name,
                row.name()
            );
        }
    }
    assert!(compared > 50, "only {compared} rows were found");
}
