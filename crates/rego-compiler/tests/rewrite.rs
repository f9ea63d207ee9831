//! What the stages make of a policy: source above the line, the rules as the planner gets them below.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use rego_compiler::{CheckedProgram, Options, PrintCalls};
use rego_syntax::ast::{RegoVersion, Rule};
use rego_syntax::{ParserOptions, parse_query};

fn program(text: &str) -> CheckedProgram {
    let options = Options { print: PrintCalls::Keep, ..Options::default() };
    match support::compile(&[("policy.rego".to_owned(), text)], RegoVersion::V1, &options) {
        Ok(program) => program,
        Err((found, sources)) => panic!("{}", rego_syntax::render_all(&found, &sources)),
    }
}

fn rewritten(source: &str) -> String {
    let program = program(&format!("package a\n{source}"));
    let branches = |rule| std::iter::successors(Some(rule), |rule: &&Rule| rule.else_rule.as_deref());
    let rules = program.modules()[0].rules.iter().flat_map(branches);
    rules.map(|rule| format!("{} if {{ {} }}\n", rule.head, rule.body)).collect()
}

/// Every case of the file: `=== name`, source, `---`, the rewritten rules. `BLESS=1` writes what comes out.
#[test]
fn rules_reach_the_planner_in_the_form_it_takes() {
    let text = include_str!("rewrite.txt");
    let mut actual = String::new();
    for case in text.split("=== ").skip(1) {
        let (name, rest) = case.split_once('\n').unwrap();
        let (source, _) = rest.split_once("---\n").unwrap();
        actual.push_str(&format!("=== {name}\n{source}---\n{}\n", rewritten(source)));
    }
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/rewrite.txt"), &actual).unwrap();
    } else {
        assert_eq!(actual, text);
    }
}

#[test]
fn a_query_is_checked_against_its_program() {
    let program = program("package a\nf(x) := x + 1\np contains 1\n");
    let mut sources = program.sources().clone();
    let mut compile = |text: &str| {
        let file = sources.add("query", text);
        let query = parse_query(&file, &ParserOptions::default()).into_result().unwrap();
        program.compile_query(query)
    };
    let query = compile("y := data.a.f(2); y == x; x = 3").unwrap();
    assert_eq!(
        query.body().to_string(),
        "data.a.f(2, __localq1__); __localq0__ = __localq1__; x = 3; equal(__localq0__, x)"
    );
    let names: Vec<String> = query.source_names().values().map(ToString::to_string).collect();
    assert_eq!(names, ["y"]);
    let error = |text: &str, compile: &mut dyn FnMut(&str) -> _| -> String {
        let found: Result<rego_compiler::CheckedQuery, Vec<rego_syntax::Diagnostic>> = compile(text);
        found.unwrap_err().first().map(|first| first.message.clone()).unwrap_or_default()
    };
    assert_eq!(error("data.a.f(1, 2, 3, 4)", &mut compile), "function data.a.f has arity 1, got 4 arguments");
    assert_eq!(error("x > 1", &mut compile), "var x is unsafe");
    assert_eq!(error("count(data.a.f(\"a\"))", &mut compile), "data.a.f: invalid argument(s)");
}

#[test]
fn a_type_error_says_what_was_given_and_what_is_wanted() {
    let modules =
        [("policy.rego".to_owned(), "package a\np if startswith(\"x\", input.y, 1, 2)\nq := 1 + \"a\"\n")];
    let (first, _) =
        support::compile(&modules, RegoVersion::V1, &Options::default()).map(|_| ()).unwrap_err();
    assert_eq!(first[0].message, "startswith: arity mismatch");
    assert_eq!(
        first[0].help.as_deref().unwrap().split_whitespace().collect::<Vec<_>>().join(" "),
        "have: (string, any, number, number) want: (search: string, base: string)"
    );
}

#[test]
fn a_program_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<CheckedProgram>();
    shared::<rego_compiler::CheckedQuery>();
}
