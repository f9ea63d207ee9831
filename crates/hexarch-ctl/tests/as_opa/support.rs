//! Runs both command lines in one folder and compares what they print.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use regex::Regex;
use test_support::Folder;

/// What a run printed, with times and descriptions taken out.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    exit: Option<i32>,
    stdout: String,
    stderr: String,
}

/// How long something took, as either prints it.
static TOOK: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\([0-9.]+(ns|µs|ms|s)\)").unwrap());

/// What arguments of functions stand for, which we say in words of our own.
static DESCRIPTION: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#"\n *"description": ".*","#).unwrap());

fn run(program: &Path, before: &[&str], words: &[&str], folder: &Path) -> Answer {
    let mut command = Command::new(program);
    let output = command.args(before).args(words).current_dir(folder).output().unwrap();
    let text = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        let text = TOOK.replace_all(text.trim_end(), "(0s)").into_owned();
        DESCRIPTION.replace_all(&text, "").into_owned()
    };
    Answer { exit: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

/// Runs each line of words (separated by blanks) in a folder with these files; both must answer the same.
pub(crate) fn same(name: &str, files: &[(&str, &str)], runs: &[&str]) {
    let differences = differences(name, files, runs, &[]);
    assert!(differences.is_empty(), "{differences}");
}

/// What is not the same in the two answers, where ours says something else in some words: each pair is OPA's text and
/// ours.
pub(crate) fn differences(
    name: &str,
    files: &[(&str, &str)],
    runs: &[&str],
    instead: &[(&str, &str)],
) -> String {
    let folder = Folder::new(&format!("hexarch-as-opa-{name}"));
    for (file, content) in files {
        folder.write(file, content);
    }
    let mut differences = String::new();
    for line in runs {
        let words: Vec<&str> = line.split_whitespace().collect();
        let mut theirs = run(test_support::opa(), &[], &words, folder.path());
        for (theirs_text, ours_text) in instead {
            theirs.stdout = theirs.stdout.replace(theirs_text, ours_text);
            theirs.stderr = theirs.stderr.replace(theirs_text, ours_text);
        }
        let ours = run(Path::new(env!("CARGO_BIN_EXE_hexarch-ctl")), &["policy"], &words, folder.path());
        if ours != theirs {
            write!(differences, "{name}: {line}\nours: {ours:?}\nopa:  {theirs:?}\n").unwrap();
        }
    }
    differences
}
