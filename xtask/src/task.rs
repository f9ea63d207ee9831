//! Running programs: where they stand, what they print, how long they take.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// Where build results go, tools that the tests need among them.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// `cargo`, as it was called for this program, in the root of the repository.
pub(crate) fn cargo<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    command
}

/// Runs the command with its output shown; an exit code other than 0 is an error.
pub(crate) fn run(name: &str, command: &mut Command) -> Result<(), String> {
    println!("xtask: {name} …");
    let start = Instant::now();
    let status = command.status().map_err(|error| format!("{name}: {error}"))?;
    let seconds = start.elapsed().as_secs_f32();
    if !status.success() {
        return Err(format!("{name} failed after {seconds:.0} s ({status})"));
    }
    println!("xtask: {name} done in {seconds:.0} s");
    Ok(())
}
