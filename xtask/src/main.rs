//! The project's own chores: `cargo xtask`.
//!
//! It depends on nothing but the standard library, so that it is built in a second and can say early what a machine
//! lacks.

mod judges;
mod opa;
mod servers;
mod steps;
mod task;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  test [--only STEP] [--list]   lints and every test; installs the servers they need (this is what CI runs)
  conformance [ARGUMENTS]       OPA's own cases: [--dir DIR] [--filter TEXT] [--json] [--verbose] [--update-known]
  fuzz [ARGUMENTS]              random policies, answered by us and by OPA: [--programs N] [--seed S] [--skip N] [--differences N]
  portability                   our modules in the hosts for node and Rust, OPA's modules in our engine
  runtime                       rebuilds crates/rego-runtime/runtime.wasm from its sources
  opa                           installs OPA and prints where it is";

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let command = words.next().unwrap_or_default();
    let rest: Vec<String> = words.collect();
    let done = match command.as_str() {
        "test" => steps::test(&rest),
        "conformance" => steps::conformance(&rest),
        "fuzz" => judges::fuzz(&rest),
        "portability" => judges::portability(),
        "runtime" => steps::runtime(),
        "opa" => opa::install().map(|path| println!("{}", path.display())),
        _ => Err(format!("unknown command `{command}`\n{USAGE}")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}
