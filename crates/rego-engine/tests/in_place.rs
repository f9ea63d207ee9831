//! What modules do in place of the runtime's functions for values of any kind: membership, members by strings, division by
//! constants, formats, what is looked up once, counts, and what is added to arrays and to objects of numbers. Each answer is
//! compared with one that is found here.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use rego_build::{Options, PlanOptions, Source, Target};
use rego_engine::{Config, Engine, EvalContext, Input, Instance, Module};
use rego_value::{Value, json};
use test_support::Random;

const POLICY: &str = r#"package t

in_data if input.x in data.names

in_numbers if input.n in data.numbers

in_input if input.x in input.list

in_set if input.x in {"x", "twelve bytes", "a text of more than sixteen bytes", ""}

member := data.table[input.key]

# The same place twice, on ways of which the first may not be taken.
same if {
	input.x == "x"
	data.table[input.key].a == 1
}

again contains data.table[input.key].b

again contains data.table[input.key].a if not same

# In order but for the one before the last; its number is taken twice.
numbered[0] := input.key if input.n > 0

numbered[1] := input.x if input.x != "x"

numbered[7] := true if input.x == "twelve bytes"

numbered[3] := input.n if input.n % 2 == 0

numbered[3] := input.n if input.n > 9

few := {"x", "y"}

all := {
	"in_data": {1 | in_data},
	"in_numbers": {1 | in_numbers},
	"in_input": {1 | in_input},
	"in_set": {1 | in_set},
	"member": [m | m := member],
	"member_or": object.get(data.table, input.key, "none"),
	"path": object.get(data.table, ["k1", "b"], "none"),
	"small": object.get(input, input.key, "none"),
	"again": [x | some x in again],
	"quotient": [q | input.n >= 0; q := floor(input.n / 60)],
	"remainder": input.n % 86400,
	"text": sprintf("%d|%s|%v|%v", [input.n, input.key, input.n, input.key]),
	"joined": [text | text := concat("/", ["<", input.key, input.x, concat("", [input.key, ">"])])],
	"count": [count(value) | some value in [input.x, input.key, input.list, data.names]],
	"grown": [[value] | some value in input.list],
	"numbered": numbered,
	"is": [text | some text in ["", "x", "twelve bytes", "a text of more than sixteen bytes"]; is_text(text)],
	"in_few": [1 | input.x in few],
	"one": {"x": input.x},
}

is_text("") if input.x == ""

is_text("x") if input.x == "x"

is_text("twelve bytes") if "twelve bytes" == input.x

is_text("a text of more than sixteen bytes") if input.x == "a text of more than sixteen bytes"
"#;

/// A string of each length around the words that texts are compared and copied in.
fn key(random: &mut Random) -> String {
    let long = "k".repeat(random.below(40));
    if random.one_in(2) { format!("k{}", random.below(12)) } else { long }
}

fn scalar(random: &mut Random) -> Value {
    let texts =
        ["\"x\"", "\"y\"", "\"\"", "\"twelve bytes\"", "\"a text of more than sixteen bytes\"", "1", "1.0"];
    let others = ["-3", "4611686018427387904", "0.5", "null", "true", "[1]", "{\"a\": \"x\"}"];
    let text = if random.one_in(3) { random.text(&others) } else { random.text(&texts) };
    json::parse(text.as_bytes()).unwrap()
}

fn scalars(random: &mut Random) -> Value {
    // Arrays of strings and numbers have a column, some of more than two vectors.
    let count = random.below(11);
    let only_texts = random.one_in(2);
    let items = std::iter::repeat_with(|| scalar(random));
    let items = items.filter(|item| !only_texts || matches!(item, Value::String(_) | Value::Number(_)));
    Value::array(items.take(count).collect::<Vec<_>>())
}

fn integer(random: &mut Random) -> i64 {
    let edges = [
        0,
        1,
        9,
        10,
        99,
        9_999,
        10_000,
        99_999_999,
        100_000_000,
        (1 << 30) - 1,
        1 << 30,
        1_760_000_000,
        (1 << 52) - 1,
        -1,
        -59,
        -(1 << 30),
    ];
    if random.one_in(3) {
        edges[random.below(edges.len())]
    } else {
        i64::try_from(random.below(1 << 20)).unwrap()
    }
}

fn object(members: impl IntoIterator<Item = (String, Value)>) -> Value {
    Value::object(members.into_iter().map(|(key, value)| (Value::from(key.as_str()), value)))
}

fn truth(holds: bool) -> Value {
    Value::set(holds.then(|| Value::from(1)))
}

fn has(collection: &Value, item: &Value) -> bool {
    let Value::Array(items) = collection else { panic!("{collection}") };
    items.iter().any(|other| other == item)
}

fn count(value: &Value) -> Option<Value> {
    let count = match value {
        Value::String(text) => text.chars().count(),
        Value::Array(items) => items.len(),
        Value::Object(members) => members.len(),
        Value::Set(elements) => elements.len(),
        _ => return None,
    };
    Some(Value::from(i64::try_from(count).unwrap()))
}

/// What the policy says, found without it.
fn expected(data: &Value, input: &Value, n: i64) -> Value {
    let (x, key) = (input.get_str("x").unwrap(), input.get_str("key").unwrap());
    let key = key.as_str().unwrap();
    let table = data.get_str("table").unwrap();
    let member = table.get_str(key);
    let part = |name: &str| member.and_then(|member| member.get_str(name));
    let none = Value::from("none");
    let set = ["x", "twelve bytes", "a text of more than sixteen bytes", ""].map(Value::from);
    let same = *x == Value::from("x") && part("a") == Some(&Value::from(1));
    let again = Value::set(part("b").into_iter().chain(part("a").filter(|_| !same)).cloned());
    let Value::Set(again) = again else { panic!("a set") };
    let joined = x.as_str().map(|x| Value::from(format!("</{key}/{x}/{key}>").as_str()));
    let counted =
        [x, input.get_str("key").unwrap(), input.get_str("list").unwrap(), data.get_str("names").unwrap()];
    let Value::Array(list) = input.get_str("list").unwrap() else { panic!("a list") };
    let rows = [
        (0, Value::from(key), n > 0),
        (1, x.clone(), *x != Value::from("x")),
        (3, Value::from(n), n % 2 == 0 || n > 9),
        (7, Value::Bool(true), *x == Value::from("twelve bytes")),
    ];
    let rows = rows.into_iter().filter(|(_, _, holds)| *holds);
    let texts = ["", "x", "twelve bytes", "a text of more than sixteen bytes"].map(Value::from);
    let path = table.get_str("k1").and_then(|member| member.get_str("b"));
    object(
        [
            ("in_data", truth(has(data.get_str("names").unwrap(), x))),
            ("in_numbers", truth(has(data.get_str("numbers").unwrap(), &Value::from(n)))),
            ("in_input", truth(has(input.get_str("list").unwrap(), x))),
            ("in_set", truth(set.contains(x))),
            ("member", Value::array(member.cloned())),
            ("member_or", member.unwrap_or(&none).clone()),
            ("path", path.unwrap_or(&none).clone()),
            ("small", input.get_str(key).unwrap_or(&none).clone()),
            ("again", Value::array(again.iter().cloned())),
            // OPA rounds what lies between -1 and 0 up.
            ("quotient", Value::array((n >= 0).then(|| Value::from(n / 60)))),
            ("remainder", Value::from(n % 86_400)),
            ("text", Value::from(format!("{n}|{key}|{n}|{key}").as_str())),
            ("joined", Value::array(joined)),
            ("count", Value::array(counted.into_iter().filter_map(count))),
            ("grown", Value::array(list.iter().map(|value| Value::array([value.clone()])))),
            ("numbered", Value::object(rows.map(|(number, value, _)| (Value::from(number), value)))),
            ("is", Value::array(texts.iter().filter(|text| *text == x).cloned())),
            ("in_few", Value::array(["x", "y"].map(Value::from).contains(x).then(|| Value::from(1)))),
            ("one", object([("x".to_owned(), x.clone())])),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    )
}

#[test]
fn answers_are_those_that_are_found_otherwise() {
    let random = &mut Random::new(11);
    let instances = [Target::Engine, Target::Portable].map(|target| {
        let options =
            Options { wasm: PlanOptions { target, ..PlanOptions::default() }, ..Options::default() };
        let built = rego_build::build(&[Source::new("t.rego", POLICY)], &["t/all"], &options).unwrap();
        let module = Module::new(&Engine::new(Config::default()).unwrap(), &built.bytes).unwrap();
        Instance::new(&module).unwrap()
    });
    for mut instance in instances {
        let id = instance.module().entrypoint("t/all").unwrap();
        for _ in 0..40 {
            let members = (0..random.below(30)).map(|_| {
                let value = object([("a".to_owned(), scalar(random)), ("b".to_owned(), scalar(random))]);
                (key(random), if random.one_in(8) { scalar(random) } else { value })
            });
            let table = object(members.collect::<Vec<_>>());
            let numbers = (0..random.below(11)).map(|_| Value::from(integer(random))).collect::<Vec<_>>();
            let data = object([
                ("table".to_owned(), table),
                ("names".to_owned(), scalars(random)),
                ("numbers".to_owned(), Value::array(numbers)),
            ]);
            instance.set_data(data.clone()).unwrap();
            for _ in 0..40 {
                let n = integer(random);
                let input = object([
                    ("x".to_owned(), scalar(random)),
                    ("key".to_owned(), Value::from(key(random).as_str())),
                    ("list".to_owned(), scalars(random)),
                    ("n".to_owned(), Value::from(n)),
                    ("k3".to_owned(), Value::from("here")),
                ]);
                let answer =
                    instance.evaluate_value(id, Input::Value(&input), &EvalContext::default()).unwrap();
                assert_eq!(answer, Some(expected(&data, &input, n)), "{data}\n{input}");
            }
        }
    }
}
