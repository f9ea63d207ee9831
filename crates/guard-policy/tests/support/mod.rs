//! The real OPA, for the tests that ask it.

use std::path::Path;
use std::process::Command;

pub(crate) use test_support::{opa, root};

/// Runs OPA and returns what it printed.
pub(crate) fn run(opa: &Path, arguments: &[&str], paths: &[&Path]) -> Result<String, String> {
    let output = Command::new(opa).args(arguments).args(paths).output().unwrap();
    let told =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.success() { Ok(told) } else { Err(told) }
}
