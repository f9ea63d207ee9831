//! The real OPA, as a compiler: `opa build -t wasm`.

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
    let opa = std::env::var_os("OPA_BIN").map_or_else(|| PathBuf::from("opa"), PathBuf::from);
    let dir = std::env::temp_dir().join(format!("hexarch-benches-{}-{}", std::process::id(), policy.name));
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("policy.rego"), &policy.source).unwrap();
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
