//! The real OPA that the tests compare with: found or installed, always the pinned version.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::task;

/// The version whose behaviour is the specification.
const VERSION: &str = "1.22.2";

/// The path of OPA in the pinned version: `OPA_BIN`, the one installed before, the one on `PATH`, else a new one.
pub(crate) fn install() -> Result<PathBuf, String> {
    if let Some(path) = std::env::var_os("OPA_BIN").map(PathBuf::from) {
        return match is_pinned(&path) {
            true => Ok(path),
            false => Err(format!("OPA_BIN: {} is not OPA {VERSION}", path.display())),
        };
    }
    let tools = task::target().join("tools");
    let installed = tools.join("opa");
    // Absolute, since tests run in other folders.
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|folder| folder.join("opa"));
    if let Some(found) = std::iter::once(installed.clone()).chain(on_path).find(|path| is_pinned(path)) {
        return Ok(found);
    }
    let module = format!("github.com/open-policy-agent/opa@v{VERSION}");
    let mut go = Command::new("go");
    go.args(["install", &module]).env("GOBIN", &tools).env("CGO_ENABLED", "0");
    task::run(&format!("go install {module}"), &mut go).map_err(|error| {
        format!("{error}\nOPA is built with Go (https://go.dev), which must be installed")
    })?;
    Ok(installed)
}

fn is_pinned(path: &Path) -> bool {
    let output = Command::new(path).arg("version").output();
    output.is_ok_and(|output| {
        String::from_utf8_lossy(&output.stdout).contains(&format!("Version: {VERSION}\n"))
    })
}
