//! The servers, and the browser, that tests start for themselves: Debian's packages, installed where they are missing.

use std::path::Path;
use std::process::Command;

use crate::task;

/// A server: what its tests' names hold, its package, and whether it is here.
type Server = (&'static str, &'static str, fn() -> bool);

const SERVERS: [Server; 3] = [
    ("needs_redis", "redis-server", has_redis),
    ("needs_postgres", "postgresql", has_postgres),
    ("needs_browser", "chromium", has_browser),
];

fn has_redis() -> bool {
    says_its_version("redis-server")
}

/// Debian keeps PostgreSQL's programs out of the search path.
fn has_postgres() -> bool {
    Path::new("/usr/lib/postgresql").is_dir() || says_its_version("postgres")
}

fn has_browser() -> bool {
    says_its_version("chromium")
}

fn says_its_version(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Installs the servers that are missing, where this may be done (as root, on a Debian). The names of the tests for
/// which there is still no server are given back, and told: they are to be left out.
pub(crate) fn install() -> Vec<&'static str> {
    let missing = || SERVERS.into_iter().filter(|(_, _, is_here)| !is_here());
    let packages: Vec<&str> = missing().map(|(_, package, _)| package).collect();
    if packages.is_empty() {
        return Vec::new();
    }
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        task::run(&format!("apt-get {}", arguments.join(" ")), &mut command)
    };
    let installed = apt(&["update"]).and_then(|()| {
        apt(&[&["install", "--yes", "--no-install-recommends"], packages.as_slice()].concat())
    });
    if let Err(error) = installed {
        println!("xtask: {error}");
    }
    let left_out = missing().inspect(|(tests, package, _)| {
        println!("xtask: SKIPPED: tests named {tests}: {package} is not here and could not be installed");
    });
    left_out.map(|(tests, ..)| tests).collect()
}
