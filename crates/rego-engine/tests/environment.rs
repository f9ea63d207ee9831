//! Functions of the embedding program, those that nobody has, the network, and what is fixed within an evaluation.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rego_build::{Options, Source, build};
use rego_builtins::BuiltinError;
use rego_builtins::network::{Hosts, Network};
use rego_engine::{Config, Engine, Environment, EvalContext, EvalError, Input, Instance, Module};
use rego_net::Client;
use rego_value::{Value, json};

/// A module of package `t` with an entrypoint for each of the names; `acme.f` is declared as a capabilities file does.
fn module(policy: &str, entrypoints: &[&str], environment: &Environment) -> Module {
    let capabilities = serde_json::json!({"builtins": [{"name": "acme.f", "decl": {
        "type": "function", "args": [{"type": "any"}], "result": {"type": "any"},
    }}]});
    let mut options = Options::default();
    options.check.host_builtins = rego_compiler::declared_builtins(&capabilities).unwrap();
    let entrypoints: Vec<String> = entrypoints.iter().map(|name| format!("t/{name}")).collect();
    let entrypoints: Vec<&str> = entrypoints.iter().map(String::as_str).collect();
    let built = build(&[Source::new("policy.rego", policy)], &entrypoints, &options);
    let built = built.unwrap_or_else(|error| panic!("{error}"));
    Module::with_environment(&Engine::new(Config::default()).unwrap(), &built.bytes, environment).unwrap()
}

fn evaluate(module: &Module, entrypoint: &str, context: &EvalContext) -> Result<Option<Value>, EvalError> {
    let results = Instance::new(module)?.evaluate(&format!("t/{entrypoint}"), Input::Undefined, context)?;
    Ok(results.into_result())
}

const CALLS: &str = "package t

called := acme.f(1)

mocked := x if x := acme.f(1) with acme.f as 7

replaced := x if x := acme.f(1) with acme.f as stand_in

stand_in(x) := x + 1

untouched := 3

untouched := acme.f(1) if data.never
";

#[test]
fn a_declared_function_that_nobody_has_is_an_error_of_the_evaluation_that_calls_it() {
    let names = ["called", "mocked", "replaced", "untouched"];
    let module = module(CALLS, &names, &Environment::new());
    assert_eq!(module.require_functions().unwrap_err().to_string().split(": ").last(), Some("acme.f"));
    let relaxed = EvalContext::default();
    let EvalError::Policy(error) = evaluate(&module, "called", &relaxed).unwrap_err() else { panic!() };
    assert_eq!(error.code, "eval_internal_error");
    assert!(error.message.starts_with("unsupported built-in: acme.f: "), "{}", error.message);
    assert_eq!(evaluate(&module, "mocked", &relaxed).unwrap(), Some(Value::from(7)));
    assert_eq!(evaluate(&module, "replaced", &relaxed).unwrap(), Some(Value::from(2)));
    assert_eq!(evaluate(&module, "untouched", &relaxed).unwrap(), Some(Value::from(3)));
}

#[test]
fn a_function_of_the_program_is_called_and_its_failures_are_those_of_a_builtin() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let environment = Environment::new().with_function("acme.f", move |_, arguments| {
        counted.fetch_add(1, Ordering::Relaxed);
        match arguments[0].as_i64() {
            Some(1) => Ok(Some(Value::from("one"))),
            Some(2) => Ok(None),
            Some(3) => Err(BuiltinError { halt: true, ..BuiltinError::new("stop") }),
            _ => Err(BuiltinError::new("no such number")),
        }
    });
    let policy = "package t

p := acme.f(1)

undefined := acme.f(2)

halts := acme.f(3)

fails := acme.f(4)
";
    let module = module(policy, &["p", "undefined", "halts", "fails"], &environment);
    module.require_functions().unwrap();
    let (relaxed, strict) = (EvalContext::default(), EvalContext { strict: true, ..EvalContext::default() });
    assert_eq!(evaluate(&module, "p", &relaxed).unwrap(), Some(Value::from("one")));
    assert_eq!(evaluate(&module, "undefined", &strict).unwrap(), None);
    assert_eq!(evaluate(&module, "fails", &relaxed).unwrap(), None);
    let error = evaluate(&module, "fails", &strict).unwrap_err().to_string();
    assert_eq!(error, "policy.rego:9:10: eval_builtin_error: acme.f: no such number");
    let error = evaluate(&module, "halts", &relaxed).unwrap_err().to_string();
    assert_eq!(error, "eval_builtin_error: acme.f: stop");
    assert_eq!(calls.load(Ordering::Relaxed), 5);
}

#[test]
fn a_function_of_the_program_may_stand_for_one_that_modules_leave_to_their_host() {
    let replay = Environment::new().with_function("http.send", |_, _| Ok(Some(Value::from("recorded"))));
    let module =
        module("package t\n\np := http.send({\"method\": \"get\", \"url\": \"x:\"})\n", &["p"], &replay);
    assert_eq!(evaluate(&module, "p", &EvalContext::default()).unwrap(), Some(Value::from("recorded")));
}

#[test]
fn the_network_is_closed_unless_the_program_opens_it() {
    let policy = "package t

p := http.send({\"method\": \"get\", \"url\": \"http://127.0.0.1:1/\", \"raise_error\": false})

q := net.lookup_ip_addr(\"10.1.2.3\")
";
    let closed = module(policy, &["p", "q"], &Environment::new());
    let (relaxed, strict) = (EvalContext::default(), EvalContext { strict: true, ..EvalContext::default() });
    for (entrypoint, name) in [("p", "http.send"), ("q", "net.lookup_ip_addr")] {
        assert_eq!(evaluate(&closed, entrypoint, &relaxed).unwrap(), None);
        let error = evaluate(&closed, entrypoint, &strict).unwrap_err().to_string();
        assert!(
            error.contains(&format!("{name}: the host does not let policies use the network")),
            "{error}"
        );
    }
    let network = Network::new(Client::new(), Hosts::only(["127.0.0.1", "10.1.2.3"]));
    let open = module(policy, &["p", "q"], &Environment::new().with_network(network));
    let answer = evaluate(&open, "p", &strict).unwrap().unwrap();
    assert_eq!(answer.get_str("status_code"), Some(&Value::from(0)));
    let addresses = evaluate(&open, "q", &strict).unwrap().unwrap();
    assert_eq!(json::to_string(&addresses, json::Escape::Plain), "[\"10.1.2.3\"]");
}

#[test]
fn a_server_that_says_nothing_ends_with_the_deadline_of_the_evaluation() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let policy = format!(
        "package t\n\np := http.send({{\"method\": \"get\", \"url\": {url:?}, \"raise_error\": false}})\n"
    );
    let network = Network::new(Client::new(), Hosts::any());
    let module = module(&policy, &["p"], &Environment::new().with_network(network));
    let deadline = Duration::from_millis(80);
    let context = EvalContext { deadline: Some(deadline), ..EvalContext::default() };
    let begun = std::time::Instant::now();
    assert_eq!(evaluate(&module, "p", &context).unwrap_err(), EvalError::Deadline { deadline });
    assert!(begun.elapsed() < Duration::from_secs(2));
}

#[test]
fn what_varies_between_evaluations_is_fixed_within_one_and_given_by_the_context() {
    let policy = "package t

p := {
	\"now\": [time.now_ns(), later],
	\"random\": [rand.intn(\"a\", 1000000), again, rand.intn(\"b\", 1000000)],
	\"id\": [uuid.rfc4122(\"a\"), other, uuid.rfc4122(\"b\")],
	\"runtime\": [opa.runtime(), opa.runtime().env.HOME],
}

later := time.now_ns()

again := rand.intn(\"a\", 1000000)

other := uuid.rfc4122(\"a\")
";
    let module = module(policy, &["p"], &Environment::new());
    let runtime = json::parse(br#"{"env": {"HOME": "/h"}}"#).unwrap();
    let context =
        EvalContext { now_ns: 42, seed: 9, runtime: Some(runtime.clone()), ..EvalContext::default() };
    let first = evaluate(&module, "p", &context).unwrap().unwrap();
    let part = |name: &str| first.get_str(name).unwrap().as_array().unwrap().to_vec();
    assert_eq!(part("now"), [Value::from(42), Value::from(42)]);
    assert_eq!(part("runtime"), [runtime, Value::from("/h")]);
    for name in ["random", "id"] {
        let values = part(name);
        assert!(values[0] == values[1] && values[0] != values[2], "{values:?}");
    }
    // The same module, time, seed and runtime in another instance: the same answer. Another seed: another.
    assert_eq!(evaluate(&module, "p", &context).unwrap().unwrap(), first);
    let other = EvalContext { seed: 10, ..context.clone() };
    assert_ne!(evaluate(&module, "p", &other).unwrap().unwrap(), first);
    // Without a runtime there is an empty one.
    let none = EvalContext { runtime: None, ..context };
    assert_eq!(evaluate(&module, "p", &none).unwrap(), None);
}

#[test]
fn an_evaluation_leaves_nothing_of_its_runtime_to_the_next() {
    let module = module("package t\n\np := opa.runtime()\n", &["p"], &Environment::new());
    let mut instance = Instance::new(&module).unwrap();
    let mut runtime = |runtime| {
        let context = EvalContext { runtime, ..EvalContext::default() };
        instance.evaluate("t/p", Input::Undefined, &context).unwrap().into_result().unwrap()
    };
    let secret = json::parse(br#"{"config": {"secret": 1}}"#).unwrap();
    assert_eq!(runtime(Some(secret.clone())), secret);
    assert_eq!(runtime(None), json::parse(b"{}").unwrap());
}

/// Compiled code has nothing to unwind by: what a function of the host panics with goes around it.
#[test]
fn a_function_that_panics_does_so_for_whoever_evaluates_and_the_next_one_works() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let environment = Environment::new().with_function("acme.f", move |_, _| {
        assert!(counted.fetch_add(1, Ordering::Relaxed) > 0, "not yet");
        Ok(Some(Value::from(1)))
    });
    let module = module("package t\n\np := [acme.f(x) | some x in [1, 2]]\n", &["p"], &environment);
    let panics = std::panic::AssertUnwindSafe(|| evaluate(&module, "p", &EvalContext::default()));
    let panic = std::panic::catch_unwind(panics).unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"not yet"));
    let answer = evaluate(&module, "p", &EvalContext::default()).unwrap().unwrap();
    assert_eq!(answer.to_string(), "[1, 1]");
}
