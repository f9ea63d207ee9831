//! Bundles whose manifests say which version of the language their modules are in.

use crate::support::{differences, same};

const V0: &str = "package old\n\nallow { input.x == 1 }\n\nnames[x] { x := data.b.list[_] }\n\nsum = y { y := 1 + count(data.new.names) }\n";
const V1: &str = "package new\n\nallow if input.x == 1\n\nnames contains x if some x in [\"a\", \"b\"]\n\nall if data.old.sum == 3\n";
const TESTS_V0: &str =
    "package old_test\n\ntest_sum { data.old.sum == 3 }\n\ntest_wrong { data.old.sum == 4 }\n";
const TESTS_V1: &str =
    "package new_test\n\ntest_all if data.new.all\n\ntest_names if data.old.names == {1, 2}\n";

fn files(manifest: &'static str) -> [(&'static str, &'static str); 6] {
    [
        ("b/.manifest", manifest),
        ("b/data.json", r#"{"b": {"list": [1, 2]}}"#),
        ("b/old/policy.rego", V0),
        ("b/new/policy.rego", V1),
        ("b/old/tests/a_test.rego", TESTS_V0),
        ("b/new/tests/a_test.rego", TESTS_V1),
    ]
}

const RUNS: [&str; 8] = [
    "check -b b",
    "check -b --v0-compatible b",
    "check -b --strict b",
    "eval -b b data.old",
    "eval -b b data.new --format pretty",
    "eval -b b --v0-compatible data.old.sum",
    "test -b b",
    "test -b --v0-compatible b --format json -r nothing",
];

#[test]
#[ignore = "needs OPA"]
fn needs_opa_modules_of_both_versions_make_one_program() {
    let manifests = [
        (
            "default",
            r#"{"rego_version": 1, "file_rego_versions": {"/old/*.rego": 0, "/old/tests/*.rego": 0}}"#,
        ),
        (
            "others",
            r#"{"rego_version": 0, "file_rego_versions": {"/new/policy.rego": 1, "/new/*/a_test.rego": 1}}"#,
        ),
        (
            "only-files",
            r#"{"file_rego_versions": {"/old/policy.rego": 0, "/{old,older}/**": 0, "/new/**": 1}}"#,
        ),
        ("second", r#"{"rego_version": 2, "file_rego_versions": {"/old/**": 0}}"#),
        ("deep", r#"{"rego_version": 1, "file_rego_versions": {"/old/**": 0}}"#),
        ("question", r#"{"rego_version": 1, "file_rego_versions": {"/ol?/**": 0}}"#),
        ("classes", r#"{"rego_version": 1, "file_rego_versions": {"/[a-o]ld/**.rego": 0, "/[!o]*/**": 1}}"#),
        (
            "relative",
            r#"{"rego_version": 1, "file_rego_versions": {"old/policy.rego": 0, "/old/tests/*": 0}}"#,
        ),
        ("overlap", r#"{"rego_version": 1, "file_rego_versions": {"/old/**": 0, "/old/policy.rego": 1}}"#),
        ("none", r#"{"revision": "7", "file_rego_versions": {"/old/tests/?_test.rego": 0, "/new/**": 1}}"#),
    ];
    let mut found = String::new();
    for (name, manifest) in manifests {
        found += &differences(&format!("bundle-{name}"), &files(manifest), &RUNS, &[]);
    }
    assert!(found.is_empty(), "{found}");
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_a_bad_manifest_is_refused() {
    let manifests = [
        ("version", r#"{"rego_version": 3}"#),
        ("negative", r#"{"rego_version": -1}"#),
        ("file", r#"{"rego_version": 1, "file_rego_versions": {"/old/*.rego": 4}}"#),
        ("pattern", r#"{"rego_version": 1, "file_rego_versions": {"/old/[": 0}}"#),
        ("braces", r#"{"rego_version": 1, "file_rego_versions": {"/old/{a": 0}}"#),
    ];
    let mut found = String::new();
    for (name, manifest) in manifests {
        let runs = ["check -b b", "eval -b b data.old", "test -b b"];
        found += &differences(&format!("bad-manifest-{name}"), &files(manifest), &runs, &[]);
    }
    assert!(found.is_empty(), "{found}");
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_a_bad_manifest_of_good_modules_is_refused() {
    let manifests = [
        ("unused", r#"{"file_rego_versions": {"/nowhere/*": 7}}"#),
        ("overlapping", r#"{"roots": ["old", "old/b"], "rego_version": 0}"#),
        ("all", r#"{"rego_version": 9, "file_rego_versions": {"/**": 0}}"#),
    ];
    let mut found = String::new();
    for (name, manifest) in manifests {
        let files = [("b/.manifest", manifest), ("b/p.rego", "package p\n\nx = 1\n")];
        found += &differences(&format!("bad-manifest-{name}"), &files, &["check -b b", "test -b b"], &[]);
    }
    assert!(found.is_empty(), "{found}");
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_each_bundle_has_versions_of_its_own() {
    let files = [
        ("a/.manifest", r#"{"roots": ["old"], "rego_version": 0}"#),
        ("a/p.rego", V0),
        ("b/.manifest", r#"{"roots": ["new", "b"], "rego_version": 1}"#),
        ("b/data.json", r#"{"b": {"list": [1, 2]}}"#),
        ("b/p.rego", V1),
    ];
    same(
        "two-bundles",
        &files,
        &["check -b a b", "eval -b a -b b data", "eval -b a -b b --v0-compatible data.new"],
    );
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_what_is_newest_in_old_modules_of_bundles() {
    let template = "package p\n\nx = $\"<{y}>\" { y := 1 }\n";
    let second = "package p\n\nx if 1 == 1 and 2 == 2\n";
    let manifests = [
        ("v0", r#"{"rego_version": 0}"#, template),
        ("v2", r#"{"rego_version": 2}"#, second),
        ("v2-files", r#"{"rego_version": 0, "file_rego_versions": {"/p.rego": 2}}"#, second),
        ("v2-braces", r#"{"rego_version": 2}"#, template),
    ];
    let mut found = String::new();
    for (name, manifest, module) in manifests {
        let files = [("b/.manifest", manifest), ("b/p.rego", module)];
        let runs = [
            "check -b b",
            "check -b --v0-compatible b",
            "eval -b b data.p",
            "eval --v0-compatible -b b data.p",
            "test -b b",
        ];
        found += &differences(&format!("newest-{name}"), &files, &runs, &[]);
    }
    assert!(found.is_empty(), "{found}");
}
