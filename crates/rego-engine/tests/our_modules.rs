//! Modules of our own compiler: the direct way in and out, data in place, strict errors, limits.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::path::PathBuf;
use std::time::Duration;

use rego_build::{Options, Source, build};
use rego_engine::{Config, Engine, EvalContext, EvalError, Input, Instance, Module};
use rego_value::{Value, json};

fn module_with(config: Config, policy: &str, entrypoints: &[&str]) -> Module {
    let source = Source::new("policy.rego", policy);
    let built = build(&[source], entrypoints, &Options::default()).unwrap_or_else(|error| panic!("{error}"));
    Module::new(&Engine::new(config).unwrap(), &built.bytes).unwrap()
}

fn instance(policy: &str, entrypoints: &[&str]) -> Instance {
    Instance::new(&module_with(Config::default(), policy, entrypoints)).unwrap()
}

fn value(json: &str) -> Value {
    json::parse(json.as_bytes()).unwrap()
}

#[test]
#[ignore = "needs the conformance corpus"]
fn needs_corpus_benchmark_policies_decide_as_expected() {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/bench/policies");
    let policies = PathBuf::from(std::env::var_os("BENCH_POLICIES").unwrap_or_else(|| default.into()));
    assert!(policies.is_dir(), "the benchmark policies are missing: {}", policies.display());
    let read =
        |path: PathBuf| std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut cases = 0;
    for policy in ["p1", "p2", "p3"] {
        let folder = policies.join(policy);
        let description = json::parse(&read(folder.join("cases.json"))).unwrap();
        let entrypoint = description.get_str("entrypoint").unwrap().as_str().unwrap();
        let entrypoint = entrypoint.trim_start_matches("data.").replace('.', "/");
        let source = String::from_utf8(read(folder.join("policy.rego"))).unwrap();
        let mut instance = instance(&source, &[&entrypoint]);
        let id = instance.module().entrypoint(&entrypoint).unwrap();
        instance.set_data_json(&read(folder.join("data.json"))).unwrap();
        for case in description.get_str("cases").unwrap().as_array().unwrap().iter() {
            let file = |key: &str| read(folder.join(case.get_str(key).unwrap().as_str().unwrap()));
            let (input, expected) = (file("input"), json::parse(&file("expected")).unwrap());
            for input in [Input::Json(&input), Input::Value(&json::parse(&input).unwrap())] {
                let context = EvalContext::default();
                let results = instance.evaluate_id(id, input, &context).unwrap();
                assert_eq!(results.result(), Some(&expected), "{policy} {case:?}");
                assert_eq!(instance.evaluate_value(id, input, &context).unwrap().as_ref(), Some(&expected));
            }
            cases += 1;
        }
    }
    assert_eq!(cases, 11);
}

#[test]
fn data_change_in_place_and_garbage_is_bounded() {
    let policy = "package t\n\np := [data.a.count, data.b]\n";
    let config = Config { garbage_limit: 4096, memory_limit: 2 << 20, ..Config::default() };
    let mut instance = Instance::new(&module_with(config, policy, &["t/p"])).unwrap();
    let evaluate = |instance: &mut Instance| {
        instance.evaluate("t/p", Input::Undefined, &EvalContext::default()).unwrap().into_result()
    };
    assert_eq!(evaluate(&mut instance), None);
    instance.set_data_json(br#"{"b": ["x", {"y": 1}]}"#).unwrap();
    // Together these would not fit into the memory.
    for count in 0..20_000i64 {
        let new =
            Value::array([Value::from(count), Value::from("a text that takes some room, and some more")]);
        instance.set_data_at(&["a", "count"], new.clone()).unwrap();
        if count % 500 == 0 {
            assert_eq!(evaluate(&mut instance), Some(Value::array([new, value(r#"["x", {"y": 1}]"#)])));
        }
    }
    instance.remove_data_at(&["a", "count"]).unwrap();
    assert_eq!(evaluate(&mut instance), None);
}

#[test]
fn a_failed_function_is_undefined_or_in_strict_mode_an_error_with_its_place() {
    let policy = "package t\n\np := time.parse_rfc3339_ns(input.when)\n\nq := p / input.by\n";
    let mut instance = instance(policy, &["t/p", "t/q"]);
    let strict = EvalContext { strict: true, ..EvalContext::default() };
    let mut evaluate = |entrypoint: &str, input: &str, context: &EvalContext| {
        instance.evaluate(entrypoint, input.into(), context).map(|results| results.into_result())
    };
    let wrong = r#"{"when": "noon"}"#;
    assert_eq!(evaluate("t/p", wrong, &EvalContext::default()).unwrap(), None);
    let error = evaluate("t/p", wrong, &strict).unwrap_err().to_string();
    let expected = "policy.rego:3:6: eval_builtin_error: time.parse_rfc3339_ns: parsing time \"noon\" as";
    assert!(error.starts_with(expected), "{error}");
    let right = r#"{"when": "1970-01-01T00:00:01Z", "by": 0}"#;
    assert_eq!(evaluate("t/p", right, &strict).unwrap(), Some(Value::from(1_000_000_000)));
    let error = evaluate("t/q", right, &strict).unwrap_err().to_string();
    assert_eq!(error, "policy.rego:5:6: eval_builtin_error: div: divide by zero");
    assert_eq!(evaluate("t/q", right, &EvalContext::default()).unwrap(), None);
}

#[test]
fn time_and_chance_are_what_the_context_says() {
    let policy = "package t\n\np := [time.now_ns(), rand.intn(\"x\", 1000), rand.intn(\"x\", 1000), uuid.rfc4122(\"y\")]\n";
    let mut instance = instance(policy, &["t/p"]);
    let mut evaluate = |now_ns, seed| {
        let context = EvalContext { now_ns, seed, ..EvalContext::default() };
        instance.evaluate("t/p", Input::Undefined, &context).unwrap().into_result().unwrap()
    };
    let first = evaluate(7, 1);
    let parts = first.as_array().unwrap();
    assert_eq!(parts[0], Value::from(7));
    assert_eq!(parts[1], parts[2]);
    assert_eq!(evaluate(7, 1), first);
    assert_ne!(evaluate(7, 2), first);
}

#[test]
fn limits_hold_and_the_next_decision_works() {
    let policy = r#"package t

echo := input

range := numbers.range(1, 2000)

loop := count([1 |
	some a in range
	some b in range
	some c in range
	a + b == c + 4000
])

bomb := {[a, b] |
	some a in numbers.range(1, 3000)
	some b in numbers.range(1, 3000)
}

conflict := 1 if input.x

conflict := 2 if input.x
"#;
    let config = Config { memory_limit: 8 << 20, ..Config::default() };
    let module = module_with(config, policy, &["t/echo", "t/loop", "t/bomb", "t/conflict"]);
    let mut instance = Instance::new(&module).unwrap();
    let mut evaluate = |entrypoint: &str, input: &str, deadline: u64| {
        let context =
            EvalContext { deadline: Some(Duration::from_millis(deadline)), ..EvalContext::default() };
        let outcome =
            instance.evaluate(entrypoint, input.into(), &context).map(|results| results.into_result());
        let echo = instance.evaluate("t/echo", r#"{"a": [1, 2.5]}"#.into(), &EvalContext::default());
        assert_eq!(echo.unwrap().into_result(), Some(value(r#"{"a": [1, 2.5]}"#)));
        outcome
    };
    let deadline = Duration::from_millis(50);
    assert_eq!(evaluate("t/loop", "{}", 50), Err(EvalError::Deadline { deadline }));
    assert_eq!(evaluate("t/bomb", "{}", 10_000), Err(EvalError::MemoryLimit { limit: 8 << 20 }));
    assert_eq!(evaluate("t/echo", "{\"a\"", 1000), Err(EvalError::InvalidInput));
    assert_eq!(evaluate("t/echo", "", 1000), Err(EvalError::InvalidInput));
    let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(evaluate("t/echo", &nested, 1000), Err(EvalError::InvalidInput));
    let huge = format!("\"{}\"", "x".repeat(9 << 20));
    let expected = EvalError::TooLarge { size: huge.len(), limit: 8 << 20 };
    assert_eq!(evaluate("t/echo", &huge, 1000), Err(expected));
    let Err(EvalError::Policy(error)) = evaluate("t/conflict", r#"{"x": true}"#, 1000) else { panic!() };
    assert_eq!(error.code, "eval_conflict_error");
    assert!(error.location.is_some(), "{error}");
}

/// Values whose handles are as far from any address as they get, beside those that look alike.
const UNLIKE: [&str; 24] = [
    "null",
    "true",
    "false",
    "0",
    "-1",
    "1",
    "100000",
    "-100000",
    "1073741823",
    "-1073741824",
    "1073741824",
    "-1073741825",
    "9007199254740993",
    "123456789012345678901234567890",
    "1.5",
    "1e3",
    r#""""#,
    r#""foo""#,
    r#""fop""#,
    r#""-1""#,
    "[]",
    r#"["foo"]"#,
    "{}",
    r#"{"foo": -1}"#,
];

#[test]
fn every_kind_of_value_is_compared_with_every_kind_of_constant() {
    let of_member: Vec<String> = UNLIKE.iter().map(|constant| format!("input.v == {constant}")).collect();
    let of_element: Vec<String> =
        UNLIKE.iter().map(|constant| format!("count([1 | input.vs[_] == {constant}]) == 1")).collect();
    let of_key: Vec<String> = UNLIKE
        .iter()
        .map(|constant| format!("count([1 | {{input.v: 1}}[_k]; _k == {constant}]) == 1"))
        .collect();
    let policy = format!(
        "package t\n\np := [[{}], [{}], [{}]]\n",
        of_member.join(", "),
        of_element.join(", "),
        of_key.join(", ")
    );
    let mut instance = instance(&policy, &["t/p"]);
    for text in UNLIKE {
        let input = format!(r#"{{"v": {text}, "vs": [{text}]}}"#);
        let equal: Vec<Value> = UNLIKE.iter().map(|other| Value::Bool(value(other) == value(text))).collect();
        let expected =
            Value::array([Value::array(equal.clone()), Value::array(equal.clone()), Value::array(equal)]);
        let whole = value(&input);
        for input in [Input::Json(input.as_bytes()), Input::Value(&whole)] {
            let results = instance.evaluate("t/p", input, &EvalContext::default()).unwrap();
            assert_eq!(results.result(), Some(&expected), "{text}");
        }
    }
}
