//! The JSON Schema of hexarch.yaml: committed as it is generated, and at one with the reader.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "support/pages.rs"]
mod pages;
mod support;

use std::path::{Path, PathBuf};

use guard_policy::{LoadOptions, export_json, json_schema, key_reference, load, parse};
use serde_json::{Value, json};

#[test]
fn the_schema_is_committed_as_it_is_generated() {
    pages::assert_current(
        "hexarch.schema.json",
        &format!("{}\n", serde_json::to_string_pretty(&json_schema()).unwrap()),
    );
}

#[test]
fn the_list_of_keys_is_committed_as_it_is_generated() {
    pages::assert_current("hexarch-yaml.md", &key_reference());
}

/// Every hexarch.yaml of the packs and of the tests.
fn files() -> Vec<PathBuf> {
    let root = support::root();
    let below = |path: &Path| -> Vec<PathBuf> {
        std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path().join("hexarch.yaml")).collect()
    };
    let mut files = below(&root.join("policies"));
    files.extend(below(&root.join("crates/guard-policy/tests/keys")));
    files.retain(|path| path.is_file());
    assert!(files.len() > 15);
    files
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_the_schema_takes_what_the_reader_takes_and_refuses_what_it_refuses() {
    let mut cases = Vec::new();
    for file in files() {
        let options = LoadOptions { allow_writable_by_others: true, ..LoadOptions::default() };
        let policies = load(&file, &options).unwrap();
        for policy in policies.policies() {
            let document: Value = serde_json::from_str(&export_json(policy)).unwrap();
            cases.push((document, true));
        }
    }
    for (document, sound) in [
        (json!({"policies": []}), true),
        (json!({}), false),
        (json!({"policies": [], "enforcement": "lenient"}), false),
        (json!({"policies": [], "opa": {"order": "wasm"}}), false),
        (
            json!({"policies": [], "opa": {"url": "https://h", "health_check_interval": 5, "tls": {"ca_file": "c"}}}),
            true,
        ),
        (json!({"policies": [], "opa": {"url": "https://h", "health_check_interval": 0}}), false),
        (json!({"policies": [], "opa": {"url": "https://h", "tls": {"ca": "c"}}}), false),
        (json!({"policies": [], "audit": {"store": "sqlite:a.db", "durability": "before_outcome"}}), true),
        (json!({"policies": [], "audit": {"durability": "async"}}), false),
        (json!({"policies": [], "prices": "shipped"}), true),
        (json!({"policies": [], "prices": {"gpt": 1}}), false),
        (json!({"policies": [], "fail_mode": {"delete*": "closed", "default": "open"}}), true),
        (json!({"policies": [], "fail_mode": {"delete*": "shut"}}), false),
        (json!({"policies": [], "state": {"store": "sqlite", "path": "state.db"}}), true),
        (json!({"policies": [], "state": {"store": "redis", "url": "redis://h", "leased": true}}), true),
        (
            json!({"policies": [], "state": {"store": "redis", "url": "redis://h", "leased": true, "path": "d"}}),
            true,
        ),
        (json!({"policies": [], "state": {"store": "opa", "url": "http://h", "path": "c.db"}}), true),
        (json!({"policies": [], "state": {"path": "state.db"}}), false),
        (json!({"policies": [], "state": {"store": "file"}}), false),
        (json!({"policies": [{"description": "no id"}]}), false),
        (json!({"policies": [{"id": "a", "rules": [{"acton": "block"}]}]}), false),
        (json!({"policies": [{"id": "a", "rules": [{"action": "blok"}]}]}), false),
        (json!({"policies": [{"id": "a", "rules": [{"monthly_budget": 5, "action": "warn_at_80%"}]}]}), true),
        (json!({"policies": [{"id": "a", "rules": [{"monthly_budget": "5"}]}]}), false),
        (json!({"policies": [{"id": "a", "rules": [{"monthly_budget": -5}]}]}), false),
        (json!({"policies": [{"id": "a", "rules": [{"requests_per_hour": 1.5}]}]}), false),
        (json!({"policies": [{"id": "a", "rules": [{"allowed_hours": "25:00-26:00"}]}]}), false),
        (json!({"policies": [{"id": "a", "rules": [{"forbidden_days": ["Sun", "FRIDAY"]}]}]}), true),
        (json!({"policies": [{"id": "a", "rules": [{"forbidden_days": ["someday"]}]}]}), false),
    ] {
        let read = parse("hexarch.json", &document.to_string());
        assert_eq!(read.is_ok(), sound, "{document}: {read:?}");
        cases.push((document, sound));
    }
    pages::assert_schema(&json_schema(), &cases);
}
