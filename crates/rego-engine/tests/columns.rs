//! Arrays of the data that are searched by the hashes of members: the answers are those of a module that looks at every
//! element, whatever the elements and what is sought.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use rego_build::{Options, PlanOptions, Source, Target};
use rego_engine::{Config, Engine, EvalContext, Input, Instance, Module};
use rego_value::{Value, json};
use test_support::Random;

/// Iterations that begin with equalities of all kinds: one and several members, keys of an array and of an object, constants,
/// locals, paths, functions, nested iterations, a replaced document, and elements that are no objects.
const POLICY: &str = r#"package t

one contains i if { some i, g in data.root; g.a == input.a }

two contains i if { some i, g in data.root; g.a == input.a; input.b == g.b; g.c == 1 }

constant contains g.c if { some g in data.root; g.a == "x"; g.b == input.b }

nested contains [i, j] if {
	some i, outer in data.root
	some j, inner in data.root
	inner.a == outer.b
	inner.c == outer.c
}

listed contains i if { some name in input.names; some i, g in data.root; g.a == name }

object contains k if { some k, g in data.members; g.a == input.a }

called contains i if { some i, _ in data.root; matches(data.root[i], input.b) }

matches(g, b) if { g.b == b }

replaced contains i if { some i, g in data.root; g.a == input.a with input.a as "y" }

data_replaced contains c if { c := matching with data.root as [{"a": input.a}, {"a": 7}] }

matching := count([1 | some g in data.root; g.a == input.a])

bound := [i | some i; data.root[i].a == input.a]

every_one if { every g in data.root { g.a == input.a } }

none if { not some_one }

some_one if { some g in data.root; g.b == input.b; g.a == "" }

inner contains k if { some k; data.lists[_][k].a == input.a }

all := {
	"one": one, "two": two, "constant": constant, "nested": nested, "listed": listed, "object": object, "called": called,
	"replaced": replaced, "data_replaced": data_replaced, "bound": bound, "inner": inner,
	"every": {1 | every_one}, "none": {1 | none},
}
"#;

fn instance(target: Target) -> Instance {
    let options = Options { wasm: PlanOptions { target, ..PlanOptions::default() }, ..Options::default() };
    let built = rego_build::build(&[Source::new("t.rego", POLICY)], &["t/all"], &options).unwrap();
    let module = Module::new(&Engine::new(Config::default()).unwrap(), &built.bytes).unwrap();
    Instance::new(&module).unwrap()
}

fn all(instance: &mut Instance, input: &Value) -> Option<Value> {
    let id = instance.module().entrypoint("t/all").unwrap();
    instance.evaluate_value(id, Input::Value(input), &EvalContext::default()).unwrap()
}

const SCALARS: [&str; 10] =
    ["\"x\"", "\"y\"", "\"\"", "\"a longer text\"", "1", "1.5", "null", "true", "[\"x\"]", "{}"];

fn scalar(random: &mut Random) -> &'static str {
    SCALARS[random.below(SCALARS.len())]
}

/// An object with the members `a` to `d`, but for one, seldom without another or something else.
fn element(random: &mut Random, without: &str) -> String {
    if random.below(60) == 0 {
        return scalar(random).to_owned();
    }
    let mut members = Vec::new();
    for key in ["a", "b", "c", "d"] {
        if key != without && random.below(60) != 0 {
            members.push(format!("\"{key}\": {}", scalar(random)));
        }
    }
    format!("{{{}}}", members.join(", "))
}

fn list(random: &mut Random) -> String {
    let count = random.below(12);
    let without = ["a", "b", "b", "c", "d"][random.below(5)];
    let elements: Vec<String> = (0..count).map(|_| element(random, without)).collect();
    format!("[{}]", elements.join(", "))
}

fn documents(random: &mut Random) -> Value {
    let mut members = String::new();
    for key in 0..random.below(4) {
        members.push_str(&format!("{}\"{key}\": {}", if key > 0 { ", " } else { "" }, element(random, "d")));
    }
    let text = format!(
        r#"{{"root": {}, "members": {{{members}}}, "lists": [{}, {}]}}"#,
        list(random),
        list(random),
        list(random)
    );
    json::parse(text.as_bytes()).unwrap()
}

fn input(random: &mut Random) -> Value {
    let text = match random.below(12) {
        0 => format!(r#"{{"names": [{}]}}"#, scalar(random)),
        1 => format!(r#"{{"a": {}, "names": 7}}"#, scalar(random)),
        _ => format!(
            r#"{{"a": {}, "b": {}, "names": [{}, {}]}}"#,
            scalar(random),
            scalar(random),
            scalar(random),
            scalar(random)
        ),
    };
    json::parse(text.as_bytes()).unwrap()
}

#[test]
fn the_answers_are_those_of_looking_at_every_element() {
    let (mut ours, mut portable) = (instance(Target::Engine), instance(Target::Portable));
    let mut random = Random::new(20_261_123);
    let mut found = 0;
    for round in 0..300 {
        let data = documents(&mut random);
        if round % 3 == 0 {
            ours.set_data(data.clone()).unwrap();
            portable.set_data(data.clone()).unwrap();
        } else {
            // In place: another array where one was.
            let root = data.get_str("root").unwrap();
            ours.set_data_at(&["root"], root.clone()).unwrap();
            portable.set_data_at(&["root"], root.clone()).unwrap();
        }
        for _ in 0..8 {
            let input = input(&mut random);
            let answer = all(&mut ours, &input);
            assert_eq!(answer, all(&mut portable, &input), "{input} {data}");
            found += usize::from(answer.is_some_and(|answer| answer.get_str("one") != Some(&Value::set([]))));
        }
    }
    assert!(found > 500, "{found} answers found anything");
}
