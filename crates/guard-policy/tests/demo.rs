//! The demonstration's calls, one after the other, on the real OPA: what is charged by one is there for the
//! next, as in `data.hexarch.state` of a store.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use guard_policy::{LoadOptions, Script, load, translate};
use serde_json::{Value, json};
use test_support::Folder;

#[test]
#[ignore = "needs OPA"]
fn needs_opa_the_demonstration_goes_as_it_is_written() {
    let opa = support::opa();
    let directory = support::root().join("policies/demo");
    let options = LoadOptions { allow_writable_by_others: true, ..LoadOptions::default() };
    let file = load(directory.join("hexarch.yaml"), &options).unwrap_or_else(|error| panic!("\n{error}"));
    let text = std::fs::read_to_string(directory.join("calls.yaml")).unwrap();
    let script = Script::parse("calls.yaml", &text).unwrap_or_else(|error| panic!("\n{error}"));
    let scratch = Folder::new("guard-policy");
    for module in translate(&file).modules() {
        scratch.write(module.name(), module.text());
    }
    let mut state = json!({});
    for (number, step) in script.steps().iter().enumerate() {
        scratch.write("data.json", json!({"hexarch": {"state": state}}).to_string());
        let input =
            scratch.write("in/input.json", step.call.input(script.clock_ns() + step.after_ns).to_string());
        let data = scratch.path().join("data.json");
        let arguments =
            ["eval", "--format", "raw", "data.guardrails.evaluate", "-i", input.to_str().unwrap(), "-d"];
        let modules = format!("{}/guardrails", scratch.path().display());
        let library = format!("{}/hexarch", scratch.path().display());
        let mut arguments = arguments.to_vec();
        arguments.extend([modules.as_str(), "-d", library.as_str(), "-d"]);
        let printed = support::run(opa, &arguments, &[&data]).unwrap_or_else(|error| panic!("{error}"));
        let decision: Value = serde_json::from_str(&printed).unwrap();
        assert_eq!(decision["action"].as_str(), step.expect.as_deref(), "call {}: {decision}", number + 1);
        charge(&mut state, &decision);
    }
    assert_eq!(script.steps().len(), 30);
    assert_eq!(
        state["api_budget.rule_1.monthly_budget"]["all"]["2026-03"]["demo"],
        json!(10_000_000),
        "the budget is spent to the cent"
    );
}

/// What a store does with an allowed call.
fn charge(state: &mut Value, decision: &Value) {
    for charge in decision["charges"].as_array().into_iter().flatten() {
        let path = ["limit", "key", "window"].map(|name| charge[name].as_str().unwrap().to_owned());
        let mut cell = &mut *state;
        for step in path.iter().map(String::as_str).chain(["demo"]) {
            if cell.is_null() {
                *cell = json!({});
            }
            cell = &mut cell[step];
        }
        let used = cell.as_i64().unwrap_or(0) + charge["amount"].as_i64().unwrap();
        assert!(used <= charge["max"].as_i64().unwrap());
        *cell = json!(used);
    }
}
