//! Constant regular expressions are compiled with the module or when it is loaded, and never in a decision.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use rego_build::{Options, PlanOptions, Source, Target};
use rego_engine::{Config, Engine, EvalContext, EvalError, Input, Instance, Module};

const POLICY: &str = r"package p

key if regex.match(`sk-[a-z0-9]{4,}\b`, input.text)

name if regex.match(`^(?i)żó+ł.\z`, input.text)

any if regex.match(input.pattern, input.text)
";

fn build(target: Target, entrypoints: &[&str]) -> Vec<u8> {
    let wasm = PlanOptions { target, name_runtime: true };
    let options = Options { wasm, ..Options::default() };
    rego_build::build(&[Source::new("p.rego", POLICY)], entrypoints, &options).unwrap().bytes
}

fn holds(instance: &mut Instance, entrypoint: &str, input: &str) -> bool {
    let answers = instance.evaluate(entrypoint, Input::Json(input.as_bytes()), &EvalContext::default());
    answers.unwrap().into_result().is_some()
}

#[test]
fn the_engine_compiles_them_when_it_loads_a_module() {
    let engine = Engine::new(Config::default()).unwrap();
    let module = Module::new(&engine, &build(Target::Engine, &["p/key", "p/name"])).unwrap();
    // Whatever compiles expressions in a decision is a function of the host under this name.
    assert_eq!(module.host_functions(), [] as [&str; 0]);
    let mut instances = [Instance::new(&module).unwrap(), Instance::new(&module).unwrap()];
    for instance in &mut instances {
        for (entrypoint, text, expected) in [
            ("p/key", "my sk-abc1 key", true),
            ("p/key", "my sk-abc", false),
            ("p/key", "sk-żółw", false),
            ("p/name", "ŻÓóŁw", true),
            ("p/name", "żółw\\n", false),
        ] {
            let input = format!(r#"{{"text":"{text}"}}"#);
            assert_eq!(holds(instance, entrypoint, &input), expected, "{entrypoint} {text}");
        }
        assert!(!holds(instance, "p/key", r#"{"text":7}"#));
        assert!(!holds(instance, "p/key", r#"{"text":["sk-abc1"]}"#));
        assert!(!holds(instance, "p/key", "{}"));
    }
}

#[test]
fn what_is_no_string_is_the_error_that_the_function_gives() {
    let engine = Engine::new(Config::default()).unwrap();
    let strict = EvalContext { strict: true, ..EvalContext::default() };
    let mut messages = Vec::new();
    for target in [Target::Engine, Target::Portable] {
        for entrypoint in ["p/key", "p/name"] {
            let module = Module::new(&engine, &build(target, &[entrypoint])).unwrap();
            let mut instance = Instance::new(&module).unwrap();
            match instance.evaluate(entrypoint, Input::Json(br#"{"text":{}}"#), &strict) {
                Err(EvalError::Policy(error)) => {
                    messages.push(format!("{} {} {:?}", error.code, error.message, error.location))
                }
                other => panic!("{entrypoint}: {other:?}"),
            }
        }
    }
    assert_eq!(messages[..2], messages[2..]);
    assert!(messages[0].contains("eval_type_error regex.match: operand 2 must be string"), "{messages:?}");
}

#[test]
fn modules_for_other_hosts_have_no_parser_of_expressions_for_them() {
    let parses = |entrypoint: &str| {
        let name = b"rego_regex5parse";
        build(Target::Portable, &[entrypoint]).windows(name.len()).any(|bytes| bytes == name)
    };
    assert!(!parses("p/key"));
    assert!(!parses("p/name"));
    assert!(parses("p/any"));
}

#[test]
fn an_expression_that_is_not_known_before_is_a_function_of_the_host() {
    let engine = Engine::new(Config::default()).unwrap();
    let module = Module::new(&engine, &build(Target::Engine, &["p/any"])).unwrap();
    assert_eq!(module.host_functions(), ["regex.match"]);
    let mut instance = Instance::new(&module).unwrap();
    assert!(holds(&mut instance, "p/any", r#"{"text":"abc","pattern":"^a.c$"}"#));
}
