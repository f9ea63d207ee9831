//! `hexarch-ctl init`: every scenario gives a file that validates, and no file is overwritten.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::path::Path;
use std::process::{Command, Output};

use test_support::Folder;

fn hexarch_ctl(folder: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hexarch-ctl")).args(words).current_dir(folder).output().unwrap()
}

fn told(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn every_scenario_passes_validate() {
    let folder = Folder::new("hexarch-init");
    let listed = hexarch_ctl(folder.path(), &["init", "--list"]);
    let listed = String::from_utf8(listed.stdout).unwrap();
    let names: Vec<&str> = listed.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(names.len() > 12 && names.contains(&"agent_loop"), "{listed}");
    let mut files = Vec::new();
    for name in names {
        let file = format!("{name}.yaml");
        let output = hexarch_ctl(folder.path(), &["init", name, "--output", &file]);
        assert!(output.status.success(), "{name}: {}", told(&output));
        files.push(file);
    }
    let words: Vec<&str> =
        ["policy", "validate"].into_iter().chain(files.iter().map(String::as_str)).collect();
    let output = hexarch_ctl(folder.path(), &words);
    assert!(output.status.success(), "{}", told(&output));
    assert!(output.stderr.is_empty(), "{}", told(&output));
}

#[test]
fn a_file_that_is_there_stays() {
    let folder = Folder::new("hexarch-init-twice");
    assert!(hexarch_ctl(folder.path(), &["init"]).status.success());
    let first = std::fs::read_to_string(folder.path().join("hexarch.yaml")).unwrap();
    let again = hexarch_ctl(folder.path(), &["init", "safe_delete"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(
        told(&again).contains("`hexarch.yaml` is there already; `--force` replaces it"),
        "{}",
        told(&again)
    );
    assert_eq!(std::fs::read_to_string(folder.path().join("hexarch.yaml")).unwrap(), first);
    assert!(hexarch_ctl(folder.path(), &["init", "safe_delete", "--force"]).status.success());
    assert_ne!(std::fs::read_to_string(folder.path().join("hexarch.yaml")).unwrap(), first);
    let named = hexarch_ctl(folder.path(), &["--config", "named.yaml", "init"]);
    assert!(told(&named).contains("named.yaml: the scenario"), "{}", told(&named));
    assert!(folder.path().join("named.yaml").exists());
    let directory = hexarch_ctl(folder.path(), &["init", "--output", "."]);
    assert_eq!(directory.status.code(), Some(1));
    assert!(told(&directory).contains("`.` is a directory, not a file"), "{}", told(&directory));
    let unknown = hexarch_ctl(folder.path(), &["init", "nothing", "--force"]);
    assert!(
        told(&unknown).contains("there is no scenario `nothing`; there are access_control, "),
        "{}",
        told(&unknown)
    );
}

#[test]
fn warnings_are_told_and_do_not_fail() {
    let folder = Folder::new("hexarch-warnings");
    folder.write(
        "hexarch.yaml",
        "policies:\n  - id: p\n    rules:\n      - {operation: delete, action: block}\n      \
         - {operation: delete, action: allow}\n",
    );
    let output = hexarch_ctl(folder.path(), &["policy", "validate", "hexarch.yaml"]);
    assert!(output.status.success(), "{}", told(&output));
    let told = told(&output);
    assert!(told.contains("hexarch.yaml: 1 policies, no problems, 1 warning"), "{told}");
    assert!(
        told.contains("hexarch.yaml:5:9: warning[contradicts]: policy `p`: rule `rule_2` on line 5"),
        "{told}"
    );
}

#[test]
fn the_schema_is_json() {
    let folder = Folder::new("hexarch-schema");
    let output = hexarch_ctl(folder.path(), &["policy", "schema"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with('{') && text.contains("\"max_iterations\""), "{text}");
}
