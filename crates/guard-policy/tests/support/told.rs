//! What an author is told about files with something wrong in them, beside what is committed.

use std::path::{Path, PathBuf};

/// Each `*.yaml` below `tests/<folder>`; more than `least` of them.
pub(crate) fn cases(folder: &str, least: usize) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let mut cases: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    cases.sort();
    assert!(cases.len() > least);
    cases
}

/// Holds what is told about each of them to the text beside it. `UPDATE=1` writes the texts anew, to be read before they
/// are committed.
pub(crate) fn assert_told(cases: &[PathBuf], tell: impl Fn(&str) -> String) {
    let mut different = Vec::new();
    for case in cases {
        let told = tell(&std::fs::read_to_string(case).unwrap());
        let expected = case.with_extension("txt");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&expected, &told).unwrap();
        } else if std::fs::read_to_string(&expected).unwrap_or_default() != told {
            different.push(format!("{}:\n{told}", case.display()));
        }
    }
    assert!(different.is_empty(), "not as committed:\n{}", different.join("\n"));
}
