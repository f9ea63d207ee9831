//! The programs of OPA's compliance suite compile, queries included.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::fs;

use rego_builtins::{Arg, Builtin, Implementation, Type};
use rego_compiler::Options;
use rego_syntax::ast::RegoVersion;
use rego_syntax::{ParserOptions, parse_query};
use serde_json::Value;

/// A function that OPA has in its tests only.
static SLEEP: Builtin = Builtin {
    name: "test.sleep",
    infix: None,
    args: &[Arg::new("duration", Type::String)],
    variadic: None,
    result: Some(Arg::new("", Type::Null)),
    nondeterministic: true,
    deprecated: false,
    relation: false,
    implementation: Implementation::Unsupported,
};

fn compile_case(case: &Value, version: RegoVersion) -> Result<(), String> {
    let texts: Vec<&str> = case["modules"]
        .as_array()
        .map(|list| list.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let modules: Vec<(String, &str)> =
        texts.iter().enumerate().map(|(i, text)| (format!("test-{i}.rego"), *text)).collect();
    let options = Options { host_builtins: vec![&SLEEP], ..Options::default() };
    let program = support::compile(&modules, version, &options)
        .map_err(|(found, sources)| rego_syntax::render_all(&found, &sources))?;
    let mut sources = program.sources().clone();
    let file = sources.add("query", case["query"].as_str().unwrap());
    let query = parse_query(
        &file,
        &ParserOptions { all_future_keywords: true, ..ParserOptions::for_version(version) },
    );
    let query = query.into_result().map_err(|found| rego_syntax::render_all(&found, &sources))?;
    program.compile_query(query).map_err(|found| rego_syntax::render_all(&found, &sources))?;
    Ok(())
}

fn all_compile(part: &'static str, version: RegoVersion) {
    support::on_main_sized_stack(move || {
        let folder = support::corpus(part);
        let (mut total, mut failed) = (0, 0);
        let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        for path in files {
            let cases: Vec<Value> = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
            for case in &cases {
                total += 1;
                if let Err(why) = compile_case(case, version) {
                    failed += 1;
                    println!("{}: {why}", case["id"].as_str().unwrap());
                }
            }
        }
        println!("{} of {total} programs compile", total - failed);
        assert_eq!(failed, 0);
    });
}

#[test]
#[ignore = "needs the conformance corpus"]
fn needs_corpus_all_programs_of_the_suite_compile() {
    all_compile("v1/cases", RegoVersion::V1);
}

#[test]
#[ignore = "needs the conformance corpus"]
fn needs_corpus_all_programs_of_the_suite_for_the_first_version_compile() {
    all_compile("v0/cases", RegoVersion::V0);
}
