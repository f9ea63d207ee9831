//! Programs that compute, by our module, by OPA's own module in our engine, and by OPA itself (`opa bench`).
//!
//! ```sh
//! OPA_BIN=… cargo bench -p hexarch-benches --bench compute [-- NAME… [ours]]
//! ```
//!
//! The median of many calls in microseconds, each from the input's JSON text to the decision's value; `opa bench` is
//! given its input parsed. All three answer alike before anything is timed. `ours` leaves the others out, and lets `perf`
//! know where the module's code lies; `WASM_DIR` names a folder of modules to measure instead (see `examples/profile.rs`).
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark stops at the first surprise, and prints what it found"
)]

use std::path::Path;
use std::time::{Duration, Instant};

use hexarch_benches::compute::{self, Program};
use hexarch_benches::engines::ours;
use hexarch_benches::opa;

/// How long each program runs.
const TIME: Duration = Duration::from_secs(1);

fn main() {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let alone = arguments.iter().any(|argument| argument == "ours");
    let wanted = |name: &str| {
        arguments.iter().all(|argument| argument == "ours") || arguments.iter().any(|a| a == name)
    };
    println!("{:15} {:>10} {:>12} {:>10}   × OPA's module   × OPA", "program", "ours", "OPA's module", "OPA");
    for program in compute::programs().iter().filter(|program| wanted(&program.policy.name)) {
        let name = &program.policy.name;
        let (ours, answer) = time(&module(program), program);
        if alone {
            println!("{name:15} {ours:10.1}   {answer}");
            continue;
        }
        let Some(module) = opa::build(&program.policy) else { continue };
        let (in_module, same) = time(&module, program);
        assert_eq!(answer, same, "{name}");
        let by_opa = opa::bench(&program.policy, &program.input, &answer);
        println!(
            "{name:15} {ours:10.1} {in_module:12.1} {by_opa:10.1}   {:14.1}   {:5.1}",
            in_module / ours,
            by_opa / ours
        );
    }
}

fn module(program: &Program) -> Vec<u8> {
    match std::env::var_os("WASM_DIR") {
        Some(dir) => std::fs::read(Path::new(&dir).join(format!("{}.wasm", program.policy.name))).unwrap(),
        None => ours::compile(&program.policy),
    }
}

/// The median time of a call in microseconds, and its answer as text.
fn time(module: &[u8], program: &Program) -> (f64, String) {
    let mut engine = ours::Loaded::new(module, &program.policy);
    engine.leave_map();
    let answer = engine.value(&program.input);
    let mut times = Vec::new();
    let start = Instant::now();
    while start.elapsed() < TIME || times.len() < 10 {
        let call = Instant::now();
        std::hint::black_box(engine.value(&program.input));
        times.push(call.elapsed().as_secs_f64() * 1e6);
    }
    times.sort_by(f64::total_cmp);
    (times[times.len() / 2], answer)
}
