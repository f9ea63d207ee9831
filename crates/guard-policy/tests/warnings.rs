//! What an author is told about rules that do not do what they seem to: `warnings/all.yaml` beside what is printed.
//! `UPDATE=1` writes the text anew, to be read before it is committed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::path::Path;

use guard_policy::{LoadOptions, load, parse};

#[test]
fn rules_that_contradict_shadow_or_never_match_are_told_with_both_lines() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/warnings/all.yaml");
    let file = parse("hexarch.yaml", &std::fs::read_to_string(&path).unwrap()).unwrap();
    let told: String = file.warnings().iter().map(|warning| warning.render("hexarch.yaml") + "\n").collect();
    let expected = path.with_extension("txt");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&expected, &told).unwrap();
    }
    assert_eq!(told, std::fs::read_to_string(&expected).unwrap_or_default());
    assert!(file.warnings().iter().all(|warning| warning.policy != "switched_off"));
}

#[test]
fn the_packs_are_beyond_doubt() {
    let policies = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    let options = LoadOptions { allow_writable_by_others: true, ..LoadOptions::default() };
    for entry in std::fs::read_dir(policies).unwrap() {
        let path = entry.unwrap().path().join("hexarch.yaml");
        if path.exists() {
            let file = load(&path, &options).unwrap_or_else(|error| panic!("\n{error}"));
            assert_eq!(file.warnings(), [], "{}", path.display());
        }
    }
}

#[test]
fn a_policy_of_many_rules_is_compared_within_bounds() {
    let rules: String =
        (0..3_000).map(|n| format!("      - {{operation: op{n}, action: block}}\n")).collect();
    let file = parse("h", &format!("policies:\n  - id: many\n    rules:\n{rules}")).unwrap();
    assert_eq!(file.warnings(), []);
}
