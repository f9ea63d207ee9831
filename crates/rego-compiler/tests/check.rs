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

/// What is wrong with a module, an error a line: `code row:col message`. Nothing where it is accepted.
fn expected_errors(case: &Value, field: &str) -> Vec<String> {
    let errors = case[field].as_array().map(Vec::as_slice).unwrap_or_default();
    let line = |error: &Value| {
        let place = format!("{}:{}", error["row"], error["col"]);
        format!("{} {place} {}", error["code"].as_str().unwrap(), error["message"].as_str().unwrap())
    };
    errors.iter().map(line).collect()
}

fn errors_of(modules: &[&str], case: &Value, options: &Options) -> Vec<String> {
    let named = |(i, text): (usize, &&'_ str)| match i {
        0 => ("policy.rego".to_owned(), (*text).to_owned()),
        i => (format!("policy{i}.rego"), (*text).to_owned()),
    };
    let modules: Vec<(String, String)> = modules.iter().enumerate().map(named).collect();
    let modules: Vec<(String, &str)> =
        modules.iter().map(|(name, text)| (name.clone(), text.as_str())).collect();
    match support::compile(&modules, support::version(case.get("rego_version")), options) {
        Ok(_) => Vec::new(),
        Err((found, sources)) => found
            .iter()
            .map(|error| format!("{} {}", support::place(error, &sources), error.message))
            .collect(),
    }
}

/// What OPA says and what we say. Every error counts, with its place and its words.
fn verdicts(case: &Value) -> (Vec<String>, Vec<String>) {
    let options = Options {
        strict: case["strict"] == true,
        print: PrintCalls::Keep,
        error_limit: Some(10),
        ..Options::default()
    };
    let module = case["module"].as_str().unwrap();
    (expected_errors(case, "errors"), errors_of(&[module], case, &options))
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
#[ignore = "needs the conformance corpus"]
fn needs_corpus_modules_are_accepted_and_rejected_as_opa_does() {
    support::on_main_sized_stack(|| {
        let folder = support::corpus("check");
        let (mut total, mut failed) = (0, BTreeMap::new());
        for file in FILES {
            let text = fs::read_to_string(folder.join(format!("{file}.jsonl"))).unwrap();
            for (at, line) in text.lines().enumerate() {
                let (expected, actual) = verdicts(&serde_json::from_str(line).unwrap());
                total += 1;
                if expected != actual {
                    failed.insert(
                        format!("{file} {}", at + 1),
                        format!("\n  OPA:  {expected:?}\n  here: {actual:?}"),
                    );
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

#[test]
#[ignore = "needs the conformance corpus"]
fn needs_corpus_the_diagnostics_suite_of_opa_agrees() {
    let folder = support::corpus("check");
    let text = fs::read_to_string(folder.join("compilecases.json")).unwrap();
    let cases: Vec<Value> = serde_json::from_str(&text).unwrap();
    for case in &cases {
        let note = case["note"].as_str().unwrap();
        let modules: Vec<&str> =
            case["modules"].as_array().unwrap().iter().map(|m| m.as_str().unwrap()).collect();
        let print = if case["print_statements"] == true { PrintCalls::Keep } else { PrintCalls::Erase };
        let options = Options { strict: case["strict"] == true, print, ..Options::default() };
        let (expected, found) = (expected_errors(case, "want_errors"), errors_of(&modules, case, &options));
        if case["exhaustive"] == true {
            assert_eq!(found, expected, "{note}");
        } else {
            assert!(expected.iter().all(|error| found.contains(error)), "{note}: {found:?}");
        }
    }
}
