//! One policy's decisions again and again, for a profiler, beside typed Rust by hand in the same run.
//!
//! ```sh
//! cargo build -p hexarch-benches --profile profiling --example profile
//! perf record target/profiling/examples/profile p1/allow 2000 ours
//! ```
//!
//! The arguments: policy, or policy and case (all, without one); milliseconds for each case; `ours` to leave the others
//! out. `WASM_DIR` names a folder of modules (`p1.wasm`, …) that are measured instead of those that this build compiles:
//! `crates/rego-build/examples/emit.rs` writes them, so that a change of the compiler is measured without building this.
//! The least time of many short runs is printed, in nanoseconds; where the modules' code lies is left for `perf`.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a tool for its authors, whose figures are far below 2^52"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use hexarch_benches::engines::ours;
use hexarch_benches::policy::{self, Policy};
use hexarch_benches::{typed, varied};

/// Calls between two looks at the clock.
const CALLS: u32 = 200;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let wanted = arguments.get(1).map_or("", String::as_str);
    let time = Duration::from_millis(arguments.get(2).map_or(1000, |millis| millis.parse().unwrap()));
    let alone = arguments.get(3).is_some_and(|who| who == "ours");
    for policy in policy::load_all(&policy::standing()) {
        if wanted.is_empty() || wanted.split('/').next() == Some(policy.name.as_str()) {
            profile(&policy, wanted, time, alone);
        }
    }
}

fn profile(policy: &Policy, wanted: &str, time: Duration, alone: bool) {
    let typed = typed::load(&policy.name, &policy.data);
    let by_hand = typed.as_ref().filter(|_| !alone);
    let module = ours::compile_or_read(policy);
    let start = Instant::now();
    let mut engine = ours::Loaded::new(&module, policy);
    println!(
        "{}: {} bytes, loaded in {:.0} ms",
        policy.name,
        module.len(),
        start.elapsed().as_secs_f64() * 1e3
    );
    engine.leave_map();
    let mut ratios = Vec::new();
    for case in &policy.cases {
        let name = format!("{}/{}", policy.name, case.name);
        if wanted.contains('/') && wanted != name {
            continue;
        }
        let input = ours::Loaded::parse(&case.input);
        let [mut text, mut parsed, mut typed] = [f64::MAX; 3];
        let start = Instant::now();
        while start.elapsed() < time {
            text = text.min(nanoseconds(|| drop(black_box(engine.decide(black_box(&case.input))))));
            if let Some(by_hand) = by_hand {
                parsed = parsed.min(nanoseconds(|| drop(black_box(engine.decide_parsed(black_box(&input))))));
                typed = typed.min(nanoseconds(|| drop(black_box(by_hand(black_box(case.input.as_bytes()))))));
            }
        }
        if by_hand.is_none() {
            println!("{name:20} ours {text:6.0}");
        } else {
            println!(
                "{name:20} ours {text:6.0}  parsed {parsed:6.0}  typed {typed:6.0}  {:.2}",
                text / typed
            );
            ratios.push(text / typed);
        }
    }
    if wanted.contains('/') && !wanted.ends_with("/varied") {
        return;
    }
    let inputs = varied::inputs(policy);
    let [mut text, mut typed] = [f64::MAX; 2];
    let start = Instant::now();
    let (mut ours_next, mut typed_next) = (inputs.iter().cycle(), inputs.iter().cycle());
    while start.elapsed() < time {
        text =
            text.min(nanoseconds(|| drop(black_box(ours_next.next().map(|(text, _)| engine.decide(text))))));
        if let Some(by_hand) = by_hand {
            typed = typed.min(nanoseconds(|| {
                drop(black_box(typed_next.next().map(|(text, _)| by_hand(text.as_bytes()))));
            }));
        }
    }
    println!("{}/varied  ours {text:6.0}  typed {typed:6.0}  {:.2}", policy.name, text / typed);
    if !ratios.is_empty() {
        println!(
            "{}: {:.2} times typed on average",
            policy.name,
            ratios.iter().sum::<f64>() / ratios.len() as f64
        );
    }
}

/// The time of a call.
fn nanoseconds(mut call: impl FnMut()) -> f64 {
    let start = Instant::now();
    (0..CALLS).for_each(|_| call());
    start.elapsed().as_nanos() as f64 / f64::from(CALLS)
}
