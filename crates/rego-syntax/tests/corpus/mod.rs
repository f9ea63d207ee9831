//! Where the conformance data is, and how it is read.

use std::path::PathBuf;

use serde_json::Value;

/// The folder of the conformance data: `HEXARCH_CONFORMANCE`, or `../shared/conformance` beside the workspace.
pub(crate) fn folder() -> Option<PathBuf> {
    let folder = match std::env::var_os("HEXARCH_CONFORMANCE") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance"),
    };
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("missing: no conformance data in {}; set HEXARCH_CONFORMANCE", folder.display());
    None
}

/// The values of a file of JSON lines, or the elements of a file that is one JSON array.
pub(crate) fn read(path: &std::path::Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    if path.extension().is_some_and(|e| e == "jsonl") {
        return text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    }
    match serde_json::from_str(&text).unwrap() {
        Value::Array(items) => items,
        other => vec![other],
    }
}
