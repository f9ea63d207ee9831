//! What is generated into `docs/`, and schemas held to the readers that they describe.

use serde_json::{Value, json};
use test_support::Folder;

use super::support;

/// The page is committed as it is generated; `UPDATE=1` writes it anew.
pub(crate) fn assert_current(name: &str, text: &str) {
    let path = support::root().join("docs").join(name);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == text, "docs/{name} is not current: run this test with UPDATE=1");
}

/// The schema takes the documents that are sound, and no other, by the real OPA.
pub(crate) fn assert_schema(schema: &Value, cases: &[(Value, bool)]) {
    let scratch = Folder::new("guard-policy-schema");
    let documents: Vec<&Value> = cases.iter().map(|(document, _)| document).collect();
    // The schema as a text: OPA's loader would merge an object with the rest of the data.
    let data = json!({"schema": schema.to_string(), "documents": documents});
    scratch.write("data.json", data.to_string());
    let query =
        "[fits | some document in data.documents; [fits, _] := json.match_schema(document, data.schema)]";
    let printed = support::run(support::opa(), &["eval", "--format", "raw", query, "-d"], &[scratch.path()])
        .unwrap_or_else(|error| panic!("{error}"));
    let fits: Vec<bool> = serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed}"));
    assert_eq!(fits.len(), cases.len());
    for ((document, sound), fits) in cases.iter().zip(fits) {
        assert_eq!(fits, *sound, "{document}");
    }
}
