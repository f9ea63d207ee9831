//! The Rego that comes out: as it reads, and as OPA takes it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::path::Path;

use guard_policy::{PolicyFile, export_json, export_rego, export_yaml, parse, translate};
use test_support::Folder;

fn read(name: &str) -> PolicyFile {
    let path = support::root().join("crates/guard-policy/tests/translate").join(name);
    let text = std::fs::read_to_string(path).unwrap();
    parse("hexarch.yaml", &text).unwrap_or_else(|problems| panic!("\n{problems}"))
}

fn policies(file: &PolicyFile) -> String {
    let package = translate(file);
    let policies = package.modules().iter().filter(|module| !module.name().starts_with("hexarch/"));
    policies.map(|module| module.text()).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_sample_reads_as_committed() {
    let told = policies(&read("sample.yaml"));
    let path = support::root().join("crates/guard-policy/tests/translate/sample.rego");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &told).unwrap();
    }
    assert_eq!(told, std::fs::read_to_string(&path).unwrap());
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_odd_names_pass_opa_check_and_fmt() {
    let opa = support::opa();
    for name in ["sample.yaml", "odd.yaml"] {
        let file = read(name);
        let scratch = Folder::new("guard-policy");
        for module in translate(&file).modules() {
            scratch.write(module.name(), module.text());
        }
        let clean = |directory: &Path| {
            support::run(opa, &["check", "--strict"], &[directory]).unwrap_or_else(|error| panic!("{error}"));
            support::run(opa, &["fmt", "--fail", "--diff"], &[directory])
                .unwrap_or_else(|error| panic!("{error}"));
        };
        clean(scratch.path());
        for policy in file.policies() {
            let scratch = Folder::new("guard-policy");
            scratch.write("policy.rego", export_rego(&file, policy));
            clean(scratch.path());
        }
    }
}

#[test]
fn what_is_generated_is_the_same_on_every_machine() {
    let text = "policies: [{id: a, rules: [{action: block}]}]";
    let here = policies(&parse("/home/somebody/hexarch.yaml", text).unwrap());
    let there = policies(&parse(r"C:\work\hexarch.yaml", text).unwrap());
    assert_eq!(here, there);
}

#[test]
fn an_exported_policy_reads_back_as_the_same() {
    for name in ["sample.yaml", "odd.yaml"] {
        let file = read(name);
        for policy in file.policies() {
            for exported in [export_yaml(policy), export_json(policy)] {
                let again = parse("hexarch.yaml", &exported).unwrap_or_else(|p| panic!("\n{p}\n{exported}"));
                let plain = |rego: String| -> String {
                    // Lines differ; what they say does not.
                    rego.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n")
                };
                let before = plain(export_rego(&file, policy));
                assert_eq!(plain(export_rego(&again, &again.policies()[0])), before);
            }
        }
    }
}

#[test]
fn what_a_package_says_about_its_policies() {
    let file = read("sample.yaml");
    let package = translate(&file);
    assert_eq!(package.entrypoints(), ["guardrails/evaluate", "guardrails/calendar"]);
    assert_eq!(package.data(), serde_json::json!({"hexarch": {"state": {}}}));
    let [policy] = package.policies() else { panic!("one policy") };
    assert_eq!((policy.id(), policy.enabled()), ("sample", true));
    let limits: Vec<String> =
        policy.limits().iter().map(|limit| format!("{} {} {}", limit.id, limit.name, limit.max)).collect();
    assert_eq!(
        limits,
        [
            "sample.money.daily_budget daily budget of $0.50 500000",
            "sample.money.monthly_budget monthly budget of $10.00 10000000",
            "sample.rule_2.requests_per_second limit of 1 call per second 1",
        ]
    );
}
