//! Files that are no policies and no calls: each is refused with a clear error, within its time and memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// Address space of the whole process, in KiB: far less than a reader takes that unfolds what it is given.
const MEMORY: u32 = 1 << 20;

const TIME: Duration = Duration::from_secs(20);

/// A folder of its own for a test, removed with it.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("hexarch-bad-input-{test}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

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
    let folder = Folder::new("files");
    std::fs::create_dir(folder.0.join("folder.yaml")).unwrap();
    let files: [(PathBuf, &str); 9] = [
        (folder.file("empty.yaml", ""), "empty.yaml:1:1: error[missing]: the file is empty"),
        (
            folder.file("large.yaml", "  - id: a\n".repeat(5_000_000)),
            "large.yaml` has 50000000 bytes; at most",
        ),
        (
            folder.file("latin.yaml", b"policies:\n  - id: caf\xe9\n"),
            "latin.yaml` is not UTF-8 at line 2, column 12",
        ),
        (folder.0.join("folder.yaml"), "folder.yaml` is a directory, not a file"),
        (folder.0.join("absent.yaml"), "cannot read `"),
        (folder.file("brackets.yaml", format!("policies: {}", "[".repeat(10_000))), "brackets.yaml:1:"),
        (folder.file("braces.yaml", format!("policies: {}", "{a: ".repeat(10_000))), "nest deeper than 64"),
        (folder.file("nul.yaml", [0; 100]), "nul.yaml:1:1: error[syntax]"),
        (folder.file("text.yaml", "hello\n"), "text.yaml:1:1: error[wrong_type]: the file takes a mapping"),
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
    let folder = Folder::new("several");
    let sound = folder.file("sound.yaml", "policies:\n  - id: a\n    requires_confirmation: true\n");
    let first = folder.file("first.yaml", "policies:\n  - id: a\n    colour: red\n");
    let second = folder.file("second.yaml", "policies:\n  - id: [1]\n");
    let output =
        hexarch_ctl(&["policy", "validate", first.to_str().unwrap(), second.to_str().unwrap()], &sound);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(told.contains("first.yaml:3:5: error") && told.contains("second.yaml:2:9: error"), "{told}");
    assert!(String::from_utf8(output.stdout).unwrap().contains("sound.yaml: 1 policies, no problems"));
}
