//! Each pass on small plans: what goes in and what comes out, as text. `BLESS=1` writes the second part of each file anew.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests stop at the first surprise")]

use std::path::PathBuf;

use rego_ir::{parse_text, print_text, verify};
use rego_opt::{Passes, optimise};

#[test]
fn plans_become_what_is_recorded() {
    for (pass, passes) in Passes::EACH {
        let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests").join(pass);
        let mut files: Vec<_> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        assert!(!files.is_empty(), "{pass} has no tests");
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            let (before, recorded) = text.split_once("----\n").unwrap_or((&text, ""));
            let policy = parse_text(before).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            let policy = verify(policy).unwrap().into_policy();
            let after = verify(optimise(policy, passes))
                .unwrap_or_else(|errors| panic!("{}: {errors:?}", file.display()))
                .into_policy();
            let after = print_text(&after);
            if std::env::var_os("BLESS").is_some() {
                std::fs::write(&file, format!("{before}----\n{after}")).unwrap();
            } else {
                assert_eq!(after, recorded, "{}", file.display());
            }
        }
    }
}

#[test]
fn without_passes_a_plan_stays_as_it_is() {
    let text = "plan \"p\"\nblock\n  %2 = call \"g0.data.p\"(%0, %1)\n  result %2\nend\n\nfunc \"g0.data.p\"(%0, %1) -> %2 path (\"g0\", \"p\")\nblock\n  %2 = true\n  return %2\nend\n";
    let policy = parse_text(text).unwrap();
    assert_eq!(optimise(policy.clone(), Passes::NONE), policy);
    assert_ne!(optimise(policy.clone(), Passes::ALL), policy);
}

#[test]
fn passes_are_found_by_name() {
    assert_eq!(Passes::by_name("all"), Some(Passes::ALL));
    assert_eq!(Passes::by_name("none"), Some(Passes::NONE));
    assert_eq!(Passes::by_name("inline"), Some(Passes { inline: true, ..Passes::NONE }));
    assert_eq!(Passes::by_name("unknown"), None);
}

/// A rule of so many definitions, each behind an equality.
fn rule(definitions: usize) -> String {
    let mut text = "string \"a\"\n\nfunc \"f\"(%0, %1) -> %2 path ()\nblock\n  %2 = set\nend\n".to_owned();
    for _ in 0..definitions {
        text.push_str("block\n  %3 = dot %0[s0]\n  equal %3, s0\n  %4 = array 14\n");
        text.push_str(&"  append %4, %3\n".repeat(14));
        text.push_str("  add %2, %4\nend\n");
    }
    text.push_str("block\n  return %2\nend\n");
    text
}

#[test]
fn only_large_functions_are_outlined_where_it_has_to_pay() {
    let functions = |definitions: usize, passes: Passes| {
        let policy = parse_text(&rule(definitions)).unwrap();
        verify(optimise(policy, passes)).unwrap().into_policy().funcs.len()
    };
    let always = Passes::by_name("outline").unwrap();
    assert_eq!((functions(10, Passes::ALL), functions(10, always)), (1, 11));
    assert_eq!((functions(20, Passes::ALL), functions(20, always)), (21, 21));
}
