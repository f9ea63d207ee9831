//! `audit` of hexarch.yaml through the SDK: what is kept of a call, when, and what happens when it cannot be.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::path::Path;

use guard_audit::{Filter, Reader, json_row};
use hexarch_guardrails::{GuardError, Guardian};
use serde_json::Value;
use test_support::Folder;

fn guardian(path: &Path, keys: &str, more: &str) -> Guardian {
    let text = format!(
        "audit: {{store: \"sqlite:{}\", {keys}}}\n{more}\npolicies:\n  - id: p\n    rules:\n      \
         - {{operation: drop, action: block}}\n      - {{monthly_budget: 1.00}}\n",
        path.display()
    );
    Guardian::builder().policy_text("hexarch.yaml", text).build().unwrap_or_else(|error| panic!("{error}"))
}

fn entries(path: &Path) -> Vec<Value> {
    let mut entries = Vec::new();
    let reader = Reader::open(path).unwrap();
    reader
        .entries(&Filter::default(), |entry| {
            entries.push(json_row(&entry));
            true
        })
        .unwrap();
    assert!(reader.verify().unwrap().is_ok());
    entries
}

#[test]
fn a_call_is_kept_with_its_decision_and_its_end_and_without_its_secrets() {
    let folder = Folder::new("sdk-audit");
    let path = folder.path().join("audit.db");
    let guardian = guardian(&path, "durability: before_outcome", "");
    let check = |operation: &str| {
        let check = guardian.check("p").unwrap().operation(operation).user("ann").cost("0.25");
        check.context("table", "users").context("password", "hunter2").secret("pepper", "p1")
    };
    check("read")
        .run(|| {
            // The decision is there before the call is.
            assert_eq!(entries(&path).len(), 1);
        })
        .unwrap();
    check("drop").run(|| panic!("it ran")).unwrap_err();
    let all = entries(&path);
    let told = |entry: &Value| {
        format!("{} {}", entry["kind"].as_str().unwrap(), entry["decision"].as_str().unwrap())
    };
    let told: Vec<String> = all.iter().map(told).collect();
    assert_eq!(told, ["decision allowed", "completed allowed", "decision blocked"]);
    assert_eq!(all[0]["user_id"], "ann");
    assert_eq!(all[0]["decision_id"], all[1]["decision_id"]);
    assert_eq!(
        all[0]["context"],
        serde_json::json!({"password": "(hidden)", "pepper": "(hidden)", "table": "users"})
    );
    assert_eq!((all[2]["runs"].as_bool(), all[2]["action"].as_str()), (Some(false), Some("block")));
}

#[test]
fn what_waits_is_written_when_the_guardian_goes() {
    let folder = Folder::new("sdk-audit");
    let path = folder.path().join("audit.db");
    let guardian = guardian(&path, "durability: grouped", "");
    for _ in 0..200 {
        guardian.check("p").unwrap().operation("read").cost("0").decide().unwrap();
    }
    drop(guardian);
    assert_eq!(entries(&path).len(), 200);
}

#[test]
fn what_cannot_be_kept_before_the_outcome_does_as_the_fail_mode_says() {
    for (mode, runs) in [("", false), ("fail_mode: open", true)] {
        let folder = Folder::new("sdk-audit");
        let path = folder.path().join("audit.db");
        let guardian = guardian(&path, "durability: before_outcome", mode);
        rusqlite::Connection::open(&path).unwrap().execute_batch("DROP TABLE head").unwrap();
        let ran = guardian.check("p").unwrap().operation("read").cost("0.25").run(|| ());
        match ran {
            Ok(()) => assert!(runs, "it ran"),
            Err(GuardError::Denied(violation)) => {
                assert!(!runs && violation.reason.contains("no such table: head"), "{}", violation.reason);
            }
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn a_file_that_cannot_be_the_log_is_told_with_its_line() {
    let folder = Folder::new("sdk-audit");
    let path = folder.write("audit.db", "no database, and long enough to be taken for one".repeat(50));
    let text = format!("audit:\n  store: \"sqlite:{}\"\npolicies: []\n", path.display());
    let told =
        Guardian::builder().policy_text("hexarch.yaml", text).build().map(drop).unwrap_err().to_string();
    assert!(told.starts_with("hexarch.yaml:2:10: ") && told.contains("cannot be the audit log"), "{told}");
}
