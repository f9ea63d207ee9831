//! Strings of every length that is compared or copied in its own way: as keys, as elements and in `sprintf`. Short ones
//! are compared without a loop, and longer ones of which only the last letters differ must still be told apart.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use rego_build::{Options, PlanOptions, Source, Target};
use rego_engine::{Answer, Config, Engine, EvalContext, Input, Instance, Key, Module, Wanted};
use rego_value::Value;

const POLICY: &str = r#"package p

found := input.object[input.key]

got := object.get(input.object, input.key, "none")

there if input.key in input.list

same if input.key == input.other

text := sprintf("<%s|%v>%s", [input.key, input.other, input.key])
"#;

fn instance(target: Target) -> Instance {
    let wasm = PlanOptions { target, ..PlanOptions::default() };
    let options = Options { wasm, ..Options::default() };
    let module = rego_build::build(
        &[Source::new("p.rego", POLICY)],
        &["p/found", "p/got", "p/there", "p/same", "p/text"],
        &options,
    )
    .unwrap();
    let engine = Engine::new(Config::default()).unwrap();
    Instance::new(&Module::new(&engine, &module.bytes).unwrap()).unwrap()
}

/// A text of so many letters whose last one is the given one.
fn text(length: usize, last: char) -> String {
    let start = "a".repeat(length.saturating_sub(1));
    if length == 0 { start } else { format!("{start}{last}") }
}

fn answer(instance: &mut Instance, entrypoint: &str, input: &Value) -> Option<Value> {
    let text = input.to_string();
    let by_text =
        instance.evaluate(entrypoint, Input::Json(text.as_bytes()), &EvalContext::default()).unwrap();
    let by_value = instance.evaluate(entrypoint, Input::Value(input), &EvalContext::default()).unwrap();
    assert_eq!(by_text, by_value);
    by_text.into_result()
}

#[test]
fn strings_of_all_lengths_are_found_and_told_apart() {
    for target in [Target::Engine, Target::Portable] {
        let mut instance = instance(target);
        for length in 0..=40 {
            // Few keys are searched one by one, many by an index.
            for others in [0, 5, 60] {
                let mut keys: Vec<String> =
                    (0..others).map(|at| format!("{}{at}", text(length, 'b'))).collect();
                keys.push(text(length, 'y'));
                let members = keys.iter().map(|key| (Value::from(key.as_str()), Value::from(key.as_str())));
                let object = Value::object(members);
                let list = Value::array(keys.iter().map(|key| Value::from(key.as_str())));
                for key in keys
                    .iter()
                    .rev()
                    .step_by(9)
                    .map(String::as_str)
                    .chain([text(length, 'z').as_str(), &text(length + 1, 'y')])
                {
                    let input = Value::object([
                        (Value::from("key"), Value::from(key)),
                        (Value::from("other"), Value::from(text(length, 'y').as_str())),
                        (Value::from("object"), object.clone()),
                        (Value::from("list"), list.clone()),
                    ]);
                    let expected = keys.iter().any(|known| known == key);
                    let case = format!("{key:?} among {} of {length}", keys.len());
                    let found = expected.then(|| Value::from(key));
                    assert_eq!(answer(&mut instance, "p/found", &input), found, "{case}");
                    let got = found.unwrap_or(Value::from("none"));
                    assert_eq!(answer(&mut instance, "p/got", &input), Some(got), "{case}");
                    let there = expected.then_some(Value::from(true));
                    assert_eq!(answer(&mut instance, "p/there", &input), there, "{case}");
                    let other = text(length, 'y');
                    let equal = (key == other).then_some(Value::from(true));
                    assert_eq!(answer(&mut instance, "p/same", &input), equal, "{case}");
                    let text = Value::from(format!("<{key}|{other}>{key}").as_str());
                    assert_eq!(answer(&mut instance, "p/text", &input), Some(text), "{case}");
                }
            }
        }
    }
}

#[test]
fn a_key_is_found_as_its_name_is() {
    let names: Vec<String> = (0..=20).map(|length| text(length, 'é')).collect();
    let members = names.iter().map(|name| (Value::from(name.as_str()), Value::from(name.as_str())));
    let source = format!("package p\n\nanswer := {}\n", Value::object(members));
    let options = Options {
        wasm: PlanOptions { target: Target::Engine, ..PlanOptions::default() },
        ..Options::default()
    };
    let module =
        rego_build::build(&[Source::new("p.rego", source.as_str())], &["p/answer"], &options).unwrap();
    let engine = Engine::new(Config::default()).unwrap();
    let module = Module::new(&engine, &module.bytes).unwrap();
    let entrypoint = module.entrypoint("p/answer").unwrap();
    let look = |answer: Option<Answer<'_>>| {
        let answer = answer.unwrap();
        for name in &names {
            let value = answer.get_key(Key::new(name)).and_then(|value| value.as_str());
            assert_eq!(value, Some(name.as_str()));
            assert_eq!(answer.get(name).and_then(|value| value.as_str()), value);
        }
        assert!(answer.get("none").is_none());
        assert!(answer.get_key(const { Key::new("aaaaaaaaaaaa") }).is_none());
    };
    let mut instance = Instance::new(&module).unwrap();
    instance.evaluate_with(entrypoint, Input::Undefined, &EvalContext::default(), look).unwrap();
}

#[test]
fn wanted_members_are_found_in_whatever_order_and_module_they_stand() {
    // Constants of different modules lie at the same places; what is put together lies anywhere.
    const ANSWERS: [&str; 5] = [
        r#"{"one": input.x, "two": 2, "other": 0}"#,
        r#"{"two": 2, "one": input.x}"#,
        r#"{"three": 3, "four": input.x}"#,
        r#"{concat("", [input.x, "ne"]): 1, concat("", ["t", "wo"]): input.x, "three": 3}"#,
        r#"{name: position | some position, name in split(input.x, "-")}"#,
    ];
    const KEYS: [Key<'static>; 4] = [Key::new("one"), Key::new("two"), Key::new("three"), Key::new("four")];
    let engine = Engine::new(Config::default()).unwrap();
    let mut instances: Vec<Instance> = [Target::Engine, Target::Portable]
        .iter()
        .flat_map(|target| ANSWERS.iter().map(move |answer| (*target, *answer)))
        .map(|(target, answer)| {
            let options =
                Options { wasm: PlanOptions { target, ..PlanOptions::default() }, ..Options::default() };
            let source = Source::new("p.rego", format!("package p\n\nanswer := {answer}\n"));
            let module = rego_build::build(&[source], &["p/answer"], &options).unwrap();
            Instance::new(&Module::new(&engine, &module.bytes).unwrap()).unwrap()
        })
        .collect();
    let wanted = Wanted::new(&KEYS);
    let look = |answer: Option<Answer<'_>>| {
        let answer = answer.unwrap();
        let mut found = [None; KEYS.len()];
        let members = answer.pick(&wanted, |position, value| found[position] = Some(value));
        assert_eq!(members, Some(answer.members().unwrap().count()));
        for (key, found) in KEYS.iter().zip(found) {
            let expected = answer.get_key(*key).map(|value| value.to_value().unwrap());
            assert_eq!(found.map(|value| value.to_value().unwrap()), expected, "{key:?}");
        }
        found.iter().flatten().count()
    };
    let count = instances.len();
    let mut found = 0;
    for round in 0..200 {
        let instance = &mut instances[round * 7 % count];
        let input = Input::Json([&br#"{"x": "o"}"#[..], br#"{"x": "two-one-three"}"#][round / 3 % 2]);
        let entrypoint = instance.module().entrypoint("p/answer").unwrap();
        found += instance.evaluate_with(entrypoint, input, &EvalContext::default(), look).unwrap();
    }
    assert!(found > 200, "{found}");
}
