//! OPA's verdict on modules: accepted, or rejected with the same code at the same place.
//!
//! What still differs is listed with its cause in `known_failures.txt`; the test fails when one of the list
//! passes, so that the list only ever gets shorter.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::collections::BTreeMap;
use std::fs;

use rego_compiler::{Options, PrintCalls};
use serde_json::Value;

const FILES: [&str; 5] = ["accepted", "compile", "recursion", "type", "unsafe_var"];

/// What OPA says and what we say, as `code row:col` or `accepted`.
fn verdicts(case: &Value) -> (String, String) {
    let expected = match case["errors"].get(0) {
        None => "accepted".to_owned(),
        Some(error) => format!("{} {}:{}", error["code"].as_str().unwrap(), error["row"], error["col"]),
    };
    let options = Options {
        strict: case["strict"] == true,
        print: PrintCalls::Keep,
        error_limit: Some(10),
        ..Options::default()
    };
    let module = case["module"].as_str().unwrap();
    let version = support::version(case.get("rego_version"));
    let actual = match support::compile(&[("policy.rego".to_owned(), module)], version, &options) {
        Ok(_) => "accepted".to_owned(),
        Err((found, sources)) => {
            found.first().map_or_else(String::new, |first| support::place(first, &sources))
        }
    };
    (expected, actual)
}

/// The listed failures: `file line` to cause.
fn known() -> BTreeMap<String, String> {
    let mut known = BTreeMap::new();
    let mut cause = String::new();
    for line in include_str!("known_failures.txt").lines() {
        if let Some(text) = line.strip_prefix("# ") {
            text.clone_into(&mut cause);
        } else if let Some((file, numbers)) = line.split_once(' ') {
            known.extend(numbers.split_whitespace().map(|n| (format!("{file} {n}"), cause.clone())));
        }
    }
    known
}

#[test]
fn modules_are_accepted_and_rejected_as_opa_does() {
    support::on_main_sized_stack(|| {
        let Some(folder) = support::corpus("check") else { return };
        let (mut total, mut failed) = (0, BTreeMap::new());
        for file in FILES {
            let text = fs::read_to_string(folder.join(format!("{file}.jsonl"))).unwrap();
            for (at, line) in text.lines().enumerate() {
                let (expected, actual) = verdicts(&serde_json::from_str(line).unwrap());
                total += 1;
                if expected != actual {
                    failed.insert(format!("{file} {}", at + 1), format!("OPA: {expected}, here: {actual}"));
                }
            }
        }
        let known = known();
        println!("{} of {total} modules as OPA", total - failed.len());
        let new: Vec<_> = failed.iter().filter(|(case, _)| !known.contains_key(*case)).collect();
        let fixed: Vec<_> = known.keys().filter(|case| !failed.contains_key(*case)).collect();
        for (case, difference) in &new {
            println!("{case}: {difference}");
        }
        assert!(new.is_empty(), "{} modules differ that are not in known_failures.txt", new.len());
        assert!(fixed.is_empty(), "these pass now, take them out of known_failures.txt: {fixed:?}");
    });
}
