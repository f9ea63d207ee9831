//! Any bytes as the input of policies that read a part of it: what is no JSON in UTF-8 is refused, and of what is, a
//! policy is given what it would find in the whole.
#![no_main]

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;
use rego_build::{Options, Source, build};
use rego_engine::{Config, Engine, EntrypointId, EvalContext, Input, Instance, Module};
use rego_value::json;

/// Reads members, elements, keys and parts as they are; never the whole.
const RULES: &str = r#"package t

p contains ["member", input.a.b]

p contains ["same", input.a, input.c.d]

p contains ["equal", "x"] if input.a.b == "x"

p contains ["not", 1] if not input.flag

p contains ["each", c.image] if some c in input.list

p contains ["keys", key] if some key, _ in input.labels

p contains ["index", input.list[1].image]

p contains ["walked", path] if walk(input.tree, [path, _])

p contains ["mixed", input.mixed.k.x, v.y] if some v in input.mixed
"#;

thread_local! {
    static POLICY: RefCell<(Instance, EntrypointId)> = RefCell::new(policy());
}

fn policy() -> (Instance, EntrypointId) {
    let built = build(&[Source::new("t.rego", RULES)], &["t/p"], &Options::default()).expect("the rules compile");
    let engine = Engine::new(Config { optimise: false, ..Config::default() }).expect("an engine");
    let module = Module::new(&engine, &built.bytes).expect("the module loads");
    let entrypoint = module.entrypoint("t/p").expect("its entrypoint");
    (Instance::new(&module).expect("an instance"), entrypoint)
}

fuzz_target!(|bytes: &[u8]| {
    POLICY.with_borrow_mut(|(instance, entrypoint)| {
        let mut ask = |input| instance.evaluate_value(*entrypoint, input, &EvalContext::default());
        let of_text = ask(Input::Json(bytes));
        // Text that is not UTF-8 is refused, where `json::parse` replaces what is wrong, as Go does.
        match std::str::from_utf8(bytes).ok().and_then(|text| json::parse(text.as_bytes()).ok()) {
            Some(whole) => assert_eq!(of_text.expect("it is JSON"), ask(Input::Value(&whole)).expect("it is JSON")),
            None => assert!(of_text.is_err(), "it is no JSON"),
        }
    });
});
