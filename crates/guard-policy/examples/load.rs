//! How long a large hexarch.yaml takes from text to module: `cargo run --release -p guard-policy --example load`.
//!
//! Prints a line for each number of policies: reading, translating, compiling to WebAssembly, in milliseconds,
//! and the size of the module. What machine code takes on top is in `hexarch-benches`.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::Instant;

use rego_build::{Options, PlanOptions, Source, Target, build};

fn main() -> ExitCode {
    match [10, 100, 1_000, 10_000].into_iter().try_for_each(measure) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// A file of this many policies, each with a rule that counts and one that looks.
fn text(policies: usize) -> Result<String, std::fmt::Error> {
    let mut text = String::from("policies:\n");
    for number in 0..policies {
        write!(
            text,
            "  - id: policy_{number}\n    rules:\n      - resource: api-{number}\n        monthly_budget: 10\n      \
             - operation: delete\n        action: require_confirmation\n"
        )?;
    }
    Ok(text)
}

fn measure(policies: usize) -> Result<(), Box<dyn std::error::Error>> {
    let text = text(policies)?;
    let start = Instant::now();
    let file = guard_policy::parse("hexarch.yaml", &text)?;
    let read = start.elapsed();
    let package = guard_policy::translate(&file);
    let translated = start.elapsed();
    let sources: Vec<Source> =
        package.modules().iter().map(|module| Source::new(module.name(), module.text())).collect();
    let wasm = PlanOptions { target: Target::Engine, ..PlanOptions::default() };
    let module = build(&sources, package.entrypoints(), &Options { wasm, ..Options::default() })?;
    let compiled = start.elapsed();
    let milliseconds = |time: std::time::Duration| time.as_secs_f64() * 1e3;
    println!(
        "{policies:6} policies: read {:8.1} ms, translated {:8.1} ms, compiled {:8.1} ms, {} bytes",
        milliseconds(read),
        milliseconds(translated - read),
        milliseconds(compiled - translated),
        module.bytes.len()
    );
    Ok(())
}
