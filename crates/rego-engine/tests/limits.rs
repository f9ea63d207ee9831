//! Bad policies and bad input: each ends in a named error within its bounds, and the next call works.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::time::{Duration, Instant};

use common::opa_module;
use rego_engine::{Config, Engine, EvalContext, EvalError, Input, Instance, Module, ModuleError};
use rego_value::{Value, json};

const POLICY: &str = r#"package t

import rego.v1

echo := input

loop := count([1 | some a in numbers.range(1, 2000); some b in numbers.range(1, 2000); some c in numbers.range(1, 2000); a + b == c])

bomb := {[a, b] | some a in numbers.range(1, 3000); some b in numbers.range(1, 3000)}

conflict := 1 if input.x

conflict := 2 if input.x
"#;

fn instance(config: Config) -> Instance {
    let entrypoints = ["t/echo", "t/loop", "t/bomb", "t/conflict"];
    let engine = Engine::new(config).unwrap();
    let module = Module::new(&engine, &opa_module(POLICY, &entrypoints)).unwrap();
    Instance::new(&module).unwrap()
}

fn evaluate(instance: &mut Instance, entrypoint: &str, input: Input<'_>) -> Result<Option<Value>, EvalError> {
    let context = EvalContext { deadline: Some(Duration::from_secs(10)), ..EvalContext::default() };
    instance.evaluate(entrypoint, input, &context).map(|results| results.into_result())
}

fn works(instance: &mut Instance) {
    let value = json::parse(br#"{"a": [1, 2.5, "x"]}"#).unwrap();
    assert_eq!(evaluate(instance, "t/echo", Input::Value(&value)).unwrap(), Some(value));
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_an_endless_policy_stops_at_its_deadline() {
    let mut instance = instance(Config::default());
    for _ in 0..3 {
        let deadline = Duration::from_millis(50);
        let context = EvalContext { deadline: Some(deadline), ..EvalContext::default() };
        let start = Instant::now();
        let error = instance.evaluate("t/loop", Input::Undefined, &context).unwrap_err();
        assert_eq!(error, EvalError::Deadline { deadline });
        assert!(start.elapsed() >= deadline);
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
        works(&mut instance);
    }
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_a_memory_bomb_stops_at_the_limit() {
    let limit = 8 << 20;
    let mut instance = instance(Config { memory_limit: limit, ..Config::default() });
    for _ in 0..2 {
        let error = evaluate(&mut instance, "t/bomb", Input::Undefined).unwrap_err();
        assert_eq!(error, EvalError::MemoryLimit { limit });
        works(&mut instance);
    }
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_text_that_is_not_json_is_refused() {
    let mut instance = instance(Config::default());
    for text in ["", "{", "nonsense", "{\"a\":}", "\u{0}"] {
        let error = evaluate(&mut instance, "t/echo", text.into()).unwrap_err();
        assert_eq!(error, EvalError::InvalidInput, "{text}");
        works(&mut instance);
    }
    let error = evaluate(&mut instance, "t/echo", Input::Json(b"\"\xff\"")).unwrap_err();
    assert_eq!(error, EvalError::InvalidInput);
    for text in ["[]", "1", "{\"a\"", "\u{0}"] {
        assert_eq!(instance.set_data_json(text.as_bytes()).unwrap_err(), EvalError::InvalidData, "{text}");
    }
    works(&mut instance);
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_huge_texts_are_refused_before_they_are_copied() {
    let mut instance = instance(Config::default());
    let text = format!("\"{}\"", "x".repeat(100 << 20));
    let expected = EvalError::TooLarge { size: text.len(), limit: 64 << 20 };
    assert_eq!(evaluate(&mut instance, "t/echo", text.as_str().into()).unwrap_err(), expected);
    assert_eq!(instance.set_data_json(text.as_bytes()).unwrap_err(), expected);
    works(&mut instance);
    // Small enough to copy, too large to parse.
    let text = format!("\"{}\"", "x".repeat(60 << 20));
    let error = evaluate(&mut instance, "t/echo", text.as_str().into()).unwrap_err();
    assert_eq!(error, EvalError::MemoryLimit { limit: 64 << 20 });
    works(&mut instance);
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_data_that_do_not_fit_leave_the_old_ones() {
    let mut instance = instance(Config { memory_limit: 4 << 20, ..Config::default() });
    instance.set_data_json(br#"{"a": 1}"#).unwrap();
    let big = Value::from("x".repeat(3 << 20));
    for _ in 0..2 {
        let error = instance.set_data_at(&["b"], big.clone()).unwrap_err();
        assert_eq!(error, EvalError::MemoryLimit { limit: 4 << 20 });
        assert_eq!(instance.data(), json::parse(br#"{"a": 1}"#).unwrap());
        works(&mut instance);
    }
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_a_conflict_has_its_code_and_place() {
    let mut instance = instance(Config::default());
    for _ in 0..3 {
        let error = evaluate(&mut instance, "t/conflict", r#"{"x": true}"#.into()).unwrap_err();
        let EvalError::Policy(error) = error else { panic!("{error}") };
        assert!(error.message.contains("conflict") || error.message.contains("multiple"), "{error}");
        works(&mut instance);
    }
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_unknown_entrypoints_are_named() {
    let mut instance = instance(Config::default());
    let error = evaluate(&mut instance, "t/nothing", Input::Undefined).unwrap_err();
    assert_eq!(error.to_string(), "unknown entrypoint `t/nothing`");
    works(&mut instance);
}

#[test]
fn what_is_no_module_is_refused() {
    let engine = Engine::new(Config::default()).unwrap();
    let load = |text: &str| Module::new(&engine, text.as_bytes()).unwrap_err();
    assert!(matches!(load(""), ModuleError::Invalid { .. }));
    assert!(matches!(load("not wasm"), ModuleError::Invalid { .. }));
    // An empty module, then one that imports something unknown.
    assert!(matches!(load("\0asm\u{1}\0\0\0"), ModuleError::MissingExport { name: "memory" }));
    let import = "\0asm\u{1}\0\0\0\u{1}\u{4}\u{1}\u{60}\0\0\u{2}\u{7}\u{1}\u{1}a\u{1}b\0\0";
    assert_eq!(load(import).to_string(), "module imports `a.b`, which no host provides");
}
