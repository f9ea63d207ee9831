//! Numbers beyond 64 bits: what a module leaves to the engine comes to what one computes that leaves nothing to it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::time::{Duration, Instant};

use rego_build::{Options, PlanOptions, Source, Target};
use rego_engine::{Config, Engine, EvalContext, EvalError, Input, Instance, Module};

const POLICY: &str = r#"package p

all contains ["plus", input.a + input.b]

all contains ["minus", input.a - input.b]

all contains ["times", input.a * input.b]

all contains ["quotient", input.a / input.b]

all contains ["remainder", input.a % input.b]

all contains ["rounded", abs(input.a), round(input.a), ceil(input.a), floor(input.a)]

all contains ["compared", input.a < input.b, input.a == input.b, input.a >= input.b]

# Hashes, texts, and numbers as positions.
all contains ["kept", {input.a / 7: 1, input.b: 2}[input.a / 7], json.marshal([input.a / 3]), ["x", "y"][input.a]]

all contains ["chained", ((input.a * 0.1) + input.b) / 3]

large := input.a * input.b
"#;

const NUMBERS: [&str; 24] = [
    "0",
    "-0",
    "0.0",
    "1",
    "-1",
    "1.0",
    "1e0",
    "7",
    "-7",
    "0.5",
    "-0.5",
    "2.5",
    "1e2",
    "1e-7",
    "3.25e-9",
    "0.1",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "18446744073709551616.0",
    "123456789012345678901234567890",
    "-1e30",
    "1.5e300",
    "99999999999999999999.99999",
];

fn instance(engine: &Engine, target: Target) -> Instance {
    let wasm = PlanOptions { target, ..PlanOptions::default() };
    let options = Options { wasm, ..Options::default() };
    let entrypoints = ["p/all", "p/large"];
    let bytes = rego_build::build(&[Source::new("p.rego", POLICY)], &entrypoints, &options).unwrap().bytes;
    let imports = bytes.windows(b"rego_number".len()).any(|name| name == b"rego_number");
    assert_eq!(imports, target == Target::Engine);
    Instance::new(&Module::new(engine, &bytes).unwrap()).unwrap()
}

/// Sums, differences and order around the ends of what is a handle itself, of 53 bits and of 64.
#[test]
fn integers_are_computed_exactly() {
    const POLICY: &str = "package p\n\nall := [input.a + input.b, input.a - input.b, input.a < input.b, \
                          input.a <= input.b, input.a > input.b, input.a >= input.b]\n";
    let bytes =
        rego_build::build(&[Source::new("p.rego", POLICY)], &["p/all"], &Options::default()).unwrap().bytes;
    let engine = Engine::new(Config::default()).unwrap();
    let mut instance = Instance::new(&Module::new(&engine, &bytes).unwrap()).unwrap();
    let ends = [0, 1 << 30, 1 << 31, 1 << 32, 1 << 53, 1_795_000_000_123, 1 << 62, 1 << 63, 1 << 64];
    let integers: Vec<i128> =
        ends.iter().flat_map(|end| (-2..=2).flat_map(move |by| [end + by, by - end])).collect();
    for (a, b) in integers.iter().flat_map(|a| integers.iter().map(move |b| (a, b))) {
        let input = format!(r#"{{"a":{a},"b":{b}}}"#);
        let found = instance.evaluate("p/all", Input::from(input.as_str()), &EvalContext::default()).unwrap();
        let expected = format!("[{}, {}, {}, {}, {}, {}]", a + b, a - b, a < b, a <= b, a > b, a >= b);
        assert_eq!(found.into_result().unwrap().to_string(), expected, "{input}");
    }
}

#[test]
fn both_forms_of_a_module_compute_alike() {
    let engine = Engine::new(Config::default()).unwrap();
    let mut forms = [Target::Engine, Target::Portable].map(|target| instance(&engine, target));
    for (a, b) in NUMBERS.iter().flat_map(|a| NUMBERS.iter().map(move |b| (a, b))) {
        let input = format!(r#"{{"a":{a},"b":{b}}}"#);
        for strict in [false, true] {
            let context = EvalContext { strict, ..EvalContext::default() };
            let [engine, portable] = forms.each_mut().map(|form| {
                let answers = form.evaluate("p/all", Input::from(input.as_str()), &context);
                answers
                    .map(|answers| answers.into_result().unwrap().to_string())
                    .map_err(|error| error.to_string())
            });
            assert_eq!(engine, portable, "{input}");
            assert!(strict || engine.unwrap().contains("chained"), "{input}");
        }
    }
}

#[test]
fn a_computation_that_takes_too_long_is_over_time() {
    let engine = Engine::new(Config::default()).unwrap();
    let deadline = Some(Duration::from_millis(50));
    let digits = "7".repeat(200_000);
    for target in [Target::Engine, Target::Portable] {
        let mut form = instance(&engine, target);
        for (a, b) in [(digits.as_str(), digits.as_str()), ("1e30000", digits.as_str())] {
            let input = format!(r#"{{"a":{a},"b":{b}}}"#);
            let context = EvalContext { deadline, ..EvalContext::default() };
            let start = Instant::now();
            let outcome = form.evaluate("p/large", Input::from(input.as_str()), &context);
            assert!(matches!(outcome, Err(EvalError::Deadline { .. })), "{target:?}: {outcome:?}");
            assert!(start.elapsed() < Duration::from_secs(5), "{target:?}");
        }
        // And the next one is as ever.
        let answers = form.evaluate("p/large", Input::from(r#"{"a":3e20,"b":2}"#), &EvalContext::default());
        assert_eq!(answers.unwrap().into_result().unwrap().to_string(), "600000000000000000000");
    }
}
