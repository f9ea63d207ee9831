//! What limits cost: a check with three of them, each store, and named peers.
//!
//! ```sh
//! cargo bench --manifest-path benches/limits/Cargo.toml -- [ROUNDS] [PART…]
//! ```
//!
//! The parts are `check`, `module`, `peers`, `sqlite`, `redis`, `leased`, `postgres` and `keys`; without any, all of them run. What is
//! compared is done in turn, in many short rounds, since other work on the machine takes from both: the median of the
//! rounds is printed, and the best. Redis and PostgreSQL are servers of the run's own on this machine, and write every
//! change down before they answer.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark stops at the first surprise; its figures are far below 2^52"
)]

mod check;
mod durable;
mod keys;
mod load;
mod module;
mod peers;
mod servers;

use std::time::Instant;

/// A thing to be timed: does so many operations.
pub(crate) type Work<'a> = Box<dyn FnMut(u64) + 'a>;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    if let [word, count] = words.as_slice()
        && word == "keys-alone"
    {
        return keys::alone(count.parse().unwrap());
    }
    let rounds = words.iter().find_map(|word| word.parse().ok()).unwrap_or(200);
    let asked: Vec<&String> = words.iter().filter(|word| word.parse::<u64>().is_err()).collect();
    type Part = (&'static str, fn(usize));
    let parts: [Part; 8] = [
        ("check", check::run),
        ("module", module::run),
        ("peers", peers::run),
        ("sqlite", durable::run),
        ("redis", servers::redis),
        ("leased", servers::leased),
        ("postgres", servers::postgres),
        ("keys", |_| keys::run()),
    ];
    for (name, part) in parts {
        if asked.is_empty() || asked.iter().any(|word| *word == name) {
            println!("{name}");
            part(rounds);
        }
    }
}

/// Times works in turn, so many operations of each in a round, and prints the time of one; gives the medians.
pub(crate) fn in_turn(rounds: usize, each: u64, works: &mut [(&str, Work<'_>)]) -> Vec<f64> {
    let mut took: Vec<Vec<f64>> = vec![Vec::with_capacity(rounds); works.len()];
    for round in 0..rounds + rounds / 10 + 1 {
        for ((_, work), took) in works.iter_mut().zip(&mut took) {
            let begun = Instant::now();
            work(each);
            let one = begun.elapsed().as_secs_f64() * 1e6 / each as f64;
            // The first rounds warm up.
            if round > rounds / 10 {
                took.push(one);
            }
        }
    }
    let mut medians = Vec::new();
    for ((name, _), took) in works.iter().zip(&mut took) {
        took.sort_by(f64::total_cmp);
        let median = took.get(took.len() / 2).copied().unwrap_or(f64::NAN);
        let best = took.first().copied().unwrap_or(f64::NAN);
        println!("  {name:44} {median:10.3} µs, best {best:10.3}");
        medians.push(median);
    }
    medians
}
