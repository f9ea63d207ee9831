//! Files that are no policies and no calls: each is refused with a clear error, within its time and memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use test_support::Folder;

/// Address space of the whole process, in KiB: far less than a reader takes that unfolds what it is given.
const MEMORY: u32 = 1 << 20;

const TIME: Duration = Duration::from_secs(20);

/// Runs the command line within the bounds.
fn hexarch_ctl(words: &[&str], file: &Path) -> Output {
    let begun = Instant::now();
    let output = Command::new("sh")
        .args(["-c", &format!("ulimit -v {MEMORY} && exec \"$@\""), "sh", env!("CARGO_BIN_EXE_hexarch-ctl")])
        .args(words)
        .arg(file)
        .output()
        .unwrap();
    assert!(begun.elapsed() < TIME, "{words:?}: {:?}", begun.elapsed());
    output
}

#[test]
fn each_is_refused_with_a_clear_error() {
    let folder = Folder::new("hexarch-bad-input-files");
    std::fs::create_dir(folder.path().join("folder.yaml")).unwrap();
    let files: [(PathBuf, &str); 9] = [
        (folder.write("empty.yaml", ""), "empty.yaml:1:1: error[missing]: the file is empty"),
        (
            folder.write("large.yaml", "  - id: a\n".repeat(5_000_000)),
            "large.yaml` has 50000000 bytes; at most",
        ),
        (
            folder.write("latin.yaml", b"policies:\n  - id: caf\xe9\n"),
            "latin.yaml` is not UTF-8 at line 2, column 12",
        ),
        (folder.path().join("folder.yaml"), "folder.yaml` is a directory, not a file"),
        (folder.path().join("absent.yaml"), "cannot read `"),
        (folder.write("brackets.yaml", format!("policies: {}", "[".repeat(10_000))), "brackets.yaml:1:"),
        (folder.write("braces.yaml", format!("policies: {}", "{a: ".repeat(10_000))), "nest deeper than 64"),
        (folder.write("nul.yaml", [0; 100]), "nul.yaml:1:1: error[syntax]"),
        (folder.write("text.yaml", "hello\n"), "text.yaml:1:1: error[wrong_type]: the file takes a mapping"),
    ];
    for (file, expected) in &files {
        for words in [&["policy", "validate"][..], &["demo", "--policy"], &["demo", "--calls"]] {
            let output = hexarch_ctl(words, file);
            let told = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(1), "{words:?} {}: {told}", file.display());
            assert!(told.contains(expected), "{words:?} {}: {told}", file.display());
            assert!(!told.contains("panicked"), "{told}");
            assert!(output.stdout.is_empty(), "{words:?} {}", file.display());
        }
    }
}

#[test]
fn one_bad_file_does_not_hide_another() {
    let folder = Folder::new("hexarch-bad-input-several");
    let sound = folder.write("sound.yaml", "policies:\n  - id: a\n    requires_confirmation: true\n");
    let first = folder.write("first.yaml", "policies:\n  - id: a\n    colour: red\n");
    let second = folder.write("second.yaml", "policies:\n  - id: [1]\n");
    let output =
        hexarch_ctl(&["policy", "validate", first.to_str().unwrap(), second.to_str().unwrap()], &sound);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(told.contains("first.yaml:3:5: error") && told.contains("second.yaml:2:9: error"), "{told}");
    assert!(String::from_utf8(output.stdout).unwrap().contains("sound.yaml: 1 policies, no problems"));
}
