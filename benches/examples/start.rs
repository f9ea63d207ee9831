//! From source text to a warm instance with its data, phase by phase: the least of many, in milliseconds; and the size of the module.
//!
//! ```sh
//! cargo run -p hexarch-benches --profile profiling --example start -- [POLICY] [ROUNDS]
//! ```
//!
//! The first argument names a policy (all, without one), the second says how often; `WASM_DIR` is as in `profile.rs`. Run on
//! one processor (`taskset -c 0`), it says how much work all threads do together.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a tool for its authors")]

use std::path::Path;
use std::time::Instant;

use hexarch_benches::engines::ours;
use hexarch_benches::policy;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let wanted = arguments.get(1).map_or("", String::as_str);
    let rounds: u32 = arguments.get(2).map_or(20, |rounds| rounds.parse().unwrap());
    for policy in policy::load_all(&policy::standing()) {
        if !wanted.is_empty() && wanted != policy.name {
            continue;
        }
        let (mut build, mut load) = (f64::MAX, f64::MAX);
        let mut size = 0;
        for _ in 0..rounds {
            let start = Instant::now();
            let module = match std::env::var_os("WASM_DIR") {
                Some(dir) => std::fs::read(Path::new(&dir).join(format!("{}.wasm", policy.name))).unwrap(),
                None => ours::compile(&policy),
            };
            build = build.min(start.elapsed().as_secs_f64() * 1e3);
            size = module.len();
            let start = Instant::now();
            let loaded = ours::Loaded::new(&module, &policy);
            load = load.min(start.elapsed().as_secs_f64() * 1e3);
            drop(loaded);
        }
        println!(
            "{:4} {size:6} bytes  to bytes {build:6.1}  to a warm instance {:6.1}",
            policy.name,
            build + load
        );
    }
}
