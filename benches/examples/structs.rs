//! Decisions about requests that are Rust values (`ours-struct`), about their texts, and by typed Rust by hand, in turn;
//! the least time of many short runs of each, in nanoseconds, as `profile.rs` has it.
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
    for policy in policy::load_all(&policy::standing()) {
        compare(&policy);
    }
}

fn compare(policy: &Policy) {
    let module = ours::compile(policy);
    let Some(by_hand) = typed::load(&policy.name, &policy.data) else { return };
    let mut sets: Vec<_> = policy
        .cases
        .iter()
        .map(|case| (case.name.clone(), vec![(case.input.clone(), case.expected.clone())]))
        .collect();
    sets.push(("varied".to_owned(), varied::inputs(policy)));
    for (name, inputs) in sets {
        let texts: Vec<String> = inputs.iter().map(|(text, _)| text.clone()).collect();
        let loaded = || ours::Loaded::new(&module, policy);
        let Some(mut by_struct) = structs::load(&policy.name, loaded(), &texts) else { return };
        for (at, (text, expected)) in inputs.iter().enumerate() {
            assert_eq!(by_struct(at), *expected, "{text}");
        }
        let mut by_text = loaded();
        let [mut least_struct, mut least_text, mut least_typed] = [f64::MAX; 3];
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(1) {
            least_struct = least_struct.min(nanoseconds(|at| drop(black_box(by_struct(at)))));
            least_text =
                least_text.min(nanoseconds(|at| drop(black_box(by_text.decide(&texts[at % texts.len()])))));
            least_typed = least_typed
                .min(nanoseconds(|at| drop(black_box(by_hand(texts[at % texts.len()].as_bytes())))));
        }
        println!(
            "{:20} struct {least_struct:6.0}  text {least_text:6.0}  typed {least_typed:6.0}  struct/typed {:.2}",
            format!("{}/{name}", policy.name),
            least_struct / least_typed
        );
    }
}

/// The time of a call.
fn nanoseconds(mut call: impl FnMut(usize)) -> f64 {
    const CALLS: u32 = 256;
    let start = Instant::now();
    (0..CALLS as usize).for_each(&mut call);
    start.elapsed().as_nanos() as f64 / f64::from(CALLS)
}
