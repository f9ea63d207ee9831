//! Policies that are large or deep in one way or another: no stack overflows, and time does not explode.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_types,
    reason = "tests"
)]

mod support;

use std::time::{Duration, Instant};

use rego_compiler::Options;
use rego_syntax::ast::RegoVersion;

fn compile(text: &str) -> Result<(), String> {
    let modules = [("policy.rego".to_owned(), text)];
    match support::compile(&modules, RegoVersion::V1, &Options::default()) {
        Ok(_) => Ok(()),
        Err((found, _)) => Err(found.first().map(|first| first.message.clone()).unwrap_or_default()),
    }
}

fn nested(open: &str, inner: &str, close: &str, depth: usize) -> String {
    format!("{}{inner}{}", open.repeat(depth), close.repeat(depth))
}

/// As deep as the parser goes, on the stack of an ordinary thread.
#[test]
fn nesting_up_to_the_limit_of_the_parser_needs_no_large_stack() {
    let constructs: [(&str, &str, &str); 9] = [
        ("[", "input.x", "]"),
        ("{\"a\": ", "input.x", "}"),
        ("{", "input.x", "}"),
        ("count([", "input.x", "])"),
        ("[x | x := ", "input.x", "]"),
        ("{x: 1 | x := ", "input.x", "}"),
        ("input[", "input.x", "]"),
        ("1 + (", "input.x", ")"),
        ("[y | every x in input.xs { x == 1 }; y := ", "input.x", "]"),
    ];
    for (open, inner, close) in constructs {
        for depth in [60, 120, 250, 1_000] {
            let text = format!("package a\np := {}\n", nested(open, inner, close, depth));
            // Where the parser refuses, that is the answer; where it does not, the checks have to hold.
            let answer = compile(&text);
            println!("{open} {depth}: {answer:?}");
        }
    }
}

#[test]
fn chains_of_rules_and_references_may_be_long() {
    let chain: String = (1..5_000).map(|i| format!("r{i} := r{}\n", i - 1)).collect();
    assert_eq!(compile(&format!("package a\nr0 := 1\n{chain}")), Ok(()));
    let circle = format!("package a\nr0 := r4999\n{chain}");
    let answer = compile(&circle).unwrap_err();
    assert!(
        answer.starts_with("rule data.a.r0 is recursive: data.a.r0 -> data.a.r4999 -> "),
        "{answer:.200}"
    );
    let long: String = (0..5_000).map(|i| format!(".a{i}")).collect();
    assert_eq!(compile(&format!("package a{long}\np := input{long}\nq{long} := data{long}\n")), Ok(()));
}

fn fastest(text: &str) -> Duration {
    let time = || {
        let start = Instant::now();
        assert_eq!(compile(text), Ok(()));
        start.elapsed()
    };
    (0..3).map(|_| time()).min().unwrap()
}

/// Four times the policy must not take sixteen times as long, in any direction that policies grow.
#[test]
fn time_grows_with_the_size_of_the_policy() {
    let rule = |i: usize| {
        format!(
            "r{i} := x if {{ x := input.a.b{i}; some y in input.xs; y == x; count([z | z := input.q[_]; z > y]) > 2 }}\n"
        )
    };
    let call = |i: usize| {
        format!("allow if {{ input.user == \"u{i}\"; f{i}(input.x) }}\nf{i}(x) := y if y := x + {i}\n")
    };
    let with = |i: usize| format!("p{i} := 1 if q{i} with input as {{}} with data.b as 1\nq{i} := data.b\n");
    let line = |i: usize| format!("x{i} := input.a{i}\nx{i} > count([y | y := input.b[_]; y > x{i}])\n");
    let rules = |n: usize, rule: &dyn Fn(usize) -> String| -> String {
        format!("package a\n{}", (0..n).map(rule).collect::<String>())
    };
    let body = |n: usize| format!("package a\np if {{\n{}}}\n", (0..n).map(line).collect::<String>());
    let policies: [(&str, &dyn Fn(usize) -> String); 4] = [
        ("rules", &|n| rules(n, &rule)),
        ("calls", &|n| rules(n, &call)),
        ("with", &|n| rules(n, &with)),
        ("body", &body),
    ];
    for (name, policy) in policies {
        let (small, large) = (fastest(&policy(75)), fastest(&policy(300)));
        println!("{name}: {small:?}, four times as large {large:?}");
        assert!(large < small * 12, "{name}: {small:?}, four times as large {large:?}");
    }
}
