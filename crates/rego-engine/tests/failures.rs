//! The failures of built-in functions: a module that leaves their words to the engine fails with those of one that has them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::BTreeSet;
use std::fmt::Write as _;

use rego_build::{Options, PlanOptions, Source, Target};
use rego_engine::{Config, Engine, EvalContext, EvalError, Input, Instance, Module};

/// Calls of functions that modules have themselves.
const CALLS: [&str; 39] = [
    "input.a + input.b",
    "input.a - input.b",
    "{1} - input.b",
    "input.a - {1}",
    "input.a * input.b",
    "input.a / input.b",
    "input.a % input.b",
    "input.a & input.b",
    "abs(input.a)",
    "round(input.a)",
    "ceil(input.a)",
    "floor(input.a)",
    "count(input.a)",
    "sum(input.a)",
    "product(input.a)",
    "max(input.a)",
    "sort(input.a)",
    "array.concat(input.a, input.b)",
    "array.slice(input.a, input.b, 1)",
    "object.get(input.a, input.b, 0)",
    "object.keys(input.a)",
    "object.remove(input.a, input.b)",
    "object.union(input.a, input.b)",
    "object.union_n(input.a)",
    "union(input.a)",
    "concat(input.a, input.b)",
    "contains(input.a, input.b)",
    "indexof(input.a, input.b)",
    "substring(input.a, input.b, 1)",
    "split(input.a, input.b)",
    "lower(input.a)",
    "trim(input.a, input.b)",
    "to_number(input.a)",
    "format_int(input.a, input.b)",
    "json.unmarshal(input.a)",
    "base64.decode(input.a)",
    "bits.and(input.a, input.b)",
    "net.cidr_contains(input.a, input.b)",
    "regex.match(input.a, input.b)",
];

const VALUES: [&str; 12] = [
    "null",
    "true",
    "0",
    "-3",
    "1.5",
    "123456789012345678901234567890",
    r#""""#,
    r#""x(""#,
    "[]",
    r#"["a", 1]"#,
    "{}",
    r#"{"a": [1]}"#,
];

#[test]
fn both_forms_of_a_module_fail_alike() {
    let engine = Engine::new(Config::default()).unwrap();
    let (mut policy, mut names) = (String::from("package p\n"), Vec::new());
    for (number, call) in CALLS.iter().enumerate() {
        writeln!(policy, "\nr{number} := x if x := {call}").unwrap();
        names.push(format!("p/r{number}"));
    }
    let entrypoints: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut forms = [Target::Engine, Target::Portable].map(|target| {
        let options =
            Options { wasm: PlanOptions { target, ..PlanOptions::default() }, ..Options::default() };
        let bytes = rego_build::build(&[Source::new("p.rego", policy.as_str())], &entrypoints, &options)
            .unwrap()
            .bytes;
        let imports = bytes.windows(b"rego_wrong_type".len()).any(|name| name == b"rego_wrong_type");
        assert_eq!(imports, target == Target::Engine);
        Instance::new(&Module::new(&engine, &bytes).unwrap()).unwrap()
    });
    let mut failures = BTreeSet::new();
    for (a, b) in VALUES.iter().flat_map(|a| VALUES.iter().map(move |b| (a, b))) {
        let input = format!(r#"{{"a":{a},"b":{b}}}"#);
        let calls = entrypoints.iter().zip(CALLS).filter(|(_, call)| call.contains("input.b") || a == b);
        for (name, call) in calls {
            for strict in [false, true] {
                let context = EvalContext { strict, ..EvalContext::default() };
                let [ours, portable] = forms.each_mut().map(|form| {
                    match form.evaluate(name, Input::from(input.as_str()), &context) {
                        Ok(answers) => Ok(answers.into_result().map(|value| value.to_string())),
                        Err(EvalError::Policy(error)) => Err(error),
                        Err(other) => panic!("{call} of {input}: {other}"),
                    }
                });
                assert_eq!(ours, portable, "{call} of {input}");
                assert!(strict || ours.is_ok(), "{call} of {input}");
                failures.extend(ours.err().map(|error| format!("{}: {}", error.code, error.message)));
            }
        }
    }
    // All of the kinds there are: wrong types of each operand, several types, a form, and what is no operand's fault.
    for expected in [
        "eval_type_error: plus: operand 1 must be number but got null",
        "eval_type_error: plus: operand 2 must be number but got string",
        "eval_type_error: minus: operand 1 must be one of {number, set} but got array",
        "eval_type_error: minus: operand 2 must be set but got number",
        "eval_type_error: floor: operand 1 must be number but got object",
        "eval_type_error: concat: operand 2 must be array of strings but got array containing number",
        "eval_type_error: substring: operand 2 must be integer number but got floating-point number",
        "eval_builtin_error: div: divide by zero",
        "eval_builtin_error: rem: modulo by zero",
        "eval_builtin_error: rem: modulo on floating-point number",
        "eval_builtin_error: indexof: empty search character",
    ] {
        assert!(failures.contains(expected), "{expected}\n{failures:#?}");
    }
}
