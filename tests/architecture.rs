//! The architecture, enforced: who may depend on whom is the table in `ARCHITECTURE.md`, and nothing else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// What one manifest says that this test looks at.
struct Manifest {
    name: String,
    dir: PathBuf,
    /// `[dependencies]` and `[build-dependencies]`; a dev-dependency is nobody's architecture.
    dependencies: BTreeSet<String>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn manifests() -> Vec<Manifest> {
    let mut dirs = vec![root().to_path_buf(), root().join("xtask"), root().join("benches")];
    dirs.extend(fs::read_dir(root().join("crates")).unwrap().map(|entry| entry.unwrap().path()));
    dirs.into_iter()
        .map(|dir| {
            let text = fs::read_to_string(dir.join("Cargo.toml")).unwrap();
            let manifest: toml::Table = text.parse().unwrap();
            let names = |section: &str| -> Vec<String> {
                manifest
                    .get(section)
                    .and_then(|t| t.as_table())
                    .map(|t| t.keys().cloned().collect())
                    .unwrap_or_default()
            };
            let dependencies = names("dependencies").into_iter().chain(names("build-dependencies")).collect();
            Manifest { name: manifest["package"]["name"].as_str().unwrap().to_owned(), dir, dependencies }
        })
        .collect()
}

/// The rows of the table in ARCHITECTURE.md: crate -> the crates it may depend on.
fn allowed_edges() -> BTreeMap<String, BTreeSet<String>> {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let rows = text.lines().skip_while(|line| !line.starts_with("| crate |")).skip(2);
    rows.take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            let edges = cells[2].split(',').map(|name| name.trim().to_owned()).filter(|name| name != "—");
            (cells[0].to_owned(), edges.collect())
        })
        .collect()
}

fn rust_files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_crate_has_a_row_and_every_row_a_crate() {
    let rows: BTreeSet<String> = allowed_edges().into_keys().collect();
    let crates: BTreeSet<String> = manifests().into_iter().map(|manifest| manifest.name).collect();
    assert_eq!(rows, crates, "left: the table in ARCHITECTURE.md; right: the manifests");
}

#[test]
fn no_edge_that_the_table_does_not_allow() {
    let allowed = allowed_edges();
    let manifests = manifests();
    let ours: BTreeSet<&str> = manifests.iter().map(|manifest| manifest.name.as_str()).collect();
    let mut wrong = Vec::new();
    for manifest in &manifests {
        let internal = manifest.dependencies.iter().filter(|name| ours.contains(name.as_str()));
        let surplus = internal.filter(|name| !allowed[&manifest.name].contains(*name));
        wrong.extend(surplus.map(|name| format!("{} -> {name}", manifest.name)));
    }
    assert!(wrong.is_empty(), "edges that ARCHITECTURE.md does not allow: {wrong:?}");
}

#[test]
fn the_language_does_not_know_the_product() {
    for (name, edges) in allowed_edges() {
        let reaches = edges.iter().find(|edge| edge.starts_with("guard"));
        assert!(!name.starts_with("rego-") || reaches.is_none(), "{name} -> {reaches:?}");
    }
}

#[test]
fn only_the_engine_knows_wasmtime() {
    // The benchmarks run other hosts beside ours; that is what they are for.
    let others = manifests().into_iter().filter(|m| m.name != "rego-engine" && m.name != "hexarch-benches");
    for manifest in others {
        assert!(!manifest.dependencies.contains("wasmtime"), "{} depends on wasmtime", manifest.name);
    }
}

#[test]
fn only_judges_build_with_the_support_of_tests() {
    let judges = ["conformance", "hexarch-benches", "rego-fuzz"];
    for manifest in manifests().into_iter().filter(|manifest| !judges.contains(&manifest.name.as_str())) {
        assert!(!manifest.dependencies.contains("test-support"), "{} ships with test-support", manifest.name);
    }
}

#[test]
fn without_its_feature_there_is_no_compiler() {
    let mut cargo = std::process::Command::new(env!("CARGO"));
    cargo.current_dir(root()).args([
        "tree",
        "--offline",
        "--no-default-features",
        "-e",
        "normal",
        "--prefix",
        "none",
    ]);
    let output = cargo.args(["-p", "hexarch-guardrails"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    let names: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(names.contains("rego-engine") && names.contains("wasmtime"));
    // What wasmtime's runtime has of cranelift are containers: `cranelift-entity`, `-bitset`, `-bforest`.
    for compiler in [
        "cranelift-codegen",
        "wasmtime-internal-cranelift",
        "rego-build",
        "rego-compiler",
        "rego-ir",
        "rego-wasm",
    ] {
        assert!(!names.contains(compiler), "{compiler}");
    }
}

#[test]
fn the_language_is_pure() {
    // What may touch the world: the engine (threads, its clock for deadlines) and the host builtins (time zones).
    for name in ["rego-syntax", "rego-ir", "rego-compiler", "rego-wasm", "rego-value"] {
        let mut files = Vec::new();
        rust_files(&root().join("crates").join(name).join("src"), &mut files);
        for file in files.into_iter().filter(|file| !file.ends_with("tests.rs")) {
            let text = fs::read_to_string(&file).unwrap();
            for banned in ["std::fs", "std::env", "std::net", "std::process", "SystemTime", "Instant::now"] {
                assert!(!text.contains(banned), "{} uses {banned}", file.display());
            }
        }
    }
}

#[test]
fn files_can_be_read_in_one_sitting() {
    const LINES: usize = 800;
    for manifest in manifests() {
        let mut files = Vec::new();
        let src = manifest.dir.join("src");
        if src.is_dir() {
            rust_files(&src, &mut files);
        }
        for file in files {
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            assert!(lines <= LINES, "{} has {lines} lines; cut it where its concerns part", file.display());
        }
    }
}
