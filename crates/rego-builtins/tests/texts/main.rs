//! Generated calls of the functions that read a language of their own (URIs, patterns, YAML, templates), answered by us
//! and by a real OPA: values, undefinedness, error codes and error texts must agree.
//!
//! `SEED` repeats a run, `CASES` sets the number of calls per function, `ONLY` picks functions.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(dead_code, reason = "modules of the other test use more of themselves")]

#[path = "../differential/corpus.rs"]
mod corpus;
#[path = "../../../rego-regex/tests/generate/mod.rs"]
mod expressions;
#[path = "../differential/generate.rs"]
mod generate;
mod grammar;
#[path = "../differential/opa.rs"]
mod opa;

use rego_builtins::{Context, by_name};
use rego_value::Value;
use rego_value::json::{self, Escape};
use test_support::{Random, setting};

use opa::{Answer, Call};

fn answer(call: &Call) -> Answer {
    let function = call.row.implementation.host().expect("a host function");
    match function(&mut Context::default(), &call.args) {
        Ok(Some(value)) => Answer::Value(json::to_string(&value, Escape::Plain)),
        Ok(None) => Answer::Undefined,
        Err(error) => {
            Answer::Error(error.code.as_str().to_owned(), format!("{}: {}", call.row.name, error.message))
        }
    }
}

fn same(ours: &Answer, theirs: &Answer) -> bool {
    match (ours, theirs) {
        (Answer::Value(ours), Answer::Value(theirs)) => {
            // What is wrong with a format of `printf` is said with other types.
            let mistaken = |text: &str| text.contains("%!") || text.contains("EXTRA");
            mistaken(ours) && mistaken(theirs)
                || ours == theirs
                || json::parse(ours.as_bytes()) == json::parse(theirs.as_bytes())
        }
        (Answer::Error(code, ours), Answer::Error(their_code, theirs)) => {
            code == their_code
                && (ours == theirs
                    || both_refuse_yaml(ours, theirs)
                    || same_first_error(ours, theirs)
                    || both_fail_to_render(ours, theirs))
        }
        _ => ours == theirs,
    }
}

/// What is wrong with a YAML text is said in the words of its parser, which is another one here, and a text with two
/// faults may be refused for the other one.
fn both_refuse_yaml(ours: &str, theirs: &str) -> bool {
    let is_yaml = |text: &str| text.starts_with("yaml.unmarshal: ") || text.starts_with("yaml.marshal: ");
    is_yaml(ours) && is_yaml(theirs)
}

/// OPA goes on behind the first parse error, and shows the line of each.
fn same_first_error(ours: &str, theirs: &str) -> bool {
    let first = |text: &str| {
        let (_, errors) = text.strip_prefix("rego.parse_module: ")?.split_once("occurred:")?;
        errors.trim_start().lines().next().map(str::to_owned)
    };
    first(ours).is_some() && first(ours) == first(theirs)
}

/// Go adds the column, and an excerpt of the template.
fn both_fail_to_render(ours: &str, theirs: &str) -> bool {
    let is_render = |text: &str| text.starts_with("strings.render_template: template: template:");
    is_render(ours) && is_render(theirs)
}

/// Asks both about as many calls as `CASES` says, or 250.
fn compare(name: &str, mut arguments: impl FnMut(&mut Random) -> Vec<Value>) {
    if !name.contains(&std::env::var("ONLY").unwrap_or_default()) {
        return;
    }
    let opa = test_support::opa();
    let (seed, cases) = (setting("SEED", 20_261_122), setting("CASES", 250));
    println!("{name}: SEED={seed} CASES={cases}");
    let mut random = Random::new(seed);
    let row = by_name(name).unwrap();
    let calls: Vec<Call> = (0..cases).map(|_| Call { row, args: arguments(&mut random) }).collect();
    let mut wrong = Vec::new();
    let (mut values, mut errors) = (0, 0);
    for batch in calls.chunks(400) {
        for (call, theirs) in batch.iter().zip(opa::answers(opa, batch)) {
            let ours = answer(call);
            match theirs {
                Answer::Value(_) => values += 1,
                _ => errors += 1,
            }
            if !same(&ours, &theirs) {
                wrong.push(format!("{}\n    ours: {ours:?}\n    OPA:  {theirs:?}", call.text(0)));
            }
        }
    }
    let shown = wrong.iter().take(25).cloned().collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "{name}, SEED={seed}: {} of {cases} calls differ\n{shown}", wrong.len());
    println!("{name}: {values} values and {errors} errors agree");
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_uris() {
    for name in ["uri.parse", "uri.is_valid"] {
        compare(name, |random| vec![Value::from(grammar::uri(random))]);
    }
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_globs() {
    compare("regex.globs_match", |random| {
        let (left, right) = grammar::globs(random);
        vec![Value::from(left), Value::from(right)]
    });
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_templates() {
    compare("strings.render_template", |random| {
        vec![Value::from(grammar::template(random)), grammar::template_data()]
    });
}

#[test]
fn templates_without_end_are_stopped() {
    let row = by_name("strings.render_template").unwrap();
    for text in [
        "{{range 1000000000000}}x{{end}}",
        "{{define \"t\"}}{{template \"t\" .}}{{end}}{{template \"t\" .}}",
        &"{{if .x}}".repeat(100_000),
        &"{{(".repeat(100_000),
    ] {
        let call = Call { row, args: vec![Value::from(text), Value::object([])] };
        assert!(matches!(answer(&call), Answer::Error(..)));
    }
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_modules() {
    compare("rego.parse_module", |random| {
        vec![Value::from(*random.pick(&["", "x.rego"])), Value::from(grammar::module(random))]
    });
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_yaml_is_read() {
    for name in ["yaml.unmarshal", "yaml.is_valid"] {
        compare(name, |random| vec![Value::from(grammar::yaml(random))]);
    }
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_yaml_is_written() {
    compare("yaml.marshal", |random| vec![grammar::for_yaml(random)]);
}

#[test]
fn a_document_that_expands_without_measure_is_refused() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    let call = Call { row: by_name("yaml.unmarshal").unwrap(), args: vec![Value::from(text)] };
    let Answer::Error(_, message) = answer(&call) else { panic!("accepted") };
    assert_eq!(message, "yaml.unmarshal: yaml: document contains excessive aliasing");
}

#[test]
fn deep_documents_are_refused() {
    let text = "[".repeat(100_000);
    let call = Call { row: by_name("yaml.unmarshal").unwrap(), args: vec![Value::from(text)] };
    assert!(matches!(answer(&call), Answer::Error(..)));
    let mut text = String::from("a0: &a0 [x]\n");
    for level in 1..2000 {
        text.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
    }
    let call = Call { row: by_name("yaml.unmarshal").unwrap(), args: vec![Value::from(text)] };
    assert!(matches!(answer(&call), Answer::Error(..)));
}

#[test]
fn long_patterns_take_no_time() {
    let (left, right) = (".*a".repeat(600), ".*b".repeat(600));
    let args = vec![Value::from(left), Value::from(right)];
    let call = Call { row: by_name("regex.globs_match").unwrap(), args };
    assert_eq!(answer(&call), Answer::Value("false".to_owned()));
}

#[test]
fn broken_documents_never_panic() {
    let (seed, cases) = (setting("SEED", 20_261_122), setting("FUZZ", 3000));
    println!("SEED={seed} FUZZ={cases}");
    let mut random = Random::new(seed);
    let row = by_name("yaml.unmarshal").unwrap();
    for _ in 0..cases {
        let mut text = grammar::yaml(&mut random);
        for _ in 0..random.below(4) {
            text = grammar::damaged_yaml(&text, &mut random);
        }
        let call = Call { row, args: vec![Value::from(text.as_str())] };
        let answered = std::panic::catch_unwind(|| answer(&call));
        assert!(answered.is_ok(), "{text:?}");
    }
}
