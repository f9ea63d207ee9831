//! Policies and inputs that ask for too much: each ends within the deadline and the cap, with an error that says which,
//! and the next decision works.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::time::{Duration, Instant};

use rego_build::{Options, Source, build};
use rego_engine::{Config, Engine, EvalContext, EvalError, Input, Instance, Module};
use rego_value::Value;

/// How an evaluation ends: each rule of the policy says so in the comment before it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    /// It has a value after all.
    Value,
    /// It is undefined: the function refuses its arguments.
    Undefined,
    /// By the deadline or by the cap on memory, whichever is reached first.
    Bounded,
    /// By what a function of the host may produce.
    Halted,
}

const POLICY: &str = include_str!("bounds.rego");

/// The policy's rules, each with its end.
fn rules() -> Vec<(&'static str, End)> {
    let mut rules = Vec::new();
    for pair in POLICY.lines().collect::<Vec<_>>().windows(2) {
        let end = match pair[0] {
            "# value" => End::Value,
            "# undefined" => End::Undefined,
            "# bounded" => End::Bounded,
            "# halted" => End::Halted,
            _ => continue,
        };
        rules.push((pair[1].split_once(" := ").unwrap().0, end));
    }
    rules
}

#[test]
fn what_asks_for_too_much_ends_and_the_next_decision_works() {
    // Some compilers of text, and some values, recurse.
    let thread = std::thread::Builder::new().stack_size(8 << 20).spawn(every_rule_ends).unwrap();
    thread.join().unwrap();
}

fn every_rule_ends() {
    let rules = rules();
    assert!(rules.len() > 40, "{rules:?}");
    let entrypoints: Vec<String> = rules.iter().map(|(name, _)| format!("t/{name}")).collect();
    let entrypoints: Vec<&str> = entrypoints.iter().map(String::as_str).chain(["t/works"]).collect();
    let built = build(&[Source::new("t.rego", POLICY)], &entrypoints, &Options::default());
    let built = built.unwrap_or_else(|error| panic!("{error}"));
    let engine = Engine::new(Config { optimise: false, ..Config::default() }).unwrap();
    let mut instance = Instance::new(&Module::new(&engine, &built.bytes).unwrap()).unwrap();
    let (text, depth) = ("a".repeat(50_000), 9_990);
    let deep = "[".repeat(depth) + &"]".repeat(depth);
    let input = format!("{{\"text\": \"{text}\", \"deep\": {deep}}}");
    let input = || Input::Json(input.as_bytes());
    let context = EvalContext { deadline: Some(Duration::from_millis(400)), ..EvalContext::default() };
    for (name, expected) in rules {
        let begun = Instant::now();
        let answer = instance.evaluate(&format!("t/{name}"), input(), &context);
        let time = begun.elapsed();
        let end = match &answer {
            Ok(results) if results.result().is_some() => End::Value,
            Ok(_) => End::Undefined,
            Err(EvalError::Deadline { .. } | EvalError::MemoryLimit { .. }) => End::Bounded,
            Err(EvalError::Policy(_)) => End::Halted,
            Err(error) => panic!("{name}: {error}"),
        };
        let shown: String = format!("{answer:?}").chars().take(200).collect();
        println!("{name}: {time:?}: {shown}");
        // What takes long on a busy machine may meet the deadline.
        assert!(end == expected || end == End::Bounded, "{name}: {shown}");
        assert!(time < Duration::from_secs(10), "{name}: {time:?}");
        let next = instance.evaluate("t/works", input(), &EvalContext::default()).unwrap();
        assert_eq!(next.result(), Some(&Value::from(50_000)), "after {name}");
    }
}
