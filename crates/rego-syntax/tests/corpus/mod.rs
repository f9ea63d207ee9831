//! Where the conformance data is, and how it is read.

use serde_json::Value;

pub(crate) use test_support::corpus as folder;

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
