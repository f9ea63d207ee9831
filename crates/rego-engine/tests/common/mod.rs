//! What the tests of the engine share: a real OPA, and modules built by it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// The OPA binary: `OPA_BIN`, the search path, or Go's default place. Says so when there is none.
pub(crate) fn opa() -> Option<PathBuf> {
    let home = std::env::var_os("HOME").map(|home| Path::new(&home).join("go/bin/opa"));
    let candidates = [std::env::var_os("OPA_BIN").map(PathBuf::from), Some(PathBuf::from("opa")), home];
    let found = candidates
        .into_iter()
        .flatten()
        .find(|path| Command::new(path).arg("version").output().is_ok_and(|output| output.status.success()));
    if found.is_none() {
        eprintln!("missing: no opa binary (OPA_BIN, PATH or ~/go/bin/opa)");
    }
    found
}

/// A folder of its own for a test, removed with it.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("rego-engine-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The module OPA makes of a policy.
pub(crate) fn opa_module(opa: &Path, policy: &str, entrypoints: &[&str]) -> Vec<u8> {
    let folder = Folder::new();
    std::fs::write(folder.0.join("policy.rego"), policy).unwrap();
    let mut command = Command::new(opa);
    command.current_dir(&folder.0).args(["build", "-t", "wasm", "-o", "bundle.tar.gz"]);
    for entrypoint in entrypoints {
        command.args(["-e", entrypoint]);
    }
    let output = command.arg("policy.rego").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let unpacked = Command::new("tar")
        .current_dir(&folder.0)
        .args(["-xzf", "bundle.tar.gz", "/policy.wasm"])
        .output()
        .unwrap();
    assert!(unpacked.status.success(), "{}", String::from_utf8_lossy(&unpacked.stderr));
    std::fs::read(folder.0.join("policy.wasm")).unwrap()
}
