//! `hexarch-ctl audit`, on the log of a command that was checked and one that was denied.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::process::{Command, Output};

use test_support::Folder;

fn ctl(folder: &Folder, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hexarch-ctl"))
        .current_dir(folder.path())
        .args(arguments)
        .output()
        .unwrap()
}

fn told(folder: &Folder, arguments: &[&str]) -> String {
    let output = ctl(folder, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_log_is_listed_verified_and_exported() {
    let folder = Folder::new("ctl-audit");
    folder.write(
        "hexarch.yaml",
        "audit: {store: \"sqlite:audit.db\"}\npolicies:\n  - id: p\n    rules:\n      \
         - {operation: drop, action: block}\n",
    );
    let run =
        |operation: &str| ctl(&folder, &["run", "--policy", "p", "--operation", operation, "--", "true"]);
    assert_eq!(run("read").status.code(), Some(0));
    assert_eq!(run("drop").status.code(), Some(3));
    let list = told(&folder, &["audit", "list"]);
    assert!(list.contains("allowed") && list.contains("blocked"), "{list}");
    let blocked = told(&folder, &["audit", "blocked", "--since", "24h"]);
    assert!(blocked.lines().count() == 1 && blocked.contains("blocked"), "{blocked}");
    assert_eq!(told(&folder, &["audit", "list", "--policy-id", "q", "--format", "json"]), "[]\n");
    let json: serde_json::Value =
        serde_json::from_str(&told(&folder, &["audit", "export", "--format", "json"])).unwrap();
    assert_eq!(json[0]["sequence"], 1);
    let csv = told(&folder, &["audit", "export", "--format", "csv"]);
    assert_eq!(csv.lines().count(), json.as_array().unwrap().len() + 1);
    let verified = told(&folder, &["audit", "verify", "--store", "sqlite:audit.db"]);
    assert!(verified.contains("records, none changed"), "{verified}");
    assert!(!ctl(&folder, &["audit", "list", "--since", "yesterday"]).status.success());
    let log = rusqlite::Connection::open(folder.path().join("audit.db")).unwrap();
    log.execute_batch("UPDATE entries SET decision = 'allowed' WHERE decision = 'blocked'").unwrap();
    let output = ctl(&folder, &["audit", "verify"]);
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains("it does not say what was written"), "{error}");
    log.execute_batch("DROP TABLE entries").unwrap();
    let output = ctl(&folder, &["audit", "verify"]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("cannot be the audit log: no such table: entries"), "{error}");
}

#[test]
fn an_empty_user_is_nobody() {
    let folder = Folder::new("ctl-audit-user");
    folder.write("hexarch.yaml", "audit: {store: \"sqlite:audit.db\"}\npolicies: [{id: p, rules: [{operation: drop, action: block}]}]\n");
    for user in ["", "ana"] {
        let output = ctl(&folder, &["run", "--policy", "p", "--user", user, "--", "true"]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
    }
    let json: serde_json::Value =
        serde_json::from_str(&told(&folder, &["audit", "export", "--format", "json"])).unwrap();
    let users: Vec<_> = json.as_array().unwrap().iter().filter_map(|entry| entry.get("user_id")).collect();
    assert_eq!(users, [&serde_json::Value::Null, &"ana".into()]);
}

#[test]
fn what_is_no_log_is_told() {
    let folder = Folder::new("ctl-audit-none");
    folder.write("empty.db", "");
    for (store, expected) in [
        ("sqlite:.", "`.` cannot be the audit log: it is a directory"),
        ("sqlite:empty.db", "`empty.db` cannot be the audit log: it is no audit log"),
        ("sqlite:none.db", "`none.db` cannot be the audit log: unable to open"),
        ("audit.db", "`audit.db` is no address of an audit log: `sqlite:PATH`"),
    ] {
        let output = ctl(&folder, &["audit", "verify", "--store", store]);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(error.contains(expected), "{error}");
    }
}
