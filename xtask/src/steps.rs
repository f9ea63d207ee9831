//! The steps of `cargo xtask test`, in the order in which they fail soonest.

use std::path::PathBuf;
use std::process::Command;

use crate::{judges, opa, servers, task};

/// What the steps need from the machine.
struct Machine {
    /// OPA in the pinned version.
    opa: PathBuf,
    /// OPA's test cases; data beside the project, which a clone alone does not have.
    corpus: Option<PathBuf>,
    /// Whether the compiler that built `runtime.wasm` is here, so that it can be built again.
    toolchain: bool,
}

/// One step: its name and what it runs.
type Step = (&'static str, fn(&Machine) -> Result<(), String>);

const STEPS: &[Step] = &[
    ("format", format),
    ("clippy", clippy),
    ("docs", docs),
    ("tests", tests),
    ("tls", tls),
    ("schedules", schedules),
    ("outgoing", outgoing),
    ("peers", peers),
    ("conformance", judge),
    ("fuzz", fuzz),
    ("portability", portability),
];

/// The package whose dependencies are other hosts: their features must not reach ours, so it is built on its own.
const PEERS: &str = "hexarch-benches";

/// Limits beside their peers: a workspace of its own, where the SDK has its default features and no others, as users have it.
const LIMITS: &str = "benches/limits/Cargo.toml";

/// `cargo xtask test`.
pub(crate) fn test(arguments: &[String]) -> Result<(), String> {
    let only = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => None,
        ["--list"] => {
            STEPS.iter().for_each(|(name, _)| println!("{name}"));
            return Ok(());
        }
        ["--only", name] if STEPS.iter().any(|(step, _)| step == name) => Some((*name).to_owned()),
        _ => return Err("test takes `--list`, or `--only STEP` with one of its names".to_owned()),
    };
    let machine = Machine { opa: opa::install()?, corpus: corpus(), toolchain: has_toolchain() };
    if machine.corpus.is_none() {
        println!("xtask: SKIPPED: tests that need the conformance corpus: none at ../shared/conformance");
    }
    if !machine.toolchain {
        println!("xtask: SKIPPED: building runtime.wasm again: the compiler that it records is not here");
    }
    for (name, step) in STEPS {
        if only.as_deref().is_none_or(|only| only == *name) {
            step(&machine)?;
        }
    }
    println!("xtask: all steps done");
    Ok(())
}

/// `cargo xtask conformance`: the harness, built as the tests are.
pub(crate) fn conformance(arguments: &[String]) -> Result<(), String> {
    // Built with the rest, as the tests are: a package alone would resolve other features, and build the world again.
    let build = ["build", "--workspace", "--exclude", PEERS, "--bin", "conformance", "--bin", "hexarch-ctl"];
    task::run("the conformance harness", &mut task::cargo(build))?;
    let mut harness = Command::new(task::target().join("debug/conformance"));
    task::run("conformance", harness.args(arguments).current_dir(task::root()))
}

/// Builds a program of the workspace, and gives its path.
pub(crate) fn built(program: &str) -> Result<PathBuf, String> {
    // Built with the rest, as the tests are: a package alone would resolve other features, and build the world again.
    let build = ["build", "--workspace", "--exclude", PEERS, "--bin", program];
    task::run(&format!("build of {program}"), &mut task::cargo(build))?;
    Ok(task::target().join("debug").join(program))
}

/// Builds a program of the peers' package, and gives its path.
pub(crate) fn built_peer(program: &str) -> Result<PathBuf, String> {
    task::run(
        &format!("build of {program}"),
        &mut task::cargo(["build", "--package", PEERS, "--bin", program]),
    )?;
    Ok(task::target().join("debug").join(program))
}

/// `cargo xtask runtime`.
pub(crate) fn runtime() -> Result<(), String> {
    let script = task::root().join("crates/rego-runtime/build-wasm.sh");
    task::run("runtime.wasm", Command::new("bash").arg(script).current_dir(task::root()))
}

/// OPA's test cases, where they are.
pub(crate) fn corpus() -> Option<PathBuf> {
    let default = || task::root().join("../shared/conformance");
    let dir = std::env::var_os("HEXARCH_CONFORMANCE").map_or_else(default, PathBuf::from);
    dir.canonicalize().ok().filter(|dir| dir.is_dir())
}

/// Whether a `rustc` of this machine is the one whose version `runtime.wasm` carries in a custom section.
fn has_toolchain() -> bool {
    let blob = std::fs::read(task::root().join("crates/rego-runtime/runtime.wasm")).unwrap_or_default();
    let version = |rustc: &&str| Command::new(rustc).arg("--version").output().map(|output| output.stdout);
    let recorded = |version: Vec<u8>| {
        let version = version.trim_ascii();
        !version.is_empty() && blob.windows(version.len()).any(|window| window == version)
    };
    ["rustc", "/usr/bin/rustc"].iter().any(|rustc| version(rustc).is_ok_and(recorded))
}

fn format(_: &Machine) -> Result<(), String> {
    task::run("format", &mut task::cargo(["fmt", "--all", "--check"]))
}

/// The features of all tests that speak TLS.
const TLS_TESTS: &str =
    "rego-net/tls-tests,guard-opa/tls-tests,hexarch-guardrails/tls-tests,hexarch-ctl/tls-tests";

fn clippy(_: &Machine) -> Result<(), String> {
    let ours = ["clippy", "--workspace", "--exclude", PEERS, "--all-targets", "--", "--deny", "warnings"];
    task::run("clippy", &mut task::cargo(ours))?;
    let tls = ["--features", TLS_TESTS, "--test", "tls", "--", "--deny", "warnings"];
    task::run("clippy of TLS", task::cargo(["clippy", "--workspace", "--exclude", PEERS]).args(tls))?;
    let peers = ["clippy", "--package", PEERS, "--all-targets", "--", "--deny", "warnings"];
    task::run("clippy of the peers", &mut task::cargo(peers))?;
    let limits = ["clippy", "--manifest-path", LIMITS, "--package", "hexarch-limit-benches", "--package"];
    let mut limits = task::cargo(limits);
    limits.args(["hexarch-guardrails", "--lib", "--benches", "--target-dir"]).arg(task::target());
    task::run("clippy of limits and of the SDK by itself", limits.args(["--", "--deny", "warnings"]))
}

fn docs(_: &Machine) -> Result<(), String> {
    let mut command = task::cargo(["doc", "--workspace", "--exclude", PEERS, "--no-deps"]);
    task::run("docs", command.env("RUSTDOCFLAGS", "--deny warnings"))
}

/// Every test: those that need OPA, the corpus or a server are marked ignored, so that plain `cargo test` never counts them as
/// passed, and are included here.
fn tests(machine: &Machine) -> Result<(), String> {
    let left_out = servers::install();
    run_tests_but("tests", machine, &["--workspace", "--exclude", PEERS], &left_out)
}

/// The network with TLS, which nothing else is built with: the clients, then a Guardian and the command line with them. What
/// users' feature `tls` adds for other clients of `reqwest` would have wasmtime built again, so it is tested where there is
/// none.
fn tls(machine: &Machine) -> Result<(), String> {
    let features = "rego-net/tls-tests,guard-opa/tls-tests";
    let packages = ["--package", "rego-net", "--package", "guard-opa", "--features", features];
    run_tests("tests of TLS", machine, &packages)?;
    let whole = ["--workspace", "--exclude", PEERS, "--features", TLS_TESTS, "--test", "tls"];
    run_tests("tests of TLS as a whole", machine, &whole)?;
    // Clients that know nothing of TLS, beside one that does: none panics.
    let features = "guard-opa/tls,guard-confirm/page,guard-confirm/sqlite,guard-confirm/webhook";
    let packages = ["--package", "guard-opa", "--package", "guard-confirm", "--features", features];
    let tests = ["--test", "hostile", "--test", "courier"];
    run_tests("clients beside TLS", machine, &[&packages[..], &tests].concat())
}

/// The memory store with locks that try every schedule, which nothing else is built with.
fn schedules(machine: &Machine) -> Result<(), String> {
    let package = ["--package", "guard-state", "--features", "shuttle", "--test", "schedules"];
    run_tests("schedules", machine, &package)
}

/// The middleware for `reqwest` clients: its dependencies change what wasmtime is built with.
fn outgoing(machine: &Machine) -> Result<(), String> {
    let feature = "hexarch-guardrails/reqwest-middleware";
    let arguments = ["--workspace", "--exclude", PEERS, "--features", feature, "--test", "outgoing"];
    run_tests("tests of the reqwest middleware", machine, &arguments)
}

fn peers(machine: &Machine) -> Result<(), String> {
    run_tests("tests beside the peers", machine, &["--package", PEERS])
}

fn run_tests(name: &str, machine: &Machine, packages: &[&str]) -> Result<(), String> {
    run_tests_but(name, machine, packages, &[])
}

/// Tests, but those whose names hold one of these words.
fn run_tests_but(name: &str, machine: &Machine, packages: &[&str], left_out: &[&str]) -> Result<(), String> {
    let mut command = task::cargo(["test"]);
    command.args(packages).args(["--", "--include-ignored"]).env("OPA_BIN", &machine.opa);
    match &machine.corpus {
        Some(corpus) => command.env("HEXARCH_CONFORMANCE", corpus),
        None => command.args(["--skip", "needs_corpus"]),
    };
    if !machine.toolchain {
        command.args(["--skip", "needs_toolchain"]);
    }
    // Minutes without optimisation: `cargo test --release -p rego-engine needs_time -- --ignored`.
    println!("xtask: SKIPPED: tests named needs_time, whose shorter form is run");
    command.args(["--skip", "needs_time"]);
    command.args(left_out.iter().flat_map(|word| ["--skip", word]));
    task::run(name, &mut command)
}

fn judge(machine: &Machine) -> Result<(), String> {
    match &machine.corpus {
        Some(_) => {
            conformance(&[])?;
            // The same answers without the optimiser and with each pass alone: a miscompile is one pass' or none's.
            for passes in ["none", "inline", "outline"] {
                conformance(&["--filter", "v1/", "--passes", passes].map(str::to_owned))?;
            }
            // And where more is left to our engine.
            conformance(&["--filter", "v1/", "--target", "engine"].map(str::to_owned))
        }
        None => Ok(()),
    }
}

fn fuzz(machine: &Machine) -> Result<(), String> {
    judges::fuzz_step(&machine.opa)
}

fn portability(machine: &Machine) -> Result<(), String> {
    match &machine.corpus {
        Some(corpus) => judges::portability_step(&machine.opa, corpus),
        None => Ok(()),
    }
}
