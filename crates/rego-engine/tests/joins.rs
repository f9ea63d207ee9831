//! Members of the data that strings of the data name are found again by what was found before: never after a change.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use rego_build::{Options, PlanOptions, Source, Target};
use rego_engine::{Config, Engine, EvalContext, Input, Instance, Module, Pool, PoolConfig};
use rego_value::{Value, json};
use test_support::Random;

/// What is found is an object, an array, a number, a string; and where it is looked for is an object, a set or neither.
const POLICY: &str = r#"package t

found[group][name] := data.roles[name][group] if {
	some group in ["grants", "level", "of"]
	some name in data.members[input.user]
}

listed contains grant if {
	some name in data.members[input.user]
	some grant in data.roles[name].grants
}

levels[name] := data.levels[name] if some name in data.members[input.user]

replaced := others if others := found with input.user as "b"

all := {"found": found, "listed": listed, "levels": levels, "replaced": replaced}
"#;

fn module() -> Module {
    let wasm = PlanOptions { target: Target::Engine, ..PlanOptions::default() };
    let options = Options { wasm, ..Options::default() };
    let built = rego_build::build(&[Source::new("t.rego", POLICY)], &["t/all"], &options).unwrap();
    Module::new(&Engine::new(Config::default()).unwrap(), &built.bytes).unwrap()
}

fn value(text: &str) -> Value {
    json::parse(text.as_bytes()).unwrap()
}

fn data() -> Value {
    value(
        r#"{"members": {"a": ["one", "two", "a role with a long name"], "b": ["two"]},
            "levels": {"one": 1, "two": 9007199254740993},
            "roles": {"one": {"grants": ["read"], "level": 1}, "two": {"grants": ["write", "read"], "of": "b"},
                      "a role with a long name": {"grants": [], "level": {"x": 2}}}}"#,
    )
}

const NAMES: [&str; 4] = ["one", "two", "a role with a long name", "none"];

/// A document to put, or none to remove it, and its path.
fn change(random: &mut Random) -> (Vec<&'static str>, Option<Value>) {
    let name = NAMES[random.below(4)];
    let number = random.below(5);
    match random.below(6) {
        0 => (
            vec!["roles", name],
            Some(value(&format!(r#"{{"grants": ["g{number}"], "level": [{number}]}}"#))),
        ),
        1 => (vec!["roles", name, "grants"], Some(value(&format!(r#"["h{number}", "read"]"#)))),
        2 => (vec!["roles", name], None),
        3 => (
            vec!["members", ["a", "b"][number % 2]],
            Some(value(&format!("[{:?}, {name:?}]", NAMES[number % 4]))),
        ),
        4 => (vec!["levels", name], Some(value(["7", "[1]", "\"x\"", "9007199254740995", "{}"][number]))),
        _ => (vec!["roles"], Some(data().get_str("roles").unwrap().clone())),
    }
}

fn ask(instance: &mut Instance, user: &str) -> Option<Value> {
    let input = value(&format!("{{\"user\": {user:?}}}"));
    let id = instance.module().entrypoint("t/all").unwrap();
    instance.evaluate_value(id, Input::Value(&input), &EvalContext::default()).unwrap()
}

#[test]
fn what_was_found_is_forgotten_with_every_change() {
    let module = module();
    let mut random = Random::new(20_261_123);
    let mut kept = Instance::new(&module).unwrap();
    kept.set_data(data()).unwrap();
    let pool = Pool::new(&module, PoolConfig { size: 2, ..PoolConfig::default() }).unwrap();
    pool.set_data(data()).unwrap();
    for step in 0..2_000 {
        if step > 0 {
            let (path, value) = change(&mut random);
            match value {
                Some(value) => {
                    let put = kept.set_data_at(&path, value.clone());
                    assert_eq!(put.is_ok(), pool.set_data_at(&path, value).is_ok());
                }
                None => {
                    kept.remove_data_at(&path).unwrap();
                    pool.remove_data_at(&path).unwrap();
                }
            }
        }
        let mut fresh = Instance::new(&module).unwrap();
        fresh.set_data(kept.data()).unwrap();
        for user in ["a", "b", "a", "nobody"] {
            let expected = ask(&mut fresh, user);
            assert_eq!(ask(&mut kept, user), expected, "step {step}: {}", kept.data());
            let pooled = pool.with(|instance, _| ask(instance, user)).unwrap();
            assert_eq!(pooled, expected, "step {step}, pool");
        }
    }
}

#[test]
fn a_cell_is_seen_without_a_change_of_documents() {
    let mut instance = Instance::new(&module()).unwrap();
    instance.set_data(data()).unwrap();
    let cell = instance.cell(&["levels", "one"]).unwrap();
    for level in [2, i64::MAX, 3, i64::MIN] {
        instance.set_cell(cell, level).unwrap();
        let answer = ask(&mut instance, "a").unwrap();
        assert_eq!(answer.get_str("levels").unwrap().get_str("one"), Some(&Value::from(level)));
    }
}
