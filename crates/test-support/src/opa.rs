//! The real OPA's commands.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// The OPA to compare with: `OPA_BIN`, else `opa` on the search path, else where Go installs it.
///
/// # Panics
///
/// Where there is none that runs.
#[must_use]
pub fn opa() -> &'static Path {
    static FOUND: LazyLock<Option<PathBuf>> = LazyLock::new(find);
    let found = FOUND.as_deref();
    found.unwrap_or_else(|| panic!("no OPA: `cargo xtask opa` installs one, OPA_BIN says where it is"))
}

fn find() -> Option<PathBuf> {
    let runs = |path: &PathBuf| {
        Command::new(path).arg("version").output().is_ok_and(|output| output.status.success())
    };
    // One that is named and does not run is a mistake to be told, not to be made up for.
    if let Some(named) = std::env::var_os("OPA_BIN").map(PathBuf::from) {
        return Some(named).filter(runs);
    }
    let installed = std::env::home_dir().map(|home| home.join("go/bin/opa"));
    [Some(PathBuf::from("opa")), installed].into_iter().flatten().find(runs)
}

/// Runs `opa build` in a folder, with these arguments; the bundle is `bundle.tar.gz` in that folder.
///
/// # Errors
///
/// What OPA says where it refuses.
///
/// # Panics
///
/// Where OPA cannot be run.
pub fn build_bundle(opa: &Path, folder: &Path, arguments: &[&str]) -> Result<(), String> {
    let mut build = Command::new(opa);
    build.current_dir(folder).args(["build", "-o", "bundle.tar.gz"]).args(arguments);
    let output = build.output().unwrap_or_else(|error| panic!("{}: {error}", opa.display()));
    let told = || [output.stdout.as_slice(), &output.stderr].concat();
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&told()).into_owned()) }
}

/// A file of the folder's `bundle.tar.gz`, named from the bundle's root (`/policy.wasm`, `/plan.json`).
///
/// # Panics
///
/// Where it is not there, or this machine has no `tar`.
#[must_use]
pub fn unpack(folder: &Path, name: &str) -> Vec<u8> {
    let output = Command::new("tar").current_dir(folder).args(["-xzOf", "bundle.tar.gz", name]).output();
    let output = output.unwrap_or_else(|error| panic!("tar: {error}"));
    assert!(output.status.success(), "tar: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}
