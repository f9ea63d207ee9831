//! `runtime.wasm` is what the sources say.
//!
//! The digest always has to match. Where the compiler is present with which the blob was built, it is built again and has
//! to be the same byte for byte; elsewhere that part is skipped, loudly.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_types,
    reason = "tests"
)]

use std::path::PathBuf;
use std::process::Command;

fn here() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn blob() -> Vec<u8> {
    std::fs::read(here().join("runtime.wasm")).expect("crates/rego-runtime/runtime.wasm is committed")
}

/// The section `rego-runtime`: the digest and the compiler's version.
fn stamp(module: &[u8]) -> (String, String) {
    for payload in wasmparser::Parser::new(0).parse_all(module) {
        if let wasmparser::Payload::CustomSection(section) = payload.expect("a module")
            && section.name() == "rego-runtime"
        {
            let text = std::str::from_utf8(section.data()).unwrap();
            let (digest, version) = text.split_once('\n').expect("two lines");
            return (digest.to_owned(), version.to_owned());
        }
    }
    panic!("runtime.wasm has no section `rego-runtime`");
}

fn run(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[test]
fn the_blob_was_built_from_these_sources() {
    let (digest, _) = stamp(&blob());
    let now = run(Command::new(here().join("stamp.sh")).arg("--digest"))
        .expect("a shell computes the digest of the sources");
    assert_eq!(
        digest, now,
        "the sources have changed: run crates/rego-runtime/build-wasm.sh and commit runtime.wasm"
    );
}

#[test]
#[ignore = "needs the recorded toolchain"]
fn needs_toolchain_the_recorded_compiler_builds_the_same_bytes() {
    let (_, version) = stamp(&blob());
    let same = |rustc: &&str| run(Command::new(rustc).arg("--version")).as_deref() == Some(&version);
    let rustc = ["rustc", "/usr/bin/rustc"].into_iter().find(same).expect("the recorded toolchain");
    let output = std::env::temp_dir().join(format!("runtime-{}.wasm", std::process::id()));
    let script = here().join("build-wasm.sh");
    let built =
        Command::new(script).arg(&output).env("RUNTIME_RUSTC", rustc).output().expect("the script runs");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let same = std::fs::read(&output).unwrap() == blob();
    std::fs::remove_file(&output).unwrap();
    assert!(same, "{version} builds another runtime.wasm from these sources");
}

#[test]
fn the_blob_has_the_documented_interface() {
    let documented = std::fs::read_to_string(here().join("src/lib.rs")).unwrap();
    let names: Vec<String> = documented
        .split('`')
        .filter_map(|code| code.split(['(', ' ']).next())
        .filter(|name| name.starts_with("rt_") || name.starts_with("opa_") || name.starts_with("rego_error"))
        .map(str::to_owned)
        .filter(|name| !["opa_abort", "opa_println", "opa_builtin0..4"].contains(&name.as_str()))
        .chain(rego_runtime::BUILTINS.iter().map(|(name, _)| format!("bi_{}", name.replace('.', "_"))))
        .collect();
    let (mut exports, mut imports) = (Vec::new(), Vec::new());
    for payload in wasmparser::Parser::new(0).parse_all(&blob()) {
        match payload.unwrap() {
            wasmparser::Payload::ExportSection(section) => {
                exports.extend(section.into_iter().map(|export| export.unwrap().name.to_owned()));
            }
            wasmparser::Payload::ImportSection(section) => {
                imports.extend(section.into_imports().map(|import| {
                    let import = import.unwrap();
                    if let wasmparser::TypeRef::Memory(memory) = import.ty {
                        assert!(memory.initial <= 5, "{memory:?}");
                    }
                    format!("{}.{}", import.module, import.name)
                }));
            }
            wasmparser::Payload::StartSection { .. } => {
                panic!("a start function: something is not initialised data")
            }
            _ => {}
        }
    }
    for name in names {
        assert!(exports.contains(&name), "{name} is not exported");
    }
    assert!(exports.contains(&"__heap_base".to_owned()));
    imports.sort();
    assert_eq!(imports, ["env.memory", "env.opa_abort"]);
}
