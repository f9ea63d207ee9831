//! Where the conformance data is, and how it is read.

use std::path::PathBuf;

use rego_syntax::ast::RegoVersion;
use serde_json::Value;

/// The folder of the conformance data: `HEXARCH_CONFORMANCE`, or `../shared/conformance` beside the workspace.
pub fn folder() -> Option<PathBuf> {
    let folder = match std::env::var_os("HEXARCH_CONFORMANCE") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance"),
    };
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("SKIPPED: no conformance data in {}; set HEXARCH_CONFORMANCE", folder.display());
    None
}

/// The values of a file of JSON lines, or the elements of a file that is one JSON array.
pub fn read(path: &std::path::Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    if path.extension().is_some_and(|e| e == "jsonl") {
        return text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    }
    match serde_json::from_str(&text).unwrap() {
        Value::Array(items) => items,
        other => vec![other],
    }
}

/// The language of a case.
pub fn version(case: &Value) -> RegoVersion {
    match case["rego_version"].as_u64() {
        Some(0) => RegoVersion::V0,
        Some(2) => RegoVersion::V2,
        _ => RegoVersion::V1,
    }
}

/// The names of OPA's built-in functions.
pub fn builtin_names(folder: &std::path::Path) -> &'static [&'static str] {
    let names: Vec<&'static str> = read(&folder.join("builtins.json"))
        .iter()
        .map(|row| &*Box::leak(row["name"].as_str().unwrap().to_owned().into_boxed_str()))
        .collect();
    Box::leak(names.into_boxed_slice())
}
