//! The real OPA, as a compiler (`opa build -t wasm`) and as an evaluator (`opa bench`).

use std::path::PathBuf;
use std::process::Command;

use crate::policy::Policy;

/// OPA's own module for a policy, or `None` (said loudly) where there is no OPA.
///
/// # Panics
///
/// When OPA is there and cannot build the policy.
#[must_use]
pub fn build(policy: &Policy) -> Option<Vec<u8>> {
    let (opa, dir) = (binary(), folder(policy));
    let mut build = Command::new(&opa);
    build.current_dir(&dir).args(["build", "-t", "wasm", "-e", &policy.entrypoint, "policy.rego"]);
    let output = match build.output() {
        Ok(output) => output,
        Err(error) => {
            eprintln!("SKIPPED: OPA's own module of {}: {}: {error}", policy.name, opa.display());
            return None;
        }
    };
    assert!(output.status.success(), "opa build: {}", String::from_utf8_lossy(&output.stderr));
    // The bundle is a tar.gz; tar is everywhere that OPA's sources can be built.
    let tar = Command::new("tar")
        .current_dir(&dir)
        .args(["-xzOf", "bundle.tar.gz", "/policy.wasm"])
        .output()
        .unwrap();
    assert!(tar.status.success(), "tar: {}", String::from_utf8_lossy(&tar.stderr));
    std::fs::remove_dir_all(&dir).unwrap();
    Some(tar.stdout)
}

/// What OPA itself takes for a decision, in microseconds, by its own benchmark, after looking whether it answers so.
///
/// # Panics
///
/// When OPA is missing, or answers something else.
#[must_use]
pub fn bench(policy: &Policy, input: &str, answer: &str) -> f64 {
    let dir = folder(policy);
    std::fs::write(dir.join("data.json"), &policy.data).unwrap();
    std::fs::write(dir.join("input.json"), input).unwrap();
    let query = format!("data.{}", policy.entrypoint.replace('/', "."));
    let run = |words: &[&str]| {
        let files = ["-d", "policy.rego", "-d", "data.json", "-i", "input.json", &query];
        let output = Command::new(binary()).current_dir(&dir).args(words).args(files).output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    let value: serde_json::Value = serde_json::from_slice(&run(&["eval", "--format", "raw"])).unwrap();
    assert_eq!(value, serde_json::from_str::<serde_json::Value>(answer).unwrap(), "{}", policy.name);
    let result: serde_json::Value = serde_json::from_slice(&run(&["bench", "--format", "json"])).unwrap();
    std::fs::remove_dir_all(&dir).unwrap();
    let number = |name: &str| result[name].as_f64().unwrap();
    number("T") / number("N") / 1e3
}

fn binary() -> PathBuf {
    std::env::var_os("OPA_BIN").map_or_else(|| PathBuf::from("opa"), PathBuf::from)
}

/// A folder of its own with the policy in it.
fn folder(policy: &Policy) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("hexarch-benches-{}-{}", std::process::id(), policy.name));
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("policy.rego"), &policy.source).unwrap();
    dir
}
