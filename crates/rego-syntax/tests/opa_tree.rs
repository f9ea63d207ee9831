//! The tree against the tree of a real OPA: `HEXARCH_OPA=path/to/opa cargo test -p rego-syntax --test opa_tree`.
//! `HEXARCH_OPA_STRIDE=n` takes every n-th module only (each costs a process).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod corpus;

use rego_syntax::ast::module_to_json;
use rego_syntax::{FileId, ParserOptions, SourceFile, parse_module};
use serde_json::{Value as Json, json};

/// JSON without what only one side has: numbers are compared by value, and of equal keys, which OPA drops in a later
/// stage, the last value stays.
fn normal(value: &mut Json) {
    match value {
        Json::Array(items) => items.iter_mut().for_each(normal),
        Json::Object(fields) => {
            fields.remove("location");
            // Of comments, whose file is another one here.
            fields.remove("file");
            if fields.get("type").is_some_and(|t| t == "number") {
                let text = fields["value"].to_string();
                let number: f64 = text.trim_matches('"').parse().unwrap();
                fields.insert("value".to_owned(), format!("{number:.13e}").into());
            }
            if fields.get("type").is_some_and(|t| t == "null") {
                fields.remove("value");
            }
            if fields.get("parts").is_some_and(Json::is_null) {
                fields.insert("parts".to_owned(), json!([]));
            }
            fields.values_mut().for_each(normal);
            if fields.get("type").is_some_and(|t| t == "object") {
                let entries = fields["value"].as_array_mut().unwrap();
                entries.dedup_by(|later, first| {
                    let equal = later[0] == first[0];
                    if equal {
                        first[1] = later[1].take();
                    }
                    equal
                });
            }
        }
        _ => {}
    }
}

#[test]
#[ignore = "needs the conformance corpus and OPA"]
fn needs_corpus_the_tree_is_opas() {
    let opa = test_support::opa();
    let folder = corpus::folder();
    let stride = std::env::var("HEXARCH_OPA_STRIDE").ok().and_then(|s| s.parse().ok()).unwrap_or(1);
    let path = std::env::temp_dir().join(format!("rego-syntax-tree-{}.rego", std::process::id()));
    let mut wrong = 0;
    let mut total = 0;
    for name in ["accepted", "type"] {
        for case in corpus::read(&folder.join(format!("check/{name}.jsonl"))).iter().step_by(stride) {
            let text = case["module"].as_str().unwrap();
            std::fs::write(&path, text).unwrap();
            let output =
                std::process::Command::new(opa).args(["parse", "-f", "json"]).arg(&path).output().unwrap();
            let Ok(mut wanted) = serde_json::from_slice::<Json>(&output.stdout) else { continue };
            total += 1;
            wanted.as_object_mut().unwrap().remove("annotations");
            for rule in wanted["rules"].as_array_mut().into_iter().flatten() {
                rule.as_object_mut().unwrap().remove("annotations");
            }
            // The command writes an empty list of rules as null; `rego.parse_module` leaves it out, and so do we.
            if wanted["rules"].is_null() {
                wanted.as_object_mut().unwrap().remove("rules");
            }
            normal(&mut wanted);
            let file = SourceFile::new(FileId(0), "p.rego", text);
            let found = parse_module(&file, &ParserOptions::default()).into_result().unwrap();
            let mut found: Json = serde_json::from_str(&module_to_json(&found, &file)).unwrap();
            normal(&mut found);
            if found != wanted {
                wrong += 1;
                if wrong <= 5 {
                    println!("{text}\nwant {wanted}\nfound {found}\n");
                }
            }
        }
    }
    std::fs::remove_file(&path).unwrap();
    println!("{total} trees compared");
    assert_eq!(wrong, 0, "of {total}");
}
