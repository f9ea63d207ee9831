//! The packs of `policies/`: their tables, decided by the real OPA, from the Rego that they translate to and
//! from each policy's export.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use guard_policy::{
    LoadOptions, PolicyFile, RegoPackage, Table, export_rego, load, translate, translate_sharing,
};
use serde_json::{Value, json};
use test_support::Folder;

/// Asks for the decision about each row, in the order of the rows.
const RUNNER: &str = "package table_runner

decisions[position] := decision if {
	some position, row in data.table_rows
	decision := ENTRY with input as row.input with data.hexarch.state as row.state
}
";

struct Pack {
    name: String,
    file: PolicyFile,
    table: Table,
}

/// The folders below a path of the repository that hold a hexarch.yaml, sorted.
fn folders(path: &str) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir(support::root().join(path))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("hexarch.yaml").exists())
        .collect();
    folders.sort();
    assert!(folders.len() >= 5, "{folders:?}");
    folders
}

/// The folders of `policies/` with a hexarch.yaml.
fn directories() -> Vec<PathBuf> {
    folders("policies")
}

/// What has a table: the packs, all but the demonstration, whose calls are its table (`demo.rs`), and
/// `tests/keys`, which has a row for each key.
fn packs() -> Vec<Pack> {
    let keys = folders("crates/guard-policy/tests/keys");
    let packs = directories().into_iter().filter(|path| !path.ends_with("demo"));
    packs.chain(keys).map(|path| pack(&path)).collect()
}

fn read_file(directory: &Path) -> PolicyFile {
    let options = LoadOptions { allow_writable_by_others: true, ..LoadOptions::default() };
    load(directory.join("hexarch.yaml"), &options).unwrap_or_else(|error| panic!("\n{error}"))
}

fn pack(directory: &Path) -> Pack {
    let file = read_file(directory);
    let path = directory.join("table.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    let table = Table::parse(&path.display().to_string(), &text).unwrap_or_else(|error| panic!("\n{error}"));
    Pack { name: directory.file_name().unwrap().to_string_lossy().into_owned(), file, table }
}

/// The decisions about the rows, asked for by one run of OPA over the modules in `scratch`.
fn decide(
    opa: &Path,
    scratch: &Folder,
    entry: &str,
    file: &PolicyFile,
    rows: &[&guard_policy::Row],
) -> Vec<Value> {
    let runner = scratch.write("runner.rego", RUNNER.replace("ENTRY", entry));
    assert!(runner.exists());
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| json!({"input": row.priced_input(file), "state": row.data()["hexarch"]["state"]}))
        .collect();
    scratch.write("rows.json", json!({"table_rows": rows}).to_string());
    let printed = support::run(
        opa,
        &["eval", "--format", "raw", "data.table_runner.decisions", "-d"],
        &[scratch.path()],
    )
    .unwrap_or_else(|error| panic!("{error}"));
    let decisions: Value =
        serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed}"));
    (0..rows.len()).map(|row| decisions[row.to_string()].clone()).collect()
}

/// What is wrong with the decisions about a pack's rows.
fn wrong_rows(pack: &Pack, how: &str, rows: &[&guard_policy::Row], decisions: &[Value]) -> Vec<String> {
    rows.iter()
        .zip(decisions)
        .filter_map(|(row, decision)| {
            let error = row.check(decision).and_then(|()| well_formed(decision)).err()?;
            Some(format!("{}, {how}, line {} ({}): {error}", pack.name, row.line(), row.name()))
        })
        .collect()
}

/// The Rego in the directory passes `opa check --strict`, and `opa fmt` would not change a byte of it.
fn assert_clean(opa: &Path, directory: &Path) {
    support::run(opa, &["check", "--strict"], &[directory])
        .unwrap_or_else(|error| panic!("opa check: {error}"));
    support::run(opa, &["fmt", "--fail", "--diff"], &[directory])
        .unwrap_or_else(|error| panic!("opa fmt: {error}"));
}

/// The decision is one that the Guardian takes.
fn well_formed(decision: &Value) -> Result<(), String> {
    let read = guard_core::Decision::from_json(decision.to_string().as_bytes());
    read.map(drop).map_err(|error| format!("{error}: {decision}"))
}

fn assert_tables(how: &str, translated: impl Fn(&PolicyFile) -> RegoPackage) {
    let opa = support::opa();
    let mut wrong = Vec::new();
    for pack in packs() {
        let scratch = Folder::new("guard-policy");
        for module in translated(&pack.file).modules() {
            scratch.write(module.name(), module.text());
        }
        let rows: Vec<&guard_policy::Row> = pack.table.rows().iter().collect();
        let decisions = decide(opa, &scratch, "data.guardrails.evaluate", &pack.file, &rows);
        wrong.extend(wrong_rows(&pack, how, &rows, &decisions));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_the_tables_hold_in_real_opa() {
    assert_tables("translated", translate);
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_the_tables_hold_where_policies_share_modules() {
    assert_tables("sharing", |file| translate_sharing(file, 1));
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_the_tables_hold_for_each_export_by_itself() {
    let opa = support::opa();
    let mut wrong = Vec::new();
    for pack in packs() {
        for policy in pack.file.policies() {
            let about = |row: &&guard_policy::Row| row.input()["policy_id"] == policy.id();
            let rows: Vec<&guard_policy::Row> = pack.table.rows().iter().filter(about).collect();
            assert!(!rows.is_empty(), "the table of {} has no row for `{}`", pack.name, policy.id());
            let scratch = Folder::new("guard-policy");
            scratch.write("policy.rego", export_rego(&pack.file, policy));
            let entry = format!("data.guardrails.policies[{}].decision", json!(policy.id()));
            let decisions = decide(opa, &scratch, &entry, &pack.file, &rows);
            wrong.extend(wrong_rows(&pack, "exported", &rows, &decisions));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_what_is_generated_passes_opa_check_and_fmt() {
    let opa = support::opa();
    let keys = folders("crates/guard-policy/tests/keys");
    for file in directories().iter().chain(&keys).map(|path| read_file(path)) {
        let scratch = Folder::new("guard-policy");
        for module in translate(&file).modules() {
            scratch.write(module.name(), module.text());
        }
        assert_clean(opa, scratch.path());
        for policy in file.policies() {
            let scratch = Folder::new("guard-policy");
            scratch.write("policy.rego", export_rego(&file, policy));
            assert_clean(opa, scratch.path());
        }
    }
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_the_library_passes_its_own_tests() {
    let opa = support::opa();
    let library = support::root().join("rego");
    assert_clean(opa, &library);
    support::run(opa, &["test"], &[&library]).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn a_written_call_is_what_the_guardian_asks() {
    let call = guard_policy::Call {
        policy: "p".into(),
        function: "f".into(),
        operation: "delete".into(),
        resource_type: Some("table".into()),
        model: Some("gpt-4o".into()),
        feature: Some("beta".into()),
        session: Some(("s1".into(), 7)),
        user: Some("ann".into()),
        roles: vec!["admin".into()],
        cost: Some("0.25".into()),
        tokens: Some(7),
        confirm: true,
        ..guard_policy::Call::default()
    };
    let request = guard_core::Request {
        policy_id: "p".into(),
        function: "f".into(),
        operation: "delete".into(),
        resource_type: Some("table".into()),
        model: Some("gpt-4o".into()),
        feature: Some("beta".into()),
        session: Some(guard_core::Session { id: "s1".into(), started: guard_core::Timestamp::from_nanos(7) }),
        user: Some(guard_core::User { id: "ann".into(), roles: vec!["admin".into()] }),
        cost: Some("0.25".parse().unwrap()),
        tokens: Some(7),
        confirmed: true,
        time: guard_core::Timestamp::from_nanos(42),
        ..guard_core::Request::default()
    };
    let asked: Value = serde_json::from_str(&request.to_input()).unwrap();
    assert_eq!(call.input(42), asked);
}

#[test]
fn the_readme_lists_every_pack() {
    let readme = std::fs::read_to_string(support::root().join("policies/README.md")).unwrap();
    for directory in directories() {
        let name = directory.file_name().unwrap().to_string_lossy().into_owned();
        assert!(
            readme.contains(&format!("| [{name}]({name}) |")),
            "policies/README.md has no line for {name}"
        );
    }
}

#[test]
fn every_key_of_a_rule_is_in_a_table() {
    let schema = guard_policy::json_schema();
    let rule = "/properties/policies/items/properties/rules/items/properties";
    let policy = "/properties/policies/items/properties";
    let known: BTreeSet<String> = [rule, policy]
        .iter()
        .flat_map(|path| schema.pointer(path).unwrap().as_object().unwrap().keys().cloned())
        .collect();
    let mut used = BTreeSet::new();
    for pack in packs() {
        let asked: BTreeSet<&str> =
            pack.table.rows().iter().filter_map(|row| row.input()["policy_id"].as_str()).collect();
        for policy in pack.file.policies() {
            assert!(
                asked.contains(policy.id()),
                "the table of {} has no row for `{}`",
                pack.name,
                policy.id()
            );
            let json: Value = serde_json::from_str(&guard_policy::export_json(policy)).unwrap();
            let policy = json["policies"][0].as_object().unwrap();
            used.extend(policy.keys().cloned());
            let rules = policy.get("rules").and_then(Value::as_array).into_iter().flatten();
            used.extend(rules.flat_map(|rule| rule.as_object().unwrap().keys().cloned()));
        }
    }
    let missing: Vec<&String> = known.difference(&used).collect();
    assert!(missing.is_empty(), "no table has a policy with {missing:?}");
}
