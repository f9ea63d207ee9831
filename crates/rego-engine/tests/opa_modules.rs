//! Modules that a real OPA built, run by this engine: the benchmark policies with their decisions.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::path::PathBuf;

use common::opa_module;
use rego_engine::{Config, Engine, EvalContext, Input, Instance, Module};
use rego_value::{Value, json};

fn policies() -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/bench/policies");
    let folder = PathBuf::from(std::env::var_os("BENCH_POLICIES").unwrap_or_else(|| default.into()));
    if !folder.is_dir() {
        eprintln!("missing: {} is not there", folder.display());
        return None;
    }
    Some(folder)
}

fn read(path: PathBuf) -> Vec<u8> {
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
#[ignore = "needs the conformance corpus and OPA"]
fn needs_corpus_benchmark_policies_decide_as_expected() {
    let policies = policies().expect("the benchmark policies");
    let engine = Engine::new(Config::default()).unwrap();
    let mut cases = 0;
    for policy in ["p1", "p2", "p3"] {
        let folder = policies.join(policy);
        let description = json::parse(&read(folder.join("cases.json"))).unwrap();
        let entrypoint = description.get_str("entrypoint").unwrap().as_str().unwrap();
        let entrypoint = entrypoint.trim_start_matches("data.").replace('.', "/");
        let source = String::from_utf8(read(folder.join("policy.rego"))).unwrap();
        let module = Module::new(&engine, &opa_module(&source, &[&entrypoint])).unwrap();
        let mut instance = Instance::new(&module).unwrap();
        instance.set_data_json(&read(folder.join("data.json"))).unwrap();
        for case in description.get_str("cases").unwrap().as_array().unwrap().iter() {
            let file = |key: &str| read(folder.join(case.get_str(key).unwrap().as_str().unwrap()));
            let input = file("input");
            let expected = json::parse(&file("expected")).unwrap();
            for input in [Input::Json(&input), Input::Value(&json::parse(&input).unwrap())] {
                let results = instance.evaluate(&entrypoint, input, &EvalContext::default()).unwrap();
                assert_eq!(results.result(), Some(&expected), "{policy} {case:?}");
            }
            cases += 1;
        }
    }
    assert_eq!(cases, 11);
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_a_changed_document_does_not_disturb_the_others() {
    let policy = "package t\n\nimport rego.v1\n\np := [data.a.count, data.b]\n";
    let engine = Engine::new(Config { garbage_limit: 4096, ..Config::default() }).unwrap();
    let module = Module::new(&engine, &opa_module(policy, &["t/p"])).unwrap();
    let mut instance = Instance::new(&module).unwrap();
    let evaluate = |instance: &mut Instance| {
        instance.evaluate("t/p", Input::Undefined, &EvalContext::default()).unwrap().into_result()
    };
    assert_eq!(evaluate(&mut instance), None);
    instance.set_data_json(br#"{"b": ["x", {"y": 1}]}"#).unwrap();
    for count in 0..2000i64 {
        let value = Value::array([Value::from(count), Value::from("a text that takes some room")]);
        instance.set_data_at(&["a", "count"], value.clone()).unwrap();
        let other = json::parse(br#"["x", {"y": 1}]"#).unwrap();
        assert_eq!(evaluate(&mut instance), Some(Value::array([value, other])));
    }
    instance.remove_data_at(&["a", "count"]).unwrap();
    instance.remove_data_at(&["a", "count"]).unwrap();
    assert_eq!(evaluate(&mut instance), None);
    assert!(instance.set_data_at(&["b", "c"], Value::Null).is_err());
    instance.set_data_at(&["a", "count"], Value::Null).unwrap();
    let both = json::parse(br#"[null, ["x", {"y": 1}]]"#).unwrap();
    assert_eq!(evaluate(&mut instance), Some(both));
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_host_functions_get_and_give_every_kind_of_value() {
    let policy = r#"package t

import rego.v1

p := sprintf("%v %v %v %s %d %5.1f", [{1, "a"}, {"k": [null]}, set(), input.text, 7, 2.25])

undefined_on_error := time.parse_rfc3339_ns("nonsense")
"#;
    let engine = Engine::new(Config::default()).unwrap();
    let module = Module::new(&engine, &opa_module(policy, &["t/p", "t/undefined_on_error"]));
    let Ok(module) = module else {
        // Until every function the policy needs is there, the module is refused by name.
        panic!("{}", module.unwrap_err());
    };
    assert!(module.host_functions().contains(&"sprintf".to_owned()));
    let mut instance = Instance::new(&module).unwrap();
    let input = r#"{"text": "quote \" and \u0001 and ü"}"#;
    let results = instance.evaluate("t/p", input.into(), &EvalContext::default()).unwrap();
    let expected = "{1, \"a\"} {\"k\": [null]} set() quote \" and \u{1} and ü 7   2.2";
    assert_eq!(results.into_result(), Some(Value::from(expected)));
    let results = instance.evaluate("t/undefined_on_error", Input::Undefined, &EvalContext::default());
    assert!(results.unwrap().is_undefined());
    let strict = EvalContext { strict: true, ..EvalContext::default() };
    let error = instance.evaluate("t/undefined_on_error", Input::Undefined, &strict).unwrap_err();
    assert!(
        error.to_string().starts_with("eval_builtin_error: time.parse_rfc3339_ns: parsing time"),
        "{error}"
    );
}
