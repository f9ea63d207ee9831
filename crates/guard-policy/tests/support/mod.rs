//! The real OPA, for the tests that ask it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The OPA binary: `OPA_BIN`, the search path, or Go's default place. Where there is none the test is
/// skipped, and says so past the harness, which would keep it to itself; with `OPA_BIN` set it fails.
pub(crate) fn opa() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("OPA_BIN").map(PathBuf::from) {
        assert!(works(&path), "OPA_BIN is {}, which does not run", path.display());
        return Some(path);
    }
    let home = std::env::home_dir().map(|home| home.join("go/bin/opa"));
    let found = [Some(PathBuf::from("opa")), home].into_iter().flatten().find(|path| works(path));
    if found.is_none() {
        let _ = writeln!(std::io::stderr(), "missing: no opa binary (OPA_BIN, PATH or ~/go/bin/opa)");
    }
    found
}

fn works(path: &Path) -> bool {
    Command::new(path).arg("version").output().is_ok_and(|output| output.status.success())
}

/// A directory that is gone at the end of the test.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("guard-policy-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs OPA and returns what it printed.
pub(crate) fn run(opa: &Path, arguments: &[&str], paths: &[&Path]) -> Result<String, String> {
    let output = Command::new(opa).args(arguments).args(paths).output().unwrap();
    let told =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.success() { Ok(told) } else { Err(told) }
}
