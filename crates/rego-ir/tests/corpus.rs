//! Every plan of the conformance corpus is read, verified and written again unchanged.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::path::PathBuf;

use rego_ir::{from_json, from_json_value, parse_text, print_text, to_json, verify};
use serde_json::Value;

/// The folder of plans; `None` where the corpus is not there.
fn plans_dir() -> Option<PathBuf> {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance/v1/plans");
    dir.is_dir().then_some(dir)
}

/// Go writes a nil slice as null; the reader takes it for the empty list it means.
fn normalise(json: &mut Value) {
    match json {
        Value::Array(items) => items.iter_mut().for_each(normalise),
        Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                if value.is_null() && matches!(key.as_str(), "path" | "args" | "blocks" | "funcs") {
                    *value = Value::Array(Vec::new());
                }
                normalise(value);
            }
        }
        _ => {}
    }
}

#[test]
#[ignore = "needs the conformance corpus"]
fn needs_corpus_every_plan_round_trips_and_verifies() {
    let dir = plans_dir().expect("the conformance corpus");
    let mut count = 0;
    for entry in std::fs::read_dir(dir).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let cases: Vec<Value> = serde_json::from_str(&text).unwrap();
        for case in cases {
            let id = case["id"].as_str().unwrap();
            let mut json = case["plan"].clone();
            let policy = from_json_value(&json).unwrap_or_else(|e| panic!("{id}: {e}"));
            assert_eq!(from_json(&json.to_string()).as_ref(), Ok(&policy), "{id}");
            // Declarations are kept as they are, so only the plan's own lists are normalised on both sides.
            let mut written = to_json(&policy);
            normalise(&mut json);
            normalise(&mut written);
            assert_eq!(written, json, "{id}");
            let text = print_text(&policy);
            let parsed = parse_text(&text).unwrap_or_else(|e| panic!("{id}: {e}\n{text}"));
            assert_eq!(parsed, policy, "{id}");
            verify(policy).unwrap_or_else(|e| panic!("{id}: {e:#?}"));
            count += 1;
        }
    }
    assert!(count > 0, "the corpus is empty");
}
