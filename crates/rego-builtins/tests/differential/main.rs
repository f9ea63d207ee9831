//! Generated calls of host functions, answered by us and by a real OPA: values, undefinedness, error
//! codes and error texts must agree.
//!
//! `SEED` repeats a run, `CASES` sets the number of calls per function, `ONLY` picks functions.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod corpus;
#[path = "../../../rego-regex/tests/generate/mod.rs"]
mod expressions;
mod generate;
mod graphql;
mod json_schema;
mod opa;

use rego_builtins::{Builtin, Context, all};
use rego_value::json::{self, Escape};
use rego_value::{Value, json::to_string};
use test_support::{Random, setting};

use opa::{Answer, Call};

/// Functions whose answers differ from OPA's by intention, or that depend on more than arguments.
const NOT_COMPARED: [(&str, &str); 10] = [
    ("time.now_ns", "depends on the context"),
    ("rand.intn", "depends on the context"),
    ("uuid.rfc4122", "depends on the context"),
    ("opa.runtime", "depends on the context"),
    ("http.send", "the network is closed here; compared in rego-net"),
    ("net.lookup_ip_addr", "the network is closed here; compared in rego-net"),
    ("rego.parse_module", "compared in tests/texts, but for the excerpt in its errors"),
    ("strings.render_template", "compared in tests/texts, but for the words of its errors"),
    ("internal.print", "has no value"),
    ("internal.test_case", "has no value"),
];

fn functions() -> Vec<&'static Builtin> {
    let only = std::env::var("ONLY").unwrap_or_default();
    all()
        .iter()
        .copied()
        .filter(|row| row.implementation.host().is_some() && row.name.contains(&only))
        .filter(|row| NOT_COMPARED.iter().all(|(name, _)| *name != row.name))
        .collect()
}

/// Our answer to a call.
pub(crate) fn answer(call: &Call) -> Answer {
    let function = call.row.implementation.host().unwrap();
    match function(&mut Context::default(), &call.args) {
        Ok(Some(value)) => Answer::Value(to_string(&value, Escape::Plain)),
        Ok(None) => Answer::Undefined,
        Err(error) => {
            Answer::Error(error.code.as_str().to_owned(), format!("{}: {}", call.row.name, error.message))
        }
    }
}

/// Equal as JSON values: OPA's output does not always keep the text of a number.
pub(crate) fn same(ours: &Answer, theirs: &Answer) -> bool {
    match (ours, theirs) {
        (Answer::Value(ours), Answer::Value(theirs)) => {
            ours == theirs || json::parse(ours.as_bytes()) == json::parse(theirs.as_bytes())
        }
        (Answer::Error(code, ours), Answer::Error(their_code, theirs)) => {
            code == their_code
                && (ours == theirs || both_refuse_key(ours, theirs) || both_refuse_yaml(ours, theirs))
        }
        _ => ours == theirs,
    }
}

/// What is wrong with a text is said in the words of its parser.
fn both_refuse_yaml(ours: &str, theirs: &str) -> bool {
    [ours, theirs].iter().all(|text| text.starts_with("yaml.unmarshal: yaml: "))
}

/// OPA lists the fields of a Go type for what is no key, in an order that changes from process to process.
fn both_refuse_key(ours: &str, theirs: &str) -> bool {
    let refusal =
        |text: &str| text.split_once(" into Go value of type struct").map(|(said, _)| said.to_owned());
    refusal(ours).is_some() && refusal(ours) == refusal(theirs)
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_answers_are_those_of_opa() {
    let opa = test_support::opa();
    let seed = setting("SEED", 20_261_122);
    let cases = setting("CASES", 200);
    eprintln!("SEED={seed} CASES={cases}");
    let mut random = Random::new(seed);
    let mut calls = Vec::new();
    for row in functions() {
        calls.extend(corpus::fixed(row));
        for _ in 0..cases {
            calls.push(Call { row, args: generate::arguments(row, &mut random) });
        }
    }
    let mut wrong = Vec::new();
    for batch in calls.chunks(400) {
        for (call, theirs) in batch.iter().zip(opa::answers(opa, batch)) {
            let ours = answer(call);
            if !same(&ours, &theirs) {
                wrong.push(format!("{}\n    ours: {ours:?}\n    OPA:  {theirs:?}", call.text(0)));
            }
        }
    }
    let shown = wrong.iter().take(40).cloned().collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "SEED={seed}: {} of {} calls differ\n{shown}", wrong.len(), calls.len());
    eprintln!("{} calls of {} functions agree", calls.len(), functions().len());
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_values_survive_the_way_to_opa_and_back() {
    let opa = test_support::opa();
    let mut random = Random::new(setting("SEED", 7));
    let row = rego_builtins::by_name("object.get").unwrap();
    let calls: Vec<Call> = (0..50)
        .map(|_| {
            let value = generate::value(&rego_builtins::Type::Any, &mut random, 3);
            Call { row, args: vec![Value::object([]), Value::Null, value] }
        })
        .collect();
    for (call, theirs) in calls.iter().zip(opa::answers(opa, &calls)) {
        let ours = Answer::Value(to_string(&call.args[2], Escape::Plain));
        assert!(same(&ours, &theirs), "{ours:?} {theirs:?}");
    }
}
