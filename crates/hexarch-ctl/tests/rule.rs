//! `hexarch-ctl rule`: what is printed, and with which exit code it ends.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use test_support::{Folder, root};

fn ctl(arguments: &[&str], path: Option<&Path>, input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hexarch-ctl"));
    command.arg("rule").args(arguments).args(path);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that does not read its input has gone by now.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The page for authors: its first YAML, the call that it asks about, and what it shows.
fn page() -> (String, String, String) {
    let page = std::fs::read_to_string(root().join("docs/rules.md")).unwrap();
    let fenced = |kind: &str| {
        let (_, rest) = page.split_once(&format!("```{kind}\n")).unwrap();
        rest.split_once("```").unwrap().0.to_owned()
    };
    let call = fenced("sh")
        .lines()
        .find_map(|line| Some(line.strip_prefix("echo '")?.split_once('\'')?.0.to_owned()));
    (fenced("yaml"), call.unwrap(), fenced("text"))
}

fn written(folder: &Folder) -> std::path::PathBuf {
    folder.write("rules.yaml", page().0)
}

#[test]
fn the_page_shows_what_is_printed() {
    let folder = Folder::new("rule");
    let (_, call, expected) = page();
    let output = ctl(&["evaluate", "--input", "-", "--trace"], Some(&written(&folder)), &call);
    assert_eq!(out(&output), expected, "{}", err(&output));
    assert_eq!(output.status.code(), Some(3));
}

#[test]
fn rules_are_listed_and_shown() {
    let folder = Folder::new("rule");
    let path = written(&folder);
    let listed = out(&ctl(&["list"], Some(&path), ""));
    let order: Vec<&str> = listed.lines().skip(1).filter_map(|line| line.split_whitespace().nth(1)).collect();
    assert_eq!(order, ["large", "abroad", "odd_account"], "{listed}");
    let listed: Value =
        serde_json::from_str(&out(&ctl(&["list", "--format", "json"], Some(&path), ""))).unwrap();
    assert_eq!(listed[0]["when"]["conditions"][1]["expected"], 500);
    let path = path.display().to_string();
    let shown = out(&ctl(&["get", &path, "abroad"], None, ""));
    assert!(shown.contains("context.country not_in [\"de\",\"fr\"] (line 24)"), "{shown}");
    let shown: Value =
        serde_json::from_str(&out(&ctl(&["get", "--format", "json", &path, "large"], None, ""))).unwrap();
    assert_eq!((&shown["priority"], &shown["metadata"]["team"]), (&100.into(), &"payments".into()));
    let missing = ctl(&["get", &path, "larg"], None, "");
    assert_eq!(missing.status.code(), Some(1));
    assert!(err(&missing).contains("there is no rule `larg`; there are `large`"), "{}", err(&missing));
}

#[test]
fn the_exit_code_says_what_was_decided() {
    let folder = Folder::new("rule");
    let path = written(&folder);
    let call = folder
        .write("call.json", r#"{"operation": "read", "context": {"iban": "DE00X"}}"#)
        .display()
        .to_string();
    let allowed = ctl(&["evaluate", "--input", &call, "--format", "json"], Some(&path), "");
    assert_eq!(allowed.status.code(), Some(0), "{}", err(&allowed));
    let told: Value = serde_json::from_str(&out(&allowed)).unwrap();
    assert_eq!((&told["decision"]["action"], told.get("rules")), (&"allow".into(), None));
    for (input, code) in [
        (r#"{"operation": "refund", "context": {"amount": 5, "iban": "DE00X", "country": "us"}}"#, 3),
        (r#"{"operation": "read"}"#, 3),
        ("{}", 3),
        ("[]", 1),
        ("", 1),
        ("{\"operation\": ", 1),
        (r#"{"operation": 5, "context": {"iban": "DE00X"}}"#, 3),
    ] {
        let output = ctl(&["evaluate", "--input", "-"], Some(&path), input);
        assert_eq!(output.status.code(), Some(code), "{input}: {}{}", out(&output), err(&output));
    }
    assert_eq!(ctl(&["evaluate"], Some(&path), "").status.code(), Some(2));
    assert_eq!(ctl(&["evaluate", "--input", "/nowhere/call.json"], Some(&path), "").status.code(), Some(1));
}

#[test]
fn files_are_validated_and_everything_is_told() {
    let folder = Folder::new("rule");
    let sound = written(&folder);
    let output = ctl(&["validate"], Some(&sound), "");
    assert_eq!((output.status.code(), err(&output).as_str()), (Some(0), ""));
    assert!(out(&output).ends_with("3 rules, no problems\n"), "{}", out(&output));
    let rule = "rules: [{id: r, action: block, when: {field: operation, function: f}}]\n";
    for (name, text, expected) in [
        ("syntax", "id: a\nrules: [{id: r, actoin: block}]\n".to_owned(), "did you mean `action`?"),
        // What a function calls is looked at when it is compiled.
        ("compile", format!("id: a\n{rule}functions: 'f(x) := nobody(x)'\n"), "nobody"),
        ("empty", String::new(), "the file is empty"),
    ] {
        let path = folder.write(&format!("{name}.yaml"), text);
        let output = ctl(&["validate", &sound.display().to_string()], Some(&path), "");
        assert_eq!(output.status.code(), Some(1));
        assert!(err(&output).contains(expected), "{}", err(&output));
        assert!(out(&output).contains("3 rules"), "{}", out(&output));
    }
    assert_eq!(ctl(&["validate"], None, "").status.code(), Some(2));
}

/// In hexarch.yaml, the nearest or a named one, and of one policy of several.
#[test]
fn rules_are_found_in_hexarch_yaml() {
    let folder = Folder::new("rule");
    let policy = |id: &str| {
        format!(
            "  - id: {id}\n    rules: [{{operation: delete, action: block}}]\n    conditions:\n      \
             - {{id: large, when: {{field: context.amount, gt: 5}}, action: require_confirmation, approvers: [ann], approvals: 2}}\n"
        )
    };
    let one = folder.write(
        "hexarch.yaml",
        format!("policies:\n{}  - {{id: b, requires_confirmation: true}}\n", policy("a")),
    );
    let call = r#"{"operation": "delete", "context": {"amount": 6}}"#;
    let evaluated = ctl(&["evaluate", "--input", "-", "--format", "json"], Some(&one), call);
    assert_eq!(evaluated.status.code(), Some(3), "{}", err(&evaluated));
    let told: Value = serde_json::from_str(&out(&evaluated)).unwrap();
    let confirm = serde_json::json!({"policy": "a", "rule": "large", "approvers": ["ann"], "approvals": 2});
    assert_eq!(told["decision"]["confirm"], confirm);
    // What else the policy says is not asked: its rules may need what is counted.
    let passed = ctl(
        &["evaluate", "--input", "-"],
        Some(&one),
        r#"{"operation": "delete", "context": {"amount": 5}}"#,
    );
    assert_eq!(passed.status.code(), Some(0), "{}", out(&passed));
    let here = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hexarch-ctl"));
        command.arg("rule").args(arguments).current_dir(folder.path()).output().unwrap()
    };
    assert!(out(&here(&["list"])).contains("large"));
    let shown = out(&here(&["get", "large"]));
    assert!(shown.contains("approvers    ann") && shown.contains("approvals    2"), "{shown}");
    let two = folder.write("two.yaml", format!("policies:\n{}{}", policy("a"), policy("c")));
    let several = ctl(&["list"], Some(&two), "");
    assert!(
        several.status.code() == Some(1) && err(&several).contains("--policy: there are `a`, `c`"),
        "{}",
        err(&several)
    );
    assert!(out(&ctl(&["list", "--policy", "c"], Some(&two), "")).contains("large"));
    let no = ctl(&["list", "--policy", "d"], Some(&two), "");
    assert!(no.status.code() == Some(1) && err(&no).contains("no policy `d`"), "{}", err(&no));
    let none = folder.write("none.yaml", "policies: [{id: b, requires_confirmation: true}]\n");
    let none = ctl(&["list"], Some(&none), "");
    assert!(none.status.code() == Some(1) && err(&none).contains("has `conditions`"), "{}", err(&none));
    let other = ctl(&["list", "--policy", "d"], Some(&written(&folder)), "");
    assert!(other.status.code() == Some(1) && err(&other).contains("`refunds`"), "{}", err(&other));
}

#[test]
fn the_schema_is_the_committed_one() {
    let committed = std::fs::read_to_string(root().join("docs/rules.schema.json")).unwrap();
    assert_eq!(out(&ctl(&["schema"], None, "")), committed);
}
