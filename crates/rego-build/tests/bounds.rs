//! Policies at the limits of the language, from text to module on the stack of a test's thread.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use rego_build::{Options, Source, build};

fn chain(branches: usize) -> String {
    let links: Vec<String> = (0..branches).map(|i| format!("else := {i} if input.x == {i}\n")).collect();
    format!("package p\n\nx := -1 if input.x == -1\n{}", links.concat())
}

#[test]
fn a_rule_may_have_a_thousand_branches() {
    let sources = [Source::new("p.rego", chain(1_000))];
    build(&sources, &["p/x"], &Options::default()).unwrap_or_else(|error| panic!("{error}"));
    let sources = [Source::new("p.rego", chain(1_500))];
    let error = build(&sources, &["p/x"], &Options::default()).unwrap_err().to_string();
    assert_eq!(error.matches("max parsing recursion depth exceeded").count(), 1, "{error}");
    assert!(!error.contains("unexpected else"), "{error}");
}
