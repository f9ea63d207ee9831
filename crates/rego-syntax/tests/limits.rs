//! What is too deep, too ambiguous or not text at all is an error, not a crash, and a quick one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "tests"
)]

use std::time::{Duration, Instant};

use rego_syntax::ast::visit::{VarFilter, vars};
use rego_syntax::{
    FileId, FormatOptions, ParserOptions, SourceError, SourceFile, SourceMap, format_module, parse_module,
    render_all,
};

fn first_message(text: String) -> Option<String> {
    let started = Instant::now();
    let file = SourceFile::new(FileId(0), "p.rego", text);
    let parsed = parse_module(&file, &ParserOptions::default());
    assert!(started.elapsed() < Duration::from_secs(20), "took {:?}", started.elapsed());
    parsed.diagnostics.first().map(|d| d.message.clone())
}

const TOO_DEEP: &str = "max parsing recursion depth exceeded";

#[test]
fn deep_nesting_is_an_error() {
    for (open, close) in
        [("[", "]"), ("{", "}"), ("(", ")"), ("{1: ", "}"), ("f(", ")"), ("x[", "]"), ("[1 | 1 == ", "]")]
    {
        let text = format!("package p\n\nq := {}1{}\n", open.repeat(10_000), close.repeat(10_000));
        assert_eq!(first_message(text).as_deref(), Some(TOO_DEEP), "{open}");
        let unclosed = format!("package p\n\nq := {}", open.repeat(10_000));
        assert_eq!(first_message(unclosed).as_deref(), Some(TOO_DEEP), "{open}");
    }
}

#[test]
fn deep_nesting_of_bodies_is_an_error() {
    let imports = "package p\nimport future.keywords.not\nimport future.keywords.and\n\n";
    for (open, close) in
        [("every x in y { ", " }"), ("not { ", " }"), ("(not ", ")"), ("{ a and ", " } and b")]
    {
        let text = format!("{imports}q if {{ {}true{} }}\n", open.repeat(10_000), close.repeat(10_000));
        assert!(first_message(text).is_some(), "{open}");
    }
}

#[test]
fn long_chains_of_operators_are_an_error() {
    for chain in [" + 1", " | x", ".f(1)", "[0].g(2)", " == 2", " in x"] {
        let text = format!("package p\n\nq := a{}\n", chain.repeat(10_000));
        let message = first_message(text);
        let shallow = chain == "[0].g(2)" || chain == ".f(1)";
        assert!(message.as_deref() == Some(TOO_DEEP) || shallow, "{chain}: {message:?}");
    }
    let elses = format!("package p\n\nq if {{ a }}{}\n", " else if { b }".repeat(10_000));
    assert_eq!(first_message(elses).as_deref(), Some(TOO_DEEP));
}

#[test]
fn what_is_wide_is_fine() {
    let list = format!("package p\n\nq := [{}]\n", "a + 1, ".repeat(20_000));
    assert_eq!(first_message(list), None);
    let rules = "q if { x == 1 }\n".repeat(20_000);
    assert_eq!(first_message(format!("package p\n\n{rules}")), None);
}

#[test]
fn the_deepest_tree_can_be_walked_cloned_and_dropped_on_a_small_stack() {
    let depth = 250;
    let texts = [
        format!("package p\n\nq := {}1{}\n", "[".repeat(depth), "]".repeat(depth)),
        format!("package p\n\nq := {}1{}\n", "[x | x := ".repeat(depth / 2), "]".repeat(depth / 2)),
        format!("package p\n\nq := {}1{}\n", "f(1 + ".repeat(depth / 2), ")".repeat(depth / 2)),
        format!("package p\n\nq := 1{}\n", " + 1".repeat(depth)),
        format!("package p\n\nq if {{ a }}{}\n", " else if { b }".repeat(1_000)),
    ];
    let worker = std::thread::Builder::new().stack_size(2 << 20).spawn(move || {
        for text in texts {
            let file = SourceFile::new(FileId(0), "p.rego", text);
            let module = parse_module(&file, &ParserOptions::default()).into_result().unwrap();
            let rule = module.rules[0].clone();
            assert_eq!(rule, module.rules[0]);
            let _ = vars(&rule, VarFilter::default());
            assert!(!rule.head.to_string().is_empty());
            // What is written may be nested more deeply than what was read, and is then refused.
            let formatted = format_module(&file, &FormatOptions::default());
            assert!(formatted.is_ok() || !file.text().contains("else"));
        }
    });
    worker.unwrap().join().unwrap();
}

#[test]
fn ambiguous_text_is_given_up_on() {
    // Each level can be read as a comprehension or as a list, and the first reading fails at its end.
    let text = format!("package p\n\nq := {}1{}\n", "[a | ".repeat(100), ", 2]".repeat(100));
    let message = first_message(text).unwrap();
    assert!(message.contains("too ambiguous") || message == TOO_DEEP, "{message}");
}

#[test]
fn a_long_line_full_of_errors_is_reported_in_part() {
    let mut sources = SourceMap::new();
    let file = sources.add("p.rego", format!("package p {}", "q { 1 } ".repeat(100_000)));
    let parsed = parse_module(&file, &ParserOptions::default());
    assert_eq!(parsed.diagnostics.len(), 200);
    assert!(render_all(&parsed.diagnostics, &sources).len() < 200 * 1000);
}

#[test]
fn invalid_utf8_has_a_place() {
    let error =
        SourceFile::from_bytes(FileId(0), "p.rego", b"package p\n\nq := \"\xc3\xa9\xff\"").unwrap_err();
    assert_eq!(error.to_string(), "p.rego:3:8: invalid UTF-8");
    assert!(matches!(error, SourceError::InvalidUtf8 { .. }));
}
