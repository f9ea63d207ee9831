//! The in-process evaluator, on the policy that the sidecar is tested with.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use guard_core::{EvalError, StateStore};
use guard_eval::{LoadError, Wasm, WasmConfig};
use rego_build::{Options, Source, build};
use support::{POLICY, ask, ask_and_charge, request, store};

const LONG: Duration = Duration::from_secs(10);

/// A policy's module.
fn module(policy: &str, entrypoint: &str) -> Vec<u8> {
    let source = Source::new("policy.rego", policy);
    build(&[source], &[entrypoint], &Options::default()).unwrap_or_else(|error| panic!("{error}")).bytes
}

fn wasm(module: &[u8], store: Arc<dyn StateStore>, instances: usize) -> Wasm {
    let config = WasmConfig { instances, ..WasmConfig::default() };
    Wasm::load(module, Some("digest".into()), None, store, config).unwrap()
}

#[test]
fn the_state_reaches_the_module() {
    let module = module(POLICY, "guardrails/evaluate");
    let (store, clock) = store("r1");
    let wasm = wasm(&module, Arc::clone(&store) as _, 2);
    let ask = |resource: &str, id: u128| ask_and_charge(&wasm, &*store, resource, id);
    assert_eq!(
        [ask("a", 1), ask("a", 2), ask("a", 3), ask("a", 4)],
        ["1 of 3", "2 of 3", "3 of 3", "three is enough"]
    );
    assert_eq!(ask("b//c", 5), "1 of 3");
    clock.advance(Duration::from_secs(61));
    store.snapshot().wait().unwrap();
    let decided = support::ask(&wasm, &request("call", "a"), LONG).unwrap();
    assert_eq!(decided.decision.reason, "1 of 3");
    assert_eq!((decided.engine, decided.module_digest.as_deref()), ("wasm", Some("digest")));
    assert_eq!(decided.data_revision, Some(store.revision()));
}

#[test]
fn what_is_no_decision_is_an_error_and_the_next_one_works() {
    let module = module(POLICY, "guardrails/evaluate");
    let (store, _) = store("r1");
    let wasm = wasm(&module, Arc::clone(&store) as _, 1);
    let error = ask(&wasm, &request("garbage", "a"), LONG).unwrap_err();
    assert_eq!(error.to_string(), "the decision must be an object, found the string `\"yes\"`");
    let error = ask(&wasm, &request("unheard of", "a"), LONG).unwrap_err();
    assert_eq!(error.to_string(), "the policy gave no decision: `data.guardrails.evaluate` is undefined");
    let error = ask(&wasm, &request("loop", "a"), Duration::from_millis(200)).unwrap_err();
    assert!(matches!(error, EvalError::DeadlinePassed(_) | EvalError::MemoryExceeded(_)), "{error}");
    assert_eq!(ask_and_charge(&wasm, &*store, "a", 1), "1 of 3");
    assert_eq!(ask_and_charge(&wasm, &*store, "a", 2), "2 of 3");
}

/// The policy answers with what is asked for, word for word.
const ECHO: &str = "package guardrails

evaluate := object.union({\"allowed\": true, \"action\": \"allow\", \"reason\": \"r\"}, decisions[input.operation])

charge(key, amount) := {\"limit\": \"l\", \"key\": key, \"window\": \"w\", \"amount\": amount, \"max\": 9}

decisions := {
	\"plain\": {},
	\"numbers\": {\"remaining\": 1.25, \"retry_after_ms\": 1500, \"charges\": [charge(\"a\", 5.0), charge(\"b\", 5e0)]},
	\"computed\": {\"remaining\": 0.1 + input.tokens, \"retry_after_ms\": input.tokens * 3},
	\"set\": {\"charges\": {charge(\"c\", 3), charge(\"a\", 1), charge(\"b\", 2)}},
	\"made set\": {\"charges\": {charge(key, count(key)) | some key in [\"ccc\", \"a\", \"bb\"]}},
	\"objects\": {\"confirm\": {\"by\": {\"b\", \"a\"}, \"n\": 1e400}, \"metadata\": {\"1\": null, \"é\": [\"\\n\"]}},
	\"words\": {\"severity\": \"high\", \"limit\": \"l\"},
	\"unknown\": {\"sorrow\": 1, \"joy\": 2},
	\"number key\": {7: true},
	\"string for boolean\": {\"allowed\": \"true\"},
	\"number for string\": {\"reason\": 1.5},
	\"array for object\": {\"metadata\": [1]},
	\"object for array\": {\"charges\": {\"a\": 1}},
	\"huge\": {\"retry_after_ms\": 1e30},
	\"part of a unit\": {\"charges\": [charge(\"a\", 0.5)]},
	\"below zero\": {\"charges\": [charge(\"a\", 1), charge(\"a\", -1)]},
	\"unknown in charge\": {\"charges\": [{\"limit\": \"l\", \"size\": 1}]},
	\"contradiction\": {\"action\": \"block\"},
}
";

#[test]
fn a_decision_is_what_its_json_text_says() {
    let bytes = module(ECHO, "guardrails/evaluate");
    let wasm = wasm(&bytes, store("r1").0, 1);
    let engine = rego_engine::Engine::new(rego_engine::Config::default()).unwrap();
    let mut instance =
        rego_engine::Instance::new(&rego_engine::Module::new(&engine, &bytes).unwrap()).unwrap();
    let names = ECHO.lines().filter_map(|line| line.strip_prefix("\t\"")?.split_once("\": {"));
    let (mut good, mut bad) = (0, 0);
    for (name, _) in names {
        let request = guard_core::Request { tokens: Some(2), ..request(name, "a") };
        let input = request.to_input();
        let value = instance.evaluate("guardrails/evaluate", input.as_str().into(), &Default::default());
        let text =
            rego_value::json::to_string(value.unwrap().result().unwrap(), rego_value::json::Escape::Plain);
        let expected = guard_core::Decision::from_json(text.as_bytes());
        *(if expected.is_ok() { &mut good } else { &mut bad }) += 1;
        let found = ask(&wasm, &request, LONG).map(|evaluated| evaluated.decision);
        assert_eq!(found, expected.map(Box::new).map_err(EvalError::from), "{name}: {text}");
    }
    assert_eq!((good, bad), (7, 11));
}

#[test]
fn all_instances_see_every_charge() {
    let module = module(POLICY, "guardrails/evaluate");
    let (store, _) = store("r1");
    let wasm = wasm(&module, Arc::clone(&store) as _, 4);
    std::thread::scope(|scope| {
        for thread in 0..8_u128 {
            let (wasm, store) = (&wasm, &store);
            scope.spawn(move || {
                for turn in 1..=3_u128 {
                    let reason = ask_and_charge(wasm, &**store, &format!("r{thread}"), thread * 10 + turn);
                    assert_eq!(reason, format!("{turn} of 3"));
                }
            });
        }
    });
}

#[test]
fn a_busy_pool_says_so_in_time() {
    let module = module(POLICY, "guardrails/evaluate");
    let wasm = wasm(&module, store("r1").0, 1);
    std::thread::scope(|scope| {
        scope.spawn(|| ask(&wasm, &request("loop", "a"), Duration::from_millis(3_000)));
        // How soon the other thread has the only instance is the machine's business.
        let tries = std::iter::repeat_with(|| {
            std::thread::sleep(Duration::from_millis(5));
            ask(&wasm, &request("call", "a"), Duration::from_millis(100))
        });
        let error = tries.take(400).find_map(Result::err).expect("the loop holds the only instance");
        assert_eq!(error.to_string(), "all 1 instances were busy until the deadline");
    });
    ask(&wasm, &request("call", "a"), LONG).unwrap();
}

#[test]
fn modules_that_make_no_decisions_are_refused() {
    let (store, _) = store("r1");
    let error =
        Wasm::load(b"no module", None, None, Arc::clone(&store) as _, WasmConfig::default()).err().unwrap();
    assert!(matches!(error, LoadError::Module(_)), "{error}");
    let module = module("package other\n\np := 1", "other/p");
    let error = Wasm::load(&module, None, None, store, WasmConfig::default()).err().unwrap();
    assert_eq!(error.to_string(), "the module has no entrypoint `guardrails/evaluate`; it has other/p");
}

/// Answers with the window that is kept, and keeps one of ten seconds.
const CALENDAR: &str = "package guardrails

evaluate := {\"allowed\": true, \"action\": \"allow\", \"reason\": reason}

reason := sprintf(\"%v\", [data.hexarch.calendar.UTC.day.until_ms]) if {
	data.hexarch.calendar.UTC.day.until_ms
} else := \"none\"

calendar.UTC.day := {\"until_ms\": until} if {
	input.operation != \"no answer\"
	until := ((floor(input.time_ns / 1000000) - (floor(input.time_ns / 1000000) % 10000)) + 10000)
}
";

#[test]
fn windows_are_kept_until_they_end() {
    let source = Source::new("policy.rego", CALENDAR);
    let entrypoints = ["guardrails/evaluate", "guardrails/calendar"];
    let module =
        build(&[source], &entrypoints, &Options::default()).unwrap_or_else(|error| panic!("{error}"));
    let (store, _) = store("r1");
    let wasm = wasm(&module.bytes, store as _, 1);
    let told = |operation: &str, millis: i64| {
        let mut request = request(operation, "a");
        request.time = guard_core::Timestamp::from_nanos(millis * 1_000_000);
        ask(&wasm, &request, LONG).unwrap().decision.reason
    };
    // Where it cannot be told, a minute passes before it is asked for again.
    assert_eq!(
        [told("no answer", 5_000), told("call", 6_000), told("call", 64_999)],
        ["none", "none", "none"]
    );
    assert_eq!([told("call", 65_001), told("call", 69_999)], ["70000", "70000"]);
    assert_eq!([told("call", 70_000), told("call", 75_000)], ["80000", "80000"]);
    // A clock that was set back: what is kept is not for that moment.
    assert_eq!(
        [told("call", 12_000), told("call", 19_000), told("call", 12_001)],
        ["20000", "20000", "20000"]
    );
}
