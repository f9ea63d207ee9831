//! `hexarch-ctl run` and `confirm`: refused with 3, passed through otherwise.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
#![cfg(unix)]

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use test_support::Folder;

fn ctl(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hexarch-ctl"));
    command.current_dir(folder).env_remove("HEXARCH_STATE").env("USER", "ada");
    command
}

fn folder() -> Folder {
    let folder = Folder::new("hexarch-run");
    let policies = format!(
        "confirmation: {{store: 'sqlite:{}', four_eyes: true}}
policies:
  - id: work
    rules:
      - {{operation: rm, action: require_confirmation}}
      - {{operation: mkfs, action: block}}
  - id: api
    rules:
      - {{resource: api, monthly_budget: 1.00}}
",
        folder.path().join("confirm.db").display()
    );
    std::fs::write(folder.path().join("hexarch.yaml"), policies).unwrap();
    folder
}

fn run(folder: &Folder, before: &[&str], command: &[&str]) -> Output {
    let policy = if before.contains(&"api") { "api" } else { "work" };
    let mut run = ctl(folder.path());
    run.args(["run", "--policy", policy]).args(before).arg("--").args(command).output().unwrap()
}

fn json(bytes: &[u8]) -> serde_json::Value {
    serde_json::from_slice(bytes)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(bytes)))
}

#[test]
fn an_allowed_command_is_passed_through() {
    let folder = folder();
    let output =
        run(&folder, &[], &["sh", "-c", "echo out; echo err >&2; test -n \"$HEXARCH_DECISION_ID\"; exit 42"]);
    assert_eq!(output.status.code(), Some(42));
    assert_eq!(output.stdout, b"out\n");
    assert!(String::from_utf8_lossy(&output.stderr).ends_with("err\n"));
    assert!(run(&folder, &[], &["true"]).status.success());
    assert_eq!(run(&folder, &[], &["no-such-program"]).status.code(), Some(127));
}

#[test]
fn a_refused_command_does_not_run() {
    let folder = folder();
    let output = run(&folder, &["--json"], &["mkfs", "/dev/null"]);
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(json(&output.stderr)["action"], "block");
    assert_eq!(run(&folder, &["--operation", "mkfs"], &["touch", "there"]).status.code(), Some(3));
    assert!(!folder.path().join("there").exists());
}

#[test]
fn a_confirmed_command_runs_once() {
    let folder = folder();
    let file = folder.path().join("victim");
    std::fs::write(&file, "").unwrap();
    let command = ["rm", "victim"];
    let held = run(&folder, &["--json"], &command);
    assert_eq!(held.status.code(), Some(3));
    let confirmation = json(&held.stderr)["confirmation"].clone();
    let (id, token) = (confirmation["id"].as_str().unwrap(), confirmation["token"].as_str().unwrap());
    let store = format!("sqlite:{}", folder.path().join("confirm.db").display());
    let confirm = |words: &[&str]| {
        ctl(folder.path()).arg("confirm").args(words).args(["--store", &store, "--json"]).output().unwrap()
    };
    assert_eq!(json(&confirm(&["list"]).stdout)[0]["id"], id);
    assert_eq!(run(&folder, &["--confirm", token], &command).status.code(), Some(3));
    let own = confirm(&["approve", id]);
    assert_eq!(own.status.code(), Some(1), "{}", String::from_utf8_lossy(&own.stdout));
    let approved = json(&confirm(&["approve", id, "--as", "grace", "--note", "fine"]).stdout);
    assert_eq!((&approved["state"], &approved["votes"][0]["by"]), (&"approved".into(), &"grace".into()));
    assert_eq!(run(&folder, &["--confirm", token], &["rm", "hexarch.yaml"]).status.code(), Some(3));
    let done = run(&folder, &["--confirm", token], &command);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(!file.exists());
    assert_eq!(run(&folder, &["--confirm", token], &command).status.code(), Some(3));
    let second =
        json(&run(&folder, &["--json"], &command).stderr)["confirmation"]["id"].as_str().unwrap().to_owned();
    assert_eq!(json(&confirm(&["reject", &second, "--as", "grace"]).stdout)["state"], "rejected");
    assert_eq!(confirm(&["approve", &second, "--as", "grace"]).status.code(), Some(1));
    assert_eq!(json(&confirm(&["list", "--state", "all"]).stdout).as_array().unwrap().len(), 2);
}

/// Of nobody it could not be told whether they are another person than who asked.
#[test]
fn nobody_does_not_answer() {
    let folder = folder();
    let store = format!("sqlite:{}", folder.path().join("confirm.db").display());
    let held = json(&run(&folder, &["--json"], &["rm", "victim"]).stderr);
    let id = held["confirmation"]["id"].as_str().unwrap();
    let confirm = |user: Option<&str>, words: &[&str]| {
        let mut command = ctl(folder.path());
        match user {
            Some(user) => command.env("USER", user),
            None => command.env_remove("USER"),
        };
        command.arg("confirm").args(words).args(["--store", &store, "--json"]).output().unwrap()
    };
    for answer in ["approve", "reject"] {
        for (user, words) in [
            (Some("ada"), &[answer, id, "--as", ""][..]),
            (Some("ada"), &[answer, id, "--as="]),
            (Some("ada"), &[answer, id, "--as", " "]),
            (Some(""), &[answer, id]),
            (None, &[answer, id]),
        ] {
            let refused = confirm(user, words);
            let told = String::from_utf8_lossy(&refused.stderr);
            assert_eq!(refused.status.code(), Some(2), "{user:?} {words:?}: {told}");
            assert!(told.contains("--as <USER>"), "{user:?} {words:?}: {told}");
            assert_eq!(told.contains("the name is empty"), user.is_some(), "{user:?} {words:?}: {told}");
        }
    }
    let kept = &json(&confirm(None, &["list"]).stdout)[0];
    assert_eq!((&kept["state"], kept["votes"].as_array().map(Vec::len)), (&"pending".into(), Some(0)));
    // Who is named needs no variable.
    assert_eq!(json(&confirm(Some(""), &["approve", id, "--as", "grace"]).stdout)["state"], "approved");
}

#[test]
fn what_it_really_cost_is_charged() {
    let folder = folder();
    let store = format!("sqlite:{}", folder.path().join("state.db").display());
    let call = |cost: &str| {
        let before = ["--resource", "api", "--cost", "0.60", "--store", &store, "--cost-from", "cost"];
        run(&folder, &before, &["sh", "-c", &format!("echo {cost} > cost")]).status.code()
    };
    assert_eq!(call("0.10"), Some(0));
    assert_eq!(call("'$0.3000001'"), Some(0));
    // 0.10 and 0.300001 are spent: 0.60 more would not fit.
    assert_eq!(call("0.10"), Some(3));
    let budget = ctl(folder.path()).args(["budget", "show", "--store", &store, "--json"]).output().unwrap();
    assert_eq!(json(&budget.stdout)[0]["spent"], 400_001);
}

#[test]
fn signals_go_to_the_command_and_its_end_is_ours() {
    let folder = folder();
    let start = |script: &str| {
        let mut command = ctl(folder.path());
        command.args(["run", "--policy", "work", "--", "sh", "-c", script]);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut ready = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        child
    };
    let terminate = |id: u32| {
        assert!(Command::new("kill").args(["-TERM", &id.to_string()]).status().unwrap().success());
    };
    let mut child = start("trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done");
    terminate(child.id());
    assert_eq!(child.wait().unwrap().code(), Some(9));
    let mut child = start("echo ready; exec sleep 60");
    terminate(child.id());
    assert_eq!(child.wait().unwrap().signal(), Some(15));
}

/// Tokens that carry the confirmation in themselves; the keys are rotated while one is about.
#[test]
fn a_signed_token_is_approved_by_its_ticket() {
    let folder = folder();
    let path = folder.path().join("hexarch.yaml");
    let plain = std::fs::read_to_string(&path).unwrap();
    let with = |keys: &str| {
        std::fs::write(&path, plain.replace("four_eyes", &format!("signed: [{keys}], four_eyes"))).unwrap();
    };
    let old = "{id: spring, hmac: a-secret-of-the-tests}";
    with(old);
    std::fs::write(folder.path().join("victim"), "").unwrap();
    let command = ["rm", "victim"];
    let held = json(&run(&folder, &["--json"], &command).stderr)["confirmation"].clone();
    let (ticket, token) = (held["id"].as_str().unwrap(), held["token"].as_str().unwrap());
    assert!(ticket.starts_with("hxs1.spring."), "{held}");
    let new = format!("{{id: summer, ed25519: '{}'}}", "5a".repeat(32));
    let confirm = |words: &[&str]| ctl(folder.path()).arg("confirm").args(words).output().unwrap();
    with(&new);
    assert_eq!(confirm(&["approve", ticket, "--as", "grace"]).status.code(), Some(1));
    with(&format!("{new}, {old}"));
    let next = json(&run(&folder, &["--json"], &command).stderr)["confirmation"]["id"].clone();
    assert!(next.as_str().unwrap().starts_with("hxs1.summer."), "{next}");
    assert_eq!(confirm(&["list"]).stdout, b"");
    assert_eq!(confirm(&["approve", ticket]).status.code(), Some(1));
    let approved = confirm(&["approve", ticket, "--as", "grace"]);
    assert!(approved.status.success(), "{}", String::from_utf8_lossy(&approved.stderr));
    assert!(run(&folder, &["--confirm", token], &command).status.success());
    assert_eq!(run(&folder, &["--confirm", token], &command).status.code(), Some(3));
}
