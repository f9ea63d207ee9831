//! An input of which only the read parts reach the module: no policy can tell, and no broken text gets through.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use rego_build::{Options, Source, build};
use rego_engine::{Config, Engine, EntrypointId, EvalContext, EvalError, Input, Instance, Module};
use rego_value::{Value, json};
use test_support::Random;

/// Rules that read their input in every way there is.
const RULES: &str = r#"package t

import rego.v1

constant := 1

p contains ["member", input.a.b]

p contains ["same", input.a, input.c.d]

p contains ["equal", "x"] if input.a.b == "x"

p contains ["true", 1] if input.flag

p contains ["false", 1] if not input.flag

p contains ["each", c.image] if some c in input.list

p contains ["keys", key] if some key, _ in input.labels

p contains ["lookup", input.labels[data.key]]

p contains ["index", input.list[1].image]

p contains ["pair", x] if [_, x] = input.pair

p contains ["object", x] if {"a": x, "b": _} = input.shape

p contains ["every", 1] if every c in input.list { c.ok }

p contains ["is", kind] if some kind in [is_object(input.shape), is_array(input.pair), is_string(input.a)]

p contains ["with", y] if y := helper with input.a.b as "new"

p contains ["passed", part(input.shape), part(input.a)]

p contains ["walked", path] if walk(input.tree, [path, _])

p contains ["mixed", input.mixed.k.x, v.y] if some v in input.mixed

helper := [input.a.b, input.a.z]

part(x) := x.a if x.a != 7

part(x) := "none" if not x.a
"#;

struct Policy {
    instance: Instance,
    entrypoint: EntrypointId,
}

impl Policy {
    fn new(rules: &str, entrypoints: &[&str]) -> Self {
        let source = Source::new("t.rego", rules);
        let built =
            build(&[source], entrypoints, &Options::default()).unwrap_or_else(|error| panic!("{error}"));
        let module = Module::new(&Engine::new(Config::default()).unwrap(), &built.bytes).unwrap();
        let entrypoint = module.entrypoint(entrypoints[0]).unwrap();
        let mut instance = Instance::new(&module).unwrap();
        instance.set_data_json(br#"{"key": "team"}"#).unwrap();
        Self { instance, entrypoint }
    }

    fn decide(&mut self, input: Input<'_>) -> Result<Option<Value>, EvalError> {
        self.instance.evaluate_value(self.entrypoint, input, &EvalContext::default())
    }
}

/// What is read, made at random.
struct Texts(Random);

impl Texts {
    /// A text of a value whose keys are those that the rules read, and some others.
    fn text(&mut self, depth: usize) -> String {
        const KEYS: [&str; 18] = [
            "a", "b", "c", "d", "z", "flag", "list", "image", "ok", "labels", "team", "pair", "shape",
            "tree", "mixed", "k", "x", "y",
        ];
        const SCALARS: [&str; 16] = [
            "null",
            "true",
            "false",
            "0",
            "-0",
            "7",
            "1073741824",
            "-9223372036854775808",
            "1.0",
            "1.50",
            "2e3",
            "123456789012345678901234567890",
            "\"x\"",
            "\"\"",
            "\"caf\u{e9} \\u00e9\\n\"",
            "\"a longer text, of 40 bytes or so\"",
        ];
        match self.0.below(if depth == 0 { 1 } else { 4 }) {
            0 => (self.0.text(&SCALARS)).to_owned(),
            1 => {
                let count = self.0.below(4);
                let items: Vec<String> = (0..count).map(|_| self.text(depth - 1)).collect();
                let comma = self.0.text(&[",", " , ", "\n,\t"]);
                format!("[{}]", items.join(comma))
            }
            // More members than an object has without an index, some of them twice.
            _ => {
                let most = if self.0.below(4) == 0 { 24 } else { 7 };
                let count = self.0.below(most);
                let member = |_| {
                    let (key, colon) = (self.0.text(&KEYS), self.0.text(&[":", ": "]));
                    format!("\"{key}\"{colon}{}", self.text(depth - 1))
                };
                let members: Vec<String> = (0..count).map(member).collect();
                format!("{{{}}}", members.join(","))
            }
        }
    }

    /// The text with a few bytes changed, taken out, doubled or cut off.
    fn mutated(&mut self, text: &str) -> Vec<u8> {
        let mut bytes = text.as_bytes().to_vec();
        for _ in 0..=self.0.below(3) {
            let at = self.0.below(bytes.len().max(1));
            match self.0.below(5) {
                0 => bytes.truncate(at),
                1 if at < bytes.len() => drop(bytes.remove(at)),
                2 if at < bytes.len() => bytes.insert(at, bytes[at]),
                3 => bytes.insert(
                    at,
                    self.0
                        .pick(&[
                            "\"", "\\", "{", "}", "[", "]", ",", ":", "0", "-", ".", "e", "u", "\0", "\n",
                        ])
                        .as_bytes()[0],
                ),
                _ if at < bytes.len() => bytes[at] = u8::try_from(self.0.below(256)).unwrap(),
                _ => {}
            }
        }
        bytes
    }
}

#[test]
fn no_policy_can_tell() {
    let mut projected = Policy::new(RULES, &["t/p"]);
    // An entrypoint that gives the input away makes the module read everything.
    let mut whole = Policy::new(&format!("{RULES}\nall := input\n"), &["t/p", "t/all"]);
    let seed = 20_261_122;
    let mut random = Texts(Random::new(seed));
    let mut answers = 0;
    for turn in 0..3_000 {
        let text = random.text(5);
        let value = json::parse(text.as_bytes()).unwrap();
        let expected = whole.decide(Input::Json(text.as_bytes()));
        for input in [Input::Json(text.as_bytes()), Input::Value(&value)] {
            assert_eq!(projected.decide(input), expected, "seed {seed}, turn {turn}: {text}");
        }
        assert_eq!(whole.decide(Input::Value(&value)), expected, "seed {seed}, turn {turn}: {text}");
        if let Ok(Some(Value::Set(found))) = &expected {
            answers += found.len();
        }
    }
    assert!(answers > 10_000, "the inputs reach the rules: {answers}");
}

#[test]
fn what_is_handed_in_whole_comes_out_whole() {
    let mut policy = Policy::new("package t\n\nall := input\n", &["t/all"]);
    let mut random = Texts(Random::new(7));
    for _ in 0..2_000 {
        let text = random.text(6);
        let value = json::parse(text.as_bytes()).unwrap();
        assert_eq!(policy.decide(Input::Json(text.as_bytes())).unwrap().as_ref(), Some(&value), "{text}");
        assert_eq!(policy.decide(Input::Value(&value)).unwrap(), Some(value), "{text}");
    }
    let deep = format!("{}1{}", "[".repeat(9_000), "]".repeat(9_000));
    let value = json::parse(deep.as_bytes()).unwrap();
    assert_eq!(policy.decide(Input::Json(deep.as_bytes())).unwrap().as_ref(), Some(&value));
    assert_eq!(policy.decide(Input::Value(&value)).unwrap(), Some(value));
    let set = Value::set([Value::from(1), Value::object([(Value::array([]), Value::Null)])]);
    assert_eq!(policy.decide(Input::Value(&set)).unwrap(), Some(set));
}

#[test]
fn a_text_is_refused_exactly_when_the_whole_reader_refuses_it() {
    let mut readers = [
        Policy::new(RULES, &["t/constant"]),
        Policy::new(RULES, &["t/p"]),
        Policy::new("package t\n\nall := input\n", &["t/all"]),
    ];
    let seed = 42;
    let mut random = Texts(Random::new(seed));
    let (mut accepted, mut refused) = (0, 0);
    for turn in 0..15_000 {
        let text = random.text(4);
        let bytes = random.mutated(&text);
        let is_json = std::str::from_utf8(&bytes).is_ok() && json::parse(&bytes).is_ok();
        for (reader, policy) in readers.iter_mut().enumerate() {
            let outcome = policy.decide(Input::Json(&bytes));
            let told = String::from_utf8_lossy(&bytes);
            assert_eq!(
                outcome != Err(EvalError::InvalidInput),
                is_json,
                "seed {seed}, turn {turn}, {reader}: {told}"
            );
        }
        *if is_json { &mut accepted } else { &mut refused } += 1;
    }
    assert!(accepted > 1_000 && refused > 5_000, "{accepted} accepted, {refused} refused");
    for text in [
        "[".repeat(10_001),
        format!("{}{}", "[".repeat(10_001), "]".repeat(10_001)),
        "1e999999999999".to_owned(),
    ] {
        for policy in &mut readers {
            assert_eq!(policy.decide(Input::Json(text.as_bytes())), Err(EvalError::InvalidInput));
        }
    }
}

#[test]
fn an_input_that_outgrows_the_memory_is_refused_and_the_next_is_not() {
    let source = Source::new("t.rego", "package t\n\np := count(input.a)\n");
    let built = build(&[source], &["t/p"], &Options::default()).unwrap();
    let limit = 4 << 20;
    let engine = Engine::new(Config { memory_limit: limit, ..Config::default() }).unwrap();
    let module = Module::new(&engine, &built.bytes).unwrap();
    let mut instance = Instance::new(&module).unwrap();
    let mut decide = |text: &str| instance.evaluate("t/p", text.into(), &EvalContext::default());
    for _ in 0..3 {
        let many = format!("{{\"a\": [{}0]}}", "\"x\",".repeat(500_000));
        assert_eq!(decide(&many).unwrap_err(), EvalError::MemoryLimit { limit });
        // As large, but nothing reads it.
        let skipped = many.replace("\"a\"", "\"b\"");
        assert_eq!(decide(&skipped).unwrap().result(), None);
        let count = decide("{\"a\": [1, 2, 3]}").unwrap();
        assert_eq!(count.result().and_then(Value::as_i64), Some(3));
    }
}
