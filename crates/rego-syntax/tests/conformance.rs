//! OPA's own modules and verdicts: what OPA parses parses, and what it rejects is rejected at the same place.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod corpus;

use rego_syntax::ast::RegoVersion;
use rego_syntax::{FileId, ParserOptions, SourceFile, parse_module, parse_query};
use serde_json::Value;

/// The language of a case.
fn version(case: &Value) -> RegoVersion {
    match case["rego_version"].as_u64() {
        Some(0) => RegoVersion::V0,
        Some(2) => RegoVersion::V2,
        _ => RegoVersion::V1,
    }
}

/// The names of OPA's built-in functions.
fn builtin_names(folder: &std::path::Path) -> &'static [&'static str] {
    let names: Vec<&'static str> = corpus::read(&folder.join("builtins.json"))
        .iter()
        .map(|row| &*Box::leak(row["name"].as_str().unwrap().to_owned().into_boxed_str()))
        .collect();
    Box::leak(names.into_boxed_slice())
}

fn options(case: &Value, folder: &std::path::Path) -> ParserOptions {
    let mut options = ParserOptions::for_version(version(case));
    options.builtin_names = builtin_names(folder);
    options
}

fn errors(text: &str, options: &ParserOptions) -> Vec<(String, u32, u32, String)> {
    let file = SourceFile::new(FileId(0), "policy.rego", text);
    let parsed = parse_module(&file, options);
    parsed
        .diagnostics
        .iter()
        .map(|d| {
            // What the JSON rendering says too.
            let at = file.token_position(d.span.start);
            (d.code.to_string(), at.row, at.col, d.message.clone())
        })
        .collect()
}

#[test]
#[ignore = "needs the conformance corpus"]
fn needs_corpus_what_opa_parses_parses() {
    let folder = corpus::folder();
    let mut wrong = Vec::new();
    let mut total = 0;
    for name in ["accepted", "compile", "type", "recursion", "unsafe_var"] {
        let cases = corpus::read(&folder.join(format!("check/{name}.jsonl")));
        let options = options(&cases[0], &folder);
        for (index, case) in cases.iter().enumerate() {
            total += 1;
            if let Some(error) = errors(case["module"].as_str().unwrap(), &options).first() {
                wrong.push(format!("{name}:{index}: {error:?}\n{}", case["module"].as_str().unwrap()));
            }
        }
    }
    for w in wrong.iter().take(40) {
        println!("{w}\n-----");
    }
    assert!(wrong.is_empty(), "{} of {total} modules that OPA parses do not parse", wrong.len());
}

#[test]
#[ignore = "needs the conformance corpus"]
fn needs_corpus_what_opa_rejects_is_rejected_at_the_same_place() {
    let folder = corpus::folder();
    let cases = corpus::read(&folder.join("check/parse.jsonl"));
    let options = options(&cases[0], &folder);
    let mut wrong = Vec::new();
    let mut messages = 0;
    let mut whole = 0;
    for (index, case) in cases.iter().enumerate() {
        let module = case["module"].as_str().unwrap();
        let found = errors(module, &options);
        let wanted: Vec<(String, u32, u32, String)> = case["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| {
                let number = |key: &str| u32::try_from(e[key].as_u64().unwrap_or(0)).unwrap();
                let text = |key: &str| e[key].as_str().unwrap().to_owned();
                (text("code"), number("row"), number("col"), text("message"))
            })
            .collect();
        let first = found.first().map(|e| (e.0.clone(), e.1, e.2));
        let mut want = wanted[0].clone();
        // OPA gives an empty module no position at all, row 0; ours is the start of the file.
        if let Some((_, row, col)) = first.as_ref().filter(|_| want.1 == 0) {
            (want.1, want.2) = (*row, *col);
        }
        if first != Some((want.0.clone(), want.1, want.2)) {
            wrong.push(format!("{index}: want {want:?}\n  found {:?}\n{module}", found.first()));
        } else {
            messages += usize::from(found[0].3 == want.3);
            whole += usize::from(want.1 == wanted[0].1 && found.starts_with(&wanted));
        }
    }
    for w in wrong.iter().take(60) {
        println!("{w}\n-----");
    }
    println!("{} agree, {messages} with the same message, {whole} in all errors", cases.len() - wrong.len());
    // The messages that differ are those of the YAML parser.
    assert!(messages + 21 >= cases.len(), "{messages} messages agree");
    assert!(wrong.is_empty(), "{} of {} differ", wrong.len(), cases.len());
}

#[test]
#[ignore = "needs the conformance corpus"]
fn needs_corpus_the_compliance_suites_parse() {
    let folder = corpus::folder();
    let mut wrong = Vec::new();
    let mut total = 0;
    for version in [0, 1] {
        let case = serde_json::json!({ "rego_version": version });
        let options = options(&case, &folder);
        let mut files: Vec<_> = std::fs::read_dir(folder.join(format!("v{version}/cases")))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        for path in files {
            for case in corpus::read(&path) {
                for module in case["modules"].as_array().into_iter().flatten() {
                    total += 1;
                    let text = module.as_str().unwrap();
                    if let Some(error) = errors(text, &options).first() {
                        wrong.push(format!("v{version} {}: {error:?}\n{text}", case["id"]));
                    }
                }
                let query = case["query"].as_str().unwrap();
                let parsed = parse_query(&SourceFile::new(FileId(0), "query", query), &options);
                if let Some(error) = parsed.diagnostics.first() {
                    wrong.push(format!("v{version} {}: {}\n{query}", case["id"], error.message));
                }
            }
        }
    }
    for w in wrong.iter().take(40) {
        println!("{w}\n-----");
    }
    assert!(wrong.is_empty(), "{} of {total} do not parse", wrong.len());
}
