//! Decisions about requests that are Rust values (`ours-struct`), about their texts, and by typed Rust by hand, in turn;
//! the least time of many short runs of each, in nanoseconds, as `profile.rs` has it and with its arguments:
//! a policy, or a policy and a case; milliseconds for each; `ours` for structs alone or `text` for their texts alone, for a
//! profiler. `WASM_DIR` as there.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a tool for its authors, whose figures are far below 2^52"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use hexarch_benches::engines::ours;
use hexarch_benches::policy::{self, Policy};
use hexarch_benches::{structs, typed, varied};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let wanted = arguments.get(1).map_or("", String::as_str);
    let time = Duration::from_millis(arguments.get(2).map_or(1000, |millis| millis.parse().unwrap()));
    let alone = arguments.get(3).map(String::as_str);
    for policy in policy::load_all(&policy::standing()) {
        if wanted.is_empty() || wanted.split('/').next() == Some(policy.name.as_str()) {
            compare(&policy, wanted, time, alone);
        }
    }
}

fn compare(policy: &Policy, wanted: &str, time: Duration, alone: Option<&str>) {
    let module = ours::compile_or_read(policy);
    let Some(by_hand) = typed::load(&policy.name, &policy.data) else { return };
    let mut sets: Vec<_> = policy
        .cases
        .iter()
        .map(|case| (case.name.clone(), vec![(case.input.clone(), case.expected.clone())]))
        .collect();
    sets.push(("varied".to_owned(), varied::inputs(policy)));
    for (name, inputs) in sets {
        let name = format!("{}/{name}", policy.name);
        if wanted.contains('/') && wanted != name {
            continue;
        }
        let texts: Vec<String> = inputs.iter().map(|(text, _)| text.clone()).collect();
        let loaded = || ours::Loaded::new(&module, policy);
        let for_structs = loaded();
        for_structs.leave_map();
        let Some(mut by_struct) = structs::load(&policy.name, for_structs, &texts) else { return };
        for (at, (text, expected)) in inputs.iter().enumerate() {
            assert_eq!(by_struct(at), *expected, "{text}");
        }
        let mut by_text = loaded();
        if alone == Some("text") {
            by_text.leave_map();
        }
        let [mut least_struct, mut least_text, mut least_typed] = [f64::MAX; 3];
        let start = Instant::now();
        while start.elapsed() < time {
            if alone != Some("text") {
                least_struct = least_struct.min(nanoseconds(|at| drop(black_box(by_struct(at)))));
            }
            if alone != Some("ours") {
                let text = |at: usize| decide_text(&mut by_text, &texts[at % texts.len()]);
                least_text = least_text.min(nanoseconds(text));
            }
            if alone.is_none() {
                let typed = |at: usize| drop(black_box(by_hand(texts[at % texts.len()].as_bytes())));
                least_typed = least_typed.min(nanoseconds(typed));
            }
        }
        let told = |least: f64| if least < f64::MAX { format!("{least:.0}") } else { "-".to_owned() };
        let ratios = match alone {
            None => format!(
                "  struct/typed {:.2}  text/typed {:.2}",
                least_struct / least_typed,
                least_text / least_typed
            ),
            Some(_) => String::new(),
        };
        println!(
            "{name:20} struct {:>6}  text {:>6}  typed {:>6}{ratios}",
            told(least_struct),
            told(least_text),
            told(least_typed)
        );
    }
}

/// By itself, so that a profiler can tell it from what stands around it.
#[inline(never)]
fn decide_text(engine: &mut ours::Loaded, text: &str) {
    drop(black_box(engine.decide(text)));
}

/// The time of a call.
fn nanoseconds(mut call: impl FnMut(usize)) -> f64 {
    const CALLS: u32 = 256;
    let start = Instant::now();
    (0..CALLS as usize).for_each(&mut call);
    start.elapsed().as_nanos() as f64 / f64::from(CALLS)
}
