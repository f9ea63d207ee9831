//! The chores that hold our modules against other makers and hosts of modules: `cargo xtask fuzz`, `portability`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{opa, steps, task};

/// OPA's host for JavaScript.
const NODE_PACKAGE: &str = "@open-policy-agent/opa-wasm@1.10.0";

/// How many random programs a test run compares; the nightly run takes `--programs 20000` and a seed of its own.
const PROGRAMS: &str = "500";

/// Which ones: the same each time, so that a change is judged by itself. Among them is one that compares an integer with
/// a string, which once read memory at the integer.
const SEED: &str = "1795363868";

/// How many of OPA's own modules our engine runs.
const OPA_MODULES: &str = "320";

/// `cargo xtask fuzz`.
pub(crate) fn fuzz(arguments: &[String]) -> Result<(), String> {
    fuzz_with(&opa::install()?, arguments)
}

/// The step of a test run.
pub(crate) fn fuzz_step(opa: &Path) -> Result<(), String> {
    fuzz_with(opa, &["--seed", SEED, "--programs", PROGRAMS].map(str::to_owned))
}

fn fuzz_with(opa: &Path, arguments: &[String]) -> Result<(), String> {
    let fuzzer = steps::built("rego-fuzz")?;
    task::run("random programs", Command::new(fuzzer).args(arguments).env("OPA_BIN", opa))
}

/// `cargo xtask portability`.
pub(crate) fn portability() -> Result<(), String> {
    match steps::corpus() {
        Some(corpus) => portability_step(&opa::install()?, &corpus),
        None => Err("no conformance corpus at ../shared/conformance".to_owned()),
    }
}

/// The step of a test run.
pub(crate) fn portability_step(opa: &Path, corpus: &Path) -> Result<(), String> {
    let harness = steps::built("conformance")?;
    let mut command = Command::new(harness);
    command.arg("--export").arg(task::target().join("portability")).arg("--dir").arg(corpus);
    command.args(["--opa-modules", OPA_MODULES]).env("OPA_BIN", opa).current_dir(task::root());
    command.arg("--host").arg(steps::built_peer("opa-wasm-crate")?);
    match node_modules()? {
        Some(folder) => command.arg("--node").arg(folder),
        None => {
            println!("xtask: SKIPPED: our modules in node: there is no `node` with `npm` on this machine");
            &mut command
        }
    };
    task::run("portability", &mut command)
}

/// The folder `node_modules` with OPA's host, installed once into the target folder.
fn node_modules() -> Result<Option<PathBuf>, String> {
    let has =
        |program: &str| Command::new(program).arg("--version").output().is_ok_and(|o| o.status.success());
    if !has("node") || !has("npm") {
        return Ok(None);
    }
    let folder = task::target().join("tools/opa-wasm-npm");
    let modules = folder.join("node_modules");
    if !modules.join("@open-policy-agent/opa-wasm/package.json").is_file() {
        std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--prefix"]).arg(&folder).arg(NODE_PACKAGE);
        task::run(&format!("npm install {NODE_PACKAGE}"), &mut npm)?;
    }
    Ok(Some(modules))
}
