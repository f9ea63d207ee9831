//! The command line of Hexarch Guardrails.
//!
//! Exit codes: 0 done, 1 failed, 2 wrong usage, 3 denied by policy. Results go to standard output, errors to standard
//! error.

mod commands;
mod failure;
mod opa;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::commands::{audit, budget, confirm, demo, init, policy, rule, run};

/// Checks policies before code that can do damage.
#[derive(Parser)]
#[command(name = "hexarch-ctl", version)]
struct Arguments {
    /// The policy file; without it the nearest hexarch.yaml from here upwards.
    #[arg(long, global = true, value_name = "FILE", env = "HEXARCH_CONFIG")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Reads the records of decisions, and tells whether somebody has changed them.
    #[command(subcommand)]
    Audit(Box<audit::Command>),
    /// Shows and sets what is spent, and tortures the store that counts it.
    #[command(subcommand)]
    Budget(Box<budget::Command>),
    /// Answers calls that wait for a person.
    #[command(subcommand)]
    Confirm(Box<confirm::Command>),
    /// Runs an agent's calls under policies and shows each decision; needs no server.
    Demo(demo::Arguments),
    /// Writes a commented hexarch.yaml for a scenario.
    Init(init::Arguments),
    /// Looks at policies.
    #[command(subcommand)]
    Policy(Box<policy::Command>),
    /// Looks at rules with conditions, and decides about a call under them.
    #[command(subcommand)]
    Rule(Box<rule::Command>),
    /// Asks a policy, then runs a command or refuses with exit code 3.
    Run(Box<run::Arguments>),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.command {
        Command::Audit(command) => audit::run(&command, arguments.config.as_deref()),
        Command::Budget(command) => budget::run(&command, arguments.config.as_deref()),
        Command::Confirm(command) => confirm::run(&command, arguments.config.as_deref()),
        Command::Demo(demo) => demo::run(&demo),
        Command::Init(init) => init::run(&init, arguments.config.as_deref()),
        Command::Policy(command) => policy::run(&command, arguments.config.as_deref()),
        Command::Rule(command) => rule::run(&command, arguments.config.as_deref()),
        Command::Run(run) => run::run(&run, arguments.config.as_deref()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
