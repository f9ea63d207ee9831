//! Where things are, and what the environment sets.

use std::path::{Path, PathBuf};

/// The root of the repository.
#[must_use]
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().and_then(Path::parent).unwrap_or(Path::new("."))
}

/// The folder of OPA's test cases: `HEXARCH_CONFORMANCE`, or `shared/conformance` beside the repository.
///
/// # Panics
///
/// Where there is none.
#[must_use]
pub fn corpus() -> PathBuf {
    let beside = || root().join("../shared/conformance");
    let folder = std::env::var_os("HEXARCH_CONFORMANCE").map_or_else(beside, PathBuf::from);
    assert!(folder.is_dir(), "no test cases in {}: HEXARCH_CONFORMANCE names their folder", folder.display());
    folder
}

/// A number from the environment: what a generator starts from (`SEED`), how many cases it makes.
///
/// # Panics
///
/// Where the variable is set and is no number.
#[must_use]
pub fn setting(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}=`{text}` is no number")),
        Err(_) => default,
    }
}
