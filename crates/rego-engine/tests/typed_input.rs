//! Rust values as inputs: a policy finds what it finds in their JSON text.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use rego_build::{Options, PlanOptions, Source, Target};
use rego_engine::{
    Config, Engine, EvalContext, EvalError, Input, Instance, JsonText, Module, PolicyInput, UnfitInput,
};
use rego_value::{Value, json};
use serde::Serialize;
use serde_json::value::RawValue;

#[derive(Clone, Serialize, PolicyInput)]
#[serde(rename_all = "camelCase")]
#[policy(rename_all = "camelCase")]
struct Call<'a, T> {
    operation: &'a str,
    request_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<User<'a>>,
    #[serde(rename = "size_bytes")]
    #[policy(rename = "size_bytes")]
    size: u64,
    negative: i64,
    huge: u128,
    ratio: f64,
    small: f32,
    flags: [bool; 3],
    tags: Vec<Option<Cow<'a, str>>>,
    limits: BTreeMap<String, Limit>,
    counts: HashMap<&'a str, i32>,
    nested: Vec<Vec<Limit>>,
    #[serde(serialize_with = "as_json")]
    raw: JsonText<'a>,
    kind: Kind,
    generic: Box<T>,
    letter: char,
    #[serde(serialize_with = "as_word")]
    r#type: Arc<Kind>,
    #[serde(skip)]
    #[policy(skip)]
    _secret: Option<std::thread::ThreadId>,
}

fn as_json<S: serde::Serializer>(raw: &JsonText<'_>, serializer: S) -> Result<S::Ok, S::Error> {
    RawValue::from_string(raw.0.to_owned()).unwrap().serialize(serializer)
}

fn as_word<S: serde::Serializer>(kind: &Arc<Kind>, serializer: S) -> Result<S::Ok, S::Error> {
    (**kind).serialize(serializer)
}

#[derive(Clone, Serialize, PolicyInput)]
struct User<'a> {
    id: &'a str,
    roles: &'a [&'a str],
}

#[derive(Clone, Default, Serialize, PolicyInput)]
struct Limit {
    max: i32,
    soft: f64,
}

#[derive(Clone, Copy, Serialize, PolicyInput)]
#[serde(rename_all = "kebab-case")]
#[policy(rename_all = "kebab-case")]
enum Kind {
    ReadOnly,
    #[serde(rename = "rw")]
    #[policy(rename = "rw")]
    ReadWrite,
}

fn calls() -> [Call<'static, u8>; 2] {
    let limit = |max: i32| Limit { max, soft: f64::from(max) / 8.0 };
    let names = ["a", "bb", "long name of a limit", "é", "e", "f", "g", "h", "i", "j", "max"];
    let one = Call {
        operation: "delete",
        request_id: "r\u{1F600}\n\"".to_owned(),
        user: Some(User { id: "u1", roles: &["admin", "reader"] }),
        size: 1 << 40,
        negative: i64::MIN,
        huge: u128::MAX,
        ratio: 0.1,
        small: 0.1,
        flags: [true, false, true],
        tags: vec![Some("x".into()), None, Some("".into())],
        limits: (-3..8).zip(names).map(|(max, name)| (name.to_owned(), limit(max))).collect(),
        counts: names.iter().zip(0..).map(|(name, count)| (*name, count)).collect(),
        nested: vec![vec![limit(1), limit(2)], vec![], vec![limit(3)]],
        raw: JsonText(r#"{"deep": [1, {"x": [true, 1.50]}], "n": 123456789012345678901234567890}"#),
        kind: Kind::ReadWrite,
        generic: Box::new(7),
        letter: 'ß',
        r#type: Arc::new(Kind::ReadOnly),
        _secret: Some(std::thread::current().id()),
    };
    let two = Call {
        operation: "",
        user: None,
        size: u64::MAX,
        negative: -1,
        ratio: -1.5e300,
        small: 16_777_216.0,
        tags: Vec::new(),
        limits: BTreeMap::from([("a".to_owned(), limit(9))]),
        counts: HashMap::new(),
        raw: JsonText("[]"),
        kind: Kind::ReadOnly,
        ..one.clone()
    };
    [one, two]
}

/// Bodies of `p`, one module each, so that each reads of the input what it says and nothing more.
const READS: [&str; 22] = [
    "input",
    "input.operation",
    "[input.operation, input.requestId, input.size_bytes, input.negative, input.huge]",
    "[input.ratio, input.small, input.letter, input.type, input.kind, input.generic]",
    "input.user",
    "input.user.id",
    "[role | some role in input.user.roles]",
    "input.flags",
    "[flag | some flag in input.flags]",
    "input.tags",
    "count(input.tags)",
    "input.limits",
    "input.limits.a.max",
    "{name: limit.max | some name, limit in input.limits}",
    "[input.limits.a.soft, [name | some name, _ in input.limits]]",
    "[input.counts.bb, object.get(input.counts, \"none\", null)]",
    "[limit.max | some limits in input.nested; some limit in limits]",
    "input.raw",
    "[input.raw.n, input.raw.deep[1].x]",
    "[input.raw.deep, input.missing.part]",
    "[key | some key, _ in input]",
    "{key: value | some key, value in input}",
];

fn module(policy: &str) -> Module {
    let options = Options {
        wasm: PlanOptions { target: Target::Engine, ..PlanOptions::default() },
        ..Options::default()
    };
    let built = rego_build::build(&[Source::new("t.rego", policy)], &["t/p"], &options).unwrap();
    Module::new(&Engine::new(Config::default()).unwrap(), &built.bytes).unwrap()
}

fn evaluate(instance: &mut Instance, input: Input<'_>) -> Result<Option<Value>, EvalError> {
    let id = instance.module().entrypoint("t/p").unwrap();
    instance.evaluate_value(id, input, &EvalContext::default())
}

/// Checks that a value and its text are the same to a module.
fn compare(module: &Module, what: &str) {
    let (binding, _) = module.bind_partly::<Call<'_, u8>>();
    let mut instance = Instance::new(module).unwrap();
    for call in &calls() {
        // Floats that are integers are written as such, since that is what they are.
        let text =
            serde_json::to_string(call).unwrap().replace("16777216.0", "16777216").replace(".0,\"", ",\"");
        let text = text
            .replace("\"soft\":0.0", "\"soft\":0")
            .replace("\"soft\":1.0", "\"soft\":1")
            .replace("e+300", "e300");
        let expected = evaluate(&mut instance, Input::from(text.as_str())).unwrap();
        for _ in 0..2 {
            let found = evaluate(&mut instance, binding.input(call)).unwrap();
            assert_eq!(found, expected, "{what}: {text}");
        }
        let show =
            |value: &Option<Value>| value.as_ref().map(|value| json::to_string(value, json::Escape::Plain));
        assert_eq!(show(&evaluate(&mut instance, binding.input(call)).unwrap()), show(&expected), "{what}");
    }
}

#[test]
fn a_policy_finds_what_it_finds_in_the_text() {
    for read in READS {
        compare(&module(&format!("package t\n\np := {read}\n")), read);
    }
    compare(&module("package t\n\np if input.kind == \"rw\"\n"), "a comparison");
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_a_module_of_opa_finds_the_same() {
    let policy = "package t\n\nimport rego.v1\n\np := input\n";
    let bytes = common::opa_module(policy, &["t/p"]);
    compare(&Module::new(&Engine::new(Config::default()).unwrap(), &bytes).unwrap(), "OPA's");
}

#[test]
fn what_does_not_fit_is_named() {
    let module = module(
        "package t\n\np if {\n\tinput.operation.verb == 1\n\tinput.user.tier == \"x\"\n\tinput.missing\n\tinput.user.roles.admin\n\tsome x in input.requestId\n\tx\n\tinput.limits.a.max == 3\n\tinput.limits.a.min == 3\n}\n",
    );
    let error = module.bind::<Call<'_, u8>>().unwrap_err();
    assert!(error.name.contains("Call"), "{}", error.name);
    let mut misfits: Vec<String> = error.misfits.iter().map(ToString::to_string).collect();
    misfits.sort();
    assert_eq!(
        misfits,
        [
            "`input.limits.a.min` is read, and `Limit` has no field for it",
            "`input.missing` is read, and `Call` has no field for it",
            "`input.operation.verb` is read, and `input.operation` is a string",
            "`input.requestId[_]` is read, and `input.requestId` is a string",
            "`input.user.roles.admin` is read, and `input.user.roles` is a list",
            "`input.user.tier` is read, and `User` has no field for it",
        ]
    );
    assert!(error.to_string().contains(misfits[5].as_str()), "{error}");
}

#[test]
fn what_no_policy_can_be_given_is_an_error_and_the_next_one_works() {
    let module = module("package t\n\np := input.nested\n");
    let binding = module.bind::<Call<'_, u8>>().unwrap();
    let mut instance = Instance::new(&module).unwrap();
    let [good, mut bad] = calls();
    for float in [f64::NAN, f64::INFINITY] {
        bad.nested = vec![vec![Limit { max: 1, soft: 2.0 }], vec![Limit { max: 1, soft: float }]];
        let error = evaluate(&mut instance, binding.input(&bad)).unwrap_err();
        assert_eq!(error, EvalError::UnfitInput(UnfitInput::NotFinite));
        assert!(evaluate(&mut instance, binding.input(&good)).unwrap().is_some());
    }
    // Not read, and so not written.
    bad.nested.clear();
    bad.ratio = f64::NAN;
    assert_eq!(evaluate(&mut instance, binding.input(&bad)), Ok(Some(Value::array([]))));
    bad.nested = vec![vec![Limit::default(); 5_000]; 3];
    assert!(evaluate(&mut instance, binding.input(&bad)).unwrap().is_some());
    bad.nested = vec![vec![Limit::default(); 1_000_000]; 3];
    assert!(matches!(evaluate(&mut instance, binding.input(&bad)), Err(EvalError::MemoryLimit { .. })));
    assert!(evaluate(&mut instance, binding.input(&good)).unwrap().is_some());
}

#[test]
fn a_binding_is_for_its_module() {
    let (one, other) =
        (module("package t\n\np := input.size_bytes\n"), module("package t\n\np := input.operation\n"));
    let binding = one.bind::<Call<'_, u8>>().unwrap();
    let [call, _] = calls();
    let mut instance = Instance::new(&other).unwrap();
    assert_eq!(evaluate(&mut instance, binding.input(&call)), Err(EvalError::OtherModule));
    let broken = Call { raw: JsonText("[1,"), ..call };
    let raw = module("package t\n\np := input.raw\n");
    let error =
        evaluate(&mut Instance::new(&raw).unwrap(), raw.bind::<Call<'_, u8>>().unwrap().input(&broken));
    assert_eq!(error, Err(EvalError::InvalidInput));
}
