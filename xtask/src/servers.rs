//! The servers that tests start for themselves: Debian's packages, installed where they are missing.

use std::path::Path;
use std::process::Command;

use crate::task;

/// Sees that Redis and PostgreSQL are there. Debian's packages are installed as root; elsewhere, say what to install.
pub(crate) fn install() -> Result<(), String> {
    let redis = Command::new("redis-server").arg("--version").output().is_ok_and(|out| out.status.success());
    let postgres = Path::new("/usr/lib/postgresql").is_dir()
        || Command::new("postgres").arg("--version").output().is_ok_and(|out| out.status.success());
    let missing: Vec<&str> = [(redis, "redis-server"), (postgres, "postgresql")]
        .iter()
        .filter(|(is, _)| !is)
        .map(|(_, it)| *it)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        task::run(&format!("apt-get {}", arguments.join(" ")), &mut command)
    };
    let installed = apt(&["update"])
        .and_then(|()| apt(&[&["install", "--yes", "--no-install-recommends"], missing.as_slice()].concat()));
    installed.map_err(|error| format!("the tests need {}: {error}", missing.join(" and ")))
}
